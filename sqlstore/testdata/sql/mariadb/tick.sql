-- deliveries that are forgotten
SELECT workspace, channel, id, address
    FROM convo_deliveries
    WHERE unknown_since IS NOT NULL AND unknown_since < ? ORDER BY unknown_since LIMIT ?;
-- parameters: 1 unknown_since, 2 limit

-- due
SELECT workspace, id, due_at FROM convo_conversations
    WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, workspace, id LIMIT ?;
-- parameters: 1 due_at, 2 limit

-- load by conversation: see load.sql

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
        UPDATE convo_places SET list = ?, at = ?
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
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
-- 57 workspace, 58 id, 59 list, 60 at, 61 workspace, 62 list, 63 at, 64 id, 65 workspace, 66 list,
-- 67 at, 68 id, 69 workspace, 70 conversation, 71 seq, 72 id, 73 contact, 74 contact_seq, 75 kind,
-- 76 at, 77 by_type, 78 by_id, 79 source, 80 channel, 81 lane, 82 address, 83 external_id,
-- 84 sent_at, 85 body, 86 attachments, 87 category, 88 summary, 89 until_at, 90 assignee, 91 team,
-- 92 response, 93 quiet, 94 new_contact, 95 restart_flow, 96 message, 97 redacted, 98 duplicate,
-- 99 notice, 100 audience, 101 status_before, 102 assignee_before, 103 team_before,
-- 104 lane_before, 105 channel_before, 106 moved_from, 107 from_seq, 108 labels, 109 labels_before,
-- 110 priority, 111 priority_before, 112 subject, 113 attributes

-- load by conversation: see load.sql
