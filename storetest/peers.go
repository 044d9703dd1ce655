package storetest

import (
	"time"

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
