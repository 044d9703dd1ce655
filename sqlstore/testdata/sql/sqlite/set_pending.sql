BEGIN;

-- load by contact: see load.sql

-- commit
UPDATE convo_conversations SET status = +?, version = +?, updated_at = +?, last_activity_at = +?,
    first_closed_at = +?, assignee = +?, team = +?, pending_since = +?, pending_until = +?,
    awaiting_contact_since = +?, address_channel = +?, address = +?, due_at = +?, active = +?,
    active_slot = +?, number = +?, opened_at = +?, opened_by_type = +?, opened_by_id = +?,
    opened_source = +?, first_assigned_at = +?, first_assignee = +?, last_assignee = +?,
    last_team = +?, first_response_at = +?, first_response_sent_at = +?, first_responder_type = +?,
    first_responder_id = +?, first_waiting_since = +?, waiting_since = +?, no_wait_before = +?,
    responses = +?, response_micros = +?, pending_micros = +?, incoming = +?, outgoing_user = +?,
    outgoing_automation = +?, closed_at = +?, closed_by_type = +?, closed_by_id = +?,
    closed_source = +?, category = +?, summary = +?
    WHERE workspace = +? AND id = +? AND version = +? AND NOT EXISTS (SELECT other.id FROM
        convo_conversations other
    WHERE other.workspace = +? AND other.active_slot = +? AND other.lane = +? AND other.id <> +?);
-- parameters: 1 status, 2 version, 3 updated_at, 4 last_activity_at, 5 first_closed_at, 6 assignee,
-- 7 team, 8 pending_since, 9 pending_until, 10 awaiting_contact_since, 11 address_channel,
-- 12 address, 13 due_at, 14 active, 15 active_slot, 16 number, 17 opened_at, 18 opened_by_type,
-- 19 opened_by_id, 20 opened_source, 21 first_assigned_at, 22 first_assignee, 23 last_assignee,
-- 24 last_team, 25 first_response_at, 26 first_response_sent_at, 27 first_responder_type,
-- 28 first_responder_id, 29 first_waiting_since, 30 waiting_since, 31 no_wait_before, 32 responses,
-- 33 response_micros, 34 pending_micros, 35 incoming, 36 outgoing_user, 37 outgoing_automation,
-- 38 closed_at, 39 closed_by_type, 40 closed_by_id, 41 closed_source, 42 category, 43 summary,
-- 44 workspace, 45 id, 46 version, 47 workspace, 48 active_slot, 49 lane, 50 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, assignee, team, response, quiet, new_contact, restart_flow,
    message, redacted, duplicate, notice, audience, status_before, assignee_before, team_before,
    lane_before, channel_before)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 assignee, 23 team, 24 response,
-- 25 quiet, 26 new_contact, 27 restart_flow, 28 message, 29 redacted, 30 duplicate, 31 notice,
-- 32 audience, 33 status_before, 34 assignee_before, 35 team_before, 36 lane_before,
-- 37 channel_before

COMMIT;
