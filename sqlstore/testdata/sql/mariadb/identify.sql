-- load by contact: see load.sql

-- a message by its event
SELECT ev.workspace, ev.conversation, ev.seq, ev.id, ev.contact, ev.contact_seq, ev.kind, ev.at,
    ev.by_type, ev.by_id, ev.source, ev.channel, ev.lane, ev.address, ev.external_id, ev.sent_at,
    ev.body, ev.attachments, ev.category, ev.summary, ev.until_at, ev.on_receive, ev.marks,
    ev.cycle, ev.score, ev.assignee, ev.team, ev.response, ev.quiet, ev.new_contact,
    ev.restart_flow, ev.message, ev.redacted, ev.duplicate, ev.notice, ev.audience,
    ev.status_before, ev.assignee_before, ev.team_before, ev.lane_before, ev.channel_before,
    ev.moved_from, ev.from_seq, ev.labels, ev.labels_before, ev.priority, ev.priority_before,
    ev.subject, ev.attributes
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
    on_receive, marks, cycle, score, assignee, team, response, quiet, new_contact, restart_flow,
    message, redacted, duplicate, notice, audience, status_before, assignee_before, team_before,
    lane_before, channel_before, moved_from, from_seq, labels, labels_before, priority,
    priority_before, subject, attributes
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
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET status = ?, status_since = ?,
            version = ?, updated_at = ?, last_activity_at = ?, last_incoming_at = ?,
            first_closed_at = ?, assignee = ?, team = ?, assigned_at = ?, labels = ?, priority = ?,
            subject = ?, attributes = ?, pending_until = ?, on_receive = ?,
            awaiting_contact_since = ?, address_channel = ?, address = ?, marks = ?,
            deadline_at = ?, due_at = ?, applied = ?, unrated = ?, rating = ?, active = ?,
            active_slot = ?, number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?,
            opened_source = ?, first_assigned_at = ?, first_assignee = ?, last_assignee = ?,
            last_team = ?, first_response_at = ?, first_response_sent_at = ?,
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
-- 23 applied, 24 unrated, 25 rating, 26 active, 27 active_slot, 28 number, 29 opened_at,
-- 30 opened_by_type, 31 opened_by_id, 32 opened_source, 33 first_assigned_at, 34 first_assignee,
-- 35 last_assignee, 36 last_team, 37 first_response_at, 38 first_response_sent_at,
-- 39 first_responder_type, 40 first_responder_id, 41 first_waiting_since, 42 waiting_since,
-- 43 no_wait_before, 44 responses, 45 response_micros, 46 pending_micros, 47 incoming,
-- 48 outgoing_user, 49 outgoing_automation, 50 closed_at, 51 closed_by_type, 52 closed_by_id,
-- 53 closed_source, 54 category, 55 summary, 56 workspace, 57 id, 58 version, 59 workspace,
-- 60 channel, 61 id, 62 address, 63 ?, 64 id, 65 workspace, 66 channel, 67 id, 68 address,
-- 69 contact, 70 hash, 71 conversation, 72 first_seq, 73 last_seq, 74 workspace, 75 conversation,
-- 76 seq, 77 id, 78 contact, 79 contact_seq, 80 kind, 81 at, 82 by_type, 83 by_id, 84 source,
-- 85 channel, 86 lane, 87 address, 88 external_id, 89 sent_at, 90 body, 91 attachments,
-- 92 category, 93 summary, 94 until_at, 95 on_receive, 96 marks, 97 cycle, 98 score, 99 assignee,
-- 100 team, 101 response, 102 quiet, 103 new_contact, 104 restart_flow, 105 message, 106 redacted,
-- 107 duplicate, 108 notice, 109 audience, 110 status_before, 111 assignee_before, 112 team_before,
-- 113 lane_before, 114 channel_before, 115 moved_from, 116 from_seq, 117 labels, 118 labels_before,
-- 119 priority, 120 priority_before, 121 subject, 122 attributes
