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
-- 18 outgoing_automation, 19 workspace, 20 id, 21 version, 22 workspace, 23 channel, 24 id,
-- 25 address, 26 ?, 27 id, 28 workspace, 29 channel, 30 id, 31 address, 32 contact, 33 hash,
-- 34 conversation, 35 first_seq, 36 last_seq, 37 workspace, 38 conversation, 39 seq, 40 id,
-- 41 contact, 42 kind, 43 at, 44 by_type, 45 by_id, 46 channel, 47 address, 48 external_id,
-- 49 sent_at, 50 body, 51 attachments, 52 response, 53 quiet
