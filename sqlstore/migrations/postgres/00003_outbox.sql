-- +goose Up

-- Which events a relay has not seen yet, where the store keeps an outbox: of a conversation, or,
-- with a conversation of only zeros, of a contact itself. Rows live for a moment, so they are
-- cleaned up by their number alone.
CREATE TABLE convo_outbox (
    workspace    text COLLATE "C" NOT NULL,
    conversation uuid NOT NULL,
    contact      text COLLATE "C" NOT NULL,
    seq          bigint NOT NULL,
    last_seq     bigint NOT NULL,
    since        bigint NOT NULL,
    PRIMARY KEY (workspace, conversation, contact, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- What waits for a target, in one row for each stream, which is due when its lease ends, too; and
-- dead letters, which are due never, each under its seq as letter.
CREATE TABLE convo_outbox_queue (
    workspace    text COLLATE "C" NOT NULL,
    target       text COLLATE "C" NOT NULL,
    conversation uuid NOT NULL,
    contact      text COLLATE "C" NOT NULL,
    letter       bigint NOT NULL,
    next_seq     bigint NOT NULL,
    last_seq     bigint NOT NULL,
    since        bigint NOT NULL,
    tries        integer NOT NULL,
    due_at       bigint,
    lease        uuid,
    error        text,
    PRIMARY KEY (workspace, target, conversation, contact, letter)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX convo_outbox_due ON convo_outbox_queue (due_at);

-- What came when, where the store keeps a feed: which events of a stream are at a place in the feed
-- of a workspace. Old rows are removed from the front.
CREATE TABLE convo_feed (
    workspace    text COLLATE "C" NOT NULL,
    position     bigint NOT NULL,
    conversation uuid NOT NULL,
    contact      text COLLATE "C" NOT NULL,
    from_seq     bigint NOT NULL,
    to_seq       bigint NOT NULL,
    at           bigint NOT NULL,
    PRIMARY KEY (workspace, position)
);
CREATE INDEX convo_feed_at ON convo_feed (at);

-- The newest position of each feed. Who adds to a feed holds its row until the commit, so positions
-- have no gaps, and become visible in their order.
CREATE TABLE convo_feed_heads (
    workspace    text COLLATE "C" NOT NULL PRIMARY KEY,
    position     bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (3, 3, 3);

-- +goose Down
DELETE FROM convo_versions WHERE version = 3;
DROP TABLE convo_feed_heads;
DROP TABLE convo_feed;
DROP TABLE convo_outbox_queue;
DROP TABLE convo_outbox;
