-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at,
            blocked, merged_into, parent, blocked_by, name, attributes, erased_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 erased_at, 14 workspace,
-- 15 id, 16 origin, 17 channel, 18 lane, 19 created_at, 20 contact, 21 new_contact, 22 status,
-- 23 status_since, 24 version, 25 updated_at, 26 last_activity_at, 27 last_incoming_at,
-- 28 first_closed_at, 29 assignee, 30 team, 31 assigned_at, 32 labels, 33 priority, 34 subject,
-- 35 attributes, 36 pending_until, 37 on_receive, 38 awaiting_contact_since, 39 address_channel,
-- 40 address, 41 marks, 42 deadline_at, 43 due_at, 44 applied, 45 unrated, 46 active, 47 number,
-- 48 opened_at, 49 opened_by_type, 50 opened_by_id, 51 opened_source, 52 first_assigned_at,
-- 53 first_assignee, 54 last_assignee, 55 last_team, 56 first_response_at,
-- 57 first_response_sent_at, 58 first_responder_type, 59 first_responder_id,
-- 60 first_waiting_since, 61 waiting_since, 62 turn_since, 63 handed_over_at, 64 no_wait_before,
-- 65 responses, 66 response_micros, 67 pending_micros, 68 incoming, 69 outgoing_user,
-- 70 outgoing_automation, 71 rated_at, 72 score, 73 rating_comment, 74 closed_at,
-- 75 closed_by_type, 76 closed_by_id, 77 closed_source, 78 category, 79 summary, 80 workspace,
-- 81 id, 82 status, 83 channel, 84 lane, 85 created_at, 86 assignee, 87 team, 88 priority,
-- 89 contact, 90 due_at, 91 workspace, 92 list, 93 at, 94 id, 95 workspace, 96 list, 97 at, 98 id,
-- 99 workspace, 100 conversation, 101 seq, 102 id, 103 contact, 104 contact_seq, 105 kind, 106 at,
-- 107 by_type, 108 by_id, 109 source, 110 channel, 111 lane, 112 address, 113 external_id,
-- 114 sent_at, 115 body, 116 attachments, 117 category, 118 summary, 119 until_at, 120 on_receive,
-- 121 marks, 122 cycle, 123 score, 124 replaces, 125 assignee, 126 team, 127 response, 128 quiet,
-- 129 new_contact, 130 restart_flow, 131 message, 132 redacted, 133 duplicate, 134 notice,
-- 135 audience, 136 status_before, 137 assignee_before, 138 team_before, 139 lane_before,
-- 140 channel_before, 141 opened_source, 142 status_since, 143 assigned_at, 144 was_assigned,
-- 145 opened_at, 146 turn, 147 turn_since, 148 waiting_since, 149 handed_over_at, 150 replies,
-- 151 pending_micros, 152 closed_by_type, 153 closed_by_id, 154 moved_from, 155 from_seq,
-- 156 labels, 157 labels_before, 158 priority, 159 priority_before, 160 subject, 161 attributes,
-- 162 workspace, 163 conversation, 164 seq, 165 id, 166 contact, 167 contact_seq, 168 kind, 169 at,
-- 170 by_type, 171 by_id, 172 source, 173 channel, 174 lane, 175 address, 176 external_id,
-- 177 sent_at, 178 body, 179 attachments, 180 category, 181 summary, 182 until_at, 183 on_receive,
-- 184 marks, 185 cycle, 186 score, 187 replaces, 188 assignee, 189 team, 190 response, 191 quiet,
-- 192 new_contact, 193 restart_flow, 194 message, 195 redacted, 196 duplicate, 197 notice,
-- 198 audience, 199 status_before, 200 assignee_before, 201 team_before, 202 lane_before,
-- 203 channel_before, 204 opened_source, 205 status_since, 206 assigned_at, 207 was_assigned,
-- 208 opened_at, 209 turn, 210 turn_since, 211 waiting_since, 212 handed_over_at, 213 replies,
-- 214 pending_micros, 215 closed_by_type, 216 closed_by_id, 217 moved_from, 218 from_seq,
-- 219 labels, 220 labels_before, 221 priority, 222 priority_before, 223 subject, 224 attributes,
-- 225 workspace, 226 conversation, 227 from_seq
