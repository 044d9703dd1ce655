BEGIN;

-- load by contact: see load.sql

-- commit
UPDATE convo_conversations SET version = +?, updated_at = +?, last_activity_at = +?,
    last_incoming_at = +?, awaiting_contact_since = +?, address_channel = +?, address = +?,
    deadline_at = +?, first_response_at = +?, first_response_sent_at = +?,
    first_responder_type = +?, first_responder_id = +?, first_waiting_since = +?,
    waiting_since = +?, no_wait_before = +?, responses = +?, response_micros = +?, incoming = +?,
    outgoing_user = +?, outgoing_automation = +?
    WHERE workspace = +? AND id = +? AND version = +?;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 no_wait_before, 16 responses, 17 response_micros,
-- 18 incoming, 19 outgoing_user, 20 outgoing_automation, 21 workspace, 22 id, 23 version

DELETE FROM convo_places
    WHERE workspace = +? AND list = +? AND at = +? AND id = +?;
-- parameters: 1 workspace, 2 list, 3 at, 4 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
    channel, address, external_id, sent_at, body, attachments, response, quiet)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 kind, 7 at, 8 by_type,
-- 9 by_id, 10 channel, 11 address, 12 external_id, 13 sent_at, 14 body, 15 attachments,
-- 16 response, 17 quiet

COMMIT;
