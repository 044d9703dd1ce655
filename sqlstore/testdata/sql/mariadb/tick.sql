-- deliveries that are forgotten
SELECT workspace, channel, id, address
    FROM convo_deliveries
    WHERE unknown_since IS NOT NULL AND unknown_since < ? ORDER BY unknown_since LIMIT ?;
-- parameters: 1 unknown_since, 2 limit

-- due
SELECT workspace, id, due_at, lane, channel FROM convo_conversations FORCE INDEX
    (convo_conversations_due)
    WHERE due_at IS NOT NULL AND due_at <= ? AND (due_at > ? OR due_at = ? AND (workspace > ? OR
        workspace = ? AND id > ?))
    ORDER BY due_at, workspace, id LIMIT ?;
-- parameters: 1 due_at, 2 due_at, 3 due_at, 4 workspace, 5 workspace, 6 id, 7 limit

-- load by conversation: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        SET step = 2;
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET status = ?, status_since = ?,
            version = ?, updated_at = ?, last_activity_at = ?, last_incoming_at = ?,
            first_closed_at = ?, assignee = ?, team = ?, assigned_at = ?, labels = ?, priority = ?,
            subject = ?, attributes = ?, pending_until = ?, on_receive = ?,
            awaiting_contact_since = ?, address_channel = ?, address = ?, marks = ?,
            deadline_at = ?, due_at = ?, applied = ?, unrated = ?, rating = ?, active = ?,
            active_slot = ?, number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?,
            opened_source = ?, first_assigned_at = ?, first_assignee = ?, last_assignee = ?,
            last_team = ?, first_response_at = ?, first_response_sent_at = ?,
            first_responder_type = ?, first_responder_id = ?, first_waiting_since = ?,
            waiting_since = ?, turn_since = ?, handed_over_at = ?, no_wait_before = ?,
            responses = ?, response_micros = ?, pending_micros = ?, incoming = ?,
            outgoing_user = ?, outgoing_automation = ?, closed_at = ?, closed_by_type = ?,
            closed_by_id = ?, closed_source = ?, category = ?, summary = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN SET step = 1; LEAVE work; END IF;
        SET step = 1;
        UPDATE convo_active SET status = ?, channel = ?, lane = ?, assignee = ?, team = ?,
            priority = ?
            WHERE workspace = ? AND id = ?;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
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
-- parameters: 1 status, 2 status_since, 3 version, 4 updated_at, 5 last_activity_at,
-- 6 last_incoming_at, 7 first_closed_at, 8 assignee, 9 team, 10 assigned_at, 11 labels,
-- 12 priority, 13 subject, 14 attributes, 15 pending_until, 16 on_receive,
-- 17 awaiting_contact_since, 18 address_channel, 19 address, 20 marks, 21 deadline_at, 22 due_at,
-- 23 applied, 24 unrated, 25 rating, 26 active, 27 active_slot, 28 number, 29 opened_at,
-- 30 opened_by_type, 31 opened_by_id, 32 opened_source, 33 first_assigned_at, 34 first_assignee,
-- 35 last_assignee, 36 last_team, 37 first_response_at, 38 first_response_sent_at,
-- 39 first_responder_type, 40 first_responder_id, 41 first_waiting_since, 42 waiting_since,
-- 43 turn_since, 44 handed_over_at, 45 no_wait_before, 46 responses, 47 response_micros,
-- 48 pending_micros, 49 incoming, 50 outgoing_user, 51 outgoing_automation, 52 closed_at,
-- 53 closed_by_type, 54 closed_by_id, 55 closed_source, 56 category, 57 summary, 58 workspace,
-- 59 id, 60 version, 61 status, 62 channel, 63 lane, 64 assignee, 65 team, 66 priority,
-- 67 workspace, 68 id, 69 workspace, 70 list, 71 at, 72 id, 73 workspace, 74 conversation, 75 seq,
-- 76 id, 77 contact, 78 contact_seq, 79 kind, 80 at, 81 by_type, 82 by_id, 83 source, 84 channel,
-- 85 lane, 86 address, 87 external_id, 88 sent_at, 89 body, 90 attachments, 91 category,
-- 92 summary, 93 until_at, 94 on_receive, 95 marks, 96 cycle, 97 score, 98 assignee, 99 team,
-- 100 response, 101 quiet, 102 new_contact, 103 restart_flow, 104 message, 105 redacted,
-- 106 duplicate, 107 notice, 108 audience, 109 status_before, 110 assignee_before, 111 team_before,
-- 112 lane_before, 113 channel_before, 114 opened_source, 115 status_since, 116 assigned_at,
-- 117 was_assigned, 118 opened_at, 119 turn, 120 turn_since, 121 waiting_since, 122 handed_over_at,
-- 123 replies, 124 pending_micros, 125 closed_by_type, 126 closed_by_id, 127 moved_from,
-- 128 from_seq, 129 labels, 130 labels_before, 131 priority, 132 priority_before, 133 subject,
-- 134 attributes, 135 workspace, 136 conversation, 137 from_seq
