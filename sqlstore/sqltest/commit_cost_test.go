package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// cost is what a commit costs PostgreSQL.
type cost struct {
	records, bytes int      // of WAL, without images of whole pages
	relations      int      // tables and indexes that it locks; 0: as many as it likes
	hot            bool     // rows of conversations stay in their page, and no index is written
	log            []string // the records
}

// What a commit writes is counted, so that no index comes onto its way unseen. The counts are of a
// conversation that is in the queue of rollups already, as all are that had a message since.
func TestWhatACommitCosts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e != testdb.PostgreSQL {
			t.Skip("only PostgreSQL says what is in its log")
		}
		m := newMeter(t, e)
		for _, step := range []struct {
			what string
			cmd  convo.Command
			most cost
		}{
			{
				"opening", convo.Receive{Channel: "chat", Body: "Hello"},
				cost{records: 26, bytes: 2660},
			},
			{
				"message", convo.Receive{Channel: "chat", Body: "Hello"},
				cost{records: 5, bytes: 650, hot: true},
			},
			{
				"assignment", convo.Assign{By: ana, Assignee: "ana", Team: "sales"},
				cost{records: 10, bytes: 1150, hot: true},
			},
			{
				"reply", convo.Send{By: ana, Body: "Hi"},
				cost{records: 6, bytes: 850, hot: true},
			},
			{
				"closing", convo.Close{By: ana, Category: "Sales", Summary: "done"},
				cost{records: 9, bytes: 1400, relations: 16, hot: true},
			},
		} {
			found := m.measure(t, step.cmd)
			text := fmt.Sprintf("%s: %d records, %d bytes, %d relations, HOT %t\n%s", step.what,
				found.records, found.bytes, found.relations, found.hot, strings.Join(found.log, "\n"))
			t.Log(text)
			assert.LessOrEqual(t, found.records, step.most.records, text)
			assert.LessOrEqual(t, found.bytes, step.most.bytes, text)
			if step.most.relations > 0 {
				assert.LessOrEqual(t, found.relations, step.most.relations, text)
			}
			assert.Equal(t, step.most.hot, found.hot, text)
		}
	})
}

const metered = 20 // contacts

// meter measures what commands cost.
type meter struct {
	db       *sql.DB
	store    *sqlstore.Store
	engine   *convo.Engine
	recorder *recorder
}

func newMeter(t *testing.T, e testdb.Engine) *meter {
	t.Helper()
	d := testdb.Create(t, e)
	m := &meter{db: d.Open(t), recorder: &recorder{}}
	if _, err := m.db.ExecContext(t.Context(), "CREATE EXTENSION pg_walinspect"); err != nil {
		t.Skip("there is no pg_walinspect:", err)
	}
	migrated(t, m.db, e)
	m.store = migrated(t, m.recorder.open(t, d), e)
	var err error
	m.engine, err = convo.New(m.store)
	require.NoError(t, err)
	return m
}

// measure has each contact send a command, and returns the median of what that costs.
func (m *meter) measure(t *testing.T, cmd convo.Command) cost {
	t.Helper()
	ctx := t.Context()
	var all []cost
	for i := range metered {
		to := convo.ToContact("acme", fmt.Sprint("contact-", i))
		relations := m.locked(t, to, cmd)
		// What was rolled back just now, and rows before, fill the page; whether PostgreSQL prunes it
		// in time depends on who else is at work.
		_, err := m.db.ExecContext(ctx, "VACUUM convo_conversations")
		require.NoError(t, err)
		var from, until string
		require.NoError(t, m.db.QueryRowContext(ctx,
			"SELECT pg_current_wal_insert_lsn()").Scan(&from))
		done, err := m.engine.Do(ctx, to, cmd)
		require.NoError(t, err)
		// what is not flushed yet cannot be looked at
		_, err = m.db.ExecContext(ctx, "SELECT pg_logical_emit_message(TRUE, '', '')")
		require.NoError(t, err)
		require.NoError(t, m.db.QueryRowContext(ctx,
			"SELECT pg_current_wal_flush_lsn()").Scan(&until))
		c := m.written(t, from, until, &done.Events[0])
		c.relations = relations
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b cost) int { return a.bytes - b.bytes })
	return all[len(all)/2]
}

// written is what the transaction that wrote an event has in the log between two places.
func (m *meter) written(t *testing.T, from, until string, e *convo.Event) (c cost) {
	t.Helper()
	rows, err := m.db.QueryContext(t.Context(), `SELECT resource_manager, record_type,
			record_length - fpi_length, COALESCE(pg_filenode_relation(0, substring(
			block_ref FROM 'rel \d+/\d+/(\d+)')::oid)::regclass::text, '')
		FROM pg_get_wal_records_info($1::pg_lsn, $2::pg_lsn)
		WHERE xid = (SELECT xmin FROM convo_events WHERE workspace = 'acme' AND id = $3)`,
		from, until, e.ID)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var manager, kind, of string
		var bytes int
		require.NoError(t, rows.Scan(&manager, &kind, &bytes, &of))
		c.records++
		c.bytes += bytes
		c.hot = c.hot || of == "convo_conversations" && kind == "HOT_UPDATE"
		c.log = append(c.log, fmt.Sprint(bytes, " ", manager, " ", kind, " ", of))
	}
	require.NoError(t, rows.Err())
	return c
}

// locked is how many relations the commit of a command locks.
func (m *meter) locked(t *testing.T, to convo.Ref, cmd convo.Command) (n int) {
	t.Helper()
	back := errors.New("back")
	m.recorder.take()
	require.ErrorIs(t, m.store.Locked(t.Context(), "acme", func(ctx context.Context) error {
		_, err := m.engine.With(m.store).Do(ctx, to, cmd)
		return errors.Join(err, back)
	}), back)
	said := m.recorder.take()
	last := said[len(said)-1]
	tx, err := m.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), last.text, last.args...)
	require.NoError(t, err)
	require.NoError(t, tx.QueryRowContext(t.Context(), `SELECT count(DISTINCT relation)
		FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
		AND relation >= 16384`).Scan(&n))
	return n
}
