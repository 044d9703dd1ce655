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
            deadline_at = ?, due_at = ?, applied = ?, unrated = ?, active = ?, active_slot = ?,
            number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
            first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
            first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
            first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, turn_since = ?,
            handed_over_at = ?, no_wait_before = ?, responses = ?, response_micros = ?,
            pending_micros = ?, incoming = ?, outgoing_user = ?, outgoing_automation = ?,
            rated_at = ?, score = ?, rating_comment = ?, closed_at = ?, closed_by_type = ?,
            closed_by_id = ?, closed_source = ?, category = ?, summary = ?
            WHERE workspace = ? AND id = ? AND version = ? AND COALESCE(deadline_at,
                -62135596800000000) = ?;
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
            attachments, category, summary, until_at, on_receive, marks, cycle, score, replaces,
            assignee, team, response, quiet, new_contact, restart_flow, message, redacted,
            duplicate, notice, audience, status_before, assignee_before, team_before, lane_before,
            channel_before, opened_source, status_since, assigned_at, was_assigned, opened_at,
            turn, turn_since, waiting_since, handed_over_at, replies, pending_micros,
            closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before, priority,
            priority_before, subject, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 33 address, 34 marks, 35 deadline_at, 36 due_at, 37 applied, 38 unrated, 39 active,
-- 40 active_slot, 41 number, 42 opened_at, 43 opened_by_type, 44 opened_by_id, 45 opened_source,
-- 46 first_assigned_at, 47 first_assignee, 48 last_assignee, 49 last_team, 50 first_response_at,
-- 51 first_response_sent_at, 52 first_responder_type, 53 first_responder_id,
-- 54 first_waiting_since, 55 waiting_since, 56 turn_since, 57 handed_over_at, 58 no_wait_before,
-- 59 responses, 60 response_micros, 61 pending_micros, 62 incoming, 63 outgoing_user,
-- 64 outgoing_automation, 65 rated_at, 66 score, 67 rating_comment, 68 closed_at,
-- 69 closed_by_type, 70 closed_by_id, 71 closed_source, 72 category, 73 summary, 74 workspace,
-- 75 id, 76 version, 77 ), 78 workspace, 79 id, 80 status, 81 channel, 82 lane, 83 created_at,
-- 84 assignee, 85 team, 86 priority, 87 workspace, 88 list, 89 at, 90 id, 91 workspace,
-- 92 conversation, 93 seq, 94 id, 95 contact, 96 contact_seq, 97 kind, 98 at, 99 by_type,
-- 100 by_id, 101 source, 102 channel, 103 lane, 104 address, 105 external_id, 106 sent_at,
-- 107 body, 108 attachments, 109 category, 110 summary, 111 until_at, 112 on_receive, 113 marks,
-- 114 cycle, 115 score, 116 replaces, 117 assignee, 118 team, 119 response, 120 quiet,
-- 121 new_contact, 122 restart_flow, 123 message, 124 redacted, 125 duplicate, 126 notice,
-- 127 audience, 128 status_before, 129 assignee_before, 130 team_before, 131 lane_before,
-- 132 channel_before, 133 opened_source, 134 status_since, 135 assigned_at, 136 was_assigned,
-- 137 opened_at, 138 turn, 139 turn_since, 140 waiting_since, 141 handed_over_at, 142 replies,
-- 143 pending_micros, 144 closed_by_type, 145 closed_by_id, 146 moved_from, 147 from_seq,
-- 148 labels, 149 labels_before, 150 priority, 151 priority_before, 152 subject, 153 attributes,
-- 154 workspace, 155 conversation, 156 from_seq
