-- +goose Up

-- Reports: cycles by their times, messages by theirs, and sums of closed cycles by slots of time.

-- 1: not in the rollups yet; NULL: in them.
ALTER TABLE convo_cycles ADD COLUMN rollup_pending TINYINT;
UPDATE convo_cycles SET rollup_pending = 1;

CREATE INDEX convo_cycles_rollup_pending ON convo_cycles (rollup_pending, workspace, closed_at);
CREATE INDEX convo_cycles_opened ON convo_cycles (workspace, opened_at);
CREATE INDEX convo_cycles_closed ON convo_cycles (workspace, closed_at);
CREATE INDEX convo_events_messages ON convo_events (workspace, at);
CREATE INDEX convo_contact_events_messages ON convo_contact_events (workspace, at);

-- Sums over the cycles that are not pending, by measure, slot of time and value of one dimension
-- (dimension '': over all cycles). A slot is slot_micros long and begins slot_number times as long
-- after 1970. A day's row over all cycles has its half hours. Sums, minima and maxima are
-- microseconds.
CREATE TABLE convo_rollups (
    workspace          VARBINARY(255) NOT NULL,
    dimension          VARBINARY(32) NOT NULL,
    measure            VARBINARY(32) NOT NULL,
    slot_micros        BIGINT NOT NULL,
    slot_number        BIGINT NOT NULL,
    dimension_value    VARBINARY(255) NOT NULL,
    value_count        BIGINT NOT NULL,
    value_sum          BIGINT NOT NULL,
    value_min          BIGINT NOT NULL,
    value_max          BIGINT NOT NULL,
    sketch             BLOB,
    half_hours         MEDIUMBLOB,
    half_hour_sketches MEDIUMBLOB,
    PRIMARY KEY (workspace, dimension, measure, slot_micros, slot_number, dimension_value)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

-- +goose Down
DROP TABLE convo_rollups;
DROP INDEX convo_contact_events_messages ON convo_contact_events;
DROP INDEX convo_events_messages ON convo_events;
DROP INDEX convo_cycles_closed ON convo_cycles;
DROP INDEX convo_cycles_opened ON convo_cycles;
DROP INDEX convo_cycles_rollup_pending ON convo_cycles;
ALTER TABLE convo_cycles DROP COLUMN rollup_pending;
