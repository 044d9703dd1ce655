package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
)

// The lean floors are what a good engineer would write by hand for exactly this job: with the same
// driver and the same durability, with statements that are prepared once, and with the same two
// guarantees, one active conversation of a contact (slot is unique) and a version that every writer
// checks. They have no contacts, no cycles, no timers, measure nothing, and keep one index for the
// inbox, where the store has one for each filter.

const floorSchema = `
CREATE TABLE floor_conversations (
	id         {id} PRIMARY KEY,
	workspace  {text} NOT NULL,
	contact    {text} NOT NULL,
	slot       {text},
	channel    {text} NOT NULL,
	status     {text} NOT NULL,
	version    BIGINT NOT NULL,
	opened_at  BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	closed_at  BIGINT,
	closed_by  {text},
	category   {text},
	summary    {body},
	incoming   BIGINT NOT NULL
){table};
CREATE UNIQUE INDEX floor_slot ON floor_conversations (workspace, slot);
CREATE INDEX floor_inbox ON floor_conversations (workspace, status, opened_at, id);
CREATE TABLE floor_events (
	conversation {id} NOT NULL,
	seq          BIGINT NOT NULL,
	id           {id} NOT NULL,
	workspace    {text} NOT NULL,
	kind         {text} NOT NULL,
	at           BIGINT NOT NULL,
	by_id        {text} NOT NULL,
	channel      {text},
	external_id  {text},
	body         {body},
	PRIMARY KEY (conversation, seq)
){events};
CREATE UNIQUE INDEX floor_external ON floor_events (workspace, channel, external_id){given};
INSERT INTO floor_conversations (id, workspace, contact, slot, channel, status, version, opened_at,
updated_at, closed_at, closed_by,
	category, summary, incoming)
SELECT id, workspace, contact, CASE WHEN active THEN contact END, channel, status, version,
created_at, updated_at, closed_at, closed_by_id, category,
	summary, incoming
FROM convo_conversations`

// createFloor makes the floors' tables, and fills them with as many conversations as the store's
// have.
func createFloor(ctx context.Context, db *sql.DB, words ...string) error {
	for statement := range strings.SplitSeq(strings.NewReplacer(words...).Replace(
		floorSchema+";"+fairSchema), ";") {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("floor: %w", err)
		}
	}
	return nil
}

// prepare prepares statements once.
func prepare(ctx context.Context, db *sql.DB, statements map[**sql.Stmt]string) (err error) {
	for to, text := range statements {
		if *to, err = db.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("floor: %s: %w", text, err)
		}
	}
	return nil
}

func idBytes(id uuid.UUID) any { return id[:] }

func idText(id uuid.UUID) any { return id.String() }

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// given is NULL for an empty text.
func given(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// retries is how often a floor tries again when somebody else was faster.
const retries = 1000

var errLost = errors.New("somebody else was faster")

// lost reports whether err says that somebody else was faster.
func lost(err error) bool {
	var p *pgconn.PgError
	var m *mysql.MySQLError
	switch {
	case errors.As(err, &p):
		return p.Code == "40001" || p.Code == "40P01" || p.Code == "23505"
	case errors.As(err, &m):
		return m.Number == 1213 || m.Number == 1205 || m.Number == 1062
	}
	return errors.Is(err, errLost)
}

func again(f func() error) (err error) {
	for range retries {
		if err = f(); err == nil || !lost(err) {
			return err
		}
	}
	return err
}

// transactions is what most teams write: find the active conversation and lock it, update it,
// insert the event, statement by statement in a transaction ("tx5", for the five round trips that
// it takes). On SQLite, callers take turns at a mutex.
type transactions struct {
	db   *sql.DB
	turn *sync.Mutex
	id   func(uuid.UUID) any

	find, open, opened, receive, message, close, closed *sql.Stmt
}

func newTransactions(
	ctx context.Context, db *sql.DB, id func(uuid.UUID) any, turn *sync.Mutex, lock, insert,
	orNothing string, mark func(string) string,
) (*transactions, error) {
	t := &transactions{db: db, turn: turn, id: id}
	const event = "INTO floor_events (conversation, seq, id, workspace, kind, at, by_id, " +
		"channel, external_id, body) VALUES "
	return t, prepare(ctx, db, map[**sql.Stmt]string{
		&t.find: mark("SELECT id, version FROM floor_conversations " +
			"WHERE workspace = ? AND slot = ?" + lock),
		&t.open: mark(insert + ` INTO floor_conversations
			(id, workspace, contact, slot, channel, status, version, opened_at, updated_at,
			incoming)
			VALUES (?, ?, ?, ?, ?, 'open', 2, ?, ?, 1)` + orNothing),
		&t.opened: mark(insert + " " + event + `(?, 1, ?, ?, 'opened', ?, ?, NULL, NULL, NULL),
			(?, 2, ?, ?, 'received', ?, ?, ?, ?, ?)` + orNothing),
		&t.receive: mark(`UPDATE floor_conversations SET version = version + 1, updated_at = ?,
			incoming = incoming + 1
			WHERE id = ? AND version = ?`),
		&t.message: mark(insert + " " + event + "(?, ?, ?, ?, 'received', ?, ?, ?, ?, ?)" +
			orNothing),
		&t.close: mark(`UPDATE floor_conversations SET version = version + 1, updated_at = ?,
			status = 'closed', slot = NULL,
			closed_at = ?, closed_by = ?, category = ?, summary = ? WHERE id = ? AND version = ?`),
		&t.closed: mark(insert + " " + event + "(?, ?, ?, ?, 'closed', ?, ?, NULL, NULL, NULL)" +
			orNothing),
	})
}

// inTransaction finds the active conversation, and has f write in the same transaction.
func (t *transactions) inTransaction(ctx context.Context, contact string,
	f func(tx *sql.Tx, id uuid.UUID, version int64) error) error {
	if t.turn != nil {
		t.turn.Lock()
		defer t.turn.Unlock()
	}
	return again(func() error {
		tx, err := t.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		var id uuid.UUID
		var version int64
		err = tx.StmtContext(ctx, t.find).QueryRowContext(ctx, workspace, contact).Scan(&id,
			&version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := f(tx, id, version); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// write carries out a statement, which must write n rows.
func write(ctx context.Context, tx *sql.Tx, st *sql.Stmt, n int64, args ...any) error {
	r, err := tx.StmtContext(ctx, st).ExecContext(ctx, args...)
	if err != nil {
		return err
	}
	if written, err := r.RowsAffected(); err != nil || written != n {
		return errors.Join(errLost, err)
	}
	return nil
}

func (t *transactions) Receive(ctx context.Context, contact, externalID string) error {
	return t.inTransaction(ctx, contact, func(tx *sql.Tx, id uuid.UUID, version int64) error {
		at := time.Now().UnixMicro()
		if version > 0 {
			if err := write(ctx, tx, t.receive, 1, at, t.id(id), version); err != nil {
				return err
			}
			return write(ctx, tx, t.message, 1, t.id(id), version+1, t.id(newID()), workspace, at,
				contact, channel,
				given(externalID), body)
		}
		id = newID()
		if err := write(ctx, tx, t.open, 1, t.id(id), workspace, contact, contact, channel, at,
			at); err != nil {
			return err
		}
		return write(ctx, tx, t.opened, 2, t.id(id), t.id(newID()), workspace, at, contact,
			t.id(id), t.id(newID()), workspace, at, contact, channel, given(externalID), body)
	})
}

func (t *transactions) Close(ctx context.Context, contact string) error {
	return t.inTransaction(ctx, contact, func(tx *sql.Tx, id uuid.UUID, version int64) error {
		if version == 0 {
			return errNotActive
		}
		at := time.Now().UnixMicro()
		if err := write(ctx, tx, t.close, 1, at, at, agent, category, summary, t.id(id),
			version); err != nil {
			return err
		}
		return write(ctx, tx, t.closed, 1, t.id(id), version+1, t.id(newID()), workspace, at, agent)
	})
}

// twoTrips reads, and then writes all at once if the version is still what it was.
type twoTrips struct {
	id func(uuid.UUID) any

	// the writing ones answer how many conversations they wrote
	find, open, receive, close *sql.Stmt
}

func (t *twoTrips) Receive(ctx context.Context, contact, externalID string) error {
	return again(func() error {
		id, version, err := t.active(ctx, contact)
		at := time.Now().UnixMicro()
		switch {
		case err != nil:
			return err
		case version > 0:
			return t.write(ctx, t.receive, version+1, at, t.id(id), version,
				t.id(id), version+1, t.id(newID()), workspace, at, contact, channel,
				given(externalID), body)
		}
		id = newID()
		return t.write(ctx, t.open, t.id(id), workspace, contact, contact, channel, at, at,
			t.id(id), t.id(newID()), workspace, at, contact, t.id(id), t.id(newID()), workspace, at,
			contact, channel,
			given(externalID), body)
	})
}

func (t *twoTrips) Close(ctx context.Context, contact string) error {
	return again(func() error {
		id, version, err := t.active(ctx, contact)
		if err != nil || version == 0 {
			return errors.Join(errNotActive, err)
		}
		at := time.Now().UnixMicro()
		return t.write(ctx, t.close, version+1, at, at, agent, category, summary, t.id(id), version,
			t.id(id), version+1, t.id(newID()), workspace, at, agent)
	})
}

func (t *twoTrips) active(ctx context.Context, contact string) (id uuid.UUID, version int64,
	err error) {
	err = t.find.QueryRowContext(ctx, workspace, contact).Scan(&id, &version)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, version, err
}

func (t *twoTrips) write(ctx context.Context, st *sql.Stmt, args ...any) error {
	var n int64
	err := st.QueryRowContext(ctx, args...).Scan(&n)
	if err == nil && n != 1 {
		err = errLost
	}
	return err
}

const floorFind = "SELECT id, version FROM floor_conversations WHERE workspace = ? AND slot = ?"

// newCTE writes with one statement of PostgreSQL.
func newCTE(ctx context.Context, db *sql.DB) (*twoTrips, error) {
	t := &twoTrips{id: idText}
	const event = "INSERT INTO floor_events (conversation, seq, id, workspace, kind, at, by_id, " +
		"channel, external_id, body)"
	return t, prepare(ctx, db, map[**sql.Stmt]string{
		&t.find: numbered(floorFind),
		&t.open: numbered(`WITH c AS (
			INSERT INTO floor_conversations (id, workspace, contact, slot, channel, status, version,
			opened_at, updated_at, incoming)
			VALUES (?, ?, ?, ?, ?, 'open', 2, ?, ?, 1) ON CONFLICT DO NOTHING RETURNING id
		), e AS (` + event + `
			SELECT e.* FROM c, (VALUES
				(?::uuid, 1, ?::uuid, ?::text, 'opened', ?::bigint, ?::text, NULL, NULL, NULL),
				(?::uuid, 2, ?::uuid, ?::text, 'received', ?::bigint, ?::text, ?::text, ?::text,
				?::text)) e
		) SELECT count(*) FROM c`),
		&t.receive: numbered(`WITH c AS (
			UPDATE floor_conversations SET version = ?, updated_at = ?, incoming = incoming + 1
			WHERE id = ? AND version = ? RETURNING id
		), e AS (` + event + `
			SELECT ?::uuid, ?::bigint, ?::uuid, ?::text, 'received', ?::bigint, ?::text, ?::text,
			?::text, ?::text FROM c
		) SELECT count(*) FROM c`),
		&t.close: numbered(`WITH c AS (
			UPDATE floor_conversations SET version = ?, updated_at = ?, status = 'closed',
			slot = NULL, closed_at = ?, closed_by = ?,
				category = ?, summary = ? WHERE id = ? AND version = ? RETURNING id
		), e AS (` + event + `
			SELECT ?::uuid, ?::bigint, ?::uuid, ?::text, 'closed', ?::bigint, ?::text, NULL, NULL,
			NULL FROM c
		) SELECT count(*) FROM c`),
	})
}

// newBlock writes with one compound statement of MariaDB.
func newBlock(ctx context.Context, db *sql.DB) (*twoTrips, error) {
	t := &twoTrips{id: idBytes}
	const event = "INSERT INTO floor_events (conversation, seq, id, workspace, kind, at, by_id, " +
		"channel, external_id, body) VALUES "
	block := func(write, events string) string {
		return `BEGIN NOT ATOMIC
			DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
			START TRANSACTION;
			` + write + `;
			IF ROW_COUNT() = 1 THEN ` + event + events + `; COMMIT; SELECT 1; ELSE ROLLBACK;
			SELECT 0; END IF;
		END`
	}
	return t, prepare(ctx, db, map[**sql.Stmt]string{
		&t.find: floorFind,
		&t.open: block(`INSERT IGNORE INTO floor_conversations
			(id, workspace, contact, slot, channel, status, version, opened_at, updated_at,
			incoming)
			VALUES (?, ?, ?, ?, ?, 'open', 2, ?, ?, 1)`,
			"(?, 1, ?, ?, 'opened', ?, ?, NULL, NULL, NULL), (?, 2, ?, ?, 'received', ?, ?, ?, ?, "+
				"?)"),
		&t.receive: block("UPDATE floor_conversations SET version = ?, updated_at = ?, incoming = "+
			"incoming + 1 WHERE id = ? AND version = ?",
			"(?, ?, ?, ?, 'received', ?, ?, ?, ?, ?)"),
		&t.close: block(`UPDATE floor_conversations SET version = ?, updated_at = ?,
			status = 'closed', slot = NULL, closed_at = ?,
			closed_by = ?, category = ?, summary = ? WHERE id = ? AND version = ?`,
			"(?, ?, ?, ?, 'closed', ?, ?, NULL, NULL, NULL)"),
	})
}

// insertFirst is how racing first messages get along on MariaDB: whoever inserts first opens the
// conversation, for all others the same statement counts the message, and the count of rows tells
// which it was. Nobody locks what is not there yet.
type insertFirst struct {
	*transactions
	first, current *sql.Stmt
}

func newInsertFirst(ctx context.Context, t *transactions) (*insertFirst, error) {
	f := &insertFirst{transactions: t}
	return f, prepare(ctx, t.db, map[**sql.Stmt]string{
		&f.first: `INSERT INTO floor_conversations
			(id, workspace, contact, slot, channel, status, version, opened_at, updated_at,
			incoming)
			VALUES (?, ?, ?, ?, ?, 'open', 2, ?, ?, 1)
			ON DUPLICATE KEY UPDATE version = version + 1, updated_at = VALUES(updated_at),
			incoming = incoming + 1`,
		&f.current: floorFind,
	})
}

func (f *insertFirst) Receive(ctx context.Context, contact, externalID string) error {
	return again(func() error {
		tx, err := f.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		id, at := newID(), time.Now().UnixMicro()
		r, err := tx.StmtContext(ctx, f.first).ExecContext(ctx, f.id(id), workspace, contact,
			contact, channel, at, at)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err != nil {
			return err
		}
		if n == 1 {
			err = write(ctx, tx, f.opened, 2, f.id(id), f.id(newID()), workspace, at, contact,
				f.id(id), f.id(newID()), workspace, at, contact, channel, given(externalID), body)
		} else {
			var version int64
			err = tx.StmtContext(ctx, f.current).QueryRowContext(ctx, workspace, contact).Scan(&id,
				&version)
			if err == nil {
				err = write(ctx, tx, f.message, 1, f.id(id), version, f.id(newID()), workspace, at,
					contact, channel,
					given(externalID), body)
			}
		}
		if err != nil {
			return err
		}
		return tx.Commit()
	})
}
