-- receipts
INSERT INTO convo_deliveries (workspace, channel, id, address, status, at, reason,
    unknown_since) VALUES ($1, $2, $3, $4, $5, $6, $7,
        CASE WHEN EXISTS (SELECT 1 FROM convo_keys
            WHERE workspace = $8 AND channel = $9 AND id = $10) THEN NULL ELSE $11::bigint END) ON
                CONFLICT (workspace, channel, id, address) DO UPDATE
    SET unknown_since = CASE WHEN excluded.unknown_since IS NOT NULL
            THEN convo_deliveries.unknown_since END,
        at = CASE WHEN excluded.status > convo_deliveries.status THEN excluded.at
            ELSE convo_deliveries.at END,
        reason = CASE WHEN excluded.status > convo_deliveries.status THEN excluded.reason
            ELSE convo_deliveries.reason END,
        status = CASE WHEN excluded.status > convo_deliveries.status THEN excluded.status
            ELSE convo_deliveries.status END RETURNING unknown_since;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 status, 6 at, 7 reason, 8 workspace,
-- 9 channel, 10 id, 11 unknown_since

-- load by contact: see load.sql

-- events
SELECT workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source,
    channel, lane, address, external_id, sent_at, body, attachments, category, summary, until_at,
    on_receive, marks, cycle, score, replaces, assignee, team, response, quiet, new_contact,
    restart_flow, message, redacted, duplicate, notice, audience, status_before, assignee_before,
    team_before, lane_before, channel_before, opened_source, status_since, assigned_at,
    was_assigned, opened_at, turn, turn_since, waiting_since, handed_over_at, replies,
    pending_micros, closed_by_type, closed_by_id, moved_from, from_seq, labels, labels_before,
    priority, priority_before, subject, attributes
    FROM convo_events
    WHERE workspace = $1 AND conversation = $2 AND seq > $3 ORDER BY seq LIMIT $4;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- deliveries
SELECT workspace, channel, id, address, status, at, reason, unknown_since
    FROM convo_deliveries
    WHERE workspace = $1 AND channel = $2 AND id = $3;
-- parameters: 1 workspace, 2 channel, 3 id
