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
    STRAIGHT_JOIN convo_events ev
    ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = ? AND cv.contact = ? AND ev.id = ?;
-- parameters: 1 workspace, 2 contact, 3 id

SELECT ce.workspace, ce.contact, ce.seq, ce.id, ce.contact_seq, ce.kind, ce.at, ce.by_type,
    ce.by_id, ce.source, ce.channel, ce.address, ce.external_id, ce.sent_at, ce.body,
    ce.attachments, ce.quiet, ce.message, ce.redacted, ce.duplicate, ce.merged_into, ce.blocked,
    ce.blocked_by, ce.unmerged_from, ce.own_blocked, ce.own_blocked_by, ce.name, ce.attributes
    FROM (SELECT id FROM convo_contacts WHERE workspace = ? AND id = ?
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = ? AND merged_into = ?) merged
    STRAIGHT_JOIN convo_contact_events ce
    ON ce.workspace = ? AND ce.contact = merged.id
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
    WHERE ky.workspace = ? AND ky.channel = ?
        AND ky.id IN (?, ?)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = ?
        OR (ky.address = '' OR ? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = ?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)));
-- parameters: 1 workspace, 2 channel, 3 id, 4 id, 5 address, 6 ?, 7 id

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
            WHERE workspace = ? AND id = ? AND version = ?
                AND COALESCE(deadline_at, -62135596800000000) = ?
                AND COALESCE(due_at, -62135596800000000) = ?
                AND COALESCE(applied, '') = ?
                AND contact = ?;
        IF ROW_COUNT() <> 1 THEN LEAVE work; END IF;
        SET step = 3;
        IF EXISTS (
            SELECT 1 FROM convo_keys FORCE INDEX (PRIMARY)
            WHERE workspace = ? AND channel = ? AND id IN (?, ?)
        ) THEN
            IF EXISTS (SELECT 1 FROM convo_keys ky
            LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
            WHERE ky.workspace = ? AND ky.channel = ?
                AND ky.id IN (?, ?)
                AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = ?
                OR (ky.address = '' OR ? = '')
                    AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                        WHERE asked.workspace = ky.workspace AND asked.id = ?)
                    IN (COALESCE(kc.merged_into, kc.id), (
                        SELECT holds.contact FROM convo_conversations holds
                        WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)))
                            LIMIT 1) THEN LEAVE work; END IF;
        END IF;
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
-- 23 applied, 24 unrated, 25 active, 26 number, 27 opened_at, 28 opened_by_type, 29 opened_by_id,
-- 30 opened_source, 31 first_assigned_at, 32 first_assignee, 33 last_assignee, 34 last_team,
-- 35 first_response_at, 36 first_response_sent_at, 37 first_responder_type, 38 first_responder_id,
-- 39 first_waiting_since, 40 waiting_since, 41 turn_since, 42 handed_over_at, 43 no_wait_before,
-- 44 responses, 45 response_micros, 46 pending_micros, 47 incoming, 48 outgoing_user,
-- 49 outgoing_automation, 50 rated_at, 51 score, 52 rating_comment, 53 closed_at,
-- 54 closed_by_type, 55 closed_by_id, 56 closed_source, 57 category, 58 summary, 59 workspace,
-- 60 id, 61 version, 62 ), 63 ), 64 ), 65 contact, 66 workspace, 67 channel, 68 id, 69 id,
-- 70 workspace, 71 channel, 72 id, 73 id, 74 address, 75 ?, 76 id, 77 workspace, 78 channel, 79 id,
-- 80 address, 81 contact, 82 hash, 83 conversation, 84 first_seq, 85 last_seq, 86 workspace,
-- 87 conversation, 88 seq, 89 id, 90 contact, 91 contact_seq, 92 kind, 93 at, 94 by_type, 95 by_id,
-- 96 source, 97 channel, 98 lane, 99 address, 100 external_id, 101 sent_at, 102 body,
-- 103 attachments, 104 category, 105 summary, 106 until_at, 107 on_receive, 108 marks, 109 cycle,
-- 110 score, 111 replaces, 112 assignee, 113 team, 114 response, 115 quiet, 116 new_contact,
-- 117 restart_flow, 118 message, 119 redacted, 120 duplicate, 121 notice, 122 audience,
-- 123 status_before, 124 assignee_before, 125 team_before, 126 lane_before, 127 channel_before,
-- 128 opened_source, 129 status_since, 130 assigned_at, 131 was_assigned, 132 opened_at, 133 turn,
-- 134 turn_since, 135 waiting_since, 136 handed_over_at, 137 replies, 138 pending_micros,
-- 139 closed_by_type, 140 closed_by_id, 141 moved_from, 142 from_seq, 143 labels,
-- 144 labels_before, 145 priority, 146 priority_before, 147 subject, 148 attributes, 149 workspace,
-- 150 conversation, 151 from_seq
