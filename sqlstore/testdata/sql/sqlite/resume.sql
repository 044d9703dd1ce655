BEGIN;

-- load by contact: see load.sql

-- commit
UPDATE convo_conversations SET status = +?, version = +?, updated_at = +?, first_closed_at = +?,
    assignee = +?, team = +?, pending_since = +?, pending_until = +?, awaiting_contact_since = +?,
    due_at = +?, active = +?, active_slot = +?, number = +?, opened_at = +?, opened_by_type = +?,
    opened_by_id = +?, opened_source = +?, first_assigned_at = +?, first_assignee = +?,
    last_assignee = +?, last_team = +?, first_response_at = +?, first_responder_type = +?,
    first_responder_id = +?, waiting_since = +?, responses = +?, response_micros = +?,
    pending_micros = +?, incoming = +?, outgoing_user = +?, outgoing_automation = +?,
    closed_at = +?, closed_by_type = +?, closed_by_id = +?, closed_source = +?, category = +?,
    summary = +?
    WHERE workspace = +? AND id = +? AND version = +? AND NOT EXISTS (SELECT other.id FROM
        convo_conversations other
    WHERE other.workspace = +? AND other.active_slot = +? AND other.id <> +?);
-- parameters: 1 status, 2 version, 3 updated_at, 4 first_closed_at, 5 assignee, 6 team,
-- 7 pending_since, 8 pending_until, 9 awaiting_contact_since, 10 due_at, 11 active, 12 active_slot,
-- 13 number, 14 opened_at, 15 opened_by_type, 16 opened_by_id, 17 opened_source,
-- 18 first_assigned_at, 19 first_assignee, 20 last_assignee, 21 last_team, 22 first_response_at,
-- 23 first_responder_type, 24 first_responder_id, 25 waiting_since, 26 responses,
-- 27 response_micros, 28 pending_micros, 29 incoming, 30 outgoing_user, 31 outgoing_automation,
-- 32 closed_at, 33 closed_by_type, 34 closed_by_id, 35 closed_source, 36 category, 37 summary,
-- 38 workspace, 39 id, 40 version, 41 workspace, 42 active_slot, 43 id

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
