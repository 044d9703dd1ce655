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
            WHERE workspace = ? AND id = ? AND version = ? AND COALESCE(deadline_at,
                -62135596800000000) = ?;
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
-- 74 id, 75 version, 76 ), 77 workspace, 78 id, 79 status, 80 channel, 81 lane, 82 created_at,
-- 83 assignee, 84 team, 85 priority, 86 contact, 87 due_at, 88 workspace, 89 list, 90 at, 91 id,
-- 92 workspace, 93 conversation, 94 seq, 95 id, 96 contact, 97 contact_seq, 98 kind, 99 at,
-- 100 by_type, 101 by_id, 102 source, 103 channel, 104 lane, 105 address, 106 external_id,
-- 107 sent_at, 108 body, 109 attachments, 110 category, 111 summary, 112 until_at, 113 on_receive,
-- 114 marks, 115 cycle, 116 score, 117 replaces, 118 assignee, 119 team, 120 response, 121 quiet,
-- 122 new_contact, 123 restart_flow, 124 message, 125 redacted, 126 duplicate, 127 notice,
-- 128 audience, 129 status_before, 130 assignee_before, 131 team_before, 132 lane_before,
-- 133 channel_before, 134 opened_source, 135 status_since, 136 assigned_at, 137 was_assigned,
-- 138 opened_at, 139 turn, 140 turn_since, 141 waiting_since, 142 handed_over_at, 143 replies,
-- 144 pending_micros, 145 closed_by_type, 146 closed_by_id, 147 moved_from, 148 from_seq,
-- 149 labels, 150 labels_before, 151 priority, 152 priority_before, 153 subject, 154 attributes,
-- 155 workspace, 156 conversation, 157 from_seq
