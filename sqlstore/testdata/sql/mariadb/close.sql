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
-- 60 id, 61 version, 62 ), 63 workspace, 64 id, 65 workspace, 66 list, 67 at, 68 id, 69 workspace,
-- 70 list, 71 at, 72 id, 73 workspace, 74 conversation, 75 seq, 76 id, 77 contact, 78 contact_seq,
-- 79 kind, 80 at, 81 by_type, 82 by_id, 83 source, 84 channel, 85 lane, 86 address, 87 external_id,
-- 88 sent_at, 89 body, 90 attachments, 91 category, 92 summary, 93 until_at, 94 on_receive,
-- 95 marks, 96 cycle, 97 score, 98 replaces, 99 assignee, 100 team, 101 response, 102 quiet,
-- 103 new_contact, 104 restart_flow, 105 message, 106 redacted, 107 duplicate, 108 notice,
-- 109 audience, 110 status_before, 111 assignee_before, 112 team_before, 113 lane_before,
-- 114 channel_before, 115 opened_source, 116 status_since, 117 assigned_at, 118 was_assigned,
-- 119 opened_at, 120 turn, 121 turn_since, 122 waiting_since, 123 handed_over_at, 124 replies,
-- 125 pending_micros, 126 closed_by_type, 127 closed_by_id, 128 moved_from, 129 from_seq,
-- 130 labels, 131 labels_before, 132 priority, 133 priority_before, 134 subject, 135 attributes,
-- 136 workspace, 137 conversation, 138 from_seq, 139 workspace, 140 conversation, 141 channel,
-- 142 lane, 143 number, 144 opened_at, 145 opened_by_type, 146 opened_by_id, 147 opened_source,
-- 148 first_assigned_at, 149 first_assignee, 150 last_assignee, 151 last_team,
-- 152 first_response_at, 153 first_response_sent_at, 154 first_responder_type,
-- 155 first_responder_id, 156 first_waiting_since, 157 waiting_since, 158 turn_since,
-- 159 handed_over_at, 160 no_wait_before, 161 responses, 162 response_micros, 163 pending_micros,
-- 164 incoming, 165 outgoing_user, 166 outgoing_automation, 167 rated_at, 168 score,
-- 169 rating_comment, 170 closed_at, 171 closed_by_type, 172 closed_by_id, 173 closed_source,
-- 174 category, 175 summary
