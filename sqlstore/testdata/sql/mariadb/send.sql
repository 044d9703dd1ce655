-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET version = ?, updated_at = ?,
            last_activity_at = ?, last_incoming_at = ?, awaiting_contact_since = ?,
            address_channel = ?, address = ?, deadline_at = ?, first_response_at = ?,
            first_response_sent_at = ?, first_responder_type = ?, first_responder_id = ?,
            first_waiting_since = ?, waiting_since = ?, turn_since = ?, no_wait_before = ?,
            responses = ?, response_micros = ?, incoming = ?, outgoing_user = ?,
            outgoing_automation = ?
            WHERE workspace = ? AND id = ? AND version = ? AND COALESCE(deadline_at,
                -62135596800000000) = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type,
            by_id, channel, address, external_id, sent_at, body, attachments, cycle, response,
            quiet, status_before, assignee_before, team_before, lane_before, channel_before,
            opened_source, turn, turn_since, waiting_since, handed_over_at, replies, labels_before,
            priority_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?);
        INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
            VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 turn_since, 16 no_wait_before, 17 responses,
-- 18 response_micros, 19 incoming, 20 outgoing_user, 21 outgoing_automation, 22 workspace, 23 id,
-- 24 version, 25 ), 26 workspace, 27 list, 28 at, 29 id, 30 workspace, 31 conversation, 32 seq,
-- 33 id, 34 contact, 35 kind, 36 at, 37 by_type, 38 by_id, 39 channel, 40 address, 41 external_id,
-- 42 sent_at, 43 body, 44 attachments, 45 cycle, 46 response, 47 quiet, 48 status_before,
-- 49 assignee_before, 50 team_before, 51 lane_before, 52 channel_before, 53 opened_source, 54 turn,
-- 55 turn_since, 56 waiting_since, 57 handed_over_at, 58 replies, 59 labels_before,
-- 60 priority_before, 61 workspace, 62 conversation, 63 from_seq
