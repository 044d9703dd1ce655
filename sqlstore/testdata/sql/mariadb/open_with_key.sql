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
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, status_since, version, updated_at, last_activity_at,
            last_incoming_at, first_closed_at, assignee, team, assigned_at, labels, priority,
            subject, attributes, pending_until, on_receive, awaiting_contact_since,
            address_channel, address, marks, deadline_at, due_at, applied, unrated, active, number,
            opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
            first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            turn_since, handed_over_at, no_wait_before, responses, response_micros, pending_micros,
            incoming, outgoing_user, outgoing_automation, rated_at, score, rating_comment,
            closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority, contact, due_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
        SET step = 3;
        IF EXISTS (
            SELECT 1 FROM convo_keys FORCE INDEX (PRIMARY) WHERE workspace = ? AND channel = ? AND
                id = ?
        ) THEN
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
        END IF;
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
-- 40 marks, 41 deadline_at, 42 due_at, 43 applied, 44 unrated, 45 active, 46 number, 47 opened_at,
-- 48 opened_by_type, 49 opened_by_id, 50 opened_source, 51 first_assigned_at, 52 first_assignee,
-- 53 last_assignee, 54 last_team, 55 first_response_at, 56 first_response_sent_at,
-- 57 first_responder_type, 58 first_responder_id, 59 first_waiting_since, 60 waiting_since,
-- 61 turn_since, 62 handed_over_at, 63 no_wait_before, 64 responses, 65 response_micros,
-- 66 pending_micros, 67 incoming, 68 outgoing_user, 69 outgoing_automation, 70 rated_at, 71 score,
-- 72 rating_comment, 73 closed_at, 74 closed_by_type, 75 closed_by_id, 76 closed_source,
-- 77 category, 78 summary, 79 workspace, 80 id, 81 status, 82 channel, 83 lane, 84 created_at,
-- 85 assignee, 86 team, 87 priority, 88 contact, 89 due_at, 90 workspace, 91 list, 92 at, 93 id,
-- 94 workspace, 95 channel, 96 id, 97 workspace, 98 channel, 99 id, 100 address, 101 ?, 102 id,
-- 103 workspace, 104 channel, 105 id, 106 address, 107 contact, 108 hash, 109 conversation,
-- 110 first_seq, 111 last_seq, 112 workspace, 113 conversation, 114 seq, 115 id, 116 contact,
-- 117 contact_seq, 118 kind, 119 at, 120 by_type, 121 by_id, 122 source, 123 channel, 124 lane,
-- 125 address, 126 external_id, 127 sent_at, 128 body, 129 attachments, 130 category, 131 summary,
-- 132 until_at, 133 on_receive, 134 marks, 135 cycle, 136 score, 137 replaces, 138 assignee,
-- 139 team, 140 response, 141 quiet, 142 new_contact, 143 restart_flow, 144 message, 145 redacted,
-- 146 duplicate, 147 notice, 148 audience, 149 status_before, 150 assignee_before, 151 team_before,
-- 152 lane_before, 153 channel_before, 154 opened_source, 155 status_since, 156 assigned_at,
-- 157 was_assigned, 158 opened_at, 159 turn, 160 turn_since, 161 waiting_since, 162 handed_over_at,
-- 163 replies, 164 pending_micros, 165 closed_by_type, 166 closed_by_id, 167 moved_from,
-- 168 from_seq, 169 labels, 170 labels_before, 171 priority, 172 priority_before, 173 subject,
-- 174 attributes, 175 workspace, 176 conversation, 177 from_seq
