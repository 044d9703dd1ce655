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
CREATE INDEX convo_outbox_due ON convo_outbox_queue (due_at) WHERE due_at IS NOT NULL;

-- +goose Down
DROP TABLE convo_outbox_queue;
DROP TABLE convo_outbox;
