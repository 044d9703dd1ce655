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
            new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee,
            team, labels, priority, subject, attributes, pending_since, pending_until,
            awaiting_contact_since, address_channel, address, due_at, active, active_slot, number,
            opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
            first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
            outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
            summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?);
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
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, moved_from, from_seq,
            labels, labels_before, priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, moved_from, from_seq,
            labels, labels_before, priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 16 channel, 17 lane, 18 created_at, 19 contact, 20 new_contact, 21 status, 22 version,
-- 23 updated_at, 24 last_activity_at, 25 first_closed_at, 26 assignee, 27 team, 28 labels,
-- 29 priority, 30 subject, 31 attributes, 32 pending_since, 33 pending_until,
-- 34 awaiting_contact_since, 35 address_channel, 36 address, 37 due_at, 38 active, 39 active_slot,
-- 40 number, 41 opened_at, 42 opened_by_type, 43 opened_by_id, 44 opened_source,
-- 45 first_assigned_at, 46 first_assignee, 47 last_assignee, 48 last_team, 49 first_response_at,
-- 50 first_response_sent_at, 51 first_responder_type, 52 first_responder_id,
-- 53 first_waiting_since, 54 waiting_since, 55 no_wait_before, 56 responses, 57 response_micros,
-- 58 pending_micros, 59 incoming, 60 outgoing_user, 61 outgoing_automation, 62 closed_at,
-- 63 closed_by_type, 64 closed_by_id, 65 closed_source, 66 category, 67 summary, 68 workspace,
-- 69 id, 70 status, 71 channel, 72 lane, 73 created_at, 74 assignee, 75 team, 76 priority,
-- 77 workspace, 78 list, 79 at, 80 id, 81 workspace, 82 list, 83 at, 84 id, 85 workspace,
-- 86 channel, 87 value, 88 contact, 89 identity, 90 workspace, 91 conversation, 92 seq, 93 id,
-- 94 contact, 95 contact_seq, 96 kind, 97 at, 98 by_type, 99 by_id, 100 source, 101 channel,
-- 102 lane, 103 address, 104 external_id, 105 sent_at, 106 body, 107 attachments, 108 category,
-- 109 summary, 110 until_at, 111 assignee, 112 team, 113 response, 114 quiet, 115 new_contact,
-- 116 restart_flow, 117 message, 118 redacted, 119 duplicate, 120 notice, 121 audience,
-- 122 status_before, 123 assignee_before, 124 team_before, 125 lane_before, 126 channel_before,
-- 127 moved_from, 128 from_seq, 129 labels, 130 labels_before, 131 priority, 132 priority_before,
-- 133 subject, 134 attributes, 135 workspace, 136 conversation, 137 seq, 138 id, 139 contact,
-- 140 contact_seq, 141 kind, 142 at, 143 by_type, 144 by_id, 145 source, 146 channel, 147 lane,
-- 148 address, 149 external_id, 150 sent_at, 151 body, 152 attachments, 153 category, 154 summary,
-- 155 until_at, 156 assignee, 157 team, 158 response, 159 quiet, 160 new_contact, 161 restart_flow,
-- 162 message, 163 redacted, 164 duplicate, 165 notice, 166 audience, 167 status_before,
-- 168 assignee_before, 169 team_before, 170 lane_before, 171 channel_before, 172 moved_from,
-- 173 from_seq, 174 labels, 175 labels_before, 176 priority, 177 priority_before, 178 subject,
-- 179 attributes, 180 workspace, 181 contact, 182 seq, 183 id, 184 contact_seq, 185 kind, 186 at,
-- 187 by_type, 188 by_id, 189 source, 190 channel, 191 address, 192 external_id, 193 sent_at,
-- 194 body, 195 attachments, 196 quiet, 197 message, 198 redacted, 199 duplicate, 200 merged_into,
-- 201 blocked, 202 blocked_by, 203 unmerged_from, 204 own_blocked, 205 own_blocked_by, 206 name,
-- 207 attributes
