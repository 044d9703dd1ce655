BEGIN;

-- load
SELECT here.mark, loaded.* FROM (
    SELECT CASE WHEN current_setting('transaction_isolation') = 'read committed'
        THEN (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint END AS mark
) here LEFT JOIN (
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
    FROM convo_contacts ct
    LEFT JOIN convo_conversations cv
        ON cv.workspace = ct.workspace AND cv.id = COALESCE((
            SELECT running.id FROM convo_active running
            WHERE running.workspace = ct.workspace AND running.contact = ct.id
                AND running.lane = $1), (
            SELECT latest.id FROM convo_conversations latest
            WHERE latest.workspace = ct.workspace AND latest.contact = ct.id AND latest.lane = $2
            ORDER BY latest.opened_at DESC, latest.id DESC LIMIT 1))
    WHERE ct.workspace = $3 AND ct.id = $4
) loaded ON TRUE;
-- parameters: 1 lane, 2 lane, 3 workspace, 4 id

-- commit
WITH here AS (
    SELECT 1 WHERE (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint = $1
), known AS (
    SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = $2 AND ky.channel = $3
        AND ky.id IN ($4, $5)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = $6
        OR (ky.address = '' OR $7 = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = $8)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1
), wrote_conversation AS (
    UPDATE convo_conversations SET version = $9, updated_at = $10, last_activity_at = $11,
        last_incoming_at = $12, awaiting_contact_since = $13, address_channel = $14, address = $15,
        deadline_at = $16, first_response_at = $17, first_response_sent_at = $18,
        first_responder_type = $19, first_responder_id = $20, first_waiting_since = $21,
        waiting_since = $22, turn_since = $23, no_wait_before = $24, responses = $25,
        response_micros = $26, incoming = $27, outgoing_user = $28, outgoing_automation = $29
    WHERE workspace = $30 AND id = $31 AND version = $32
        AND COALESCE(deadline_at, -62135596800000000) = $33
        AND COALESCE(due_at, -62135596800000000) = $34
        AND COALESCE(applied, '') = $35
        AND contact = $36 AND NOT EXISTS (SELECT FROM known) AND EXISTS (SELECT FROM here)
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
        status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
        turn, turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $37::bigint, $38::uuid, $39::text,
        $40::text, $41::bigint, $42::text, $43::text, $44::text, $45::text, $46::text, $47::bigint,
        $48::text, $49::text, $50::integer, $51::boolean, $52::boolean, $53::text, $54::text,
        $55::text, $56::text, $57::text, $58::text, $59::text, $60::bigint, $61::bigint,
        $62::bigint, $63::integer, $64::text, $65::integer
    FROM wrote_conversation
), noted AS (
    INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT workspace, id, $66::bigint FROM wrote_conversation ON CONFLICT DO NOTHING
), wrote_key AS (
    INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
        first_seq, last_seq)
    SELECT wrote_conversation.workspace, $67::text, $68::text, $69::text, $70::text, $71::bigint,
        $72::uuid, $73::bigint, $74::bigint
    FROM wrote_conversation
)
SELECT (SELECT count(*) FROM here), (SELECT count(*) FROM wrote_conversation),
    (SELECT count(*) FROM known), 0;
-- parameters: 1 bigint, 2 workspace, 3 channel, 4 id, 5 id, 6 address, 7 ?, 8 id, 9 version,
-- 10 updated_at, 11 last_activity_at, 12 last_incoming_at, 13 awaiting_contact_since,
-- 14 address_channel, 15 address, 16 deadline_at, 17 first_response_at, 18 first_response_sent_at,
-- 19 first_responder_type, 20 first_responder_id, 21 first_waiting_since, 22 waiting_since,
-- 23 turn_since, 24 no_wait_before, 25 responses, 26 response_micros, 27 incoming,
-- 28 outgoing_user, 29 outgoing_automation, 30 workspace, 31 id, 32 version, 33 ), 34 ), 35 ),
-- 36 contact, 37 seq, 38 id, 39 contact, 40 kind, 41 at, 42 by_type, 43 by_id, 44 channel,
-- 45 address, 46 external_id, 47 sent_at, 48 body, 49 attachments, 50 cycle, 51 response, 52 quiet,
-- 53 status_before, 54 assignee_before, 55 team_before, 56 lane_before, 57 channel_before,
-- 58 opened_source, 59 turn, 60 turn_since, 61 waiting_since, 62 handed_over_at, 63 replies,
-- 64 labels_before, 65 priority_before, 66 from_seq, 67 channel, 68 id, 69 address, 70 contact,
-- 71 hash, 72 conversation, 73 first_seq, 74 last_seq

COMMIT;
