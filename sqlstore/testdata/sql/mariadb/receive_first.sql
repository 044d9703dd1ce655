-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee,
            team, labels, priority, subject, attributes, pending_since, pending_until,
            awaiting_contact_since, address_channel, address, due_at, active, active_slot, number,
            opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
            first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
            outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
            summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?);
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, labels, labels_before,
            priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, labels, labels_before,
            priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 name, 9 attributes, 10 workspace, 11 id, 12 origin, 13 channel, 14 lane, 15 created_at,
-- 16 contact, 17 new_contact, 18 status, 19 version, 20 updated_at, 21 last_activity_at,
-- 22 first_closed_at, 23 assignee, 24 team, 25 labels, 26 priority, 27 subject, 28 attributes,
-- 29 pending_since, 30 pending_until, 31 awaiting_contact_since, 32 address_channel, 33 address,
-- 34 due_at, 35 active, 36 active_slot, 37 number, 38 opened_at, 39 opened_by_type,
-- 40 opened_by_id, 41 opened_source, 42 first_assigned_at, 43 first_assignee, 44 last_assignee,
-- 45 last_team, 46 first_response_at, 47 first_response_sent_at, 48 first_responder_type,
-- 49 first_responder_id, 50 first_waiting_since, 51 waiting_since, 52 no_wait_before, 53 responses,
-- 54 response_micros, 55 pending_micros, 56 incoming, 57 outgoing_user, 58 outgoing_automation,
-- 59 closed_at, 60 closed_by_type, 61 closed_by_id, 62 closed_source, 63 category, 64 summary,
-- 65 workspace, 66 conversation, 67 seq, 68 id, 69 contact, 70 contact_seq, 71 kind, 72 at,
-- 73 by_type, 74 by_id, 75 source, 76 channel, 77 lane, 78 address, 79 external_id, 80 sent_at,
-- 81 body, 82 attachments, 83 category, 84 summary, 85 until_at, 86 assignee, 87 team, 88 response,
-- 89 quiet, 90 new_contact, 91 restart_flow, 92 message, 93 redacted, 94 duplicate, 95 notice,
-- 96 audience, 97 status_before, 98 assignee_before, 99 team_before, 100 lane_before,
-- 101 channel_before, 102 labels, 103 labels_before, 104 priority, 105 priority_before,
-- 106 subject, 107 attributes, 108 workspace, 109 conversation, 110 seq, 111 id, 112 contact,
-- 113 contact_seq, 114 kind, 115 at, 116 by_type, 117 by_id, 118 source, 119 channel, 120 lane,
-- 121 address, 122 external_id, 123 sent_at, 124 body, 125 attachments, 126 category, 127 summary,
-- 128 until_at, 129 assignee, 130 team, 131 response, 132 quiet, 133 new_contact, 134 restart_flow,
-- 135 message, 136 redacted, 137 duplicate, 138 notice, 139 audience, 140 status_before,
-- 141 assignee_before, 142 team_before, 143 lane_before, 144 channel_before, 145 labels,
-- 146 labels_before, 147 priority, 148 priority_before, 149 subject, 150 attributes
