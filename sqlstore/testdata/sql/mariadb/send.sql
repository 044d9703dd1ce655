-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET version = ?, updated_at = ?,
            last_activity_at = ?, awaiting_contact_since = ?, address_channel = ?, address = ?,
            first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
            first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, no_wait_before = ?,
            responses = ?, response_micros = ?, incoming = ?, outgoing_user = ?,
            outgoing_automation = ?
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
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 awaiting_contact_since,
-- 5 address_channel, 6 address, 7 first_response_at, 8 first_response_sent_at,
-- 9 first_responder_type, 10 first_responder_id, 11 first_waiting_since, 12 waiting_since,
-- 13 no_wait_before, 14 responses, 15 response_micros, 16 incoming, 17 outgoing_user,
-- 18 outgoing_automation, 19 workspace, 20 id, 21 version, 22 workspace, 23 list, 24 at, 25 id,
-- 26 workspace, 27 conversation, 28 seq, 29 id, 30 contact, 31 kind, 32 at, 33 by_type, 34 by_id,
-- 35 channel, 36 address, 37 external_id, 38 sent_at, 39 body, 40 attachments, 41 response,
-- 42 quiet
