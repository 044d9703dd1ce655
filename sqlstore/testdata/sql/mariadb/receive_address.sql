-- load by address: see load.sql

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
-- 99 workspace, 100 channel, 101 value, 102 contact, 103 identity, 104 workspace, 105 conversation,
-- 106 seq, 107 id, 108 contact, 109 contact_seq, 110 kind, 111 at, 112 by_type, 113 by_id,
-- 114 source, 115 channel, 116 lane, 117 address, 118 external_id, 119 sent_at, 120 body,
-- 121 attachments, 122 category, 123 summary, 124 until_at, 125 on_receive, 126 marks, 127 cycle,
-- 128 score, 129 replaces, 130 assignee, 131 team, 132 response, 133 quiet, 134 new_contact,
-- 135 restart_flow, 136 message, 137 redacted, 138 duplicate, 139 notice, 140 audience,
-- 141 status_before, 142 assignee_before, 143 team_before, 144 lane_before, 145 channel_before,
-- 146 opened_source, 147 status_since, 148 assigned_at, 149 was_assigned, 150 opened_at, 151 turn,
-- 152 turn_since, 153 waiting_since, 154 handed_over_at, 155 replies, 156 pending_micros,
-- 157 closed_by_type, 158 closed_by_id, 159 moved_from, 160 from_seq, 161 labels,
-- 162 labels_before, 163 priority, 164 priority_before, 165 subject, 166 attributes, 167 workspace,
-- 168 conversation, 169 seq, 170 id, 171 contact, 172 contact_seq, 173 kind, 174 at, 175 by_type,
-- 176 by_id, 177 source, 178 channel, 179 lane, 180 address, 181 external_id, 182 sent_at,
-- 183 body, 184 attachments, 185 category, 186 summary, 187 until_at, 188 on_receive, 189 marks,
-- 190 cycle, 191 score, 192 replaces, 193 assignee, 194 team, 195 response, 196 quiet,
-- 197 new_contact, 198 restart_flow, 199 message, 200 redacted, 201 duplicate, 202 notice,
-- 203 audience, 204 status_before, 205 assignee_before, 206 team_before, 207 lane_before,
-- 208 channel_before, 209 opened_source, 210 status_since, 211 assigned_at, 212 was_assigned,
-- 213 opened_at, 214 turn, 215 turn_since, 216 waiting_since, 217 handed_over_at, 218 replies,
-- 219 pending_micros, 220 closed_by_type, 221 closed_by_id, 222 moved_from, 223 from_seq,
-- 224 labels, 225 labels_before, 226 priority, 227 priority_before, 228 subject, 229 attributes,
-- 230 workspace, 231 conversation, 232 from_seq, 233 workspace, 234 contact, 235 seq, 236 id,
-- 237 contact_seq, 238 kind, 239 at, 240 by_type, 241 by_id, 242 source, 243 channel, 244 address,
-- 245 external_id, 246 sent_at, 247 body, 248 attachments, 249 quiet, 250 message, 251 redacted,
-- 252 duplicate, 253 merged_into, 254 blocked, 255 blocked_by, 256 unmerged_from, 257 own_blocked,
-- 258 own_blocked_by, 259 name, 260 attributes
