package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// The matrix: racers call at once for one contact, atOnce contacts at a time, for each pair of
// calls, on each engine and isolation level. Without the guards fewer contacts are enough.
const (
	racers = 6
	atOnce = 8
)

// levels are the parameters of a DSN that make a level the default of all that is done by it.
var levels = map[testdb.Engine][]string{
	testdb.SQLite: {"_txlock=immediate"}, // its only level
	testdb.PostgreSQL: {
		"default_transaction_isolation=read committed",
		"default_transaction_isolation=repeatable read",
		"default_transaction_isolation=serializable",
	},
	testdb.MariaDB: {"tx_isolation='READ-COMMITTED'", "tx_isolation='REPEATABLE-READ'",
		"tx_isolation='SERIALIZABLE'"},
}

// elsewhere are settings of a driver that another process might have.
var elsewhere = map[testdb.Engine][]string{
	testdb.PostgreSQL: {"default_query_exec_mode=exec"},
	testdb.MariaDB:    {"clientFoundRows=true", "interpolateParams=true"},
}

// racer makes one of the calls that race for a contact.
type racer struct {
	ctx     context.Context
	engine  *convo.Engine
	ref     convo.Ref
	other   string // a second contact, for merges
	n       int
	written []string // bodies of messages that were acknowledged
}

// pair is what races: racers with an even number against the odd ones.
type pair struct {
	name      string
	prepare   func(r *racer) error
	even, odd func(r *racer) error
	may       []error // how a call may fail, because another one was faster
	notNow    string  // the same for a *convo.ValidationError, by its field
}

func (r *racer) do(cmds ...convo.Command) error {
	_, err := r.engine.Do(r.ctx, r.ref, cmds...)
	return err
}

func (r *racer) open() error  { return r.do(convo.Open{By: ana}) }
func (r *racer) close() error { return r.do(convo.Close{By: ana}) }

func (r *racer) receive() error {
	body := fmt.Sprint("of ", r.ref.Contact, " by ", r.n, ".", len(r.written))
	err := r.do(convo.Receive{Channel: "sms", ExternalID: body, Body: body})
	if err == nil {
		r.written = append(r.written, body)
	}
	return err
}

func (r *racer) merge(primary, secondary string) error {
	_, err := r.engine.Merge(r.ctx, convo.Merge{Workspace: r.ref.Workspace, Primary: primary,
		Secondary: secondary, By: ana})
	return err
}

// with is the same racer for a second contact.
func (r *racer) with(contact string) *racer {
	o := *r
	o.ref, o.written = convo.ToContact(r.ref.Workspace, contact), nil
	return &o
}

func (r *racer) both(f func(*racer) error) error { return errors.Join(f(r), f(r.with(r.other))) }

var pairs = []pair{
	{
		name: "open and open",
		even: (*racer).open,
		odd:  (*racer).receive,
	},
	{
		name: "receive and merge",
		prepare: func(r *racer) error {
			return r.both(func(r *racer) error { return errors.Join(r.open(), r.close()) })
		},
		even: func(r *racer) error { return r.merge(r.ref.Contact, r.other) },
		odd: func(r *racer) error {
			err := r.receive()
			o := r.with(r.other)
			err = errors.Join(err, o.receive())
			r.written = append(r.written, o.written...)
			return err
		},
	},
	{
		name:    "merge and opposite merge",
		prepare: func(r *racer) error { return r.both((*racer).open) },
		even:    func(r *racer) error { return r.merge(r.ref.Contact, r.other) },
		odd:     func(r *racer) error { return r.merge(r.other, r.ref.Contact) },
		notNow:  "primary", // was merged into the secondary
	},
	{
		name:    "close and receive",
		prepare: (*racer).open,
		even:    (*racer).close,
		odd:     (*racer).receive,
		may:     []error{convo.ErrNotActive},
	},
	{
		name:    "reopen and open",
		prepare: func(r *racer) error { return errors.Join(r.open(), r.close()) },
		even: func(r *racer) error {
			return r.do(convo.Reopen{By: ana},
				convo.Send{By: ana, Body: "Again"})
		},
		odd: (*racer).open,
	},
}

// legitimate reports whether a call of p may fail so.
func (p *pair) legitimate(err error) bool {
	var v *convo.ValidationError
	return err == nil || slices.ContainsFunc(p.may,
		func(m error) bool { return errors.Is(err, m) }) ||
		p.notNow != "" && errors.As(err, &v) && v.Field == p.notNow
}

// run has the racers of n contacts race. It returns the messages that were acknowledged, and the
// errors.
func (p *pair) run(ctx context.Context, engines []*convo.Engine, workspace string,
	n int) (written []string, errs []error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for i := range n {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			contact := fmt.Sprint("contact ", i)
			w, e := p.race(racer{ctx: ctx, ref: convo.ToContact(workspace, contact),
				other: contact + " too"}, engines)
			mu.Lock()
			defer mu.Unlock()
			written, errs = append(written, w...), append(errs, e...)
		})
	}
	all.Wait()
	return written, errs
}

func (p *pair) race(of racer, engines []*convo.Engine) (written []string, errs []error) {
	of.engine = engines[0]
	if p.prepare != nil {
		if err := p.prepare(&of); err != nil {
			return nil, []error{err}
		}
	}
	var rs [racers]racer
	errs = make([]error, racers)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range rs {
		rs[i] = of
		rs[i].n, rs[i].engine = i, engines[i/2%len(engines)]
		call := []func(*racer) error{p.even, p.odd}[i%2]
		done.Go(func() {
			<-start
			errs[i] = call(&rs[i])
		})
	}
	close(start)
	done.Wait()
	for i := range rs {
		written = append(written, rs[i].written...)
	}
	return written, errs
}

// processes are two stores on one database, as two processes have them.
func processes(t *testing.T, e testdb.Engine, level string) (dbs []*sql.DB,
	stores []*sqlstore.Store) {
	t.Helper()
	here := testdb.Create(t, e, level)
	for _, d := range []testdb.Database{here, here.With(elsewhere[e.Server()]...)} {
		db := d.Open(t)
		db.SetMaxOpenConns(12) // fewer than racers
		dbs, stores = append(dbs, db), append(stores, migrated(t, db, e))
	}
	return dbs, stores
}

func enginesOn(t *testing.T, stores ...*sqlstore.Store) (es []*convo.Engine) {
	t.Helper()
	for _, s := range stores {
		e, err := convo.New(s)
		require.NoError(t, err)
		es = append(es, e)
	}
	return es
}

// receivedIn are the bodies of the messages that contacts of a workspace wrote, as the table has
// them.
func receivedIn(t *testing.T, db *sql.DB, workspace string) (bodies []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(),
		"SELECT body FROM convo_events WHERE workspace = "+
			"'"+workspace+"' AND kind = 'message_received'")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var body string
		require.NoError(t, rows.Scan(&body))
		bodies = append(bodies, body)
	}
	require.NoError(t, rows.Err())
	slices.Sort(bodies)
	return bodies
}

// eachRace runs f for each engine, level and pair; all pairs of one level share the database.
func eachRace(t *testing.T, f func(t *testing.T, p *pair, dbs []*sql.DB, stores []*sqlstore.Store),
	prepare ...func(*testing.T, testdb.Engine, *sql.DB)) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		for _, level := range levels[e.Server()] {
			_, name, _ := strings.Cut(level, "=")
			t.Run(name, func(t *testing.T) {
				dbs, stores := processes(t, e, level)
				for _, p := range prepare {
					p(t, e, dbs[0])
				}
				for _, p := range pairs {
					t.Run(p.name, func(t *testing.T) { f(t, &p, dbs, stores) })
				}
			})
		}
	})
}

func TestRacesLeaveNothingBrokenOnAnyEngineAtAnyLevel(t *testing.T) {
	eachRace(t, func(t *testing.T, p *pair, dbs []*sql.DB, stores []*sqlstore.Store) {
		written, errs := p.run(t.Context(), enginesOn(t, stores...), p.name, contacts)
		for _, err := range errs {
			assert.True(t, p.legitimate(err), "%v", err)
		}
		slices.Sort(written)
		assert.Equal(t, written, receivedIn(t, dbs[0], p.name), "a message was lost or doubled")
		assert.Empty(t, storetest.CheckInvariants(t.Context(), stores[0], p.name))
	})
}

// The same races must find something when there is nothing to guard against it: else the matrix
// would prove nothing.
func TestRacesBreakAStoreWithoutItsGuards(t *testing.T) {
	eachRace(t, func(t *testing.T, p *pair, dbs []*sql.DB, stores []*sqlstore.Store) {
		var engines []*convo.Engine
		for _, s := range stores {
			// nor can it hold others off
			e, err := convo.New(struct{ convo.Store }{hook.Unguarded(s).(convo.Store)})
			require.NoError(t, err)
			engines = append(engines, e)
		}
		var violations []error
		// as good as always the first one finds some
		for round := 0; round < 10 && len(violations) == 0; round++ {
			workspace := fmt.Sprint(p.name, " ", round)
			written, _ := p.run(t.Context(), engines, workspace, unguarded)
			violations = storetest.CheckInvariants(t.Context(), stores[0], workspace)
			t.Logf("%d violations of invariants in %d contacts; of %d messages %d are there",
				len(violations), unguarded, len(written), len(receivedIn(t, dbs[0], workspace)))
		}
		assert.NotEmpty(t, violations)
	}, dropSlot)
}

// dropSlot has the index that keeps the active conversation of a contact single allow more of them.
// It stays, or MariaDB would hold all rows for what looks for some, and so guard against races.
func dropSlot(t *testing.T, e testdb.Engine, db *sql.DB) {
	drop := "DROP INDEX convo_active_slot"
	if e.Server() == testdb.MariaDB {
		drop += " ON convo_active"
	}
	for _, statement := range []string{
		drop, "CREATE INDEX convo_active_slot ON convo_active (workspace, contact, lane)",
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}
