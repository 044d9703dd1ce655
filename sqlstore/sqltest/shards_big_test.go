package sqlstore_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/shardstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// fullMove is how many conversations a workspace has at least whose writers must not be stopped for
// longer than longestStop.
const (
	fullMove    = 100_000
	longestStop = time.Second
)

// A workspace is moved while it is in use, by a Move that dies in each step and goes on: nothing is
// lost or doubled. It has as many conversations as CONVO_TEST_MOVED says: scripts/nightly says
// 100,000.
func TestAWorkspaceOfAnySizeIsMovedWhileItIsInUse(t *testing.T) {
	conversations := 300
	if text := os.Getenv("CONVO_TEST_MOVED"); text != "" {
		var err error
		conversations, err = strconv.Atoi(text)
		require.NoError(t, err, "CONVO_TEST_MOVED")
	}
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		const lease = 300 * time.Millisecond
		m := newMoving(t, e, e)
		m.filled(conversations)
		before := time.Now()
		log := checksum(t, m.dbs[0], e, before)
		rows := rowsOf(t, m.dbs[0], e, "acme")
		t.Logf("filled: %v", rows)

		u := m.use(lease, conversations)
		move := func(dyingOf string) shardstore.Moved {
			m.killOn.Store(dyingOf)
			began := time.Now()
			moved, err := m.process(lease).Move(t.Context(), "acme", "shard-1", nil)
			m.killOn.Store("")
			m.dead.Store(false)
			if dyingOf == "" {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, errKilled)
			}
			t.Logf("%q: at %v after %s: %d rows, stopped for %s", dyingOf, m.r.place("acme"),
				time.Since(began), moved.Rows, moved.Stopped)
			return moved
		}
		var stopped time.Duration
		for _, dies := range []struct {
			of string
			in shardstore.Step
		}{
			{"after Replace", shardstore.StepCopy}, {"after Copy", shardstore.StepCopy},
			{"before Replace", shardstore.StepCopy}, {"after Replace", shardstore.StepStop},
			{"before Remove", shardstore.StepClear},
		} {
			stopped = max(stopped, move(dies.of).Stopped)
			require.Equal(t, dies.in, m.r.place("acme").Step)
		}
		move("")
		t.Logf("%s, %d conversations: writers were stopped for %s", e, conversations, stopped)
		if conversations >= fullMove {
			assert.LessOrEqual(t, stopped, longestStop)
		}
		u.end()
		t.Logf("%d calls meanwhile", len(u.acks))
		assert.Equal(t, log, checksum(t, m.dbs[1], e, before), "what was said before")
		assert.Empty(t, rowsOf(t, m.dbs[0], e, "acme"))
		there := received(t, m.dbs[1])
		for id := range u.acks {
			assert.Equal(t, 1, there[id], "%s is there once", id)
		}
		for id, n := range there {
			assert.Equal(t, 1, n, "%s is there once", id)
		}
		assert.Empty(t, storetest.CheckInvariants(t.Context(), m.process(lease), "acme"))
	})
}

// filled has acme have finished conversations, each of another contact, one in twenty of which has
// an active one, too. Half of them have receipts. All are in the rollups.
func (m *moving) filled(conversations int) {
	t, ctx := m.t, m.t.Context()
	e, err := convo.New(m.stores[0])
	require.NoError(t, err)
	began := time.Now().Add(-48 * time.Hour)
	of := func(i int) convo.Ref {
		to := convo.ToContact("acme", fmt.Sprint("contact ", i))
		to.Address = convo.Address{Channel: "mail", Value: fmt.Sprint("c", i, "@example.com")}
		return to
	}
	var histories iter.Seq2[convo.History, error] = func(
		yield func(convo.History, error) bool,
	) {
		for i := range conversations {
			at := func(minutes int) time.Time {
				return began.Add(time.Duration(i)*time.Millisecond +
					time.Duration(minutes)*time.Minute)
			}
			h := convo.History{Key: fmt.Sprint("history ", i), To: of(i), Commands: []convo.Command{
				convo.Receive{
					At: at(0), Channel: "mail", ExternalID: fmt.Sprint("in ", i), Body: "hello",
				},
				convo.Assign{By: ana, At: at(1), Assignee: "ana", Team: "red"},
				convo.Label{By: ana, At: at(2), Add: []string{"imported"}},
				convo.Send{
					By: ana, At: at(3), Channel: "mail", ExternalID: fmt.Sprint("out ", i),
					Body: "hi",
				},
				convo.Close{By: ana, At: at(4), Category: "sales", Summary: "done"},
			}}
			if !yield(h, nil) {
				return
			}
		}
	}
	_, err = e.Import(ctx, "acme", histories, nil)
	require.NoError(t, err)
	var receipts []convo.Delivery
	for i := range conversations {
		if i%2 == 0 {
			receipts = append(receipts, convo.Delivery{
				Channel: "mail", ExternalID: fmt.Sprint("out ", i), Status: convo.DeliverySent,
				At: began,
			})
		}
		if len(receipts) == convo.MaxDeliveries || i == conversations-1 && len(receipts) > 0 {
			_, err := e.Deliver(ctx, "acme", receipts...)
			require.NoError(t, err)
			receipts = receipts[:0]
		}
		if i%20 == 0 {
			_, err := e.Do(ctx, of(i), convo.Receive{Channel: "mail", Body: "again"})
			require.NoError(t, err)
		}
	}
	for more := true; more; {
		_, more, err = m.stores[0].Rollup(ctx, 0)
		require.NoError(t, err)
	}
}

// inUse is who works with a workspace.
type inUse struct {
	done chan struct{}
	all  sync.WaitGroup
	mu   sync.Mutex
	acks map[string]bool // external ids of messages
}

func (u *inUse) end() {
	close(u.done)
	u.all.Wait()
}

// use has two processes work with acme, with 50 calls a second together, a relay and rollups.
func (m *moving) use(lease time.Duration, contacts int) *inUse {
	const writers, pause = 10, 200 * time.Millisecond
	t := m.t
	u := &inUse{done: make(chan struct{}), acks: map[string]bool{}}
	every := func(d time.Duration, f func(n int) bool) {
		u.all.Go(func() {
			tick := time.NewTicker(d)
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-u.done:
					return
				case <-tick.C:
				}
				if !f(n) {
					return
				}
			}
		})
	}
	passes := func(err error) bool {
		return err == nil || errors.Is(err, context.DeadlineExceeded) ||
			errors.Is(err, convo.ErrCommitUnknown) || errors.Is(err, convo.ErrConflict) ||
			errors.Is(err, shardstore.ErrMoving) ||
			strings.Contains(err.Error(), "longer than the lease") // what a driver makes of that
	}
	for process := range 2 {
		s := m.process(lease)
		engine, err := convo.New(s)
		require.NoError(t, err)
		got := &gathered{by: map[relay.Stream][]uuid.UUID{}, ids: map[uuid.UUID]bool{}}
		r, err := relay.New(s, relay.To("crm", got))
		require.NoError(t, err)
		every(50*time.Millisecond, func(int) bool {
			_, err := r.Once(t.Context())
			return assert.True(t, passes(err), "%v", err)
		})
		every(500*time.Millisecond, func(int) bool {
			_, _, err := s.Rollup(t.Context(), 0)
			return assert.True(t, passes(err), "%v", err)
		})
		for w := range writers / 2 {
			every(pause, func(n int) bool {
				id := fmt.Sprint(process, " ", w, " ", n)
				contact := (n*7919 + w*104729 + process*31) % contacts
				to := convo.ToContact("acme", fmt.Sprint("contact ", contact))
				cmds := []convo.Command{
					convo.Receive{Channel: "mail", ExternalID: id, Body: id},
				}
				if n%3 == 0 {
					cmds = append(cmds, convo.Close{By: ana, Category: "sales", Summary: id})
				}
				_, err := engine.Do(t.Context(), to, cmds...)
				for tries := 0; err != nil && passes(err) && tries < 100; tries++ {
					_, err = engine.Do(t.Context(), to, cmds...)
				}
				if !assert.NoError(t, err) {
					return false
				}
				u.mu.Lock()
				u.acks[id] = true
				u.mu.Unlock()
				if n%4 == 0 {
					_, err = engine.Deliver(t.Context(), "acme", convo.Delivery{
						Channel: "mail", ExternalID: fmt.Sprint("out ", contact),
						Status: convo.DeliveryRead, At: time.Now(),
					})
				}
				return assert.True(t, passes(err), "%v", err)
			})
		}
	}
	return u
}

// checksum is that of what was said before a time.
func checksum(t *testing.T, db *sql.DB, e testdb.Engine, before time.Time) string {
	place := "?"
	if e == testdb.PostgreSQL {
		place = "$1"
	}
	rows, err := db.QueryContext(t.Context(), "SELECT conversation, seq, id, kind, at, contact, "+
		"external_id, body, summary FROM convo_events WHERE workspace = 'acme' AND at < "+place+
		" ORDER BY conversation, seq", before.UnixMicro())
	require.NoError(t, err)
	defer rows.Close()
	h, n := sha256.New(), 0
	values := make([]sql.RawBytes, 9)
	dests := make([]any, len(values))
	for i := range values {
		dests[i] = &values[i]
	}
	for ; rows.Next(); n++ {
		require.NoError(t, rows.Scan(dests...))
		for _, v := range values {
			fmt.Fprintf(h, "%d:%s", len(v), v)
		}
	}
	require.NoError(t, rows.Err())
	return fmt.Sprintf("%d events: %x", n, h.Sum(nil))
}

// received is how often each external id is there, of what contacts have said.
func received(t *testing.T, db *sql.DB) map[string]int {
	rows, err := db.QueryContext(t.Context(), "SELECT external_id FROM convo_events "+
		"WHERE workspace = 'acme' AND kind = 'message_received' AND external_id IS NOT NULL")
	require.NoError(t, err)
	defer rows.Close()
	all := map[string]int{}
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		all[id]++
	}
	require.NoError(t, rows.Err())
	return all
}
