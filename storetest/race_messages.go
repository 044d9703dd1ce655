package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/chatlifecycle/convo"
)

// racesOfWebhooks has everything that a provider says of a conversation come at once, three times,
// and in any order: messages, echoes of sent ones, their ids, receipts, edits.
func racesOfWebhooks(s *suite) {
	const messages = 8
	k := from("k", "whatsapp", "+49")
	var sent []convo.Event
	s.do(k, convo.Open{By: ana})
	for i := range messages {
		r := s.do(k, convo.Send{By: ana, Body: fmt.Sprint("out ", i)})
		sent = append(sent, r.Events[0])
		s.do(k, convo.Receive{ExternalID: fmt.Sprint("old ", i), Body: "at 5"})
	}
	var calls []func() error
	do := func(cmd convo.Command) {
		calls = append(calls, func() error {
			_, err := s.engine.Do(s.ctx, k, cmd)
			return err
		})
	}
	for i := range messages {
		id := fmt.Sprint("w", i)
		do(convo.Receive{ExternalID: fmt.Sprint("in ", i), SentAt: s.clock.Now(), Body: "hi"})
		do(convo.Receive{ExternalID: fmt.Sprint("away ", i), Quiet: true, Body: "away"})
		do(convo.Edit{
			By: convo.ByContact(), Channel: "whatsapp", ExternalID: fmt.Sprint("old ", i),
			Body: "at 6",
		})
		do(convo.Send{By: ana, ExternalID: id, Body: sent[i].Message().Body})
		do(convo.Identify{By: bot, Message: sent[i].ID, Channel: "whatsapp", ExternalID: id})
		for _, status := range []convo.DeliveryStatus{
			convo.DeliverySent, convo.DeliveryDelivered, convo.DeliveryRead,
		} {
			calls = append(calls, func() error {
				_, err := s.engine.Deliver(s.ctx, acme, receipt(id, status))
				return err
			})
		}
	}
	calls = append(calls, append(calls[:len(calls):len(calls)], calls...)...)
	random := rand.New(rand.NewPCG(4, 8)) //nolint:gosec // it is to be the same each time
	random.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	errs := make([]error, len(calls))
	next := make(chan int)
	var done sync.WaitGroup
	for range racers {
		done.Go(func() {
			for i := range next {
				errs[i] = calls[i]()
			}
		})
	}
	for i := range calls {
		next <- i
	}
	close(next)
	done.Wait()
	for _, err := range errs {
		s.NoError(err)
	}

	c := s.load(k).Conversation
	s.Equal(2*messages, c.Cycle.Incoming)
	s.Equal(messages, c.Cycle.OutgoingUser)
	shown := s.shown(c.ID)
	s.NoError(s.engine.AddDeliveries(s.ctx, shown))
	ids, edited := map[string]int{}, 0
	for _, m := range shown {
		ids[m.ExternalID]++
		if m.Body == "at 6" {
			edited++
		}
		if m.Event.Kind == convo.MessageSent {
			s.Equal(convo.DeliveryRead, m.Delivery.Status, m.ExternalID)
		}
	}
	s.Equal(messages, edited)
	s.Len(ids, 4*messages)
	for id, n := range ids {
		s.Equal(1, n, id)
	}
	for i := range sent {
		keys := s.keys(acme, convo.KeyID{
			Channel: "whatsapp", Contact: "k", ID: fmt.Sprint("w", i),
		})
		s.Len(keys, 1)
		s.Equal(sent[i].Seq, keys[0].LastSeq, "it leads to the message")
	}
}
