-- load by address: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, parent, blocked_by, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 parent, 9 blocked_by, 10 name, 11 attributes, 12 workspace, 13 id, 14 origin, 15 channel,
-- 16 lane, 17 created_at, 18 contact, 19 new_contact, 20 status, 21 version, 22 updated_at,
-- 23 last_activity_at, 24 first_closed_at, 25 assignee, 26 team, 27 labels, 28 priority,
-- 29 subject, 30 attributes, 31 pending_since, 32 pending_until, 33 awaiting_contact_since,
-- 34 address_channel, 35 address, 36 due_at, 37 active, 38 active_slot, 39 number, 40 opened_at,
-- 41 opened_by_type, 42 opened_by_id, 43 opened_source, 44 first_assigned_at, 45 first_assignee,
-- 46 last_assignee, 47 last_team, 48 first_response_at, 49 first_response_sent_at,
-- 50 first_responder_type, 51 first_responder_id, 52 first_waiting_since, 53 waiting_since,
-- 54 no_wait_before, 55 responses, 56 response_micros, 57 pending_micros, 58 incoming,
-- 59 outgoing_user, 60 outgoing_automation, 61 closed_at, 62 closed_by_type, 63 closed_by_id,
-- 64 closed_source, 65 category, 66 summary, 67 workspace, 68 id, 69 status, 70 channel, 71 lane,
-- 72 created_at, 73 assignee, 74 team, 75 priority, 76 workspace, 77 list, 78 at, 79 id,
-- 80 workspace, 81 list, 82 at, 83 id, 84 workspace, 85 channel, 86 value, 87 contact, 88 identity,
-- 89 workspace, 90 conversation, 91 seq, 92 id, 93 contact, 94 contact_seq, 95 kind, 96 at,
-- 97 by_type, 98 by_id, 99 source, 100 channel, 101 lane, 102 address, 103 external_id,
-- 104 sent_at, 105 body, 106 attachments, 107 category, 108 summary, 109 until_at, 110 assignee,
-- 111 team, 112 response, 113 quiet, 114 new_contact, 115 restart_flow, 116 message, 117 redacted,
-- 118 duplicate, 119 notice, 120 audience, 121 status_before, 122 assignee_before, 123 team_before,
-- 124 lane_before, 125 channel_before, 126 moved_from, 127 from_seq, 128 labels, 129 labels_before,
-- 130 priority, 131 priority_before, 132 subject, 133 attributes, 134 workspace, 135 conversation,
-- 136 seq, 137 id, 138 contact, 139 contact_seq, 140 kind, 141 at, 142 by_type, 143 by_id,
-- 144 source, 145 channel, 146 lane, 147 address, 148 external_id, 149 sent_at, 150 body,
-- 151 attachments, 152 category, 153 summary, 154 until_at, 155 assignee, 156 team, 157 response,
-- 158 quiet, 159 new_contact, 160 restart_flow, 161 message, 162 redacted, 163 duplicate,
-- 164 notice, 165 audience, 166 status_before, 167 assignee_before, 168 team_before,
-- 169 lane_before, 170 channel_before, 171 moved_from, 172 from_seq, 173 labels, 174 labels_before,
-- 175 priority, 176 priority_before, 177 subject, 178 attributes, 179 workspace, 180 contact,
-- 181 seq, 182 id, 183 contact_seq, 184 kind, 185 at, 186 by_type, 187 by_id, 188 source,
-- 189 channel, 190 address, 191 external_id, 192 sent_at, 193 body, 194 attachments, 195 quiet,
-- 196 message, 197 redacted, 198 duplicate, 199 merged_into, 200 blocked, 201 blocked_by,
-- 202 unmerged_from, 203 own_blocked, 204 own_blocked_by, 205 name, 206 attributes
