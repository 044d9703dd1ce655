package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const historyRule = "Events returns a page of the log, by At, Conversation, Seq and ID"

var historyCases = []testCase{
	{"History/has every page from every place", historyRule, pagesHistories},
	{"History/has what comes late, however late", historyRule, pagesWhatComesLate},
	{"History/has many at the same time", historyRule, pagesManyAtOnce},
	{"History/has what one call opens and closes", historyRule, pagesWhatOneCallCloses},
	{
		"History/has what one call writes into several own logs",
		"each event without a conversation is in the own log of its Contact", pagesOwnLogsOfOneCall,
	},
	{
		"Cycles/are what the log folds into",
		"ClosedCycles returns the closed cycles of a conversation, the first one first",
		keepsCycles,
	},
}

// asHistory is the model of a history: all logs of a root contact, read one by one and sorted.
func (s *suite) asHistory(contact string) (all []convo.Event) {
	found, err := conversations(s.ctx, s.store,
		convo.Filter{Workspace: acme, Contact: contact, Limit: convo.MaxPageSize})
	s.NoError(err)
	logs := []convo.EventFilter{{OwnLog: contact}}
	for _, c := range found {
		logs = append(logs, convo.EventFilter{Conversation: c.ID})
	}
	family, err := s.store.Family(s.ctx, acme, contact)
	s.NoError(err)
	for _, k := range family {
		logs = append(logs, convo.EventFilter{OwnLog: k.ID})
	}
	for _, f := range logs {
		f.Workspace, f.Limit = acme, convo.MaxPageSize
		log, err := events(s.ctx, s.store, f)
		s.NoError(err)
		all = append(all, log...)
	}
	slices.SortFunc(all, func(a, b convo.Event) int {
		return compareCursors(a.Cursor(), b.Cursor())
	})
	return all
}

// pagesAsModel reads a page of a history from the beginning, from behind each event, and from
// places where no event is.
func (s *suite) pagesAsModel(contact string, random *rand.Rand) int {
	model := s.asHistory(contact)
	places := []convo.EventCursor{{}}
	for _, e := range model {
		at := e.Cursor()
		places = append(places, at)
		switch random.IntN(6) {
		case 0:
			places = append(places, convo.EventCursor{At: e.At})
		case 1:
			places = append(places, convo.EventCursor{At: e.At, Conversation: uuid.Max})
		case 2:
			places = append(places, convo.EventCursor{At: e.At.Add(-time.Microsecond)})
		case 3:
			places = append(places, convo.EventCursor{
				At: e.At, Conversation: e.Conversation, Seq: e.Seq + 1, ID: uuid.Max,
			})
		}
	}
	for i, after := range places {
		if len(model) > 300 && i%17 != 0 {
			continue
		}
		limit := 1 + random.IntN(7)
		if i%51 == 0 {
			limit = convo.MaxPageSize
		}
		from := slices.IndexFunc(model, func(e convo.Event) bool {
			return compareCursors(e.Cursor(), after) > 0
		})
		want := model[max(from, 0):][:0]
		if from >= 0 {
			want = model[from:min(from+limit, len(model))]
		}
		got, err := s.store.Events(s.ctx, convo.EventFilter{
			Workspace: acme, Contact: contact, After: after, Limit: limit,
		})
		s.NoError(err)
		about := fmt.Sprintf("%s: %d behind %+v", contact, limit, after)
		s.Equal(len(want), len(got), about)
		for n := range want {
			s.Equal(want[n], got[n], about)
		}
	}
	return len(model)
}

// One commit adds conversations of a contact and closes all of them but the last one, at one time
// or over hours, as the contact's first ones and as later ones.
func pagesWhatOneCallCloses(s *suite) {
	random := rand.New(rand.NewPCG(7, 9)) //nolint:gosec // it is to be the same each time
	pauses := []time.Duration{0, time.Microsecond, 30 * time.Minute, 3 * time.Hour}
	for i, pause := range pauses {
		for _, n := range []int{2, 3, 5} {
			contact := fmt.Sprint("contact ", i, " ", n)
			for range 2 {
				var cmds []convo.Command
				for j := range n {
					s.clock.add(pause)
					cmds = append(cmds, convo.Open{By: ana, At: s.clock.Now()})
					if s.clock.add(pause); j < n-1 {
						cmds = append(cmds, convo.Close{By: ana, At: s.clock.Now()})
					}
				}
				s.do(to(contact), cmds...)
				s.do(to(contact), convo.Close{By: ana})
				s.pagesAsModel(contact, random)
			}
		}
		for j := range 5 { // of which there was no other one
			contact := fmt.Sprint("contact ", i, " again ", j)
			s.do(to(contact), convo.Receive{Body: "hi"})
			s.clock.add(pause + time.Minute)
			s.do(to(contact), convo.Close{By: ana}, convo.Open{By: ana})
			s.pagesAsModel(contact, random)
		}
	}
}

// Contacts in two lanes that are merged, unmerged and moved, with pauses from none to years, and
// events of all kinds also long after a closing.
func pagesHistories(s *suite) {
	random := rand.New(rand.NewPCG(3, 5)) //nolint:gosec // it is to be the same each time
	pauses := []time.Duration{
		0, 0, 0, time.Microsecond, time.Microsecond, time.Minute, time.Hour, 2 * time.Hour,
		9 * time.Hour, 70 * time.Hour, 600 * time.Hour, 5000 * time.Hour,
	}
	contacts := []string{"a", "b", "c", "d"}
	contact := func() string { return contacts[random.IntN(len(contacts))] }
	var known []uuid.UUID
	for n := range 150 {
		s.clock.add(pauses[random.IntN(len(pauses))])
		k := contact()
		ref := to(k)
		if random.IntN(3) == 0 {
			ref.Lane = "x"
		}
		if len(known) > 0 && random.IntN(3) == 0 { // an old one, perhaps another contact's
			ref = convo.ToConversation(acme, known[random.IntN(len(known))])
		}
		var err error
		var r convo.Result
		switch random.IntN(24) {
		case 0, 1:
			_, err = s.engine.Merge(s.ctx, convo.Merge{
				Workspace: acme, Primary: k, Secondary: contact(), By: ana,
			})
		case 2:
			_, err = s.engine.Unmerge(s.ctx, convo.Unmerge{Workspace: acme, Contact: k, By: ana})
		case 3:
			r, err = s.engine.Do(s.ctx, ref, convo.Move{By: ana, Contact: k})
		default:
			r, err = s.engine.Do(s.ctx, ref, pickCommand(random,
				convo.Open{By: ana}, convo.Receive{Body: "hi"}, convo.Receive{Body: "hi"},
				convo.Send{By: ana, Body: "hello"}, convo.Close{By: ana}, convo.Close{By: ana},
				convo.Reopen{By: ana}, convo.Note{By: ana, Body: "noted"},
				convo.Rate{Score: 1 + n%5}, convo.Send{By: ana, Quiet: true, Body: "sent"},
				convo.AmendClosing{By: ana, Category: fmt.Sprint(n)}, convo.SetPending{By: ana},
				convo.SetProfile{By: ana, Name: new(fmt.Sprint(n))}, convo.Block{By: ana},
				convo.Unblock{By: ana}, convo.Unblock{By: ana},
			))
		}
		if id := r.Conversation.ID; id != uuid.Nil && !slices.Contains(known, id) {
			known = append(known, id)
		}
		var state *convo.StateError
		var invalid *convo.ValidationError
		if err != nil && !errors.As(err, &state) && !errors.As(err, &invalid) {
			s.NoError(err)
		}
	}
	s.wrote(acme)
	roots, err := s.store.Contacts(s.ctx,
		convo.ContactFilter{Workspace: acme, Limit: convo.MaxPageSize})
	s.NoError(err)
	for _, k := range roots {
		s.pagesAsModel(k.ID, random)
	}
}

// Each of several conversations gets an event as much later as bounds a class of spans, and a bit
// more or less, while others come in between. One is imported as it was, one has another owner by
// then.
func pagesWhatComesLate(s *suite) {
	random := rand.New(rand.NewPCG(7, 1)) //nolint:gosec // it is to be the same each time
	note := convo.Note{By: ana, Body: "late"}
	began := s.clock.Now()
	s.clock.now.Store(began.AddDate(-60, 0, 0).UnixMicro())
	var ids []uuid.UUID
	var spans []time.Duration
	for span := range convo.MaxSpan {
		width := time.Duration(convo.SpanWidth(span)) * time.Microsecond
		for _, more := range []time.Duration{-1, 0, 1} {
			r := s.do(to("a"), convo.Open{By: ana}, convo.Close{By: ana})
			ids = append(ids, r.Conversation.ID)
			spans = append(spans, width+more*time.Microsecond)
			s.clock.add(time.Microsecond)
		}
	}
	first := s.clock.Now().Add(-time.Duration(len(ids)) * time.Microsecond)
	for i, id := range ids {
		due := first.Add(time.Duration(i)*time.Microsecond + spans[i])
		if now := s.clock.Now(); due.After(now) {
			s.clock.add(due.Sub(now))
		}
		s.do(convo.ToConversation(acme, id), note)
		if i%4 == 0 {
			s.do(to("a"), convo.Open{By: ana}, convo.Close{By: ana})
		}
	}
	s.clock.now.Store(max(s.clock.now.Load(), began.UnixMicro()))
	s.imports(convo.History{
		Key: "old", To: to("a"), Commands: append(past(began.AddDate(-9, 0, 0), "1"),
			convo.Send{At: began.AddDate(-2, 0, 0), By: ana, Channel: "mail", Quiet: true,
				Body: "later"}),
	})
	s.Positive(s.pagesAsModel("a", random))
	s.moves(convo.ToConversation(acme, ids[4]), convo.Move{Contact: "b"})
	s.clock.add(9 * time.Hour)
	s.do(convo.ToConversation(acme, ids[4]), note)
	s.do(to("c"), convo.Open{By: ana}, convo.Close{By: ana})
	s.clock.add(100 * time.Hour)
	s.do(to("c"), convo.Open{By: ana})
	for _, c := range ids[:3] {
		s.do(convo.ToConversation(acme, c), note)
	}
	for _, primary := range []string{"b", "c"} {
		s.merge(s.engine, acme, primary, "a")
		s.pagesAsModel(primary, random)
		_, err := s.engine.Unmerge(s.ctx,
			convo.Unmerge{Workspace: acme, Contact: "a", By: ana})
		s.NoError(err)
		s.pagesAsModel("a", random)
		s.pagesAsModel(primary, random)
	}
}

// More conversations than a statement reads the events of begin at once, in a family of as many
// contacts; each log is longer than what is searched for in one half.
func pagesManyAtOnce(s *suite) {
	random := rand.New(rand.NewPCG(2, 2)) //nolint:gosec // it is to be the same each time
	const some = 105
	for i := range some {
		k := to(fmt.Sprint("k", i))
		s.do(k, convo.Receive{Body: "hi"}, convo.Close{By: ana})
		if i > 0 {
			s.merge(s.engine, acme, "k0", k.Contact)
		}
	}
	s.clock.add(2 * time.Hour)
	for i := range 70 {
		s.do(to("k0"), convo.Receive{Body: "hi"})
		s.do(convo.Ref{Workspace: acme, Contact: "k0", Lane: "x"}, convo.Receive{Body: "hi"})
		s.do(to("k0"), convo.SetProfile{By: ana, Name: new(fmt.Sprint(i))})
		s.clock.add(time.Duration(i%3) * time.Microsecond)
	}
	s.Greater(s.pagesAsModel("k0", random), 3*some)
}

// What changes a cycle after its closing, before and after a reopening.
func keepsCycles(s *suite) {
	k := from("k", "whatsapp", "1")
	in := convo.ToConversation(acme, s.do(k, convo.Receive{Body: "hi"},
		convo.Send{By: ana, Body: "hello"}).Conversation.ID)
	sent := s.events(convo.EventFilter{Workspace: acme, Conversation: in.Conversation})
	echo := convo.Send{By: bot, ExternalID: "w1", Body: "hello"}
	s.do(k, echo)
	cycles := func(replies ...int) {
		all, err := s.engine.Cycles(s.ctx, in)
		s.NoError(err)
		var got []int
		for i, c := range all {
			s.Equal(i+1, c.Number)
			got = append(got, c.OutgoingAutomation)
		}
		s.Equal(replies, got)
	}
	none, err := s.store.ClosedCycles(s.ctx, acme, in.Conversation)
	s.NoError(err)
	s.Empty(none)
	s.do(k, convo.Close{By: ana, Category: "a"})
	cycles(1)
	s.do(in, convo.AmendClosing{By: ana, Category: "b"}, convo.Rate{Score: 3})
	s.do(in, convo.Identify{By: ana, Message: sent[len(sent)-1].ID,
		Channel: "whatsapp", ExternalID: "w1"})
	cycles(0)
	s.do(in, convo.Reopen{By: ana}, convo.Send{By: bot, Body: "more"})
	cycles(0, 1)
	s.do(in, convo.Rate{Cycle: 1, Score: 1}, convo.Close{By: ana}, convo.Reopen{By: ana},
		convo.Close{By: ana}, convo.Reopen{By: ana}, convo.Rate{Cycle: 2, Score: 5})
	cycles(0, 1, 0, 0)
	s.do(in, convo.Close{By: ana})
	kept, err := s.store.ClosedCycles(s.ctx, acme, in.Conversation)
	s.NoError(err)
	s.Len(kept, 4)
	s.Equal(1, kept[0].Rating.Score)
	s.Equal("b", kept[0].Closing.Category)
	s.Equal(5, kept[1].Rating.Score)
	r := s.do(to("other"), convo.Open{By: ana}, convo.Close{By: ana}, convo.Reopen{By: ana},
		convo.Close{By: ana})
	kept, err = s.store.ClosedCycles(s.ctx, acme, r.Conversation.ID)
	s.NoError(err)
	s.Len(kept, 2)
	for _, elsewhere := range []struct {
		workspace string
		id        uuid.UUID
	}{{"globex", in.Conversation}, {acme, uuid.Max}} {
		none, err := s.store.ClosedCycles(s.ctx, elsewhere.workspace, elsewhere.id)
		s.NoError(err)
		s.Empty(none)
	}
}

// pagesOwnLogsOfOneCall links an address to a root contact, and retracts a message of a contact
// that was merged into it.
func pagesOwnLogsOfOneCall(s *suite) {
	quiet := s.do(to("guest"), convo.Receive{Body: "away", Quiet: true})
	s.do(to("susan"), convo.Receive{Body: "away, too", Quiet: true})
	s.merge(s.engine, acme, "susan", "guest")
	both := convo.Ref{
		Workspace: acme, Contact: "susan", Address: convo.Address{Channel: "sms", Value: "+49"},
	}
	r := s.do(both, convo.Retract{By: ana, Message: quiet.Events[0].ID})
	s.Len(r.Events, 2)
	s.do(to("guest"), convo.Receive{Body: "still away", Quiet: true})
	for _, contact := range []string{"guest", "susan"} {
		log := s.events(convo.EventFilter{
			Workspace: acme, OwnLog: contact, Limit: convo.MaxPageSize,
		})
		s.NotEmpty(log)
		for i, last := 0, int64(0); i < len(log); i++ { // Seqs may have gaps
			s.Equal(contact, log[i].Contact)
			s.Greater(log[i].Seq, last)
			last = log[i].Seq
		}
	}
	s.pagesAsModel("susan", rand.New(rand.NewPCG(1, 1)))
}
