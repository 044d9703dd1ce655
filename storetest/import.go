package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// importCases are histories of another system.
var importCases = []testCase{
	{
		"Import/leaves what a contact has by now as it is",
		"a history is before what is there: latest, active, and today's numbers stay",
		importsOlder,
	},
	{
		"Import/takes each history once, and can be resumed",
		"a history is imported once, by its key; a second import changes nothing",
		importsOnce,
	},
	{
		"Import/takes each message once, whichever histories tell of it",
		"an external id is unique for the address or contact",
		importsMessagesOnce,
	},
	{
		"Import/names the history that cannot be imported",
		"what comes before it is imported, and nothing of it",
		importsNothingBad,
	},
	{
		"Import/makes contacts known, each once",
		"a history of an unknown contact or address makes it known, however many there are of it",
		importsContacts,
	},
}

// past are the commands of a conversation that began at a time, and took an hour.
func past(at time.Time, externalID string) []convo.Command {
	return []convo.Command{
		convo.Receive{At: at, Channel: "mail", ExternalID: externalID, Body: "It is broken"},
		convo.Assign{At: at.Add(time.Minute), By: ana, Assignee: "ana", Team: "sales"},
		convo.Send{At: at.Add(10 * time.Minute), By: ana, Channel: "mail", Body: "Which one?"},
		convo.SetPending{At: at.Add(20 * time.Minute), By: ana},
		convo.Receive{At: at.Add(30 * time.Minute), Channel: "mail", Body: "The left one"},
		convo.Close{At: at.Add(time.Hour), By: ana, Category: "Old", Summary: "Replaced it."},
	}
}

func each(hs ...convo.History) iter.Seq2[convo.History, error] {
	return func(yield func(convo.History, error) bool) {
		for _, h := range hs {
			if !yield(h, nil) {
				return
			}
		}
	}
}

// imports has the histories imported, all of them new.
func (s *suite) imports(hs ...convo.History) {
	s.wrote(acme)
	r, err := s.engine.Import(s.ctx, acme, each(hs...), nil)
	s.NoError(err)
	s.Equal(len(hs), r.Imported)
}

func importsOlder(s *suite) {
	year := s.clock.Now().AddDate(-1, 0, 0)
	s.do(to("closed"), convo.Receive{Body: "hi"})
	s.clock.add(time.Minute)
	s.do(to("closed"), convo.Close{By: ana})
	s.do(to("active"), convo.Receive{Body: "hi"})
	s.do(to("blocked"), convo.Open{By: ana}, convo.Block{By: ana})
	for _, k := range []string{"closed", "active", "blocked"} {
		before := s.load(to(k))
		s.imports(convo.History{Key: k, To: to(k), Commands: past(year, k)})
		after := s.load(to(k))
		s.Equal(before.Conversation, after.Conversation, "the latest one stays")
		s.Equal(before.Contact.Blocked, after.Contact.Blocked)
		all := s.list(convo.Filter{Workspace: acme, Contact: k})
		s.Len(all, 2)
		old := all[1]
		s.Equal(year, old.CreatedAt)
		s.Equal(convo.StatusClosed, old.Status)
		s.False(old.NewContact, "it was decided once")
		first, _ := old.Cycle.FirstResponseTime()
		s.Equal(10*time.Minute, first)
		resolution, _ := old.Cycle.ResolutionTime()
		s.Equal(time.Hour, resolution)
		s.Equal("Old", old.Cycle.Closing.Category)
		history := s.events(convo.EventFilter{Workspace: acme, Contact: k})
		s.Equal("It is broken", history[1].Message().Body, "before today's")
	}
	s.do(to("active"), convo.Send{By: ana, Body: "hello"})
	s.Equal(convo.OutcomeOpened, s.do(to("closed"), convo.Receive{Body: "hi"}).Outcome)

	// Beside an active one that is older.
	active := s.do(to("beside"), convo.Open{By: ana}).Conversation.ID
	s.clock.add(48 * time.Hour)
	s.imports(convo.History{
		Key: "beside", To: to("beside"), Commands: past(s.clock.Now().Add(-24*time.Hour), "x"),
	})
	s.Equal(active, s.load(to("beside")).Conversation.ID)
	s.do(to("beside"), convo.Send{By: ana, Body: "still here"})

	// Between what is there, and after it.
	s.do(to("between"), convo.Open{By: ana}, convo.Close{By: ana})
	s.clock.add(48 * time.Hour)
	last := s.do(to("between"), convo.Open{By: ana}, convo.Close{By: ana}).Conversation.ID
	s.imports(convo.History{
		Key: "between", To: to("between"), Commands: past(s.clock.Now().Add(-24*time.Hour), "b"),
	})
	s.Equal(last, s.load(to("between")).Conversation.ID)
	s.clock.add(48 * time.Hour)
	s.imports(convo.History{
		Key: "after", To: to("between"), Commands: past(s.clock.Now().Add(-2*time.Hour), "a"),
	})
	s.NotEqual(last, s.load(to("between")).Conversation.ID, "that is the latest one now")
}

// A message is there once, whichever histories tell of it.
func importsMessagesOnce(s *suite) {
	year := s.clock.Now().AddDate(-1, 0, 0)
	history := func(key string, to convo.Ref, days int, ms ...convo.Receive) convo.History {
		h := convo.History{Key: key, To: to}
		at := year.AddDate(0, 0, days)
		for i := range ms {
			ms[i].At = at.Add(time.Duration(i) * time.Minute)
			h.Commands = append(h.Commands, ms[i])
		}
		h.Commands = append(h.Commands, convo.Close{By: ana, At: at.Add(time.Hour)})
		return h
	}
	m := func(address, id string) convo.Receive {
		return convo.Receive{Channel: "mail", Address: address, ExternalID: id, Body: "x"}
	}
	for i, c := range []struct {
		second  convo.Receive
		refused bool
	}{
		{m("", "17"), true}, {m("a@b.de", "17"), true}, {m("", "18"), false},
	} {
		k := to(fmt.Sprint("k", i))
		first := history(fmt.Sprint("first ", i), k, 0, m("", "17"))
		second := history(fmt.Sprint("second ", i), k, 5, c.second)
		told := 0
		r, err := s.engine.Import(s.ctx, acme, each(first, second),
			func(r convo.ImportResult) { told += len(r.Batch) })
		s.wrote(acme)
		s.Equal(r.Imported, told, "also before the one that cannot be imported")
		if !c.refused {
			s.NoError(err)
			continue
		}
		var bad *convo.ImportError
		s.ErrorAs(err, &bad, i)
		s.Equal(1, bad.Record)
		s.ErrorIs(err, convo.ErrInvalid)
		s.Equal(1, r.Imported)
		// by itself too
		_, err = s.engine.Import(s.ctx, acme, each(second), nil)
		s.ErrorIs(err, convo.ErrInvalid)
		// and twice in one history
		_, err = s.engine.Import(s.ctx, acme, each(history(fmt.Sprint("both ", i),
			to(fmt.Sprint("other ", i)), 0, m("", "17"), c.second, m("", "19"))), nil)
		s.ErrorAs(err, &bad)
		s.ErrorContains(err, "comes twice in the history")
	}
	// Two people may both have a message 17.
	s.imports(
		history("by a", from("a", "mail", "a"), 0, m("", "17")),
		history("by b", from("b", "mail", "b"), 0, m("", "17")),
	)
}

func importsOnce(s *suite) {
	year := s.clock.Now().AddDate(-1, 0, 0)
	var all []convo.History
	for i := range 230 {
		at := year.Add(time.Duration(i) * 2 * time.Hour)
		all = append(all, convo.History{
			Key: fmt.Sprint("case ", i), To: from(fmt.Sprint("k", i%40), "mail", fmt.Sprint(i%40)),
			Commands: append(past(at, fmt.Sprint("m", i)),
				convo.Reopen{At: at.Add(61 * time.Minute), By: convo.ByContact()},
				convo.Close{At: at.Add(62 * time.Minute), By: ana}),
		})
	}
	s.wrote(acme)
	ctx, cancel := context.WithCancel(s.ctx)
	_, err := s.engine.Import(ctx, acme, each(all...), func(r convo.ImportResult) {
		s.Equal(convo.DefaultImportBatch, r.Imported)
		s.Positive(r.Events)
		cancel()
	})
	s.ErrorIs(err, context.Canceled)
	var batches []convo.ImportedHistory
	r, err := s.engine.Import(s.ctx, acme, each(append(all, all[229])...),
		func(r convo.ImportResult) { batches = append(batches, r.Batch...) })
	s.NoError(err)
	s.Len(batches, 231)
	for i, b := range batches {
		s.Equal(all[min(i, 229)].Key, b.Key)
		s.Equal(i < convo.DefaultImportBatch || i == 230, b.Known)
		c, err := s.store.Conversation(s.ctx, acme, b.Conversation)
		s.NoError(err)
		s.Equal(int64(b.Events), c.Version, "all of its events")
	}
	r.Known-- // the one that the export has twice
	s.Equal(convo.DefaultImportBatch, r.Known)
	s.Equal(len(all)-convo.DefaultImportBatch, r.Imported)
	s.Len(s.list(convo.Filter{Workspace: acme}), len(all))
	s.unchanged(func() {
		r, err := s.engine.Import(s.ctx, acme, each(all...), nil)
		s.NoError(err)
		s.Equal(len(all), r.Known)
		s.Zero(r.Imported)
		s.Zero(r.Events)
	})
	again, err := s.engine.Do(s.ctx, from("k7", "mail", "7"),
		convo.Receive{ExternalID: "m7", Body: "delivered again"})
	s.NoError(err)
	s.Equal(convo.OutcomeDuplicate, again.Outcome)
}

func importsNothingBad(s *suite) {
	year := s.clock.Now().AddDate(-1, 0, 0)
	good := func(n int) convo.History {
		return convo.History{
			Key: fmt.Sprint("good ", n), To: to(fmt.Sprint("g", n)),
			Commands: past(year, fmt.Sprint("g", n)),
		}
	}
	s.do(to("there"), convo.Receive{Channel: "mail", ExternalID: "there", Body: "hi"})
	n := 0
	bad := func(cmds ...convo.Command) convo.History {
		return convo.History{Key: "bad", To: to("bad"), Commands: cmds}
	}
	then := func(cmd convo.Command) convo.History { return bad(append(past(year, "1"), cmd)...) }
	later := past(year.Add(2*time.Hour), "2")
	for name, bad := range map[string]convo.History{
		"no key":      {To: to("bad"), Commands: past(year, "1")},
		"no contact":  {Key: "bad", Commands: past(year, "1")},
		"a control":   {Key: "bad", To: to("a\n"), Commands: past(year, "1")},
		"a named one": {Key: "bad", To: convo.ToConversation(acme, uuid.New())},
		"no commands": bad(), "not closed": bad(past(year, "1")[:5]...),
		"without time":  bad(convo.Open{By: ana}),
		"two of them":   bad(append(past(year, "1"), later...)...),
		"backwards":     then(convo.Note{By: ana, At: year, Body: "n"}),
		"in the future": bad(past(s.clock.Now().Add(time.Hour), "1")...),
		"a block":       then(convo.Block{By: ana, At: year.Add(2 * time.Hour)}),
		"a key": then(convo.Note{
			By: ana, At: year.Add(2 * time.Hour), Key: "k", Body: "n",
		}),
		"no body": bad(convo.Receive{At: year}),
		"another workspace": {
			Key: "bad", To: convo.ToContact("beta", "bad"), Commands: past(year, "1"),
		},
		"a known message": {
			Key: "bad", To: to("there"), Commands: past(year, "there"),
		},
	} {
		before, after := good(n), good(n+1)
		n += 2
		s.wrote(acme)
		r, err := s.engine.Import(s.ctx, acme, each(before, bad, after), nil)
		var failed *convo.ImportError
		s.ErrorAs(err, &failed, name)
		s.Equal(1, failed.Record, name)
		s.Equal(bad.Key, failed.Key, name)
		s.Equal(1, r.Imported, name)
		s.Zero(s.load(to("bad")).Contact.Version, name)
		s.Zero(s.load(after.To).Contact.Version, name)
		s.Positive(s.load(before.To).Contact.Version, name)
	}
	broken := errors.New("the file ends here")
	_, err := s.engine.Import(s.ctx, acme, func(yield func(convo.History, error) bool) {
		if yield(good(n), nil) {
			yield(convo.History{}, broken)
		}
	}, nil)
	s.ErrorIs(err, broken)
	s.Positive(s.load(good(n).To).Contact.Version)
	_, err = s.engine.Import(s.ctx, "", each(), nil)
	s.ErrorIs(err, convo.ErrInvalid)
}

func importsContacts(s *suite) {
	year := s.clock.Now().AddDate(-1, 0, 0)
	mail := convo.ToAddress(acme, "mail", "zoe@example.com")
	s.imports(
		convo.History{Key: "1", To: mail, Commands: past(year, "1")},
		convo.History{Key: "2", To: mail, Commands: past(year.Add(24*time.Hour), "2")},
		convo.History{Key: "3", To: mail, Commands: past(year.Add(-24*time.Hour), "3")},
		convo.History{Key: "4", To: to("tom"), Commands: past(year, "4")},
		convo.History{
			Key: "5", To: from("tom", "sms", "+1"), Commands: past(year.Add(time.Hour), "5"),
		},
		convo.History{
			Key: "6", To: convo.ToAddress(acme, "sms", "+1"),
			Commands: past(year.Add(5*time.Hour), "6"),
		},
	)
	t := s.load(mail)
	all := s.list(convo.Filter{Workspace: acme, Contact: t.Contact.ID})
	s.Len(all, 3)
	s.Equal(all[0].ID, t.Conversation.ID, "the one that was opened last")
	s.Equal(year, t.Contact.CreatedAt)
	newOnes := 0
	for _, c := range all {
		if c.NewContact {
			newOnes++
		}
	}
	s.Equal(1, newOnes)
	s.Len(s.list(convo.Filter{Workspace: acme, Contact: "tom"}), 3)
	s.Equal("tom", s.load(convo.ToAddress(acme, "sms", "+1")).Contact.ID)
	s.Equal(convo.OutcomeOpened, s.do(mail, convo.Receive{Body: "Hi again"}).Outcome)
	r, err := s.engine.Import(s.ctx, acme, each(convo.History{
		Key: "7", To: from("zoe", "sms", "+1"), Commands: past(year, "7"),
	}), nil)
	s.ErrorIs(err, convo.ErrAddressTaken)
	s.Zero(r.Imported)
}
