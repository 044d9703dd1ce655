-- load by contact: see load.sql

-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, seen_at = ?, blocked = ?,
    merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?
    WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 workspace, 12 id, 13 version, 14 seen_at

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at, blocked,
    merged_into, parent, blocked_by, name, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes

UPDATE convo_conversations SET status = ?, status_since = ?, version = ?, updated_at = ?,
    last_activity_at = ?, last_incoming_at = ?, first_closed_at = ?, assignee = ?, team = ?,
    assigned_at = ?, labels = ?, priority = ?, subject = ?, attributes = ?, pending_until = ?,
    on_receive = ?, awaiting_contact_since = ?, address_channel = ?, address = ?, marks = ?,
    deadline_at = ?, due_at = ?, applied = ?, unrated = ?, rating = ?, active = ?, active_slot = ?,
    number = ?, opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?,
    first_assigned_at = ?, first_assignee = ?, last_assignee = ?, last_team = ?,
    first_response_at = ?, first_response_sent_at = ?, first_responder_type = ?,
    first_responder_id = ?, first_waiting_since = ?, waiting_since = ?, turn_since = ?,
    handed_over_at = ?, no_wait_before = ?, responses = ?, response_micros = ?, pending_micros = ?,
    incoming = ?, outgoing_user = ?, outgoing_automation = ?, closed_at = ?, closed_by_type = ?,
    closed_by_id = ?, closed_source = ?, category = ?, summary = ?, contact = ?, origin = ?,
    lane = ?, channel = ?
    WHERE workspace = ? AND id = ? AND version = ? AND NOT EXISTS (SELECT other.id FROM
        convo_conversations other
    WHERE other.workspace = ? AND other.active_slot = ? AND other.lane = ? AND other.id <> ?);
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
-- 53 closed_by_type, 54 closed_by_id, 55 closed_source, 56 category, 57 summary, 58 contact,
-- 59 origin, 60 lane, 61 channel, 62 workspace, 63 id, 64 version, 65 workspace, 66 active_slot,
-- 67 lane, 68 id

UPDATE convo_active SET status = ?, channel = ?, lane = ?, assignee = ?, team = ?, priority = ?
    WHERE workspace = ? AND id = ?;
-- parameters: 1 status, 2 channel, 3 lane, 4 assignee, 5 team, 6 priority, 7 workspace, 8 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, on_receive, marks, cycle, score, assignee, team, response, quiet,
    new_contact, restart_flow, message, redacted, duplicate, notice, audience, status_before,
    assignee_before, team_before, lane_before, channel_before, opened_source, status_since,
    assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since, handed_over_at, replies,
    pending_micros, closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before,
    priority, priority_before, subject, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?);
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 on_receive, 23 marks, 24 cycle,
-- 25 score, 26 assignee, 27 team, 28 response, 29 quiet, 30 new_contact, 31 restart_flow,
-- 32 message, 33 redacted, 34 duplicate, 35 notice, 36 audience, 37 status_before,
-- 38 assignee_before, 39 team_before, 40 lane_before, 41 channel_before, 42 opened_source,
-- 43 status_since, 44 assigned_at, 45 was_assigned, 46 opened_at, 47 turn, 48 turn_since,
-- 49 waiting_since, 50 handed_over_at, 51 replies, 52 pending_micros, 53 closed_by_type,
-- 54 closed_by_id, 55 moved_from, 56 from_seq, 57 labels, 58 labels_before, 59 priority,
-- 60 priority_before, 61 subject, 62 attributes

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

COMMIT;
