-- load by contact: see load.sql

-- a message by its event
SELECT ev.workspace, ev.conversation, ev.seq, ev.id, ev.contact, ev.contact_seq, ev.kind, ev.at,
    ev.by_type, ev.by_id, ev.source, ev.channel, ev.lane, ev.address, ev.external_id, ev.sent_at,
    ev.body, ev.attachments, ev.category, ev.summary, ev.until_at, ev.assignee, ev.team,
    ev.response, ev.quiet, ev.new_contact, ev.restart_flow, ev.message, ev.redacted, ev.duplicate,
    ev.notice, ev.audience, ev.status_before, ev.assignee_before, ev.team_before, ev.lane_before,
    ev.channel_before, ev.moved_from, ev.from_seq, ev.labels, ev.labels_before, ev.priority,
    ev.priority_before, ev.subject, ev.attributes
    FROM convo_conversations cv
    JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = ? AND cv.contact = ? AND ev.id = ?;
-- parameters: 1 workspace, 2 contact, 3 id

SELECT ce.workspace, ce.contact, ce.seq, ce.id, ce.contact_seq, ce.kind, ce.at, ce.by_type,
    ce.by_id, ce.source, ce.channel, ce.address, ce.external_id, ce.sent_at, ce.body,
    ce.attachments, ce.quiet, ce.message, ce.redacted, ce.duplicate, ce.merged_into, ce.blocked,
    ce.blocked_by, ce.unmerged_from, ce.own_blocked, ce.own_blocked_by, ce.name, ce.attributes
    FROM (SELECT id FROM convo_contacts WHERE workspace = ? AND id = ?
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = ? AND merged_into = ?) merged
    JOIN convo_contact_events ce ON ce.workspace = ? AND ce.contact = merged.id
    WHERE ce.id = ?;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace, 6 id

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    assignee, team, response, quiet, new_contact, restart_flow, message, redacted, duplicate,
    notice, audience, status_before, assignee_before, team_before, lane_before, channel_before,
    moved_from, from_seq, labels, labels_before, priority, priority_before, subject, attributes
    FROM convo_events
    WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

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
        SET step = 3;
        IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
                AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                        WHERE asked.workspace = ky.workspace AND asked.id = ?)
                    IN (COALESCE(kc.merged_into, kc.id), (
                        SELECT holds.contact FROM convo_conversations holds
                        WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)))
                            LIMIT 1) THEN LEAVE work; END IF;
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 49 id, 50 version, 51 workspace, 52 channel, 53 id, 54 address, 55 ?, 56 id, 57 workspace,
-- 58 channel, 59 id, 60 address, 61 contact, 62 hash, 63 conversation, 64 first_seq, 65 last_seq,
-- 66 workspace, 67 conversation, 68 seq, 69 id, 70 contact, 71 contact_seq, 72 kind, 73 at,
-- 74 by_type, 75 by_id, 76 source, 77 channel, 78 lane, 79 address, 80 external_id, 81 sent_at,
-- 82 body, 83 attachments, 84 category, 85 summary, 86 until_at, 87 assignee, 88 team, 89 response,
-- 90 quiet, 91 new_contact, 92 restart_flow, 93 message, 94 redacted, 95 duplicate, 96 notice,
-- 97 audience, 98 status_before, 99 assignee_before, 100 team_before, 101 lane_before,
-- 102 channel_before, 103 moved_from, 104 from_seq, 105 labels, 106 labels_before, 107 priority,
-- 108 priority_before, 109 subject, 110 attributes
