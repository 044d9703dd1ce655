-- load by address: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into)
            VALUES (?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee,
            team, pending_since, pending_until, awaiting_contact_since, address_channel, address,
            due_at, active, active_slot, number, opened_at, opened_by_type, opened_by_id,
            opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
            first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
            first_waiting_since, waiting_since, no_wait_before, responses, response_micros,
            pending_micros, incoming, outgoing_user, outgoing_automation, closed_at,
            closed_by_type, closed_by_id, closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_addresses (workspace, channel, value, contact, identity)
            VALUES (?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            quiet, message, redacted, duplicate, merged_into, blocked)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 workspace, 9 id, 10 origin, 11 channel, 12 lane, 13 created_at, 14 contact, 15 new_contact,
-- 16 status, 17 version, 18 updated_at, 19 last_activity_at, 20 first_closed_at, 21 assignee,
-- 22 team, 23 pending_since, 24 pending_until, 25 awaiting_contact_since, 26 address_channel,
-- 27 address, 28 due_at, 29 active, 30 active_slot, 31 number, 32 opened_at, 33 opened_by_type,
-- 34 opened_by_id, 35 opened_source, 36 first_assigned_at, 37 first_assignee, 38 last_assignee,
-- 39 last_team, 40 first_response_at, 41 first_response_sent_at, 42 first_responder_type,
-- 43 first_responder_id, 44 first_waiting_since, 45 waiting_since, 46 no_wait_before, 47 responses,
-- 48 response_micros, 49 pending_micros, 50 incoming, 51 outgoing_user, 52 outgoing_automation,
-- 53 closed_at, 54 closed_by_type, 55 closed_by_id, 56 closed_source, 57 category, 58 summary,
-- 59 workspace, 60 channel, 61 value, 62 contact, 63 identity, 64 workspace, 65 conversation,
-- 66 seq, 67 id, 68 contact, 69 contact_seq, 70 kind, 71 at, 72 by_type, 73 by_id, 74 source,
-- 75 channel, 76 lane, 77 address, 78 external_id, 79 sent_at, 80 body, 81 attachments,
-- 82 category, 83 summary, 84 until_at, 85 assignee, 86 team, 87 response, 88 quiet,
-- 89 new_contact, 90 restart_flow, 91 message, 92 redacted, 93 duplicate, 94 notice, 95 audience,
-- 96 status_before, 97 assignee_before, 98 team_before, 99 lane_before, 100 channel_before,
-- 101 workspace, 102 conversation, 103 seq, 104 id, 105 contact, 106 contact_seq, 107 kind, 108 at,
-- 109 by_type, 110 by_id, 111 source, 112 channel, 113 lane, 114 address, 115 external_id,
-- 116 sent_at, 117 body, 118 attachments, 119 category, 120 summary, 121 until_at, 122 assignee,
-- 123 team, 124 response, 125 quiet, 126 new_contact, 127 restart_flow, 128 message, 129 redacted,
-- 130 duplicate, 131 notice, 132 audience, 133 status_before, 134 assignee_before, 135 team_before,
-- 136 lane_before, 137 channel_before, 138 workspace, 139 contact, 140 seq, 141 id,
-- 142 contact_seq, 143 kind, 144 at, 145 by_type, 146 by_id, 147 source, 148 channel, 149 address,
-- 150 external_id, 151 sent_at, 152 body, 153 attachments, 154 quiet, 155 message, 156 redacted,
-- 157 duplicate, 158 merged_into, 159 blocked
