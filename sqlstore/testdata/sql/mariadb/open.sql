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
-- 77 workspace, 78 list, 79 at, 80 id, 81 workspace, 82 conversation, 83 seq, 84 id, 85 contact,
-- 86 contact_seq, 87 kind, 88 at, 89 by_type, 90 by_id, 91 source, 92 channel, 93 lane, 94 address,
-- 95 external_id, 96 sent_at, 97 body, 98 attachments, 99 category, 100 summary, 101 until_at,
-- 102 assignee, 103 team, 104 response, 105 quiet, 106 new_contact, 107 restart_flow, 108 message,
-- 109 redacted, 110 duplicate, 111 notice, 112 audience, 113 status_before, 114 assignee_before,
-- 115 team_before, 116 lane_before, 117 channel_before, 118 moved_from, 119 from_seq, 120 labels,
-- 121 labels_before, 122 priority, 123 priority_before, 124 subject, 125 attributes
