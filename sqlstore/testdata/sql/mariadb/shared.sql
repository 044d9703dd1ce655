BEGIN NOT ATOMIC
    DECLARE new_keys, new_places, moved_places, gone_places LONGTEXT CHARACTER SET utf8mb4;
    DECLARE written BIGINT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    SET new_keys = ?, new_places = ?, moved_places = ?, gone_places = ?;
    START TRANSACTION;
    SELECT COALESCE(BIT_OR(IF(id = ? AND workspace = ? AND version = ?
        AND COALESCE(deadline_at, -62135596800000000) = ?
        AND COALESCE(due_at, -62135596800000000) = ?
        AND COALESCE(applied, '') = ?, 1, 0) | IF(id = ? AND workspace = ? AND version = ?
        AND COALESCE(deadline_at, -62135596800000000) = ?
        AND COALESCE(due_at, -62135596800000000) = ?
        AND COALESCE(applied, '') = ?, 2, 0)), 0) INTO written
    FROM convo_conversations FORCE INDEX (PRIMARY) WHERE id = ? AND workspace = ? OR id = ? AND
        workspace = ? FOR UPDATE SKIP LOCKED;
    SELECT written & (? | COALESCE(BIT_OR(IF(id = ? AND workspace = ? AND version = ? AND seen_at
        <= ?, 1, 0) | IF(id = ? AND workspace = ? AND version = ? AND seen_at <= ?, 2, 0)), 0))
    INTO written
    FROM convo_contacts FORCE INDEX (PRIMARY) WHERE id = ? AND workspace = ? OR id = ? AND
        workspace = ?;
    IF new_keys IS NOT NULL THEN
        SELECT written & ~COALESCE(BIT_OR(1 << listed.n), 0) INTO written
        FROM JSON_TABLE(new_keys, '$[*]' COLUMNS(n INT PATH '$.n',
            workspace VARBINARY(255) PATH '$.workspace', channel VARBINARY(255) PATH '$.channel',
            id VARBINARY(998) PATH '$.id', erased VARBINARY(998) PATH '$.erased')) listed
        STRAIGHT_JOIN convo_keys ky FORCE INDEX (PRIMARY)
        ON ky.workspace = listed.workspace AND ky.channel = listed.channel
            AND ky.id = listed.id;
        SELECT written & ~COALESCE(BIT_OR(1 << listed.n), 0) INTO written
        FROM JSON_TABLE(new_keys, '$[*]' COLUMNS(n INT PATH '$.n',
            workspace VARBINARY(255) PATH '$.workspace', channel VARBINARY(255) PATH '$.channel',
            id VARBINARY(998) PATH '$.id', erased VARBINARY(998) PATH '$.erased')) listed
        STRAIGHT_JOIN convo_keys ky FORCE INDEX (PRIMARY)
        ON ky.workspace = listed.workspace AND ky.channel = listed.channel
            AND ky.id = listed.erased;
    END IF;
    IF written & 1 THEN
UPDATE convo_conversations FORCE INDEX (PRIMARY) SET version = ?, updated_at = ?,
    last_activity_at = ?, last_incoming_at = ?, awaiting_contact_since = ?, address_channel = ?,
    address = ?, deadline_at = ?, first_response_at = ?, first_response_sent_at = ?,
    first_responder_type = ?, first_responder_id = ?, first_waiting_since = ?, waiting_since = ?,
    turn_since = ?, no_wait_before = ?, responses = ?, response_micros = ?, incoming = ?,
    outgoing_user = ?, outgoing_automation = ?
WHERE id = ? AND workspace = ?;
INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
    channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source, turn,
    turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?);
INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
    END IF;
    IF written & 2 THEN
UPDATE convo_conversations FORCE INDEX (PRIMARY) SET version = ?, updated_at = ?,
    last_activity_at = ?, last_incoming_at = ?, awaiting_contact_since = ?, address_channel = ?,
    address = ?, deadline_at = ?, first_response_at = ?, first_response_sent_at = ?,
    first_responder_type = ?, first_responder_id = ?, first_waiting_since = ?, waiting_since = ?,
    turn_since = ?, no_wait_before = ?, responses = ?, response_micros = ?, incoming = ?,
    outgoing_user = ?, outgoing_automation = ?
WHERE id = ? AND workspace = ?;
INSERT INTO convo_events (workspace, conversation, seq, id, contact, kind, at, by_type, by_id,
    channel, address, external_id, sent_at, body, attachments, cycle, response, quiet,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source, turn,
    turn_since, waiting_since, handed_over_at, replies, labels_before, priority_before)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?);
INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
    END IF;
    IF new_keys IS NOT NULL THEN
        INSERT INTO convo_keys (workspace, channel, id, address, contact, hash, conversation,
            first_seq, last_seq)
        SELECT listed.workspace, listed.channel, listed.id, listed.address, listed.contact,
            listed.hash, UNHEX(REPLACE(listed.conversation, '-', '')), listed.first_seq,
            listed.last_seq
        FROM JSON_TABLE(new_keys, '$[*]' COLUMNS(n INT PATH '$.n',
            workspace VARBINARY(255) PATH '$.workspace', channel VARBINARY(255) PATH '$.channel',
            id VARBINARY(998) PATH '$.id', address VARBINARY(255) PATH '$.address',
            contact VARBINARY(255) PATH '$.contact', hash BIGINT PATH '$.hash',
            conversation VARBINARY(36) PATH '$.conversation', first_seq BIGINT PATH '$.first_seq',
            last_seq BIGINT PATH '$.last_seq')) listed WHERE written >> listed.n & 1;
    END IF;
    IF gone_places IS NOT NULL THEN
        DELETE pl FROM JSON_TABLE(gone_places, '$[*]' COLUMNS(n INT PATH '$.n',
            workspace VARBINARY(255) PATH '$.workspace', list INT PATH '$.list',
            at BIGINT PATH '$.at', id VARBINARY(36) PATH '$.id')) listed
        STRAIGHT_JOIN convo_places pl FORCE INDEX (PRIMARY)
        ON pl.workspace = listed.workspace AND pl.list = listed.list AND pl.at = listed.at AND
            pl.id = UNHEX(REPLACE(listed.id, '-', '')) AND written >> listed.n & 1;
    END IF;
    IF moved_places IS NOT NULL THEN
        UPDATE JSON_TABLE(moved_places, '$[*]' COLUMNS(n INT PATH '$.n',
            workspace VARBINARY(255) PATH '$.workspace', list INT PATH '$.list',
            at BIGINT PATH '$.at', id VARBINARY(36) PATH '$.id', list_now INT PATH '$.list_now',
            at_now BIGINT PATH '$.at_now')) listed
        STRAIGHT_JOIN convo_places pl FORCE INDEX (PRIMARY)
        ON pl.workspace = listed.workspace AND pl.list = listed.list AND pl.at = listed.at AND
            pl.id = UNHEX(REPLACE(listed.id, '-', '')) AND written >> listed.n & 1
        SET pl.list = listed.list_now, pl.at = listed.at_now;
    END IF;
    IF new_places IS NOT NULL THEN
        INSERT INTO convo_places (workspace, list, at, id)
        SELECT listed.workspace, listed.list_now, listed.at_now, UNHEX(REPLACE(listed.id, '-', ''))
        FROM JSON_TABLE(new_places, '$[*]' COLUMNS(n INT PATH '$.n',
            workspace VARBINARY(255) PATH '$.workspace', id VARBINARY(36) PATH '$.id',
            list_now INT PATH '$.list_now', at_now BIGINT PATH '$.at_now')) listed
        WHERE written >> listed.n & 1;
    END IF;
    COMMIT;
    SELECT written;
END;
-- parameters: 1 new_keys, 2 new_places, 3 moved_places, 4 gone_places, 5 id, 6 workspace,
-- 7 version, 8 ), 9 ), 10 ), 11 id, 12 workspace, 13 version, 14 ), 15 ), 16 ), 17 id,
-- 18 workspace, 19 id, 20 workspace, 21 ?, 22 id, 23 workspace, 24 version, 25 seen_at, 26 id,
-- 27 workspace, 28 version, 29 seen_at, 30 id, 31 workspace, 32 id, 33 workspace, 34 version,
-- 35 updated_at, 36 last_activity_at, 37 last_incoming_at, 38 awaiting_contact_since,
-- 39 address_channel, 40 address, 41 deadline_at, 42 first_response_at, 43 first_response_sent_at,
-- 44 first_responder_type, 45 first_responder_id, 46 first_waiting_since, 47 waiting_since,
-- 48 turn_since, 49 no_wait_before, 50 responses, 51 response_micros, 52 incoming,
-- 53 outgoing_user, 54 outgoing_automation, 55 id, 56 workspace, 57 workspace, 58 conversation,
-- 59 seq, 60 id, 61 contact, 62 kind, 63 at, 64 by_type, 65 by_id, 66 channel, 67 address,
-- 68 external_id, 69 sent_at, 70 body, 71 attachments, 72 cycle, 73 response, 74 quiet,
-- 75 status_before, 76 assignee_before, 77 team_before, 78 lane_before, 79 channel_before,
-- 80 opened_source, 81 turn, 82 turn_since, 83 waiting_since, 84 handed_over_at, 85 replies,
-- 86 labels_before, 87 priority_before, 88 workspace, 89 conversation, 90 from_seq, 91 version,
-- 92 updated_at, 93 last_activity_at, 94 last_incoming_at, 95 awaiting_contact_since,
-- 96 address_channel, 97 address, 98 deadline_at, 99 first_response_at, 100 first_response_sent_at,
-- 101 first_responder_type, 102 first_responder_id, 103 first_waiting_since, 104 waiting_since,
-- 105 turn_since, 106 no_wait_before, 107 responses, 108 response_micros, 109 incoming,
-- 110 outgoing_user, 111 outgoing_automation, 112 id, 113 workspace, 114 workspace,
-- 115 conversation, 116 seq, 117 id, 118 contact, 119 kind, 120 at, 121 by_type, 122 by_id,
-- 123 channel, 124 address, 125 external_id, 126 sent_at, 127 body, 128 attachments, 129 cycle,
-- 130 response, 131 quiet, 132 status_before, 133 assignee_before, 134 team_before,
-- 135 lane_before, 136 channel_before, 137 opened_source, 138 turn, 139 turn_since,
-- 140 waiting_since, 141 handed_over_at, 142 replies, 143 labels_before, 144 priority_before,
-- 145 workspace, 146 conversation, 147 from_seq
