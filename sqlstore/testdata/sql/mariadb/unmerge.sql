-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, seen_at = ?, blocked = ?,
    merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?, erased_at = ?
    WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 erased_at, 12 workspace, 13 id, 14 version, 15 seen_at

UPDATE convo_contacts SET version = ?, created_at = ?, updated_at = ?, seen_at = ?, blocked = ?,
    merged_into = ?, parent = ?, blocked_by = ?, name = ?, attributes = ?, erased_at = ?
    WHERE workspace = ? AND id = ? AND version = ? AND seen_at <= ?;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 erased_at, 12 workspace, 13 id, 14 version, 15 seen_at

INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at, by_type,
    by_id, source, channel, address, external_id, sent_at, body, attachments, quiet, message,
    redacted, duplicate, merged_into, blocked, blocked_by, unmerged_from, own_blocked,
    own_blocked_by, name, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 contact, 3 seq, 4 id, 5 contact_seq, 6 kind, 7 at, 8 by_type, 9 by_id,
-- 10 source, 11 channel, 12 address, 13 external_id, 14 sent_at, 15 body, 16 attachments, 17 quiet,
-- 18 message, 19 redacted, 20 duplicate, 21 merged_into, 22 blocked, 23 blocked_by,
-- 24 unmerged_from, 25 own_blocked, 26 own_blocked_by, 27 name, 28 attributes

UPDATE convo_active SET contact = ?
    WHERE workspace = ? AND contact = ? AND id IN (
        SELECT cv.id FROM convo_conversations cv
        WHERE cv.workspace = ? AND cv.contact = ? AND cv.origin = ?);
-- parameters: 1 contact, 2 workspace, 3 contact, 4 workspace, 5 contact, 6 origin

UPDATE convo_conversations
    SET contact = ?
    WHERE workspace = ? AND contact = ? AND origin = ?;
-- parameters: 1 contact, 2 workspace, 3 contact, 4 origin

SELECT DISTINCT ev.workspace, ev.contact, ev.conversation, ''
    FROM convo_conversations cv
    JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = ? AND cv.contact = ? AND cv.origin = ? AND ev.contact <> cv.contact
    LOCK IN SHARE MODE;
-- parameters: 1 workspace, 2 contact, 3 origin

INSERT INTO convo_mentions (workspace, contact, conversation, owner)
    VALUES (?, ?, ?, ?);
-- parameters: 1 workspace, 2 contact, 3 conversation, 4 owner

COMMIT;
