-- load by contact: see load.sql

-- commit
WITH wrote_conversation AS (
    UPDATE convo_conversations SET version = $1, updated_at = $2, last_activity_at = $3,
        awaiting_contact_since = $4, address_channel = $5, address = $6, first_response_at = $7,
        first_response_sent_at = $8, first_responder_type = $9, first_responder_id = $10,
        first_waiting_since = $11, waiting_since = $12, no_wait_before = $13, responses = $14,
        response_micros = $15, incoming = $16, outgoing_user = $17, outgoing_automation = $18
    WHERE workspace = $19 AND id = $20 AND version = $21
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, response, quiet)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $22::bigint, $23::uuid, $24::text,
        $25::text, $26::bigint, $27::text, $28::text, $29::text, $30::text, $31::text, $32::bigint,
        $33::text, $34::text, $35::boolean, $36::boolean
    FROM wrote_conversation
), placed_1 AS (
    DELETE FROM convo_places pl USING wrote_conversation
    WHERE pl.workspace = $37 AND pl.list = $38 AND pl.at = $39 AND pl.id = $40
)
SELECT count(*), 0, 0 FROM wrote_conversation;
-- parameters: 1 version, 2 updated_at, 3 last_activity_at, 4 awaiting_contact_since,
-- 5 address_channel, 6 address, 7 first_response_at, 8 first_response_sent_at,
-- 9 first_responder_type, 10 first_responder_id, 11 first_waiting_since, 12 waiting_since,
-- 13 no_wait_before, 14 responses, 15 response_micros, 16 incoming, 17 outgoing_user,
-- 18 outgoing_automation, 19 workspace, 20 id, 21 version, 22 seq, 23 id, 24 contact, 25 kind,
-- 26 at, 27 by_type, 28 by_id, 29 channel, 30 address, 31 external_id, 32 sent_at, 33 body,
-- 34 attachments, 35 response, 36 quiet, 37 workspace, 38 list, 39 at, 40 id
