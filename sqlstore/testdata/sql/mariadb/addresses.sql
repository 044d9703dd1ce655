-- addresses of a contact
SELECT ad.channel, ad.value FROM (SELECT id FROM convo_contacts WHERE workspace = ? AND id = ?
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = ? AND merged_into = ?) merged
    STRAIGHT_JOIN convo_addresses ad ON ad.workspace = ? AND ad.contact = merged.id;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace

-- addresses by identity
SELECT ad.channel, ad.value, COALESCE(linked.merged_into, linked.id)
    FROM convo_addresses ad
    JOIN convo_contacts linked ON linked.workspace = ad.workspace AND linked.id = ad.contact
    WHERE ad.workspace = ? AND ad.identity = ? AND (ad.channel, ad.value) > (?, ?)
    ORDER BY ad.channel, ad.value LIMIT ?;
-- parameters: 1 workspace, 2 identity, 3 channel, 4 value, 5 limit
