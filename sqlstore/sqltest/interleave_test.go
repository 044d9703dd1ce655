package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// Two calls at once: every order in which their steps can come is played on the real servers, one
// after the other. A step is what takes a lock or looks at what another call changes.
var steps = []string{"SELECT k.", "INSERT INTO convo_contacts", "UPDATE convo_contacts",
	"UPDATE convo_conversations", "WITH here", "BEGIN NOT ATOMIC\n\tDECLARE", "COMMIT"}

func isStep(statement string) bool {
	for _, s := range steps {
		if strings.HasPrefix(statement, s) {
			return true
		}
	}
	return false
}

const acme = "acme"

var ana = convo.ByUser("ana")

// player has one call's steps wait for their turn.
type player struct {
	turn    chan struct{} // a step may go
	asked   chan bool     // the call waits with a step (true), or is over (false)
	on      bool          // its steps wait
	waiting bool
	over    bool
}

func (p *player) step(statement string) {
	if p.on && isStep(statement) {
		p.asked <- true
		<-p.turn
	}
}

// patience is how long a step may take that does not wait for a lock. Taking a slow step for one
// that waits only plays another order.
const patience = 5 * time.Millisecond

// listen waits until the call stands before a step or is over, or, if it waits for a lock, for a
// while.
func (p *player) listen(patience time.Duration) {
	if p.waiting || p.over {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case p.waiting = <-p.asked:
		p.over = !p.waiting
	case <-timer.C:
	}
}

func (p *player) play() {
	p.listen(patience)
	if p.waiting {
		p.waiting = false
		p.turn <- struct{}{}
		p.listen(patience)
	}
}

// playable opens a pool of one connection whose statements are p's steps.
func playable(t *testing.T, d testdb.Database, p *player) *sql.DB {
	if d.Engine.Server() == testdb.MariaDB {
		// else each statement is prepared first, as a step of its own
		d = d.With("interpolateParams=true")
	}
	named, err := sql.Open(d.Driver, d.DSN)
	require.NoError(t, err)
	t.Cleanup(func() { _ = named.Close() })
	c, err := named.Driver().(driver.DriverContext).OpenConnector(d.DSN)
	require.NoError(t, err)
	db := sql.OpenDB(&playedConnector{c, p})
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

type playedConnector struct {
	driver.Connector
	p *player
}

func (c *playedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return &playedConn{conn, c.p}, err
}

type playedConn struct {
	driver.Conn
	p *player
}

func (c *playedConn) ExecContext(ctx context.Context, q string,
	args []driver.NamedValue) (driver.Result, error) {
	c.p.step(q)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
}

func (c *playedConn) QueryContext(ctx context.Context, q string,
	args []driver.NamedValue) (driver.Rows, error) {
	c.p.step(q)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
}

func (c *playedConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *playedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return &playedTx{tx, c.p}, err
}

type playedTx struct {
	driver.Tx
	p *player
}

func (t *playedTx) Commit() error {
	t.p.step("COMMIT")
	return t.Tx.Commit()
}

// stage is two calls' engines, each with a connection of its own, on one database.
type stage struct {
	players [2]*player
	dbs     [2]*sql.DB
	stores  [2]*sqlstore.Store
	engines [2]*convo.Engine
}

func newStage(t *testing.T, e testdb.Engine) *stage {
	d := testdb.Create(t, e)
	require.NoError(t, sqlstore.Config{DB: d.Open(t), Dialect: dialects[e]}.Migrate(t.Context()))
	s := &stage{}
	for i := range s.engines {
		s.players[i] = &player{turn: make(chan struct{}), asked: make(chan bool)}
		s.dbs[i] = playable(t, d, s.players[i])
		store, err := sqlstore.Config{DB: s.dbs[i], Dialect: dialects[e]}.Open(t.Context())
		require.NoError(t, err)
		require.NoError(t, store.Close()) // so that statements go as they are, not prepared
		s.stores[i] = store
		s.engines[i], err = convo.New(store, convo.WithRetries(0))
		require.NoError(t, err)
	}
	return s
}

// inTx carries out f in a transaction of the host.
func (s *stage) inTx(ctx context.Context, i int, f func(*convo.Engine) error) error {
	tx, err := s.dbs[i].BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(s.engines[i].With(s.stores[i].WithTx(tx))); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// play carries out both calls, their steps in the order that the bits of schedule say.
func (s *stage) play(t *testing.T, schedule []int, calls [2]func() error) (errs [2]error) {
	for i, p := range s.players {
		p.on, p.waiting, p.over = true, false, false
		go func() {
			errs[i] = calls[i]()
			p.on = false
			p.asked <- false
		}()
	}
	for _, i := range schedule {
		s.players[i].play()
	}
	for deadline := time.Now().Add(20 * time.Second); !s.players[0].over || !s.players[1].over; {
		require.True(t, time.Now().Before(deadline), "both calls hang")
		for _, p := range s.players {
			p.play()
		}
	}
	return errs
}

// orders are all orders of n steps of the one and m of the other.
func orders(n, m int) (all [][]int) {
	var add func(order []int, n, m int)
	add = func(order []int, n, m int) {
		if n+m == 0 {
			all = append(all, append([]int(nil), order...))
		}
		if n > 0 {
			add(append(order, 0), n-1, m)
		}
		if m > 0 {
			add(append(order, 1), n, m-1)
		}
	}
	add(nil, n, m)
	return all
}

// call is one of two calls on the contacts a and b.
type call struct {
	steps    int
	messages int // that it leaves when it succeeds
	do       func(ctx context.Context, s *stage, i int, a, b string) error
}

func mergeCall(steps int, pick func(a, b string) (primary, secondary string)) call {
	return call{steps, 0, func(ctx context.Context, s *stage, i int, a, b string) error {
		primary, secondary := pick(a, b)
		_, err := s.engines[i].Merge(ctx, convo.Merge{Workspace: acme, Primary: primary,
			Secondary: secondary, By: ana})
		return err
	}}
}

func receiveCall(steps int, pick func(a, b string) string) call {
	return call{steps, 1, func(ctx context.Context, s *stage, i int, a, b string) error {
		return s.inTx(ctx, i, func(e *convo.Engine) error {
			_, err := e.Do(ctx, convo.ToContact(acme, pick(a, b)), convo.Receive{Body: "raced"})
			return err
		})
	}}
}

func TestEveryOrderOfTheStepsOfTwoCallsKeepsTheRules(t *testing.T) {
	t.Parallel()
	forth := func(a, b string) (string, string) { return a, b }
	back := func(a, b string) (string, string) { return b, a }
	first := func(a, _ string) string { return a }
	second := func(_, b string) string { return b }
	open := []convo.Command{convo.Receive{Body: "hi"}}
	closed := []convo.Command{convo.Receive{Body: "hi"}, convo.Close{By: ana}}
	for _, e := range []testdb.Engine{testdb.PostgreSQL, testdb.MariaDB} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel() // mostly it waits
			s := newStage(t, e)
			for _, c := range []struct {
				name   string
				before []convo.Command // on both contacts
				calls  [2]call
			}{
				{"a merge and the opposite one", open,
					[2]call{mergeCall(6, forth), mergeCall(6, back)}},
				{"a merge and a message", open, [2]call{mergeCall(6, forth),
					receiveCall(2, second)}},
				{"a merge and a message that opens", closed,
					[2]call{mergeCall(6, forth), receiveCall(2, second)}},
				{"two first messages", nil, [2]call{receiveCall(2, first), receiveCall(2, first)}},
			} {
				t.Run(c.name, func(t *testing.T) { playAll(t, s, c.before, c.calls) })
			}
			assert.Empty(t, storetest.CheckInvariants(t.Context(), s.stores[0], acme))
		})
	}
}

func playAll(t *testing.T, s *stage, before []convo.Command, calls [2]call) {
	all := orders(calls[0].steps, calls[1].steps)
	outcomes := map[string]int{}
	for n, order := range all {
		if testing.Short() && len(all) > 100 && n%5 > 0 {
			continue
		}
		contacts := []string{fmt.Sprintf("%s %d a", t.Name(), n),
			fmt.Sprintf("%s %d b", t.Name(), n)}
		want := 0
		for _, contact := range contacts {
			if before != nil {
				_, err := s.engines[0].Do(t.Context(), convo.ToContact(acme, contact), before...)
				require.NoError(t, err)
				want++
			}
		}
		errs := s.play(t, order, [2]func() error{
			func() error { return calls[0].do(t.Context(), s, 0, contacts[0], contacts[1]) },
			func() error { return calls[1].do(t.Context(), s, 1, contacts[0], contacts[1]) },
		})
		won := 0
		for i, err := range errs {
			var invalid *convo.ValidationError // of the opposite merge, when it comes last
			switch {
			case err == nil:
				won++
				want += calls[i].messages
			case !errors.Is(err, convo.ErrConflict) && !errors.Is(err, convo.ErrActiveExists) &&
				!errors.As(err, &invalid):
				require.NoError(t, err, "call %d of order %v", i, order)
			}
		}
		outcomes[fmt.Sprint(won, " of 2 succeeded")]++
		require.NotZero(t, won, "order %v: both lost: %v", order, errs)
		require.Equal(t, want, s.messages(t, contacts), "order %v: %v", order, errs)
	}
	t.Log(len(all), "orders:", outcomes)
}

// messages counts those of all the conversations of contacts.
func (s *stage) messages(t *testing.T, contacts []string) (n int) {
	for _, contact := range contacts {
		cs, err := s.stores[0].Conversations(t.Context(),
			convo.Filter{Workspace: acme, Contact: contact, Limit: 100})
		require.NoError(t, err)
		for _, c := range cs {
			n += c.Cycle.Incoming
		}
	}
	return n
}
