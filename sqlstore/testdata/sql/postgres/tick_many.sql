BEGIN;
-- isolation level: Read Committed

-- hold those that are due and free
SELECT cv.workspace, cv.id
    FROM json_to_recordset($1::json) AS listed(workspace text, id uuid) CROSS JOIN LATERAL (
        SELECT workspace, id FROM convo_conversations
        WHERE workspace = listed.workspace AND id = listed.id AND due_at <= $2 LIMIT 1 FOR UPDATE
            SKIP LOCKED) cv;
-- parameters: 1 listed, 2 due_at

-- load them
SELECT
    format('%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s\x1f%s',
    ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.seen_at, ct.blocked,
        ct.merged_into, ct.parent, ct.blocked_by, ct.name, ct.attributes, ct.erased_at,
        CASE WHEN cv.active THEN NULL ELSE (
        SELECT other.id FROM convo_active other
        WHERE other.workspace = ct.workspace AND other.contact = ct.id
            AND other.lane = cv.lane) END, CASE WHEN cv.id IS NULL THEN EXISTS (
        SELECT 1 FROM convo_conversations any_lane
        WHERE any_lane.workspace = ct.workspace AND any_lane.contact = ct.id)
        ELSE 1 = 1 END, cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at,
            cv.contact, cv.new_contact, cv.status, cv.status_since, cv.version, cv.updated_at,
            cv.last_activity_at, cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team,
            cv.assigned_at, cv.labels, cv.priority, cv.subject, cv.attributes, cv.pending_until,
            cv.on_receive, cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks,
            cv.deadline_at, cv.due_at, cv.applied, cv.unrated, cv.number, cv.opened_at,
            cv.opened_by_type, cv.opened_by_id, cv.opened_source, cv.first_assigned_at,
            cv.first_assignee, cv.last_assignee, cv.last_team, cv.first_response_at,
            cv.first_response_sent_at, cv.first_responder_type, cv.first_responder_id,
            cv.first_waiting_since, cv.waiting_since, cv.turn_since, cv.handed_over_at,
            cv.no_wait_before, cv.responses, cv.response_micros, cv.pending_micros, cv.incoming,
            cv.outgoing_user, cv.outgoing_automation, cv.rated_at, cv.score, cv.rating_comment,
            cv.closed_at, cv.closed_by_type, cv.closed_by_id, cv.closed_source, cv.category,
            cv.summary)
    FROM json_to_recordset($1::json) AS listed(workspace text, id uuid) CROSS JOIN LATERAL (
        SELECT * FROM convo_conversations
        WHERE workspace = listed.workspace AND id = listed.id AND due_at <= $2 LIMIT 1) cv
    JOIN convo_contacts ct ON ct.workspace = cv.workspace AND ct.id = cv.contact;
-- parameters: 1 listed, 2 due_at

-- commit
UPDATE convo_conversations cv SET (status, status_since, version, updated_at, last_activity_at,
    last_incoming_at, first_closed_at, assignee, team, assigned_at, labels, priority, subject,
    attributes, pending_until, on_receive, awaiting_contact_since, address_channel, address, marks,
    deadline_at, due_at, applied, unrated, active, number, opened_at, opened_by_type, opened_by_id,
    opened_source, first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
    first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
    waiting_since, turn_since, handed_over_at, no_wait_before, responses, response_micros,
    pending_micros, incoming, outgoing_user, outgoing_automation, rated_at, score, rating_comment,
    closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    = (listed.status, listed.status_since, listed.version, listed.updated_at,
        listed.last_activity_at, listed.last_incoming_at, listed.first_closed_at, listed.assignee,
        listed.team, listed.assigned_at, listed.labels, listed.priority, listed.subject,
        listed.attributes, listed.pending_until, listed.on_receive, listed.awaiting_contact_since,
        listed.address_channel, listed.address, listed.marks, listed.deadline_at, listed.due_at,
        listed.applied, listed.unrated, listed.active, listed.number, listed.opened_at,
        listed.opened_by_type, listed.opened_by_id, listed.opened_source, listed.first_assigned_at,
        listed.first_assignee, listed.last_assignee, listed.last_team, listed.first_response_at,
        listed.first_response_sent_at, listed.first_responder_type, listed.first_responder_id,
        listed.first_waiting_since, listed.waiting_since, listed.turn_since, listed.handed_over_at,
        listed.no_wait_before, listed.responses, listed.response_micros, listed.pending_micros,
        listed.incoming, listed.outgoing_user, listed.outgoing_automation, listed.rated_at,
        listed.score, listed.rating_comment, listed.closed_at, listed.closed_by_type,
        listed.closed_by_id, listed.closed_source, listed.category, listed.summary)
    FROM (SELECT * FROM json_to_recordset($1::json) AS listed(workspace text, id uuid, status text,
        status_since bigint, version bigint, updated_at bigint, last_activity_at bigint,
        last_incoming_at bigint, first_closed_at bigint, assignee text, team text,
        assigned_at bigint, labels text, priority integer, subject text, attributes text,
        pending_until bigint, on_receive text, awaiting_contact_since bigint, address_channel text,
        address text, marks text, deadline_at bigint, due_at bigint, applied text, unrated integer,
        active boolean, number integer, opened_at bigint, opened_by_type text, opened_by_id text,
        opened_source text, first_assigned_at bigint, first_assignee text, last_assignee text,
        last_team text, first_response_at bigint, first_response_sent_at bigint,
        first_responder_type text, first_responder_id text, first_waiting_since bigint,
        waiting_since bigint, turn_since bigint, handed_over_at bigint, no_wait_before bigint,
        responses integer, response_micros bigint, pending_micros bigint, incoming integer,
        outgoing_user integer, outgoing_automation integer, rated_at bigint, score integer,
        rating_comment text, closed_at bigint, closed_by_type text, closed_by_id text,
        closed_source text, category text, summary text, expected bigint, deadline_before bigint,
        due_before bigint, applied_before text, contact_before text)
        LIMIT (SELECT 1000)) listed
    WHERE cv.workspace = listed.workspace AND cv.id = listed.id AND cv.version = listed.expected
        AND COALESCE(cv.deadline_at, -62135596800000000) = listed.deadline_before
        AND COALESCE(cv.due_at, -62135596800000000) = listed.due_before
        AND COALESCE(cv.applied, '') = listed.applied_before
        AND cv.contact = listed.contact_before;
-- parameters: 1 listed

DELETE FROM convo_active ac USING (SELECT * FROM json_to_recordset($1::json) AS listed(workspace
    text, id uuid)
        LIMIT (SELECT 1000)) listed
    WHERE ac.workspace = listed.workspace AND ac.id = listed.id;
-- parameters: 1 listed

UPDATE convo_active ac SET (status, channel, lane, assignee, team, priority, due_at)
    = (listed.status, listed.channel, listed.lane, listed.assignee, listed.team, listed.priority,
        listed.due_at)
    FROM (SELECT * FROM json_to_recordset($1::json) AS listed(workspace text, id uuid, status text,
        channel text, lane text, assignee text, team text, priority integer, due_at bigint)
        LIMIT (SELECT 1000)) listed
    WHERE ac.workspace = listed.workspace AND ac.id = listed.id;
-- parameters: 1 listed

DELETE FROM convo_places pl USING (SELECT * FROM json_to_recordset($1::json) AS listed(workspace
    text, list integer, at bigint, id uuid)
        LIMIT (SELECT 1000)) listed
    WHERE pl.workspace = listed.workspace AND pl.list = listed.list AND pl.at = listed.at AND pl.id
        = listed.id;
-- parameters: 1 listed

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, on_receive, marks, cycle, score, replaces, assignee, team,
    response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice, audience,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
    status_since, assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since,
    handed_over_at, replies, pending_micros, closed_by_type, closed_by_id, moved_from, from_seq,
    labels, labels_before, priority, priority_before, subject, attributes)
    SELECT listed.workspace, listed.conversation, listed.seq, listed.id, listed.contact,
        listed.contact_seq, listed.kind, listed.at, listed.by_type, listed.by_id, listed.source,
        listed.channel, listed.lane, listed.address, listed.external_id, listed.sent_at,
        listed.body, listed.attachments, listed.category, listed.summary, listed.until_at,
        listed.on_receive, listed.marks, listed.cycle, listed.score, listed.replaces,
        listed.assignee, listed.team, listed.response, listed.quiet, listed.new_contact,
        listed.restart_flow, listed.message, listed.redacted, listed.duplicate, listed.notice,
        listed.audience, listed.status_before, listed.assignee_before, listed.team_before,
        listed.lane_before, listed.channel_before, listed.opened_source, listed.status_since,
        listed.assigned_at, listed.was_assigned, listed.opened_at, listed.turn, listed.turn_since,
        listed.waiting_since, listed.handed_over_at, listed.replies, listed.pending_micros,
        listed.closed_by_type, listed.closed_by_id, listed.moved_from, listed.from_seq,
        listed.labels, listed.labels_before, listed.priority, listed.priority_before,
        listed.subject, listed.attributes FROM json_to_recordset($1::json) AS listed(workspace
        text, conversation uuid, seq bigint, id uuid, contact text, contact_seq bigint, kind text,
        at bigint, by_type text, by_id text, source text, channel text, lane text, address text,
        external_id text, sent_at bigint, body text, attachments text, category text, summary text,
        until_at bigint, on_receive text, marks text, cycle integer, score integer,
        replaces boolean, assignee text, team text, response boolean, quiet boolean,
        new_contact boolean, restart_flow boolean, message uuid, redacted boolean, duplicate uuid,
        notice text, audience text, status_before text, assignee_before text, team_before text,
        lane_before text, channel_before text, opened_source text, status_since bigint,
        assigned_at bigint, was_assigned boolean, opened_at bigint, turn text, turn_since bigint,
        waiting_since bigint, handed_over_at bigint, replies integer, pending_micros bigint,
        closed_by_type text, closed_by_id text, moved_from text, from_seq bigint, labels text,
        labels_before text, priority integer, priority_before integer, subject text,
        attributes text) ON CONFLICT DO NOTHING;
-- parameters: 1 listed

INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
    opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee,
    last_team, first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
    first_waiting_since, waiting_since, turn_since, handed_over_at, no_wait_before, responses,
    response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, rated_at, score,
    rating_comment, closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    SELECT listed.workspace, listed.conversation, listed.channel, listed.lane, listed.number,
        listed.opened_at, listed.opened_by_type, listed.opened_by_id, listed.opened_source,
        listed.first_assigned_at, listed.first_assignee, listed.last_assignee, listed.last_team,
        listed.first_response_at, listed.first_response_sent_at, listed.first_responder_type,
        listed.first_responder_id, listed.first_waiting_since, listed.waiting_since,
        listed.turn_since, listed.handed_over_at, listed.no_wait_before, listed.responses,
        listed.response_micros, listed.pending_micros, listed.incoming, listed.outgoing_user,
        listed.outgoing_automation, listed.rated_at, listed.score, listed.rating_comment,
        listed.closed_at, listed.closed_by_type, listed.closed_by_id, listed.closed_source,
        listed.category, listed.summary FROM json_to_recordset($1::json) AS listed(workspace text,
        conversation uuid, channel text, lane text, number integer, opened_at bigint,
        opened_by_type text, opened_by_id text, opened_source text, first_assigned_at bigint,
        first_assignee text, last_assignee text, last_team text, first_response_at bigint,
        first_response_sent_at bigint, first_responder_type text, first_responder_id text,
        first_waiting_since bigint, waiting_since bigint, turn_since bigint, handed_over_at bigint,
        no_wait_before bigint, responses integer, response_micros bigint, pending_micros bigint,
        incoming integer, outgoing_user integer, outgoing_automation integer, rated_at bigint,
        score integer, rating_comment text, closed_at bigint, closed_by_type text,
        closed_by_id text, closed_source text, category text, summary text) ON CONFLICT DO NOTHING;
-- parameters: 1 listed

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT listed.workspace, listed.conversation,
        listed.from_seq FROM json_to_recordset($1::json) AS listed(workspace text,
        conversation uuid, from_seq bigint) ON CONFLICT DO NOTHING;
-- parameters: 1 listed

COMMIT;
