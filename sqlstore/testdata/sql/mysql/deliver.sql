-- receipts
INSERT INTO convo_deliveries (workspace, channel, id, address, status, at, reason,
    unknown_since) VALUES (?, ?, ?, ?, ?, ?, ?,
        CASE WHEN EXISTS (SELECT 1 FROM convo_keys
            WHERE workspace = ? AND channel = ? AND id = ?) THEN NULL ELSE ? END) ON DUPLICATE KEY
                UPDATE
    unknown_since = IF(VALUES(unknown_since) IS NULL, NULL, unknown_since),
    at = IF(VALUES(status) > status, VALUES(at), at),
    reason = IF(VALUES(status) > status, VALUES(reason), reason),
    status = GREATEST(status, VALUES(status));
-- parameters: 1 workspace, 2 channel, 3 id, 4 address, 5 status, 6 at, 7 reason, 8 workspace,
-- 9 channel, 10 id, 11 unknown_since

SELECT unknown_since FROM convo_deliveries FORCE INDEX (PRIMARY)
    WHERE ((workspace = ? AND channel = ? AND id = ? AND address = ?)) FOR UPDATE;
-- parameters: 1 workspace, 2 channel, 3 id, 4 address

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
    WHERE workspace = ? AND conversation = ? AND seq > ? ORDER BY seq LIMIT ?;
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 limit

-- deliveries
SELECT workspace, channel, id, address, status, at, reason, unknown_since
    FROM convo_deliveries
    WHERE workspace = ? AND channel = ? AND id = ?;
-- parameters: 1 workspace, 2 channel, 3 id
