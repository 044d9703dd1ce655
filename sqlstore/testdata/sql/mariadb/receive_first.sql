-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, parent, blocked_by, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
            assignee_before, team_before, lane_before, channel_before, moved_from, from_seq,
            labels, labels_before, priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, moved_from, from_seq,
            labels, labels_before, priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 parent, 9 blocked_by, 10 name, 11 attributes, 12 workspace, 13 id, 14 origin, 15 channel,
-- 16 lane, 17 created_at, 18 contact, 19 new_contact, 20 status, 21 version, 22 updated_at,
-- 23 last_activity_at, 24 first_closed_at, 25 assignee, 26 team, 27 labels, 28 priority,
-- 29 subject, 30 attributes, 31 pending_since, 32 pending_until, 33 awaiting_contact_since,
-- 34 address_channel, 35 address, 36 due_at, 37 active, 38 active_slot, 39 number, 40 opened_at,
-- 41 opened_by_type, 42 opened_by_id, 43 opened_source, 44 first_assigned_at, 45 first_assignee,
-- 46 last_assignee, 47 last_team, 48 first_response_at, 49 first_response_sent_at,
-- 50 first_responder_type, 51 first_responder_id, 52 first_waiting_since, 53 waiting_since,
-- 54 no_wait_before, 55 responses, 56 response_micros, 57 pending_micros, 58 incoming,
-- 59 outgoing_user, 60 outgoing_automation, 61 closed_at, 62 closed_by_type, 63 closed_by_id,
-- 64 closed_source, 65 category, 66 summary, 67 workspace, 68 conversation, 69 seq, 70 id,
-- 71 contact, 72 contact_seq, 73 kind, 74 at, 75 by_type, 76 by_id, 77 source, 78 channel, 79 lane,
-- 80 address, 81 external_id, 82 sent_at, 83 body, 84 attachments, 85 category, 86 summary,
-- 87 until_at, 88 assignee, 89 team, 90 response, 91 quiet, 92 new_contact, 93 restart_flow,
-- 94 message, 95 redacted, 96 duplicate, 97 notice, 98 audience, 99 status_before,
-- 100 assignee_before, 101 team_before, 102 lane_before, 103 channel_before, 104 moved_from,
-- 105 from_seq, 106 labels, 107 labels_before, 108 priority, 109 priority_before, 110 subject,
-- 111 attributes, 112 workspace, 113 conversation, 114 seq, 115 id, 116 contact, 117 contact_seq,
-- 118 kind, 119 at, 120 by_type, 121 by_id, 122 source, 123 channel, 124 lane, 125 address,
-- 126 external_id, 127 sent_at, 128 body, 129 attachments, 130 category, 131 summary, 132 until_at,
-- 133 assignee, 134 team, 135 response, 136 quiet, 137 new_contact, 138 restart_flow, 139 message,
-- 140 redacted, 141 duplicate, 142 notice, 143 audience, 144 status_before, 145 assignee_before,
-- 146 team_before, 147 lane_before, 148 channel_before, 149 moved_from, 150 from_seq, 151 labels,
-- 152 labels_before, 153 priority, 154 priority_before, 155 subject, 156 attributes
