-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

UPDATE convo_conversations SET status = $1, status_since = $2, version = $3, updated_at = $4,
    last_activity_at = $5, last_incoming_at = $6, first_closed_at = $7, assignee = $8, team = $9,
    assigned_at = $10, labels = $11, priority = $12, subject = $13, attributes = $14,
    pending_until = $15, on_receive = $16, awaiting_contact_since = $17, address_channel = $18,
    address = $19, marks = $20, deadline_at = $21, due_at = $22, applied = $23, unrated = $24,
    active = $25, number = $26, opened_at = $27, opened_by_type = $28, opened_by_id = $29,
    opened_source = $30, first_assigned_at = $31, first_assignee = $32, last_assignee = $33,
    last_team = $34, first_response_at = $35, first_response_sent_at = $36,
    first_responder_type = $37, first_responder_id = $38, first_waiting_since = $39,
    waiting_since = $40, turn_since = $41, handed_over_at = $42, no_wait_before = $43,
    responses = $44, response_micros = $45, pending_micros = $46, incoming = $47,
    outgoing_user = $48, outgoing_automation = $49, rated_at = $50, score = $51,
    rating_comment = $52, closed_at = $53, closed_by_type = $54, closed_by_id = $55,
    closed_source = $56, category = $57, summary = $58
    WHERE workspace = $59 AND id = $60 AND version = $61
        AND COALESCE(deadline_at, -62135596800000000) = $62
        AND COALESCE(due_at, -62135596800000000) = $63
        AND COALESCE(applied, '') = $64
        AND contact = $65;
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
-- 60 id, 61 version, 62 ), 63 ), 64 ), 65 contact

INSERT INTO convo_labels (workspace, label, created_at, conversation)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 label, 3 created_at, 4 conversation

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, on_receive, marks, cycle, score, replaces, assignee, team,
    response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice, audience,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
    status_since, assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since,
    handed_over_at, replies, pending_micros, closed_by_type, closed_by_id, moved_from, from_seq,
    labels, labels_before, priority, priority_before, subject, attributes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37,
        $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55,
        $56, $57, $58, $59, $60, $61, $62, $63) ON CONFLICT DO NOTHING;
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
    VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

COMMIT;
