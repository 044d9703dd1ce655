package storetest

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

func commitCases() []testCase {
	cases := []testCase{
		{
			"Commit/writes nothing at all when it refuses one of several changes",
			"Commit writes the changes all or nothing",
			writesAllOrNothing,
		},
		{
			"Commit/refuses a merge whose primary or secondary changed meanwhile",
			"a merge compares and writes both contacts",
			refusesAStaleMerge,
		},
		{
			"Commit/refuses a merge that would give the primary two active conversations",
			activeRule,
			refusesASecondActiveByMerge,
		},
		{
			"Commit/holds the changes of one commit against each other",
			"a commit of several changes leaves no key or address twice, and one version",
			holdsChangesAgainstEachOther,
		},
		{
			"Commit/takes a key again elsewhere: another channel, a host's key, another workspace",
			"a key is unique in its workspace by channel and id",
			takesOtherKeys,
		},
		{
			"Commit/tells the external ids of different people apart",
			"an external id is unique for the address that its message came by, or for the contact",
			tellsExternalIDsApart,
		},
		{
			"Commit/compares only what it writes",
			"what a change does not write is not compared either",
			comparesOnlyWhatItWrites,
		},
		{
			"Commit/compares a contact without writing it",
			"RowCompared demands a version of a contact, and writes nothing",
			comparesAContactWithoutWritingIt,
		},
		{
			"Commit/keeps every conversation that one call leaves",
			"Commit writes the rows of Earlier and Cycles, and the conversation's",
			keepsPast,
		},
		{
			"Commit/leaves a conversation with the root, whatever was decided on it before a merge",
			"what a merge gave to the primary stays there",
			staysMerged,
		},
		{
			"Commit/writes a timer alone",
			"a conversation is written if only its DueAt changes",
			writesATimerAlone,
		},
		{
			"Commit/writes keys alone",
			"keys are remembered also when nothing else changes",
			writesKeysAlone,
		},
		{
			"Commit/takes a batch of changes of several contacts",
			"Commit takes any number of changes",
			takesABatch,
		},
	}
	for _, f := range faults {
		cases = append(cases, testCase{"Commit/refuses " + f.name, f.rule, func(s *suite) {
			s.refuses([]convo.Change{f.change(s, "x")}, f.want)
		}})
	}
	return cases
}

func writesAllOrNothing(s *suite) {
	for i, f := range faults {
		x := fmt.Sprint("x", i)
		bad := f.change(s, x)
		good := s.decide(
			from("good "+x, "whatsapp", x),
			convo.Receive{ExternalID: "good " + x, Key: "good " + x, Body: "hi"},
		)
		s.unchanged(func() {
			s.refused(s.store.Commit(s.ctx, good, bad), f.want)
			s.refused(s.store.Commit(s.ctx, bad, good), f.want)
		})
		s.Zero(s.load(to("good "+x)).Contact.Version, "beside %s: the contact is there", f.name)
		s.commit(good) // fails if any part of it is there
	}
}

// decideMerge is what the engine would commit now to merge secondary into primary, with
// MergeTransfer.
func (s *suite) decideMerge(primary, secondary string) []convo.Change {
	side := func(contact string) convo.MergeSide {
		t := s.load(to(contact))
		return convo.MergeSide{Snapshot: t, AllActive: s.list(convo.Filter{
			Workspace: acme, Contact: t.Contact.ID,
			Status: []convo.Status{convo.StatusOpen, convo.StatusPending},
		})}
	}
	first := side(primary)
	first.Next = uuid.Must(uuid.NewV7())
	d, err := convo.DecideMerge(
		first,
		side(secondary),
		s.clock.Now(),
		func(convo.Conversation) *convo.Policy {
			return &convo.Policy{Merge: convo.MergeTransfer}
		},
		convo.Merge{Workspace: acme, Primary: primary, Secondary: secondary, By: ana},
	)
	s.NoError(err)
	return []convo.Change{d.Primary, d.Secondary}
}

func refusesAStaleMerge(s *suite) {
	closed := []convo.Command{convo.Open{By: ana}, convo.Close{By: ana}}
	for i, meanwhile := range []func(primary, secondary, other string){
		func(primary, _, _ string) { s.do(to(primary), convo.Open{By: ana}) },
		func(_, secondary, _ string) { s.do(to(secondary), convo.Open{By: ana}) },
		func(primary, secondary, _ string) { s.merge(s.engine, acme, primary, secondary) },
		func(primary, secondary, _ string) { s.merge(s.engine, acme, secondary, primary) },
		func(primary, _, other string) { s.merge(s.engine, acme, other, primary) },
		func(_, secondary, other string) { s.merge(s.engine, acme, other, secondary) },
		func(primary, _, other string) { s.merge(s.engine, acme, primary, other) },
	} {
		x := fmt.Sprint(" ", i)
		primary, secondary, other := "primary"+x, "secondary"+x, "other"+x
		for _, contact := range []string{primary, secondary, other} {
			s.do(to(contact), closed...)
		}
		changes := s.decideMerge(primary, secondary)
		meanwhile(primary, secondary, other)
		s.refuses(changes, convo.ErrConflict)
	}
}

func refusesASecondActiveByMerge(s *suite) {
	s.do(to("primary"), convo.Open{By: ana}, convo.Close{By: ana})
	s.do(to("secondary"), convo.Open{By: ana})
	changes := s.decideMerge("primary", "secondary")
	now := s.do(to("primary"), convo.Open{By: ana}).Contact.Version
	primary := &changes[0].Contact
	primary.Expected, primary.Version = now, now+1 // as if that had been loaded
	s.refuses(changes, convo.ErrActiveExists)

	// as if it left the secondary's conversation alone
	changes = s.decideMerge("primary", "secondary")
	second := &changes[1]
	second.Conversation.Action = convo.RowKept
	second.Events = second.Events[len(second.Events)-1:]
	s.refuses(changes, convo.ErrActiveExists)
}

func holdsChangesAgainstEachOther(s *suite) {
	open := convo.Open{By: ana}
	message := convo.Receive{Channel: "sms", Address: "+1", ExternalID: "m1", Body: "hi"}
	twice := func(a, b convo.Ref, cmds ...convo.Command) []convo.Change {
		return []convo.Change{s.decide(a, cmds...), s.decide(b, cmds...)}
	}
	s.refuses(twice(to("a"), to("b"), message), convo.ErrDuplicate)
	s.refuses(twice(from("a", "sms", "+1"), from("b", "sms", "+1"), open), convo.ErrConflict)
	s.refuses(twice(to("a"), to("a"), open), convo.ErrConflict, convo.ErrActiveExists)
	s.refuses(twice(to("a"), to("a"), open, convo.Close{By: ana}), convo.ErrConflict)
	s.do(to("a"), open)
	note := s.decide(to("a"), convo.Note{By: ana, Body: "note"})
	s.refuses(
		[]convo.Change{note, s.decide(to("a"), convo.Note{By: ana, Body: "note"})},
		convo.ErrConflict,
	)
	left := s.decide(to("a"), convo.Close{By: ana}, open, convo.Close{By: ana})
	s.refuses([]convo.Change{left, note}, convo.ErrConflict)
	s.refuses([]convo.Change{note, left}, convo.ErrConflict)
}

func comparesOnlyWhatItWrites(s *suite) {
	s.do(to("a"), convo.Open{By: ana})
	message := s.decide(to("a"), convo.Send{By: ana, Body: "hi"})
	s.do(to("a"), convo.Block{By: ana})
	s.commit(message) // the contact changed, the conversation did not

	unblock := s.decide(to("a"), convo.Unblock{By: ana})
	s.do(to("a"), convo.Note{By: ana, Body: "note"})
	s.commit(unblock) // the other way round
	t := s.load(to("a"))
	s.Equal(int64(3), t.Conversation.Version)
	s.Equal(int64(3), t.Contact.Version)
	s.False(t.Contact.Blocked)
}

func comparesAContactWithoutWritingIt(s *suite) {
	s.do(to("a"), convo.Open{By: ana})
	s.do(from("a", "sms", "1"), convo.LinkAddress{By: ana})
	before := s.load(to("a")).Contact
	var both []convo.Change
	for _, lane := range []string{"", "orders"} {
		s.do(to("a").In(lane), convo.Open{By: ana})
		message := s.decide(to("a").In(lane), convo.Send{By: ana, Body: "hi"})
		message.Contact.Action, message.Contact.Name = convo.RowCompared, "not written"
		both = append(both, message)
		before = s.load(to("a")).Contact
	}
	for i := range both {
		both[i].Contact.Expected = before.Version
	}
	s.commit(both...)
	s.Equal(before, s.load(to("a")).Contact)
	closing := s.decide(to("a"), convo.Close{By: ana})
	closing.Contact.Action, closing.Contact.Name = convo.RowCompared, "not written"
	s.commit(closing)
	s.Equal(before, s.load(to("a")).Contact)
	s.Equal(convo.StatusClosed, s.load(to("a")).Conversation.Status)
}

func keepsPast(s *suite) {
	open, reopen := convo.Open{By: ana}, convo.Reopen{By: ana}
	closing := convo.Close{By: ana, Category: "Sales", Summary: "done"}
	for i, c := range []struct {
		cmds          []convo.Command
		conversations int
		cycle         int // of the last one
	}{
		{[]convo.Command{open, closing, open}, 2, 1},
		{[]convo.Command{open, closing, reopen}, 1, 2},
		{[]convo.Command{open, closing, reopen, closing, open, closing, open, closing}, 3, 1},
		{[]convo.Command{open, closing, open, closing, reopen, closing, reopen}, 2, 3},
	} {
		for _, split := range []int{0, 1, 2} { // how much of it an earlier call did
			contact := fmt.Sprint("contact ", i, split)
			if split > 0 {
				s.do(to(contact), c.cmds[:split]...)
			}
			r := s.do(to(contact), c.cmds[split:]...)
			s.Equal(c.cycle, r.Conversation.Cycle.Number)
			all := s.list(convo.Filter{Workspace: acme, Contact: contact})
			s.Len(all, c.conversations)
			active := 0
			for _, v := range all {
				if v.Status.Active() {
					active++
					s.Equal(r.Conversation.ID, v.ID)
				} else {
					s.Equal("done", v.Cycle.Closing.Summary)
				}
			}
			s.LessOrEqual(active, 1)
		}
	}
}

func writesATimerAlone(s *suite) {
	policy := convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(time.Hour)}}
	e := s.with(convo.WithPolicy(policy))
	first := s.clock.Now()
	s.by(e, to("a"), convo.Open{By: ana}, convo.Send{By: ana, Body: "hi"})
	s.clock.add(time.Minute)
	r := s.by(e, to("a"), convo.Send{By: ana, Body: "are you there?"})
	s.True(first.Add(time.Hour).Equal(r.Conversation.DueAt), "a message does not move the timer")
	s.clock.add(59 * time.Minute)
	n, err := e.Tick(s.ctx, 10)
	s.NoError(err)
	s.Zero(n, "it came up too early")
	want := r.Conversation
	want.DueAt = first.Add(time.Hour + time.Minute)
	s.Equal(want, s.load(to("a")).Conversation)
	s.Empty(s.due(s.clock.Now(), 10))
	s.Len(s.due(want.DueAt, 10), 1)

	ch := s.decide(to("a"))
	rearm(&ch, time.Time{})
	s.commit(ch)
	want.DueAt, want.Deadline, want.Applied = time.Time{}, time.Time{}, ""
	s.Equal(want, s.load(to("a")).Conversation)
	s.Empty(s.due(farAway, 10))
}

func writesKeysAlone(s *suite) {
	s.do(to("a"), convo.Open{By: ana})
	resume := convo.Resume{By: ana, Key: "k"} // of an open conversation: nothing to do
	ch := s.decide(to("a"), resume)
	s.Empty(ch.Events)
	s.commit(ch)
	want := ch.Keys[0]
	want.ID = "k" // by which it is asked for
	s.Equal([]convo.Key{want}, s.keys(acme, convo.KeyID{ID: "k"}))
	s.refuses([]convo.Change{ch}, convo.ErrDuplicate)
	s.Equal(convo.OutcomeDuplicate, s.do(to("a"), resume).Outcome)

	// Again, now with rows that change without an event: the key that is there is not theirs.
	armed := ch
	rearm(&armed, s.clock.Now().Add(time.Hour))
	s.refuses([]convo.Change{armed}, convo.ErrDuplicate)
	seen := ch
	seen.Contact.Action, seen.Contact.SeenAt = convo.RowUpdated, s.clock.Now().Add(time.Hour)
	s.refuses([]convo.Change{seen}, convo.ErrDuplicate)
	armed.Contact = seen.Contact
	s.refuses([]convo.Change{armed}, convo.ErrDuplicate)
}

func takesABatch(s *suite) {
	for batch := range 3 {
		var changes []convo.Change
		for i := range 100 {
			id := fmt.Sprint("contact ", i)
			changes = append(changes, s.decide(from(id, "sms", fmt.Sprint(i, ".", batch)),
				convo.Receive{ExternalID: fmt.Sprint(i, ".", batch), Body: "hi"}))
		}
		s.commit(changes...)
	}
	s.NoError(s.store.Commit(s.ctx), "nor is none at all an error")
	all := s.list(convo.Filter{Workspace: acme})
	s.Len(all, 100)
	for _, c := range all {
		s.Equal(3, c.Cycle.Incoming)
	}
}

func staysMerged(s *suite) {
	s.do(to("a"), convo.Open{By: ana}, convo.Close{By: ana})
	var old []convo.Conversation
	for range 3 { // also such as the merge itself does not touch
		old = append(old, s.do(to("b"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation)
	}
	var stale []convo.Change
	for _, c := range old {
		stale = append(
			stale,
			s.decide(
				convo.ToConversation(acme, c.ID),
				convo.AmendClosing{By: ana, Summary: "late"},
			),
			s.decide(convo.ToConversation(acme, c.ID), convo.Note{By: ana, Body: "late"}),
		)
	}
	s.merge(s.engine, acme, "a", "b")
	for i := range stale {
		if err := s.store.Commit(s.ctx, stale[i]); err != nil {
			s.refused(err, convo.ErrConflict)
		}
	}
	s.Len(s.list(convo.Filter{Workspace: acme, Contact: "a"}), 4)
	for _, c := range old {
		s.Equal("a", s.load(convo.ToConversation(acme, c.ID)).Contact.ID)
	}
}
