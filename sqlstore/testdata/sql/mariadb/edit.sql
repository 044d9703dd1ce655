-- load by contact: see load.sql

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

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    assignee, team, response, quiet, new_contact, restart_flow, message, redacted, duplicate,
    notice, audience, status_before, assignee_before, team_before, lane_before, channel_before
    FROM convo_events
    WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    assignee, team, response, quiet, new_contact, restart_flow, message, redacted, duplicate,
    notice, audience, status_before, assignee_before, team_before, lane_before, channel_before
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
-- 44 workspace, 45 id, 46 version, 47 workspace, 48 conversation, 49 seq, 50 id, 51 contact,
-- 52 contact_seq, 53 kind, 54 at, 55 by_type, 56 by_id, 57 source, 58 channel, 59 lane, 60 address,
-- 61 external_id, 62 sent_at, 63 body, 64 attachments, 65 category, 66 summary, 67 until_at,
-- 68 assignee, 69 team, 70 response, 71 quiet, 72 new_contact, 73 restart_flow, 74 message,
-- 75 redacted, 76 duplicate, 77 notice, 78 audience, 79 status_before, 80 assignee_before,
-- 81 team_before, 82 lane_before, 83 channel_before
