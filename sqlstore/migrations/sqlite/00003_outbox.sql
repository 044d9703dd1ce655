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
CREATE INDEX convo_outbox_due ON convo_outbox_queue (due_at) WHERE due_at IS NOT NULL;

-- +goose Down
DROP TABLE convo_outbox_queue;
DROP TABLE convo_outbox;
