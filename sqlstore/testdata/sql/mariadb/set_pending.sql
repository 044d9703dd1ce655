-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
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
        UPDATE convo_active SET status = ?, channel = ?, lane = ?, assignee = ?, team = ?,
            priority = ?, due_at = ?
            WHERE workspace = ? AND id = ?;
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
-- parameters: 1 status, 2 status_since, 3 version, 4 updated_at, 5 last_activity_at,
-- 6 last_incoming_at, 7 first_closed_at, 8 assignee, 9 team, 10 assigned_at, 11 labels,
-- 12 priority, 13 subject, 14 attributes, 15 pending_until, 16 on_receive,
-- 17 awaiting_contact_since, 18 address_channel, 19 address, 20 marks, 21 deadline_at, 22 due_at,
-- 23 applied, 24 unrated, 25 active, 26 number, 27 opened_at, 28 opened_by_type, 29 opened_by_id,
-- 30 opened_source, 31 first_assigned_at, 32 first_assignee, 33 last_assignee, 34 last_team,
-- 35 first_response_at, 36 first_response_sent_at, 37 first_responder_type, 38 first_responder_id,
-- 39 first_waiting_since, 40 waiting_since, 41 turn_since, 42 handed_over_at, 43 no_wait_before,
-- 44 responses, 45 response_micros, 46 pending_micros, 47 incoming, 48 outgoing_user,
-- 49 outgoing_automation, 50 rated_at, 51 score, 52 rating_comment, 53 closed_at,
-- 54 closed_by_type, 55 closed_by_id, 56 closed_source, 57 category, 58 summary, 59 workspace,
-- 60 id, 61 version, 62 ), 63 status, 64 channel, 65 lane, 66 assignee, 67 team, 68 priority,
-- 69 due_at, 70 workspace, 71 id, 72 workspace, 73 conversation, 74 seq, 75 id, 76 contact,
-- 77 contact_seq, 78 kind, 79 at, 80 by_type, 81 by_id, 82 source, 83 channel, 84 lane, 85 address,
-- 86 external_id, 87 sent_at, 88 body, 89 attachments, 90 category, 91 summary, 92 until_at,
-- 93 on_receive, 94 marks, 95 cycle, 96 score, 97 replaces, 98 assignee, 99 team, 100 response,
-- 101 quiet, 102 new_contact, 103 restart_flow, 104 message, 105 redacted, 106 duplicate,
-- 107 notice, 108 audience, 109 status_before, 110 assignee_before, 111 team_before,
-- 112 lane_before, 113 channel_before, 114 opened_source, 115 status_since, 116 assigned_at,
-- 117 was_assigned, 118 opened_at, 119 turn, 120 turn_since, 121 waiting_since, 122 handed_over_at,
-- 123 replies, 124 pending_micros, 125 closed_by_type, 126 closed_by_id, 127 moved_from,
-- 128 from_seq, 129 labels, 130 labels_before, 131 priority, 132 priority_before, 133 subject,
-- 134 attributes, 135 workspace, 136 conversation, 137 from_seq
