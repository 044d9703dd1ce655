-- +goose NO TRANSACTION
-- +goose Up

-- The next version, made up for tests: a column, an index and a table that is filled in the background. No
-- statement holds a table while it reads its rows, and each may be repeated.
ALTER TABLE convo_cycles ADD COLUMN IF NOT EXISTS graded BOOLEAN NOT NULL DEFAULT FALSE, ALGORITHM=INSTANT, LOCK=NONE;

CREATE TABLE IF NOT EXISTS convo_grades (
    workspace    VARBINARY(255) NOT NULL,
    conversation BINARY(16) NOT NULL,
    number       INT NOT NULL,
    micros       BIGINT NOT NULL,
    PRIMARY KEY (workspace, conversation, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;

ALTER TABLE convo_events ADD INDEX IF NOT EXISTS convo_events_actor (workspace, by_id, at), ALGORITHM=NOCOPY, LOCK=NONE;

INSERT IGNORE INTO convo_versions (version, min_reader, min_writer) VALUES (4, 3, 3);

-- +goose Down
DELETE FROM convo_versions WHERE version = 4;
ALTER TABLE convo_cycles DROP COLUMN IF EXISTS graded, ALGORITHM=INSTANT, LOCK=NONE;
ALTER TABLE convo_events DROP INDEX IF EXISTS convo_events_actor, ALGORITHM=NOCOPY, LOCK=NONE;
DROP TABLE IF EXISTS convo_grades;
