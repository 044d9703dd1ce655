-- load by contact: see load.sql

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
-- 59 workspace, 60 conversation, 61 seq, 62 id, 63 contact, 64 contact_seq, 65 kind, 66 at,
-- 67 by_type, 68 by_id, 69 source, 70 channel, 71 lane, 72 address, 73 external_id, 74 sent_at,
-- 75 body, 76 attachments, 77 category, 78 summary, 79 until_at, 80 assignee, 81 team, 82 response,
-- 83 quiet, 84 new_contact, 85 restart_flow, 86 message, 87 redacted, 88 duplicate, 89 notice,
-- 90 audience, 91 status_before, 92 assignee_before, 93 team_before, 94 lane_before,
-- 95 channel_before, 96 workspace, 97 conversation, 98 seq, 99 id, 100 contact, 101 contact_seq,
-- 102 kind, 103 at, 104 by_type, 105 by_id, 106 source, 107 channel, 108 lane, 109 address,
-- 110 external_id, 111 sent_at, 112 body, 113 attachments, 114 category, 115 summary, 116 until_at,
-- 117 assignee, 118 team, 119 response, 120 quiet, 121 new_contact, 122 restart_flow, 123 message,
-- 124 redacted, 125 duplicate, 126 notice, 127 audience, 128 status_before, 129 assignee_before,
-- 130 team_before, 131 lane_before, 132 channel_before
