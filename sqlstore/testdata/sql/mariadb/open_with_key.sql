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
        SET step = 3;
        IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
                AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                        WHERE asked.workspace = ky.workspace AND asked.id = ?)
                    IN (COALESCE(kc.merged_into, kc.id), (
                        SELECT holds.contact FROM convo_conversations holds
                        WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)))
                            LIMIT 1) THEN LEAVE work; END IF;
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 84 assignee, 85 team, 86 priority, 87 workspace, 88 list, 89 at, 90 id, 91 workspace, 92 channel,
-- 93 id, 94 address, 95 ?, 96 id, 97 workspace, 98 channel, 99 id, 100 address, 101 contact,
-- 102 hash, 103 conversation, 104 first_seq, 105 last_seq, 106 workspace, 107 conversation,
-- 108 seq, 109 id, 110 contact, 111 contact_seq, 112 kind, 113 at, 114 by_type, 115 by_id,
-- 116 source, 117 channel, 118 lane, 119 address, 120 external_id, 121 sent_at, 122 body,
-- 123 attachments, 124 category, 125 summary, 126 until_at, 127 on_receive, 128 marks, 129 cycle,
-- 130 score, 131 assignee, 132 team, 133 response, 134 quiet, 135 new_contact, 136 restart_flow,
-- 137 message, 138 redacted, 139 duplicate, 140 notice, 141 audience, 142 status_before,
-- 143 assignee_before, 144 team_before, 145 lane_before, 146 channel_before, 147 opened_source,
-- 148 status_since, 149 assigned_at, 150 was_assigned, 151 opened_at, 152 turn, 153 turn_since,
-- 154 waiting_since, 155 handed_over_at, 156 replies, 157 pending_micros, 158 closed_by_type,
-- 159 closed_by_id, 160 moved_from, 161 from_seq, 162 labels, 163 labels_before, 164 priority,
-- 165 priority_before, 166 subject, 167 attributes, 168 workspace, 169 conversation, 170 from_seq
