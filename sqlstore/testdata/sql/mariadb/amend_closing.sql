-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
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
            WHERE workspace = ? AND id = ? AND version = ? AND COALESCE(deadline_at,
                -62135596800000000) = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
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
            score = VALUES(score), rating_comment = VALUES(rating_comment),
            outgoing_user = VALUES(outgoing_user),
                outgoing_automation = VALUES(outgoing_automation);
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
-- 23 applied, 24 unrated, 25 active, 26 number, 27 opened_at, 28 opened_by_type, 29 opened_by_id,
-- 30 opened_source, 31 first_assigned_at, 32 first_assignee, 33 last_assignee, 34 last_team,
-- 35 first_response_at, 36 first_response_sent_at, 37 first_responder_type, 38 first_responder_id,
-- 39 first_waiting_since, 40 waiting_since, 41 turn_since, 42 handed_over_at, 43 no_wait_before,
-- 44 responses, 45 response_micros, 46 pending_micros, 47 incoming, 48 outgoing_user,
-- 49 outgoing_automation, 50 rated_at, 51 score, 52 rating_comment, 53 closed_at,
-- 54 closed_by_type, 55 closed_by_id, 56 closed_source, 57 category, 58 summary, 59 workspace,
-- 60 id, 61 version, 62 ), 63 workspace, 64 conversation, 65 seq, 66 id, 67 contact,
-- 68 contact_seq, 69 kind, 70 at, 71 by_type, 72 by_id, 73 source, 74 channel, 75 lane, 76 address,
-- 77 external_id, 78 sent_at, 79 body, 80 attachments, 81 category, 82 summary, 83 until_at,
-- 84 on_receive, 85 marks, 86 cycle, 87 score, 88 replaces, 89 assignee, 90 team, 91 response,
-- 92 quiet, 93 new_contact, 94 restart_flow, 95 message, 96 redacted, 97 duplicate, 98 notice,
-- 99 audience, 100 status_before, 101 assignee_before, 102 team_before, 103 lane_before,
-- 104 channel_before, 105 opened_source, 106 status_since, 107 assigned_at, 108 was_assigned,
-- 109 opened_at, 110 turn, 111 turn_since, 112 waiting_since, 113 handed_over_at, 114 replies,
-- 115 pending_micros, 116 closed_by_type, 117 closed_by_id, 118 moved_from, 119 from_seq,
-- 120 labels, 121 labels_before, 122 priority, 123 priority_before, 124 subject, 125 attributes,
-- 126 workspace, 127 conversation, 128 from_seq, 129 workspace, 130 conversation, 131 channel,
-- 132 lane, 133 number, 134 opened_at, 135 opened_by_type, 136 opened_by_id, 137 opened_source,
-- 138 first_assigned_at, 139 first_assignee, 140 last_assignee, 141 last_team,
-- 142 first_response_at, 143 first_response_sent_at, 144 first_responder_type,
-- 145 first_responder_id, 146 first_waiting_since, 147 waiting_since, 148 turn_since,
-- 149 handed_over_at, 150 no_wait_before, 151 responses, 152 response_micros, 153 pending_micros,
-- 154 incoming, 155 outgoing_user, 156 outgoing_automation, 157 rated_at, 158 score,
-- 159 rating_comment, 160 closed_at, 161 closed_by_type, 162 closed_by_id, 163 closed_source,
-- 164 category, 165 summary
