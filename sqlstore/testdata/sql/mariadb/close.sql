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
        DELETE FROM convo_active
            WHERE workspace = ? AND id = ?;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
        DELETE FROM convo_places
            WHERE workspace = ? AND list = ? AND at = ? AND id = ?;
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
-- 59 id, 60 version, 61 workspace, 62 id, 63 workspace, 64 list, 65 at, 66 id, 67 workspace,
-- 68 list, 69 at, 70 id, 71 workspace, 72 conversation, 73 seq, 74 id, 75 contact, 76 contact_seq,
-- 77 kind, 78 at, 79 by_type, 80 by_id, 81 source, 82 channel, 83 lane, 84 address, 85 external_id,
-- 86 sent_at, 87 body, 88 attachments, 89 category, 90 summary, 91 until_at, 92 on_receive,
-- 93 marks, 94 cycle, 95 score, 96 assignee, 97 team, 98 response, 99 quiet, 100 new_contact,
-- 101 restart_flow, 102 message, 103 redacted, 104 duplicate, 105 notice, 106 audience,
-- 107 status_before, 108 assignee_before, 109 team_before, 110 lane_before, 111 channel_before,
-- 112 opened_source, 113 status_since, 114 assigned_at, 115 was_assigned, 116 opened_at, 117 turn,
-- 118 turn_since, 119 waiting_since, 120 handed_over_at, 121 replies, 122 pending_micros,
-- 123 closed_by_type, 124 closed_by_id, 125 moved_from, 126 from_seq, 127 labels,
-- 128 labels_before, 129 priority, 130 priority_before, 131 subject, 132 attributes, 133 workspace,
-- 134 conversation, 135 from_seq, 136 workspace, 137 conversation, 138 channel, 139 lane,
-- 140 number, 141 opened_at, 142 opened_by_type, 143 opened_by_id, 144 opened_source,
-- 145 first_assigned_at, 146 first_assignee, 147 last_assignee, 148 last_team,
-- 149 first_response_at, 150 first_response_sent_at, 151 first_responder_type,
-- 152 first_responder_id, 153 first_waiting_since, 154 waiting_since, 155 turn_since,
-- 156 handed_over_at, 157 no_wait_before, 158 responses, 159 response_micros, 160 pending_micros,
-- 161 incoming, 162 outgoing_user, 163 outgoing_automation, 164 closed_at, 165 closed_by_type,
-- 166 closed_by_id, 167 closed_source, 168 category, 169 summary
