-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET version = ?, updated_at = ?,
            awaiting_contact_since = ?, first_response_at = ?, first_responder_type = ?,
            first_responder_id = ?, waiting_since = ?, responses = ?, response_micros = ?,
            incoming = ?, outgoing_user = ?, outgoing_automation = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        SET step = 3;
        INSERT INTO convo_keys (workspace, channel, id, hash, conversation, first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, external_id, body, attachments, category, summary,
            until_at, assignee, team, response, restart_flow, notice, audience)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 updated_at, 3 awaiting_contact_since, 4 first_response_at,
-- 5 first_responder_type, 6 first_responder_id, 7 waiting_since, 8 responses, 9 response_micros,
-- 10 incoming, 11 outgoing_user, 12 outgoing_automation, 13 workspace, 14 id, 15 version,
-- 16 workspace, 17 channel, 18 id, 19 hash, 20 conversation, 21 first_seq, 22 last_seq,
-- 23 workspace, 24 conversation, 25 seq, 26 id, 27 contact, 28 contact_seq, 29 kind, 30 at,
-- 31 by_type, 32 by_id, 33 source, 34 channel, 35 external_id, 36 body, 37 attachments,
-- 38 category, 39 summary, 40 until_at, 41 assignee, 42 team, 43 response, 44 restart_flow,
-- 45 notice, 46 audience
