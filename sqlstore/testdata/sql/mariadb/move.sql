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

UPDATE convo_conversations SET status = ?, version = ?, updated_at = ?, last_activity_at = ?,
    first_closed_at = ?, assignee = ?, team = ?, labels = ?, priority = ?, subject = ?,
    attributes = ?, pending_since = ?, pending_until = ?, awaiting_contact_since = ?,
    address_channel = ?, address = ?, due_at = ?, active = ?, active_slot = ?, number = ?,
    opened_at = ?, opened_by_type = ?, opened_by_id = ?, opened_source = ?, first_assigned_at = ?,
    first_assignee = ?, last_assignee = ?, last_team = ?, first_response_at = ?,
    first_response_sent_at = ?, first_responder_type = ?, first_responder_id = ?,
    first_waiting_since = ?, waiting_since = ?, no_wait_before = ?, responses = ?,
    response_micros = ?, pending_micros = ?, incoming = ?, outgoing_user = ?,
    outgoing_automation = ?, closed_at = ?, closed_by_type = ?, closed_by_id = ?,
    closed_source = ?, category = ?, summary = ?, contact = ?, origin = ?, lane = ?, channel = ?
    WHERE workspace = ? AND id = ? AND version = ? AND NOT EXISTS (SELECT other.id FROM
        convo_conversations other
    WHERE other.workspace = ? AND other.active_slot = ? AND other.lane = ? AND other.id <> ?);
-- parameters: 1 status, 2 version, 3 updated_at, 4 last_activity_at, 5 first_closed_at, 6 assignee,
-- 7 team, 8 labels, 9 priority, 10 subject, 11 attributes, 12 pending_since, 13 pending_until,
-- 14 awaiting_contact_since, 15 address_channel, 16 address, 17 due_at, 18 active, 19 active_slot,
-- 20 number, 21 opened_at, 22 opened_by_type, 23 opened_by_id, 24 opened_source,
-- 25 first_assigned_at, 26 first_assignee, 27 last_assignee, 28 last_team, 29 first_response_at,
-- 30 first_response_sent_at, 31 first_responder_type, 32 first_responder_id,
-- 33 first_waiting_since, 34 waiting_since, 35 no_wait_before, 36 responses, 37 response_micros,
-- 38 pending_micros, 39 incoming, 40 outgoing_user, 41 outgoing_automation, 42 closed_at,
-- 43 closed_by_type, 44 closed_by_id, 45 closed_source, 46 category, 47 summary, 48 contact,
-- 49 origin, 50 lane, 51 channel, 52 workspace, 53 id, 54 version, 55 workspace, 56 active_slot,
-- 57 lane, 58 id

UPDATE convo_active SET status = ?, channel = ?, lane = ?, assignee = ?, team = ?, priority = ?
    WHERE workspace = ? AND id = ?;
-- parameters: 1 status, 2 channel, 3 lane, 4 assignee, 5 team, 6 priority, 7 workspace, 8 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, assignee, team, response, quiet, new_contact, restart_flow,
    message, redacted, duplicate, notice, audience, status_before, assignee_before, team_before,
    lane_before, channel_before, moved_from, from_seq, labels, labels_before, priority,
    priority_before, subject, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 assignee, 23 team, 24 response,
-- 25 quiet, 26 new_contact, 27 restart_flow, 28 message, 29 redacted, 30 duplicate, 31 notice,
-- 32 audience, 33 status_before, 34 assignee_before, 35 team_before, 36 lane_before,
-- 37 channel_before, 38 moved_from, 39 from_seq, 40 labels, 41 labels_before, 42 priority,
-- 43 priority_before, 44 subject, 45 attributes

COMMIT;
