WITH listed AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json) AS listed(n integer, contact text,
        contact_version bigint, contact_seen bigint, expected bigint, deadline_before bigint,
        due_before bigint, applied_before text, contact_before text, workspace text, id uuid,
        version bigint, updated_at bigint, last_activity_at bigint, last_incoming_at bigint,
        awaiting_contact_since bigint, address_channel text, address text, deadline_at bigint,
        first_response_at bigint, first_response_sent_at bigint, first_responder_type text,
        first_responder_id text, first_waiting_since bigint, waiting_since bigint,
        turn_since bigint, no_wait_before bigint, responses integer, response_micros bigint,
        incoming integer, outgoing_user integer, outgoing_automation integer, events json,
        keys json, moves json) LIMIT (SELECT 1000)
), held AS MATERIALIZED (
    SELECT listed.* FROM listed CROSS JOIN LATERAL (
        SELECT 1 FROM convo_conversations cv
        WHERE cv.workspace = listed.workspace AND cv.id = listed.id
            AND cv.version = listed.expected
        AND COALESCE(cv.deadline_at, -62135596800000000) = listed.deadline_before
        AND COALESCE(cv.due_at, -62135596800000000) = listed.due_before
        AND COALESCE(cv.applied, '') = listed.applied_before
        AND cv.contact = listed.contact_before
        LIMIT 1 FOR UPDATE SKIP LOCKED) free
    WHERE (listed.contact_version IS NULL OR EXISTS (
        SELECT FROM convo_contacts ct WHERE ct.workspace = listed.workspace
            AND ct.id = listed.contact AND ct.version = listed.contact_version
            AND ct.seen_at <= listed.contact_seen))
        AND NOT EXISTS (
            SELECT FROM json_to_recordset(listed.keys) AS new_keys(workspace text, channel text,
                id text, address text, contact text, hash bigint, conversation uuid,
                first_seq bigint, last_seq bigint, erased text)
            CROSS JOIN LATERAL (SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = listed.workspace AND ky.channel = new_keys.channel
        AND ky.id IN (new_keys.id, new_keys.erased)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = new_keys.address
        OR (ky.address = '' OR new_keys.address = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = new_keys.contact)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1)
                    old)
), wrote_conversation AS (
    UPDATE convo_conversations cv SET (version, updated_at, last_activity_at, last_incoming_at,
        awaiting_contact_since, address_channel, address, deadline_at, first_response_at,
        first_response_sent_at, first_responder_type, first_responder_id, first_waiting_since,
        waiting_since, turn_since, no_wait_before, responses, response_micros, incoming,
        outgoing_user, outgoing_automation)
        = (held.version, held.updated_at, held.last_activity_at, held.last_incoming_at,
            held.awaiting_contact_since, held.address_channel, held.address, held.deadline_at,
            held.first_response_at, held.first_response_sent_at, held.first_responder_type,
            held.first_responder_id, held.first_waiting_since, held.waiting_since, held.turn_since,
            held.no_wait_before, held.responses, held.response_micros, held.incoming,
            held.outgoing_user, held.outgoing_automation)
    FROM held WHERE cv.workspace = held.workspace AND cv.id = held.id
        AND cv.version = held.expected
    RETURNING held.n, held.workspace, held.id, held.events, held.keys, held.moves
), wrote_events AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
        status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
        turn, turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    SELECT wrote.workspace, wrote.id, new_events.seq, new_events.id, new_events.contact,
        new_events.kind, new_events.at, new_events.by_type, new_events.by_id, new_events.channel,
        new_events.address, new_events.external_id, new_events.sent_at, new_events.body,
        new_events.attachments, new_events.cycle, new_events.response, new_events.quiet,
        new_events.status_before, new_events.assignee_before, new_events.team_before,
        new_events.lane_before, new_events.channel_before, new_events.opened_source,
        new_events.turn, new_events.turn_since, new_events.waiting_since,
        new_events.handed_over_at, new_events.replies, new_events.labels_before,
        new_events.priority_before
    FROM wrote_conversation wrote, json_to_recordset(wrote.events) AS new_events(seq bigint,
        id uuid, contact text, kind text, at bigint, by_type text, by_id text, channel text,
        address text, external_id text, sent_at bigint, body text, attachments text, cycle integer,
        response boolean, quiet boolean, status_before text, assignee_before text,
        team_before text, lane_before text, channel_before text, opened_source text, turn text,
        turn_since bigint, waiting_since bigint, handed_over_at bigint, replies integer,
        labels_before text, priority_before integer)
), noted AS (
    INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT wrote.workspace, wrote.id, new_events.seq
    FROM wrote_conversation wrote, json_to_recordset(wrote.events) AS new_events(seq bigint) ON
        CONFLICT DO NOTHING
), wrote_keys AS (
    INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
        first_seq, last_seq)
    SELECT wrote.workspace, new_keys.channel, new_keys.id, new_keys.address, new_keys.contact,
        new_keys.hash, new_keys.conversation, new_keys.first_seq, new_keys.last_seq
    FROM wrote_conversation wrote, json_to_recordset(wrote.keys) AS new_keys(channel text, id text,
        address text, contact text, hash bigint, conversation uuid, first_seq bigint,
        last_seq bigint)
), moves AS MATERIALIZED (
    SELECT wrote.workspace, wrote.id, new_moves.* FROM wrote_conversation wrote,
        json_to_recordset(wrote.moves) AS new_moves(list integer, at bigint, list_now integer,
        at_now bigint)
), new_places AS (
    INSERT INTO convo_places (workspace, list, at, id)
    SELECT workspace, list_now, at_now, id FROM moves WHERE list IS NULL
), moved_places AS (
    UPDATE convo_places pl SET list = moves.list_now, at = moves.at_now FROM moves
    WHERE pl.workspace = moves.workspace AND pl.list = moves.list AND pl.at = moves.at
        AND pl.id = moves.id AND moves.list_now IS NOT NULL
), gone_places AS (
    DELETE FROM convo_places pl USING moves
    WHERE pl.workspace = moves.workspace AND pl.list = moves.list AND pl.at = moves.at
        AND pl.id = moves.id AND moves.list_now IS NULL
)
SELECT COALESCE(bit_or(1::bigint << n), 0) FROM wrote_conversation;
-- parameters: 1 listed
