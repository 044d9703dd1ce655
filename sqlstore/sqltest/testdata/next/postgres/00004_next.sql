-- +goose NO TRANSACTION
-- +goose Up

-- The next version, made up for tests: a column, an index and a table that is filled in the background. No
-- statement holds a table while it reads its rows, and each may be repeated.
ALTER TABLE convo_cycles ADD COLUMN IF NOT EXISTS graded boolean NOT NULL DEFAULT FALSE;

CREATE TABLE IF NOT EXISTS convo_grades (
    workspace    text COLLATE "C" NOT NULL,
    conversation uuid NOT NULL,
    number       integer NOT NULL,
    micros       bigint NOT NULL,
    PRIMARY KEY (workspace, conversation, number)
);

-- It waits for transactions that are older, and holds nobody up; what an earlier try has left is of no use.
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS convo_events_actor;
CREATE INDEX CONCURRENTLY convo_events_actor ON convo_events (workspace, by_id, at) WHERE by_id IS NOT NULL;

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (4, 3, 3) ON CONFLICT DO NOTHING;

-- +goose Down
DELETE FROM convo_versions WHERE version = 4;
ALTER TABLE convo_cycles DROP COLUMN IF EXISTS graded;
DROP TABLE IF EXISTS convo_grades;
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS convo_events_actor;
