// Package convotest gives tests of a host an engine, a clock that only the test moves, and contacts
// whose conversations are in the state that the test is about. It works on any store: in memory, or
// on the database of the test with [OnSQL], also in a transaction of the host's, with [Kit.With].
//
//	k := convotest.New(t, memstore.New())
//	k.Ago(72*time.Hour, func() { k.Closed("ann") })
//	k.Ago(24*time.Hour, func() { k.Reopened("ann") })
//
// It links no library of assertions, which are yours. What is in the store in the end is looked at
// by storetest.CheckInvariants, with [Workspace], or by its CheckPruned where a test has removed
// conversations or keys by their age.
package convotest

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
)

// Workspace is where the contacts of a Kit are.
const Workspace = "test"

// Who does what the fixtures do.
var (
	Agent      = convo.ByUser("agent")
	Automation = convo.ByAutomation("automation")
)

// Start is what the clock of a Kit says at first: a Monday.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// T is what a Kit needs of a *testing.T or *testing.B: who imports this package links no testing.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(f func())
	Fatal(args ...any)
}

// Kit is an engine on a store, with a clock. All that it does fails the test when the engine does.
// It is for one goroutine; its engine and its clock are for any number.
type Kit struct {
	*convo.Engine
	Store convo.Store
	Clock *clock.Mock
	t     T
}

// New makes a Kit on an empty store. Options are those of the engine; a clock is set already.
func New(t T, store convo.Store, options ...convo.Option) *Kit {
	t.Helper()
	k := &Kit{Store: store, Clock: clock.NewMock(), t: t}
	k.Clock.Set(Start)
	var err error
	options = append([]convo.Option{convo.WithClock(k.Clock)}, options...)
	k.Engine, err = convo.New(store, options...)
	must(t, err)
	return k
}

// OnSQL is a store with new tables in the database of c, whose Prefix it sets, so that any number
// of tests share a database. They are dropped when the test ends.
func OnSQL(t T, c sqlstore.Config) *sqlstore.Store {
	t.Helper()
	c.Prefix = "t_" + strings.ToLower(rand.Text())[:12] + "_"
	must(t, c.Migrate(t.Context()))
	t.Cleanup(func() {
		// That of the test has ended. A transaction that it has left open would hold this up.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		must(t, c.MigrateTo(ctx, 0))
		_, err := c.DB.ExecContext(ctx, "DROP TABLE "+c.Prefix+"schema")
		must(t, err)
	})
	s, err := c.Open(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// With is the same on another store with the same rows, such as (*sqlstore.Store).WithTx of the one
// that it has: for tests of what a host does in one transaction. The policies are those that
// [convo.Engine.With] wants there.
func (k *Kit) With(store convo.Store, policy ...*convo.Policy) *Kit {
	return &Kit{k.Engine.With(store, policy...), store, k.Clock, k.t}
}

// Ref is a contact of [Workspace].
func (k *Kit) Ref(contact string) convo.Ref { return convo.ToContact(Workspace, contact) }

// Ago calls f with the clock set back. What a contact did must come in order: the oldest first.
func (k *Kit) Ago(d time.Duration, f func()) {
	now := k.Clock.Now()
	k.Clock.Set(now.Add(-d))
	defer k.Clock.Set(now)
	f()
}

// Pass moves the clock on, and has Tick do what is due by then, however much. It returns of how
// many conversations.
func (k *Kit) Pass(d time.Duration) (done int) {
	k.t.Helper()
	k.Clock.Add(d)
	for {
		n, err := k.Tick(k.t.Context(), 0)
		must(k.t, err)
		if done += n; n == 0 {
			return done
		}
	}
}

// Did has a contact's conversation be as commands leave it.
func (k *Kit) Did(contact string, cmds ...convo.Command) convo.Conversation {
	k.t.Helper()
	r, err := k.Do(k.t.Context(), k.Ref(contact), cmds...)
	must(k.t, err)
	return r.Conversation
}

// Opened is a conversation that the contact has opened by writing.
func (k *Kit) Opened(contact string) convo.Conversation {
	k.t.Helper()
	return k.Did(contact, convo.Receive{Channel: "webchat", Body: "Hello?"})
}

// Answered is one that was opened, and assigned to, and answered by, [Agent].
func (k *Kit) Answered(contact string) convo.Conversation {
	k.t.Helper()
	k.Opened(contact)
	return k.Did(contact, convo.Assign{By: Agent, Assignee: Agent.ID},
		convo.Send{By: Agent, Body: "How can I help you?"})
}

// Pending is one that was answered, and set aside for so long; 0: until somebody resumes it.
func (k *Kit) Pending(contact string, d time.Duration) convo.Conversation {
	k.t.Helper()
	k.Answered(contact)
	set := convo.SetPending{By: Agent}
	if d > 0 {
		set.Until = k.Clock.Now().Add(d)
	}
	return k.Did(contact, set)
}

// Closed is one that was answered, and closed with notes.
func (k *Kit) Closed(contact string) convo.Conversation {
	k.t.Helper()
	k.Answered(contact)
	return k.Did(contact, convo.Close{By: Agent, Category: "Support", Summary: "Solved."})
}

// Reopened is the contact's last conversation, which was closed, open again.
func (k *Kit) Reopened(contact string) convo.Conversation {
	k.t.Helper()
	return k.Did(contact, convo.Reopen{By: Agent})
}

// Merged has a contact that has written merged into another one that has.
func (k *Kit) Merged(primary, secondary string) convo.MergeResult {
	k.t.Helper()
	r, err := k.Merge(k.t.Context(), convo.Merge{Workspace: Workspace, Primary: primary,
		Secondary: secondary, By: Agent})
	must(k.t, err)
	return r
}

func must(t T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
