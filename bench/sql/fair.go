package main

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// fair does the job on the tables of fairSchema: it reads, and then writes a change, which takes
// one statement on servers, and one transaction on SQLite.
type fair struct {
	db   *sql.DB
	turn *sync.Mutex // of the callers, where all is one transaction; nil: one statement
	id   func(uuid.UUID) any

	find, findKeyed *sql.Stmt
	changes         map[string][]*sql.Stmt
}

// The changes that there are; those with a key have an external id.
const (
	opens, opensKeyed       = "open", "open with a key"
	receives, receivesKeyed = "receive", "receive with a key"
	closes                  = "close"
)

const fairFind = `SELECT ct.blocked, cv.id, COALESCE(cv.version, 0), {known} FROM fair_contacts ct
	LEFT JOIN fair_conversations cv ON cv.workspace = ct.workspace AND cv.slot = ct.contact
	WHERE ct.workspace = ? AND ct.address = ?`

var fairParts = strings.NewReplacer(
	"{contact}", `INTO fair_contacts (workspace, address, contact, created_at, blocked)
		VALUES (?, ?, ?, ?, FALSE)`,
	"{open}", `INTO fair_conversations (id, workspace, contact, slot, channel, status, version,
			opened_at, updated_at, last_incoming_at, waiting_since, assignee, team, incoming,
			outgoing, responses, response_micros)
		VALUES (?, ?, ?, ?, ?, 'open', 2, ?, ?, ?, ?, '', '', 1, 0, 0, 0)`,
	"{receive}", `UPDATE fair_conversations SET version = version + 1, updated_at = ?,
			last_incoming_at = ?, waiting_since = COALESCE(waiting_since, ?),
			incoming = incoming + 1
		WHERE id = ? AND version = ?`,
	"{close}", `UPDATE fair_conversations SET version = version + 1, updated_at = ?,
			status = 'closed', slot = NULL, waiting_since = NULL, closed_at = ?, closed_by = ?,
			category = ?, summary = ?
		WHERE id = ? AND version = ?`,
	"{event}", `INSERT INTO fair_events (conversation, seq, id, workspace, contact, kind, at,
		by_type, by_id, channel, external_id, body)`,
	"{key}", `INSERT INTO fair_keys (workspace, channel, id, conversation, seq)`,
	"{cycle}", `INSERT INTO fair_cycles (conversation, number, workspace, contact, channel,
			opened_at, closed_at, closed_by, assignee, team, category, summary, first_response_at,
			incoming, outgoing, responses, response_micros)
		SELECT id, 1, workspace, contact, channel, opened_at, closed_at, closed_by, assignee, team,
			category, summary, first_response_at, incoming, outgoing, responses, response_micros`,
)

// fairStatements are those of each change, one after another. The conversation's is the first one,
// but for an opening, where the contact's goes before.
func fairStatements(insert, orNothing string) map[string][]string {
	const value = "(?, ?, ?, ?, ?, "
	const message = value + "'received', ?, 'contact', ?, ?, ?, ?)"
	const key = "{key} VALUES (?, ?, ?, ?, ?)"
	open := []string{
		insert + " {contact}" + orNothing, insert + " {open}" + orNothing,
		"{event} VALUES " + value + "'opened', ?, 'contact', ?, NULL, NULL, NULL), " + message,
	}
	receive := []string{"{receive}", "{event} VALUES " + message}
	return map[string][]string{
		opens: open, opensKeyed: append(slices.Clone(open), key),
		receives: receive, receivesKeyed: append(slices.Clone(receive), key),
		closes: {
			"{close}", "{event} VALUES " + value + "'closed', ?, 'user', ?, NULL, NULL, NULL)",
			"{cycle} FROM fair_conversations WHERE id = ?",
		},
	}
}

// fairCTEs are the same changes as statements of PostgreSQL, with the same arguments.
func fairCTEs() map[string]string {
	const (
		value   = "(?::uuid, ?::bigint, ?::uuid, ?::text, ?::text, "
		message = value + "'received', ?::bigint, 'contact', ?::text, ?::text, ?::text, ?::text)"
		open    = `WITH ct AS (INSERT {contact} ON CONFLICT DO NOTHING),
			c AS (INSERT {open} ON CONFLICT DO NOTHING RETURNING id),
			e AS ({event} SELECT v.* FROM c, (VALUES ` + value +
			"'opened', ?::bigint, 'contact', ?::text, NULL, NULL, NULL), " + message + ") v)"
		receive = `WITH c AS ({receive} RETURNING id),
			e AS ({event} SELECT v.* FROM c, (VALUES ` + message + ") v)"
		key = `, k AS ({key}
			SELECT v.* FROM c, (VALUES (?::text, ?::text, ?::text, ?::uuid, ?::bigint)) v)`
		written = " SELECT count(*) FROM c"
	)
	return map[string]string{
		opens: open + written, opensKeyed: open + key + written,
		receives: receive + written, receivesKeyed: receive + key + written,
		closes: `WITH c AS ({close} RETURNING *),
			e AS ({event} SELECT v.* FROM c, (VALUES ` + value +
			`'closed', ?::bigint, 'user', ?::text, NULL, NULL, NULL)) v),
			y AS ({cycle} FROM c WHERE id = ?)` + written,
	}
}

// fairBlock is a change in a compound statement of MariaDB.
func fairBlock(change string, statements []string) string {
	before := ""
	if change == opens || change == opensKeyed {
		before, statements = statements[0]+";", statements[1:]
	}
	return `BEGIN NOT ATOMIC
		DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
		START TRANSACTION;
		` + before + statements[0] + `;
		IF ROW_COUNT() = 1 THEN ` + strings.Join(statements[1:], "; ") + `; COMMIT; SELECT 1;
		ELSE ROLLBACK; SELECT 0; END IF;
	END`
}

// newFair prepares the statements of a change, each by itself, or all as one.
func newFair(ctx context.Context, db *sql.DB, turn *sync.Mutex, id func(uuid.UUID) any,
	changes map[string][]string, mark func(string) string) (*fair, error) {
	f := &fair{db: db, turn: turn, id: id, changes: map[string][]*sql.Stmt{}}
	find := func(known string) string {
		return mark(strings.ReplaceAll(fairFind, "{known}", known))
	}
	texts := map[**sql.Stmt]string{
		&f.find: find("FALSE"),
		&f.findKeyed: find("EXISTS (SELECT 1 FROM fair_keys " +
			"WHERE workspace = ? AND channel = ? AND id = ?)"),
	}
	for change, statements := range changes {
		f.changes[change] = make([]*sql.Stmt, len(statements))
		for i, text := range statements {
			texts[&f.changes[change][i]] = mark(fairParts.Replace(text))
		}
	}
	return f, prepare(ctx, db, texts)
}

func newFairSQLite(ctx context.Context, db *sql.DB) (any, error) {
	return newFair(ctx, db, &sync.Mutex{}, idBytes,
		fairStatements("INSERT", " ON CONFLICT DO NOTHING"), unpeeked)
}

func newFairPostgres(ctx context.Context, db *sql.DB) (any, error) {
	changes := map[string][]string{}
	for change, text := range fairCTEs() {
		changes[change] = []string{text}
	}
	return newFair(ctx, db, nil, idText, changes, numbered)
}

func newFairMariaDB(ctx context.Context, db *sql.DB) (any, error) {
	changes := fairStatements("INSERT IGNORE", "")
	for change, statements := range changes {
		changes[change] = []string{fairBlock(change, statements)}
	}
	return newFair(ctx, db, nil, idBytes, changes, unmarked)
}

var errBlocked = errors.New("the contact is blocked")

// found is what is read before a change.
type found struct {
	blocked, known bool
	id             uuid.UUID
	version        int64 // 0: no conversation is active
}

// change finds the active conversation of a contact, and carries out what f makes of it; a nil
// change is none.
func (t *fair) change(ctx context.Context, contact, externalID string,
	f func(found) (change string, args [][]any, err error)) error {
	if t.turn != nil {
		t.turn.Lock()
		defer t.turn.Unlock()
	}
	return again(func() error {
		var tx *sql.Tx
		prepared := func(st *sql.Stmt) *sql.Stmt { return st }
		if t.turn != nil {
			var err error
			if tx, err = t.db.BeginTx(ctx, nil); err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			prepared = func(st *sql.Stmt) *sql.Stmt { return tx.StmtContext(ctx, st) }
		}
		find, args := t.find, []any{workspace, contact}
		if externalID != "" {
			find, args = t.findKeyed, append([]any{workspace, channel, externalID}, args...)
		}
		var c found
		err := prepared(find).QueryRowContext(ctx, args...).Scan(&c.blocked, &c.id, &c.version,
			&c.known)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if c.known {
			return nil
		}
		change, lists, err := f(c)
		if err != nil {
			return err
		}
		if tx == nil {
			var n int64
			err := t.changes[change][0].QueryRowContext(ctx, slices.Concat(lists...)...).Scan(&n)
			if err == nil && n != 1 {
				err = errLost
			}
			return err
		}
		for i, st := range t.changes[change] {
			// The transaction has begun by taking the right to write, so nobody is faster.
			if _, err := prepared(st).ExecContext(ctx, lists[i]...); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}

func (t *fair) Receive(ctx context.Context, contact, externalID string) error {
	return t.change(ctx, contact, externalID, func(c found) (string, [][]any, error) {
		at := time.Now().UnixMicro()
		if c.blocked {
			return "", nil, errBlocked
		}
		opening := c.version == 0
		if opening {
			c.id = newID()
			c.version = 1
		}
		id, seq := t.id(c.id), c.version+1
		message := []any{id, seq, t.id(newID()), workspace, contact, at, contact, channel,
			given(externalID), body}
		change, args := receives, [][]any{{at, at, at, id, c.version}, message}
		if opening {
			change, args = opens, [][]any{
				{workspace, contact, contact, at},
				{id, workspace, contact, contact, channel, at, at, at, at},
				append([]any{id, 1, t.id(newID()), workspace, contact, at, contact}, message...),
			}
		}
		if externalID != "" {
			change += " with a key"
			args = append(args, []any{workspace, channel, externalID, id, seq})
		}
		return change, args, nil
	})
}

func (t *fair) Close(ctx context.Context, contact string) error {
	return t.change(ctx, contact, "", func(c found) (string, [][]any, error) {
		if c.version == 0 {
			return "", nil, errNotActive
		}
		at, id := time.Now().UnixMicro(), t.id(c.id)
		return closes, [][]any{
			{at, at, agent, category, summary, id, c.version},
			{id, c.version + 1, t.id(newID()), workspace, contact, at, agent},
			{id},
		}, nil
	})
}
