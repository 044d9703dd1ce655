-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, latest_conversation)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, created_at, contact,
            status, version, updated_at, first_closed_at, assignee, team, pending_since,
            pending_until, awaiting_contact_since, due_at, active, active_slot, number, opened_at,
            opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee,
            last_assignee, last_team, first_response_at, first_responder_type, first_responder_id,
            waiting_since, responses, response_micros, pending_micros, incoming, outgoing_user,
            outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
            summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 latest_conversation, 9 workspace, 10 id, 11 origin, 12 channel, 13 created_at, 14 contact,
-- 15 status, 16 version, 17 updated_at, 18 first_closed_at, 19 assignee, 20 team, 21 pending_since,
-- 22 pending_until, 23 awaiting_contact_since, 24 due_at, 25 active, 26 active_slot, 27 number,
-- 28 opened_at, 29 opened_by_type, 30 opened_by_id, 31 opened_source, 32 first_assigned_at,
-- 33 first_assignee, 34 last_assignee, 35 last_team, 36 first_response_at, 37 first_responder_type,
-- 38 first_responder_id, 39 waiting_since, 40 responses, 41 response_micros, 42 pending_micros,
-- 43 incoming, 44 outgoing_user, 45 outgoing_automation, 46 closed_at, 47 closed_by_type,
-- 48 closed_by_id, 49 closed_source, 50 category, 51 summary, 52 workspace, 53 channel, 54 id,
-- 55 hash, 56 conversation, 57 first_seq, 58 last_seq, 59 workspace, 60 conversation, 61 seq,
-- 62 id, 63 contact, 64 contact_seq, 65 kind, 66 at, 67 by_type, 68 by_id, 69 source, 70 channel,
-- 71 external_id, 72 body, 73 attachments, 74 category, 75 summary, 76 until_at, 77 assignee,
-- 78 team, 79 response, 80 restart_flow, 81 notice, 82 audience
