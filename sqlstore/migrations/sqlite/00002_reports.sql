-- +goose Up

-- Reports: cycles by their times, messages by theirs, and sums of closed cycles by slots of time.

-- 1: not in the rollups yet; NULL: in them.
ALTER TABLE convo_cycles ADD COLUMN rollup_pending INTEGER;
UPDATE convo_cycles SET rollup_pending = 1;

CREATE INDEX convo_cycles_rollup_pending ON convo_cycles (workspace, closed_at) WHERE rollup_pending IS NOT NULL;
CREATE INDEX convo_cycles_opened ON convo_cycles (workspace, opened_at);
CREATE INDEX convo_cycles_closed ON convo_cycles (workspace, closed_at);
CREATE INDEX convo_events_messages ON convo_events (workspace, at) WHERE kind IN ('message_received', 'message_sent', 'message_duplicated');
CREATE INDEX convo_contact_events_messages ON convo_contact_events (workspace, at) WHERE kind IN ('message_received', 'message_sent', 'message_duplicated');

-- Sums over the cycles that are not pending, by measure, slot of time and value of one dimension
-- (dimension '': over all cycles). A slot is slot_micros long and begins slot_number times as long
-- after 1970. A day's row over all cycles has its half hours. Sums, minima and maxima are
-- microseconds.
CREATE TABLE convo_rollups (
    workspace          TEXT NOT NULL,
    dimension          TEXT NOT NULL,
    measure            TEXT NOT NULL,
    slot_micros        INTEGER NOT NULL,
    slot_number        INTEGER NOT NULL,
    dimension_value    TEXT NOT NULL,
    value_count        INTEGER NOT NULL,
    value_sum          INTEGER NOT NULL,
    value_min          INTEGER NOT NULL,
    value_max          INTEGER NOT NULL,
    sketch             BLOB,
    half_hours         BLOB,
    half_hour_sketches BLOB,
    PRIMARY KEY (workspace, dimension, measure, slot_micros, slot_number, dimension_value)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE convo_rollups;
DROP INDEX convo_contact_events_messages;
DROP INDEX convo_events_messages;
DROP INDEX convo_cycles_closed;
DROP INDEX convo_cycles_opened;
DROP INDEX convo_cycles_rollup_pending;
ALTER TABLE convo_cycles DROP COLUMN rollup_pending;
