-- load by contact: see load.sql

-- a message by its event
SELECT ev.workspace, ev.conversation, ev.seq, ev.id, ev.contact, ev.contact_seq, ev.kind, ev.at,
    ev.by_type, ev.by_id, ev.source, ev.channel, ev.lane, ev.address, ev.external_id, ev.sent_at,
    ev.body, ev.attachments, ev.category, ev.summary, ev.until_at, ev.assignee, ev.team,
    ev.response, ev.quiet, ev.new_contact, ev.restart_flow, ev.message, ev.redacted, ev.duplicate,
    ev.notice, ev.audience, ev.status_before, ev.assignee_before, ev.team_before, ev.lane_before,
    ev.channel_before
    FROM convo_conversations cv
    JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = ? AND cv.contact = ? AND ev.id = ?;
-- parameters: 1 workspace, 2 contact, 3 id

SELECT ce.workspace, ce.contact, ce.seq, ce.id, ce.contact_seq, ce.kind, ce.at, ce.by_type,
    ce.by_id, ce.source, ce.channel, ce.address, ce.external_id, ce.sent_at, ce.body,
    ce.attachments, ce.quiet, ce.message, ce.redacted, ce.duplicate, ce.merged_into, ce.blocked
    FROM (SELECT id FROM convo_contacts WHERE workspace = ? AND id = ?
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = ? AND merged_into = ?) merged
    JOIN convo_contact_events ce ON ce.workspace = ? AND ce.contact = merged.id
    WHERE ce.id = ?;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace, 6 id

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    assignee, team, response, quiet, new_contact, restart_flow, message, redacted, duplicate,
    notice, audience, status_before, assignee_before, team_before, lane_before, channel_before
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
            AND COALESCE(kc.merged_into, kc.id) = ?);
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 )

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
            pending_since = ?, pending_until = ?, awaiting_contact_since = ?, address_channel = ?,
            address = ?, due_at = ?, active = ?, active_slot = ?, number = ?, opened_at = ?,
            opened_by_type = ?, opened_by_id = ?, opened_source = ?, first_assigned_at = ?,
            first_assignee = ?, last_assignee = ?, last_team = ?, first_response_at = ?,
            first_response_sent_at = ?, first_responder_type = ?, first_responder_id = ?,
            first_waiting_since = ?, waiting_since = ?, no_wait_before = ?, responses = ?,
            response_micros = ?, pending_micros = ?, incoming = ?, outgoing_user = ?,
            outgoing_automation = ?, closed_at = ?, closed_by_type = ?, closed_by_id = ?,
            closed_source = ?, category = ?, summary = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN SET step = 1; LEAVE work; END IF;
        SET step = 3;
        IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
                AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND COALESCE(kc.merged_into, kc.id) = ?) LIMIT 1) THEN LEAVE work; END IF;
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 status, 2 version, 3 updated_at, 4 last_activity_at, 5 first_closed_at, 6 assignee,
-- 7 team, 8 pending_since, 9 pending_until, 10 awaiting_contact_since, 11 address_channel,
-- 12 address, 13 due_at, 14 active, 15 active_slot, 16 number, 17 opened_at, 18 opened_by_type,
-- 19 opened_by_id, 20 opened_source, 21 first_assigned_at, 22 first_assignee, 23 last_assignee,
-- 24 last_team, 25 first_response_at, 26 first_response_sent_at, 27 first_responder_type,
-- 28 first_responder_id, 29 first_waiting_since, 30 waiting_since, 31 no_wait_before, 32 responses,
-- 33 response_micros, 34 pending_micros, 35 incoming, 36 outgoing_user, 37 outgoing_automation,
-- 38 closed_at, 39 closed_by_type, 40 closed_by_id, 41 closed_source, 42 category, 43 summary,
-- 44 workspace, 45 id, 46 version, 47 workspace, 48 channel, 49 id, 50 address, 51 ?, 52 ),
-- 53 workspace, 54 channel, 55 id, 56 address, 57 contact, 58 hash, 59 conversation, 60 first_seq,
-- 61 last_seq, 62 workspace, 63 conversation, 64 seq, 65 id, 66 contact, 67 contact_seq, 68 kind,
-- 69 at, 70 by_type, 71 by_id, 72 source, 73 channel, 74 lane, 75 address, 76 external_id,
-- 77 sent_at, 78 body, 79 attachments, 80 category, 81 summary, 82 until_at, 83 assignee, 84 team,
-- 85 response, 86 quiet, 87 new_contact, 88 restart_flow, 89 message, 90 redacted, 91 duplicate,
-- 92 notice, 93 audience, 94 status_before, 95 assignee_before, 96 team_before, 97 lane_before,
-- 98 channel_before
