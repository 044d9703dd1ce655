-- due conversations
SELECT workspace, id, due_at, lane, channel FROM convo_active
    WHERE due_at IS NOT NULL AND due_at <= $1 AND (due_at, workspace, id) > ($2, $3, $4)
    ORDER BY due_at, workspace, id LIMIT $5;
-- parameters: 1 due_at, 2 due_at, 3 workspace, 4 id, 5 limit
