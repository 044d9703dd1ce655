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
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
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
-- 61 id, 62 version, 63 workspace, 64 id, 65 status, 66 channel, 67 lane, 68 created_at,
-- 69 assignee, 70 team, 71 priority, 72 workspace, 73 list, 74 at, 75 id, 76 workspace,
-- 77 conversation, 78 seq, 79 id, 80 contact, 81 contact_seq, 82 kind, 83 at, 84 by_type, 85 by_id,
-- 86 source, 87 channel, 88 lane, 89 address, 90 external_id, 91 sent_at, 92 body, 93 attachments,
-- 94 category, 95 summary, 96 until_at, 97 assignee, 98 team, 99 response, 100 quiet,
-- 101 new_contact, 102 restart_flow, 103 message, 104 redacted, 105 duplicate, 106 notice,
-- 107 audience, 108 status_before, 109 assignee_before, 110 team_before, 111 lane_before,
-- 112 channel_before, 113 moved_from, 114 from_seq, 115 labels, 116 labels_before, 117 priority,
-- 118 priority_before, 119 subject, 120 attributes
