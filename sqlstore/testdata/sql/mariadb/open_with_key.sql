-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
            merged_into, parent, blocked_by, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
        SET step = 1;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
        SET step = 3;
        IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
                AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                        WHERE asked.workspace = ky.workspace AND asked.id = ?)
                    IN (COALESCE(kc.merged_into, kc.id), (
                        SELECT holds.contact FROM convo_conversations holds
                        WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)))
                            LIMIT 1) THEN LEAVE work; END IF;
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, assignee, team, response, quiet, new_contact,
            restart_flow, message, redacted, duplicate, notice, audience, status_before,
            assignee_before, team_before, lane_before, channel_before, moved_from, from_seq,
            labels, labels_before, priority, priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 parent, 9 blocked_by, 10 name, 11 attributes, 12 workspace, 13 id, 14 origin, 15 channel,
-- 16 lane, 17 created_at, 18 contact, 19 new_contact, 20 status, 21 version, 22 updated_at,
-- 23 last_activity_at, 24 first_closed_at, 25 assignee, 26 team, 27 labels, 28 priority,
-- 29 subject, 30 attributes, 31 pending_since, 32 pending_until, 33 awaiting_contact_since,
-- 34 address_channel, 35 address, 36 due_at, 37 active, 38 active_slot, 39 number, 40 opened_at,
-- 41 opened_by_type, 42 opened_by_id, 43 opened_source, 44 first_assigned_at, 45 first_assignee,
-- 46 last_assignee, 47 last_team, 48 first_response_at, 49 first_response_sent_at,
-- 50 first_responder_type, 51 first_responder_id, 52 first_waiting_since, 53 waiting_since,
-- 54 no_wait_before, 55 responses, 56 response_micros, 57 pending_micros, 58 incoming,
-- 59 outgoing_user, 60 outgoing_automation, 61 closed_at, 62 closed_by_type, 63 closed_by_id,
-- 64 closed_source, 65 category, 66 summary, 67 workspace, 68 id, 69 status, 70 channel, 71 lane,
-- 72 created_at, 73 assignee, 74 team, 75 priority, 76 workspace, 77 list, 78 at, 79 id,
-- 80 workspace, 81 channel, 82 id, 83 address, 84 ?, 85 id, 86 workspace, 87 channel, 88 id,
-- 89 address, 90 contact, 91 hash, 92 conversation, 93 first_seq, 94 last_seq, 95 workspace,
-- 96 conversation, 97 seq, 98 id, 99 contact, 100 contact_seq, 101 kind, 102 at, 103 by_type,
-- 104 by_id, 105 source, 106 channel, 107 lane, 108 address, 109 external_id, 110 sent_at,
-- 111 body, 112 attachments, 113 category, 114 summary, 115 until_at, 116 assignee, 117 team,
-- 118 response, 119 quiet, 120 new_contact, 121 restart_flow, 122 message, 123 redacted,
-- 124 duplicate, 125 notice, 126 audience, 127 status_before, 128 assignee_before, 129 team_before,
-- 130 lane_before, 131 channel_before, 132 moved_from, 133 from_seq, 134 labels, 135 labels_before,
-- 136 priority, 137 priority_before, 138 subject, 139 attributes
