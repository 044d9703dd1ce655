-- due
SELECT workspace, id, due_at FROM convo_conversations
    WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, workspace, id LIMIT ?;
-- parameters: 1 due_at, 2 limit

-- load by conversation: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        SET step = 2;
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET status = ?, version = ?,
            updated_at = ?, first_closed_at = ?, assignee = ?, team = ?, pending_since = ?,
            pending_until = ?, awaiting_contact_since = ?, due_at = ?, active = ?, active_slot = ?,
            number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
            first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
            first_response_at = ?, first_responder_type = ?, first_responder_id = ?,
            waiting_since = ?, responses = ?, response_micros = ?, pending_micros = ?,
            incoming = ?, outgoing_user = ?, outgoing_automation = ?, closed_at = ?,
            closed_by_type = ?, closed_by_id = ?, closed_source = ?, category = ?, summary = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN SET step = 1; LEAVE work; END IF;
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
-- parameters: 1 status, 2 version, 3 updated_at, 4 first_closed_at, 5 assignee, 6 team,
-- 7 pending_since, 8 pending_until, 9 awaiting_contact_since, 10 due_at, 11 active, 12 active_slot,
-- 13 number, 14 opened_at, 15 opened_by_type, 16 opened_by_id, 17 opened_source,
-- 18 first_assigned_at, 19 first_assignee, 20 last_assignee, 21 last_team, 22 first_response_at,
-- 23 first_responder_type, 24 first_responder_id, 25 waiting_since, 26 responses,
-- 27 response_micros, 28 pending_micros, 29 incoming, 30 outgoing_user, 31 outgoing_automation,
-- 32 closed_at, 33 closed_by_type, 34 closed_by_id, 35 closed_source, 36 category, 37 summary,
-- 38 workspace, 39 id, 40 version, 41 workspace, 42 conversation, 43 seq, 44 id, 45 contact,
-- 46 contact_seq, 47 kind, 48 at, 49 by_type, 50 by_id, 51 source, 52 channel, 53 external_id,
-- 54 body, 55 attachments, 56 category, 57 summary, 58 until_at, 59 assignee, 60 team, 61 response,
-- 62 restart_flow, 63 notice, 64 audience

-- load by conversation: see load.sql
