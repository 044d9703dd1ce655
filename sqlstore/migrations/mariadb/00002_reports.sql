-- +goose Up

-- Reports: events by their times, and their sums by slots of time. Exports find cycles by them, too.

CREATE INDEX convo_events_reported ON convo_events (workspace, kind, at);
CREATE INDEX convo_contact_events_messages ON convo_contact_events (workspace, at);

-- A row for each conversation of which events, from a seq on, are in no rollup yet.
CREATE TABLE convo_rollup_queue (
    workspace    VARBINARY(255) NOT NULL,
    conversation BINARY(16) NOT NULL,
    from_seq     BIGINT NOT NULL,
    PRIMARY KEY (workspace, conversation)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

INSERT INTO convo_rollup_queue SELECT workspace, id, 1 FROM convo_conversations;

-- Sums over the events that are not in the queue, by slot of time and value of one dimension, of all
-- measures that have any. Those over all events (dimension '') have a row for each subject of package
-- report, by its number; the others one for all of them (subject -1). A slot is slot_micros long and
-- begins slot_number times as long after 1970. A day's row over all events has its half hours.
CREATE TABLE convo_rollups (
    workspace          VARBINARY(255) NOT NULL,
    dimension          VARBINARY(32) NOT NULL,
    subject            INT NOT NULL,
    slot_micros        BIGINT NOT NULL,
    slot_number        BIGINT NOT NULL,
    dimension_value    VARBINARY(255) NOT NULL,
    version            INT NOT NULL,
    sums               MEDIUMBLOB,
    sketches           MEDIUMBLOB,
    half_hours         MEDIUMBLOB,
    half_hour_sketches MEDIUMBLOB,
    removed_to         BIGINT,
    PRIMARY KEY (workspace, dimension, subject, slot_micros, slot_number, dimension_value)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (2, 2, 2);

-- +goose Down
DELETE FROM convo_versions WHERE version = 2;
DROP TABLE IF EXISTS convo_rollups;
DROP TABLE IF EXISTS convo_rollup_queue;
DROP INDEX IF EXISTS convo_contact_events_messages ON convo_contact_events;
DROP INDEX IF EXISTS convo_events_reported ON convo_events;
