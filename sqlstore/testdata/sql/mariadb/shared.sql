BEGIN NOT ATOMIC
    DECLARE new_keys, new_places, moved_places, gone_places LONGTEXT CHARACTER SET utf8mb4;
    DECLARE written BIGINT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
    SET new_keys = ?, new_places = ?, moved_places = ?, gone_places = ?;
    START TRANSACTION;
    SELECT COALESCE(BIT_OR(IF(id = ? AND workspace = ? AND version = ?
        AND COALESCE(deadline_at, -62135596800000000) = ?
        AND COALESCE(due_at, -62135596800000000) = ?
        AND COALESCE(applied, '') = ?
        AND contact = ?, 1, 0) | IF(id = ? AND workspace = ? AND version = ?
        AND COALESCE(deadline_at, -62135596800000000) = ?
        AND COALESCE(due_at, -62135596800000000) = ?
        AND COALESCE(applied, '') = ?
        AND contact = ?, 2, 0)), 0) INTO written
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
-- 7 version, 8 ), 9 ), 10 ), 11 contact, 12 id, 13 workspace, 14 version, 15 ), 16 ), 17 ),
-- 18 contact, 19 id, 20 workspace, 21 id, 22 workspace, 23 ?, 24 id, 25 workspace, 26 version,
-- 27 seen_at, 28 id, 29 workspace, 30 version, 31 seen_at, 32 id, 33 workspace, 34 id,
-- 35 workspace, 36 version, 37 updated_at, 38 last_activity_at, 39 last_incoming_at,
-- 40 awaiting_contact_since, 41 address_channel, 42 address, 43 deadline_at, 44 first_response_at,
-- 45 first_response_sent_at, 46 first_responder_type, 47 first_responder_id,
-- 48 first_waiting_since, 49 waiting_since, 50 turn_since, 51 no_wait_before, 52 responses,
-- 53 response_micros, 54 incoming, 55 outgoing_user, 56 outgoing_automation, 57 id, 58 workspace,
-- 59 workspace, 60 conversation, 61 seq, 62 id, 63 contact, 64 kind, 65 at, 66 by_type, 67 by_id,
-- 68 channel, 69 address, 70 external_id, 71 sent_at, 72 body, 73 attachments, 74 cycle,
-- 75 response, 76 quiet, 77 status_before, 78 assignee_before, 79 team_before, 80 lane_before,
-- 81 channel_before, 82 opened_source, 83 turn, 84 turn_since, 85 waiting_since, 86 handed_over_at,
-- 87 replies, 88 labels_before, 89 priority_before, 90 workspace, 91 conversation, 92 from_seq,
-- 93 version, 94 updated_at, 95 last_activity_at, 96 last_incoming_at, 97 awaiting_contact_since,
-- 98 address_channel, 99 address, 100 deadline_at, 101 first_response_at,
-- 102 first_response_sent_at, 103 first_responder_type, 104 first_responder_id,
-- 105 first_waiting_since, 106 waiting_since, 107 turn_since, 108 no_wait_before, 109 responses,
-- 110 response_micros, 111 incoming, 112 outgoing_user, 113 outgoing_automation, 114 id,
-- 115 workspace, 116 workspace, 117 conversation, 118 seq, 119 id, 120 contact, 121 kind, 122 at,
-- 123 by_type, 124 by_id, 125 channel, 126 address, 127 external_id, 128 sent_at, 129 body,
-- 130 attachments, 131 cycle, 132 response, 133 quiet, 134 status_before, 135 assignee_before,
-- 136 team_before, 137 lane_before, 138 channel_before, 139 opened_source, 140 turn,
-- 141 turn_since, 142 waiting_since, 143 handed_over_at, 144 replies, 145 labels_before,
-- 146 priority_before, 147 workspace, 148 conversation, 149 from_seq
