-- a key
SELECT workspace, channel, id, hash, conversation, first_seq, last_seq
    FROM convo_keys
    WHERE workspace = $1 AND channel = $2 AND id = $3;
-- parameters: 1 workspace, 2 channel, 3 id
