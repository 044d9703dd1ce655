BEGIN;

-- load by contact: see load.sql

-- commit
UPDATE convo_conversations SET version = +?, updated_at = +?, last_activity_at = +?,
    last_incoming_at = +?, awaiting_contact_since = +?, address_channel = +?, address = +?,
    deadline_at = +?, first_response_at = +?, first_response_sent_at = +?,
    first_responder_type = +?, first_responder_id = +?, first_waiting_since = +?,
    waiting_since = +?, turn_since = +?, no_wait_before = +?, responses = +?, response_micros = +?,
    incoming = +?, outgoing_user = +?, outgoing_automation = +?
    WHERE workspace = +? AND id = +? AND version = +?
        AND COALESCE(deadline_at, -62135596800000000) = +?
        AND COALESCE(due_at, -62135596800000000) = +?
        AND COALESCE(applied, '') = +?
        AND contact = +?;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 turn_since, 16 no_wait_before, 17 responses,
-- 18 response_micros, 19 incoming, 20 outgoing_user, 21 outgoing_automation, 22 workspace, 23 id,
-- 24 version, 25 ), 26 ), 27 ), 28 contact

INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
    channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source, turn,
    turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 kind, 7 at, 8 by_type,
-- 9 by_id, 10 channel, 11 address, 12 external_id, 13 sent_at, 14 body, 15 attachments, 16 cycle,
-- 17 response, 18 quiet, 19 status_before, 20 assignee_before, 21 team_before, 22 lane_before,
-- 23 channel_before, 24 opened_source, 25 turn, 26 turn_since, 27 waiting_since, 28 handed_over_at,
-- 29 replies, 30 labels_before, 31 priority_before

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (+?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 from_seq

COMMIT;
