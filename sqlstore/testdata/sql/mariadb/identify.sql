-- load by contact: see load.sql

-- a message by its event
SELECT ev.workspace, ev.conversation, ev.seq, ev.id, ev.contact, ev.contact_seq, ev.kind, ev.at,
    ev.by_type, ev.by_id, ev.source, ev.channel, ev.lane, ev.address, ev.external_id, ev.sent_at,
    ev.body, ev.attachments, ev.category, ev.summary, ev.until_at, ev.on_receive, ev.marks,
    ev.cycle, ev.score, ev.replaces, ev.assignee, ev.team, ev.response, ev.quiet, ev.new_contact,
    ev.restart_flow, ev.message, ev.redacted, ev.duplicate, ev.notice, ev.audience,
    ev.status_before, ev.assignee_before, ev.team_before, ev.lane_before, ev.channel_before,
    ev.opened_source, ev.status_since, ev.assigned_at, ev.was_assigned, ev.opened_at, ev.turn,
    ev.turn_since, ev.waiting_since, ev.handed_over_at, ev.replies, ev.pending_micros,
    ev.closed_by_type, ev.closed_by_id, ev.moved_from, ev.from_seq, ev.labels, ev.labels_before,
    ev.priority, ev.priority_before, ev.subject, ev.attributes
    FROM convo_conversations cv
    JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = ? AND cv.contact = ? AND ev.id = ?;
-- parameters: 1 workspace, 2 contact, 3 id

SELECT ce.workspace, ce.contact, ce.seq, ce.id, ce.contact_seq, ce.kind, ce.at, ce.by_type,
    ce.by_id, ce.source, ce.channel, ce.address, ce.external_id, ce.sent_at, ce.body,
    ce.attachments, ce.quiet, ce.message, ce.redacted, ce.duplicate, ce.merged_into, ce.blocked,
    ce.blocked_by, ce.unmerged_from, ce.own_blocked, ce.own_blocked_by, ce.name, ce.attributes
    FROM (SELECT id FROM convo_contacts WHERE workspace = ? AND id = ?
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = ? AND merged_into = ?) merged
    JOIN convo_contact_events ce ON ce.workspace = ? AND ce.contact = merged.id
    WHERE ce.id = ?;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace, 6 id

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    on_receive, marks, cycle, score, replaces, assignee, team, response, quiet, new_contact,
    restart_flow, message, redacted, duplicate, notice, audience, status_before, assignee_before,
    team_before, lane_before, channel_before, opened_source, status_since, assigned_at,
    was_assigned, opened_at, turn, turn_since, waiting_since, handed_over_at, replies,
    pending_micros, closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before,
    priority, priority_before, subject, attributes
    FROM convo_events
    WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- keys
SELECT ky.workspace, ky.channel, ky.id, ky.address, ky.contact, ky.hash, ky.conversation,
    ky.first_seq, ky.last_seq
    FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
        OR (ky.address = '' OR ? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = ?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)));
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 id

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
        SET step = 3;
        IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ? AND ky.id = ?
                AND (ky.channel = '' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                        WHERE asked.workspace = ky.workspace AND asked.id = ?)
                    IN (COALESCE(kc.merged_into, kc.id), (
                        SELECT holds.contact FROM convo_conversations holds
                        WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)))
                            LIMIT 1) THEN LEAVE work; END IF;
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
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
-- 60 workspace, 61 id, 62 version, 63 ), 64 workspace, 65 channel, 66 id, 67 address, 68 ?, 69 id,
-- 70 workspace, 71 channel, 72 id, 73 address, 74 contact, 75 hash, 76 conversation, 77 first_seq,
-- 78 last_seq, 79 workspace, 80 conversation, 81 seq, 82 id, 83 contact, 84 contact_seq, 85 kind,
-- 86 at, 87 by_type, 88 by_id, 89 source, 90 channel, 91 lane, 92 address, 93 external_id,
-- 94 sent_at, 95 body, 96 attachments, 97 category, 98 summary, 99 until_at, 100 on_receive,
-- 101 marks, 102 cycle, 103 score, 104 replaces, 105 assignee, 106 team, 107 response, 108 quiet,
-- 109 new_contact, 110 restart_flow, 111 message, 112 redacted, 113 duplicate, 114 notice,
-- 115 audience, 116 status_before, 117 assignee_before, 118 team_before, 119 lane_before,
-- 120 channel_before, 121 opened_source, 122 status_since, 123 assigned_at, 124 was_assigned,
-- 125 opened_at, 126 turn, 127 turn_since, 128 waiting_since, 129 handed_over_at, 130 replies,
-- 131 pending_micros, 132 closed_by_type, 133 closed_by_id, 134 moved_from, 135 from_seq,
-- 136 labels, 137 labels_before, 138 priority, 139 priority_before, 140 subject, 141 attributes,
-- 142 workspace, 143 conversation, 144 from_seq
