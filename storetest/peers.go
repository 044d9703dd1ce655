package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// peerCases are what the tests of other platforms expect of messages, by the platform.
var peerCases = []testCase{
	{
		"Peers/Chatwoot: what was read up to a time becomes read, and nothing else does",
		"sent and delivered messages become read; failed, incoming and later ones do not",
		readUpTo,
	},
	{
		"Peers/Papercups: a message is changed, or deleted",
		"a message has the text of its last change, and none once it was taken back",
		changedOrDeleted,
	},
	{
		"Peers/Rocket.Chat: a message says when and by whom it was edited",
		"each edit is in the log, with its time and its actor",
		editedBy,
	},
	{
		"Peers/Rocket.Chat: a message is deleted in a closed room",
		"a message is taken back in any status, and the conversation stays as it is",
		deletedWhenClosed,
	},
	{
		"Peers/FreeScout, Papercups: a conversation is deleted for ever, with its threads",
		eraseRule,
		deletedForEver,
	},
	{
		"Peers/Chatwoot: when an agent leaves, nothing is assigned to them, open or closed",
		"an assignment of a closed conversation changes no cycle",
		agentLeaves,
	},
	{
		"Peers/Chatwoot, Libredesk: an event says from what to what status and assignee changed",
		"an event that changes status, assignee or team says what they were",
		saysWhatWas,
	},
	{
		"Peers/stateless, River: a rule of the host's own forbids a change before it is written",
		"a call that fails writes nothing",
		vetoes,
	},
}

// FS011, PC015: first it is put away, then it is deleted, with all messages and notes. What is left
// are counts.
func deletedForEver(s *suite) {
	s.do(from("k", "mail", "k@example.com"), convo.Receive{ExternalID: Canary, Body: Canary},
		convo.Note{By: ana, Body: Canary}, convo.Send{By: ana, Body: Canary})
	s.do(to("other"), convo.Receive{Body: "hi"})
	closed := s.do(to("k"), convo.Close{By: ana, Summary: Canary}).Conversation
	s.Contains(s.everything(), Canary, "put away")
	s.erase("k", "")
	s.NotContains(s.everything(), Canary)
	left := s.load(convo.ToConversation(acme, closed.ID)).Conversation
	s.Equal([]int{closed.Cycle.Incoming, closed.Cycle.OutgoingUser},
		[]int{left.Cycle.Incoming, left.Cycle.OutgoingUser})
	for _, e := range s.events(convo.EventFilter{Workspace: acme, Conversation: closed.ID}) {
		s.Empty(e.Row().Body)
	}
	s.Len(s.events(convo.EventFilter{Workspace: acme, Contact: "other"}), 2)
}

func agentLeaves(s *suite) {
	ben := convo.ByUser("ben")
	for _, k := range []string{"open", "closed"} {
		s.do(to(k), convo.Receive{Body: "hi"}, convo.Assign{By: ben, Assignee: "ben", Team: "a"})
		s.clock.add(time.Minute)
		s.do(to(k), convo.Send{By: ben, Body: "hello"})
	}
	s.clock.add(time.Minute)
	s.do(to("closed"), convo.Close{By: ben})
	cycles, err := s.engine.Cycles(s.ctx, to("closed"))
	s.NoError(err)
	s.clock.add(time.Hour)
	mine := convo.Filter{Workspace: acme, Assignee: "ben", Limit: convo.MaxPageSize}
	for _, c := range s.list(mine) {
		r := s.do(convo.ToConversation(acme, c.ID), convo.Assign{By: ana, Team: c.Team})
		s.Equal(convo.OutcomeAssigned, r.Outcome)
		s.Equal(c.Status, r.Conversation.Status)
		s.Equal(c.Cycle.Closing, r.Conversation.Cycle.Closing)
	}
	s.Empty(s.list(mine))
	s.Len(s.list(convo.Filter{Workspace: acme, Team: "a"}), 2)
	after, err := s.engine.Cycles(s.ctx, to("closed"))
	s.NoError(err)
	s.Equal(cycles, after, "whose it was when it was closed stays")
}

func saysWhatWas(s *suite) {
	s.do(to("k"), convo.Receive{Body: "hi"}, convo.Assign{By: ana, Assignee: "ana", Team: "a"},
		convo.SetPending{By: ana}, convo.Assign{By: ana, Assignee: "ben"}, convo.Resume{By: ana},
		convo.Close{By: ana}, convo.Reopen{By: ana})
	e := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	s.do(to("primary"), convo.Open{By: ana}, convo.Close{By: ana})
	s.merge(e, acme, "primary", "k")
	log, err := s.engine.Transcript(s.ctx,
		convo.ToConversation(acme, s.load(to("k")).Conversation.ID), convo.EventCursor{}, 0)
	s.NoError(err)
	before := map[convo.EventKind]convo.Before{}
	for _, e := range log {
		b := e.Before()
		before[e.Kind] = convo.Before{Status: b.Status, Assignee: b.Assignee, Team: b.Team}
	}
	open, pending := convo.StatusOpen, convo.StatusPending
	s.Equal(map[convo.EventKind]convo.Before{
		convo.ConversationOpened: {}, convo.MessageReceived: {},
		convo.ConversationPending:     {Status: open, Assignee: "ana", Team: "a"},
		convo.ConversationAssigned:    {Status: pending, Assignee: "ana", Team: "a"},
		convo.ConversationResumed:     {Status: pending, Assignee: "ben"},
		convo.ConversationClosed:      {Status: open, Assignee: "ben"},
		convo.ConversationReopened:    {Status: convo.StatusClosed, Assignee: "ben"},
		convo.ConversationTransferred: {Status: open, Assignee: "ben"},
	}, before)
}

func vetoes(s *suite) {
	busy := errors.New("the queue is full")
	e := s.with(convo.WithGuard(
		func(_ context.Context, loaded convo.Snapshot, ch convo.Change) error {
			if ch.Conversation.Action == convo.RowAdded && loaded.Conversation.ID == uuid.Nil {
				return busy
			}
			return nil
		}))
	s.do(to("known"), convo.Receive{Body: "hi"})
	s.unchanged(func() {
		_, err := e.Do(s.ctx, to("new"), convo.Receive{Body: "hi"})
		s.ErrorIs(err, busy)
	})
	s.by(e, to("known"), convo.Receive{Body: "hi again"})
}

func readUpTo(s *suite) {
	k := from("k", "whatsapp", "+49")
	send := func(id string) {
		s.clock.add(time.Minute)
		s.do(k, convo.Send{By: ana, ExternalID: id, Body: id})
	}
	s.do(k, convo.Receive{ExternalID: "hi", Body: "hi"})
	for _, id := range []string{"w1", "w2", "w3"} {
		send(id)
	}
	s.deliver(receipt("w1", convo.DeliverySent), receipt("w2", convo.DeliveryDelivered),
		receipt("w3", convo.DeliveryFailed))
	s.do(k, convo.Receive{ExternalID: "thanks", Body: "thanks"})
	readAt := s.clock.Now()
	send("w4")
	s.deliver(receipt("w4", convo.DeliverySent))

	// What a host does with a receipt that names a time instead of a message.
	log, err := s.engine.Transcript(s.ctx, k, convo.EventCursor{}, 0)
	s.NoError(err)
	shown := convo.Messages(log)
	s.NoError(s.engine.AddDeliveries(s.ctx, shown))
	var read []convo.Delivery
	for _, m := range shown {
		if m.Event.Kind == convo.MessageSent && !m.Event.MessageAt().After(readAt) &&
			m.Delivery.Status != convo.DeliveryFailed {
			read = append(read, receipt(m.ExternalID, convo.DeliveryRead))
		}
	}
	s.Zero(s.deliver(read...))
	var statuses []convo.DeliveryStatus
	for _, d := range s.deliveredTo(k) {
		statuses = append(statuses, d.Status)
	}
	s.Equal([]convo.DeliveryStatus{"", convo.DeliveryRead, convo.DeliveryRead,
		convo.DeliveryFailed, "", convo.DeliverySent}, statuses)
}

func changedOrDeleted(s *suite) {
	r := s.do(to("k"), convo.Open{By: ana}, convo.Send{By: ana, Body: "helo"},
		convo.Send{By: ana, Body: "wrong chat"})
	first, second := r.Events[len(r.Events)-2].ID, r.Events[len(r.Events)-1].ID
	s.do(to("k"), convo.Edit{By: ana, Message: first, Body: "hello"})
	s.do(to("k"), convo.Retract{By: ana, Message: second})
	shown := s.shown(r.Conversation.ID)
	s.Len(shown, 2)
	s.Equal("hello", shown[0].Body)
	s.Zero(shown[0].RetractedAt)
	s.Empty(shown[1].Body)
	s.Equal(s.clock.Now(), shown[1].RetractedAt)
	s.Equal(2, s.load(to("k")).Conversation.Cycle.OutgoingUser, "it was sent all the same")
}

func editedBy(s *suite) {
	r := s.do(to("k"), convo.Receive{Channel: "chat", ExternalID: "m1", Body: "at 5"})
	type edit struct {
		by   convo.Actor
		body string
	}
	edits := []edit{{convo.Actor{Type: convo.ActorContact, ID: "k"}, "at 6"}, {ana, "at 7"}}
	var times []time.Time
	for _, e := range edits {
		s.clock.add(time.Minute)
		times = append(times, s.clock.Now())
		s.do(to("k"), convo.Edit{By: e.by, Channel: "chat", ExternalID: "m1", Body: e.body})
	}
	s.Equal(times[1], s.shown(r.Conversation.ID)[0].EditedAt)
	log := s.events(convo.EventFilter{Workspace: acme, Conversation: r.Conversation.ID})
	var n int
	for _, e := range log {
		if p, ok := e.Payload.(*convo.Edited); ok {
			s.Equal(edits[n].body, p.Body)
			s.Equal(times[n], e.At)
			s.Equal(edits[n].by, e.By)
			n++
		}
	}
	s.Equal(len(edits), n)
}

func deletedWhenClosed(s *suite) {
	closed := s.do(to("k"), convo.Receive{Channel: "chat", ExternalID: "m1", Body: "at 5"},
		convo.Close{By: ana}).Conversation
	s.clock.add(time.Hour)
	r := s.do(to("k"),
		convo.Retract{By: convo.ByContact(), Channel: "chat", ExternalID: "m1"})
	s.Equal(unmoved(closed), unmoved(r.Conversation))
	shown := s.shown(closed.ID)
	s.Len(shown, 1)
	s.Empty(shown[0].Body)
	s.Equal(s.clock.Now(), shown[0].RetractedAt)
}
