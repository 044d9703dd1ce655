-- load by contact: see load.sql

-- commit
WITH wanted AS (
    SELECT $1::text AS workspace, $2::uuid AS id, $3::text AS origin, $4::text AS channel,
        $5::text AS lane, $6::bigint AS created_at, $7::text AS contact,
        $8::boolean AS new_contact, $9::text AS status, $10::bigint AS status_since,
        $11::bigint AS version, $12::bigint AS updated_at, $13::bigint AS last_activity_at,
        $14::bigint AS last_incoming_at, $15::bigint AS first_closed_at, $16::text AS assignee,
        $17::text AS team, $18::bigint AS assigned_at, $19::text AS labels,
        $20::integer AS priority, $21::text AS subject, $22::text AS attributes,
        $23::bigint AS pending_until, $24::text AS on_receive,
        $25::bigint AS awaiting_contact_since, $26::text AS address_channel, $27::text AS address,
        $28::text AS marks, $29::bigint AS deadline_at, $30::bigint AS due_at,
        $31::text AS applied, $32::integer AS unrated, $33::boolean AS active,
        $34::integer AS number, $35::bigint AS opened_at, $36::text AS opened_by_type,
        $37::text AS opened_by_id, $38::text AS opened_source, $39::bigint AS first_assigned_at,
        $40::text AS first_assignee, $41::text AS last_assignee, $42::text AS last_team,
        $43::bigint AS first_response_at, $44::bigint AS first_response_sent_at,
        $45::text AS first_responder_type, $46::text AS first_responder_id,
        $47::bigint AS first_waiting_since, $48::bigint AS waiting_since,
        $49::bigint AS turn_since, $50::bigint AS handed_over_at, $51::bigint AS no_wait_before,
        $52::integer AS responses, $53::bigint AS response_micros, $54::bigint AS pending_micros,
        $55::integer AS incoming, $56::integer AS outgoing_user,
        $57::integer AS outgoing_automation, $58::bigint AS rated_at, $59::integer AS score,
        $60::text AS rating_comment, $61::bigint AS closed_at, $62::text AS closed_by_type,
        $63::text AS closed_by_id, $64::text AS closed_source, $65::text AS category,
        $66::text AS summary
), free AS (SELECT 1 WHERE TRUE), wrote_conversation AS (
    UPDATE convo_conversations cv SET (status, status_since, version, updated_at, last_activity_at,
        last_incoming_at, first_closed_at, assignee, team, assigned_at, labels, priority, subject,
        attributes, pending_until, on_receive, awaiting_contact_since, address_channel, address,
        marks, deadline_at, due_at, applied, unrated, active, number, opened_at, opened_by_type,
        opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee, last_team,
        first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
        first_waiting_since, waiting_since, turn_since, handed_over_at, no_wait_before, responses,
        response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, rated_at,
        score, rating_comment, closed_at, closed_by_type, closed_by_id, closed_source, category,
        summary)
        = (wanted.status, wanted.status_since, wanted.version, wanted.updated_at,
            wanted.last_activity_at, wanted.last_incoming_at, wanted.first_closed_at,
            wanted.assignee, wanted.team, wanted.assigned_at, wanted.labels, wanted.priority,
            wanted.subject, wanted.attributes, wanted.pending_until, wanted.on_receive,
            wanted.awaiting_contact_since, wanted.address_channel, wanted.address, wanted.marks,
            wanted.deadline_at, wanted.due_at, wanted.applied, wanted.unrated, wanted.active,
            wanted.number, wanted.opened_at, wanted.opened_by_type, wanted.opened_by_id,
            wanted.opened_source, wanted.first_assigned_at, wanted.first_assignee,
            wanted.last_assignee, wanted.last_team, wanted.first_response_at,
            wanted.first_response_sent_at, wanted.first_responder_type, wanted.first_responder_id,
            wanted.first_waiting_since, wanted.waiting_since, wanted.turn_since,
            wanted.handed_over_at, wanted.no_wait_before, wanted.responses, wanted.response_micros,
            wanted.pending_micros, wanted.incoming, wanted.outgoing_user,
            wanted.outgoing_automation, wanted.rated_at, wanted.score, wanted.rating_comment,
            wanted.closed_at, wanted.closed_by_type, wanted.closed_by_id, wanted.closed_source,
            wanted.category, wanted.summary)
    FROM wanted, free
    WHERE cv.workspace = wanted.workspace AND cv.id = wanted.id
        AND cv.version = $67
        AND COALESCE(cv.deadline_at, -62135596800000000) = $68
        AND COALESCE(cv.due_at, -62135596800000000) = $69
        AND COALESCE(cv.applied, '') = $70
        AND cv.contact = $71 RETURNING 1
), wrote_cycle AS (
    INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
        opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee,
        last_assignee, last_team, first_response_at, first_response_sent_at, first_responder_type,
        first_responder_id, first_waiting_since, waiting_since, turn_since, handed_over_at,
        no_wait_before, responses, response_micros, pending_micros, incoming, outgoing_user,
        outgoing_automation, rated_at, score, rating_comment, closed_at, closed_by_type,
        closed_by_id, closed_source, category, summary)
    SELECT wanted.workspace, wanted.id, wanted.channel, wanted.lane, wanted.number,
        wanted.opened_at, wanted.opened_by_type, wanted.opened_by_id, wanted.opened_source,
        wanted.first_assigned_at, wanted.first_assignee, wanted.last_assignee, wanted.last_team,
        wanted.first_response_at, wanted.first_response_sent_at, wanted.first_responder_type,
        wanted.first_responder_id, wanted.first_waiting_since, wanted.waiting_since,
        wanted.turn_since, wanted.handed_over_at, wanted.no_wait_before, wanted.responses,
        wanted.response_micros, wanted.pending_micros, wanted.incoming, wanted.outgoing_user,
        wanted.outgoing_automation, wanted.rated_at, wanted.score, wanted.rating_comment,
        wanted.closed_at, wanted.closed_by_type, wanted.closed_by_id, wanted.closed_source,
        wanted.category, wanted.summary
    FROM wanted, wrote_conversation
     ON CONFLICT (workspace, conversation, number) DO UPDATE
    SET category = excluded.category, summary = excluded.summary, rated_at = excluded.rated_at,
        score = excluded.score, rating_comment = excluded.rating_comment,
        outgoing_user = excluded.outgoing_user,
        outgoing_automation = excluded.outgoing_automation
), wrote_events AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
        by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
        category, summary, until_at, on_receive, marks, cycle, score, replaces, assignee, team,
        response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice, audience,
        status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
        status_since, assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since,
        handed_over_at, replies, pending_micros, closed_by_type, closed_by_id, moved_from,
        from_seq, labels, labels_before, priority, priority_before, subject, attributes)
    SELECT wanted.workspace, wanted.id, new_events.seq, new_events.id, new_events.contact,
        new_events.contact_seq, new_events.kind, new_events.at, new_events.by_type,
        new_events.by_id, new_events.source, new_events.channel, new_events.lane,
        new_events.address, new_events.external_id, new_events.sent_at, new_events.body,
        new_events.attachments, new_events.category, new_events.summary, new_events.until_at,
        new_events.on_receive, new_events.marks, new_events.cycle, new_events.score,
        new_events.replaces, new_events.assignee, new_events.team, new_events.response,
        new_events.quiet, new_events.new_contact, new_events.restart_flow, new_events.message,
        new_events.redacted, new_events.duplicate, new_events.notice, new_events.audience,
        new_events.status_before, new_events.assignee_before, new_events.team_before,
        new_events.lane_before, new_events.channel_before, new_events.opened_source,
        new_events.status_since, new_events.assigned_at, new_events.was_assigned,
        new_events.opened_at, new_events.turn, new_events.turn_since, new_events.waiting_since,
        new_events.handed_over_at, new_events.replies, new_events.pending_micros,
        new_events.closed_by_type, new_events.closed_by_id, new_events.moved_from,
        new_events.from_seq, new_events.labels, new_events.labels_before, new_events.priority,
        new_events.priority_before, new_events.subject, new_events.attributes
    FROM wanted, wrote_conversation, json_to_recordset($72::json) AS new_events(seq bigint,
        id uuid, contact text, contact_seq bigint, kind text, at bigint, by_type text, by_id text,
        source text, channel text, lane text, address text, external_id text, sent_at bigint,
        body text, attachments text, category text, summary text, until_at bigint, on_receive text,
        marks text, cycle integer, score integer, replaces boolean, assignee text, team text,
        response boolean, quiet boolean, new_contact boolean, restart_flow boolean, message uuid,
        redacted boolean, duplicate uuid, notice text, audience text, status_before text,
        assignee_before text, team_before text, lane_before text, channel_before text,
        opened_source text, status_since bigint, assigned_at bigint, was_assigned boolean,
        opened_at bigint, turn text, turn_since bigint, waiting_since bigint,
        handed_over_at bigint, replies integer, pending_micros bigint, closed_by_type text,
        closed_by_id text, moved_from text, from_seq bigint, labels text, labels_before text,
        priority integer, priority_before integer, subject text, attributes text)
), noted AS (
    INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT wanted.workspace, wanted.id, $73::bigint
    FROM wanted, wrote_conversation ON CONFLICT DO NOTHING
)
SELECT (SELECT count(*) FROM wrote_conversation), 0, 0;
-- parameters: 1 workspace, 2 id, 3 origin, 4 channel, 5 lane, 6 created_at, 7 contact,
-- 8 new_contact, 9 status, 10 status_since, 11 version, 12 updated_at, 13 last_activity_at,
-- 14 last_incoming_at, 15 first_closed_at, 16 assignee, 17 team, 18 assigned_at, 19 labels,
-- 20 priority, 21 subject, 22 attributes, 23 pending_until, 24 on_receive,
-- 25 awaiting_contact_since, 26 address_channel, 27 address, 28 marks, 29 deadline_at, 30 due_at,
-- 31 applied, 32 unrated, 33 active, 34 number, 35 opened_at, 36 opened_by_type, 37 opened_by_id,
-- 38 opened_source, 39 first_assigned_at, 40 first_assignee, 41 last_assignee, 42 last_team,
-- 43 first_response_at, 44 first_response_sent_at, 45 first_responder_type, 46 first_responder_id,
-- 47 first_waiting_since, 48 waiting_since, 49 turn_since, 50 handed_over_at, 51 no_wait_before,
-- 52 responses, 53 response_micros, 54 pending_micros, 55 incoming, 56 outgoing_user,
-- 57 outgoing_automation, 58 rated_at, 59 score, 60 rating_comment, 61 closed_at,
-- 62 closed_by_type, 63 closed_by_id, 64 closed_source, 65 category, 66 summary, 67 version, 68 ),
-- 69 ), 70 ), 71 contact, 72 new_events, 73 from_seq
