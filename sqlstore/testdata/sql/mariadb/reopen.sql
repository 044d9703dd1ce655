-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, blocked = ?,
            merged_into = ?, name = ?, attributes = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
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
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, labels, labels_before,
            priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 blocked, 5 merged_into, 6 name,
-- 7 attributes, 8 workspace, 9 id, 10 version, 11 status, 12 version, 13 updated_at,
-- 14 last_activity_at, 15 first_closed_at, 16 assignee, 17 team, 18 labels, 19 priority,
-- 20 subject, 21 attributes, 22 pending_since, 23 pending_until, 24 awaiting_contact_since,
-- 25 address_channel, 26 address, 27 due_at, 28 active, 29 active_slot, 30 number, 31 opened_at,
-- 32 opened_by_type, 33 opened_by_id, 34 opened_source, 35 first_assigned_at, 36 first_assignee,
-- 37 last_assignee, 38 last_team, 39 first_response_at, 40 first_response_sent_at,
-- 41 first_responder_type, 42 first_responder_id, 43 first_waiting_since, 44 waiting_since,
-- 45 no_wait_before, 46 responses, 47 response_micros, 48 pending_micros, 49 incoming,
-- 50 outgoing_user, 51 outgoing_automation, 52 closed_at, 53 closed_by_type, 54 closed_by_id,
-- 55 closed_source, 56 category, 57 summary, 58 workspace, 59 id, 60 version, 61 workspace,
-- 62 conversation, 63 seq, 64 id, 65 contact, 66 contact_seq, 67 kind, 68 at, 69 by_type, 70 by_id,
-- 71 source, 72 channel, 73 lane, 74 address, 75 external_id, 76 sent_at, 77 body, 78 attachments,
-- 79 category, 80 summary, 81 until_at, 82 assignee, 83 team, 84 response, 85 quiet,
-- 86 new_contact, 87 restart_flow, 88 message, 89 redacted, 90 duplicate, 91 notice, 92 audience,
-- 93 status_before, 94 assignee_before, 95 team_before, 96 lane_before, 97 channel_before,
-- 98 labels, 99 labels_before, 100 priority, 101 priority_before, 102 subject, 103 attributes
