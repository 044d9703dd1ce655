-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, seen_at = ?,
            blocked = ?, merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?,
            erased_at = ?
            WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        UPDATE convo_conversations FORCE INDEX (PRIMARY) SET status = ?, status_since = ?,
            version = ?, updated_at = ?, last_activity_at = ?, last_incoming_at = ?,
            first_closed_at = ?, assignee = ?, team = ?, assigned_at = ?, labels = ?, priority = ?,
            subject = ?, attributes = ?, pending_until = ?, on_receive = ?,
            awaiting_contact_since = ?, address_channel = ?, address = ?, marks = ?,
            deadline_at = ?, due_at = ?, applied = ?, unrated = ?, active = ?, number = ?,
            opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
            first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
            first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
            first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, turn_since = ?,
            handed_over_at = ?, no_wait_before = ?, responses = ?, response_micros = ?,
            pending_micros = ?, incoming = ?, outgoing_user = ?, outgoing_automation = ?,
            rated_at = ?, score = ?, rating_comment = ?, closed_at = ?, closed_by_type = ?,
            closed_by_id = ?, closed_source = ?, category = ?, summary = ?
            WHERE workspace = ? AND id = ? AND version = ?
                AND COALESCE(deadline_at, -62135596800000000) = ?
                AND COALESCE(due_at, -62135596800000000) = ?
                AND COALESCE(applied, '') = ?
                AND contact = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        SET step = 2;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority, contact, due_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
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
-- 8 blocked_by, 9 name, 10 attributes, 11 erased_at, 12 workspace, 13 id, 14 version, 15 seen_at,
-- 16 status, 17 status_since, 18 version, 19 updated_at, 20 last_activity_at, 21 last_incoming_at,
-- 22 first_closed_at, 23 assignee, 24 team, 25 assigned_at, 26 labels, 27 priority, 28 subject,
-- 29 attributes, 30 pending_until, 31 on_receive, 32 awaiting_contact_since, 33 address_channel,
-- 34 address, 35 marks, 36 deadline_at, 37 due_at, 38 applied, 39 unrated, 40 active, 41 number,
-- 42 opened_at, 43 opened_by_type, 44 opened_by_id, 45 opened_source, 46 first_assigned_at,
-- 47 first_assignee, 48 last_assignee, 49 last_team, 50 first_response_at,
-- 51 first_response_sent_at, 52 first_responder_type, 53 first_responder_id,
-- 54 first_waiting_since, 55 waiting_since, 56 turn_since, 57 handed_over_at, 58 no_wait_before,
-- 59 responses, 60 response_micros, 61 pending_micros, 62 incoming, 63 outgoing_user,
-- 64 outgoing_automation, 65 rated_at, 66 score, 67 rating_comment, 68 closed_at,
-- 69 closed_by_type, 70 closed_by_id, 71 closed_source, 72 category, 73 summary, 74 workspace,
-- 75 id, 76 version, 77 ), 78 ), 79 ), 80 contact, 81 workspace, 82 id, 83 status, 84 channel,
-- 85 lane, 86 created_at, 87 assignee, 88 team, 89 priority, 90 contact, 91 due_at, 92 workspace,
-- 93 list, 94 at, 95 id, 96 workspace, 97 conversation, 98 seq, 99 id, 100 contact,
-- 101 contact_seq, 102 kind, 103 at, 104 by_type, 105 by_id, 106 source, 107 channel, 108 lane,
-- 109 address, 110 external_id, 111 sent_at, 112 body, 113 attachments, 114 category, 115 summary,
-- 116 until_at, 117 on_receive, 118 marks, 119 cycle, 120 score, 121 replaces, 122 assignee,
-- 123 team, 124 response, 125 quiet, 126 new_contact, 127 restart_flow, 128 message, 129 redacted,
-- 130 duplicate, 131 notice, 132 audience, 133 status_before, 134 assignee_before, 135 team_before,
-- 136 lane_before, 137 channel_before, 138 opened_source, 139 status_since, 140 assigned_at,
-- 141 was_assigned, 142 opened_at, 143 turn, 144 turn_since, 145 waiting_since, 146 handed_over_at,
-- 147 replies, 148 pending_micros, 149 closed_by_type, 150 closed_by_id, 151 moved_from,
-- 152 from_seq, 153 labels, 154 labels_before, 155 priority, 156 priority_before, 157 subject,
-- 158 attributes, 159 workspace, 160 conversation, 161 from_seq
