-- load by contact: see load.sql

-- commit
WITH wanted AS (
    SELECT $1::text AS workspace, $2::uuid AS id, $3::text AS origin, $4::text AS channel,
        $5::bigint AS created_at, $6::text AS contact, $7::text AS status, $8::bigint AS version,
        $9::bigint AS updated_at, $10::bigint AS first_closed_at, $11::text AS assignee,
        $12::text AS team, $13::bigint AS pending_since, $14::bigint AS pending_until,
        $15::bigint AS awaiting_contact_since, $16::bigint AS due_at, $17::boolean AS active,
        $18::text AS active_slot, $19::integer AS number, $20::bigint AS opened_at,
        $21::text AS opened_by_type, $22::text AS opened_by_id, $23::text AS opened_source,
        $24::bigint AS first_assigned_at, $25::text AS first_assignee, $26::text AS last_assignee,
        $27::text AS last_team, $28::bigint AS first_response_at,
        $29::text AS first_responder_type, $30::text AS first_responder_id,
        $31::bigint AS waiting_since, $32::integer AS responses, $33::bigint AS response_micros,
        $34::bigint AS pending_micros, $35::integer AS incoming, $36::integer AS outgoing_user,
        $37::integer AS outgoing_automation, $38::bigint AS closed_at, $39::text AS closed_by_type,
        $40::text AS closed_by_id, $41::text AS closed_source, $42::text AS category,
        $43::text AS summary
), taken AS (
    SELECT 1 FROM wanted JOIN convo_conversations other ON other.workspace = wanted.workspace
        AND other.active_slot = wanted.active_slot AND other.id <> wanted.id
), new_keys AS (
    SELECT * FROM json_to_recordset($44::json) AS listed_keys(channel text, id text, hash bigint,
        conversation uuid, first_seq bigint, last_seq bigint)
), known AS (
    SELECT 1 FROM wanted, new_keys CROSS JOIN LATERAL (
        SELECT 1 FROM convo_keys old WHERE old.workspace = wanted.workspace
            AND old.channel = new_keys.channel AND old.id = new_keys.id LIMIT 1) old
), free AS (SELECT 1 WHERE NOT EXISTS (SELECT FROM taken) AND NOT EXISTS (SELECT FROM known)),
    wrote_contact AS (
    INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, blocked,
        merged_into, latest_conversation)
    SELECT $45::text, $46::text, $47::bigint, $48::bigint, $49::bigint, $50::boolean, $51::text,
        $52::uuid FROM free
    ON CONFLICT DO NOTHING RETURNING 1
), wrote_conversation AS (
    INSERT INTO convo_conversations (workspace, id, origin, channel, created_at, contact, status,
        version, updated_at, first_closed_at, assignee, team, pending_since, pending_until,
        awaiting_contact_since, due_at, active, active_slot, number, opened_at, opened_by_type,
        opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
        first_response_at, first_responder_type, first_responder_id, waiting_since, responses,
        response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, closed_at,
        closed_by_type, closed_by_id, closed_source, category, summary)
    SELECT wanted.workspace, wanted.id, wanted.origin, wanted.channel, wanted.created_at,
        wanted.contact, wanted.status, wanted.version, wanted.updated_at, wanted.first_closed_at,
        wanted.assignee, wanted.team, wanted.pending_since, wanted.pending_until,
        wanted.awaiting_contact_since, wanted.due_at, wanted.active, wanted.active_slot,
        wanted.number, wanted.opened_at, wanted.opened_by_type, wanted.opened_by_id,
        wanted.opened_source, wanted.first_assigned_at, wanted.first_assignee,
        wanted.last_assignee, wanted.last_team, wanted.first_response_at,
        wanted.first_responder_type, wanted.first_responder_id, wanted.waiting_since,
        wanted.responses, wanted.response_micros, wanted.pending_micros, wanted.incoming,
        wanted.outgoing_user, wanted.outgoing_automation, wanted.closed_at, wanted.closed_by_type,
        wanted.closed_by_id, wanted.closed_source, wanted.category, wanted.summary FROM wanted,
        wrote_contact RETURNING 1
), wrote_keys AS (
    INSERT INTO convo_keys (workspace, channel, id, hash, conversation, first_seq, last_seq)
    SELECT wanted.workspace, new_keys.channel, new_keys.id, new_keys.hash, new_keys.conversation,
        new_keys.first_seq, new_keys.last_seq
    FROM wanted, wrote_conversation, new_keys
), wrote_events AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
        by_type, by_id, source, channel, external_id, body, attachments, category, summary,
        until_at, assignee, team, response, restart_flow, notice, audience)
    SELECT wanted.workspace, wanted.id, new_events.seq, new_events.id, new_events.contact,
        new_events.contact_seq, new_events.kind, new_events.at, new_events.by_type,
        new_events.by_id, new_events.source, new_events.channel, new_events.external_id,
        new_events.body, new_events.attachments, new_events.category, new_events.summary,
        new_events.until_at, new_events.assignee, new_events.team, new_events.response,
        new_events.restart_flow, new_events.notice, new_events.audience
    FROM wanted, wrote_conversation, json_to_recordset($53::json) AS new_events(seq bigint,
        id uuid, contact text, contact_seq bigint, kind text, at bigint, by_type text, by_id text,
        source text, channel text, external_id text, body text, attachments text, category text,
        summary text, until_at bigint, assignee text, team text, response boolean,
        restart_flow boolean, notice text, audience text)
)
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known),
    (SELECT count(*) FROM taken);
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 created_at, 6 contact, 7 status, 8 version,
-- 9 updated_at, 10 first_closed_at, 11 assignee, 12 team, 13 pending_since, 14 pending_until,
-- 15 awaiting_contact_since, 16 due_at, 17 active, 18 active_slot, 19 number, 20 opened_at,
-- 21 opened_by_type, 22 opened_by_id, 23 opened_source, 24 first_assigned_at, 25 first_assignee,
-- 26 last_assignee, 27 last_team, 28 first_response_at, 29 first_responder_type,
-- 30 first_responder_id, 31 waiting_since, 32 responses, 33 response_micros, 34 pending_micros,
-- 35 incoming, 36 outgoing_user, 37 outgoing_automation, 38 closed_at, 39 closed_by_type,
-- 40 closed_by_id, 41 closed_source, 42 category, 43 summary, 44 listed_keys, 45 workspace, 46 id,
-- 47 version, 48 created_at, 49 updated_at, 50 blocked, 51 merged_into, 52 latest_conversation,
-- 53 new_events
