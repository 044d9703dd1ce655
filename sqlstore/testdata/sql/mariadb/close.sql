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
            waiting_since = ?, no_wait_before = ?, responses = ?, response_micros = ?,
            pending_micros = ?, incoming = ?, outgoing_user = ?, outgoing_automation = ?,
            closed_at = ?, closed_by_type = ?, closed_by_id = ?, closed_source = ?, category = ?,
            summary = ?
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
            moved_from, from_seq, labels, labels_before, priority, priority_before, subject,
            attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
            opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee,
            last_assignee, last_team, first_response_at, first_response_sent_at,
            first_responder_type, first_responder_id, first_waiting_since, waiting_since,
            no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
            outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category,
            summary, rollup_pending)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, 1) ON DUPLICATE KEY UPDATE
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
-- 43 no_wait_before, 44 responses, 45 response_micros, 46 pending_micros, 47 incoming,
-- 48 outgoing_user, 49 outgoing_automation, 50 closed_at, 51 closed_by_type, 52 closed_by_id,
-- 53 closed_source, 54 category, 55 summary, 56 workspace, 57 id, 58 version, 59 workspace, 60 id,
-- 61 workspace, 62 list, 63 at, 64 id, 65 workspace, 66 list, 67 at, 68 id, 69 workspace,
-- 70 conversation, 71 seq, 72 id, 73 contact, 74 contact_seq, 75 kind, 76 at, 77 by_type, 78 by_id,
-- 79 source, 80 channel, 81 lane, 82 address, 83 external_id, 84 sent_at, 85 body, 86 attachments,
-- 87 category, 88 summary, 89 until_at, 90 on_receive, 91 marks, 92 cycle, 93 score, 94 assignee,
-- 95 team, 96 response, 97 quiet, 98 new_contact, 99 restart_flow, 100 message, 101 redacted,
-- 102 duplicate, 103 notice, 104 audience, 105 status_before, 106 assignee_before, 107 team_before,
-- 108 lane_before, 109 channel_before, 110 moved_from, 111 from_seq, 112 labels, 113 labels_before,
-- 114 priority, 115 priority_before, 116 subject, 117 attributes, 118 workspace, 119 conversation,
-- 120 channel, 121 lane, 122 number, 123 opened_at, 124 opened_by_type, 125 opened_by_id,
-- 126 opened_source, 127 first_assigned_at, 128 first_assignee, 129 last_assignee, 130 last_team,
-- 131 first_response_at, 132 first_response_sent_at, 133 first_responder_type,
-- 134 first_responder_id, 135 first_waiting_since, 136 waiting_since, 137 no_wait_before,
-- 138 responses, 139 response_micros, 140 pending_micros, 141 incoming, 142 outgoing_user,
-- 143 outgoing_automation, 144 closed_at, 145 closed_by_type, 146 closed_by_id, 147 closed_source,
-- 148 category, 149 summary
