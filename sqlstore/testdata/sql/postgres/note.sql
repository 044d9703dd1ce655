-- load by contact: see load.sql

-- commit
WITH wrote_conversation AS (
    UPDATE convo_conversations SET version = $1, updated_at = $2, last_activity_at = $3,
        last_incoming_at = $4, awaiting_contact_since = $5, address_channel = $6, address = $7,
        deadline_at = $8, first_response_at = $9, first_response_sent_at = $10,
        first_responder_type = $11, first_responder_id = $12, first_waiting_since = $13,
        waiting_since = $14, turn_since = $15, no_wait_before = $16, responses = $17,
        response_micros = $18, incoming = $19, outgoing_user = $20, outgoing_automation = $21
    WHERE workspace = $22 AND id = $23 AND version = $24 AND COALESCE(deadline_at,
        -62135596800000000) = $25
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
        status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
        turn, turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $26::bigint, $27::uuid, $28::text,
        $29::text, $30::bigint, $31::text, $32::text, $33::text, $34::text, $35::text, $36::bigint,
        $37::text, $38::text, $39::integer, $40::boolean, $41::boolean, $42::text, $43::text,
        $44::text, $45::text, $46::text, $47::text, $48::text, $49::bigint, $50::bigint,
        $51::bigint, $52::integer, $53::text, $54::integer
    FROM wrote_conversation
), noted AS (
    INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT workspace, id, $55::bigint FROM wrote_conversation ON CONFLICT DO NOTHING
)
SELECT count(*), 0, 0 FROM wrote_conversation;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 turn_since, 16 no_wait_before, 17 responses,
-- 18 response_micros, 19 incoming, 20 outgoing_user, 21 outgoing_automation, 22 workspace, 23 id,
-- 24 version, 25 ), 26 seq, 27 id, 28 contact, 29 kind, 30 at, 31 by_type, 32 by_id, 33 channel,
-- 34 address, 35 external_id, 36 sent_at, 37 body, 38 attachments, 39 cycle, 40 response, 41 quiet,
-- 42 status_before, 43 assignee_before, 44 team_before, 45 lane_before, 46 channel_before,
-- 47 opened_source, 48 turn, 49 turn_since, 50 waiting_since, 51 handed_over_at, 52 replies,
-- 53 labels_before, 54 priority_before, 55 from_seq
