-- load by contact: see load.sql

BEGIN;
-- isolation level: Read Committed

INSERT INTO convo_contacts (workspace, id, version, created_at, updated_at, seen_at, blocked,
    merged_into, parent, blocked_by, name, attributes, erased_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 id, 3 version, 4 created_at, 5 updated_at, 6 seen_at, 7 blocked,
-- 8 merged_into, 9 parent, 10 blocked_by, 11 name, 12 attributes, 13 erased_at

INSERT INTO convo_contact_events (workspace, contact, seq, id, contact_seq, kind, at, by_type,
    by_id, source, channel, address, external_id, sent_at, body, attachments, quiet, message,
    redacted, duplicate, merged_into, blocked, blocked_by, unmerged_from, own_blocked,
    own_blocked_by, name, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 contact, 3 seq, 4 id, 5 contact_seq, 6 kind, 7 at, 8 by_type, 9 by_id,
-- 10 source, 11 channel, 12 address, 13 external_id, 14 sent_at, 15 body, 16 attachments, 17 quiet,
-- 18 message, 19 redacted, 20 duplicate, 21 merged_into, 22 blocked, 23 blocked_by,
-- 24 unmerged_from, 25 own_blocked, 26 own_blocked_by, 27 name, 28 attributes

COMMIT;
