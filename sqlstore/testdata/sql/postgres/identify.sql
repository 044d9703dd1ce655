-- load by contact: see load.sql

-- a message by its event
SELECT ev.workspace, ev.conversation, ev.seq, ev.id, ev.contact, ev.contact_seq, ev.kind, ev.at,
    ev.by_type, ev.by_id, ev.source, ev.channel, ev.address, ev.external_id, ev.sent_at, ev.body,
    ev.attachments, ev.category, ev.summary, ev.until_at, ev.assignee, ev.team, ev.response,
    ev.quiet, ev.new_contact, ev.older, ev.restart_flow, ev.message, ev.redacted, ev.duplicate,
    ev.notice, ev.audience, ev.status_before, ev.assignee_before, ev.team_before
    FROM convo_conversations cv
    JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = $1 AND cv.contact = $2 AND ev.id = $3;
-- parameters: 1 workspace, 2 contact, 3 id

SELECT ce.workspace, ce.contact, ce.seq, ce.id, ce.contact_seq, ce.kind, ce.at, ce.by_type,
    ce.by_id, ce.source, ce.channel, ce.address, ce.external_id, ce.sent_at, ce.body,
    ce.attachments, ce.quiet, ce.message, ce.redacted, ce.duplicate, ce.merged_into,
    ce.latest_conversation, ce.blocked
    FROM (SELECT id FROM convo_contacts WHERE workspace = $1 AND id = $2
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = $3 AND merged_into = $4) merged
    JOIN convo_contact_events ce ON ce.workspace = $5 AND ce.contact = merged.id
    WHERE ce.id = $6;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace, 6 id

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, address, external_id, sent_at, body, attachments, category, summary, until_at,
    assignee, team, response, quiet, new_contact, older, restart_flow, message, redacted,
    duplicate, notice, audience, status_before, assignee_before, team_before
    FROM convo_events
    WHERE workspace = $1 AND conversation = $2 AND seq > $3 ORDER BY seq LIMIT $4;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- keys
SELECT ky.workspace, ky.channel, ky.id, ky.address, ky.contact, ky.hash, ky.conversation,
    ky.first_seq, ky.last_seq
    FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = $1 AND ky.channel = $2 AND ky.id = $3
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = $4
        OR (ky.address = '' OR $5 = '')
            AND COALESCE(kc.merged_into, kc.id) = $6);
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 )

-- commit
WITH wanted AS (
    SELECT $1::text AS workspace, $2::uuid AS id, $3::text AS origin, $4::text AS channel,
        $5::bigint AS created_at, $6::text AS contact, $7::boolean AS new_contact,
        $8::text AS status, $9::bigint AS version, $10::bigint AS updated_at,
        $11::bigint AS last_activity_at, $12::bigint AS first_closed_at, $13::text AS assignee,
        $14::text AS team, $15::bigint AS pending_since, $16::bigint AS pending_until,
        $17::bigint AS awaiting_contact_since, $18::text AS address_channel, $19::text AS address,
        $20::bigint AS due_at, $21::boolean AS active, $22::text AS active_slot,
        $23::integer AS number, $24::bigint AS opened_at, $25::text AS opened_by_type,
        $26::text AS opened_by_id, $27::text AS opened_source, $28::bigint AS first_assigned_at,
        $29::text AS first_assignee, $30::text AS last_assignee, $31::text AS last_team,
        $32::bigint AS first_response_at, $33::bigint AS first_response_sent_at,
        $34::text AS first_responder_type, $35::text AS first_responder_id,
        $36::bigint AS first_waiting_since, $37::bigint AS waiting_since,
        $38::bigint AS no_wait_before, $39::integer AS responses, $40::bigint AS response_micros,
        $41::bigint AS pending_micros, $42::integer AS incoming, $43::integer AS outgoing_user,
        $44::integer AS outgoing_automation, $45::bigint AS closed_at, $46::text AS closed_by_type,
        $47::text AS closed_by_id, $48::text AS closed_source, $49::text AS category,
        $50::text AS summary
), taken AS (
    SELECT 1 FROM wanted JOIN convo_conversations other ON other.workspace = wanted.workspace
        AND other.active_slot = wanted.active_slot AND other.id <> wanted.id
), new_keys AS (
    SELECT * FROM json_to_recordset($51::json) AS listed_keys(channel text, id text, address text,
        contact text, hash bigint, conversation uuid, first_seq bigint, last_seq bigint)
), known AS (
    SELECT 1 FROM wanted, new_keys CROSS JOIN LATERAL (SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = wanted.workspace AND ky.channel = new_keys.channel AND ky.id = new_keys.id
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = new_keys.address
        OR (ky.address = '' OR new_keys.address = '')
            AND COALESCE(kc.merged_into, kc.id) = new_keys.contact) LIMIT 1) old
), free AS (SELECT 1 WHERE NOT EXISTS (SELECT FROM taken) AND NOT EXISTS (SELECT FROM known)),
    wrote_conversation AS (
    UPDATE convo_conversations cv SET (status, version, updated_at, last_activity_at,
        first_closed_at, assignee, team, pending_since, pending_until, awaiting_contact_since,
        address_channel, address, due_at, active, active_slot, number, opened_at, opened_by_type,
        opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
        first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
        first_waiting_since, waiting_since, no_wait_before, responses, response_micros,
        pending_micros, incoming, outgoing_user, outgoing_automation, closed_at, closed_by_type,
        closed_by_id, closed_source, category, summary)
        = (wanted.status, wanted.version, wanted.updated_at, wanted.last_activity_at,
            wanted.first_closed_at, wanted.assignee, wanted.team, wanted.pending_since,
            wanted.pending_until, wanted.awaiting_contact_since, wanted.address_channel,
            wanted.address, wanted.due_at, wanted.active, wanted.active_slot, wanted.number,
            wanted.opened_at, wanted.opened_by_type, wanted.opened_by_id, wanted.opened_source,
            wanted.first_assigned_at, wanted.first_assignee, wanted.last_assignee,
            wanted.last_team, wanted.first_response_at, wanted.first_response_sent_at,
            wanted.first_responder_type, wanted.first_responder_id, wanted.first_waiting_since,
            wanted.waiting_since, wanted.no_wait_before, wanted.responses, wanted.response_micros,
            wanted.pending_micros, wanted.incoming, wanted.outgoing_user,
            wanted.outgoing_automation, wanted.closed_at, wanted.closed_by_type,
            wanted.closed_by_id, wanted.closed_source, wanted.category, wanted.summary)
    FROM wanted, free
    WHERE cv.workspace = wanted.workspace AND cv.id = wanted.id AND cv.version = $52 RETURNING 1
), wrote_keys AS (
    INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
        first_seq, last_seq)
    SELECT wanted.workspace, new_keys.channel, new_keys.id, new_keys.address, new_keys.contact,
        new_keys.hash, new_keys.conversation, new_keys.first_seq, new_keys.last_seq
    FROM wanted, wrote_conversation, new_keys
), wrote_events AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
        by_type, by_id, source, channel, address, external_id, sent_at, body, attachments,
        category, summary, until_at, assignee, team, response, quiet, new_contact, older,
        restart_flow, message, redacted, duplicate, notice, audience, status_before,
        assignee_before, team_before)
    SELECT wanted.workspace, wanted.id, new_events.seq, new_events.id, new_events.contact,
        new_events.contact_seq, new_events.kind, new_events.at, new_events.by_type,
        new_events.by_id, new_events.source, new_events.channel, new_events.address,
        new_events.external_id, new_events.sent_at, new_events.body, new_events.attachments,
        new_events.category, new_events.summary, new_events.until_at, new_events.assignee,
        new_events.team, new_events.response, new_events.quiet, new_events.new_contact,
        new_events.older, new_events.restart_flow, new_events.message, new_events.redacted,
        new_events.duplicate, new_events.notice, new_events.audience, new_events.status_before,
        new_events.assignee_before, new_events.team_before
    FROM wanted, wrote_conversation, json_to_recordset($53::json) AS new_events(seq bigint,
        id uuid, contact text, contact_seq bigint, kind text, at bigint, by_type text, by_id text,
        source text, channel text, address text, external_id text, sent_at bigint, body text,
        attachments text, category text, summary text, until_at bigint, assignee text, team text,
        response boolean, quiet boolean, new_contact boolean, older boolean, restart_flow boolean,
        message uuid, redacted boolean, duplicate uuid, notice text, audience text,
        status_before text, assignee_before text, team_before text)
)
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known),
    (SELECT count(*) FROM taken);
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 created_at, 6 contact, 7 new_contact,
-- 8 status, 9 version, 10 updated_at, 11 last_activity_at, 12 first_closed_at, 13 assignee,
-- 14 team, 15 pending_since, 16 pending_until, 17 awaiting_contact_since, 18 address_channel,
-- 19 address, 20 due_at, 21 active, 22 active_slot, 23 number, 24 opened_at, 25 opened_by_type,
-- 26 opened_by_id, 27 opened_source, 28 first_assigned_at, 29 first_assignee, 30 last_assignee,
-- 31 last_team, 32 first_response_at, 33 first_response_sent_at, 34 first_responder_type,
-- 35 first_responder_id, 36 first_waiting_since, 37 waiting_since, 38 no_wait_before, 39 responses,
-- 40 response_micros, 41 pending_micros, 42 incoming, 43 outgoing_user, 44 outgoing_automation,
-- 45 closed_at, 46 closed_by_type, 47 closed_by_id, 48 closed_source, 49 category, 50 summary,
-- 51 listed_keys, 52 version, 53 new_events
