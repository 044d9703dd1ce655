-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at,
            blocked, merged_into, parent, blocked_by, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 workspace, 14 id, 15 origin,
-- 16 channel, 17 lane, 18 created_at, 19 contact, 20 new_contact, 21 status, 22 version,
-- 23 updated_at, 24 last_activity_at, 25 first_closed_at, 26 assignee, 27 team, 28 labels,
-- 29 priority, 30 subject, 31 attributes, 32 pending_since, 33 pending_until,
-- 34 awaiting_contact_since, 35 address_channel, 36 address, 37 due_at, 38 active, 39 active_slot,
-- 40 number, 41 opened_at, 42 opened_by_type, 43 opened_by_id, 44 opened_source,
-- 45 first_assigned_at, 46 first_assignee, 47 last_assignee, 48 last_team, 49 first_response_at,
-- 50 first_response_sent_at, 51 first_responder_type, 52 first_responder_id,
-- 53 first_waiting_since, 54 waiting_since, 55 no_wait_before, 56 responses, 57 response_micros,
-- 58 pending_micros, 59 incoming, 60 outgoing_user, 61 outgoing_automation, 62 closed_at,
-- 63 closed_by_type, 64 closed_by_id, 65 closed_source, 66 category, 67 summary, 68 workspace,
-- 69 id, 70 status, 71 channel, 72 lane, 73 created_at, 74 assignee, 75 team, 76 priority,
-- 77 workspace, 78 list, 79 at, 80 id, 81 workspace, 82 channel, 83 id, 84 address, 85 ?, 86 id,
-- 87 workspace, 88 channel, 89 id, 90 address, 91 contact, 92 hash, 93 conversation, 94 first_seq,
-- 95 last_seq, 96 workspace, 97 conversation, 98 seq, 99 id, 100 contact, 101 contact_seq,
-- 102 kind, 103 at, 104 by_type, 105 by_id, 106 source, 107 channel, 108 lane, 109 address,
-- 110 external_id, 111 sent_at, 112 body, 113 attachments, 114 category, 115 summary, 116 until_at,
-- 117 assignee, 118 team, 119 response, 120 quiet, 121 new_contact, 122 restart_flow, 123 message,
-- 124 redacted, 125 duplicate, 126 notice, 127 audience, 128 status_before, 129 assignee_before,
-- 130 team_before, 131 lane_before, 132 channel_before, 133 moved_from, 134 from_seq, 135 labels,
-- 136 labels_before, 137 priority, 138 priority_before, 139 subject, 140 attributes
