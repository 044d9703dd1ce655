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
            first_waiting_since = ?, waiting_since = ?, no_wait_before = ?, responses = ?,
            response_micros = ?, incoming = ?, outgoing_user = ?, outgoing_automation = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        SET step = 1;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type,
            by_id, channel, address, external_id, sent_at, body, attachments, response, quiet)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 no_wait_before, 16 responses, 17 response_micros,
-- 18 incoming, 19 outgoing_user, 20 outgoing_automation, 21 workspace, 22 id, 23 version,
-- 24 workspace, 25 list, 26 at, 27 id, 28 workspace, 29 conversation, 30 seq, 31 id, 32 contact,
-- 33 kind, 34 at, 35 by_type, 36 by_id, 37 channel, 38 address, 39 external_id, 40 sent_at,
-- 41 body, 42 attachments, 43 response, 44 quiet
