-- +goose Up

-- Reports: cycles by their times, messages by theirs, and sums of both by the hour and longer.

-- 1: not in the rollups yet; NULL: in them.
ALTER TABLE convo_cycles ADD COLUMN unrolled TINYINT;
UPDATE convo_cycles SET unrolled = 1;

CREATE INDEX convo_cycles_unrolled ON convo_cycles (unrolled, workspace, closed_at);
CREATE INDEX convo_cycles_opened ON convo_cycles (workspace, opened_at);
CREATE INDEX convo_cycles_closed ON convo_cycles (workspace, closed_at);
CREATE INDEX convo_events_messages ON convo_events (workspace, at);

-- What the rolled cycles of one slot of time come to, by measure, and by the values of one dimension (empty: of all). A slot is
-- the number of its width's multiples since 1970. The row of a day of all has its half hours.
CREATE TABLE convo_rollups (
    workspace VARBINARY(255) NOT NULL,
    dimension VARBINARY(32) NOT NULL,
    measure   VARBINARY(32) NOT NULL,
    width     BIGINT NOT NULL,
    slot      BIGINT NOT NULL,
    value     VARBINARY(255) NOT NULL,
    number    BIGINT NOT NULL,
    total     BIGINT NOT NULL,
    least     BIGINT NOT NULL,
    most      BIGINT NOT NULL,
    sketch    BLOB,
    halves    MEDIUMBLOB,
    half_sketches MEDIUMBLOB,
    PRIMARY KEY (workspace, dimension, measure, width, slot, value)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- +goose Down
DROP TABLE convo_rollups;
DROP INDEX convo_events_messages ON convo_events;
DROP INDEX convo_cycles_closed ON convo_cycles;
DROP INDEX convo_cycles_opened ON convo_cycles;
DROP INDEX convo_cycles_unrolled ON convo_cycles;
ALTER TABLE convo_cycles DROP COLUMN unrolled;
