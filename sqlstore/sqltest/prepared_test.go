package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// mostPrepared is what the documentation of Config promises for each connection.
const mostPrepared = 103

// listings are the filters that make different statements of a listing.
func listings() (all []convo.Filter) {
	at := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	statuses := [][]convo.Status{nil, {convo.StatusOpen}, {convo.StatusPending},
		{convo.StatusClosed}, {convo.StatusOpen, convo.StatusClosed}}
	for n := range 192 {
		on := func(bit int) bool { return n>>bit&1 == 1 }
		f := convo.Filter{Workspace: acme}
		if on(0) {
			f.Contact = "riya"
		}
		if on(1) {
			f.Team = "sales"
		}
		if on(2) {
			f.Channel = "sms"
		}
		if on(3) {
			f.Category = "Sales"
		}
		if on(4) {
			f.From = at
		}
		if on(5) {
			f.To = at.AddDate(1, 0, 0)
		}
		switch n >> 6 {
		case 1:
			f.Assignee = "ana"
		case 2:
			f.After = convo.Cursor{At: at.AddDate(0, 6, 0)}
		}
		for _, f.Status = range statuses {
			all = append(all, f)
		}
	}
	return all
}

// keptOn is how many prepared statements the server keeps for a connection, and a number that
// changes when it prepares one.
func keptOn(t *testing.T, e testdb.Engine, c *sql.Conn) (n int, mark string) {
	t.Helper()
	if e == testdb.PostgreSQL {
		row := c.QueryRowContext(t.Context(), `SELECT count(*),
			coalesce(max(prepare_time), 'epoch')::text FROM pg_prepared_statements`)
		require.NoError(t, row.Scan(&n, &mark))
		return n, mark
	}
	counts := map[string]int{}
	rows, err := c.QueryContext(t.Context(),
		"SHOW SESSION STATUS WHERE Variable_name IN ('Com_stmt_prepare', 'Com_stmt_close')")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		var count int
		require.NoError(t, rows.Scan(&name, &count))
		counts[name] = count
		if name == "Com_stmt_prepare" {
			mark = strings.Repeat("|", count)
		}
	}
	require.NoError(t, rows.Err())
	return counts["Com_stmt_prepare"] - counts["Com_stmt_close"], mark
}

// A server keeps what is prepared on each connection: MariaDB up to a number for all of them, after
// which nothing works any more, PostgreSQL in memory. There are hundreds of listings.
func TestFewStatementsAreKeptWhateverIsListed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("SQLite has no server to keep them")
		}
		s, db := open(t, e) // 40 connections
		engine := enginesOn(t, s)[0]
		ordinary(t, engine, "before")
		all := listings()
		require.Len(t, all, 960)
		var workers sync.WaitGroup
		for w := range 40 {
			workers.Go(func() {
				for i := range 240 {
					f := all[(w*241+i*7)%len(all)]
					f.Limit = 10
					_, err := s.Conversations(t.Context(), f)
					assert.NoError(t, err)
				}
			})
		}
		workers.Wait()
		severalAtOnce(t, engine)
		ordinary(t, engine, "after")
		var conns []*sql.Conn
		most, sum := 0, 0
		for range 40 {
			c, err := db.Conn(t.Context())
			require.NoError(t, err)
			defer c.Close()
			conns = append(conns, c)
			n, _ := keptOn(t, e, c)
			most, sum = max(most, n), sum+n
		}
		t.Logf("%d statements on %d connections, %d on one", sum, len(conns), most)
		assert.LessOrEqual(t, most, mostPrepared)
	})
}

// Whatever is listed in between, what ordinary calls need is prepared once.
func TestOrdinaryCallsStayPrepared(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("SQLite does not say what is prepared: it has no server")
		}
		s, db := open(t, e)
		db.SetMaxOpenConns(1)
		engine := enginesOn(t, s)[0]
		mark := func() string {
			c, err := db.Conn(t.Context())
			require.NoError(t, err)
			defer c.Close()
			_, mark := keptOn(t, e, c)
			return mark
		}
		list := func() {
			for _, f := range listings() {
				f.Limit = 10
				_, err := s.Conversations(t.Context(), f)
				require.NoError(t, err)
			}
		}
		ordinary(t, engine, "first")
		list()
		before := mark()
		ordinary(t, engine, "second")
		assert.Equal(t, before, mark(), "something was prepared again")
		severalAtOnce(t, engine)
		list()
		ordinary(t, engine, "third")
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer c.Close()
		n, _ := keptOn(t, e, c)
		t.Logf("%d statements", n)
		assert.LessOrEqual(t, n, mostPrepared)
	})
}

// What is only sent inside of transactions is prepared as soon as nobody holds a connection.
func TestCallsInsideOfTransactionsStayPrepared(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("SQLite does not say what is prepared: it has no server")
		}
		s, db := open(t, e)
		db.SetMaxOpenConns(1)
		engine, err := convo.New(s, convo.WithRetries(0))
		require.NoError(t, err)
		to := convo.ToContact(acme, "riya")
		for name, call := range map[string]func() error{
			"under the lock": func() error {
				return s.Locked(t.Context(), acme, func(ctx context.Context) error {
					_, err := engine.Do(ctx, to, convo.Receive{Body: "hi"})
					return err
				})
			},
			"in the host's transaction": func() error {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					return err
				}
				defer tx.Rollback()
				_, err = engine.With(s.WithTx(tx)).Do(t.Context(), to, convo.Receive{Body: "hi"})
				if err := cmp.Or(err, tx.Commit()); err != nil {
					return err
				}
				_, err = engine.Active(t.Context(), to) // anything outside
				return err
			},
		} {
			var before, after string
			for n := range 20 {
				require.NoError(t, call(), name)
				c, err := db.Conn(t.Context())
				require.NoError(t, err)
				_, after = keptOn(t, e, c)
				require.NoError(t, c.Close())
				if n == 3 {
					before = after
				}
			}
			assert.Equal(t, before, after, "%s: something was prepared again", name)
		}
	})
}

func TestUnpreparedPreparesNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("SQLite does not say what is prepared: it has no server")
		}
		s, db := openUnprepared(t, e, "")
		db.SetMaxOpenConns(1)
		ordinary(t, enginesOn(t, s)[0], "riya")
		severalAtOnce(t, enginesOn(t, s)[0])
		for _, f := range listings()[:100] {
			f.Limit = 10
			_, err := s.Conversations(t.Context(), f)
			require.NoError(t, err)
		}
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer c.Close()
		n, mark := keptOn(t, e, c)
		assert.Zero(t, n)
		if e.Server() == testdb.MariaDB {
			assert.Empty(t, mark, "something was prepared for one use")
		}
	})
}

// severalAtOnce has several commands in each call, in so many ways that each is another statement.
func severalAtOnce(t *testing.T, e *convo.Engine) {
	t.Helper()
	for n := range 64 {
		to := convo.ToContact(acme, fmt.Sprint("several ", n))
		if n&1 != 0 { // else the contact is new
			_, err := e.Do(t.Context(), to, convo.Receive{Body: "hi"})
			require.NoError(t, err)
		}
		cmds := []convo.Command{convo.Receive{Body: "hi"}}
		if n&2 != 0 {
			cmds[0] = convo.Receive{Channel: "sms", ExternalID: fmt.Sprint(n), Body: "hi"}
		}
		for range n >> 3 % 8 {
			cmds = append(cmds, convo.Note{By: ana, Body: "note"})
		}
		if n&4 != 0 && len(cmds) < 7 {
			cmds = append(cmds, convo.Close{By: ana})
		}
		_, err := e.Do(t.Context(), to, cmds...)
		require.NoError(t, err)
	}
}

// ordinary makes the calls of an ordinary day for a contact.
func ordinary(t *testing.T, e *convo.Engine, name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	to := convo.ToContact(acme, name)
	for i, cmd := range []convo.Command{
		convo.Open{By: ana, Key: name}, convo.Receive{Body: "hi"},
		convo.Receive{Channel: "sms", ExternalID: name, Body: "hi"},
		convo.Send{By: ana, Body: "hello"}, convo.Note{By: ana, Body: "note"},
		convo.Assign{By: ana, Assignee: "ana"}, convo.SetPending{By: ana}, convo.Resume{By: ana},
		convo.Close{By: ana, Category: "Sales", Summary: "Sold."},
		convo.AmendClosing{By: ana, Category: "Support"}, convo.Reopen{By: ana},
		convo.Block{By: ana}, convo.Unblock{By: ana}, convo.Close{By: ana},
		convo.Receive{Body: "again"},
	} {
		_, err := e.Do(ctx, to, cmd)
		require.NoError(t, err, "%d: %T", i, cmd)
	}
	out, err := e.Do(ctx, convo.ToAddress(acme, "sms", "+49 "+name), convo.Receive{Body: "hi"})
	require.NoError(t, err)
	_, err = e.Merge(ctx, convo.Merge{Workspace: acme, Primary: name,
		Secondary: out.Contact.ID, By: ana})
	require.NoError(t, err)
}
