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
        INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
            opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee,
            last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            turn_since, handed_over_at, no_wait_before, responses, response_micros, pending_micros,
            incoming, outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id,
            closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
            category = VALUES(category), summary = VALUES(summary);
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
-- 23 applied, 24 unrated, 25 rating, 26 active, 27 active_slot, 28 number, 29 opened_at,
-- 30 opened_by_type, 31 opened_by_id, 32 opened_source, 33 first_assigned_at, 34 first_assignee,
-- 35 last_assignee, 36 last_team, 37 first_response_at, 38 first_response_sent_at,
-- 39 first_responder_type, 40 first_responder_id, 41 first_waiting_since, 42 waiting_since,
-- 43 turn_since, 44 handed_over_at, 45 no_wait_before, 46 responses, 47 response_micros,
-- 48 pending_micros, 49 incoming, 50 outgoing_user, 51 outgoing_automation, 52 closed_at,
-- 53 closed_by_type, 54 closed_by_id, 55 closed_source, 56 category, 57 summary, 58 workspace,
-- 59 id, 60 version, 61 workspace, 62 conversation, 63 seq, 64 id, 65 contact, 66 contact_seq,
-- 67 kind, 68 at, 69 by_type, 70 by_id, 71 source, 72 channel, 73 lane, 74 address, 75 external_id,
-- 76 sent_at, 77 body, 78 attachments, 79 category, 80 summary, 81 until_at, 82 on_receive,
-- 83 marks, 84 cycle, 85 score, 86 assignee, 87 team, 88 response, 89 quiet, 90 new_contact,
-- 91 restart_flow, 92 message, 93 redacted, 94 duplicate, 95 notice, 96 audience, 97 status_before,
-- 98 assignee_before, 99 team_before, 100 lane_before, 101 channel_before, 102 opened_source,
-- 103 status_since, 104 assigned_at, 105 was_assigned, 106 opened_at, 107 turn, 108 turn_since,
-- 109 waiting_since, 110 handed_over_at, 111 replies, 112 pending_micros, 113 closed_by_type,
-- 114 closed_by_id, 115 moved_from, 116 from_seq, 117 labels, 118 labels_before, 119 priority,
-- 120 priority_before, 121 subject, 122 attributes, 123 workspace, 124 conversation, 125 from_seq,
-- 126 workspace, 127 conversation, 128 channel, 129 lane, 130 number, 131 opened_at,
-- 132 opened_by_type, 133 opened_by_id, 134 opened_source, 135 first_assigned_at,
-- 136 first_assignee, 137 last_assignee, 138 last_team, 139 first_response_at,
-- 140 first_response_sent_at, 141 first_responder_type, 142 first_responder_id,
-- 143 first_waiting_since, 144 waiting_since, 145 turn_since, 146 handed_over_at,
-- 147 no_wait_before, 148 responses, 149 response_micros, 150 pending_micros, 151 incoming,
-- 152 outgoing_user, 153 outgoing_automation, 154 closed_at, 155 closed_by_type, 156 closed_by_id,
-- 157 closed_source, 158 category, 159 summary
