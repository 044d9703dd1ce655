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
            waiting_since = ?, turn_since = ?, handed_over_at = ?, no_wait_before = ?,
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
            opened_source, status_since, assigned_at, was_assigned, opened_at, turn, turn_since,
            waiting_since, handed_over_at, replies, pending_micros, closed_by_type, closed_by_id,
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
            VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
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
-- 55 first_waiting_since, 56 waiting_since, 57 turn_since, 58 handed_over_at, 59 no_wait_before,
-- 60 responses, 61 response_micros, 62 pending_micros, 63 incoming, 64 outgoing_user,
-- 65 outgoing_automation, 66 closed_at, 67 closed_by_type, 68 closed_by_id, 69 closed_source,
-- 70 category, 71 summary, 72 workspace, 73 id, 74 version, 75 workspace, 76 id, 77 status,
-- 78 channel, 79 lane, 80 created_at, 81 assignee, 82 team, 83 priority, 84 workspace, 85 list,
-- 86 at, 87 id, 88 workspace, 89 conversation, 90 seq, 91 id, 92 contact, 93 contact_seq, 94 kind,
-- 95 at, 96 by_type, 97 by_id, 98 source, 99 channel, 100 lane, 101 address, 102 external_id,
-- 103 sent_at, 104 body, 105 attachments, 106 category, 107 summary, 108 until_at, 109 on_receive,
-- 110 marks, 111 cycle, 112 score, 113 assignee, 114 team, 115 response, 116 quiet,
-- 117 new_contact, 118 restart_flow, 119 message, 120 redacted, 121 duplicate, 122 notice,
-- 123 audience, 124 status_before, 125 assignee_before, 126 team_before, 127 lane_before,
-- 128 channel_before, 129 opened_source, 130 status_since, 131 assigned_at, 132 was_assigned,
-- 133 opened_at, 134 turn, 135 turn_since, 136 waiting_since, 137 handed_over_at, 138 replies,
-- 139 pending_micros, 140 closed_by_type, 141 closed_by_id, 142 moved_from, 143 from_seq,
-- 144 labels, 145 labels_before, 146 priority, 147 priority_before, 148 subject, 149 attributes,
-- 150 workspace, 151 conversation, 152 from_seq
