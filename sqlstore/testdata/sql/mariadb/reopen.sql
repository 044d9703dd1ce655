-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, seen_at = ?,
            blocked = ?, merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?
            WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET status = ?, status_since = ?,
            version = ?, updated_at = ?, last_activity_at = ?, last_incoming_at = ?,
            first_closed_at = ?, assignee = ?, team = ?, assigned_at = ?, labels = ?, priority = ?,
            subject = ?, attributes = ?, pending_until = ?, on_receive = ?,
            awaiting_contact_since = ?, address_channel = ?, address = ?, marks = ?,
            deadline_at = ?, due_at = ?, applied = ?, unrated = ?, active = ?, number = ?,
            opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
            first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
            first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
            first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, turn_since = ?,
            handed_over_at = ?, no_wait_before = ?, responses = ?, response_micros = ?,
            pending_micros = ?, incoming = ?, outgoing_user = ?, outgoing_automation = ?,
            rated_at = ?, score = ?, rating_comment = ?, closed_at = ?, closed_by_type = ?,
            closed_by_id = ?, closed_source = ?, category = ?, summary = ?
            WHERE workspace = ? AND id = ? AND version = ?
                AND COALESCE(deadline_at, -62135596800000000) = ?
                AND COALESCE(due_at, -62135596800000000) = ?
                AND COALESCE(applied, '') = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        SET step = 2;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority, contact, due_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
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
        INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
            VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 workspace, 12 id, 13 version, 14 seen_at, 15 status,
-- 16 status_since, 17 version, 18 updated_at, 19 last_activity_at, 20 last_incoming_at,
-- 21 first_closed_at, 22 assignee, 23 team, 24 assigned_at, 25 labels, 26 priority, 27 subject,
-- 28 attributes, 29 pending_until, 30 on_receive, 31 awaiting_contact_since, 32 address_channel,
-- 33 address, 34 marks, 35 deadline_at, 36 due_at, 37 applied, 38 unrated, 39 active, 40 number,
-- 41 opened_at, 42 opened_by_type, 43 opened_by_id, 44 opened_source, 45 first_assigned_at,
-- 46 first_assignee, 47 last_assignee, 48 last_team, 49 first_response_at,
-- 50 first_response_sent_at, 51 first_responder_type, 52 first_responder_id,
-- 53 first_waiting_since, 54 waiting_since, 55 turn_since, 56 handed_over_at, 57 no_wait_before,
-- 58 responses, 59 response_micros, 60 pending_micros, 61 incoming, 62 outgoing_user,
-- 63 outgoing_automation, 64 rated_at, 65 score, 66 rating_comment, 67 closed_at,
-- 68 closed_by_type, 69 closed_by_id, 70 closed_source, 71 category, 72 summary, 73 workspace,
-- 74 id, 75 version, 76 ), 77 ), 78 ), 79 workspace, 80 id, 81 status, 82 channel, 83 lane,
-- 84 created_at, 85 assignee, 86 team, 87 priority, 88 contact, 89 due_at, 90 workspace, 91 list,
-- 92 at, 93 id, 94 workspace, 95 conversation, 96 seq, 97 id, 98 contact, 99 contact_seq, 100 kind,
-- 101 at, 102 by_type, 103 by_id, 104 source, 105 channel, 106 lane, 107 address, 108 external_id,
-- 109 sent_at, 110 body, 111 attachments, 112 category, 113 summary, 114 until_at, 115 on_receive,
-- 116 marks, 117 cycle, 118 score, 119 replaces, 120 assignee, 121 team, 122 response, 123 quiet,
-- 124 new_contact, 125 restart_flow, 126 message, 127 redacted, 128 duplicate, 129 notice,
-- 130 audience, 131 status_before, 132 assignee_before, 133 team_before, 134 lane_before,
-- 135 channel_before, 136 opened_source, 137 status_since, 138 assigned_at, 139 was_assigned,
-- 140 opened_at, 141 turn, 142 turn_since, 143 waiting_since, 144 handed_over_at, 145 replies,
-- 146 pending_micros, 147 closed_by_type, 148 closed_by_id, 149 moved_from, 150 from_seq,
-- 151 labels, 152 labels_before, 153 priority, 154 priority_before, 155 subject, 156 attributes,
-- 157 workspace, 158 conversation, 159 from_seq
