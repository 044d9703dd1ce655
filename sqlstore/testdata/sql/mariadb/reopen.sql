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
            by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
            category, summary, until_at, assignee, team, response, quiet, new_contact, older,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 blocked, 5 merged_into,
-- 6 latest_conversation, 7 workspace, 8 id, 9 version, 10 status, 11 version, 12 updated_at,
-- 13 last_activity_at, 14 first_closed_at, 15 assignee, 16 team, 17 pending_since,
-- 18 pending_until, 19 awaiting_contact_since, 20 address_channel, 21 address, 22 due_at,
-- 23 active, 24 active_slot, 25 number, 26 opened_at, 27 opened_by_type, 28 opened_by_id,
-- 29 opened_source, 30 first_assigned_at, 31 first_assignee, 32 last_assignee, 33 last_team,
-- 34 first_response_at, 35 first_response_sent_at, 36 first_responder_type, 37 first_responder_id,
-- 38 first_waiting_since, 39 waiting_since, 40 no_wait_before, 41 responses, 42 response_micros,
-- 43 pending_micros, 44 incoming, 45 outgoing_user, 46 outgoing_automation, 47 closed_at,
-- 48 closed_by_type, 49 closed_by_id, 50 closed_source, 51 category, 52 summary, 53 workspace,
-- 54 id, 55 version, 56 workspace, 57 conversation, 58 seq, 59 id, 60 contact, 61 contact_seq,
-- 62 kind, 63 at, 64 by_type, 65 by_id, 66 source, 67 channel, 68 address, 69 external_id,
-- 70 sent_at, 71 body, 72 attachments, 73 category, 74 summary, 75 until_at, 76 assignee, 77 team,
-- 78 response, 79 quiet, 80 new_contact, 81 older, 82 restart_flow, 83 message, 84 redacted,
-- 85 duplicate, 86 notice, 87 audience, 88 status_before, 89 assignee_before, 90 team_before
