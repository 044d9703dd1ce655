-- load by contact: see load.sql

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
), free AS (SELECT 1 WHERE NOT EXISTS (SELECT FROM taken)), wrote_conversation AS (
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
    WHERE cv.workspace = wanted.workspace AND cv.id = wanted.id AND cv.version = $51 RETURNING 1
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
    FROM wanted, wrote_conversation, json_to_recordset($52::json) AS new_events(seq bigint,
        id uuid, contact text, contact_seq bigint, kind text, at bigint, by_type text, by_id text,
        source text, channel text, address text, external_id text, sent_at bigint, body text,
        attachments text, category text, summary text, until_at bigint, assignee text, team text,
        response boolean, quiet boolean, new_contact boolean, older boolean, restart_flow boolean,
        message uuid, redacted boolean, duplicate uuid, notice text, audience text,
        status_before text, assignee_before text, team_before text)
)
SELECT (SELECT count(*) FROM wrote_conversation), 0, (SELECT count(*) FROM taken);
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 created_at, 6 contact, 7 new_contact,
-- 8 status, 9 version, 10 updated_at, 11 last_activity_at, 12 first_closed_at, 13 assignee,
-- 14 team, 15 pending_since, 16 pending_until, 17 awaiting_contact_since, 18 address_channel,
-- 19 address, 20 due_at, 21 active, 22 active_slot, 23 number, 24 opened_at, 25 opened_by_type,
-- 26 opened_by_id, 27 opened_source, 28 first_assigned_at, 29 first_assignee, 30 last_assignee,
-- 31 last_team, 32 first_response_at, 33 first_response_sent_at, 34 first_responder_type,
-- 35 first_responder_id, 36 first_waiting_since, 37 waiting_since, 38 no_wait_before, 39 responses,
-- 40 response_micros, 41 pending_micros, 42 incoming, 43 outgoing_user, 44 outgoing_automation,
-- 45 closed_at, 46 closed_by_type, 47 closed_by_id, 48 closed_source, 49 category, 50 summary,
-- 51 version, 52 new_events
