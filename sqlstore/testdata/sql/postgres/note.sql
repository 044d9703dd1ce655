-- load by contact: see load.sql

-- commit
WITH wrote_conversation AS (
    UPDATE convo_conversations SET version = $1, updated_at = $2, awaiting_contact_since = $3,
        first_response_at = $4, first_responder_type = $5, first_responder_id = $6,
        waiting_since = $7, responses = $8, response_micros = $9, incoming = $10,
        outgoing_user = $11, outgoing_automation = $12
    WHERE workspace = $13 AND id = $14 AND version = $15
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
        by_type, by_id, source, channel, external_id, body, attachments, category, summary,
        until_at, assignee, team, response, restart_flow, notice, audience)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $16::bigint, $17::uuid, $18::text,
        $19::bigint, $20::text, $21::bigint, $22::text, $23::text, $24::text, $25::text, $26::text,
        $27::text, $28::text, $29::text, $30::text, $31::bigint, $32::text, $33::text,
        $34::boolean, $35::boolean, $36::text, $37::text
    FROM wrote_conversation
)
SELECT count(*), 0, 0 FROM wrote_conversation;
-- parameters: 1 version, 2 updated_at, 3 awaiting_contact_since, 4 first_response_at,
-- 5 first_responder_type, 6 first_responder_id, 7 waiting_since, 8 responses, 9 response_micros,
-- 10 incoming, 11 outgoing_user, 12 outgoing_automation, 13 workspace, 14 id, 15 version, 16 seq,
-- 17 id, 18 contact, 19 contact_seq, 20 kind, 21 at, 22 by_type, 23 by_id, 24 source, 25 channel,
-- 26 external_id, 27 body, 28 attachments, 29 category, 30 summary, 31 until_at, 32 assignee,
-- 33 team, 34 response, 35 restart_flow, 36 notice, 37 audience
