-- load by contact: see load.sql

-- keys
SELECT ky.workspace, ky.channel, ky.id, ky.address, ky.contact, ky.hash, ky.conversation,
    ky.first_seq, ky.last_seq
    FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
        OR (ky.address = '' OR ? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = ?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)));
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 id

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    assignee, team, response, quiet, new_contact, restart_flow, message, redacted, duplicate,
    notice, audience, status_before, assignee_before, team_before, lane_before, channel_before,
    moved_from, from_seq, labels, labels_before, priority, priority_before, subject, attributes
    FROM convo_events
    WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    assignee, team, response, quiet, new_contact, restart_flow, message, redacted, duplicate,
    notice, audience, status_before, assignee_before, team_before, lane_before, channel_before,
    moved_from, from_seq, labels, labels_before, priority, priority_before, subject, attributes
    FROM convo_events
    WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

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
-- 49 id, 50 version, 51 workspace, 52 conversation, 53 seq, 54 id, 55 contact, 56 contact_seq,
-- 57 kind, 58 at, 59 by_type, 60 by_id, 61 source, 62 channel, 63 lane, 64 address, 65 external_id,
-- 66 sent_at, 67 body, 68 attachments, 69 category, 70 summary, 71 until_at, 72 assignee, 73 team,
-- 74 response, 75 quiet, 76 new_contact, 77 restart_flow, 78 message, 79 redacted, 80 duplicate,
-- 81 notice, 82 audience, 83 status_before, 84 assignee_before, 85 team_before, 86 lane_before,
-- 87 channel_before, 88 moved_from, 89 from_seq, 90 labels, 91 labels_before, 92 priority,
-- 93 priority_before, 94 subject, 95 attributes
