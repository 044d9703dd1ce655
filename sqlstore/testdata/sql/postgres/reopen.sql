-- load by contact: see load.sql

-- commit
WITH wanted AS (
    SELECT $1::text AS workspace, $2::uuid AS id, $3::text AS origin, $4::text AS channel,
        $5::text AS lane, $6::bigint AS created_at, $7::text AS contact,
        $8::boolean AS new_contact, $9::text AS status, $10::bigint AS version,
        $11::bigint AS updated_at, $12::bigint AS last_activity_at, $13::bigint AS first_closed_at,
        $14::text AS assignee, $15::text AS team, $16::text AS labels, $17::integer AS priority,
        $18::text AS subject, $19::text AS attributes, $20::bigint AS pending_since,
        $21::bigint AS pending_until, $22::bigint AS awaiting_contact_since,
        $23::text AS address_channel, $24::text AS address, $25::bigint AS due_at,
        $26::boolean AS active, $27::text AS active_slot, $28::integer AS number,
        $29::bigint AS opened_at, $30::text AS opened_by_type, $31::text AS opened_by_id,
        $32::text AS opened_source, $33::bigint AS first_assigned_at, $34::text AS first_assignee,
        $35::text AS last_assignee, $36::text AS last_team, $37::bigint AS first_response_at,
        $38::bigint AS first_response_sent_at, $39::text AS first_responder_type,
        $40::text AS first_responder_id, $41::bigint AS first_waiting_since,
        $42::bigint AS waiting_since, $43::bigint AS no_wait_before, $44::integer AS responses,
        $45::bigint AS response_micros, $46::bigint AS pending_micros, $47::integer AS incoming,
        $48::integer AS outgoing_user, $49::integer AS outgoing_automation,
        $50::bigint AS closed_at, $51::text AS closed_by_type, $52::text AS closed_by_id,
        $53::text AS closed_source, $54::text AS category, $55::text AS summary
), taken AS (
    SELECT 1 FROM wanted JOIN convo_conversations other ON other.workspace = wanted.workspace
        AND other.active_slot = wanted.active_slot AND other.lane = wanted.lane
        AND other.id <> wanted.id
), free AS (SELECT 1 WHERE NOT EXISTS (SELECT FROM taken)), held_contact AS (
    SELECT 1 FROM free, convo_contacts ct
    WHERE ct.workspace = $56 AND ct.id = $57 AND ct.version = $58 FOR UPDATE OF ct
), held AS (
    SELECT 1 FROM wanted, held_contact, convo_conversations cv
    WHERE cv.workspace = wanted.workspace AND cv.id = wanted.id AND cv.version = $59 FOR UPDATE OF
        cv
), wrote_contact AS (
    UPDATE convo_contacts ct SET version = $60, created_at = $61, updated_at = $62, seen_at = $63,
        blocked = $64, merged_into = $65, parent = $66, blocked_by = $67, name = $68,
        attributes = $69
    FROM held WHERE ct.workspace = $70 AND ct.id = $71 AND ct.version = $72 AND ct.seen_at <= $73
    RETURNING 1
), wrote_conversation AS (
    UPDATE convo_conversations cv SET (status, version, updated_at, last_activity_at,
        first_closed_at, assignee, team, labels, priority, subject, attributes, pending_since,
        pending_until, awaiting_contact_since, address_channel, address, due_at, active,
        active_slot, number, opened_at, opened_by_type, opened_by_id, opened_source,
        first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
        first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
        waiting_since, no_wait_before, responses, response_micros, pending_micros, incoming,
        outgoing_user, outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source,
        category, summary)
        = (wanted.status, wanted.version, wanted.updated_at, wanted.last_activity_at,
            wanted.first_closed_at, wanted.assignee, wanted.team, wanted.labels, wanted.priority,
            wanted.subject, wanted.attributes, wanted.pending_since, wanted.pending_until,
            wanted.awaiting_contact_since, wanted.address_channel, wanted.address, wanted.due_at,
            wanted.active, wanted.active_slot, wanted.number, wanted.opened_at,
            wanted.opened_by_type, wanted.opened_by_id, wanted.opened_source,
            wanted.first_assigned_at, wanted.first_assignee, wanted.last_assignee,
            wanted.last_team, wanted.first_response_at, wanted.first_response_sent_at,
            wanted.first_responder_type, wanted.first_responder_id, wanted.first_waiting_since,
            wanted.waiting_since, wanted.no_wait_before, wanted.responses, wanted.response_micros,
            wanted.pending_micros, wanted.incoming, wanted.outgoing_user,
            wanted.outgoing_automation, wanted.closed_at, wanted.closed_by_type,
            wanted.closed_by_id, wanted.closed_source, wanted.category, wanted.summary)
    FROM wanted, wrote_contact
    WHERE cv.workspace = wanted.workspace AND cv.id = wanted.id AND cv.version = $74 RETURNING 1
), wrote_active AS (
    INSERT INTO convo_active (workspace, id, status, channel, lane, created_at, assignee, team,
        priority)
    SELECT wanted.workspace, wanted.id, wanted.status, wanted.channel, wanted.lane,
        wanted.created_at, wanted.assignee, wanted.team, wanted.priority FROM wanted,
        wrote_conversation
), placed_0 AS (
    INSERT INTO convo_places (workspace, list, at, id)
    SELECT $75::text, $76::integer, $77::bigint, $78::uuid FROM wrote_conversation
), wrote_events AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
        by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
        category, summary, until_at, assignee, team, response, quiet, new_contact, restart_flow,
        message, redacted, duplicate, notice, audience, status_before, assignee_before,
        team_before, lane_before, channel_before, moved_from, from_seq, labels, labels_before,
        priority, priority_before, subject, attributes)
    SELECT wanted.workspace, wanted.id, new_events.seq, new_events.id, new_events.contact,
        new_events.contact_seq, new_events.kind, new_events.at, new_events.by_type,
        new_events.by_id, new_events.source, new_events.channel, new_events.lane,
        new_events.address, new_events.external_id, new_events.sent_at, new_events.body,
        new_events.attachments, new_events.category, new_events.summary, new_events.until_at,
        new_events.assignee, new_events.team, new_events.response, new_events.quiet,
        new_events.new_contact, new_events.restart_flow, new_events.message, new_events.redacted,
        new_events.duplicate, new_events.notice, new_events.audience, new_events.status_before,
        new_events.assignee_before, new_events.team_before, new_events.lane_before,
        new_events.channel_before, new_events.moved_from, new_events.from_seq, new_events.labels,
        new_events.labels_before, new_events.priority, new_events.priority_before,
        new_events.subject, new_events.attributes
    FROM wanted, wrote_conversation, json_to_recordset($79::json) AS new_events(seq bigint,
        id uuid, contact text, contact_seq bigint, kind text, at bigint, by_type text, by_id text,
        source text, channel text, lane text, address text, external_id text, sent_at bigint,
        body text, attachments text, category text, summary text, until_at bigint, assignee text,
        team text, response boolean, quiet boolean, new_contact boolean, restart_flow boolean,
        message uuid, redacted boolean, duplicate uuid, notice text, audience text,
        status_before text, assignee_before text, team_before text, lane_before text,
        channel_before text, moved_from text, from_seq bigint, labels text, labels_before text,
        priority integer, priority_before integer, subject text, attributes text)
)
SELECT (SELECT count(*) FROM wrote_conversation), 0, (SELECT count(*) FROM taken);
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 lane, 6 created_at, 7 contact,
-- 8 new_contact, 9 status, 10 version, 11 updated_at, 12 last_activity_at, 13 first_closed_at,
-- 14 assignee, 15 team, 16 labels, 17 priority, 18 subject, 19 attributes, 20 pending_since,
-- 21 pending_until, 22 awaiting_contact_since, 23 address_channel, 24 address, 25 due_at,
-- 26 active, 27 active_slot, 28 number, 29 opened_at, 30 opened_by_type, 31 opened_by_id,
-- 32 opened_source, 33 first_assigned_at, 34 first_assignee, 35 last_assignee, 36 last_team,
-- 37 first_response_at, 38 first_response_sent_at, 39 first_responder_type, 40 first_responder_id,
-- 41 first_waiting_since, 42 waiting_since, 43 no_wait_before, 44 responses, 45 response_micros,
-- 46 pending_micros, 47 incoming, 48 outgoing_user, 49 outgoing_automation, 50 closed_at,
-- 51 closed_by_type, 52 closed_by_id, 53 closed_source, 54 category, 55 summary, 56 workspace,
-- 57 id, 58 version, 59 version, 60 version, 61 created_at, 62 updated_at, 63 seen_at, 64 blocked,
-- 65 merged_into, 66 parent, 67 blocked_by, 68 name, 69 attributes, 70 workspace, 71 id,
-- 72 version, 73 seen_at, 74 version, 75 workspace, 76 list, 77 at, 78 id, 79 new_events
