-- due conversations
SELECT workspace, id, due_at, lane, channel FROM convo_active FORCE INDEX (convo_active_due)
    WHERE due_at IS NOT NULL AND due_at <= ? AND (due_at > ? OR due_at = ? AND (workspace > ? OR
        workspace = ? AND id > ?))
    ORDER BY due_at, workspace, id LIMIT ?;
-- parameters: 1 due_at, 2 due_at, 3 due_at, 4 workspace, 5 workspace, 6 id, 7 limit
