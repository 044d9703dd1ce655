-- load by address: see load.sql

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
        INSERT INTO convo_addresses (workspace, channel, value, contact, identity)
            VALUES (?, ?, ?, ?, ?);
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
        INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at,
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            quiet, message, redacted, duplicate, merged_into, blocked, blocked_by, unmerged_from,
            own_blocked, own_blocked_by, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?);
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
-- 94 workspace, 95 list, 96 at, 97 id, 98 workspace, 99 channel, 100 value, 101 contact,
-- 102 identity, 103 workspace, 104 conversation, 105 seq, 106 id, 107 contact, 108 contact_seq,
-- 109 kind, 110 at, 111 by_type, 112 by_id, 113 source, 114 channel, 115 lane, 116 address,
-- 117 external_id, 118 sent_at, 119 body, 120 attachments, 121 category, 122 summary, 123 until_at,
-- 124 on_receive, 125 marks, 126 cycle, 127 score, 128 replaces, 129 assignee, 130 team,
-- 131 response, 132 quiet, 133 new_contact, 134 restart_flow, 135 message, 136 redacted,
-- 137 duplicate, 138 notice, 139 audience, 140 status_before, 141 assignee_before, 142 team_before,
-- 143 lane_before, 144 channel_before, 145 opened_source, 146 status_since, 147 assigned_at,
-- 148 was_assigned, 149 opened_at, 150 turn, 151 turn_since, 152 waiting_since, 153 handed_over_at,
-- 154 replies, 155 pending_micros, 156 closed_by_type, 157 closed_by_id, 158 moved_from,
-- 159 from_seq, 160 labels, 161 labels_before, 162 priority, 163 priority_before, 164 subject,
-- 165 attributes, 166 workspace, 167 conversation, 168 seq, 169 id, 170 contact, 171 contact_seq,
-- 172 kind, 173 at, 174 by_type, 175 by_id, 176 source, 177 channel, 178 lane, 179 address,
-- 180 external_id, 181 sent_at, 182 body, 183 attachments, 184 category, 185 summary, 186 until_at,
-- 187 on_receive, 188 marks, 189 cycle, 190 score, 191 replaces, 192 assignee, 193 team,
-- 194 response, 195 quiet, 196 new_contact, 197 restart_flow, 198 message, 199 redacted,
-- 200 duplicate, 201 notice, 202 audience, 203 status_before, 204 assignee_before, 205 team_before,
-- 206 lane_before, 207 channel_before, 208 opened_source, 209 status_since, 210 assigned_at,
-- 211 was_assigned, 212 opened_at, 213 turn, 214 turn_since, 215 waiting_since, 216 handed_over_at,
-- 217 replies, 218 pending_micros, 219 closed_by_type, 220 closed_by_id, 221 moved_from,
-- 222 from_seq, 223 labels, 224 labels_before, 225 priority, 226 priority_before, 227 subject,
-- 228 attributes, 229 workspace, 230 conversation, 231 from_seq, 232 workspace, 233 contact,
-- 234 seq, 235 id, 236 contact_seq, 237 kind, 238 at, 239 by_type, 240 by_id, 241 source,
-- 242 channel, 243 address, 244 external_id, 245 sent_at, 246 body, 247 attachments, 248 quiet,
-- 249 message, 250 redacted, 251 duplicate, 252 merged_into, 253 blocked, 254 blocked_by,
-- 255 unmerged_from, 256 own_blocked, 257 own_blocked_by, 258 name, 259 attributes
