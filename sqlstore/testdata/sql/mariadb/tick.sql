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
            deadline_at = ?, due_at = ?, unrated = ?, rating = ?, active = ?, active_slot = ?,
            number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
            first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
            first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
            first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, no_wait_before = ?,
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
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 23 unrated, 24 rating, 25 active, 26 active_slot, 27 number, 28 opened_at, 29 opened_by_type,
-- 30 opened_by_id, 31 opened_source, 32 first_assigned_at, 33 first_assignee, 34 last_assignee,
-- 35 last_team, 36 first_response_at, 37 first_response_sent_at, 38 first_responder_type,
-- 39 first_responder_id, 40 first_waiting_since, 41 waiting_since, 42 no_wait_before, 43 responses,
-- 44 response_micros, 45 pending_micros, 46 incoming, 47 outgoing_user, 48 outgoing_automation,
-- 49 closed_at, 50 closed_by_type, 51 closed_by_id, 52 closed_source, 53 category, 54 summary,
-- 55 workspace, 56 id, 57 version, 58 status, 59 channel, 60 lane, 61 assignee, 62 team,
-- 63 priority, 64 workspace, 65 id, 66 workspace, 67 list, 68 at, 69 id, 70 workspace,
-- 71 conversation, 72 seq, 73 id, 74 contact, 75 contact_seq, 76 kind, 77 at, 78 by_type, 79 by_id,
-- 80 source, 81 channel, 82 lane, 83 address, 84 external_id, 85 sent_at, 86 body, 87 attachments,
-- 88 category, 89 summary, 90 until_at, 91 on_receive, 92 marks, 93 cycle, 94 score, 95 assignee,
-- 96 team, 97 response, 98 quiet, 99 new_contact, 100 restart_flow, 101 message, 102 redacted,
-- 103 duplicate, 104 notice, 105 audience, 106 status_before, 107 assignee_before, 108 team_before,
-- 109 lane_before, 110 channel_before, 111 moved_from, 112 from_seq, 113 labels, 114 labels_before,
-- 115 priority, 116 priority_before, 117 subject, 118 attributes
