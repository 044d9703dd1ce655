package eventlog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/chatlifecycle/convo"
)

// maxCase bounds the rows of a case, which is held in memory.
const maxCase = 100_000

// spool keeps the rows of a log in a file that is gone with the process, because those of a case
// may stand anywhere in the log, and memory may be smaller than it. It is for one goroutine.
type spool struct {
	db *sql.DB
	// One connection has the file. Its transaction is never committed: nothing is to be kept.
	tx       *sql.Tx
	add, put *sql.Stmt
	occurs   map[string]int // activities
	rows     int
}

func newSpool(ctx context.Context) (s *spool, err error) {
	// Without a name SQLite makes a temporary file, and removes it.
	db, err := sql.Open("sqlite", "")
	if err != nil {
		return nil, err
	}
	s = &spool{db: db, occurs: map[string]int{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	db.SetMaxOpenConns(1)
	if s.tx, err = db.BeginTx(ctx, nil); err != nil {
		return nil, err
	}
	var names strings.Builder
	for c := range columns {
		fmt.Fprintf(&names, ", c%d", c)
	}
	for _, statement := range []string{
		"CREATE TABLE log (line INTEGER, at INTEGER, opened INTEGER, closed INTEGER" +
			names.String() + ")",
		// Whose the cases are, and when they began; held are those that are imported later.
		"CREATE TABLE cases (case_id TEXT PRIMARY KEY, contact TEXT, first INTEGER, " +
			"held INTEGER) WITHOUT ROWID",
		"CREATE TABLE ids (contact TEXT, channel TEXT, id TEXT, line INTEGER, " +
			"PRIMARY KEY (contact, channel, id)) WITHOUT ROWID",
		"CREATE TABLE rest (contact TEXT, lane TEXT, at INTEGER, case_id TEXT, line INTEGER, " +
			"conversation BLOB, commands BLOB, traces TEXT, first INTEGER, told INTEGER)",
	} {
		if _, err = s.tx.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	if s.add, err = s.tx.PrepareContext(ctx, "INSERT INTO log VALUES (?, ?, ?, ?"+
		strings.Repeat(", ?", int(columns))+")"); err != nil {
		return nil, err
	}
	s.put, err = s.tx.PrepareContext(ctx, "INSERT INTO rest VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	return s, err
}

func (s *spool) close() error {
	if s.tx != nil {
		_ = s.tx.Rollback()
	}
	return s.db.Close()
}

// keep takes in a row.
func (s *spool) keep(ctx context.Context, r row) error {
	args := make([]any, 0, 4+columns)
	args = append(args, r.line)
	for _, at := range []time.Time{r.at, r.openedAt, r.closedAt} {
		if at.IsZero() {
			args = append(args, nil)
		} else {
			args = append(args, at.UnixMicro())
		}
	}
	for _, f := range r.fields {
		args = append(args, f)
	}
	s.rows++
	if r.fields[columnActivity] != "" {
		s.occurs[r.fields[columnActivity]]++
	}
	_, err := s.add.ExecContext(ctx, args...)
	return err
}

// group finds out whose the cases are, and when they began.
func (s *spool) group(ctx context.Context) error {
	_, err := s.tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO cases SELECT c%d, "+
		"CASE MAX(c%d) WHEN '' THEN c%[1]d ELSE MAX(c%[2]d) END, "+
		"MIN(MIN(COALESCE(at, opened), COALESCE(opened, at))), 0 FROM log GROUP BY c%[1]d",
		columnCase, columnContact))
	return err
}

// hold leaves a case for [spool.cases] of those that are held.
func (s *spool) hold(ctx context.Context, caseID string) error {
	_, err := s.tx.ExecContext(ctx, "UPDATE cases SET held = 1 WHERE case_id = ?", caseID)
	return err
}

// told keeps the external id of a message, and tells the line that had it before.
func (s *spool) told(
	ctx context.Context, contact, channel, id string, line int,
) (before int, err error) {
	const of = " WHERE contact = ? AND channel = ? AND id = ?"
	err = s.tx.QueryRowContext(ctx, "SELECT line FROM ids"+of, contact, channel, id).Scan(&before)
	if !errors.Is(err, sql.ErrNoRows) {
		return before, err
	}
	_, err = s.tx.ExecContext(ctx, "INSERT INTO ids VALUES (?, ?, ?, ?)", contact, channel, id,
		line)
	return 0, err
}

// cases are the rows of one case after the other, each in order of time and of the file; those of a
// contact come one after the other, too, in the order in which they began.
func (s *spool) cases(ctx context.Context, held bool) iter.Seq2[[]row, error] {
	return func(yield func([]row, error) bool) {
		rows, err := s.tx.QueryContext(ctx, fmt.Sprintf("SELECT log.* FROM log "+
			"JOIN cases ON case_id = c%d WHERE held = ? "+
			"ORDER BY contact, first, case_id, COALESCE(at, opened), line", columnCase), held)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		var one []row
		for rows.Next() {
			r, err := scanRow(rows)
			if err == nil && len(one) == maxCase {
				err = fmt.Errorf("case %s has more than %d rows: perhaps it is no case",
					one[0].fields[columnCase], maxCase)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if len(one) > 0 && one[0].fields[columnCase] != r.fields[columnCase] {
				if !yield(one, nil) {
					return
				}
				one = nil
			}
			one = append(one, r)
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		} else if len(one) > 0 {
			yield(one, nil)
		}
	}
}

func scanRow(rows *sql.Rows) (r row, err error) {
	var times [3]sql.NullInt64
	to := []any{&r.line, &times[0], &times[1], &times[2]}
	for c := range r.fields {
		to = append(to, &r.fields[c])
	}
	err = rows.Scan(to...)
	for i, t := range []*time.Time{&r.at, &r.openedAt, &r.closedAt} {
		if times[i].Valid {
			*t = time.UnixMicro(times[i].Int64).UTC()
		}
	}
	return r, err
}

// rest is a step that is done by a call of its own, because its case goes on.
type rest struct {
	contact, lane, caseID string
	line                  int
	conversation          uuid.UUID // uuid.Nil: not known yet
	commands              convo.Commands
	traces                string // of what it writes
	first                 bool   // of its case
	told                  bool   // it is no row
}

// putOff keeps a step for [spool.rests].
func (s *spool) putOff(ctx context.Context, r rest, at time.Time) error {
	commands, err := json.Marshal(r.commands)
	if err != nil {
		return err
	}
	_, err = s.put.ExecContext(ctx, r.contact, r.lane, at.UnixMicro(), r.caseID, r.line,
		r.conversation[:], commands, r.traces, r.first, r.told)
	return err
}

// rests are the steps that were put off, contact by contact, each in order of time.
func (s *spool) rests(ctx context.Context) iter.Seq2[rest, error] {
	return func(yield func(rest, error) bool) {
		rows, err := s.tx.QueryContext(ctx, "SELECT contact, lane, case_id, line, conversation, "+
			"commands, traces, first, told FROM rest ORDER BY contact, at, rowid")
		if err != nil {
			yield(rest{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var r rest
			var id, commands []byte
			err := rows.Scan(&r.contact, &r.lane, &r.caseID, &r.line, &id, &commands, &r.traces,
				&r.first, &r.told)
			if err == nil {
				copy(r.conversation[:], id)
				err = json.Unmarshal(commands, &r.commands)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(rest{}, err)
		}
	}
}

// forgetRests forgets what was put off until now.
func (s *spool) forgetRests(ctx context.Context) error {
	_, err := s.tx.ExecContext(ctx, "DELETE FROM rest")
	return err
}
