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
-- 98 conversation, 99 seq, 100 id, 101 contact, 102 contact_seq, 103 kind, 104 at, 105 by_type,
-- 106 by_id, 107 source, 108 channel, 109 lane, 110 address, 111 external_id, 112 sent_at,
-- 113 body, 114 attachments, 115 category, 116 summary, 117 until_at, 118 on_receive, 119 marks,
-- 120 cycle, 121 score, 122 replaces, 123 assignee, 124 team, 125 response, 126 quiet,
-- 127 new_contact, 128 restart_flow, 129 message, 130 redacted, 131 duplicate, 132 notice,
-- 133 audience, 134 status_before, 135 assignee_before, 136 team_before, 137 lane_before,
-- 138 channel_before, 139 opened_source, 140 status_since, 141 assigned_at, 142 was_assigned,
-- 143 opened_at, 144 turn, 145 turn_since, 146 waiting_since, 147 handed_over_at, 148 replies,
-- 149 pending_micros, 150 closed_by_type, 151 closed_by_id, 152 moved_from, 153 from_seq,
-- 154 labels, 155 labels_before, 156 priority, 157 priority_before, 158 subject, 159 attributes,
-- 160 workspace, 161 conversation, 162 seq, 163 id, 164 contact, 165 contact_seq, 166 kind, 167 at,
-- 168 by_type, 169 by_id, 170 source, 171 channel, 172 lane, 173 address, 174 external_id,
-- 175 sent_at, 176 body, 177 attachments, 178 category, 179 summary, 180 until_at, 181 on_receive,
-- 182 marks, 183 cycle, 184 score, 185 replaces, 186 assignee, 187 team, 188 response, 189 quiet,
-- 190 new_contact, 191 restart_flow, 192 message, 193 redacted, 194 duplicate, 195 notice,
-- 196 audience, 197 status_before, 198 assignee_before, 199 team_before, 200 lane_before,
-- 201 channel_before, 202 opened_source, 203 status_since, 204 assigned_at, 205 was_assigned,
-- 206 opened_at, 207 turn, 208 turn_since, 209 waiting_since, 210 handed_over_at, 211 replies,
-- 212 pending_micros, 213 closed_by_type, 214 closed_by_id, 215 moved_from, 216 from_seq,
-- 217 labels, 218 labels_before, 219 priority, 220 priority_before, 221 subject, 222 attributes,
-- 223 workspace, 224 conversation, 225 from_seq
