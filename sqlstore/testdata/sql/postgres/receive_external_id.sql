-- load by contact: see load.sql

-- commit
WITH known AS (
    SELECT 1 FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = $1 AND ky.channel = $2
        AND ky.id IN ($3, $4)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = $5
        OR (ky.address = '' OR $6 = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = $7)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation))) LIMIT 1
), wrote_conversation AS (
    UPDATE convo_conversations SET version = $8, updated_at = $9, last_activity_at = $10,
        last_incoming_at = $11, awaiting_contact_since = $12, address_channel = $13, address = $14,
        deadline_at = $15, first_response_at = $16, first_response_sent_at = $17,
        first_responder_type = $18, first_responder_id = $19, first_waiting_since = $20,
        waiting_since = $21, turn_since = $22, no_wait_before = $23, responses = $24,
        response_micros = $25, incoming = $26, outgoing_user = $27, outgoing_automation = $28
    WHERE workspace = $29 AND id = $30 AND version = $31
        AND COALESCE(deadline_at, -62135596800000000) = $32
        AND COALESCE(due_at, -62135596800000000) = $33
        AND COALESCE(applied, '') = $34
        AND contact = $35 AND NOT EXISTS (SELECT FROM known)
    RETURNING workspace, id
), wrote_event AS (
    INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
        channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
        status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
        turn, turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    SELECT wrote_conversation.workspace, wrote_conversation.id, $36::bigint, $37::uuid, $38::text,
        $39::text, $40::bigint, $41::text, $42::text, $43::text, $44::text, $45::text, $46::bigint,
        $47::text, $48::text, $49::integer, $50::boolean, $51::boolean, $52::text, $53::text,
        $54::text, $55::text, $56::text, $57::text, $58::text, $59::bigint, $60::bigint,
        $61::bigint, $62::integer, $63::text, $64::integer
    FROM wrote_conversation
), noted AS (
    INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    SELECT workspace, id, $65::bigint FROM wrote_conversation ON CONFLICT DO NOTHING
), wrote_key AS (
    INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
        first_seq, last_seq)
    SELECT wrote_conversation.workspace, $66::text, $67::text, $68::text, $69::text, $70::bigint,
        $71::uuid, $72::bigint, $73::bigint
    FROM wrote_conversation
)
SELECT (SELECT count(*) FROM wrote_conversation), (SELECT count(*) FROM known), 0;
-- parameters: 1 workspace, 2 channel, 3 id, 4 id, 5 address, 6 ?, 7 id, 8 version, 9 updated_at,
-- 10 last_activity_at, 11 last_incoming_at, 12 awaiting_contact_since, 13 address_channel,
-- 14 address, 15 deadline_at, 16 first_response_at, 17 first_response_sent_at,
-- 18 first_responder_type, 19 first_responder_id, 20 first_waiting_since, 21 waiting_since,
-- 22 turn_since, 23 no_wait_before, 24 responses, 25 response_micros, 26 incoming,
-- 27 outgoing_user, 28 outgoing_automation, 29 workspace, 30 id, 31 version, 32 ), 33 ), 34 ),
-- 35 contact, 36 seq, 37 id, 38 contact, 39 kind, 40 at, 41 by_type, 42 by_id, 43 channel,
-- 44 address, 45 external_id, 46 sent_at, 47 body, 48 attachments, 49 cycle, 50 response, 51 quiet,
-- 52 status_before, 53 assignee_before, 54 team_before, 55 lane_before, 56 channel_before,
-- 57 opened_source, 58 turn, 59 turn_since, 60 waiting_since, 61 handed_over_at, 62 replies,
-- 63 labels_before, 64 priority_before, 65 from_seq, 66 channel, 67 id, 68 address, 69 contact,
-- 70 hash, 71 conversation, 72 first_seq, 73 last_seq
