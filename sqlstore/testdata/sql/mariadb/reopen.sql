-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, blocked = ?,
            merged_into = ?
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
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 blocked, 5 merged_into, 6 workspace, 7 id,
-- 8 version, 9 status, 10 version, 11 updated_at, 12 last_activity_at, 13 first_closed_at,
-- 14 assignee, 15 team, 16 pending_since, 17 pending_until, 18 awaiting_contact_since,
-- 19 address_channel, 20 address, 21 due_at, 22 active, 23 active_slot, 24 number, 25 opened_at,
-- 26 opened_by_type, 27 opened_by_id, 28 opened_source, 29 first_assigned_at, 30 first_assignee,
-- 31 last_assignee, 32 last_team, 33 first_response_at, 34 first_response_sent_at,
-- 35 first_responder_type, 36 first_responder_id, 37 first_waiting_since, 38 waiting_since,
-- 39 no_wait_before, 40 responses, 41 response_micros, 42 pending_micros, 43 incoming,
-- 44 outgoing_user, 45 outgoing_automation, 46 closed_at, 47 closed_by_type, 48 closed_by_id,
-- 49 closed_source, 50 category, 51 summary, 52 workspace, 53 id, 54 version, 55 workspace,
-- 56 conversation, 57 seq, 58 id, 59 contact, 60 contact_seq, 61 kind, 62 at, 63 by_type, 64 by_id,
-- 65 source, 66 channel, 67 lane, 68 address, 69 external_id, 70 sent_at, 71 body, 72 attachments,
-- 73 category, 74 summary, 75 until_at, 76 assignee, 77 team, 78 response, 79 quiet,
-- 80 new_contact, 81 restart_flow, 82 message, 83 redacted, 84 duplicate, 85 notice, 86 audience,
-- 87 status_before, 88 assignee_before, 89 team_before, 90 lane_before, 91 channel_before
