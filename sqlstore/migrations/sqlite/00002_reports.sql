-- +goose Up

-- Reports: events by their times, and their sums by slots of time. Exports find cycles by them, too.

CREATE INDEX convo_events_messages ON convo_events (workspace, at) WHERE kind IN ('message_received', 'message_sent', 'message_duplicated');
CREATE INDEX convo_events_lifecycle ON convo_events (workspace, at) WHERE kind IN ('conversation_opened', 'conversation_reopened', 'conversation_pending', 'conversation_resumed', 'conversation_closed', 'conversation_assigned', 'conversation_moved', 'deadline_passed');
CREATE INDEX convo_events_ratings ON convo_events (workspace, at) WHERE kind IN ('conversation_rated');
CREATE INDEX convo_contact_events_messages ON convo_contact_events (workspace, at) WHERE kind IN ('message_received', 'message_sent', 'message_duplicated');

-- A row for each conversation of which events, from a seq on, are in no rollup yet.
CREATE TABLE convo_rollup_queue (
    workspace    TEXT NOT NULL,
    conversation BLOB NOT NULL,
    from_seq     INTEGER NOT NULL,
    PRIMARY KEY (workspace, conversation)
) STRICT, WITHOUT ROWID;

INSERT INTO convo_rollup_queue SELECT workspace, id, 1 FROM convo_conversations;

-- Sums over the events that are not in the queue, by slot of time and value of one dimension, of all
-- measures that have any. Those over all events (dimension '') have a row for each subject of package
-- report, by its number; the others one for all of them (subject -1). A slot is slot_micros long and
-- begins slot_number times as long after 1970. A day's row over all events has its half hours.
CREATE TABLE convo_rollups (
    workspace          TEXT NOT NULL,
    dimension          TEXT NOT NULL,
    subject            INTEGER NOT NULL,
    slot_micros        INTEGER NOT NULL,
    slot_number        INTEGER NOT NULL,
    dimension_value    TEXT NOT NULL,
    version            INTEGER NOT NULL,
    sums               BLOB,
    sketches           BLOB,
    half_hours         BLOB,
    half_hour_sketches BLOB,
    removed_to         INTEGER,
    PRIMARY KEY (workspace, dimension, subject, slot_micros, slot_number, dimension_value)
) STRICT, WITHOUT ROWID;

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (2, 2, 2);

-- +goose Down
DELETE FROM convo_versions WHERE version = 2;
DROP TABLE convo_rollups;
DROP TABLE convo_rollup_queue;
DROP INDEX convo_contact_events_messages;
DROP INDEX convo_events_ratings;
DROP INDEX convo_events_lifecycle;
DROP INDEX convo_events_messages;
