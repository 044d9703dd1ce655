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
-- 40 marks, 41 deadline_at, 42 due_at, 43 unrated, 44 rating, 45 active, 46 active_slot, 47 number,
-- 48 opened_at, 49 opened_by_type, 50 opened_by_id, 51 opened_source, 52 first_assigned_at,
-- 53 first_assignee, 54 last_assignee, 55 last_team, 56 first_response_at,
-- 57 first_response_sent_at, 58 first_responder_type, 59 first_responder_id,
-- 60 first_waiting_since, 61 waiting_since, 62 no_wait_before, 63 responses, 64 response_micros,
-- 65 pending_micros, 66 incoming, 67 outgoing_user, 68 outgoing_automation, 69 closed_at,
-- 70 closed_by_type, 71 closed_by_id, 72 closed_source, 73 category, 74 summary, 75 workspace,
-- 76 id, 77 status, 78 channel, 79 lane, 80 created_at, 81 assignee, 82 team, 83 priority,
-- 84 workspace, 85 list, 86 at, 87 id, 88 workspace, 89 list, 90 at, 91 id, 92 workspace,
-- 93 channel, 94 value, 95 contact, 96 identity, 97 workspace, 98 conversation, 99 seq, 100 id,
-- 101 contact, 102 contact_seq, 103 kind, 104 at, 105 by_type, 106 by_id, 107 source, 108 channel,
-- 109 lane, 110 address, 111 external_id, 112 sent_at, 113 body, 114 attachments, 115 category,
-- 116 summary, 117 until_at, 118 on_receive, 119 marks, 120 cycle, 121 score, 122 assignee,
-- 123 team, 124 response, 125 quiet, 126 new_contact, 127 restart_flow, 128 message, 129 redacted,
-- 130 duplicate, 131 notice, 132 audience, 133 status_before, 134 assignee_before, 135 team_before,
-- 136 lane_before, 137 channel_before, 138 moved_from, 139 from_seq, 140 labels, 141 labels_before,
-- 142 priority, 143 priority_before, 144 subject, 145 attributes, 146 workspace, 147 conversation,
-- 148 seq, 149 id, 150 contact, 151 contact_seq, 152 kind, 153 at, 154 by_type, 155 by_id,
-- 156 source, 157 channel, 158 lane, 159 address, 160 external_id, 161 sent_at, 162 body,
-- 163 attachments, 164 category, 165 summary, 166 until_at, 167 on_receive, 168 marks, 169 cycle,
-- 170 score, 171 assignee, 172 team, 173 response, 174 quiet, 175 new_contact, 176 restart_flow,
-- 177 message, 178 redacted, 179 duplicate, 180 notice, 181 audience, 182 status_before,
-- 183 assignee_before, 184 team_before, 185 lane_before, 186 channel_before, 187 moved_from,
-- 188 from_seq, 189 labels, 190 labels_before, 191 priority, 192 priority_before, 193 subject,
-- 194 attributes, 195 workspace, 196 contact, 197 seq, 198 id, 199 contact_seq, 200 kind, 201 at,
-- 202 by_type, 203 by_id, 204 source, 205 channel, 206 address, 207 external_id, 208 sent_at,
-- 209 body, 210 attachments, 211 quiet, 212 message, 213 redacted, 214 duplicate, 215 merged_into,
-- 216 blocked, 217 blocked_by, 218 unmerged_from, 219 own_blocked, 220 own_blocked_by, 221 name,
-- 222 attributes
