BEGIN NOT ATOMIC
    DECLARE new_keys, new_places, moved_places, gone_places LONGTEXT CHARACTER SET utf8mb4;
    DECLARE written BIGINT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    SET new_keys = ?, new_places = ?, moved_places = ?, gone_places = ?;
    START TRANSACTION;
    SELECT COALESCE(BIT_OR(IF(id = ? AND workspace = ? AND version = ? AND COALESCE(deadline_at,
        -62135596800000000) = ? AND (? OR due_at IS NULL AND applied IS NULL), 1,
        0) | IF(id = ? AND workspace = ? AND version = ? AND COALESCE(deadline_at,
        -62135596800000000) = ? AND (? OR due_at IS NULL AND applied IS NULL), 2, 0)),
        0) INTO written
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
            id VARBINARY(998) PATH '$.id', address VARBINARY(255) PATH '$.address',
            contact VARBINARY(255) PATH '$.contact', hash BIGINT PATH '$.hash',
            conversation VARBINARY(36) PATH '$.conversation', first_seq BIGINT PATH '$.first_seq',
            last_seq BIGINT PATH '$.last_seq')) listed
        STRAIGHT_JOIN convo_keys ky FORCE INDEX (PRIMARY)
        ON ky.workspace = listed.workspace AND ky.channel = listed.channel AND ky.id = listed.id;
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
-- 7 version, 8 ), 9 ?, 10 id, 11 workspace, 12 version, 13 ), 14 ?, 15 id, 16 workspace, 17 id,
-- 18 workspace, 19 ?, 20 id, 21 workspace, 22 version, 23 seen_at, 24 id, 25 workspace, 26 version,
-- 27 seen_at, 28 id, 29 workspace, 30 id, 31 workspace, 32 version, 33 updated_at,
-- 34 last_activity_at, 35 last_incoming_at, 36 awaiting_contact_since, 37 address_channel,
-- 38 address, 39 deadline_at, 40 first_response_at, 41 first_response_sent_at,
-- 42 first_responder_type, 43 first_responder_id, 44 first_waiting_since, 45 waiting_since,
-- 46 turn_since, 47 no_wait_before, 48 responses, 49 response_micros, 50 incoming,
-- 51 outgoing_user, 52 outgoing_automation, 53 id, 54 workspace, 55 workspace, 56 conversation,
-- 57 seq, 58 id, 59 contact, 60 kind, 61 at, 62 by_type, 63 by_id, 64 channel, 65 address,
-- 66 external_id, 67 sent_at, 68 body, 69 attachments, 70 cycle, 71 response, 72 quiet,
-- 73 status_before, 74 assignee_before, 75 team_before, 76 lane_before, 77 channel_before,
-- 78 opened_source, 79 turn, 80 turn_since, 81 waiting_since, 82 handed_over_at, 83 replies,
-- 84 labels_before, 85 priority_before, 86 workspace, 87 conversation, 88 from_seq, 89 version,
-- 90 updated_at, 91 last_activity_at, 92 last_incoming_at, 93 awaiting_contact_since,
-- 94 address_channel, 95 address, 96 deadline_at, 97 first_response_at, 98 first_response_sent_at,
-- 99 first_responder_type, 100 first_responder_id, 101 first_waiting_since, 102 waiting_since,
-- 103 turn_since, 104 no_wait_before, 105 responses, 106 response_micros, 107 incoming,
-- 108 outgoing_user, 109 outgoing_automation, 110 id, 111 workspace, 112 workspace,
-- 113 conversation, 114 seq, 115 id, 116 contact, 117 kind, 118 at, 119 by_type, 120 by_id,
-- 121 channel, 122 address, 123 external_id, 124 sent_at, 125 body, 126 attachments, 127 cycle,
-- 128 response, 129 quiet, 130 status_before, 131 assignee_before, 132 team_before,
-- 133 lane_before, 134 channel_before, 135 opened_source, 136 turn, 137 turn_since,
-- 138 waiting_since, 139 handed_over_at, 140 replies, 141 labels_before, 142 priority_before,
-- 143 workspace, 144 conversation, 145 from_seq
