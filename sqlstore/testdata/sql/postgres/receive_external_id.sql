-- load by contact: see load.sql

-- commit
WITH known AS (
    SELECT 1 FROM convo_keys WHERE workspace = $1 AND channel = $2 AND id = $3
), wrote_conversation AS (
    UPDATE convo_conversations SET version = $4, updated_at = $5, awaiting_contact_since = $6,
        first_response_at = $7, first_responder_type = $8, first_responder_id = $9,
        waiting_since = $10, responses = $11, response_micros = $12, incoming = $13,
        outgoing_user = $14, outgoing_automation = $15
    WHERE workspace = $16 AND id = $17 AND version = $18 AND NOT EXISTS (SELECT FROM known)
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
        by_type, by_id, source, channel, external_id, body, attachments, category, summary,
        until_at, assignee, team, response, restart_flow, notice, audience)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $19::bigint, $20::uuid, $21::text,
        $22::bigint, $23::text, $24::bigint, $25::text, $26::text, $27::text, $28::text, $29::text,
        $30::text, $31::text, $32::text, $33::text, $34::bigint, $35::text, $36::text,
        $37::boolean, $38::boolean, $39::text, $40::text
    FROM wrote_conversation
), wrote_key AS (
    INSERT INTO convo_keys (workspace, channel, id, hash, conversation, first_seq, last_seq)
    SELECT wrote_conversation.workspace, $41::text, $42::text, $43::bigint, $44::uuid, $45::bigint,
        $46::bigint
    FROM wrote_conversation
)
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known), 0;
-- parameters: 1 workspace, 2 channel, 3 id, 4 version, 5 updated_at, 6 awaiting_contact_since,
-- 7 first_response_at, 8 first_responder_type, 9 first_responder_id, 10 waiting_since,
-- 11 responses, 12 response_micros, 13 incoming, 14 outgoing_user, 15 outgoing_automation,
-- 16 workspace, 17 id, 18 version, 19 seq, 20 id, 21 contact, 22 contact_seq, 23 kind, 24 at,
-- 25 by_type, 26 by_id, 27 source, 28 channel, 29 external_id, 30 body, 31 attachments,
-- 32 category, 33 summary, 34 until_at, 35 assignee, 36 team, 37 response, 38 restart_flow,
-- 39 notice, 40 audience, 41 channel, 42 id, 43 hash, 44 conversation, 45 first_seq, 46 last_seq
