-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, blocked = ?,
            merged_into = ?, latest_conversation = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
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
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 blocked, 5 merged_into,
-- 6 latest_conversation, 7 workspace, 8 id, 9 version, 10 status, 11 version, 12 updated_at,
-- 13 first_closed_at, 14 assignee, 15 team, 16 pending_since, 17 pending_until,
-- 18 awaiting_contact_since, 19 due_at, 20 active, 21 active_slot, 22 number, 23 opened_at,
-- 24 opened_by_type, 25 opened_by_id, 26 opened_source, 27 first_assigned_at, 28 first_assignee,
-- 29 last_assignee, 30 last_team, 31 first_response_at, 32 first_responder_type,
-- 33 first_responder_id, 34 waiting_since, 35 responses, 36 response_micros, 37 pending_micros,
-- 38 incoming, 39 outgoing_user, 40 outgoing_automation, 41 closed_at, 42 closed_by_type,
-- 43 closed_by_id, 44 closed_source, 45 category, 46 summary, 47 workspace, 48 id, 49 version,
-- 50 workspace, 51 conversation, 52 seq, 53 id, 54 contact, 55 contact_seq, 56 kind, 57 at,
-- 58 by_type, 59 by_id, 60 source, 61 channel, 62 external_id, 63 body, 64 attachments,
-- 65 category, 66 summary, 67 until_at, 68 assignee, 69 team, 70 response, 71 restart_flow,
-- 72 notice, 73 audience
