package convo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
)

var bot = convo.ByAutomation("bot")

// hold holds a conversation for the bot, for ten minutes at most.
func hold(by convo.Actor, now time.Time) convo.Command {
	return convo.SetPending{
		By: by, Until: now.Add(10 * time.Minute), OnReceive: convo.OnReceiveStay,
	}
}

// held reports whether a conversation is held for the bot.
func held(c convo.Conversation) bool {
	return c.Status == convo.StatusPending && c.OnReceive == convo.OnReceiveStay &&
		c.Assignee == "" && c.Team == ""
}

// receiveForBot records a message. What opens a conversation holds it for the bot, and each message
// that the bot gets begins the ten minutes anew.
func receiveForBot(
	ctx context.Context, engine *convo.Engine, to convo.Ref, id, text string, now time.Time,
) (convo.Result, error) {
	return engine.DoFunc(ctx, to, "", func(s convo.Snapshot) ([]convo.Command, error) {
		cmds := []convo.Command{convo.Receive{ExternalID: id, Body: text}}
		if !s.Conversation.Status.Active() || held(s.Conversation) {
			cmds = append(cmds, hold(bot, now))
		}
		return cmds, nil
	})
}

// about does something about an event: once, and only if it is called for by then.
func about(
	ctx context.Context, engine *convo.Engine, e *convo.Event,
	calledFor func(convo.Conversation) bool, cmds ...convo.Command,
) (convo.Result, error) {
	to := convo.ToConversation(e.Workspace, e.Conversation)
	return engine.DoFunc(ctx, to, "bot "+e.ID.String(),
		func(s convo.Snapshot) ([]convo.Command, error) {
			if !calledFor(s.Conversation) {
				return nil, nil
			}
			return cmds, nil
		})
}

// botsTurn reports whether the bot may answer a message: since it came, nobody else has had the
// conversation.
func botsTurn(m *convo.Event) func(convo.Conversation) bool {
	return func(c convo.Conversation) bool { return held(c) && !m.At.Before(c.StatusSince) }
}

// reply has the bot answer a message.
func reply(
	ctx context.Context, engine *convo.Engine, m *convo.Event, text string,
) (convo.Result, error) {
	return about(ctx, engine, m, botsTurn(m), convo.Send{By: bot, Body: text})
}

// handOver has a team answer a message, which gets what the bot has found out.
func handOver(
	ctx context.Context, engine *convo.Engine, m *convo.Event, team, why string,
) (convo.Result, error) {
	return about(ctx, engine, m, botsTurn(m),
		convo.Send{By: bot, Body: "I get somebody who knows."},
		convo.Note{By: bot, Body: why},
		convo.Assign{By: bot, Team: team},
		convo.Resume{By: bot})
}

// askBot is the call to your bot. Its error says why a person is to go on.
type askBot func(ctx context.Context, m *convo.Event) (text string, err error)

// converse has the bot answer a message within five seconds, or hand over.
func converse(ctx context.Context, engine *convo.Engine, ask askBot, m *convo.Event) error {
	c, err := engine.Conversation(ctx, convo.ToConversation(m.Workspace, m.Conversation))
	if err != nil || !botsTurn(m)(c) {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	text, err := ask(asking, m)
	if err != nil {
		_, err = handOver(ctx, engine, m, "support", err.Error())
	} else {
		_, err = reply(ctx, engine, m, text)
	}
	return err // of ctx, where this process stops: another one asks again
}

// botRelay brings to the bot what it has to hear of.
func botRelay(
	store relay.Store, engine *convo.Engine, ask askBot, opts ...relay.Option,
) (*relay.Relay, error) {
	hears := relay.PublisherFunc(func(ctx context.Context, e *convo.Event) (err error) {
		switch {
		case e.Kind == convo.MessageReceived && !e.Message().Quiet:
			err = converse(ctx, engine, ask, e)
		case e.Kind == convo.ConversationResumed && e.Source == convo.SourceTimer:
			_, err = about(ctx, engine, e, teamless, convo.Assign{By: bot, Team: "support"})
		case e.Kind == convo.DeadlinePassed && e.Passing().Mark.Deadline == unclaimed:
			_, err = about(ctx, engine, e, nobodys, convo.Send{By: bot, Body: "All are busy."})
		}
		return err
	})
	targets := func(context.Context, string) ([]relay.Target, error) {
		return []relay.Target{{Name: "bot", Publisher: hears, Kinds: []convo.EventKind{
			convo.MessageReceived, convo.ConversationResumed, convo.DeadlinePassed,
		}}}, nil
	}
	return relay.New(store, targets, append([]relay.Option{
		relay.WithWorkers(20),             // visitors whom the bot is asked about at a time
		relay.WithLease(20 * time.Second), // after which another process asks, if one has died
		relay.WithBackoff(time.Second, 5*time.Second, 30*time.Second, 5*time.Minute),
	}, opts...)...)
}

// nobodys reports whether a conversation is open, and nobody has taken it.
func nobodys(c convo.Conversation) bool {
	return c.Status == convo.StatusOpen && c.Assignee == ""
}

// teamless reports whether it is in no team's queue either.
func teamless(c convo.Conversation) bool { return nobodys(c) && c.Team == "" }

const unclaimed = "unclaimed"

// botPolicy says what is to happen by when.
func botPolicy() convo.Policy {
	return convo.Policy{
		Deadlines: []convo.Deadline{{
			Name: unclaimed, After: convo.Duration(10 * time.Minute),
			Since: convo.SinceOpened, While: convo.WhileOpen, // so it counts from the hand-over
		}},
		AutoClose: convo.AutoClose{After: convo.Duration(24 * time.Hour), Summary: "No answer."},
		// What is reopened is nobody's then, as held wants it.
		UnassignOnClose: true,
	}
}

// claim takes a conversation if nobody has it, also from the bot.
func claim(
	ctx context.Context, engine *convo.Engine, to convo.Ref, user string,
) (convo.Result, error) {
	return engine.DoFunc(ctx, to, "", func(s convo.Snapshot) ([]convo.Command, error) {
		c := s.Conversation
		if by := c.Assignee; by != "" {
			return nil, fmt.Errorf("%s has it already", by)
		}
		cmds := []convo.Command{convo.Assign{By: convo.ByUser(user), Assignee: user, Team: c.Team}}
		if c.Status == convo.StatusPending {
			cmds = append(cmds, convo.Resume{By: convo.ByUser(user)})
		}
		return cmds, nil
	})
}

// giveBack has the bot go on with what the contact writes from now on.
func giveBack(
	ctx context.Context, engine *convo.Engine, to convo.Ref, user string, now time.Time,
) (convo.Result, error) {
	return engine.DoFunc(ctx, to, "", func(s convo.Snapshot) ([]convo.Command, error) {
		switch c := s.Conversation; {
		case c.Status != convo.StatusOpen || c.Assignee != user:
			return nil, fmt.Errorf("%s does not have it open", user)
		case c.Turn() == convo.TurnContactWaiting:
			return nil, errors.New("answer first: the bot does not answer what you were asked")
		}
		by := convo.ByUser(user)
		return []convo.Command{convo.Assign{By: by}, hold(by, now)}, nil
	})
}

// botNumbers are of the cycles that were closed in a period.
type botNumbers struct {
	Closed     int
	Contained  int           // closed by the bot, and no person has written
	HandedOver int           // at least once
	Answered   int           // of those, the ones whose first answer by a person came after it
	Waited     time.Duration // of those, from the hand-over to that answer, all together
}

// numbersOf counts them. The rate of containment is Contained ÷ Closed, that of hand-overs
// HandedOver ÷ Closed.
func numbersOf(
	ctx context.Context, store report.Store, q report.CyclesQuery,
) (n botNumbers, err error) {
	q.By = report.ByClosing
	err = store.Cycles(ctx, q, func(c *report.Cycle) error {
		n.Closed++
		switch {
		case !c.HandedOverAt.IsZero():
			n.HandedOver++
			if c.FirstResponseAt.After(c.HandedOverAt) {
				n.Answered++
				n.Waited += c.FirstResponseAt.Sub(c.HandedOverAt)
			}
		case c.Closing.By.Type == convo.ActorAutomation && c.OutgoingUser == 0:
			n.Contained++
		}
		return nil
	})
	return n, err
}

// botWorld is a program with a bot, on a clock that only a test moves.
type botWorld struct {
	engine *convo.Engine
	store  *memstore.Store
	relay  *relay.Relay
	now    *clock.Mock
	asked  int
}

func newBotWorld(ask askBot) *botWorld {
	w := &botWorld{store: memstore.New(memstore.WithOutbox()), now: clock.NewMock()}
	w.now.Set(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	w.engine = try(convo.New(w.store, convo.WithClock(w.now), convo.WithPolicy(botPolicy())))
	counted := func(ctx context.Context, m *convo.Event) (string, error) {
		w.asked++
		return ask(ctx, m)
	}
	w.relay = try(botRelay(w.store, w.engine, counted, relay.WithClock(w.now)))
	return w
}

var riya = convo.ToAddress("acme", "web", "visitor-7")

// writes has the visitor write, and returns the message.
func (w *botWorld) writes(id, text string) *convo.Event {
	events := try(receiveForBot(ctx, w.engine, riya, id, text, w.now.Now())).Events
	return &events[slices.IndexFunc(events, func(e convo.Event) bool {
		return e.Kind == convo.MessageReceived
	})]
}

// pass moves the clock, and does what is due.
func (w *botWorld) pass(d time.Duration) {
	w.now.Add(d)
	try(w.engine.Tick(ctx, 100))
	try(w.relay.Once(ctx))
}

// said are the messages to the visitor since the conversation was opened.
func (w *botWorld) said() (all []string) {
	events := try(w.engine.Transcript(ctx, riya, convo.EventCursor{}, convo.MaxPageSize))
	for _, m := range convo.Messages(events) {
		if m.Event.Kind == convo.MessageSent {
			all = append(all, m.Event.By.ID+": "+m.Body)
		}
	}
	return all
}

// A bot answers first and hands over to people, as docs/bots.md explains it.
func Example_bots() {
	w := newBotWorld(func(_ context.Context, m *convo.Event) (string, error) {
		if m.Message().Body == "Where is my order?" {
			return "Which number has it?", nil
		}
		return "", errors.New("Has no number of an order.")
	})
	w.writes("m1", "Where is my order?")
	w.pass(time.Second) // a program calls engine.Run(ctx, …) and relay.Run(ctx), in goroutines
	w.now.Add(59 * time.Second)
	w.writes("m2", "I do not know.")
	w.pass(0)
	c := try(w.engine.Active(ctx, riya))
	fmt.Println(c.Status, "team:", c.Team)

	for _, user := range []string{"ana", "ben"} {
		_, err := claim(ctx, w.engine, riya, user)
		fmt.Println(user, err)
	}
	w.now.Add(2 * time.Minute)
	try(w.engine.Do(ctx, riya, convo.Send{By: convo.ByUser("ana"), Body: "I found it."}))
	for _, said := range w.said() {
		fmt.Println(said)
	}
	responses := try(report.Run(ctx, w.store, report.Query{
		Kind: report.Responses, Workspace: "acme",
		From: w.now.Now().Add(-time.Hour), To: w.now.Now().Add(time.Hour),
	}))
	for _, m := range []report.Measure{report.FirstResponse, report.HandoverFirstResponse} {
		fmt.Println(m, time.Duration(responses.Total[m].Mean)*time.Microsecond)
	}
	// Output:
	// open team: support
	// ana <nil>
	// ben ana has it already
	// bot: Which number has it?
	// bot: I get somebody who knows.
	// ana: I found it.
	// first_response 3m0s
	// handover_first_response 2m0s
}

// A bot that is down holds nobody up: when its time is over, people see the conversation.
func Example_botThatIsDown() {
	w := newBotWorld(func(context.Context, *convo.Event) (string, error) {
		return "This is too late.", nil
	})
	w.writes("m1", "Hello?")
	w.pass(10 * time.Minute) // in which no relay has called the bot
	c := try(w.engine.Active(ctx, riya))
	fmt.Println(c.Status, "team:", c.Team, "said:", w.said())
	// Output: open team: support said: []
}
