-- load by contact: see load.sql

-- commit
WITH wrote_conversation AS (
    UPDATE convo_conversations SET version = $1, updated_at = $2, last_activity_at = $3,
        last_incoming_at = $4, awaiting_contact_since = $5, address_channel = $6, address = $7,
        deadline_at = $8, first_response_at = $9, first_response_sent_at = $10,
        first_responder_type = $11, first_responder_id = $12, first_waiting_since = $13,
        waiting_since = $14, no_wait_before = $15, responses = $16, response_micros = $17,
        incoming = $18, outgoing_user = $19, outgoing_automation = $20
    WHERE workspace = $21 AND id = $22 AND version = $23
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, response, quiet)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $24::bigint, $25::uuid, $26::text,
        $27::text, $28::bigint, $29::text, $30::text, $31::text, $32::text, $33::text, $34::bigint,
        $35::text, $36::text, $37::boolean, $38::boolean
    FROM wrote_conversation
)
SELECT count(*), 0, 0 FROM wrote_conversation;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 last_incoming_at,
-- 5 awaiting_contact_since, 6 address_channel, 7 address, 8 deadline_at, 9 first_response_at,
-- 10 first_response_sent_at, 11 first_responder_type, 12 first_responder_id,
-- 13 first_waiting_since, 14 waiting_since, 15 no_wait_before, 16 responses, 17 response_micros,
-- 18 incoming, 19 outgoing_user, 20 outgoing_automation, 21 workspace, 22 id, 23 version, 24 seq,
-- 25 id, 26 contact, 27 kind, 28 at, 29 by_type, 30 by_id, 31 channel, 32 address, 33 external_id,
-- 34 sent_at, 35 body, 36 attachments, 37 response, 38 quiet
