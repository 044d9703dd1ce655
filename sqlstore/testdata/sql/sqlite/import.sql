-- keys
SELECT workspace, channel, id, address, contact, hash, conversation, first_seq, last_seq
    FROM convo_keys
    WHERE workspace = +? AND channel = '' AND id IN (+?, +?);
-- parameters: 1 workspace, 2 id, 3 id

-- snapshots
SELECT ct.id,
    format('%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s',
    ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.blocked, ct.merged_into,
        hex(ct.latest_conversation), hex(CASE WHEN cv.active THEN NULL ELSE (
        SELECT other.id FROM convo_conversations other
        WHERE other.workspace = ct.workspace AND other.active_slot = ct.id) END), cv.workspace,
            hex(cv.id), cv.origin, cv.channel, cv.created_at, cv.contact, cv.new_contact,
            cv.status, cv.version, cv.updated_at, cv.last_activity_at, cv.first_closed_at,
            cv.assignee, cv.team, cv.pending_since, cv.pending_until, cv.awaiting_contact_since,
            cv.address_channel, cv.address, cv.due_at, cv.number, cv.opened_at, cv.opened_by_type,
            cv.opened_by_id, cv.opened_source, cv.first_assigned_at, cv.first_assignee,
            cv.last_assignee, cv.last_team, cv.first_response_at, cv.first_response_sent_at,
            cv.first_responder_type, cv.first_responder_id, cv.first_waiting_since,
            cv.waiting_since, cv.no_wait_before, cv.responses, cv.response_micros,
            cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.closed_at,
            cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category, cv.summary)
    FROM convo_contacts ct
    LEFT JOIN convo_conversations cv
        ON cv.workspace = ct.workspace AND cv.id = ct.latest_conversation
    WHERE ct.workspace = +? AND ct.id IN (+?, +?);
-- parameters: 1 workspace, 2 id, 3 id

BEGIN;

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked, merged_into,
    latest_conversation)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 latest_conversation

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked, merged_into,
    latest_conversation)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 blocked, 7 merged_into,
-- 8 latest_conversation

INSERT INTO convo_conversations (workspace, id, origin, channel, created_at, contact, new_contact,
    status, version, updated_at, last_activity_at, first_closed_at, assignee, team, pending_since,
    pending_until, awaiting_contact_since, address_channel, address, due_at, active, active_slot,
    number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
    first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
    first_responder_type, first_responder_id, first_waiting_since, waiting_since, no_wait_before,
    responses, response_micros, pending_micros, incoming, outgoing_user, outgoing_automation,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 created_at, 6 contact, 7 new_contact,
-- 8 status, 9 version, 10 updated_at, 11 last_activity_at, 12 first_closed_at, 13 assignee,
-- 14 team, 15 pending_since, 16 pending_until, 17 awaiting_contact_since, 18 address_channel,
-- 19 address, 20 due_at, 21 active, 22 active_slot, 23 number, 24 opened_at, 25 opened_by_type,
-- 26 opened_by_id, 27 opened_source, 28 first_assigned_at, 29 first_assignee, 30 last_assignee,
-- 31 last_team, 32 first_response_at, 33 first_response_sent_at, 34 first_responder_type,
-- 35 first_responder_id, 36 first_waiting_since, 37 waiting_since, 38 no_wait_before, 39 responses,
-- 40 response_micros, 41 pending_micros, 42 incoming, 43 outgoing_user, 44 outgoing_automation,
-- 45 closed_at, 46 closed_by_type, 47 closed_by_id, 48 closed_source, 49 category, 50 summary

INSERT INTO convo_conversations (workspace, id, origin, channel, created_at, contact, new_contact,
    status, version, updated_at, last_activity_at, first_closed_at, assignee, team, pending_since,
    pending_until, awaiting_contact_since, address_channel, address, due_at, active, active_slot,
    number, opened_at, opened_by_type, opened_by_id, opened_source, first_assigned_at,
    first_assignee, last_assignee, last_team, first_response_at, first_response_sent_at,
    first_responder_type, first_responder_id, first_waiting_since, waiting_since, no_wait_before,
    responses, response_micros, pending_micros, incoming, outgoing_user, outgoing_automation,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 created_at, 6 contact, 7 new_contact,
-- 8 status, 9 version, 10 updated_at, 11 last_activity_at, 12 first_closed_at, 13 assignee,
-- 14 team, 15 pending_since, 16 pending_until, 17 awaiting_contact_since, 18 address_channel,
-- 19 address, 20 due_at, 21 active, 22 active_slot, 23 number, 24 opened_at, 25 opened_by_type,
-- 26 opened_by_id, 27 opened_source, 28 first_assigned_at, 29 first_assignee, 30 last_assignee,
-- 31 last_team, 32 first_response_at, 33 first_response_sent_at, 34 first_responder_type,
-- 35 first_responder_id, 36 first_waiting_since, 37 waiting_since, 38 no_wait_before, 39 responses,
-- 40 response_micros, 41 pending_micros, 42 incoming, 43 outgoing_user, 44 outgoing_automation,
-- 45 closed_at, 46 closed_by_type, 47 closed_by_id, 48 closed_source, 49 category, 50 summary

INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation, first_seq,
    last_seq)
    SELECT +?, +?, +?, +?, +?, +?, +?, +?, +? WHERE NOT EXISTS (SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = +? AND ky.channel = +? AND ky.id = +?
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = +?
        OR (ky.address = '' OR +? = '')
            AND COALESCE(kc.merged_into, kc.id) = +?) LIMIT 1) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 contact, 6 hash, 7 conversation,
-- 8 first_seq, 9 last_seq, 10 workspace, 11 channel, 12 id, 13 address, 14 last_seq, 15 )

INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation, first_seq,
    last_seq)
    SELECT +?, +?, +?, +?, +?, +?, +?, +?, +? WHERE NOT EXISTS (SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = +? AND ky.channel = +? AND ky.id = +?
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = +?
        OR (ky.address = '' OR +? = '')
            AND COALESCE(kc.merged_into, kc.id) = +?) LIMIT 1) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 contact, 6 hash, 7 conversation,
-- 8 first_seq, 9 last_seq, 10 workspace, 11 channel, 12 id, 13 address, 14 last_seq, 15 )

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, address, external_id, sent_at, body, attachments, category,
    summary, until_at, assignee, team, response, quiet, new_contact, older, restart_flow, message,
    redacted, duplicate, notice, audience, status_before, assignee_before, team_before)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 address, 14 external_id, 15 sent_at, 16 body,
-- 17 attachments, 18 category, 19 summary, 20 until_at, 21 assignee, 22 team, 23 response,
-- 24 quiet, 25 new_contact, 26 older, 27 restart_flow, 28 message, 29 redacted, 30 duplicate,
-- 31 notice, 32 audience, 33 status_before, 34 assignee_before, 35 team_before

INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
    channel, address, external_id, sent_at, body, attachments, response, quiet)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 kind, 7 at, 8 by_type,
-- 9 by_id, 10 channel, 11 address, 12 external_id, 13 sent_at, 14 body, 15 attachments,
-- 16 response, 17 quiet

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, address, external_id, sent_at, body, attachments, category,
    summary, until_at, assignee, team, response, quiet, new_contact, older, restart_flow, message,
    redacted, duplicate, notice, audience, status_before, assignee_before, team_before)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 address, 14 external_id, 15 sent_at, 16 body,
-- 17 attachments, 18 category, 19 summary, 20 until_at, 21 assignee, 22 team, 23 response,
-- 24 quiet, 25 new_contact, 26 older, 27 restart_flow, 28 message, 29 redacted, 30 duplicate,
-- 31 notice, 32 audience, 33 status_before, 34 assignee_before, 35 team_before

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, address, external_id, sent_at, body, attachments, category,
    summary, until_at, assignee, team, response, quiet, new_contact, older, restart_flow, message,
    redacted, duplicate, notice, audience, status_before, assignee_before, team_before)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 address, 14 external_id, 15 sent_at, 16 body,
-- 17 attachments, 18 category, 19 summary, 20 until_at, 21 assignee, 22 team, 23 response,
-- 24 quiet, 25 new_contact, 26 older, 27 restart_flow, 28 message, 29 redacted, 30 duplicate,
-- 31 notice, 32 audience, 33 status_before, 34 assignee_before, 35 team_before

INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
    channel, address, external_id, sent_at, body, attachments, response, quiet)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 kind, 7 at, 8 by_type,
-- 9 by_id, 10 channel, 11 address, 12 external_id, 13 sent_at, 14 body, 15 attachments,
-- 16 response, 17 quiet

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, address, external_id, sent_at, body, attachments, category,
    summary, until_at, assignee, team, response, quiet, new_contact, older, restart_flow, message,
    redacted, duplicate, notice, audience, status_before, assignee_before, team_before)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 address, 14 external_id, 15 sent_at, 16 body,
-- 17 attachments, 18 category, 19 summary, 20 until_at, 21 assignee, 22 team, 23 response,
-- 24 quiet, 25 new_contact, 26 older, 27 restart_flow, 28 message, 29 redacted, 30 duplicate,
-- 31 notice, 32 audience, 33 status_before, 34 assignee_before, 35 team_before

INSERT INTO convo_cycles (workspace, conversation, number, opened_at, opened_by_type, opened_by_id,
    opened_source, first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
    first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
    waiting_since, no_wait_before, responses, response_micros, pending_micros, incoming,
    outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source,
    category, summary, rollup_pending)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, 1) ON CONFLICT (workspace, conversation, number) DO UPDATE
    SET category = excluded.category, summary = excluded.summary;
-- parameters: 1 workspace, 2 conversation, 3 number, 4 opened_at, 5 opened_by_type, 6 opened_by_id,
-- 7 opened_source, 8 first_assigned_at, 9 first_assignee, 10 last_assignee, 11 last_team,
-- 12 first_response_at, 13 first_response_sent_at, 14 first_responder_type, 15 first_responder_id,
-- 16 first_waiting_since, 17 waiting_since, 18 no_wait_before, 19 responses, 20 response_micros,
-- 21 pending_micros, 22 incoming, 23 outgoing_user, 24 outgoing_automation, 25 closed_at,
-- 26 closed_by_type, 27 closed_by_id, 28 closed_source, 29 category, 30 summary

INSERT INTO convo_cycles (workspace, conversation, number, opened_at, opened_by_type, opened_by_id,
    opened_source, first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
    first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
    waiting_since, no_wait_before, responses, response_micros, pending_micros, incoming,
    outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source,
    category, summary, rollup_pending)
    VALUES (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?,
        +?, +?, +?, +?, +?, +?, +?, +?, 1) ON CONFLICT (workspace, conversation, number) DO UPDATE
    SET category = excluded.category, summary = excluded.summary;
-- parameters: 1 workspace, 2 conversation, 3 number, 4 opened_at, 5 opened_by_type, 6 opened_by_id,
-- 7 opened_source, 8 first_assigned_at, 9 first_assignee, 10 last_assignee, 11 last_team,
-- 12 first_response_at, 13 first_response_sent_at, 14 first_responder_type, 15 first_responder_id,
-- 16 first_waiting_since, 17 waiting_since, 18 no_wait_before, 19 responses, 20 response_micros,
-- 21 pending_micros, 22 incoming, 23 outgoing_user, 24 outgoing_automation, 25 closed_at,
-- 26 closed_by_type, 27 closed_by_id, 28 closed_source, 29 category, 30 summary

COMMIT;
