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
            deadline_at = ?, due_at = ?, unrated = ?, rating = ?, active = ?, active_slot = ?,
            number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
            first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
            first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
            first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, no_wait_before = ?,
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
-- 23 unrated, 24 rating, 25 active, 26 active_slot, 27 number, 28 opened_at, 29 opened_by_type,
-- 30 opened_by_id, 31 opened_source, 32 first_assigned_at, 33 first_assignee, 34 last_assignee,
-- 35 last_team, 36 first_response_at, 37 first_response_sent_at, 38 first_responder_type,
-- 39 first_responder_id, 40 first_waiting_since, 41 waiting_since, 42 no_wait_before, 43 responses,
-- 44 response_micros, 45 pending_micros, 46 incoming, 47 outgoing_user, 48 outgoing_automation,
-- 49 closed_at, 50 closed_by_type, 51 closed_by_id, 52 closed_source, 53 category, 54 summary,
-- 55 workspace, 56 id, 57 version, 58 workspace, 59 id, 60 workspace, 61 list, 62 at, 63 id,
-- 64 workspace, 65 list, 66 at, 67 id, 68 workspace, 69 conversation, 70 seq, 71 id, 72 contact,
-- 73 contact_seq, 74 kind, 75 at, 76 by_type, 77 by_id, 78 source, 79 channel, 80 lane, 81 address,
-- 82 external_id, 83 sent_at, 84 body, 85 attachments, 86 category, 87 summary, 88 until_at,
-- 89 on_receive, 90 marks, 91 cycle, 92 score, 93 assignee, 94 team, 95 response, 96 quiet,
-- 97 new_contact, 98 restart_flow, 99 message, 100 redacted, 101 duplicate, 102 notice,
-- 103 audience, 104 status_before, 105 assignee_before, 106 team_before, 107 lane_before,
-- 108 channel_before, 109 moved_from, 110 from_seq, 111 labels, 112 labels_before, 113 priority,
-- 114 priority_before, 115 subject, 116 attributes, 117 workspace, 118 conversation, 119 channel,
-- 120 lane, 121 number, 122 opened_at, 123 opened_by_type, 124 opened_by_id, 125 opened_source,
-- 126 first_assigned_at, 127 first_assignee, 128 last_assignee, 129 last_team,
-- 130 first_response_at, 131 first_response_sent_at, 132 first_responder_type,
-- 133 first_responder_id, 134 first_waiting_since, 135 waiting_since, 136 no_wait_before,
-- 137 responses, 138 response_micros, 139 pending_micros, 140 incoming, 141 outgoing_user,
-- 142 outgoing_automation, 143 closed_at, 144 closed_by_type, 145 closed_by_id, 146 closed_source,
-- 147 category, 148 summary
