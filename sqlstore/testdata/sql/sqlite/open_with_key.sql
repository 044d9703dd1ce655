BEGIN;

-- load by contact: see load.sql

-- commit
INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at, blocked,
    merged_into, parent, blocked_by, name, attributes)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes

INSERT INTO convo_conversations (workspace, id, origin, channel, lane, created_at, contact,
    new_contact, status, version, updated_at, last_activity_at, first_closed_at, assignee, team,
    labels, priority, subject, attributes, pending_since, pending_until, awaiting_contact_since,
    address_channel, address, due_at, active, active_slot, number, opened_at, opened_by_type,
    opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
    first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
    first_waiting_since, waiting_since, no_wait_before, responses, response_micros, pending_micros,
    incoming, outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id,
    closed_source, category, summary)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 lane, 6 created_at, 7 contact,
-- 8 new_contact, 9 status, 10 version, 11 updated_at, 12 last_activity_at, 13 first_closed_at,
-- 14 assignee, 15 team, 16 labels, 17 priority, 18 subject, 19 attributes, 20 pending_since,
-- 21 pending_until, 22 awaiting_contact_since, 23 address_channel, 24 address, 25 due_at,
-- 26 active, 27 active_slot, 28 number, 29 opened_at, 30 opened_by_type, 31 opened_by_id,
-- 32 opened_source, 33 first_assigned_at, 34 first_assignee, 35 last_assignee, 36 last_team,
-- 37 first_response_at, 38 first_response_sent_at, 39 first_responder_type, 40 first_responder_id,
-- 41 first_waiting_since, 42 waiting_since, 43 no_wait_before, 44 responses, 45 response_micros,
-- 46 pending_micros, 47 incoming, 48 outgoing_user, 49 outgoing_automation, 50 closed_at,
-- 51 closed_by_type, 52 closed_by_id, 53 closed_source, 54 category, 55 summary

INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
    priority)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 status, 4 channel, 5 lane, 6 created_at, 7 assignee, 8 team,
-- 9 priority

INSERT INTO convo_places (workspace, list, at, id)
    VALUES (+?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 list, 3 at, 4 id

INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation, first_seq,
    last_seq)
    SELECT +?, +?, +?, +?, +?, +?, +?, +?, +? WHERE NOT EXISTS (SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = +? AND ky.channel = +? AND ky.id = +?
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = +?
        OR (ky.address = '' OR +? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = +?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1) ON
                    CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 contact, 6 hash, 7 conversation,
-- 8 first_seq, 9 last_seq, 10 workspace, 11 channel, 12 id, 13 address, 14 last_seq, 15 id

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, assignee, team, response, quiet, new_contact, restart_flow,
    message, redacted, duplicate, notice, audience, status_before, assignee_before, team_before,
    lane_before, channel_before, moved_from, from_seq, labels, labels_before, priority,
    priority_before, subject, attributes)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 assignee, 23 team, 24 response,
-- 25 quiet, 26 new_contact, 27 restart_flow, 28 message, 29 redacted, 30 duplicate, 31 notice,
-- 32 audience, 33 status_before, 34 assignee_before, 35 team_before, 36 lane_before,
-- 37 channel_before, 38 moved_from, 39 from_seq, 40 labels, 41 labels_before, 42 priority,
-- 43 priority_before, 44 subject, 45 attributes

COMMIT;
