-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, blocked = ?,
            merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?
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
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 blocked, 5 merged_into, 6 parent,
-- 7 blocked_by, 8 name, 9 attributes, 10 workspace, 11 id, 12 version, 13 status, 14 version,
-- 15 updated_at, 16 last_activity_at, 17 first_closed_at, 18 assignee, 19 team, 20 labels,
-- 21 priority, 22 subject, 23 attributes, 24 pending_since, 25 pending_until,
-- 26 awaiting_contact_since, 27 address_channel, 28 address, 29 due_at, 30 active, 31 active_slot,
-- 32 number, 33 opened_at, 34 opened_by_type, 35 opened_by_id, 36 opened_source,
-- 37 first_assigned_at, 38 first_assignee, 39 last_assignee, 40 last_team, 41 first_response_at,
-- 42 first_response_sent_at, 43 first_responder_type, 44 first_responder_id,
-- 45 first_waiting_since, 46 waiting_since, 47 no_wait_before, 48 responses, 49 response_micros,
-- 50 pending_micros, 51 incoming, 52 outgoing_user, 53 outgoing_automation, 54 closed_at,
-- 55 closed_by_type, 56 closed_by_id, 57 closed_source, 58 category, 59 summary, 60 workspace,
-- 61 id, 62 version, 63 workspace, 64 conversation, 65 seq, 66 id, 67 contact, 68 contact_seq,
-- 69 kind, 70 at, 71 by_type, 72 by_id, 73 source, 74 channel, 75 lane, 76 address, 77 external_id,
-- 78 sent_at, 79 body, 80 attachments, 81 category, 82 summary, 83 until_at, 84 assignee, 85 team,
-- 86 response, 87 quiet, 88 new_contact, 89 restart_flow, 90 message, 91 redacted, 92 duplicate,
-- 93 notice, 94 audience, 95 status_before, 96 assignee_before, 97 team_before, 98 lane_before,
-- 99 channel_before, 100 moved_from, 101 from_seq, 102 labels, 103 labels_before, 104 priority,
-- 105 priority_before, 106 subject, 107 attributes
