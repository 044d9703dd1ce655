package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// dueCases are about what many runners of Tick ask for. Those of LockDue are for stores that are a
// convo.DueLocker; others pass them.
var dueCases = []testCase{
	{
		"Due/goes on behind a conversation, whatever else is due at the same time",
		"Due returns the conversations behind q.After by DueAt, workspace and id",
		duePages,
	},
	{
		"Due/leaves out scopes, and says of which each is",
		"Due leaves out those whose workspace, lane and channel are all those of one of q.Except",
		dueExcept,
	},
	{
		"LockDue/gives what Load loads of those that are due",
		"LockDue gives the snapshots of those whose DueAt is not zero and not after before",
		lockDueLoads,
	},
	{
		"LockDue/writes what f commits, in several workspaces",
		"what f commits takes effect when it returns nil",
		lockDueWrites,
	},
	{
		"LockDue/writes nothing when f fails, or when one of its changes is refused",
		"when f fails, nothing takes effect, and LockDue returns its error",
		lockDueFails,
	},
	{
		"LockDue/leaves out what another one holds, and does not wait for it",
		"LockDue does not wait, and gives no conversation that another LockDue holds",
		lockDueShares,
	},
	{
		"Commit/changes many conversations at once",
		"Commit writes all changes, or nothing and says why",
		commitsManyUpdates,
	},
}

// waiting has contacts wait, until as many seconds from now as untils say, each in the next of
// three workspaces.
func (s *suite) waiting(untils ...int) (due []convo.DueConversation) {
	for i, seconds := range untils {
		until := s.clock.Now().Add(time.Duration(seconds) * time.Second)
		workspace := fmt.Sprint("workspace ", i%3)
		s.wrote(workspace)
		r := s.do(convo.ToContact(workspace, fmt.Sprint("contact ", i)),
			convo.Receive{Channel: "sms", Body: "hi"},
			convo.SetPending{By: ana, Until: until})
		due = append(due, convo.DueConversation{
			Ref: convo.ToConversation(workspace, r.Conversation.ID), DueAt: until, Channel: "sms",
		})
	}
	return due
}

func refsOf(due []convo.DueConversation) (refs []convo.Ref) {
	for _, d := range due {
		refs = append(refs, d.Ref)
	}
	return refs
}

func duePages(s *suite) {
	want := s.waiting(3, 1, 2, 2, 1, 2, 2, 2, 3, 2, 1, 2, 2)
	slices.SortFunc(want, func(a, b convo.DueConversation) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Ref.Workspace, b.Ref.Workspace),
			bytes.Compare(a.Ref.Conversation[:], b.Ref.Conversation[:]))
	})
	for limit := 1; limit <= len(want)+1; limit++ {
		q := convo.DueQuery{Before: farAway, Limit: limit}
		var got []convo.DueConversation
		for full := true; full && len(got) <= len(want); {
			page, err := s.store.Due(s.ctx, q)
			s.NoError(err)
			s.LessOrEqual(len(page), limit)
			if full = len(page) == limit; full {
				q.After = page[limit-1]
			}
			got = append(got, page...)
		}
		s.Equal(want, got, "pages of %d", limit)
	}
	// From a time on, as of a conversation that is not there.
	page, err := s.store.Due(s.ctx, convo.DueQuery{
		Before: farAway, After: convo.DueConversation{DueAt: want[12].DueAt}, Limit: 100,
	})
	s.NoError(err)
	s.Equal(want[11:], page)
}

func dueExcept(s *suite) {
	var want []convo.DueConversation
	for i, of := range []convo.Scope{
		{Workspace: acme}, {Workspace: acme, Lane: "sales"}, {Workspace: acme, Channel: "sms"},
		{Workspace: acme, Lane: "sales", Channel: "sms"}, {Workspace: "other", Channel: "sms"},
	} {
		s.wrote(of.Workspace)
		to := convo.ToContact(of.Workspace, fmt.Sprint("contact ", i))
		to.Lane = of.Lane
		until := s.clock.Now().Add(time.Duration(i+1) * time.Second)
		r := s.do(to, convo.Receive{Channel: of.Channel, Body: "hi"},
			convo.SetPending{By: ana, Until: until})
		want = append(want, convo.DueConversation{
			Ref: convo.ToConversation(of.Workspace, r.Conversation.ID), DueAt: until,
			Lane: of.Lane, Channel: of.Channel,
		})
	}
	scope := func(d convo.DueConversation) convo.Scope {
		return convo.Scope{Workspace: d.Ref.Workspace, Lane: d.Lane, Channel: d.Channel}
	}
	for without := range 1 << len(want) {
		q := convo.DueQuery{Before: farAway, Limit: 100}
		var rest []convo.DueConversation
		for i, d := range want {
			if without&(1<<i) != 0 {
				q.Except = append(q.Except, scope(d))
			} else {
				rest = append(rest, d)
			}
		}
		got, err := s.store.Due(s.ctx, q)
		s.NoError(err)
		s.Equal(rest, append([]convo.DueConversation(nil), got...), "without %v", q.Except)
	}
}

// locksDue are the snapshots that LockDue gives, by their conversations.
func (s *suite) locksDue(
	l convo.DueLocker, before time.Time, due []convo.Ref,
) (held map[convo.Ref]convo.Snapshot) {
	s.NoError(l.LockDue(s.ctx, before, due,
		func(_ context.Context, all []convo.Snapshot) error {
			s.NotEmpty(all)
			held = map[convo.Ref]convo.Snapshot{}
			for _, t := range all {
				held[convo.ToConversation(t.Conversation.Workspace, t.Conversation.ID)] = t
			}
			s.Len(held, len(all), "each once")
			return nil
		}))
	return held
}

func lockDueLoads(s *suite) {
	l, ok := s.store.(convo.DueLocker)
	if !ok {
		return
	}
	due := s.waiting(1, 2, 3, 4, 5, 6)
	s.do(convo.ToContact("workspace 0", "contact 3"), convo.Close{By: ana})
	s.do(convo.ToContact("workspace 0", "other"), convo.Receive{Channel: "sms", Body: "hi"})
	_, err := s.engine.Merge(s.ctx, convo.Merge{
		Workspace: "workspace 0", Primary: "primary", Secondary: "contact 0", By: ana,
	})
	s.NoError(err)
	refs := append(refsOf(due), convo.ToConversation("workspace 1", due[0].Ref.Conversation),
		convo.ToConversation("workspace 9", uuid.Must(uuid.NewV7())))
	s.Empty(s.locksDue(l, due[0].DueAt.Add(-time.Microsecond), refs))
	want := map[convo.Ref]convo.Snapshot{}
	for _, d := range due {
		t := s.load(d.Ref)
		if at := t.Conversation.DueAt; !at.IsZero() && !at.After(due[4].DueAt) {
			want[d.Ref] = t
		}
	}
	s.Len(want, 3) // without those that were closed, one by the merge, and the last one
	s.Equal(want, s.locksDue(l, due[4].DueAt, refs))
	cancelled, cancel := context.WithCancel(s.ctx)
	cancel()
	s.Error(l.LockDue(cancelled, farAway, refs,
		func(context.Context, []convo.Snapshot) error { return nil }))
}

// resume is what is due on each of held.
func (s *suite) resume(held []convo.Snapshot) (changes []convo.Change) {
	for _, t := range held {
		changes = append(changes, s.decideOn(t, convo.Resume{By: convo.BySystem()}))
	}
	return changes
}

func lockDueWrites(s *suite) {
	l, ok := s.store.(convo.DueLocker)
	if !ok {
		return
	}
	refs := refsOf(s.waiting(1, 1, 1, 1, 1, 1, 1))
	s.clock.add(time.Minute)
	for _, some := range [][]convo.Ref{refs[:1], refs[1:3], refs[3:]} {
		s.NoError(l.LockDue(s.ctx, farAway, some,
			func(ctx context.Context, held []convo.Snapshot) error {
				s.Len(held, len(some))
				return l.Commit(ctx, s.resume(held)...)
			}))
		for _, to := range some {
			s.Equal(convo.StatusOpen, s.load(to).Conversation.Status)
		}
	}
	s.Empty(s.locksDue(l, farAway, refs))
}

func lockDueFails(s *suite) {
	l, ok := s.store.(convo.DueLocker)
	if !ok {
		return
	}
	refs := refsOf(s.waiting(1, 1, 1, 1, 1, 1, 1))
	s.clock.add(time.Minute)
	for _, some := range [][]convo.Ref{refs[:3], refs} {
		s.unchanged(func() {
			s.ErrorIs(l.LockDue(s.ctx, farAway, some,
				func(context.Context, []convo.Snapshot) error { return errWanted }), errWanted)
		})
		for stale := range some {
			s.unchanged(func() {
				s.ErrorIs(l.LockDue(s.ctx, farAway, some,
					func(ctx context.Context, held []convo.Snapshot) error {
						changes := s.resume(held)
						changes[stale].Conversation.Expected--
						return l.Commit(ctx, changes...)
					}), convo.ErrConflict)
			})
		}
	}
	s.Len(s.locksDue(l, farAway, refs), len(refs), "they are free again")
}

func lockDueShares(s *suite) {
	l, ok := s.store.(convo.DueLocker)
	if !ok {
		return
	}
	if locker, ok := s.store.(convo.Locker); ok && locker.LockFirst() {
		return // all who write wait for each other
	}
	refs := refsOf(s.waiting(1, 1, 1, 1, 1))
	lane := convo.ToContact("workspace 1", "contact 1")
	lane.Lane = "sales"
	s.NoError(l.LockDue(s.ctx, farAway, refs[1:3],
		func(ctx context.Context, held []convo.Snapshot) error {
			s.Len(held, 2)
			// Nor does a command for another conversation wait, whoever's that is.
			s.do(convo.ToContact("workspace 1", "contact 4"), convo.Receive{Body: "hi"})
			s.do(convo.ToContact("workspace 1", "new"), convo.Receive{Body: "hi"})
			s.do(lane, convo.Receive{Body: "hi"})
			s.do(lane, convo.Close{By: ana})
			others := s.locksDue(l, farAway, refs)
			s.Len(others, 3)
			for _, t := range held {
				s.NotContains(others, t.Ref)
			}
			s.Empty(s.locksDue(l, farAway, refs[1:3]))
			return nil
		}))
	s.Len(s.locksDue(l, farAway, refs), len(refs))
}

func commitsManyUpdates(s *suite) {
	const each = 3
	acts := [][]convo.Command{
		{convo.Close{By: ana, Category: "Sales", Summary: "done"}},
		{convo.SetPending{By: ana, Until: s.clock.Now().Add(time.Hour)}},
		{convo.Assign{By: ana, Assignee: "ben", Team: "red"}},
		{convo.Send{By: ana, Body: "hello"}},
		{convo.SetPending{By: ana}, convo.Resume{By: ana}},
		{convo.Assign{By: ana, Assignee: "ben"}, convo.Close{By: ana, Summary: "\"ä\\\n😀"}},
	}
	var changes []convo.Change
	var want []convo.Conversation
	for i := range each * len(acts) {
		who := to(fmt.Sprint("contact ", i))
		s.do(who, convo.Receive{Channel: "sms", Body: "hi"})
		ch := s.decide(who, acts[i%len(acts)]...)
		changes = append(changes, ch)
		want = append(want, ch.Conversation.Conversation)
	}
	for _, i := range []int{0, 7, 17} {
		was := changes[i].Conversation.Expected
		changes[i].Conversation.Expected--
		s.refuses(changes, convo.ErrConflict)
		changes[i].Conversation.Expected = was
	}
	s.commit(changes...)
	for i, c := range want {
		s.Equal(c, s.load(convo.ToConversation(acme, c.ID)).Conversation)
		log := s.events(convo.EventFilter{Workspace: acme, Conversation: c.ID})
		s.Equal(changes[i].Events, log[2:])
	}
	s.refuses(changes, convo.ErrConflict)
	// What else a commit may do with several.
	for _, cmd := range []convo.Command{
		convo.AmendClosing{By: ana, Category: "Support", Summary: "amended"},
		convo.Reopen{By: ana},
		convo.Label{By: ana, Add: []string{"vip", "late"}},
		convo.Move{By: ana, Lane: new("sales")},
	} {
		changes, want = nil, nil
		for i := range each * len(acts) {
			if i%len(acts) != 0 && i%len(acts) != 5 { // which were closed
				continue
			}
			t := s.load(to(fmt.Sprint("contact ", i)))
			t.Target.Contact = t.Contact // for the Move
			ch := s.decideOn(t, cmd)
			changes, want = append(changes, ch), append(want, ch.Conversation.Conversation)
		}
		s.commit(changes...)
		for _, c := range want {
			s.Equal(c, s.load(convo.ToConversation(acme, c.ID)).Conversation)
		}
	}
}
