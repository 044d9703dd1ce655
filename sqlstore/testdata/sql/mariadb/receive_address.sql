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
            category, summary, until_at, assignee, team, response, quiet, new_contact, older,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            category, summary, until_at, assignee, team, response, quiet, new_contact, older,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            quiet, message, redacted, duplicate, merged_into, latest_conversation, blocked)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 87 quiet, 88 new_contact, 89 older, 90 restart_flow, 91 message, 92 redacted, 93 duplicate,
-- 94 notice, 95 audience, 96 status_before, 97 assignee_before, 98 team_before, 99 workspace,
-- 100 conversation, 101 seq, 102 id, 103 contact, 104 contact_seq, 105 kind, 106 at, 107 by_type,
-- 108 by_id, 109 source, 110 channel, 111 address, 112 external_id, 113 sent_at, 114 body,
-- 115 attachments, 116 category, 117 summary, 118 until_at, 119 assignee, 120 team, 121 response,
-- 122 quiet, 123 new_contact, 124 older, 125 restart_flow, 126 message, 127 redacted,
-- 128 duplicate, 129 notice, 130 audience, 131 status_before, 132 assignee_before, 133 team_before,
-- 134 workspace, 135 contact, 136 seq, 137 id, 138 contact_seq, 139 kind, 140 at, 141 by_type,
-- 142 by_id, 143 source, 144 channel, 145 address, 146 external_id, 147 sent_at, 148 body,
-- 149 attachments, 150 quiet, 151 message, 152 redacted, 153 duplicate, 154 merged_into,
-- 155 latest_conversation, 156 blocked
