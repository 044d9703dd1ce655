-- load by contact: see load.sql

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
-- 67 workspace, 68 id, 69 workspace, 70 conversation, 71 seq, 72 id, 73 contact, 74 contact_seq,
-- 75 kind, 76 at, 77 by_type, 78 by_id, 79 source, 80 channel, 81 lane, 82 address, 83 external_id,
-- 84 sent_at, 85 body, 86 attachments, 87 category, 88 summary, 89 until_at, 90 on_receive,
-- 91 marks, 92 cycle, 93 score, 94 assignee, 95 team, 96 response, 97 quiet, 98 new_contact,
-- 99 restart_flow, 100 message, 101 redacted, 102 duplicate, 103 notice, 104 audience,
-- 105 status_before, 106 assignee_before, 107 team_before, 108 lane_before, 109 channel_before,
-- 110 opened_source, 111 status_since, 112 assigned_at, 113 was_assigned, 114 opened_at, 115 turn,
-- 116 turn_since, 117 waiting_since, 118 handed_over_at, 119 replies, 120 pending_micros,
-- 121 closed_by_type, 122 closed_by_id, 123 moved_from, 124 from_seq, 125 labels,
-- 126 labels_before, 127 priority, 128 priority_before, 129 subject, 130 attributes, 131 workspace,
-- 132 conversation, 133 from_seq
