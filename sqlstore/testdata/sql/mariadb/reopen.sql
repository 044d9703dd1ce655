-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?,
            seen_at = GREATEST(seen_at, ?), blocked = ?, merged_into = ?, parent = ?,
            blocked_by = ?, name = ?, attributes = ?
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
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 ?, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 workspace, 12 id, 13 version, 14 status, 15 version,
-- 16 updated_at, 17 last_activity_at, 18 first_closed_at, 19 assignee, 20 team, 21 labels,
-- 22 priority, 23 subject, 24 attributes, 25 pending_since, 26 pending_until,
-- 27 awaiting_contact_since, 28 address_channel, 29 address, 30 due_at, 31 active, 32 active_slot,
-- 33 number, 34 opened_at, 35 opened_by_type, 36 opened_by_id, 37 opened_source,
-- 38 first_assigned_at, 39 first_assignee, 40 last_assignee, 41 last_team, 42 first_response_at,
-- 43 first_response_sent_at, 44 first_responder_type, 45 first_responder_id,
-- 46 first_waiting_since, 47 waiting_since, 48 no_wait_before, 49 responses, 50 response_micros,
-- 51 pending_micros, 52 incoming, 53 outgoing_user, 54 outgoing_automation, 55 closed_at,
-- 56 closed_by_type, 57 closed_by_id, 58 closed_source, 59 category, 60 summary, 61 workspace,
-- 62 id, 63 version, 64 workspace, 65 id, 66 status, 67 channel, 68 lane, 69 created_at,
-- 70 assignee, 71 team, 72 priority, 73 workspace, 74 list, 75 at, 76 id, 77 workspace,
-- 78 conversation, 79 seq, 80 id, 81 contact, 82 contact_seq, 83 kind, 84 at, 85 by_type, 86 by_id,
-- 87 source, 88 channel, 89 lane, 90 address, 91 external_id, 92 sent_at, 93 body, 94 attachments,
-- 95 category, 96 summary, 97 until_at, 98 assignee, 99 team, 100 response, 101 quiet,
-- 102 new_contact, 103 restart_flow, 104 message, 105 redacted, 106 duplicate, 107 notice,
-- 108 audience, 109 status_before, 110 assignee_before, 111 team_before, 112 lane_before,
-- 113 channel_before, 114 moved_from, 115 from_seq, 116 labels, 117 labels_before, 118 priority,
-- 119 priority_before, 120 subject, 121 attributes
