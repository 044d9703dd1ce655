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
-- 16 workspace, 17 conversation, 18 seq, 19 id, 20 contact, 21 contact_seq, 22 kind, 23 at,
-- 24 by_type, 25 by_id, 26 source, 27 channel, 28 external_id, 29 body, 30 attachments,
-- 31 category, 32 summary, 33 until_at, 34 assignee, 35 team, 36 response, 37 restart_flow,
-- 38 notice, 39 audience
