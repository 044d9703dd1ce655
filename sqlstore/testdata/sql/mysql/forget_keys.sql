-- keys by their age
SELECT ky.workspace, ky.channel, ky.id, ky.address, ky.contact, ky.hash, ky.conversation,
    ky.first_seq, ky.last_seq, CASE WHEN ky.conversation IS NULL THEN (
        SELECT ce.at FROM convo_contact_events ce WHERE ce.workspace = ky.workspace
            AND ce.contact = ky.contact AND ce.seq = ky.first_seq) ELSE (
        SELECT ev.at FROM convo_events ev WHERE ev.workspace = ky.workspace
            AND ev.conversation = ky.conversation AND ev.seq = ky.first_seq) END,
        COALESCE((SELECT cv.version FROM convo_conversations cv
            WHERE cv.workspace = ky.workspace AND cv.id = ky.conversation), 0)
    FROM convo_keys ky FORCE INDEX (PRIMARY)
    WHERE (ky.workspace > ? OR ky.workspace = ? AND (ky.channel > ? OR ky.channel = ? AND (ky.id >
        ? OR ky.id = ? AND (ky.address > ? OR ky.address = ? AND ky.contact > ?))))
    ORDER BY ky.workspace, ky.channel, ky.id, ky.address, ky.contact LIMIT ?;
-- parameters: 1 workspace, 2 workspace, 3 channel, 4 channel, 5 id, 6 id, 7 address, 8 address,
-- 9 contact, 10 limit
