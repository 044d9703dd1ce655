-- +goose Up

-- Which events a relay has not seen yet, where the store keeps an outbox: of a conversation, or,
-- with a conversation of only zeros, of a contact itself.
CREATE TABLE convo_outbox (
    workspace    VARBINARY(255) NOT NULL,
    conversation BINARY(16) NOT NULL,
    contact      VARBINARY(255) NOT NULL,
    seq          BIGINT NOT NULL,
    last_seq     BIGINT NOT NULL,
    since        BIGINT NOT NULL,
    PRIMARY KEY (workspace, conversation, contact, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- What waits for a target, in one row for each stream, which is due when its lease ends, too; and
-- dead letters, which are due never, each under its seq as letter.
CREATE TABLE convo_outbox_queue (
    workspace    VARBINARY(255) NOT NULL,
    target       VARBINARY(255) NOT NULL,
    conversation BINARY(16) NOT NULL,
    contact      VARBINARY(255) NOT NULL,
    letter       BIGINT NOT NULL,
    next_seq     BIGINT NOT NULL,
    last_seq     BIGINT NOT NULL,
    since        BIGINT NOT NULL,
    tries        INT NOT NULL,
    due_at       BIGINT,
    lease        BINARY(16),
    error        TEXT,
    PRIMARY KEY (workspace, target, conversation, contact, letter)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
CREATE INDEX convo_outbox_due ON convo_outbox_queue (due_at);

-- What came when, where the store keeps a feed: which events of a stream are at a place in the feed
-- of a workspace. Old rows are removed from the front.
CREATE TABLE convo_feed (
    workspace    VARBINARY(255) NOT NULL,
    position     BIGINT NOT NULL,
    conversation BINARY(16) NOT NULL,
    contact      VARBINARY(255) NOT NULL,
    from_seq     BIGINT NOT NULL,
    to_seq       BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (workspace, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
CREATE INDEX convo_feed_at ON convo_feed (at);

-- The newest position of each feed. Who adds to a feed holds its row until the commit, so positions
-- have no gaps, and become visible in their order.
CREATE TABLE convo_feed_heads (
    workspace    VARBINARY(255) NOT NULL PRIMARY KEY,
    position     BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (3, 3, 3);

-- +goose Down
DELETE FROM convo_versions WHERE version = 3;
DROP TABLE IF EXISTS convo_feed_heads;
DROP TABLE IF EXISTS convo_feed;
DROP TABLE IF EXISTS convo_outbox_queue;
DROP TABLE IF EXISTS convo_outbox;
