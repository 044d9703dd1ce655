-- a key
SELECT workspace, channel, id, hash, conversation, first_seq, last_seq
    FROM convo_keys
    WHERE workspace = ? AND channel = ? AND id = ?;
-- parameters: 1 workspace, 2 channel, 3 id
