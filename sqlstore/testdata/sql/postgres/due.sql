-- due conversations
SELECT workspace, id, due_at FROM convo_conversations
    WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, workspace, id LIMIT $2;
-- parameters: 1 due_at, 2 limit
