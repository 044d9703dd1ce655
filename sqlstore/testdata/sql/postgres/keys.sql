-- a key
SELECT ky.workspace, ky.channel, ky.id, ky.address, ky.contact, ky.hash, ky.conversation,
    ky.first_seq, ky.last_seq
    FROM convo_keys ky
    LEFT JOIN convo_contacts kc ON kc.workspace = ky.workspace AND kc.id = ky.contact
    WHERE ky.workspace = $1 AND ky.channel = $2 AND ky.id = $3
        AND (ky.channel = '' OR ky.address <> '' AND ky.address = $4
        OR (ky.address = '' OR $5 = '')
            AND COALESCE(kc.merged_into, kc.id) = $6);
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 ?, 6 )
