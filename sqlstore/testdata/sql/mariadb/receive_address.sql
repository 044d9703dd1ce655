-- load by address: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, latest_conversation)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, created_at, contact,
            new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee,
            team, pending_since, pending_until, awaiting_contact_since, address_channel, address,
            due_at, active, active_slot, number, opened_at, opened_by_type, opened_by_id,
            opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
            first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
            first_waiting_since, waiting_since, no_wait_before, responses, response_micros,
            pending_micros, incoming, outgoing_user, outgoing_automation, closed_at,
            closed_by_type, closed_by_id, closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_addresses (workspace, channel, value, contact, identity)
            VALUES (?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?);
        INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            quiet, message, redacted, duplicate, merged_into, latest_conversation)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 latest_conversation, 9 workspace, 10 id, 11 origin, 12 channel, 13 created_at, 14 contact,
-- 15 new_contact, 16 status, 17 version, 18 updated_at, 19 last_activity_at, 20 first_closed_at,
-- 21 assignee, 22 team, 23 pending_since, 24 pending_until, 25 awaiting_contact_since,
-- 26 address_channel, 27 address, 28 due_at, 29 active, 30 active_slot, 31 number, 32 opened_at,
-- 33 opened_by_type, 34 opened_by_id, 35 opened_source, 36 first_assigned_at, 37 first_assignee,
-- 38 last_assignee, 39 last_team, 40 first_response_at, 41 first_response_sent_at,
-- 42 first_responder_type, 43 first_responder_id, 44 first_waiting_since, 45 waiting_since,
-- 46 no_wait_before, 47 responses, 48 response_micros, 49 pending_micros, 50 incoming,
-- 51 outgoing_user, 52 outgoing_automation, 53 closed_at, 54 closed_by_type, 55 closed_by_id,
-- 56 closed_source, 57 category, 58 summary, 59 workspace, 60 channel, 61 value, 62 contact,
-- 63 identity, 64 workspace, 65 conversation, 66 seq, 67 id, 68 contact, 69 contact_seq, 70 kind,
-- 71 at, 72 by_type, 73 by_id, 74 source, 75 channel, 76 address, 77 external_id, 78 sent_at,
-- 79 body, 80 attachments, 81 category, 82 summary, 83 until_at, 84 assignee, 85 team, 86 response,
-- 87 quiet, 88 new_contact, 89 restart_flow, 90 message, 91 redacted, 92 duplicate, 93 notice,
-- 94 audience, 95 workspace, 96 conversation, 97 seq, 98 id, 99 contact, 100 contact_seq, 101 kind,
-- 102 at, 103 by_type, 104 by_id, 105 source, 106 channel, 107 address, 108 external_id,
-- 109 sent_at, 110 body, 111 attachments, 112 category, 113 summary, 114 until_at, 115 assignee,
-- 116 team, 117 response, 118 quiet, 119 new_contact, 120 restart_flow, 121 message, 122 redacted,
-- 123 duplicate, 124 notice, 125 audience, 126 workspace, 127 contact, 128 seq, 129 id,
-- 130 contact_seq, 131 kind, 132 at, 133 by_type, 134 by_id, 135 source, 136 channel, 137 address,
-- 138 external_id, 139 sent_at, 140 body, 141 attachments, 142 quiet, 143 message, 144 redacted,
-- 145 duplicate, 146 merged_into, 147 latest_conversation
