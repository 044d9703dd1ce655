BEGIN;

-- load by contact: see load.sql

-- commit
INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked, merged_into,
    latest_conversation)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 latest_conversation

INSERT INTO convo_conversations (workspace, id, origin, channel, created_at, contact, status,
    version, updated_at, first_closed_at, assignee, team, pending_since, pending_until,
    awaiting_contact_since, due_at, active, active_slot, number, opened_at, opened_by_type,
    opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
    first_response_at, first_responder_type, first_responder_id, waiting_since, responses,
    response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, closed_at,
    closed_by_type, closed_by_id, closed_source, category, summary)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 created_at, 6 contact, 7 status, 8 version,
-- 9 updated_at, 10 first_closed_at, 11 assignee, 12 team, 13 pending_since, 14 pending_until,
-- 15 awaiting_contact_since, 16 due_at, 17 active, 18 active_slot, 19 number, 20 opened_at,
-- 21 opened_by_type, 22 opened_by_id, 23 opened_source, 24 first_assigned_at, 25 first_assignee,
-- 26 last_assignee, 27 last_team, 28 first_response_at, 29 first_responder_type,
-- 30 first_responder_id, 31 waiting_since, 32 responses, 33 response_micros, 34 pending_micros,
-- 35 incoming, 36 outgoing_user, 37 outgoing_automation, 38 closed_at, 39 closed_by_type,
-- 40 closed_by_id, 41 closed_source, 42 category, 43 summary

INSERT INTO convo_keys (workspace, channel, id, hash, conversation, first_seq, last_seq)
    VALUES (+?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 channel, 3 id, 4 hash, 5 conversation, 6 first_seq, 7 last_seq

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
