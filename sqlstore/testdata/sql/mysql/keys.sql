-- a key
SELECT ky.workspace, ky.channel, ky.id, ky.address, ky.contact, ky.hash, ky.conversation,
    ky.first_seq, ky.last_seq
    FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = ? AND ky.channel = ?
        AND ky.id IN (?, ?)
        AND (ky.channel = '' OR ky.id < ' ' OR ky.address <> '' AND ky.address = ?
        OR (ky.address = '' OR ? = '')
            AND (SELECT COALESCE(asked.merged_into, asked.id) FROM convo_contacts asked
                WHERE asked.workspace = ky.workspace AND asked.id = ?)
            IN (COALESCE(kc.merged_into, kc.id), (
                SELECT holds.contact FROM convo_conversations holds
                WHERE holds.workspace = ky.workspace AND holds.id = ky.conversation)));
-- parameters: 1 workspace, 2 channel, 3 id, 4 id, 5 address, 6 ?, 7 id
