-- +goose Up

-- The next version, made up for tests: a column, an index and a table that is filled in the background. An
-- index of rows that are there, and a column of a STRICT table, would hold the write lock as long as all rows
-- are read: the index is of the new table, and the column of one that stays small.
ALTER TABLE convo_active ADD COLUMN graded INTEGER NOT NULL DEFAULT 0;

CREATE TABLE convo_grades (
    workspace    TEXT NOT NULL,
    conversation BLOB NOT NULL,
    number       INTEGER NOT NULL,
    micros       INTEGER NOT NULL,
    PRIMARY KEY (workspace, conversation, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX convo_grades_micros ON convo_grades (workspace, micros);

INSERT INTO convo_versions (version, min_reader, min_writer) VALUES (4, 3, 3);

-- +goose Down
DELETE FROM convo_versions WHERE version = 4;
DROP TABLE convo_grades;
ALTER TABLE convo_active DROP COLUMN graded;
