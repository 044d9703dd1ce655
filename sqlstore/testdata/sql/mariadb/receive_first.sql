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
-- 93 at, 94 id, 95 workspace, 96 conversation, 97 seq, 98 id, 99 contact, 100 contact_seq,
-- 101 kind, 102 at, 103 by_type, 104 by_id, 105 source, 106 channel, 107 lane, 108 address,
-- 109 external_id, 110 sent_at, 111 body, 112 attachments, 113 category, 114 summary, 115 until_at,
-- 116 on_receive, 117 marks, 118 cycle, 119 score, 120 assignee, 121 team, 122 response, 123 quiet,
-- 124 new_contact, 125 restart_flow, 126 message, 127 redacted, 128 duplicate, 129 notice,
-- 130 audience, 131 status_before, 132 assignee_before, 133 team_before, 134 lane_before,
-- 135 channel_before, 136 opened_source, 137 status_since, 138 assigned_at, 139 was_assigned,
-- 140 opened_at, 141 turn, 142 turn_since, 143 waiting_since, 144 handed_over_at, 145 replies,
-- 146 pending_micros, 147 closed_by_type, 148 closed_by_id, 149 moved_from, 150 from_seq,
-- 151 labels, 152 labels_before, 153 priority, 154 priority_before, 155 subject, 156 attributes,
-- 157 workspace, 158 conversation, 159 seq, 160 id, 161 contact, 162 contact_seq, 163 kind, 164 at,
-- 165 by_type, 166 by_id, 167 source, 168 channel, 169 lane, 170 address, 171 external_id,
-- 172 sent_at, 173 body, 174 attachments, 175 category, 176 summary, 177 until_at, 178 on_receive,
-- 179 marks, 180 cycle, 181 score, 182 assignee, 183 team, 184 response, 185 quiet,
-- 186 new_contact, 187 restart_flow, 188 message, 189 redacted, 190 duplicate, 191 notice,
-- 192 audience, 193 status_before, 194 assignee_before, 195 team_before, 196 lane_before,
-- 197 channel_before, 198 opened_source, 199 status_since, 200 assigned_at, 201 was_assigned,
-- 202 opened_at, 203 turn, 204 turn_since, 205 waiting_since, 206 handed_over_at, 207 replies,
-- 208 pending_micros, 209 closed_by_type, 210 closed_by_id, 211 moved_from, 212 from_seq,
-- 213 labels, 214 labels_before, 215 priority, 216 priority_before, 217 subject, 218 attributes,
-- 219 workspace, 220 conversation, 221 from_seq
