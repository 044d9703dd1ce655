-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at,
            blocked, merged_into, parent, blocked_by, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, status_since, version, updated_at, last_activity_at,
            last_incoming_at, first_closed_at, assignee, team, assigned_at, labels, priority,
            subject, attributes, pending_until, on_receive, awaiting_contact_since,
            address_channel, address, marks, deadline_at, due_at, unrated, rating, active,
            active_slot, number, opened_at, opened_by_type, opened_by_id, opened_source,
            first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
            first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
            waiting_since, no_wait_before, responses, response_micros, pending_micros, incoming,
            outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id,
            closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?);
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
            attachments, category, summary, until_at, on_receive, marks, cycle, score, assignee,
            team, response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice,
            audience, status_before, assignee_before, team_before, lane_before, channel_before,
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, on_receive, marks, cycle, score, assignee,
            team, response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice,
            audience, status_before, assignee_before, team_before, lane_before, channel_before,
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 workspace, 14 id, 15 origin,
-- 16 channel, 17 lane, 18 created_at, 19 contact, 20 new_contact, 21 status, 22 status_since,
-- 23 version, 24 updated_at, 25 last_activity_at, 26 last_incoming_at, 27 first_closed_at,
-- 28 assignee, 29 team, 30 assigned_at, 31 labels, 32 priority, 33 subject, 34 attributes,
-- 35 pending_until, 36 on_receive, 37 awaiting_contact_since, 38 address_channel, 39 address,
-- 40 marks, 41 deadline_at, 42 due_at, 43 unrated, 44 rating, 45 active, 46 active_slot, 47 number,
-- 48 opened_at, 49 opened_by_type, 50 opened_by_id, 51 opened_source, 52 first_assigned_at,
-- 53 first_assignee, 54 last_assignee, 55 last_team, 56 first_response_at,
-- 57 first_response_sent_at, 58 first_responder_type, 59 first_responder_id,
-- 60 first_waiting_since, 61 waiting_since, 62 no_wait_before, 63 responses, 64 response_micros,
-- 65 pending_micros, 66 incoming, 67 outgoing_user, 68 outgoing_automation, 69 closed_at,
-- 70 closed_by_type, 71 closed_by_id, 72 closed_source, 73 category, 74 summary, 75 workspace,
-- 76 id, 77 status, 78 channel, 79 lane, 80 created_at, 81 assignee, 82 team, 83 priority,
-- 84 workspace, 85 list, 86 at, 87 id, 88 workspace, 89 list, 90 at, 91 id, 92 workspace,
-- 93 conversation, 94 seq, 95 id, 96 contact, 97 contact_seq, 98 kind, 99 at, 100 by_type,
-- 101 by_id, 102 source, 103 channel, 104 lane, 105 address, 106 external_id, 107 sent_at,
-- 108 body, 109 attachments, 110 category, 111 summary, 112 until_at, 113 on_receive, 114 marks,
-- 115 cycle, 116 score, 117 assignee, 118 team, 119 response, 120 quiet, 121 new_contact,
-- 122 restart_flow, 123 message, 124 redacted, 125 duplicate, 126 notice, 127 audience,
-- 128 status_before, 129 assignee_before, 130 team_before, 131 lane_before, 132 channel_before,
-- 133 moved_from, 134 from_seq, 135 labels, 136 labels_before, 137 priority, 138 priority_before,
-- 139 subject, 140 attributes, 141 workspace, 142 conversation, 143 seq, 144 id, 145 contact,
-- 146 contact_seq, 147 kind, 148 at, 149 by_type, 150 by_id, 151 source, 152 channel, 153 lane,
-- 154 address, 155 external_id, 156 sent_at, 157 body, 158 attachments, 159 category, 160 summary,
-- 161 until_at, 162 on_receive, 163 marks, 164 cycle, 165 score, 166 assignee, 167 team,
-- 168 response, 169 quiet, 170 new_contact, 171 restart_flow, 172 message, 173 redacted,
-- 174 duplicate, 175 notice, 176 audience, 177 status_before, 178 assignee_before, 179 team_before,
-- 180 lane_before, 181 channel_before, 182 moved_from, 183 from_seq, 184 labels, 185 labels_before,
-- 186 priority, 187 priority_before, 188 subject, 189 attributes
