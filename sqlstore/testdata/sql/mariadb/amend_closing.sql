-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
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
        INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
            opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee,
            last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            turn_since, handed_over_at, no_wait_before, responses, response_micros, pending_micros,
            incoming, outgoing_user, outgoing_automation, rated_at, score, rating_comment,
            closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
            category = VALUES(category), summary = VALUES(summary), rated_at = VALUES(rated_at),
            score = VALUES(score), rating_comment = VALUES(rating_comment);
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 status, 2 status_since, 3 version, 4 updated_at, 5 last_activity_at,
-- 6 last_incoming_at, 7 first_closed_at, 8 assignee, 9 team, 10 assigned_at, 11 labels,
-- 12 priority, 13 subject, 14 attributes, 15 pending_until, 16 on_receive,
-- 17 awaiting_contact_since, 18 address_channel, 19 address, 20 marks, 21 deadline_at, 22 due_at,
-- 23 applied, 24 unrated, 25 active, 26 active_slot, 27 number, 28 opened_at, 29 opened_by_type,
-- 30 opened_by_id, 31 opened_source, 32 first_assigned_at, 33 first_assignee, 34 last_assignee,
-- 35 last_team, 36 first_response_at, 37 first_response_sent_at, 38 first_responder_type,
-- 39 first_responder_id, 40 first_waiting_since, 41 waiting_since, 42 turn_since,
-- 43 handed_over_at, 44 no_wait_before, 45 responses, 46 response_micros, 47 pending_micros,
-- 48 incoming, 49 outgoing_user, 50 outgoing_automation, 51 rated_at, 52 score, 53 rating_comment,
-- 54 closed_at, 55 closed_by_type, 56 closed_by_id, 57 closed_source, 58 category, 59 summary,
-- 60 workspace, 61 id, 62 version, 63 ), 64 workspace, 65 conversation, 66 seq, 67 id, 68 contact,
-- 69 contact_seq, 70 kind, 71 at, 72 by_type, 73 by_id, 74 source, 75 channel, 76 lane, 77 address,
-- 78 external_id, 79 sent_at, 80 body, 81 attachments, 82 category, 83 summary, 84 until_at,
-- 85 on_receive, 86 marks, 87 cycle, 88 score, 89 replaces, 90 assignee, 91 team, 92 response,
-- 93 quiet, 94 new_contact, 95 restart_flow, 96 message, 97 redacted, 98 duplicate, 99 notice,
-- 100 audience, 101 status_before, 102 assignee_before, 103 team_before, 104 lane_before,
-- 105 channel_before, 106 opened_source, 107 status_since, 108 assigned_at, 109 was_assigned,
-- 110 opened_at, 111 turn, 112 turn_since, 113 waiting_since, 114 handed_over_at, 115 replies,
-- 116 pending_micros, 117 closed_by_type, 118 closed_by_id, 119 moved_from, 120 from_seq,
-- 121 labels, 122 labels_before, 123 priority, 124 priority_before, 125 subject, 126 attributes,
-- 127 workspace, 128 conversation, 129 from_seq, 130 workspace, 131 conversation, 132 channel,
-- 133 lane, 134 number, 135 opened_at, 136 opened_by_type, 137 opened_by_id, 138 opened_source,
-- 139 first_assigned_at, 140 first_assignee, 141 last_assignee, 142 last_team,
-- 143 first_response_at, 144 first_response_sent_at, 145 first_responder_type,
-- 146 first_responder_id, 147 first_waiting_since, 148 waiting_since, 149 turn_since,
-- 150 handed_over_at, 151 no_wait_before, 152 responses, 153 response_micros, 154 pending_micros,
-- 155 incoming, 156 outgoing_user, 157 outgoing_automation, 158 rated_at, 159 score,
-- 160 rating_comment, 161 closed_at, 162 closed_by_type, 163 closed_by_id, 164 closed_source,
-- 165 category, 166 summary
