-- due conversations
SELECT workspace, id, due_at FROM convo_conversations
    WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, workspace, id LIMIT ?;
-- parameters: 1 due_at, 2 limit
