-- load by contact: see load.sql

-- commit
WITH wrote_conversation AS (
    UPDATE convo_conversations SET version = $1, updated_at = $2, last_activity_at = $3,
        last_incoming_at = $4, awaiting_contact_since = $5, address_channel = $6, address = $7,
        deadline_at = $8, first_response_at = $9, first_response_sent_at = $10,
        first_responder_type = $11, first_responder_id = $12, first_waiting_since = $13,
        waiting_since = $14, turn_since = $15, no_wait_before = $16, responses = $17,
        response_micros = $18, incoming = $19, outgoing_user = $20, outgoing_automation = $21
    WHERE workspace = $22 AND id = $23 AND version = $24
        AND COALESCE(deadline_at, -62135596800000000) = $25
        AND COALESCE(due_at, -62135596800000000) = $26
        AND COALESCE(applied, '') = $27
        AND contact = $28
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
        status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
        turn, turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $29::bigint, $30::uuid, $31::text,
        $32::text, $33::bigint, $34::text, $35::text, $36::text, $37::text, $38::text, $39::bigint,
        $40::text, $41::text, $42::integer, $43::boolean, $44::boolean, $45::text, $46::text,
        $47::text, $48::text, $49::text, $50::text, $51::text, $52::bigint, $53::bigint,
        $54::bigint, $55::integer, $56::text, $57::integer
    FROM wrote_conversation
), noted AS (
    INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT workspace, id, $58::bigint FROM wrote_conversation ON CONFLICT DO NOTHING
)
SELECT count(*), 0, 0 FROM wrote_conversation;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 turn_since, 16 no_wait_before, 17 responses,
-- 18 response_micros, 19 incoming, 20 outgoing_user, 21 outgoing_automation, 22 workspace, 23 id,
-- 24 version, 25 ), 26 ), 27 ), 28 contact, 29 seq, 30 id, 31 contact, 32 kind, 33 at, 34 by_type,
-- 35 by_id, 36 channel, 37 address, 38 external_id, 39 sent_at, 40 body, 41 attachments, 42 cycle,
-- 43 response, 44 quiet, 45 status_before, 46 assignee_before, 47 team_before, 48 lane_before,
-- 49 channel_before, 50 opened_source, 51 turn, 52 turn_since, 53 waiting_since, 54 handed_over_at,
-- 55 replies, 56 labels_before, 57 priority_before, 58 from_seq
