-- +goose Up

-- Reports: events by their times, and their sums by slots of time. Exports find cycles by them, too.

CREATE INDEX convo_events_messages ON convo_events (workspace, at) WHERE kind IN ('message_received', 'message_sent', 'message_duplicated');
CREATE INDEX convo_events_lifecycle ON convo_events (workspace, at) WHERE kind IN ('conversation_opened', 'conversation_reopened', 'conversation_pending', 'conversation_resumed', 'conversation_closed', 'conversation_assigned', 'conversation_moved', 'deadline_passed');
CREATE INDEX convo_events_ratings ON convo_events (workspace, at) WHERE kind IN ('conversation_rated');
CREATE INDEX convo_contact_events_messages ON convo_contact_events (workspace, at) WHERE kind IN ('message_received', 'message_sent', 'message_duplicated');

-- A row for each conversation of which events, from a seq on, are in no rollup yet.
CREATE TABLE convo_rollup_queue (
    workspace    text COLLATE "C" NOT NULL,
    conversation uuid NOT NULL,
    from_seq     bigint NOT NULL,
    PRIMARY KEY (workspace, conversation)
);

INSERT INTO convo_rollup_queue SELECT workspace, id, 1 FROM convo_conversations;

-- Sums over the events that are not in the queue, by slot of time and value of one dimension, of all
-- measures that have any. Those over all events (dimension '') have a row for each subject of package
-- report, by its number; the others one for all of them (subject -1). A slot is slot_micros long and
-- begins slot_number times as long after 1970. A day's row over all events has its half hours.
CREATE TABLE convo_rollups (
    workspace          text COLLATE "C" NOT NULL,
    dimension          text COLLATE "C" NOT NULL,
    subject            integer NOT NULL,
    slot_micros        bigint NOT NULL,
    slot_number        bigint NOT NULL,
    dimension_value    text COLLATE "C" NOT NULL,
    version            integer NOT NULL,
    sums               bytea,
    sketches           bytea,
    half_hours         bytea,
    half_hour_sketches bytea,
    removed_to         bigint,
    PRIMARY KEY (workspace, dimension, subject, slot_micros, slot_number, dimension_value)
);

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (2, 2, 2);

-- +goose Down
DELETE FROM convo_versions WHERE version = 2;
DROP TABLE convo_rollups;
DROP TABLE convo_rollup_queue;
DROP INDEX convo_contact_events_messages;
DROP INDEX convo_events_ratings;
DROP INDEX convo_events_lifecycle;
DROP INDEX convo_events_messages;
