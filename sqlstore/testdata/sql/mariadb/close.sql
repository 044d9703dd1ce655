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
        DELETE FROM convo_active
            WHERE workspace = ? AND id = ?;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
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
-- 60 workspace, 61 id, 62 version, 63 ), 64 workspace, 65 id, 66 workspace, 67 list, 68 at, 69 id,
-- 70 workspace, 71 list, 72 at, 73 id, 74 workspace, 75 conversation, 76 seq, 77 id, 78 contact,
-- 79 contact_seq, 80 kind, 81 at, 82 by_type, 83 by_id, 84 source, 85 channel, 86 lane, 87 address,
-- 88 external_id, 89 sent_at, 90 body, 91 attachments, 92 category, 93 summary, 94 until_at,
-- 95 on_receive, 96 marks, 97 cycle, 98 score, 99 replaces, 100 assignee, 101 team, 102 response,
-- 103 quiet, 104 new_contact, 105 restart_flow, 106 message, 107 redacted, 108 duplicate,
-- 109 notice, 110 audience, 111 status_before, 112 assignee_before, 113 team_before,
-- 114 lane_before, 115 channel_before, 116 opened_source, 117 status_since, 118 assigned_at,
-- 119 was_assigned, 120 opened_at, 121 turn, 122 turn_since, 123 waiting_since, 124 handed_over_at,
-- 125 replies, 126 pending_micros, 127 closed_by_type, 128 closed_by_id, 129 moved_from,
-- 130 from_seq, 131 labels, 132 labels_before, 133 priority, 134 priority_before, 135 subject,
-- 136 attributes, 137 workspace, 138 conversation, 139 from_seq, 140 workspace, 141 conversation,
-- 142 channel, 143 lane, 144 number, 145 opened_at, 146 opened_by_type, 147 opened_by_id,
-- 148 opened_source, 149 first_assigned_at, 150 first_assignee, 151 last_assignee, 152 last_team,
-- 153 first_response_at, 154 first_response_sent_at, 155 first_responder_type,
-- 156 first_responder_id, 157 first_waiting_since, 158 waiting_since, 159 turn_since,
-- 160 handed_over_at, 161 no_wait_before, 162 responses, 163 response_micros, 164 pending_micros,
-- 165 incoming, 166 outgoing_user, 167 outgoing_automation, 168 rated_at, 169 score,
-- 170 rating_comment, 171 closed_at, 172 closed_by_type, 173 closed_by_id, 174 closed_source,
-- 175 category, 176 summary
