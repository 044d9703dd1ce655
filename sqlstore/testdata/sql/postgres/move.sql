-- load by contact: see load.sql

-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

UPDATE convo_contacts SET version = $1, created_at = $2, updated_at = $3, seen_at = $4,
    blocked = $5, merged_into = $6, parent = $7, blocked_by = $8, name = $9, attributes = $10
    WHERE workspace = $11 AND id = $12 AND version = $13 AND seen_at <= $14;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 workspace, 12 id, 13 version, 14 seen_at

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at, blocked,
    merged_into, parent, blocked_by, name, attributes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes

UPDATE convo_conversations SET status = $1, version = $2, updated_at = $3, last_activity_at = $4,
    first_closed_at = $5, assignee = $6, team = $7, labels = $8, priority = $9, subject = $10,
    attributes = $11, pending_since = $12, pending_until = $13, awaiting_contact_since = $14,
    address_channel = $15, address = $16, due_at = $17, active = $18, active_slot = $19,
    number = $20, opened_at = $21, opened_by_type = $22, opened_by_id = $23, opened_source = $24,
    first_assigned_at = $25, first_assignee = $26, last_assignee = $27, last_team = $28,
    first_response_at = $29, first_response_sent_at = $30, first_responder_type = $31,
    first_responder_id = $32, first_waiting_since = $33, waiting_since = $34, no_wait_before = $35,
    responses = $36, response_micros = $37, pending_micros = $38, incoming = $39,
    outgoing_user = $40, outgoing_automation = $41, closed_at = $42, closed_by_type = $43,
    closed_by_id = $44, closed_source = $45, category = $46, summary = $47, contact = $48,
    origin = $49, lane = $50, channel = $51
    WHERE workspace = $52 AND id = $53 AND version = $54 AND NOT EXISTS (SELECT other.id FROM
        convo_conversations other
    WHERE other.workspace = $55 AND other.active_slot = $56 AND other.lane = $57 AND other.id <>
        $58);
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

UPDATE convo_active SET status = $1, channel = $2, lane = $3, assignee = $4, team = $5,
    priority = $6
    WHERE workspace = $7 AND id = $8;
-- parameters: 1 status, 2 channel, 3 lane, 4 assignee, 5 team, 6 priority, 7 workspace, 8 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, assignee, team, response, quiet, new_contact, restart_flow,
    message, redacted, duplicate, notice, audience, status_before, assignee_before, team_before,
    lane_before, channel_before, moved_from, from_seq, labels, labels_before, priority,
    priority_before, subject, attributes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37,
        $38, $39, $40, $41, $42, $43, $44, $45) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 assignee, 23 team, 24 response,
-- 25 quiet, 26 new_contact, 27 restart_flow, 28 message, 29 redacted, 30 duplicate, 31 notice,
-- 32 audience, 33 status_before, 34 assignee_before, 35 team_before, 36 lane_before,
-- 37 channel_before, 38 moved_from, 39 from_seq, 40 labels, 41 labels_before, 42 priority,
-- 43 priority_before, 44 subject, 45 attributes

COMMIT;
