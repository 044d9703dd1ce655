-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, seen_at = ?,
            blocked = ?, merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?
            WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        SET step = 2;
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET status = ?, status_since = ?,
            version = ?, updated_at = ?, last_activity_at = ?, last_incoming_at = ?,
            first_closed_at = ?, assignee = ?, team = ?, assigned_at = ?, labels = ?, priority = ?,
            subject = ?, attributes = ?, pending_until = ?, on_receive = ?,
            awaiting_contact_since = ?, address_channel = ?, address = ?, marks = ?,
            deadline_at = ?, due_at = ?, unrated = ?, rating = ?, active = ?, active_slot = ?,
            number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
            first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
            first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
            first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, no_wait_before = ?,
            responses = ?, response_micros = ?, pending_micros = ?, incoming = ?,
            outgoing_user = ?, outgoing_automation = ?, closed_at = ?, closed_by_type = ?,
            closed_by_id = ?, closed_source = ?, category = ?, summary = ?
            WHERE workspace = ? AND id = ? AND version = ?;
        IF ROW_COUNT() <> 1 THEN SET step = 1; LEAVE work; END IF;
        SET step = 1;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
            by_type, by_id, source, channel, lane, address, external_id, sent_at, body,
            attachments, category, summary, until_at, on_receive, marks, cycle, score, assignee,
            team, response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice,
            audience, status_before, assignee_before, team_before, lane_before, channel_before,
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 workspace, 12 id, 13 version, 14 seen_at, 15 status,
-- 16 status_since, 17 version, 18 updated_at, 19 last_activity_at, 20 last_incoming_at,
-- 21 first_closed_at, 22 assignee, 23 team, 24 assigned_at, 25 labels, 26 priority, 27 subject,
-- 28 attributes, 29 pending_until, 30 on_receive, 31 awaiting_contact_since, 32 address_channel,
-- 33 address, 34 marks, 35 deadline_at, 36 due_at, 37 unrated, 38 rating, 39 active,
-- 40 active_slot, 41 number, 42 opened_at, 43 opened_by_type, 44 opened_by_id, 45 opened_source,
-- 46 first_assigned_at, 47 first_assignee, 48 last_assignee, 49 last_team, 50 first_response_at,
-- 51 first_response_sent_at, 52 first_responder_type, 53 first_responder_id,
-- 54 first_waiting_since, 55 waiting_since, 56 no_wait_before, 57 responses, 58 response_micros,
-- 59 pending_micros, 60 incoming, 61 outgoing_user, 62 outgoing_automation, 63 closed_at,
-- 64 closed_by_type, 65 closed_by_id, 66 closed_source, 67 category, 68 summary, 69 workspace,
-- 70 id, 71 version, 72 workspace, 73 id, 74 status, 75 channel, 76 lane, 77 created_at,
-- 78 assignee, 79 team, 80 priority, 81 workspace, 82 list, 83 at, 84 id, 85 workspace,
-- 86 conversation, 87 seq, 88 id, 89 contact, 90 contact_seq, 91 kind, 92 at, 93 by_type, 94 by_id,
-- 95 source, 96 channel, 97 lane, 98 address, 99 external_id, 100 sent_at, 101 body,
-- 102 attachments, 103 category, 104 summary, 105 until_at, 106 on_receive, 107 marks, 108 cycle,
-- 109 score, 110 assignee, 111 team, 112 response, 113 quiet, 114 new_contact, 115 restart_flow,
-- 116 message, 117 redacted, 118 duplicate, 119 notice, 120 audience, 121 status_before,
-- 122 assignee_before, 123 team_before, 124 lane_before, 125 channel_before, 126 moved_from,
-- 127 from_seq, 128 labels, 129 labels_before, 130 priority, 131 priority_before, 132 subject,
-- 133 attributes
