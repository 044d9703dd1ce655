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
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
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
-- 64 closed_source, 65 category, 66 summary, 67 workspace, 68 id, 69 status, 70 channel, 71 lane,
-- 72 created_at, 73 assignee, 74 team, 75 priority, 76 workspace, 77 list, 78 at, 79 id,
-- 80 workspace, 81 list, 82 at, 83 id, 84 workspace, 85 conversation, 86 seq, 87 id, 88 contact,
-- 89 contact_seq, 90 kind, 91 at, 92 by_type, 93 by_id, 94 source, 95 channel, 96 lane, 97 address,
-- 98 external_id, 99 sent_at, 100 body, 101 attachments, 102 category, 103 summary, 104 until_at,
-- 105 assignee, 106 team, 107 response, 108 quiet, 109 new_contact, 110 restart_flow, 111 message,
-- 112 redacted, 113 duplicate, 114 notice, 115 audience, 116 status_before, 117 assignee_before,
-- 118 team_before, 119 lane_before, 120 channel_before, 121 moved_from, 122 from_seq, 123 labels,
-- 124 labels_before, 125 priority, 126 priority_before, 127 subject, 128 attributes, 129 workspace,
-- 130 conversation, 131 seq, 132 id, 133 contact, 134 contact_seq, 135 kind, 136 at, 137 by_type,
-- 138 by_id, 139 source, 140 channel, 141 lane, 142 address, 143 external_id, 144 sent_at,
-- 145 body, 146 attachments, 147 category, 148 summary, 149 until_at, 150 assignee, 151 team,
-- 152 response, 153 quiet, 154 new_contact, 155 restart_flow, 156 message, 157 redacted,
-- 158 duplicate, 159 notice, 160 audience, 161 status_before, 162 assignee_before, 163 team_before,
-- 164 lane_before, 165 channel_before, 166 moved_from, 167 from_seq, 168 labels, 169 labels_before,
-- 170 priority, 171 priority_before, 172 subject, 173 attributes
