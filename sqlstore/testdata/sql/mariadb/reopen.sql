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
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 workspace, 12 id, 13 version, 14 seen_at, 15 status,
-- 16 version, 17 updated_at, 18 last_activity_at, 19 first_closed_at, 20 assignee, 21 team,
-- 22 labels, 23 priority, 24 subject, 25 attributes, 26 pending_since, 27 pending_until,
-- 28 awaiting_contact_since, 29 address_channel, 30 address, 31 due_at, 32 active, 33 active_slot,
-- 34 number, 35 opened_at, 36 opened_by_type, 37 opened_by_id, 38 opened_source,
-- 39 first_assigned_at, 40 first_assignee, 41 last_assignee, 42 last_team, 43 first_response_at,
-- 44 first_response_sent_at, 45 first_responder_type, 46 first_responder_id,
-- 47 first_waiting_since, 48 waiting_since, 49 no_wait_before, 50 responses, 51 response_micros,
-- 52 pending_micros, 53 incoming, 54 outgoing_user, 55 outgoing_automation, 56 closed_at,
-- 57 closed_by_type, 58 closed_by_id, 59 closed_source, 60 category, 61 summary, 62 workspace,
-- 63 id, 64 version, 65 workspace, 66 id, 67 status, 68 channel, 69 lane, 70 created_at,
-- 71 assignee, 72 team, 73 priority, 74 workspace, 75 list, 76 at, 77 id, 78 workspace,
-- 79 conversation, 80 seq, 81 id, 82 contact, 83 contact_seq, 84 kind, 85 at, 86 by_type, 87 by_id,
-- 88 source, 89 channel, 90 lane, 91 address, 92 external_id, 93 sent_at, 94 body, 95 attachments,
-- 96 category, 97 summary, 98 until_at, 99 assignee, 100 team, 101 response, 102 quiet,
-- 103 new_contact, 104 restart_flow, 105 message, 106 redacted, 107 duplicate, 108 notice,
-- 109 audience, 110 status_before, 111 assignee_before, 112 team_before, 113 lane_before,
-- 114 channel_before, 115 moved_from, 116 from_seq, 117 labels, 118 labels_before, 119 priority,
-- 120 priority_before, 121 subject, 122 attributes
