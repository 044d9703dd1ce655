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
-- 64 closed_source, 65 category, 66 summary, 67 workspace, 68 channel, 69 value, 70 contact,
-- 71 identity, 72 workspace, 73 conversation, 74 seq, 75 id, 76 contact, 77 contact_seq, 78 kind,
-- 79 at, 80 by_type, 81 by_id, 82 source, 83 channel, 84 lane, 85 address, 86 external_id,
-- 87 sent_at, 88 body, 89 attachments, 90 category, 91 summary, 92 until_at, 93 assignee, 94 team,
-- 95 response, 96 quiet, 97 new_contact, 98 restart_flow, 99 message, 100 redacted, 101 duplicate,
-- 102 notice, 103 audience, 104 status_before, 105 assignee_before, 106 team_before,
-- 107 lane_before, 108 channel_before, 109 moved_from, 110 from_seq, 111 labels, 112 labels_before,
-- 113 priority, 114 priority_before, 115 subject, 116 attributes, 117 workspace, 118 conversation,
-- 119 seq, 120 id, 121 contact, 122 contact_seq, 123 kind, 124 at, 125 by_type, 126 by_id,
-- 127 source, 128 channel, 129 lane, 130 address, 131 external_id, 132 sent_at, 133 body,
-- 134 attachments, 135 category, 136 summary, 137 until_at, 138 assignee, 139 team, 140 response,
-- 141 quiet, 142 new_contact, 143 restart_flow, 144 message, 145 redacted, 146 duplicate,
-- 147 notice, 148 audience, 149 status_before, 150 assignee_before, 151 team_before,
-- 152 lane_before, 153 channel_before, 154 moved_from, 155 from_seq, 156 labels, 157 labels_before,
-- 158 priority, 159 priority_before, 160 subject, 161 attributes, 162 workspace, 163 contact,
-- 164 seq, 165 id, 166 contact_seq, 167 kind, 168 at, 169 by_type, 170 by_id, 171 source,
-- 172 channel, 173 address, 174 external_id, 175 sent_at, 176 body, 177 attachments, 178 quiet,
-- 179 message, 180 redacted, 181 duplicate, 182 merged_into, 183 blocked, 184 blocked_by,
-- 185 unmerged_from, 186 own_blocked, 187 own_blocked_by, 188 name, 189 attributes
