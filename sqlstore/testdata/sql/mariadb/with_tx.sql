BEGIN;

-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    IF @@in_transaction = 0 THEN
        SIGNAL SQLSTATE '25000' SET MESSAGE_TEXT = 'no transaction is active';
    END IF;
    SAVEPOINT convo;
    work: BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN
            IF @@in_transaction THEN
                ROLLBACK TO SAVEPOINT convo;
                RELEASE SAVEPOINT convo;
            END IF;
            RESIGNAL;
        END;
        DECLARE EXIT HANDLER FOR 1062 BEGIN END;
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET version = ?, updated_at = ?,
            last_activity_at = ?, last_incoming_at = ?, awaiting_contact_since = ?,
            address_channel = ?, address = ?, deadline_at = ?, first_response_at = ?,
            first_response_sent_at = ?, first_responder_type = ?, first_responder_id = ?,
            first_waiting_since = ?, waiting_since = ?, turn_since = ?, no_wait_before = ?,
            responses = ?, response_micros = ?, incoming = ?, outgoing_user = ?,
            outgoing_automation = ?
            WHERE workspace = ? AND id = ? AND version = ?
                AND COALESCE(deadline_at, -62135596800000000) = ?
                AND COALESCE(due_at, -62135596800000000) = ?
                AND COALESCE(applied, '') = ?
                AND contact = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        SET step = 3;
        IF EXISTS (
            SELECT 1 FROM convo_keys FORCE INDEX (PRIMARY)
            WHERE workspace = ? AND channel = ? AND id IN (?, ?)
        ) THEN
            IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ?
                AND ky.id IN (?, ?)
                AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                        WHERE asked.workspace = ky.workspace AND asked.id = ?)
                    IN (COALESCE(kc.merged_into, kc.id), (
                        SELECT holds.contact FROM convo_conversations holds
                        WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)))
                            LIMIT 1) THEN LEAVE work; END IF;
        END IF;
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
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
    END work;
    IF step <> 0 THEN ROLLBACK TO SAVEPOINT convo; END IF;
    RELEASE SAVEPOINT convo;
    SELECT step;
END;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 turn_since, 16 no_wait_before, 17 responses,
-- 18 response_micros, 19 incoming, 20 outgoing_user, 21 outgoing_automation, 22 workspace, 23 id,
-- 24 version, 25 ), 26 ), 27 ), 28 contact, 29 workspace, 30 channel, 31 id, 32 id, 33 workspace,
-- 34 channel, 35 id, 36 id, 37 address, 38 ?, 39 id, 40 workspace, 41 channel, 42 id, 43 address,
-- 44 contact, 45 hash, 46 conversation, 47 first_seq, 48 last_seq, 49 workspace, 50 conversation,
-- 51 seq, 52 id, 53 contact, 54 kind, 55 at, 56 by_type, 57 by_id, 58 channel, 59 address,
-- 60 external_id, 61 sent_at, 62 body, 63 attachments, 64 cycle, 65 response, 66 quiet,
-- 67 status_before, 68 assignee_before, 69 team_before, 70 lane_before, 71 channel_before,
-- 72 opened_source, 73 turn, 74 turn_since, 75 waiting_since, 76 handed_over_at, 77 replies,
-- 78 labels_before, 79 priority_before, 80 workspace, 81 conversation, 82 from_seq

COMMIT;
