package sqlstore_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// thereAndBack are changes that happen while a pass goes over all rows, and what happens after it:
// most are as they were then, but for their logs.
var thereAndBack = []struct {
	name        string
	there, back func(m *moving, e *convo.Engine, n int)
}{
	{"a customer waits, and is answered", func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 100", convo.Receive{Channel: "mail", Body: "there?"})
	}, func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 100", convo.Send{By: ana, Channel: "mail", Body: "yes"})
	}},
	{"somebody new is answered, and closed", func(m *moving, e *convo.Engine, n int) {
		m.do(e, fmt.Sprint("new ", n), convo.Receive{Channel: "mail", Body: "there?"},
			convo.Label{By: ana, Add: []string{"new"}})
	}, func(m *moving, e *convo.Engine, n int) {
		m.do(e, fmt.Sprint("new ", n), convo.Send{By: ana, Channel: "mail", Body: "yes"},
			convo.Close{By: ana, Summary: "x"})
	}},
	{"a label comes and goes", func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 101", convo.Label{By: ana, Add: []string{"late"}})
	}, func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 101", convo.Label{By: ana, Remove: []string{"late"}})
	}},
	{"a priority is set and reset", func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 102", convo.Prioritize{By: ana, Priority: convo.PriorityUrgent})
	}, func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 102", convo.Prioritize{By: ana})
	}},
	{"one is closed, and reopened", func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 103", convo.Close{By: ana, Summary: "x"})
	}, func(m *moving, e *convo.Engine, _ int) {
		m.do(e, "c 103", convo.Reopen{By: ana})
	}},
	{"whom others were merged into is merged", func(m *moving, e *convo.Engine, n int) {
		m.merge(e, m.late(n), m.middle(n))
	}, func(*moving, *convo.Engine, int) {}},
	{"whom others were merged into is merged behind it", func(*moving, *convo.Engine, int) {},
		func(m *moving, e *convo.Engine, n int) { m.merge(e, m.late(n), m.middle(n)) }},
	{"a message gets the id of its echo behind it", func(*moving, *convo.Engine, int) {},
		func(m *moving, e *convo.Engine, n int) {
			m.do(e, m.early(n), convo.Identify{
				By: ana, Message: m.said[n], Channel: "mail", ExternalID: fmt.Sprint("echo ", n),
			})
		}},
}

// alone is how many of them, the last ones, are tried each alone: what the others change may have
// the rest be looked at, too.
const alone = 3

// In the order of their ids, the rows of these contacts are on several pages.
func (m *moving) early(n int) string  { return fmt.Sprintf("c %03d", n) }
func (m *moving) middle(n int) string { return fmt.Sprintf("c %03d", 510+n) }
func (m *moving) late(n int) string   { return fmt.Sprintf("c %03d", 575+n) }

func (m *moving) merge(e *convo.Engine, primary, secondary string) {
	_, err := e.Merge(m.t.Context(), convo.Merge{
		Workspace: "acme", Primary: primary, Secondary: secondary, By: ana,
	})
	require.NoError(m.t, err)
}

// What changes between any two reads of a pass over all rows, and is changed again behind it, is as
// it is in the copy: no pass believes what was so for a while.
func TestWhatChangesWithinAPassIsFoundAgain(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		m := newMoving(t, e)
		d, r := testdb.Create(t, e), &recorder{}
		m.dbs = append(m.dbs, d.Open(t))
		with(t, sqlstore.Config{DB: m.dbs[1], Dialect: dialects[e], Feed: true})
		to, err := sqlstore.Config{
			DB: r.open(t, d), Dialect: dialects[e], Feed: true,
		}.Open(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, to.Close()) })
		engine, err := convo.New(m.stores[0], convo.WithPolicy(convo.Policy{
			Merge: convo.MergeTransfer, Receive: convo.OnClosed{Mode: convo.OnClosedReopen},
		}))
		require.NoError(t, err)
		for i := range 640 { // more than a page
			m.do(engine, fmt.Sprintf("c %03d", i), convo.Receive{Channel: "mail", Body: "hi"},
				convo.Send{By: ana, Channel: "mail", Body: "hi", ExternalID: fmt.Sprint("out ", i)})
			if i < 60 {
				r := m.do(engine, m.early(i), convo.Send{By: ana, Channel: "mail", Body: "hi"})
				m.said = append(m.said, r.Events[0].ID)
				m.do(engine, m.early(i), convo.Send{
					By: ana, Channel: "mail", Body: "hi", ExternalID: fmt.Sprint("echo ", i),
				})
			}
		}
		step := 1
		if e != testdb.SQLite {
			step = 3
		}
		for n := 0; ; n++ {
			at, turn := 1+n*step, n%(1+alone)
			changes := thereAndBack[:len(thereAndBack)-alone]
			if turn < alone {
				changes = thereAndBack[len(changes)+turn:][:1]
			}
			m.merge(engine, m.middle(n), m.early(n))
			pass, err := m.stores[0].CopyWorkspace(to, "acme")
			require.NoError(t, err)
			_, err = pass(t.Context(), false)
			require.NoError(t, err)

			pass, err = m.stores[0].CopyWorkspace(to, "acme")
			require.NoError(t, err)
			var reads atomic.Int64
			r.before = func(text string) {
				if strings.HasPrefix(text, "SELECT") && reads.Add(1) == int64(at) {
					for _, of := range changes {
						of.there(m, engine, n)
					}
				}
			}
			_, err = pass(t.Context(), false)
			r.before = nil
			require.NoError(t, err)
			if reads.Load() < int64(at) {
				require.Greater(t, n, 5, "a pass has more reads")
				break
			}
			for _, of := range changes {
				of.back(m, engine, n)
			}
			_, err = pass(t.Context(), true)
			require.NoError(t, err)
			now, there := allRowsOf(t, m.dbs[0]), allRowsOf(t, m.dbs[1])
			for _, table := range tablesOf {
				assert.Equal(t, now[table], there[table], "before read %d: %s", at, table)
			}
			if t.Failed() {
				return
			}
		}
		assert.Empty(t, storetest.CheckInvariants(t.Context(), to, "acme"))
	})
}

// A commit may come late, though nobody writes any more: whoever made it is told that it may have
// been carried out. Its message is copied with its key, or neither is: with the key alone, the
// message would be a duplicate for ever, and nowhere.
func TestACommitThatComesLateIsCopiedWholeOrNotAtAll(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		m := newMoving(t, e)
		d, r := testdb.Create(t, e), &recorder{}
		late := with(t, sqlstore.Config{DB: d.Open(t), Dialect: dialects[e], Feed: true})
		db := r.open(t, d)
		from := with(t, sqlstore.Config{DB: db, Dialect: dialects[e], Feed: true})
		engine, err := convo.New(late)
		require.NoError(t, err)
		says := func(id string) {
			m.do(engine, "ann", convo.Receive{Channel: "mail", ExternalID: id, Body: id})
		}
		says("first")
		pass, err := from.CopyWorkspace(m.stores[0], "acme")
		require.NoError(t, err)
		for range 2 {
			_, err = pass(t.Context(), false)
			require.NoError(t, err)
		}
		says("second")
		var once sync.Once
		r.before = func(text string) {
			if strings.Contains(text, "sum(version)") && strings.Contains(text, "convo_contacts") {
				once.Do(func() {
					for db.Stats().InUse > 1 { // what is read ahead
						runtime.Gosched()
					}
					says("late")
				})
			}
		}
		_, err = pass(t.Context(), true)
		require.NoError(t, err)
		once.Do(func() { t.Error("it did not come") })
		there := allRowsOf(t, m.dbs[0])
		for _, table := range []string{"events", "keys"} {
			rows := strings.Join(there[table], "\n")
			assert.Contains(t, rows, "second", table)
			assert.NotContains(t, rows, "late", table)
		}
	})
}
