-- load by contact: see load.sql

-- commit
BEGIN NOT ATOMIC
    DECLARE step INT DEFAULT 1;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    DECLARE EXIT HANDLER FOR 1062 BEGIN ROLLBACK; SELECT step; END;
    START TRANSACTION;
    work: BEGIN
        INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at,
            blocked, merged_into, parent, blocked_by, name, attributes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 2;
        INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
            new_contact, status, status_since, version, updated_at, last_activity_at,
            last_incoming_at, first_closed_at, assignee, team, assigned_at, labels, priority,
            subject, attributes, pending_until, on_receive, awaiting_contact_since,
            address_channel, address, marks, deadline_at, due_at, unrated, rating, active,
            active_slot, number, opened_at, opened_by_type, opened_by_id, opened_source,
            first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
            first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
            waiting_since, no_wait_before, responses, response_micros, pending_micros, incoming,
            outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id,
            closed_source, category, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?);
        SET step = 1;
        INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
            priority)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
        INSERT INTO convo_places (workspace, list, at, id)
            VALUES (?, ?, ?, ?);
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
        SET step = 0;
        COMMIT;
    END work;
    IF step <> 0 THEN ROLLBACK; END IF;
    SELECT step;
END;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 workspace, 14 id, 15 origin,
-- 16 channel, 17 lane, 18 created_at, 19 contact, 20 new_contact, 21 status, 22 status_since,
-- 23 version, 24 updated_at, 25 last_activity_at, 26 last_incoming_at, 27 first_closed_at,
-- 28 assignee, 29 team, 30 assigned_at, 31 labels, 32 priority, 33 subject, 34 attributes,
-- 35 pending_until, 36 on_receive, 37 awaiting_contact_since, 38 address_channel, 39 address,
-- 40 marks, 41 deadline_at, 42 due_at, 43 unrated, 44 rating, 45 active, 46 active_slot, 47 number,
-- 48 opened_at, 49 opened_by_type, 50 opened_by_id, 51 opened_source, 52 first_assigned_at,
-- 53 first_assignee, 54 last_assignee, 55 last_team, 56 first_response_at,
-- 57 first_response_sent_at, 58 first_responder_type, 59 first_responder_id,
-- 60 first_waiting_since, 61 waiting_since, 62 no_wait_before, 63 responses, 64 response_micros,
-- 65 pending_micros, 66 incoming, 67 outgoing_user, 68 outgoing_automation, 69 closed_at,
-- 70 closed_by_type, 71 closed_by_id, 72 closed_source, 73 category, 74 summary, 75 workspace,
-- 76 id, 77 status, 78 channel, 79 lane, 80 created_at, 81 assignee, 82 team, 83 priority,
-- 84 workspace, 85 list, 86 at, 87 id, 88 workspace, 89 conversation, 90 seq, 91 id, 92 contact,
-- 93 contact_seq, 94 kind, 95 at, 96 by_type, 97 by_id, 98 source, 99 channel, 100 lane,
-- 101 address, 102 external_id, 103 sent_at, 104 body, 105 attachments, 106 category, 107 summary,
-- 108 until_at, 109 on_receive, 110 marks, 111 cycle, 112 score, 113 assignee, 114 team,
-- 115 response, 116 quiet, 117 new_contact, 118 restart_flow, 119 message, 120 redacted,
-- 121 duplicate, 122 notice, 123 audience, 124 status_before, 125 assignee_before, 126 team_before,
-- 127 lane_before, 128 channel_before, 129 moved_from, 130 from_seq, 131 labels, 132 labels_before,
-- 133 priority, 134 priority_before, 135 subject, 136 attributes
