-- addresses of a contact
SELECT ad.channel, ad.value FROM (SELECT id FROM convo_contacts WHERE workspace = $1 AND id = $2
    UNION ALL SELECT id FROM convo_contacts WHERE workspace = $3 AND merged_into = $4) merged
    JOIN convo_addresses ad ON ad.workspace = $5 AND ad.contact = merged.id;
-- parameters: 1 workspace, 2 id, 3 workspace, 4 merged_into, 5 workspace

-- addresses by identity
SELECT ad.channel, ad.value, COALESCE(linked.merged_into, linked.id)
    FROM convo_addresses ad
    JOIN convo_contacts linked ON linked.workspace = ad.workspace AND linked.id = ad.contact
    WHERE ad.workspace = $1 AND ad.identity = $2 AND (ad.channel, ad.value) > ($3, $4)
    ORDER BY ad.channel, ad.value LIMIT $5;
-- parameters: 1 workspace, 2 identity, 3 channel, 4 value, 5 limit
