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
-- 89 workspace, 90 list, 91 at, 92 id, 93 workspace, 94 channel, 95 id, 96 address, 97 ?, 98 id,
-- 99 workspace, 100 channel, 101 id, 102 address, 103 contact, 104 hash, 105 conversation,
-- 106 first_seq, 107 last_seq, 108 workspace, 109 conversation, 110 seq, 111 id, 112 contact,
-- 113 contact_seq, 114 kind, 115 at, 116 by_type, 117 by_id, 118 source, 119 channel, 120 lane,
-- 121 address, 122 external_id, 123 sent_at, 124 body, 125 attachments, 126 category, 127 summary,
-- 128 until_at, 129 on_receive, 130 marks, 131 cycle, 132 score, 133 replaces, 134 assignee,
-- 135 team, 136 response, 137 quiet, 138 new_contact, 139 restart_flow, 140 message, 141 redacted,
-- 142 duplicate, 143 notice, 144 audience, 145 status_before, 146 assignee_before, 147 team_before,
-- 148 lane_before, 149 channel_before, 150 opened_source, 151 status_since, 152 assigned_at,
-- 153 was_assigned, 154 opened_at, 155 turn, 156 turn_since, 157 waiting_since, 158 handed_over_at,
-- 159 replies, 160 pending_micros, 161 closed_by_type, 162 closed_by_id, 163 moved_from,
-- 164 from_seq, 165 labels, 166 labels_before, 167 priority, 168 priority_before, 169 subject,
-- 170 attributes, 171 workspace, 172 conversation, 173 from_seq
