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

-- +goose Down
DROP TABLE convo_outbox_queue;
DROP TABLE convo_outbox;
