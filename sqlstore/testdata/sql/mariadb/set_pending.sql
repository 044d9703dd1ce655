-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        SET step = 2;
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET status = ?, version = ?,
            updated_at = ?, last_activity_at = ?, first_closed_at = ?, assignee = ?, team = ?,
            labels = ?, priority = ?, subject = ?, attributes = ?, pending_since = ?,
            pending_until = ?, awaiting_contact_since = ?, address_channel = ?, address = ?,
            due_at = ?, active = ?, active_slot = ?, number = ?, opened_at = ?, opened_by_type = ?,
            opened_by_id = ?, opened_source = ?, first_assigned_at = ?, first_assignee = ?,
            last_assignee = ?, last_team = ?, first_response_at = ?, first_response_sent_at = ?,
            first_responder_type = ?, first_responder_id = ?, first_waiting_since = ?,
            waiting_since = ?, no_wait_before = ?, responses = ?, response_micros = ?,
            pending_micros = ?, incoming = ?, outgoing_user = ?, outgoing_automation = ?,
            closed_at = ?, closed_by_type = ?, closed_by_id = ?, closed_source = ?, category = ?,
            summary = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN SET step = 1; LEAVE work; END IF;
        SET step = 1;
        UPDATE convo_active SET status = ?, channel = ?, lane = ?, assignee = ?, team = ?,
            priority = ?
            WHERE workspace = ? AND id = ?;
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, moved_from, from_seq,
            labels, labels_before, priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 status, 2 version, 3 updated_at, 4 last_activity_at, 5 first_closed_at, 6 assignee,
-- 7 team, 8 labels, 9 priority, 10 subject, 11 attributes, 12 pending_since, 13 pending_until,
-- 14 awaiting_contact_since, 15 address_channel, 16 address, 17 due_at, 18 active, 19 active_slot,
-- 20 number, 21 opened_at, 22 opened_by_type, 23 opened_by_id, 24 opened_source,
-- 25 first_assigned_at, 26 first_assignee, 27 last_assignee, 28 last_team, 29 first_response_at,
-- 30 first_response_sent_at, 31 first_responder_type, 32 first_responder_id,
-- 33 first_waiting_since, 34 waiting_since, 35 no_wait_before, 36 responses, 37 response_micros,
-- 38 pending_micros, 39 incoming, 40 outgoing_user, 41 outgoing_automation, 42 closed_at,
-- 43 closed_by_type, 44 closed_by_id, 45 closed_source, 46 category, 47 summary, 48 workspace,
-- 49 id, 50 version, 51 status, 52 channel, 53 lane, 54 assignee, 55 team, 56 priority,
-- 57 workspace, 58 id, 59 workspace, 60 conversation, 61 seq, 62 id, 63 contact, 64 contact_seq,
-- 65 kind, 66 at, 67 by_type, 68 by_id, 69 source, 70 channel, 71 lane, 72 address, 73 external_id,
-- 74 sent_at, 75 body, 76 attachments, 77 category, 78 summary, 79 until_at, 80 assignee, 81 team,
-- 82 response, 83 quiet, 84 new_contact, 85 restart_flow, 86 message, 87 redacted, 88 duplicate,
-- 89 notice, 90 audience, 91 status_before, 92 assignee_before, 93 team_before, 94 lane_before,
-- 95 channel_before, 96 moved_from, 97 from_seq, 98 labels, 99 labels_before, 100 priority,
-- 101 priority_before, 102 subject, 103 attributes
