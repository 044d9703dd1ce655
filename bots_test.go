package convo_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// What the bot says too late is not said: somebody has the conversation, or has had it since.
func TestTheBotAnswersOnlyInItsTurn(t *testing.T) {
	for what, meanwhile := range map[string]func(w *botWorld){
		"ana has taken it": func(w *botWorld) {
			try(claim(ctx, w.engine, riya, "ana"))
		},
		"ana has answered and given it back": func(w *botWorld) {
			try(claim(ctx, w.engine, riya, "ana"))
			try(w.engine.Do(ctx, riya, convo.Send{By: convo.ByUser("ana"), Body: "Here."}))
			w.now.Add(time.Second)
			try(giveBack(ctx, w.engine, riya, "ana", w.now.Now()))
		},
		"ana has set it aside": func(w *botWorld) {
			try(w.engine.Do(ctx, riya, convo.SetPending{By: convo.ByUser("ana")}))
		},
		"it is closed": func(w *botWorld) {
			try(w.engine.Do(ctx, riya, convo.Close{By: convo.ByUser("ana")}))
		},
	} {
		for _, failure := range []error{nil, errors.New("does not know")} {
			t.Run(fmt.Sprint(what, failure), func(t *testing.T) {
				var w *botWorld
				var before convo.Conversation
				w = newBotWorld(func(context.Context, *convo.Event) (string, error) {
					w.now.Add(time.Second)
					meanwhile(w)
					before = try(w.engine.Conversation(ctx, riya))
					return "Too late.", failure
				})
				w.writes("m1", "Hello?")
				w.pass(0)
				assert.Equal(t, 1, w.asked)
				after, err := w.engine.Conversation(t.Context(), riya)
				require.NoError(t, err)
				assert.Equal(t, before, after)
				w.pass(time.Second)
				assert.Equal(t, 1, w.asked)
			})
		}
	}
}

// Who is told of something twice does it once.
func TestWhatComesTwiceIsAnsweredOnce(t *testing.T) {
	w := newBotWorld(nil)
	m1, m2 := w.writes("m1", "Hello?"), w.writes("m2", "Are you there?")
	for range 2 {
		try(reply(ctx, w.engine, m1, "Which number has it?"))
	}
	try(handOver(ctx, w.engine, m1, "support", "This is a slip: it was answered."))
	for range 2 {
		try(handOver(ctx, w.engine, m2, "support", "Has no number."))
	}
	try(handOver(ctx, w.engine, m2, "sales", "Has no number."))
	assert.Equal(t, []string{"bot: Which number has it?", "bot: I get somebody who knows."}, w.said())
	c, err := w.engine.Active(t.Context(), riya)
	require.NoError(t, err)
	assert.Equal(t, "support", c.Team)
	again := try(receiveForBot(ctx, w.engine, riya, "m2", "Are you there?", w.now.Now()))
	assert.Equal(t, convo.OutcomeDuplicate, again.Outcome)
}

// A bot that does not answer, or fails, has nobody wait for long.
func TestABotThatDoesNotAnswerHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newBotWorld(func(ctx context.Context, _ *convo.Event) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		w.writes("m1", "Hello?")
		began := time.Now()
		w.pass(0)
		assert.InDelta(t, 5, time.Since(began).Seconds(), 0.1)
		c, err := w.engine.Active(t.Context(), riya)
		require.NoError(t, err)
		assert.Equal(t, []any{convo.StatusOpen, "support"}, []any{c.Status, c.Team})

		stopping, stop := context.WithCancel(t.Context())
		w = newBotWorld(func(ctx context.Context, _ *convo.Event) (string, error) {
			stop()
			return "", ctx.Err()
		})
		w.writes("m1", "Hello?")
		try(w.relay.Once(stopping))
		c, err = w.engine.Active(t.Context(), riya)
		require.NoError(t, err)
		assert.True(t, held(c), "that a process stops is no failure of the bot")
		w.pass(0)
		assert.Equal(t, 2, w.asked, "and another one asks again")
	})
}

// Each message begins the ten minutes anew. When they end, people see the conversation, in the
// queue of a team.
func TestAHoldEndsTenMinutesAfterTheLastMessage(t *testing.T) {
	w := newBotWorld(func(context.Context, *convo.Event) (string, error) { return "Yes?", nil })
	for i := range 3 {
		w.writes(fmt.Sprint("m", i), "Hello?")
		w.pass(9 * time.Minute)
		assert.True(t, held(try(w.engine.Active(ctx, riya))))
	}
	w.pass(time.Minute)
	c := try(w.engine.Active(ctx, riya))
	assert.Equal(t, []any{convo.StatusOpen, "support"}, []any{c.Status, c.Team})
	assert.Equal(t, w.now.Now(), c.Cycle.HandedOverAt)
	w.writes("m4", "Hello?")
	w.pass(0)
	assert.Equal(t, 3, w.asked)
	ana := convo.ByUser("ana")
	try(w.engine.Do(ctx, riya, convo.Assign{By: ana, Team: "sales"},
		convo.SetPending{By: ana, Until: w.now.Now().Add(time.Minute)}))
	w.pass(time.Minute)
	c = try(w.engine.Active(ctx, riya))
	assert.Equal(t, []any{convo.StatusOpen, "sales"}, []any{c.Status, c.Team}, "no hold has ended")
}

// What was for a person is not answered by the bot, however late it hears of it.
func TestTheBotGoesOnFromTheGivingBack(t *testing.T) {
	w := newBotWorld(func(context.Context, *convo.Event) (string, error) { return "Yes?", nil })
	w.writes("m1", "Hello?")
	w.pass(time.Second)
	for _, user := range []string{"ana", "ben"} {
		_, err := giveBack(ctx, w.engine, riya, user, w.now.Now())
		assert.ErrorContains(t, err, "does not have it open")
	}
	c := try(claim(ctx, w.engine, riya, "ana")).Conversation
	assert.Equal(t, []any{convo.StatusOpen, "ana"}, []any{c.Status, c.Assignee})
	assert.Zero(t, c.Cycle.HandedOverAt, "the bot has not handed over")
	w.now.Add(time.Minute)
	w.writes("m2", "Are you a person?") // the relay is late
	_, err := giveBack(ctx, w.engine, riya, "ana", w.now.Now())
	assert.ErrorContains(t, err, "answer first")
	w.now.Add(time.Minute)
	try(w.engine.Do(ctx, riya, convo.Send{By: convo.ByUser("ana"), Body: "I am."}))
	c = try(giveBack(ctx, w.engine, riya, "ana", w.now.Now())).Conversation
	assert.True(t, held(c))
	w.pass(0)
	assert.Equal(t, 1, w.asked)
	w.writes("m3", "Where is my order?")
	w.pass(0)
	assert.Equal(t, []string{"bot: Yes?", "ana: I am.", "bot: Yes?"}, w.said())
}

// Who waits in a queue is told once that all are busy, and only while nobody has taken it.
func TestWhatNobodyTakesIsSaidOnce(t *testing.T) {
	for _, taken := range []bool{false, true} {
		w := newBotWorld(func(context.Context, *convo.Event) (string, error) {
			return "", errors.New("does not know")
		})
		w.writes("m1", "Hello?")
		w.pass(9 * time.Minute) // in which the relay was down
		w.pass(9 * time.Minute)
		if taken {
			try(claim(ctx, w.engine, riya, "ana"))
		}
		want := []string{"bot: I get somebody who knows."}
		assert.Equal(t, want, w.said())
		w.pass(time.Minute)
		if !taken {
			want = append(want, "bot: All are busy.")
		}
		assert.Equal(t, want, w.said())
		w.pass(time.Hour)
		assert.Equal(t, want, w.said())
	}
}

// A day without an answer of the contact, and not of people, ends the conversation.
func TestADayWithoutAnAnswerCloses(t *testing.T) {
	w := newBotWorld(func(context.Context, *convo.Event) (string, error) {
		return "", errors.New("does not know")
	})
	w.writes("m1", "Hello?")
	w.pass(0)
	w.pass(25 * time.Hour)
	c := try(claim(ctx, w.engine, riya, "ana")).Conversation
	assert.Equal(t, convo.StatusOpen, c.Status)
	try(w.engine.Do(ctx, riya, convo.Send{By: convo.ByUser("ana"), Body: "Here."}))
	w.pass(24 * time.Hour)
	c = try(w.engine.Conversation(ctx, riya))
	assert.Equal(t, []any{convo.StatusClosed, "No answer.", ""},
		[]any{c.Status, c.Cycle.Closing.Summary, c.Assignee + c.Team})
}

// Containment and hand-overs, and how measures of reports differ.
func TestNumbersOfABot(t *testing.T) {
	w := newBotWorld(func(_ context.Context, m *convo.Event) (string, error) {
		return m.Message().Body, nil
	})
	ana := convo.ByUser("ana")
	from := w.now.Now()
	closed := func(by convo.Actor) {
		try(w.engine.Do(ctx, riya, convo.Close{By: by}))
		w.now.Add(time.Minute)
	}

	w.writes("m1", "Solved by the bot")
	w.pass(0)
	closed(bot)

	m := w.writes("m2", "Handed over after a minute")
	w.now.Add(time.Minute)
	try(handOver(ctx, w.engine, m, "support", "Does not know."))
	try(claim(ctx, w.engine, riya, "ana"))
	w.now.Add(7 * time.Minute)
	try(w.engine.Do(ctx, riya, convo.Send{By: ana, Body: "Here."}))
	closed(ana)

	m = w.writes("m3", "Handed over in vain")
	try(handOver(ctx, w.engine, m, "support", "Does not know."))
	closed(ana)

	w.writes("m4", "Taken from the bot")
	try(claim(ctx, w.engine, riya, "ana"))
	w.now.Add(time.Minute)
	try(w.engine.Do(ctx, riya, convo.Send{By: ana, Body: "Here."}))
	closed(ana)

	w.writes("m5", "Closed without a word")
	closed(ana)

	period := report.CyclesQuery{Workspace: "acme", From: from, To: w.now.Now()}
	n, err := numbersOf(t.Context(), w.store, period)
	require.NoError(t, err)
	assert.Equal(t, botNumbers{
		Closed: 5, Contained: 1, HandedOver: 2, Answered: 1, Waited: 7 * time.Minute,
	}, n)

	q := report.Query{Kind: report.Resolutions, Workspace: "acme", From: from, To: w.now.Now()}
	all := try(report.Run(ctx, w.store, q)).Total
	assert.Equal(t, int64(3), all[report.Automated].Count, "also who waited in vain")
	q.Filter = report.Filter{report.ActorType: {string(convo.ActorAutomation)}}
	byBot := try(report.Run(ctx, w.store, q)).Total
	assert.Equal(t, int64(1), byBot[report.Automated].Count)
	q.Kind, q.Filter = report.Responses, nil
	first := try(report.Run(ctx, w.store, q)).Total[report.HandoverFirstResponse]
	assert.Equal(t, []any{int64(2), 4 * time.Minute},
		[]any{first.Count, time.Duration(first.Mean) * time.Microsecond},
		"also of what was not handed over")
}
