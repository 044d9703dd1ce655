package storetest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// fault is a change that a store MUST refuse for one reason, made for contacts whose names begin
// with x.
type fault struct {
	name   string
	rule   string
	want   error
	change func(s *suite, x string) convo.Change
}

const (
	conflictRule = "Commit MUST refuse with ErrConflict what is not as its row expects it"
	activeRule   = "Commit MUST refuse with ErrActiveExists a second active conversation, " +
		"whatever the versions say"
	keyRule = "Commit MUST refuse with ErrDuplicate a key that it has"
)

var faults = slices.Concat(timerFaults(), []fault{
	{"a stale contact", conflictRule, convo.ErrConflict, func(s *suite, x string) convo.Change {
		ch := s.decide(to(x), convo.Open{By: ana})
		s.do(to(x), convo.Open{By: ana}, convo.Close{By: ana})
		return ch
	}},
	{
		"a contact that was merged meanwhile", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			for _, id := range []string{x, x + " root"} {
				s.do(to(id), convo.Open{By: ana}, convo.Close{By: ana})
			}
			ch := s.decide(to(x), convo.Open{By: ana})
			s.merge(s.engine, acme, x+" root", x)
			return ch
		},
	},
	{
		"a message to a conversation of a contact that was merged meanwhile", conflictRule,
		convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x+" root"), convo.Open{By: ana}, convo.Close{By: ana})
			c := s.do(to(x), convo.Open{By: ana}, convo.Close{By: ana}).Conversation
			ch := s.decide(convo.ToConversation(acme, c.ID), convo.Note{By: ana, Body: "n"})
			s.merge(s.engine, acme, x+" root", x)
			return ch
		},
	},
	{
		"a message to a conversation that an unmerge gave back", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x+" root"), convo.Open{By: ana}, convo.Close{By: ana})
			c := s.do(to(x), convo.Open{By: ana}, convo.Close{By: ana}).Conversation
			s.merge(s.engine, acme, x+" root", x)
			ch := s.decide(convo.ToConversation(acme, c.ID), convo.Note{By: ana, Body: "n"})
			_, err := s.engine.Unmerge(s.ctx, convo.Unmerge{Workspace: acme, Contact: x, By: ana})
			s.NoError(err)
			return ch
		},
	},
	{
		"a stale contact of which nothing else is written", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Block{By: ana})
			s.do(from(x, "sms", x), convo.LinkAddress{By: ana})
			return ch
		},
	},
	{
		"a stale contact that is only compared, beside a message", conflictRule,
		convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Send{By: ana, Body: "hi"})
			ch.Contact.Action = convo.RowCompared
			s.do(to(x), convo.Block{By: ana})
			return ch
		},
	},
	{
		"a stale contact that is only compared, beside a message with an id", conflictRule,
		convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Send{By: ana, Channel: "sms", ExternalID: x, Body: "hi"})
			ch.Contact.Action = convo.RowCompared
			s.do(to(x), convo.Block{By: ana})
			return ch
		},
	},
	{
		"a stale contact that is only compared, beside a closing", conflictRule,
		convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Close{By: ana})
			ch.Contact.Action = convo.RowCompared
			s.merge(s.engine, acme, x+" root", x)
			return ch
		},
	},
	{
		"a contact that is only compared and was seen since", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Send{By: ana, Body: "hi"})
			ch.Contact.Action = convo.RowCompared
			s.do(to(x).In("orders"), convo.Open{By: ana})
			ch.Contact.Expected = s.load(to(x)).Contact.Version
			s.do(to(x).In("orders"), convo.Receive{Body: "hello"})
			return ch
		},
	},
	{
		"a contact that is not there", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			return s.decideOn(s.after(to(x), convo.Open{By: ana}), convo.Block{By: ana})
		},
	},
	{
		"a stale conversation", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Send{By: ana, Body: "late"})
			s.do(to(x), convo.Note{By: ana, Body: "first"})
			return ch
		},
	},
	{
		"a message to a conversation whose deadline was armed anew", conflictRule,
		convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x).In(x), convo.Open{By: ana})
			ch := s.decide(to(x).In(x), convo.Send{By: ana, Body: "late"})
			s.rearm(x, time.Hour)
			return ch
		},
	},
	{
		"a closing whose deadline was armed anew", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x).In(x), convo.Open{By: ana})
			s.rearm(x, time.Hour)
			ch := s.decide(to(x).In(x), convo.Close{By: ana})
			s.rearm(x, 2*time.Hour)
			return ch
		},
	},
	{
		"a contact together with a conversation whose deadline was armed anew", conflictRule,
		convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x).In(x), convo.Open{By: ana})
			s.rearm(x, time.Hour)
			ch := s.decide(to(x).In(x), convo.Block{By: ana}, convo.Note{By: ana, Body: "late"})
			s.rearm(x, 2*time.Hour)
			return ch
		},
	},
	{
		"a stale conversation that the call left", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Close{By: ana}, convo.Open{By: ana})
			s.do(to(x), convo.Note{By: ana, Body: "first"})
			return ch
		},
	},
	{
		"a timer of a stale conversation", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(
				to(x),
				convo.Open{By: ana},
				convo.SetPending{By: ana, Until: s.clock.Now().Add(time.Hour)},
			)
			ch := s.decide(to(x))
			rearm(&ch, s.clock.Now().Add(time.Minute))
			s.do(to(x), convo.Note{By: ana, Body: "first"})
			return ch
		},
	},
	{
		"a conversation that is not there", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			return s.decideOn(
				s.after(to(x), convo.Open{By: ana}),
				convo.Note{By: ana, Body: "nowhere"},
			)
		},
	},
	{
		"a new conversation whose id is there", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			t := s.load(to(x))
			t.Next = s.do(to(x+" first"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation.ID
			return s.decideOn(t, convo.Open{By: ana})
		},
	},
	{
		"an address that another contact got", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana})
			ch := s.decide(from(x, "sms", x), convo.LinkAddress{By: ana})
			s.do(from(x+" first", "sms", x), convo.Open{By: ana})
			return ch
		},
	},
	{
		"an address that was taken off first", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(from(x, "sms", x), convo.Open{By: ana})
			ch := s.decide(from(x, "sms", x), convo.UnlinkAddress{By: ana})
			s.do(from(x, "sms", x), convo.UnlinkAddress{By: ana})
			return ch
		},
	},
	{
		"an address to take off that is not there", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			s.do(from(x, "sms", x), convo.Open{By: ana})
			ch := s.decide(from(x, "sms", x), convo.UnlinkAddress{By: ana})
			ch.Unlinked = []convo.Address{{Channel: "sms", Value: x + "?"}}
			return ch
		},
	},
	{
		"an address that another contact got, of a new contact", conflictRule, convo.ErrConflict,
		func(s *suite, x string) convo.Change {
			ch := s.decide(convo.ToAddress(acme, "sms", x), convo.Receive{Body: "hi"})
			s.do(from(x+" first", "sms", x), convo.Open{By: ana})
			return ch
		},
	},
	{
		"a second active conversation", activeRule, convo.ErrActiveExists,
		func(s *suite, x string) convo.Change {
			ch := s.decide(to(x), convo.Open{By: ana})
			s.do(to(x), convo.Open{By: ana})
			ch.Contact.Action = convo.RowKept // not written, so not compared
			return ch
		},
	},
	{
		"a second active conversation by reopening", activeRule, convo.ErrActiveExists,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana}, convo.Close{By: ana})
			ch := s.decide(to(x), convo.Reopen{By: ana})
			s.do(to(x), convo.Open{By: ana}, convo.SetPending{By: ana})
			ch.Contact.Action = convo.RowKept
			return ch
		},
	},
	{
		"a second active conversation after a merge", activeRule, convo.ErrActiveExists,
		func(s *suite, x string) convo.Change {
			s.do(to(x), convo.Open{By: ana}, convo.Close{By: ana})
			s.do(to(x+" merged"), convo.Open{By: ana})
			ch := s.decide(to(x), convo.Open{By: ana})
			transfer := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
			s.merge(transfer, acme, x, x+" merged")
			ch.Contact.Action = convo.RowKept
			return ch
		},
	},
	{
		"an external id that it has", keyRule, convo.ErrDuplicate,
		func(s *suite, x string) convo.Change {
			message := convo.Receive{Channel: "sms", Address: x, ExternalID: x, Body: "hi"}
			ch := s.decide(to(x), message)
			s.do(to(x+" first"), message)
			return ch
		},
	},
	{
		"a host's key that it has", keyRule, convo.ErrDuplicate,
		func(s *suite, x string) convo.Change {
			ch := s.decide(to(x), convo.Open{By: ana, Key: x})
			s.do(to(x+" first"), convo.Open{By: ana, Key: x})
			return ch
		},
	},
})

// timerFaults are changes of a conversation whose version is the loaded one, while what timers and
// merges change without one is not: of each kind that may be written in a way of its own.
func timerFaults() (all []fault) {
	message := convo.Send{By: ana, Body: "hi"}
	for name, cmds := range map[string][]convo.Command{
		"a message":          {message},
		"a message by a key": {convo.Send{By: ana, Body: "hi", Key: "k"}},
		"an assignment":      {convo.Assign{By: ana, Assignee: "ana"}},
		"a label":            {convo.Label{By: ana, Add: []string{"vip"}}},
		"a closing":          {convo.Close{By: ana}},
		"a block":            {convo.Block{By: ana}, convo.Note{By: ana, Body: "spam"}},
	} {
		for what, change := range map[string]func(r *convo.ConversationRow){
			"Deadline": func(r *convo.ConversationRow) {
				r.PlacesBefore.Deadline = r.PlacesBefore.Deadline.Add(time.Minute)
			},
			"DueAt":   func(r *convo.ConversationRow) { r.DueBefore = time.Time{} },
			"Applied": func(r *convo.ConversationRow) { r.AppliedBefore = "G0000000" },
			"Contact": func(r *convo.ConversationRow) { r.ContactBefore = "nobody" },
		} {
			all = append(all, fault{
				name + ", with another " + what, conflictRule, convo.ErrConflict,
				func(s *suite, x string) convo.Change {
					s.do(to(x), convo.Open{By: ana},
						convo.SetPending{By: ana, Until: s.clock.Now().Add(time.Hour)})
					ch := s.decide(to(x), cmds...)
					change(&ch.Conversation)
					return ch
				},
			})
		}
	}
	slices.SortFunc(all, func(a, b fault) int { return strings.Compare(a.name, b.name) })
	return all
}

// rearm has the conversations of a lane armed by a policy whose deadline is so long after the
// opening.
func (s *suite) rearm(lane string, after time.Duration) {
	rules := convo.Policy{Deadlines: []convo.Deadline{
		{Name: "late", Since: convo.SinceOpened, After: convo.Duration(after)},
	}}
	e := s.with(convo.WithPolicies(
		func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
			if of.Lane != lane {
				return &convo.Policy{}, nil
			}
			return &rules, nil
		}))
	_, err := e.Rearm(s.ctx, acme)
	s.NoError(err)
}
