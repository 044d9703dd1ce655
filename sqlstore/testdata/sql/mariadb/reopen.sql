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
            deadline_at = ?, due_at = ?, applied = ?, unrated = ?, rating = ?, active = ?,
            active_slot = ?, number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?,
            opened_source = ?, first_assigned_at = ?, first_assignee = ?, last_assignee = ?,
            last_team = ?, first_response_at = ?, first_response_sent_at = ?,
            first_responder_type = ?, first_responder_id = ?, first_waiting_since = ?,
            waiting_since = ?, no_wait_before = ?, responses = ?, response_micros = ?,
            pending_micros = ?, incoming = ?, outgoing_user = ?, outgoing_automation = ?,
            closed_at = ?, closed_by_type = ?, closed_by_id = ?, closed_source = ?, category = ?,
            summary = ?
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
-- 33 address, 34 marks, 35 deadline_at, 36 due_at, 37 applied, 38 unrated, 39 rating, 40 active,
-- 41 active_slot, 42 number, 43 opened_at, 44 opened_by_type, 45 opened_by_id, 46 opened_source,
-- 47 first_assigned_at, 48 first_assignee, 49 last_assignee, 50 last_team, 51 first_response_at,
-- 52 first_response_sent_at, 53 first_responder_type, 54 first_responder_id,
-- 55 first_waiting_since, 56 waiting_since, 57 no_wait_before, 58 responses, 59 response_micros,
-- 60 pending_micros, 61 incoming, 62 outgoing_user, 63 outgoing_automation, 64 closed_at,
-- 65 closed_by_type, 66 closed_by_id, 67 closed_source, 68 category, 69 summary, 70 workspace,
-- 71 id, 72 version, 73 workspace, 74 id, 75 status, 76 channel, 77 lane, 78 created_at,
-- 79 assignee, 80 team, 81 priority, 82 workspace, 83 list, 84 at, 85 id, 86 workspace,
-- 87 conversation, 88 seq, 89 id, 90 contact, 91 contact_seq, 92 kind, 93 at, 94 by_type, 95 by_id,
-- 96 source, 97 channel, 98 lane, 99 address, 100 external_id, 101 sent_at, 102 body,
-- 103 attachments, 104 category, 105 summary, 106 until_at, 107 on_receive, 108 marks, 109 cycle,
-- 110 score, 111 assignee, 112 team, 113 response, 114 quiet, 115 new_contact, 116 restart_flow,
-- 117 message, 118 redacted, 119 duplicate, 120 notice, 121 audience, 122 status_before,
-- 123 assignee_before, 124 team_before, 125 lane_before, 126 channel_before, 127 moved_from,
-- 128 from_seq, 129 labels, 130 labels_before, 131 priority, 132 priority_before, 133 subject,
-- 134 attributes
