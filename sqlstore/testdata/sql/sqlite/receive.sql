BEGIN;

-- load by contact: see load.sql

-- commit
UPDATE convo_conversations SET version = +?, updated_at = +?, awaiting_contact_since = +?,
    first_response_at = +?, first_responder_type = +?, first_responder_id = +?, waiting_since = +?,
    responses = +?, response_micros = +?, incoming = +?, outgoing_user = +?,
    outgoing_automation = +?
    WHERE workspace = +? AND id = +? AND version = +?;
-- parameters: 1 version, 2 updated_at, 3 awaiting_contact_since, 4 first_response_at,
-- 5 first_responder_type, 6 first_responder_id, 7 waiting_since, 8 responses, 9 response_micros,
-- 10 incoming, 11 outgoing_user, 12 outgoing_automation, 13 workspace, 14 id, 15 version

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, external_id, body, attachments, category, summary, until_at,
    assignee, team, response, restart_flow, notice, audience)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 external_id, 14 body, 15 attachments, 16 category,
-- 17 summary, 18 until_at, 19 assignee, 20 team, 21 response, 22 restart_flow, 23 notice,
-- 24 audience

COMMIT;
