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
        last_incoming_at = $10, awaiting_contact_since = $11, address_channel = $12, address = $13,
        deadline_at = $14, first_response_at = $15, first_response_sent_at = $16,
        first_responder_type = $17, first_responder_id = $18, first_waiting_since = $19,
        waiting_since = $20, no_wait_before = $21, responses = $22, response_micros = $23,
        incoming = $24, outgoing_user = $25, outgoing_automation = $26
    WHERE workspace = $27 AND id = $28 AND version = $29 AND NOT EXISTS (SELECT FROM known)
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, response, quiet)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $30::bigint, $31::uuid, $32::text,
        $33::text, $34::bigint, $35::text, $36::text, $37::text, $38::text, $39::text, $40::bigint,
        $41::text, $42::text, $43::boolean, $44::boolean
    FROM wrote_conversation
), wrote_key AS (
    INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
        first_seq, last_seq)
    SELECT wrote_conversation.workspace, $45::text, $46::text, $47::text, $48::text, $49::bigint,
        $50::uuid, $51::bigint, $52::bigint
    FROM wrote_conversation
)
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known), 0;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 id, 7 version, 8 updated_at,
-- 9 last_activity_at, 10 last_incoming_at, 11 awaiting_contact_since, 12 address_channel,
-- 13 address, 14 deadline_at, 15 first_response_at, 16 first_response_sent_at,
-- 17 first_responder_type, 18 first_responder_id, 19 first_waiting_since, 20 waiting_since,
-- 21 no_wait_before, 22 responses, 23 response_micros, 24 incoming, 25 outgoing_user,
-- 26 outgoing_automation, 27 workspace, 28 id, 29 version, 30 seq, 31 id, 32 contact, 33 kind,
-- 34 at, 35 by_type, 36 by_id, 37 channel, 38 address, 39 external_id, 40 sent_at, 41 body,
-- 42 attachments, 43 response, 44 quiet, 45 channel, 46 id, 47 address, 48 contact, 49 hash,
-- 50 conversation, 51 first_seq, 52 last_seq
