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
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, status_since, version, updated_at, last_activity_at,
            last_incoming_at, first_closed_at, assignee, team, assigned_at, labels, priority,
            subject, attributes, pending_until, on_receive, awaiting_contact_since,
            address_channel, address, marks, deadline_at, due_at, applied, unrated, active, number,
            opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
            first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            turn_since, handed_over_at, no_wait_before, responses, response_micros, pending_micros,
            incoming, outgoing_user, outgoing_automation, rated_at, score, rating_comment,
            closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority, contact, due_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, on_receive, marks, cycle, score, replaces,
            assignee, team, response, quiet, new_contact, restart_flow, message, redacted,
            duplicate, notice, audience, status_before, assignee_before, team_before, lane_before,
            channel_before, opened_source, status_since, assigned_at, was_assigned, opened_at,
            turn, turn_since, waiting_since, handed_over_at, replies, pending_micros,
            closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before, priority,
            priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, on_receive, marks, cycle, score, replaces,
            assignee, team, response, quiet, new_contact, restart_flow, message, redacted,
            duplicate, notice, audience, status_before, assignee_before, team_before, lane_before,
            channel_before, opened_source, status_since, assigned_at, was_assigned, opened_at,
            turn, turn_since, waiting_since, handed_over_at, replies, pending_micros,
            closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before, priority,
            priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
            VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
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
-- 40 marks, 41 deadline_at, 42 due_at, 43 applied, 44 unrated, 45 active, 46 number, 47 opened_at,
-- 48 opened_by_type, 49 opened_by_id, 50 opened_source, 51 first_assigned_at, 52 first_assignee,
-- 53 last_assignee, 54 last_team, 55 first_response_at, 56 first_response_sent_at,
-- 57 first_responder_type, 58 first_responder_id, 59 first_waiting_since, 60 waiting_since,
-- 61 turn_since, 62 handed_over_at, 63 no_wait_before, 64 responses, 65 response_micros,
-- 66 pending_micros, 67 incoming, 68 outgoing_user, 69 outgoing_automation, 70 rated_at, 71 score,
-- 72 rating_comment, 73 closed_at, 74 closed_by_type, 75 closed_by_id, 76 closed_source,
-- 77 category, 78 summary, 79 workspace, 80 id, 81 status, 82 channel, 83 lane, 84 created_at,
-- 85 assignee, 86 team, 87 priority, 88 contact, 89 due_at, 90 workspace, 91 list, 92 at, 93 id,
-- 94 workspace, 95 list, 96 at, 97 id, 98 workspace, 99 conversation, 100 seq, 101 id, 102 contact,
-- 103 contact_seq, 104 kind, 105 at, 106 by_type, 107 by_id, 108 source, 109 channel, 110 lane,
-- 111 address, 112 external_id, 113 sent_at, 114 body, 115 attachments, 116 category, 117 summary,
-- 118 until_at, 119 on_receive, 120 marks, 121 cycle, 122 score, 123 replaces, 124 assignee,
-- 125 team, 126 response, 127 quiet, 128 new_contact, 129 restart_flow, 130 message, 131 redacted,
-- 132 duplicate, 133 notice, 134 audience, 135 status_before, 136 assignee_before, 137 team_before,
-- 138 lane_before, 139 channel_before, 140 opened_source, 141 status_since, 142 assigned_at,
-- 143 was_assigned, 144 opened_at, 145 turn, 146 turn_since, 147 waiting_since, 148 handed_over_at,
-- 149 replies, 150 pending_micros, 151 closed_by_type, 152 closed_by_id, 153 moved_from,
-- 154 from_seq, 155 labels, 156 labels_before, 157 priority, 158 priority_before, 159 subject,
-- 160 attributes, 161 workspace, 162 conversation, 163 seq, 164 id, 165 contact, 166 contact_seq,
-- 167 kind, 168 at, 169 by_type, 170 by_id, 171 source, 172 channel, 173 lane, 174 address,
-- 175 external_id, 176 sent_at, 177 body, 178 attachments, 179 category, 180 summary, 181 until_at,
-- 182 on_receive, 183 marks, 184 cycle, 185 score, 186 replaces, 187 assignee, 188 team,
-- 189 response, 190 quiet, 191 new_contact, 192 restart_flow, 193 message, 194 redacted,
-- 195 duplicate, 196 notice, 197 audience, 198 status_before, 199 assignee_before, 200 team_before,
-- 201 lane_before, 202 channel_before, 203 opened_source, 204 status_since, 205 assigned_at,
-- 206 was_assigned, 207 opened_at, 208 turn, 209 turn_since, 210 waiting_since, 211 handed_over_at,
-- 212 replies, 213 pending_micros, 214 closed_by_type, 215 closed_by_id, 216 moved_from,
-- 217 from_seq, 218 labels, 219 labels_before, 220 priority, 221 priority_before, 222 subject,
-- 223 attributes, 224 workspace, 225 conversation, 226 from_seq
