-- load by contact: see load.sql

-- commit
WITH known AS (
    SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = $1 AND ky.channel = $2 AND ky.id = $3
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = $4
        OR (ky.address = '' OR $5 = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = $6)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1
), wrote_conversation AS (
    UPDATE convo_conversations SET version = $7, updated_at = $8, last_activity_at = $9,
        awaiting_contact_since = $10, address_channel = $11, address = $12,
        first_response_at = $13, first_response_sent_at = $14, first_responder_type = $15,
        first_responder_id = $16, first_waiting_since = $17, waiting_since = $18,
        no_wait_before = $19, responses = $20, response_micros = $21, incoming = $22,
        outgoing_user = $23, outgoing_automation = $24
    WHERE workspace = $25 AND id = $26 AND version = $27 AND NOT EXISTS (SELECT FROM known)
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, response, quiet)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $28::bigint, $29::uuid, $30::text,
        $31::text, $32::bigint, $33::text, $34::text, $35::text, $36::text, $37::text, $38::bigint,
        $39::text, $40::text, $41::boolean, $42::boolean
    FROM wrote_conversation
), wrote_key AS (
    INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
        first_seq, last_seq)
    SELECT wrote_conversation.workspace, $43::text, $44::text, $45::text, $46::text, $47::bigint,
        $48::uuid, $49::bigint, $50::bigint
    FROM wrote_conversation
)
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known), 0;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 id, 7 version, 8 updated_at,
-- 9 last_activity_at, 10 awaiting_contact_since, 11 address_channel, 12 address,
-- 13 first_response_at, 14 first_response_sent_at, 15 first_responder_type, 16 first_responder_id,
-- 17 first_waiting_since, 18 waiting_since, 19 no_wait_before, 20 responses, 21 response_micros,
-- 22 incoming, 23 outgoing_user, 24 outgoing_automation, 25 workspace, 26 id, 27 version, 28 seq,
-- 29 id, 30 contact, 31 kind, 32 at, 33 by_type, 34 by_id, 35 channel, 36 address, 37 external_id,
-- 38 sent_at, 39 body, 40 attachments, 41 response, 42 quiet, 43 channel, 44 id, 45 address,
-- 46 contact, 47 hash, 48 conversation, 49 first_seq, 50 last_seq
