-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into)
            VALUES (?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee,
            team, pending_since, pending_until, awaiting_contact_since, address_channel, address,
            due_at, active, active_slot, number, opened_at, opened_by_type, opened_by_id,
            opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
            first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
            first_waiting_since, waiting_since, no_wait_before, responses, response_micros,
            pending_micros, incoming, outgoing_user, outgoing_automation, closed_at,
            closed_by_type, closed_by_id, closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 3;
        IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
                AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND COALESCE(kc.merged_into, kc.id) = ?) LIMIT 1) THEN LEAVE work; END IF;
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 workspace, 9 id, 10 origin, 11 channel, 12 lane, 13 created_at, 14 contact, 15 new_contact,
-- 16 status, 17 version, 18 updated_at, 19 last_activity_at, 20 first_closed_at, 21 assignee,
-- 22 team, 23 pending_since, 24 pending_until, 25 awaiting_contact_since, 26 address_channel,
-- 27 address, 28 due_at, 29 active, 30 active_slot, 31 number, 32 opened_at, 33 opened_by_type,
-- 34 opened_by_id, 35 opened_source, 36 first_assigned_at, 37 first_assignee, 38 last_assignee,
-- 39 last_team, 40 first_response_at, 41 first_response_sent_at, 42 first_responder_type,
-- 43 first_responder_id, 44 first_waiting_since, 45 waiting_since, 46 no_wait_before, 47 responses,
-- 48 response_micros, 49 pending_micros, 50 incoming, 51 outgoing_user, 52 outgoing_automation,
-- 53 closed_at, 54 closed_by_type, 55 closed_by_id, 56 closed_source, 57 category, 58 summary,
-- 59 workspace, 60 channel, 61 id, 62 address, 63 ?, 64 ), 65 workspace, 66 channel, 67 id,
-- 68 address, 69 contact, 70 hash, 71 conversation, 72 first_seq, 73 last_seq, 74 workspace,
-- 75 conversation, 76 seq, 77 id, 78 contact, 79 contact_seq, 80 kind, 81 at, 82 by_type, 83 by_id,
-- 84 source, 85 channel, 86 lane, 87 address, 88 external_id, 89 sent_at, 90 body, 91 attachments,
-- 92 category, 93 summary, 94 until_at, 95 assignee, 96 team, 97 response, 98 quiet,
-- 99 new_contact, 100 restart_flow, 101 message, 102 redacted, 103 duplicate, 104 notice,
-- 105 audience, 106 status_before, 107 assignee_before, 108 team_before, 109 lane_before,
-- 110 channel_before
