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
            address_channel, address, marks, deadline_at, due_at, applied, unrated, rating, active,
            active_slot, number, opened_at, opened_by_type, opened_by_id, opened_source,
            first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
            first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
            waiting_since, turn_since, handed_over_at, no_wait_before, responses, response_micros,
            pending_micros, incoming, outgoing_user, outgoing_automation, closed_at,
            closed_by_type, closed_by_id, closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
            attachments, category, summary, until_at, on_receive, marks, cycle, score, assignee,
            team, response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice,
            audience, status_before, assignee_before, team_before, lane_before, channel_before,
            opened_source, status_since, assigned_at, was_assigned, opened_at, turn, turn_since,
            waiting_since, handed_over_at, replies, pending_micros, closed_by_type, closed_by_id,
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, on_receive, marks, cycle, score, assignee,
            team, response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice,
            audience, status_before, assignee_before, team_before, lane_before, channel_before,
            opened_source, status_since, assigned_at, was_assigned, opened_at, turn, turn_since,
            waiting_since, handed_over_at, replies, pending_micros, closed_by_type, closed_by_id,
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 40 marks, 41 deadline_at, 42 due_at, 43 applied, 44 unrated, 45 rating, 46 active,
-- 47 active_slot, 48 number, 49 opened_at, 50 opened_by_type, 51 opened_by_id, 52 opened_source,
-- 53 first_assigned_at, 54 first_assignee, 55 last_assignee, 56 last_team, 57 first_response_at,
-- 58 first_response_sent_at, 59 first_responder_type, 60 first_responder_id,
-- 61 first_waiting_since, 62 waiting_since, 63 turn_since, 64 handed_over_at, 65 no_wait_before,
-- 66 responses, 67 response_micros, 68 pending_micros, 69 incoming, 70 outgoing_user,
-- 71 outgoing_automation, 72 closed_at, 73 closed_by_type, 74 closed_by_id, 75 closed_source,
-- 76 category, 77 summary, 78 workspace, 79 id, 80 status, 81 channel, 82 lane, 83 created_at,
-- 84 assignee, 85 team, 86 priority, 87 workspace, 88 list, 89 at, 90 id, 91 workspace, 92 list,
-- 93 at, 94 id, 95 workspace, 96 channel, 97 value, 98 contact, 99 identity, 100 workspace,
-- 101 conversation, 102 seq, 103 id, 104 contact, 105 contact_seq, 106 kind, 107 at, 108 by_type,
-- 109 by_id, 110 source, 111 channel, 112 lane, 113 address, 114 external_id, 115 sent_at,
-- 116 body, 117 attachments, 118 category, 119 summary, 120 until_at, 121 on_receive, 122 marks,
-- 123 cycle, 124 score, 125 assignee, 126 team, 127 response, 128 quiet, 129 new_contact,
-- 130 restart_flow, 131 message, 132 redacted, 133 duplicate, 134 notice, 135 audience,
-- 136 status_before, 137 assignee_before, 138 team_before, 139 lane_before, 140 channel_before,
-- 141 opened_source, 142 status_since, 143 assigned_at, 144 was_assigned, 145 opened_at, 146 turn,
-- 147 turn_since, 148 waiting_since, 149 handed_over_at, 150 replies, 151 pending_micros,
-- 152 closed_by_type, 153 closed_by_id, 154 moved_from, 155 from_seq, 156 labels,
-- 157 labels_before, 158 priority, 159 priority_before, 160 subject, 161 attributes, 162 workspace,
-- 163 conversation, 164 seq, 165 id, 166 contact, 167 contact_seq, 168 kind, 169 at, 170 by_type,
-- 171 by_id, 172 source, 173 channel, 174 lane, 175 address, 176 external_id, 177 sent_at,
-- 178 body, 179 attachments, 180 category, 181 summary, 182 until_at, 183 on_receive, 184 marks,
-- 185 cycle, 186 score, 187 assignee, 188 team, 189 response, 190 quiet, 191 new_contact,
-- 192 restart_flow, 193 message, 194 redacted, 195 duplicate, 196 notice, 197 audience,
-- 198 status_before, 199 assignee_before, 200 team_before, 201 lane_before, 202 channel_before,
-- 203 opened_source, 204 status_since, 205 assigned_at, 206 was_assigned, 207 opened_at, 208 turn,
-- 209 turn_since, 210 waiting_since, 211 handed_over_at, 212 replies, 213 pending_micros,
-- 214 closed_by_type, 215 closed_by_id, 216 moved_from, 217 from_seq, 218 labels,
-- 219 labels_before, 220 priority, 221 priority_before, 222 subject, 223 attributes, 224 workspace,
-- 225 conversation, 226 from_seq, 227 workspace, 228 contact, 229 seq, 230 id, 231 contact_seq,
-- 232 kind, 233 at, 234 by_type, 235 by_id, 236 source, 237 channel, 238 address, 239 external_id,
-- 240 sent_at, 241 body, 242 attachments, 243 quiet, 244 message, 245 redacted, 246 duplicate,
-- 247 merged_into, 248 blocked, 249 blocked_by, 250 unmerged_from, 251 own_blocked,
-- 252 own_blocked_by, 253 name, 254 attributes
