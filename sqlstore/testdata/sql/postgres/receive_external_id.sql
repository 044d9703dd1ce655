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
        waiting_since = $20, turn_since = $21, no_wait_before = $22, responses = $23,
        response_micros = $24, incoming = $25, outgoing_user = $26, outgoing_automation = $27
    WHERE workspace = $28 AND id = $29 AND version = $30
        AND COALESCE(deadline_at, -62135596800000000) = $31
        AND COALESCE(due_at, -62135596800000000) = $32
        AND COALESCE(applied, '') = $33 AND NOT EXISTS (SELECT FROM known)
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
        status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
        turn, turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $34::bigint, $35::uuid, $36::text,
        $37::text, $38::bigint, $39::text, $40::text, $41::text, $42::text, $43::text, $44::bigint,
        $45::text, $46::text, $47::integer, $48::boolean, $49::boolean, $50::text, $51::text,
        $52::text, $53::text, $54::text, $55::text, $56::text, $57::bigint, $58::bigint,
        $59::bigint, $60::integer, $61::text, $62::integer
    FROM wrote_conversation
), noted AS (
    INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT workspace, id, $63::bigint FROM wrote_conversation ON CONFLICT DO NOTHING
), wrote_key AS (
    INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
        first_seq, last_seq)
    SELECT wrote_conversation.workspace, $64::text, $65::text, $66::text, $67::text, $68::bigint,
        $69::uuid, $70::bigint, $71::bigint
    FROM wrote_conversation
)
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known), 0;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 id, 7 version, 8 updated_at,
-- 9 last_activity_at, 10 last_incoming_at, 11 awaiting_contact_since, 12 address_channel,
-- 13 address, 14 deadline_at, 15 first_response_at, 16 first_response_sent_at,
-- 17 first_responder_type, 18 first_responder_id, 19 first_waiting_since, 20 waiting_since,
-- 21 turn_since, 22 no_wait_before, 23 responses, 24 response_micros, 25 incoming,
-- 26 outgoing_user, 27 outgoing_automation, 28 workspace, 29 id, 30 version, 31 ), 32 ), 33 ),
-- 34 seq, 35 id, 36 contact, 37 kind, 38 at, 39 by_type, 40 by_id, 41 channel, 42 address,
-- 43 external_id, 44 sent_at, 45 body, 46 attachments, 47 cycle, 48 response, 49 quiet,
-- 50 status_before, 51 assignee_before, 52 team_before, 53 lane_before, 54 channel_before,
-- 55 opened_source, 56 turn, 57 turn_since, 58 waiting_since, 59 handed_over_at, 60 replies,
-- 61 labels_before, 62 priority_before, 63 from_seq, 64 channel, 65 id, 66 address, 67 contact,
-- 68 hash, 69 conversation, 70 first_seq, 71 last_seq
