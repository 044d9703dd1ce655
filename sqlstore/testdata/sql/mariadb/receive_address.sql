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
            waiting_since, no_wait_before, responses, response_micros, pending_micros, incoming,
            outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id,
            closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 61 first_waiting_since, 62 waiting_since, 63 no_wait_before, 64 responses, 65 response_micros,
-- 66 pending_micros, 67 incoming, 68 outgoing_user, 69 outgoing_automation, 70 closed_at,
-- 71 closed_by_type, 72 closed_by_id, 73 closed_source, 74 category, 75 summary, 76 workspace,
-- 77 id, 78 status, 79 channel, 80 lane, 81 created_at, 82 assignee, 83 team, 84 priority,
-- 85 workspace, 86 list, 87 at, 88 id, 89 workspace, 90 list, 91 at, 92 id, 93 workspace,
-- 94 channel, 95 value, 96 contact, 97 identity, 98 workspace, 99 conversation, 100 seq, 101 id,
-- 102 contact, 103 contact_seq, 104 kind, 105 at, 106 by_type, 107 by_id, 108 source, 109 channel,
-- 110 lane, 111 address, 112 external_id, 113 sent_at, 114 body, 115 attachments, 116 category,
-- 117 summary, 118 until_at, 119 on_receive, 120 marks, 121 cycle, 122 score, 123 assignee,
-- 124 team, 125 response, 126 quiet, 127 new_contact, 128 restart_flow, 129 message, 130 redacted,
-- 131 duplicate, 132 notice, 133 audience, 134 status_before, 135 assignee_before, 136 team_before,
-- 137 lane_before, 138 channel_before, 139 moved_from, 140 from_seq, 141 labels, 142 labels_before,
-- 143 priority, 144 priority_before, 145 subject, 146 attributes, 147 workspace, 148 conversation,
-- 149 seq, 150 id, 151 contact, 152 contact_seq, 153 kind, 154 at, 155 by_type, 156 by_id,
-- 157 source, 158 channel, 159 lane, 160 address, 161 external_id, 162 sent_at, 163 body,
-- 164 attachments, 165 category, 166 summary, 167 until_at, 168 on_receive, 169 marks, 170 cycle,
-- 171 score, 172 assignee, 173 team, 174 response, 175 quiet, 176 new_contact, 177 restart_flow,
-- 178 message, 179 redacted, 180 duplicate, 181 notice, 182 audience, 183 status_before,
-- 184 assignee_before, 185 team_before, 186 lane_before, 187 channel_before, 188 moved_from,
-- 189 from_seq, 190 labels, 191 labels_before, 192 priority, 193 priority_before, 194 subject,
-- 195 attributes, 196 workspace, 197 contact, 198 seq, 199 id, 200 contact_seq, 201 kind, 202 at,
-- 203 by_type, 204 by_id, 205 source, 206 channel, 207 address, 208 external_id, 209 sent_at,
-- 210 body, 211 attachments, 212 quiet, 213 message, 214 redacted, 215 duplicate, 216 merged_into,
-- 217 blocked, 218 blocked_by, 219 unmerged_from, 220 own_blocked, 221 own_blocked_by, 222 name,
-- 223 attributes
