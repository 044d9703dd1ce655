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
                AND COALESCE(applied, '') = ?;
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
-- 75 id, 76 version, 77 ), 78 ), 79 ), 80 workspace, 81 id, 82 status, 83 channel, 84 lane,
-- 85 created_at, 86 assignee, 87 team, 88 priority, 89 contact, 90 due_at, 91 workspace, 92 list,
-- 93 at, 94 id, 95 workspace, 96 conversation, 97 seq, 98 id, 99 contact, 100 contact_seq,
-- 101 kind, 102 at, 103 by_type, 104 by_id, 105 source, 106 channel, 107 lane, 108 address,
-- 109 external_id, 110 sent_at, 111 body, 112 attachments, 113 category, 114 summary, 115 until_at,
-- 116 on_receive, 117 marks, 118 cycle, 119 score, 120 replaces, 121 assignee, 122 team,
-- 123 response, 124 quiet, 125 new_contact, 126 restart_flow, 127 message, 128 redacted,
-- 129 duplicate, 130 notice, 131 audience, 132 status_before, 133 assignee_before, 134 team_before,
-- 135 lane_before, 136 channel_before, 137 opened_source, 138 status_since, 139 assigned_at,
-- 140 was_assigned, 141 opened_at, 142 turn, 143 turn_since, 144 waiting_since, 145 handed_over_at,
-- 146 replies, 147 pending_micros, 148 closed_by_type, 149 closed_by_id, 150 moved_from,
-- 151 from_seq, 152 labels, 153 labels_before, 154 priority, 155 priority_before, 156 subject,
-- 157 attributes, 158 workspace, 159 conversation, 160 from_seq
