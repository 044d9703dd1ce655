-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee,
            team, labels, priority, subject, attributes, pending_since, pending_until,
            awaiting_contact_since, address_channel, address, due_at, active, active_slot, number,
            opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
            first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
            outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
            summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?);
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
            assignee_before, team_before, lane_before, channel_before, labels, labels_before,
            priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 name, 9 attributes, 10 workspace, 11 id, 12 origin, 13 channel, 14 lane, 15 created_at,
-- 16 contact, 17 new_contact, 18 status, 19 version, 20 updated_at, 21 last_activity_at,
-- 22 first_closed_at, 23 assignee, 24 team, 25 labels, 26 priority, 27 subject, 28 attributes,
-- 29 pending_since, 30 pending_until, 31 awaiting_contact_since, 32 address_channel, 33 address,
-- 34 due_at, 35 active, 36 active_slot, 37 number, 38 opened_at, 39 opened_by_type,
-- 40 opened_by_id, 41 opened_source, 42 first_assigned_at, 43 first_assignee, 44 last_assignee,
-- 45 last_team, 46 first_response_at, 47 first_response_sent_at, 48 first_responder_type,
-- 49 first_responder_id, 50 first_waiting_since, 51 waiting_since, 52 no_wait_before, 53 responses,
-- 54 response_micros, 55 pending_micros, 56 incoming, 57 outgoing_user, 58 outgoing_automation,
-- 59 closed_at, 60 closed_by_type, 61 closed_by_id, 62 closed_source, 63 category, 64 summary,
-- 65 workspace, 66 channel, 67 id, 68 address, 69 ?, 70 ), 71 workspace, 72 channel, 73 id,
-- 74 address, 75 contact, 76 hash, 77 conversation, 78 first_seq, 79 last_seq, 80 workspace,
-- 81 conversation, 82 seq, 83 id, 84 contact, 85 contact_seq, 86 kind, 87 at, 88 by_type, 89 by_id,
-- 90 source, 91 channel, 92 lane, 93 address, 94 external_id, 95 sent_at, 96 body, 97 attachments,
-- 98 category, 99 summary, 100 until_at, 101 assignee, 102 team, 103 response, 104 quiet,
-- 105 new_contact, 106 restart_flow, 107 message, 108 redacted, 109 duplicate, 110 notice,
-- 111 audience, 112 status_before, 113 assignee_before, 114 team_before, 115 lane_before,
-- 116 channel_before, 117 labels, 118 labels_before, 119 priority, 120 priority_before,
-- 121 subject, 122 attributes
