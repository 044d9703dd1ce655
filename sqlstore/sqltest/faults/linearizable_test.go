package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Whatever a connection is cut in the middle of: all that clients are told can be explained by
// their operations having been carried out one after the other, each once, at a moment between call
// and answer. An operation whose outcome is unknown may have been carried out or not; an error of
// another kind means that it was not.
func TestWhatClientsAreToldStaysTrueWhenConnectionsAreCut(t *testing.T) {
	eachServer(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Create(t, e)
		direct := migrated(t, db.Open(t), e)
		c := clients{operations: scaled(t, 3000)}
		c.runThrough(t, e, db, func(s *sqlstore.Store) convo.Store { return s })
		require.Equal(t, porcupine.Ok, c.verdict(t, direct))
		sound(t, direct)
	})
}

// The same check must tell when a promise is broken, or it proves nothing.
func TestTheCheckNoticesWhoTakesDoubtForAnAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wrong func(*clients)
		store func(*sqlstore.Store) convo.Store
	}{
		{"a client repeats without a key what it has no answer to",
			func(c *clients) { c.repeatAll = true },
			func(s *sqlstore.Store) convo.Store { return s }},
		{"a store says that what it does not know was written",
			func(*clients) {}, func(s *sqlstore.Store) convo.Store { return careless{s, nil} }},
		{"a store says that what it does not know was not written",
			func(*clients) {}, func(s *sqlstore.Store) convo.Store {
				return careless{s,
					errors.New("not written")}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, e testdb.Engine) {
				db := testdb.Create(t, e)
				direct := migrated(t, db.Open(t), e)
				// luck is needed: that somebody looks in between, or that a request comes late
				for try := 0; ; try++ {
					c := clients{operations: 500, prefix: fmt.Sprint(try, " "), often: sendOnce}
					tt.wrong(&c)
					c.runThrough(t, e, db, tt.store)
					if c.verdict(t, direct) == porcupine.Illegal {
						return
					}
					require.Less(t, try, 30, "nothing was noticed")
				}
			})
		})
	}
}

func eachServer(t *testing.T, f func(t *testing.T, e testdb.Engine)) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("has no connections to cut")
		}
		f(t, e)
	})
}

// careless turns the doubt about a commit into err.
type careless struct {
	*sqlstore.Store
	err error
}

func (s careless) Commit(ctx context.Context, changes ...convo.Change) error {
	return s.decide(s.Store.Commit(ctx, changes...))
}

func (s careless) Locked(
	ctx context.Context, workspace string, f func(context.Context) error,
) error {
	return s.decide(s.Store.Locked(ctx, workspace, f))
}

func (s careless) decide(err error) error {
	if errors.Is(err, convo.ErrCommitUnknown) {
		return s.err
	}
	return err
}

const (
	workers = 8
	// while is how many operations are mostly on the same two contacts: the check is quick on short
	// histories only.
	while = 120
	// patience is how often an operation with a key is repeated.
	patience = 500
)

// clients work on a store through a proxy and write down what they are told.
type clients struct {
	operations int
	prefix     string            // of the contacts
	often      convo.CommandName // instead of half of the other ones
	repeatAll  bool              // until they are acknowledged, also without a key

	t       *testing.T
	engine  *convo.Engine
	begin   time.Time
	next    atomic.Int64
	mu      sync.Mutex
	history []porcupine.Operation
	// How often it was unknown what came of a commit, how often another error said that nothing was
	// written, how often a key was known, and how many operations stayed without an answer.
	doubts, failures, duplicates, ambiguous int
	faults                                  string // that it had
}

// runThrough has the clients work through a proxy, on a store that may be wrong.
func (c *clients) runThrough(t *testing.T, e testdb.Engine, db testdb.Database,
	wrap func(*sqlstore.Store) convo.Store) {
	t.Helper()
	p := startProxy(t, db.Addr)
	p.calm.Store(true)
	pool := db.Via(p.addr()).Open(t)
	pool.SetMaxOpenConns(2 * workers)
	s := opened(t, pool, e)
	p.calm.Store(false)
	c.run(t, wrap(s))
	p.calm.Store(true)
	require.NoError(t, pool.Close())
	p.stop()
	c.faults = p.String()
}

// run has the clients work on s.
func (c *clients) run(t *testing.T, s convo.Store) {
	t.Helper()
	c.t, c.begin = t, time.Now()
	c.engine = engineOn(t, s, convo.WithPolicies(byChannel))
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for {
				n := int(c.next.Add(1))
				if n > c.operations || t.Failed() {
					return
				}
				c.carryOut(i, c.pick(n))
			}
		})
	}
	wg.Wait()
}

// byChannel is the policy of the two kinds of contact: see operation.anew.
func byChannel(_ context.Context, of convo.Scope) (*convo.Policy, error) {
	if of.Channel == "anew" {
		return &convo.Policy{}, nil
	}
	again := convo.OnClosed{Mode: convo.OnClosedReopen}
	return &convo.Policy{Open: again, Receive: again}, nil
}

// pick picks the n-th operation: mostly on a hot contact.
func (c *clients) pick(n int) operation {
	kind := []string{"anew", "again"}[rand.N(2)]
	contact := fmt.Sprintf("%s %s, cold %d", kind, c.prefix, rand.N(c.operations/16))
	if rand.N(10) > 0 {
		contact = fmt.Sprintf("%s %s, hot %d", kind, c.prefix, n/while)
	}
	commands := []convo.CommandName{
		convo.CommandReceive, convo.CommandReceive, convo.CommandSend, convo.CommandNote,
		convo.CommandNote, convo.CommandOpen,
		convo.CommandClose, convo.CommandReopen, sendOnce, readHead, readHistory, readHistory,
	}
	op := operation{contact, commands[rand.N(len(commands))], fmt.Sprint(n)}
	if c.often != "" && !op.reads() && rand.N(2) == 0 {
		op.command = c.often
	}
	if op.command == convo.CommandNote && op.anew() {
		op.command = sendOnce
	}
	return op
}

// carryOut has the engine carry out op, again and again if it has a key, and writes down the
// answer.
func (c *clients) carryOut(client int, op operation) {
	begin := time.Since(c.begin).Nanoseconds()
	note := func(a answer, end int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.history = append(c.history, porcupine.Operation{ClientId: client, Input: op, Call: begin,
			Output: a, Return: end})
	}
	for try := 0; ; try++ {
		a, err := c.ask(op)
		end := time.Since(c.begin).Nanoseconds()
		doubt := errors.Is(err, convo.ErrCommitUnknown)
		c.count(err, doubt)
		switch {
		case err == nil:
			note(a, end)
			return
		case op.reads(): // has changed nothing, and learnt nothing
			return
		case op.hasKey(), c.repeatAll:
		case doubt:
			note(answer{unknown: true}, math.MaxInt64)
			return
		default:
			return
		}
		if !assert.Less(c.t, try, patience, "%v: %v", op, err) {
			return
		}
		time.Sleep(rand.N(20 * time.Millisecond))
	}
}

func (c *clients) count(err error, doubt bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case doubt:
		c.doubts++
	case err != nil:
		c.failures++
	}
}

// ask has the engine carry out op once.
func (c *clients) ask(op operation) (answer, error) {
	ctx, to := context.Background(), convo.ToContact(workspace, op.contact)
	var a answer
	var err error
	switch op.command {
	case readHead:
		var now convo.Conversation
		now, err = c.engine.Active(ctx, to)
		a.version = now.Version
	case readHistory:
		var events []convo.Event
		events, err = c.engine.History(ctx, to, convo.EventCursor{}, convo.MaxPageSize)
		a.history = digestOf(events)
	default:
		var r convo.Result
		r, err = c.engine.Do(ctx, to, commandOf(op))
		a.version = r.Conversation.Version
		if r.Outcome == convo.OutcomeDuplicate {
			a.version = 0
			if n := len(r.Events); n > 0 {
				a.version = r.Events[n-1].Seq
			}
			c.mu.Lock()
			c.duplicates++
			c.mu.Unlock()
		}
	}
	var refused *convo.StateError
	if errors.As(err, &refused) {
		return answer{refused: true}, nil
	}
	return a, err
}

func commandOf(op operation) convo.Command {
	channel := "again"
	if op.anew() {
		channel = "anew"
	}
	switch op.command {
	case convo.CommandReceive:
		return convo.Receive{Channel: channel, ExternalID: op.contact + op.text, Body: op.text}
	case convo.CommandSend:
		return convo.Send{By: ana, Channel: channel, Key: op.contact + op.text, Body: op.text}
	case convo.CommandOpen:
		return convo.Open{By: ana, Channel: channel, Key: op.contact + op.text}
	case sendOnce:
		return convo.Send{By: ana, Channel: channel, Body: op.text}
	case convo.CommandNote:
		return convo.Note{By: ana, Body: op.text}
	case convo.CommandClose:
		return convo.Close{By: ana, Summary: op.text}
	case convo.CommandReopen:
		return convo.Reopen{By: ana}
	}
	panic(op.command)
}

// verdict reads all contacts as they are in the end, and says whether the history can be.
func (c *clients) verdict(t *testing.T, s *sqlstore.Store) porcupine.CheckResult {
	t.Helper()
	c.engine = engineOn(t, s)
	seen := map[string]bool{}
	for _, o := range c.history {
		if contact := o.Input.(operation).contact; !seen[contact] {
			seen[contact] = true
			c.carryOut(0, operation{contact, readHistory, ""})
		}
		if o.Output.(answer).unknown {
			c.ambiguous++
		}
	}
	worked := time.Since(c.begin)
	result := porcupine.CheckOperationsTimeout(model, c.history, time.Minute)
	t.Logf("%d operations on %d contacts in %v; %s; %d doubts, of which %d stayed; %d other "+
		"errors; %d duplicates; %s in %v",
		len(c.history), len(seen), worked.Round(time.Millisecond), c.faults, c.doubts, c.ambiguous,
		c.failures, c.duplicates,
		result, (time.Since(c.begin) - worked).Round(time.Millisecond))
	if result != porcupine.Ok {
		t.Log(explain(c.history))
	}
	return result
}
