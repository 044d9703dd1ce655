-- +goose Up

-- Which events a relay has not seen yet, where the store keeps an outbox: of a conversation, or,
-- with a conversation of only zeros, of a contact itself.
CREATE TABLE convo_outbox (
    workspace    TEXT NOT NULL,
    conversation BLOB NOT NULL,
    contact      TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    last_seq     INTEGER NOT NULL,
    since        INTEGER NOT NULL,
    PRIMARY KEY (workspace, conversation, contact, seq)
) STRICT, WITHOUT ROWID;

-- What waits for a target, in one row for each stream, which is due when its lease ends, too; and
-- dead letters, which are due never, each under its seq as letter.
CREATE TABLE convo_outbox_queue (
    workspace    TEXT NOT NULL,
    target       TEXT NOT NULL,
    conversation BLOB NOT NULL,
    contact      TEXT NOT NULL,
    letter       INTEGER NOT NULL,
    next_seq     INTEGER NOT NULL,
    last_seq     INTEGER NOT NULL,
    since        INTEGER NOT NULL,
    tries        INTEGER NOT NULL,
    due_at       INTEGER,
    lease        BLOB,
    error        TEXT,
    PRIMARY KEY (workspace, target, conversation, contact, letter)
) STRICT, WITHOUT ROWID;
CREATE INDEX convo_outbox_due ON convo_outbox_queue (due_at);

-- What came when, where the store keeps a feed: which events of a stream are at a place in the feed
-- of a workspace. Old rows are removed from the front.
CREATE TABLE convo_feed (
    workspace    TEXT NOT NULL,
    position     INTEGER NOT NULL,
    conversation BLOB NOT NULL,
    contact      TEXT NOT NULL,
    from_seq     INTEGER NOT NULL,
    to_seq       INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (workspace, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX convo_feed_at ON convo_feed (at);

-- The newest position of each feed. Who adds to a feed holds its row until the commit, so positions
-- have no gaps, and become visible in their order.
CREATE TABLE convo_feed_heads (
    workspace    TEXT NOT NULL PRIMARY KEY,
    position     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (3, 3, 3);

-- +goose Down
DELETE FROM convo_versions WHERE version = 3;
DROP TABLE convo_feed_heads;
DROP TABLE convo_feed;
DROP TABLE convo_outbox_queue;
DROP TABLE convo_outbox;
