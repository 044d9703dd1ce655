-- +goose Up

-- Reports: cycles by their times, messages by theirs, and sums of both by the hour and longer.

-- 1: not in the rollups yet; NULL: in them.
ALTER TABLE convo_cycles ADD COLUMN unrolled INTEGER;
UPDATE convo_cycles SET unrolled = 1;

CREATE INDEX convo_cycles_unrolled ON convo_cycles (workspace, closed_at) WHERE unrolled IS NOT NULL;
CREATE INDEX convo_cycles_opened ON convo_cycles (workspace, opened_at);
CREATE INDEX convo_cycles_closed ON convo_cycles (workspace, closed_at);
CREATE INDEX convo_events_messages ON convo_events (workspace, at) WHERE kind IN ('message_received', 'message_sent');

-- What the rolled cycles of one slot of time come to, by measure, and by the values of one dimension (empty: of all). A slot is
-- the number of its width's multiples since 1970. The row of a day of all has its half hours.
CREATE TABLE convo_rollups (
    workspace TEXT NOT NULL,
    dimension TEXT NOT NULL,
    measure   TEXT NOT NULL,
    width     INTEGER NOT NULL,
    slot      INTEGER NOT NULL,
    value     TEXT NOT NULL,
    number    INTEGER NOT NULL,
    total     INTEGER NOT NULL,
    least     INTEGER NOT NULL,
    most      INTEGER NOT NULL,
    sketch    BLOB,
    halves    BLOB,
    half_sketches BLOB,
    PRIMARY KEY (workspace, dimension, measure, width, slot, value)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE convo_rollups;
DROP INDEX convo_events_messages;
DROP INDEX convo_cycles_closed;
DROP INDEX convo_cycles_opened;
DROP INDEX convo_cycles_unrolled;
ALTER TABLE convo_cycles DROP COLUMN unrolled;
