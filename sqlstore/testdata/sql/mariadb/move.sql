-- load by contact: see load.sql

-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, seen_at = ?, blocked = ?,
    merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?, erased_at = ?
    WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 erased_at, 12 workspace, 13 id, 14 version, 15 seen_at

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at, blocked,
    merged_into, parent, blocked_by, name, attributes, erased_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 erased_at

UPDATE convo_conversations SET status = ?, status_since = ?, version = ?, updated_at = ?,
    last_activity_at = ?, last_incoming_at = ?, first_closed_at = ?, assignee = ?, team = ?,
    assigned_at = ?, labels = ?, priority = ?, subject = ?, attributes = ?, pending_until = ?,
    on_receive = ?, awaiting_contact_since = ?, address_channel = ?, address = ?, marks = ?,
    deadline_at = ?, due_at = ?, applied = ?, unrated = ?, active = ?, number = ?, opened_at = ?,
    opened_by_type = ?, opened_by_id = ?, opened_source = ?, first_assigned_at = ?,
    first_assignee = ?, last_assignee = ?, last_team = ?, first_response_at = ?,
    first_response_sent_at = ?, first_responder_type = ?, first_responder_id = ?,
    first_waiting_since = ?, waiting_since = ?, turn_since = ?, handed_over_at = ?,
    no_wait_before = ?, responses = ?, response_micros = ?, pending_micros = ?, incoming = ?,
    outgoing_user = ?, outgoing_automation = ?, rated_at = ?, score = ?, rating_comment = ?,
    closed_at = ?, closed_by_type = ?, closed_by_id = ?, closed_source = ?, category = ?,
    summary = ?, contact = ?, origin = ?, lane = ?, channel = ?
    WHERE workspace = ? AND id = ? AND version = ?
        AND COALESCE(deadline_at, -62135596800000000) = ?
        AND COALESCE(due_at, -62135596800000000) = ?
        AND COALESCE(applied, '') = ?
        AND contact = ?;
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
-- 54 closed_by_type, 55 closed_by_id, 56 closed_source, 57 category, 58 summary, 59 contact,
-- 60 origin, 61 lane, 62 channel, 63 workspace, 64 id, 65 version, 66 ), 67 ), 68 ), 69 contact

UPDATE convo_active SET status = ?, channel = ?, lane = ?, assignee = ?, team = ?, priority = ?,
    due_at = ?, contact = ?
    WHERE workspace = ? AND id = ?;
-- parameters: 1 status, 2 channel, 3 lane, 4 assignee, 5 team, 6 priority, 7 due_at, 8 contact,
-- 9 workspace, 10 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, on_receive, marks, cycle, score, replaces, assignee, team,
    response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice, audience,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
    status_since, assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since,
    handed_over_at, replies, pending_micros, closed_by_type, closed_by_id, moved_from, from_seq,
    labels, labels_before, priority, priority_before, subject, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?);
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 on_receive, 23 marks, 24 cycle,
-- 25 score, 26 replaces, 27 assignee, 28 team, 29 response, 30 quiet, 31 new_contact,
-- 32 restart_flow, 33 message, 34 redacted, 35 duplicate, 36 notice, 37 audience, 38 status_before,
-- 39 assignee_before, 40 team_before, 41 lane_before, 42 channel_before, 43 opened_source,
-- 44 status_since, 45 assigned_at, 46 was_assigned, 47 opened_at, 48 turn, 49 turn_since,
-- 50 waiting_since, 51 handed_over_at, 52 replies, 53 pending_micros, 54 closed_by_type,
-- 55 closed_by_id, 56 moved_from, 57 from_seq, 58 labels, 59 labels_before, 60 priority,
-- 61 priority_before, 62 subject, 63 attributes

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

SELECT DISTINCT workspace, contact, conversation, '' FROM convo_events
    WHERE workspace = ? AND conversation = ? AND contact <> ?
    LOCK IN SHARE MODE;
-- parameters: 1 workspace, 2 conversation, 3 contact

INSERT INTO convo_mentions (workspace, contact, conversation, owner)
    VALUES (?, ?, ?, ?);
-- parameters: 1 workspace, 2 contact, 3 conversation, 4 owner

COMMIT;
