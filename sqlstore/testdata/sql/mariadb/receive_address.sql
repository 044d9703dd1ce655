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
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, status_since, version, updated_at, last_activity_at,
            last_incoming_at, first_closed_at, assignee, team, assigned_at, labels, priority,
            subject, attributes, pending_until, on_receive, awaiting_contact_since,
            address_channel, address, marks, deadline_at, due_at, applied, unrated, active,
            active_slot, number, opened_at, opened_by_type, opened_by_id, opened_source,
            first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
            first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
            waiting_since, turn_since, handed_over_at, no_wait_before, responses, response_micros,
            pending_micros, incoming, outgoing_user, outgoing_automation, rated_at, score,
            rating_comment, closed_at, closed_by_type, closed_by_id, closed_source, category,
            summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 40 marks, 41 deadline_at, 42 due_at, 43 applied, 44 unrated, 45 active, 46 active_slot,
-- 47 number, 48 opened_at, 49 opened_by_type, 50 opened_by_id, 51 opened_source,
-- 52 first_assigned_at, 53 first_assignee, 54 last_assignee, 55 last_team, 56 first_response_at,
-- 57 first_response_sent_at, 58 first_responder_type, 59 first_responder_id,
-- 60 first_waiting_since, 61 waiting_since, 62 turn_since, 63 handed_over_at, 64 no_wait_before,
-- 65 responses, 66 response_micros, 67 pending_micros, 68 incoming, 69 outgoing_user,
-- 70 outgoing_automation, 71 rated_at, 72 score, 73 rating_comment, 74 closed_at,
-- 75 closed_by_type, 76 closed_by_id, 77 closed_source, 78 category, 79 summary, 80 workspace,
-- 81 id, 82 status, 83 channel, 84 lane, 85 created_at, 86 assignee, 87 team, 88 priority,
-- 89 workspace, 90 list, 91 at, 92 id, 93 workspace, 94 list, 95 at, 96 id, 97 workspace,
-- 98 channel, 99 value, 100 contact, 101 identity, 102 workspace, 103 conversation, 104 seq,
-- 105 id, 106 contact, 107 contact_seq, 108 kind, 109 at, 110 by_type, 111 by_id, 112 source,
-- 113 channel, 114 lane, 115 address, 116 external_id, 117 sent_at, 118 body, 119 attachments,
-- 120 category, 121 summary, 122 until_at, 123 on_receive, 124 marks, 125 cycle, 126 score,
-- 127 replaces, 128 assignee, 129 team, 130 response, 131 quiet, 132 new_contact, 133 restart_flow,
-- 134 message, 135 redacted, 136 duplicate, 137 notice, 138 audience, 139 status_before,
-- 140 assignee_before, 141 team_before, 142 lane_before, 143 channel_before, 144 opened_source,
-- 145 status_since, 146 assigned_at, 147 was_assigned, 148 opened_at, 149 turn, 150 turn_since,
-- 151 waiting_since, 152 handed_over_at, 153 replies, 154 pending_micros, 155 closed_by_type,
-- 156 closed_by_id, 157 moved_from, 158 from_seq, 159 labels, 160 labels_before, 161 priority,
-- 162 priority_before, 163 subject, 164 attributes, 165 workspace, 166 conversation, 167 seq,
-- 168 id, 169 contact, 170 contact_seq, 171 kind, 172 at, 173 by_type, 174 by_id, 175 source,
-- 176 channel, 177 lane, 178 address, 179 external_id, 180 sent_at, 181 body, 182 attachments,
-- 183 category, 184 summary, 185 until_at, 186 on_receive, 187 marks, 188 cycle, 189 score,
-- 190 replaces, 191 assignee, 192 team, 193 response, 194 quiet, 195 new_contact, 196 restart_flow,
-- 197 message, 198 redacted, 199 duplicate, 200 notice, 201 audience, 202 status_before,
-- 203 assignee_before, 204 team_before, 205 lane_before, 206 channel_before, 207 opened_source,
-- 208 status_since, 209 assigned_at, 210 was_assigned, 211 opened_at, 212 turn, 213 turn_since,
-- 214 waiting_since, 215 handed_over_at, 216 replies, 217 pending_micros, 218 closed_by_type,
-- 219 closed_by_id, 220 moved_from, 221 from_seq, 222 labels, 223 labels_before, 224 priority,
-- 225 priority_before, 226 subject, 227 attributes, 228 workspace, 229 conversation, 230 from_seq,
-- 231 workspace, 232 contact, 233 seq, 234 id, 235 contact_seq, 236 kind, 237 at, 238 by_type,
-- 239 by_id, 240 source, 241 channel, 242 address, 243 external_id, 244 sent_at, 245 body,
-- 246 attachments, 247 quiet, 248 message, 249 redacted, 250 duplicate, 251 merged_into,
-- 252 blocked, 253 blocked_by, 254 unmerged_from, 255 own_blocked, 256 own_blocked_by, 257 name,
-- 258 attributes
