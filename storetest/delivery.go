package storetest

import (
	"time"

	"github.com/chatlifecycle/convo"
)

// deliveryCases are what becomes of sent messages, and the ids that they get afterwards.
var deliveryCases = []testCase{
	{
		"Deliveries/never go backwards, and may come before their message",
		"of the receipts for an external id the furthest stands; it is no event, and no version",
		deliveries,
	},
	{
		"Deliveries/of messages that do not come are forgotten",
		"a receipt of an unknown message is kept for seven days, and one of a known message stays",
		forgetsDeliveries,
	},
	{
		"Messages/are told their ids later, and an echo of them is a duplicate",
		"an id that was told is as one that was given, also where the echo was faster",
		toldIDs,
	},
	{
		"Messages/whose echo came into another conversation are told their ids too",
		"an echo is marked where it is, and taken off the counts there",
		toldElsewhere,
	},
	{
		"Messages/and their echoes are one message, whichever is changed, and when",
		"an edit or a retraction of an echo is one of its message, and redacting removes the " +
			"texts of both",
		changesEchoes,
	},
	{
		"Messages/and their echoes are one message, in whichever logs they are",
		"an echo in the log of its contact is marked, and hidden from the history",
		identifiesQuietEcho,
	},
}

func receipt(id string, status convo.DeliveryStatus) convo.Delivery {
	return convo.Delivery{
		Channel: "whatsapp", Address: "+49", ExternalID: id, Status: status,
	}
}

// deliver records receipts, and returns how many were unknown.
func (s *suite) deliver(ds ...convo.Delivery) int {
	n, err := s.engine.Deliver(s.ctx, acme, ds...)
	s.NoError(err)
	return n
}

func (s *suite) deliveredTo(to convo.Ref) (all []convo.Delivery) {
	r, err := s.engine.Transcript(s.ctx, to, convo.EventCursor{}, 0)
	s.NoError(err)
	shown := convo.Messages(r)
	s.NoError(s.engine.AddDeliveries(s.ctx, shown))
	for _, m := range shown {
		all = append(all, m.Delivery)
	}
	return all
}

func deliveries(s *suite) {
	k := from("k", "whatsapp", "+49")
	s.Equal(1, s.deliver(receipt("w1", convo.DeliveryDelivered)), "before its message")
	s.do(k, convo.Receive{ExternalID: "in", Body: "hi"},
		convo.Send{By: ana, ExternalID: "w1", Body: "hello"})
	before := s.load(to("k"))
	s.Equal([]convo.Delivery{{}, {
		Channel: "whatsapp", Address: "+49", ExternalID: "w1", Status: convo.DeliveryDelivered,
		At: s.clock.Now(),
	}}, s.deliveredTo(k))

	at := s.clock.Now()
	s.clock.add(time.Minute)
	s.Zero(s.deliver(receipt("w1", convo.DeliverySent)))
	failed := receipt("w1", convo.DeliveryFailed)
	failed.Reason = "131026"
	s.Zero(s.deliver(failed))
	s.Equal(convo.DeliveryDelivered, s.deliveredTo(k)[1].Status)
	s.Equal(at, s.deliveredTo(k)[1].At)
	read := receipt("w1", convo.DeliveryRead)
	read.At = at.Add(10 * time.Second)
	for range 3 {
		s.Zero(s.deliver(read, receipt("w1", convo.DeliveryDelivered)))
	}
	s.Equal(read.At, s.deliveredTo(k)[1].At)
	s.Equal(convo.DeliveryRead, s.deliveredTo(k)[1].Status)
	s.Equal(before, s.load(to("k")), "no event, and no version")

	failed.ExternalID = "w2"
	other := receipt("w1", convo.DeliveryRead)
	other.Channel = "viber"
	s.Equal(2, s.deliver(failed, other))
	s.do(k, convo.Send{By: ana, ExternalID: "w2", Body: "again"})
	s.Equal("131026", s.deliveredTo(k)[2].Reason)
	elsewhere, err := s.store.Deliveries(s.ctx, "other",
		[]convo.KeyID{{Channel: "whatsapp", ID: "w1"}})
	s.NoError(err)
	s.Empty(elsewhere)

	for _, bad := range []convo.Delivery{
		{}, {Channel: "whatsapp", Status: convo.DeliveryRead},
		{ExternalID: "1", Status: convo.DeliveryRead}, receipt("1", "lost"),
		{Channel: "c", ExternalID: "1", Status: "read", At: time.Unix(1<<60, 0)},
	} {
		_, err := s.engine.Deliver(s.ctx, acme, read, bad)
		s.ErrorIs(err, convo.ErrInvalid)
	}
}

func forgetsDeliveries(s *suite) {
	s.do(from("k", "whatsapp", "+49"), convo.Open{By: ana},
		convo.Send{By: ana, ExternalID: "known", Body: "hello"})
	s.deliver(receipt("known", convo.DeliverySent), receipt("comes", convo.DeliverySent),
		receipt("never", convo.DeliverySent))
	s.clock.add(convo.DeliveryLifetime - time.Second)
	s.deliver(receipt("late", convo.DeliverySent))
	count := func() (n int) {
		for _, id := range []string{"known", "comes", "never", "late"} {
			found, err := s.store.Deliveries(s.ctx, acme,
				[]convo.KeyID{{Channel: "whatsapp", ID: id}})
			s.NoError(err)
			n += len(found)
		}
		return n
	}
	_, err := s.engine.Tick(s.ctx, 0)
	s.NoError(err)
	s.Equal(4, count())
	s.do(to("k"), convo.Send{By: ana, Channel: "whatsapp", ExternalID: "comes", Body: "hello"})
	s.clock.add(2 * time.Second)
	for range 2 {
		_, err = s.engine.Tick(s.ctx, 0)
		s.NoError(err)
		s.Equal(3, count(), "all but the one that never came")
	}
}

func toldIDs(s *suite) {
	k := from("k", "whatsapp", "+49")
	send := func(body string) convo.Event {
		events := s.do(to("k"), convo.Send{By: ana, Channel: "whatsapp", Body: body}).Events
		return events[len(events)-1]
	}
	echo := func(id string) convo.Result {
		r, err := s.engine.Do(s.ctx, k, convo.Send{By: ana, ExternalID: id, Body: "an echo"})
		s.NoError(err)
		return r
	}
	tell := func(m convo.Event, id string) convo.Result {
		return s.do(to("k"), convo.Identify{
			By: bot, Message: m.ID, Channel: "whatsapp", ExternalID: id,
		})
	}
	s.do(k, convo.Receive{ExternalID: "in", Body: "hi"})
	m := send("one")
	r := tell(m, "w1")
	s.Equal(convo.OutcomeIdentified, r.Outcome)
	s.Equal(convo.OutcomeUnchanged, tell(m, "w1").Outcome)
	again := echo("w1")
	s.Equal(convo.OutcomeDuplicate, again.Outcome)
	s.Equal(m.ID, again.Events[0].ID)
	s.Equal(1, s.load(to("k")).Conversation.Cycle.OutgoingUser)
	s.deliver(receipt("w1", convo.DeliveryRead))
	s.Equal(convo.DeliveryRead, s.deliveredTo(k)[1].Status)

	// The echo was faster.
	m = send("two")
	s.Equal(convo.OutcomeRecorded, echo("w2").Outcome)
	s.Equal(3, s.load(to("k")).Conversation.Cycle.OutgoingUser)
	r = tell(m, "w2")
	s.Equal(convo.OutcomeIdentified, r.Outcome)
	s.Equal(2, r.Conversation.Cycle.OutgoingUser)
	s.Equal(convo.OutcomeUnchanged, tell(m, "w2").Outcome)
	again = echo("w2")
	s.Equal(convo.OutcomeDuplicate, again.Outcome)
	s.Equal(m.ID, again.Events[0].ID, "the key leads to the message")
	var bodies, ids []string
	for _, m := range s.shown(r.Conversation.ID) {
		bodies, ids = append(bodies, m.Body), append(ids, m.ExternalID)
	}
	s.Equal([]string{"hi", "one", "two"}, bodies)
	s.Equal([]string{"in", "w1", "w2"}, ids)
	s.deliver(receipt("w2", convo.DeliveryFailed))
	s.Equal(convo.DeliveryFailed, s.deliveredTo(k)[2].Status)
	s.do(to("k"), convo.Edit{By: ana, Channel: "whatsapp", ExternalID: "w2", Body: "two!"})
	s.Equal("two!", s.shown(r.Conversation.ID)[2].Body)

	other := send("three")
	s.unchanged(func() {
		_, err := s.engine.Do(s.ctx, to("k"), convo.Identify{
			By: bot, Message: r.Events[0].ID, Channel: "whatsapp", ExternalID: "w9",
		})
		s.ErrorIs(err, convo.ErrNotFound, "that is no message")
		_, err = s.engine.Do(s.ctx, to("k"), convo.Identify{By: bot, Message: m.ID, Channel: "c"})
		s.ErrorIs(err, convo.ErrInvalid)
		for _, id := range []string{"w1", "w2"} { // which other messages were told
			_, err = s.engine.Do(s.ctx, k, convo.Identify{
				By: bot, Message: other.ID, Channel: "whatsapp", ExternalID: id,
			})
			s.ErrorIs(err, convo.ErrInvalid)
		}
	})
}

func toldElsewhere(s *suite) {
	k := from("k", "whatsapp", "+49")
	first := s.do(k, convo.Open{By: ana}, convo.Send{By: ana, Body: "one"})
	m := first.Events[len(first.Events)-1]
	s.do(k, convo.Close{By: ana})
	s.clock.add(time.Hour)
	second := s.do(k, convo.Receive{Body: "hi again"})
	s.do(k, convo.Send{By: ana, ExternalID: "w1", Body: "an echo"})
	r, err := s.engine.Do(s.ctx, k, convo.Identify{
		By: bot, Message: m.ID, Channel: "whatsapp", ExternalID: "w1",
	})
	s.NoError(err)
	s.Equal(convo.OutcomeIdentified, r.Outcome)
	s.Len(r.Events, 2)
	s.Equal(second.Conversation.ID, r.Conversation.ID)
	s.Zero(r.Conversation.Cycle.OutgoingUser)
	s.Equal("w1", s.shown(first.Conversation.ID)[0].ExternalID)
	s.Len(s.shown(second.Conversation.ID), 1)
	again, err := s.engine.Do(s.ctx, k, convo.Send{By: ana, ExternalID: "w1", Body: "an echo"})
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, again.Outcome)
	s.Equal(m.ID, again.Events[0].ID)
}
