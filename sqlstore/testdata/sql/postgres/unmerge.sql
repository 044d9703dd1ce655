-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

UPDATE convo_contacts SET version = $1, created_at = $2, updated_at = $3, seen_at = $4,
    blocked = $5, merged_into = $6, parent = $7, blocked_by = $8, name = $9, attributes = $10,
    erased_at = $11
    WHERE workspace = $12 AND id = $13 AND version = $14 AND seen_at <= $15;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 erased_at, 12 workspace, 13 id, 14 version, 15 seen_at

UPDATE convo_contacts SET version = $1, created_at = $2, updated_at = $3, seen_at = $4,
    blocked = $5, merged_into = $6, parent = $7, blocked_by = $8, name = $9, attributes = $10,
    erased_at = $11
    WHERE workspace = $12 AND id = $13 AND version = $14 AND seen_at <= $15;
-- parameters: 1 version, 2 created_at, 3 updated_at, 4 seen_at, 5 blocked, 6 merged_into, 7 parent,
-- 8 blocked_by, 9 name, 10 attributes, 11 erased_at, 12 workspace, 13 id, 14 version, 15 seen_at

INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at, by_type,
    by_id, source, channel, address, external_id, sent_at, body, attachments, quiet, message,
    redacted, duplicate, merged_into, blocked, blocked_by, unmerged_from, own_blocked,
    own_blocked_by, name, attributes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23, $24, $25, $26, $27, $28) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 contact, 3 seq, 4 id, 5 contact_seq, 6 kind, 7 at, 8 by_type, 9 by_id,
-- 10 source, 11 channel, 12 address, 13 external_id, 14 sent_at, 15 body, 16 attachments, 17 quiet,
-- 18 message, 19 redacted, 20 duplicate, 21 merged_into, 22 blocked, 23 blocked_by,
-- 24 unmerged_from, 25 own_blocked, 26 own_blocked_by, 27 name, 28 attributes

UPDATE convo_active SET contact = $1
    WHERE workspace = $2 AND contact = $3 AND id IN (
        SELECT cv.id FROM convo_conversations cv
        WHERE cv.workspace = $4 AND cv.contact = $5 AND cv.origin = $6);
-- parameters: 1 contact, 2 workspace, 3 contact, 4 workspace, 5 contact, 6 origin

UPDATE convo_conversations
    SET contact = $1
    WHERE workspace = $2 AND contact = $3 AND origin = $4;
-- parameters: 1 contact, 2 workspace, 3 contact, 4 origin

SELECT DISTINCT ev.workspace, ev.contact, ev.conversation, ''
    FROM convo_conversations cv
    JOIN convo_events ev ON ev.workspace = cv.workspace AND ev.conversation = cv.id
    WHERE cv.workspace = $1 AND cv.contact = $2 AND cv.origin = $3 AND ev.contact <> cv.contact;
-- parameters: 1 workspace, 2 contact, 3 origin

INSERT INTO convo_mentions (workspace, contact, conversation, owner)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;
-- parameters: 1 workspace, 2 contact, 3 conversation, 4 owner

COMMIT;
