package main

import (
	"context"
	"html"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
)

// passes has some time pass, and what is due by then be done.
func (w *world) passes(d time.Duration) {
	w.t.Helper()
	w.clock.Add(d)
	_, err := w.engine.Tick(w.t.Context(), 0)
	require.NoError(w.t, err)
}

// last is the last event of a kind of a conversation.
func (w *world) last(id uuid.UUID, kind convo.EventKind) (last convo.Event) {
	w.t.Helper()
	events, err := w.engine.Transcript(w.t.Context(), convo.ToConversation("kettles", id),
		convo.EventCursor{}, 0)
	require.NoError(w.t, err)
	for _, e := range events {
		if e.Kind == kind {
			last = e
		}
	}
	return last
}

// reads is a page as its reader sees its texts.
func (c *client) reads(path string) string {
	return html.UnescapeString(c.get(path).body)
}

func TestAVisitorWhoDoesNotAnswerIsNudgedAndThenLeft(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Hi")
	id := riya.latest().ID
	w.passes(patience - time.Second)
	require.NotContains(t, riya.reads("/thread"), nudgeText, "nobody has answered the visitor")
	ana.does(id, "reply", map[string]any{"body": "Which kettle is it?"})

	w.passes(patience - time.Second)
	require.NotContains(t, riya.reads("/thread"), nudgeText)
	w.passes(time.Second)
	require.Equal(t, 1, strings.Count(riya.reads("/thread"), nudgeText))
	require.Contains(t, riya.reads("/thread"), "Automatic message")
	require.NotContains(t, riya.reads("/thread"), "does not answer", "that is for agents only")
	path := "/inbox/" + id.String() + "/thread"
	require.Contains(t, ana.reads(path), "found that the visitor does not answer")
	require.Contains(t, ana.get("/inbox/list").body, `data-incoming="0"`,
		"what this program sends is new to no agent")

	w.writesNothing(func() { // whoever hears of it again
		w.nudges.observe(t.Context(), []convo.Event{w.last(id, convo.DeadlinePassed)})
	})

	w.passes(patience)
	thread := riya.reads("/thread")
	require.Contains(t, thread, farewell)
	require.Less(t, strings.Index(thread, farewell), strings.Index(thread,
		convo.NoticeClosed.Text()))
	require.NotContains(t, thread, "No answer", "that is for agents only")
	require.Equal(t, 2, strings.Count(thread, "Automatic message"))
	require.Contains(t, ana.reads(path),
		"closed the conversation as No answer: The visitor did not answer.")
	c := riya.latest()
	require.Equal(t, convo.StatusClosed, c.Status)
	require.Equal(t, convo.SourceInactivity, c.Cycle.Closing.Source)
	require.Equal(t, 1, c.Cycle.OutgoingAutomation, "of the flow: quiet ones do not count")
}

func TestANudgeThatIsTooLateIsNotSent(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	asked := func() (*client, uuid.UUID) {
		riya := w.visitor("kettles")
		riya.says("Hi")
		id := riya.latest().ID
		ana.does(id, "reply", map[string]any{"body": "Which kettle is it?"})
		return riya, id
	}
	riya, id := asked()
	w.passes(24 * time.Hour) // without a server
	require.Equal(t, convo.DeadlinePassed, w.last(id, convo.DeadlinePassed).Kind)
	require.NotContains(t, riya.reads("/thread"), nudgeText)
	require.Contains(t, riya.reads("/thread"), farewell)

	for name, meanwhile := range map[string]func(*client, uuid.UUID){
		"answered": func(riya *client, _ uuid.UUID) { riya.says("The red one.") },
		"closed": func(_ *client, id uuid.UUID) {
			ana.does(id, "close", map[string]any{"category": "Sales"})
		},
		"pending": func(_ *client, id uuid.UUID) { ana.does(id, "set-pending", nil) },
		"blocked": func(_ *client, id uuid.UUID) { ana.does(id, "block", nil) },
	} {
		riya, id := asked()
		meanwhile(riya, id)
		e := convo.Event{ID: uuid.New(), Workspace: "kettles", Conversation: id,
			Kind: convo.DeadlinePassed, At: w.clock.Now(), Payload: &convo.Passing{
				Mark: convo.Mark{Deadline: "nudge"}}}
		w.nudges.observe(t.Context(), []convo.Event{e})
		require.NotContains(t, riya.reads("/thread"), nudgeText, name)
	}
	require.NotContains(t, w.log.String(), "level=ERROR")
}

func TestAnAgentWhoDoesNotAnswerLosesTheConversation(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Hi")
	id := riya.latest().ID
	ana.does(id, "take", nil)
	w.passes(2*patience - time.Second)
	require.Equal(t, "ana", riya.latest().Assignee)
	w.passes(time.Second)
	require.Empty(t, riya.latest().Assignee)
	require.Contains(t, ana.reads("/inbox/"+id.String()+"/thread"),
		"took it back, because the visitor waits")
}

func TestAgentsSeeWhatRunsOutNext(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	ids := w.seed(4) // a minute apart: the first one is 3 minutes old
	ana.does(ids[1], "reply", map[string]any{"body": "Good day."})
	ana.does(ids[2], "set-pending", nil)
	ana.does(ids[3], "close", map[string]any{"category": "Sales"})
	order := func(query string, want ...uuid.UUID) string {
		t.Helper()
		list, at := ana.reads("/inbox/list?order=deadline&"+query), -1
		for _, id := range want {
			next := strings.Index(list, "row-"+id.String())
			require.Greater(t, next, at, "%v\n%s", want, list)
			at = next
		}
		require.Equal(t, len(want), strings.Count(list, `id="row-`))
		return list
	}
	list := order("view=all", ids[0], ids[2], ids[1])
	for _, text := range []string{
		`>First response: <time class="left" datetime="2026-03-02T09:06:00Z">2 min left</time>`,
		`>First response: <time class="left" datetime="2026-03-02T09:08:00Z">4 min left</time>`,
		`>Nudge: <time class="left" datetime="2026-03-02T09:09:00Z">5 min left</time>`,
	} {
		require.Contains(t, list, text)
	}
	require.NotContains(t, list, "Resolution", "only what is next")
	require.NotContains(t, ana.reads("/inbox/list"), "min left", "other lists stay as they are")
	require.Contains(t, order("view=mine"), "Nothing runs out here.")

	// Overdue is said, not only coloured, also once the timer has done what is to be done.
	w.clock.Add(2*time.Minute + 30*time.Second)
	over := `<span class="tag runs overdue">First response: ` +
		`<time class="left" datetime="2026-03-02T09:06:00Z">just overdue</time>`
	require.Contains(t, order("status=open", ids[0], ids[1]), over)
	w.passes(0)
	list = order("status=open", ids[1], ids[0])
	require.Contains(t, list, over)
	require.Contains(t, list, "Resolution: ", "and what runs out next")

	// The page of a conversation has all of them, and what became of them.
	thread := func(i int) string { return ana.reads("/inbox/" + ids[i].String() + "/thread") }
	require.Contains(t, thread(0), "marked the first response as missed")
	require.NotContains(t, thread(0), "First response missed", "once is enough")
	require.Contains(t, thread(0), "just overdue")
	require.Contains(t, thread(1), "First response met")
	require.Contains(t, thread(1), "Nudge: <time")
	require.Contains(t, thread(1), "Closing: <time")
	require.Contains(t, thread(2), "Resolution: stands still, 59 min left")
	require.NotContains(t, thread(3), `class="runs`, "nothing runs when it is closed")
	require.Contains(t, thread(3), "Resolution met")
	ana.does(ids[0], "reply", map[string]any{"body": "At last."})
	require.NotContains(t, thread(0), "overdue")
	w.passes(12 * patience)
	ana.does(ids[2], "close", map[string]any{"category": "Sales"})
	require.Contains(t, thread(2), "Resolution met", "it stood still")
	require.Equal(t, http.StatusNotFound, ana.get("/inbox/list?order=lost").status)

	history := ana.reads("/inbox/" + ids[2].String() + "/history")
	require.Contains(t, history, "Resolution met")
}

func TestWhatBecameOfTargetsIsForAgentsOnly(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	for wait, says := range map[time.Duration]string{
		patience: "First response met", patience + time.Second: "First response missed",
	} {
		riya := w.visitor("kettles")
		riya.says("Hi")
		id := riya.latest().ID
		w.clock.Add(wait) // the reply is faster than the timer
		ana.does(id, "reply", map[string]any{"body": "Good day."})
		require.Contains(t, ana.reads("/inbox/"+id.String()+"/thread"), says)
		ana.does(id, "close", map[string]any{"category": "Sales"})
		for _, text := range []string{"missed", " met", "First response", "Resolution", "left<"} {
			require.NotContains(t, riya.reads("/thread"), text)
		}
	}
}

func TestWhatIsOverdueEndsWithTheConversation(t *testing.T) {
	w := newWorld(t)
	ana, id := w.agent("ana@kettles"), w.seed(1)[0]
	path := "/inbox/" + id.String() + "/thread"
	w.passes(12*patience + time.Hour)
	require.Contains(t, ana.reads(path), "overdue by 1 h")
	require.Contains(t, ana.reads(path), "marked the resolution as missed")
	ana.does(id, "close", map[string]any{"category": "Sales"})
	require.NotContains(t, ana.reads(path), "overdue by")
}

func TestAPendingConversationMayStayWhateverTheVisitorWrites(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Hi")
	id := riya.latest().ID
	path := "/inbox/" + id.String() + "/thread"
	ana.does(id, "set-pending", map[string]any{"stay": true})
	riya.says("Any news?")
	require.Equal(t, convo.StatusPending, riya.latest().Status)
	require.Contains(t, ana.reads(path), "set it to pending until an agent resumes it")
	ana.does(id, "set-pending", map[string]any{"stay": true,
		"until": w.clock.Now().Add(time.Hour)})
	require.Contains(t, ana.reads(path), "set it to pending, whatever the visitor writes, until")
	ana.does(id, "set-pending", map[string]any{"stay": false})
	require.Contains(t, ana.reads(path), "set it to pending until the visitor writes")
	riya.says("And now?")
	require.Equal(t, convo.StatusOpen, riya.latest().Status)
}

func TestAnotherPatienceTakesHoldAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	db, file := filepath.Join(dir, "livechat.sqlite"), filepath.Join(dir, "secrets.json")
	first := start(t, "--db", db, "--secrets", file, "--patience", "48h")
	w := &world{t: t, url: first.url, keep: readSecrets(t, file)}
	riya := w.visitor("kettles")
	riya.says("Hi")
	contact := riya.contact()
	deadline := func() time.Duration {
		store, closeStore, err := database.Open(t.Context(), db)
		require.NoError(t, err)
		defer func() { require.NoError(t, closeStore()) }()
		engine, err := convo.New(store)
		require.NoError(t, err)
		c, err := engine.Conversation(t.Context(), convo.ToContact("kettles", contact))
		require.NoError(t, err)
		return c.Deadline.Sub(c.CreatedAt)
	}
	status, _ := first.stop()
	require.Zero(t, status, first.log)
	require.Equal(t, 48*time.Hour, deadline())
	status, _ = start(t, "--db", db, "--secrets", file, "--patience", "1h").stop()
	require.Zero(t, status)
	require.Equal(t, time.Hour, deadline())
}

func TestTheProgramNudgesAndClosesByItself(t *testing.T) {
	t.Setenv("CONVO_LIVECHAT_PASSWORD", password)
	file := filepath.Join(t.TempDir(), "secrets.json")
	program := start(t, "--db", "", "--secrets", file, "--patience", "1s")
	w := &world{t: t, url: program.url, keep: readSecrets(t, file)}
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	changes := riya.changes(ctx, "/events")
	riya.says("Hi")
	_, id, found := strings.Cut(ana.reads("/inbox/list"), `href="/inbox/`)
	require.True(t, found)
	ana.does(uuid.MustParse(id[:36]), "reply", map[string]any{"body": "Which kettle is it?"})
	thread := riya.reads("/thread")
	for !strings.Contains(thread, `data-status="closed"`) {
		_, more := <-changes
		require.True(t, more, program.log)
		thread = riya.reads("/thread")
	}
	require.Equal(t, 1, strings.Count(thread, farewell))
	// A machine that was too busy for a whole second finds both due at once: then the visitor is not
	// nudged any more. That there is a nudge otherwise, is shown where the clock is moved.
	if strings.Contains(thread, nudgeText) {
		require.Equal(t, 1, strings.Count(thread, nudgeText))
		require.Less(t, strings.Index(thread, nudgeText), strings.Index(thread, farewell))
	}
	status, rest := program.stop()
	require.Zero(t, status, program.log)
	require.Contains(t, rest, "deadlines that passed")
}

// closedBy is a conversation of a visitor that an agent has closed.
func (c *client) closedBy(ana *client) convo.Conversation {
	c.w.t.Helper()
	c.says("Hi")
	ana.does(c.latest().ID, "close", map[string]any{"category": "Sales"})
	return c.latest()
}

func TestAVisitorRatesAClosedConversation(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	require.NotContains(t, riya.reads("/thread"), "rating-form")
	c := riya.closedBy(ana)
	thread := riya.reads("/thread")
	require.Contains(t, thread, "How was this chat?")
	require.Contains(t, thread, `data-conversation="`+c.ID.String()+`" data-cycle="1"`)
	require.NotContains(t, thread, " checked")

	values := func(score int, comment string) map[string]any {
		return map[string]any{"conversation": c.ID, "cycle": 1, "score": score, "comment": comment}
	}
	require.Contains(t, riya.post("/rate", values(2, " Slow. ")).body, "rated")
	require.Contains(t, riya.post("/rate", values(4, "Slow, <b>but</b> good.")).body, "rated")
	thread = riya.get("/thread").body
	require.Contains(t, thread, "You can change it.")
	require.Contains(t, thread, `value="4" checked`)
	require.Equal(t, 1, strings.Count(thread, " checked"))
	require.Contains(t, thread, ">Slow, &lt;b&gt;but&lt;/b&gt; good.</textarea>")
	require.Equal(t, 4, riya.latest().Cycle.Rating.Score)
	agent := ana.reads("/inbox/" + c.ID.String() + "/thread?about=1")
	require.Contains(t, agent, "rated the conversation 2 of 5: Slow.")
	require.Contains(t, agent, "Rated 4 of 5: <bdi>Slow")

	// A page that is behind rates what it shows, and nothing that goes on.
	require.Equal(t, http.StatusOK, riya.post("/restart", nil).status)
	require.NotContains(t, riya.reads("/thread"), "rating-form")
	require.Contains(t, riya.post("/rate", values(5, "")).body, "rated")
	require.Zero(t, riya.latest().Cycle.Rating)
	w.writesNothing(func() {
		v := values(1, "")
		v["cycle"] = 2
		require.Equal(t, http.StatusConflict, riya.post("/rate", v).status)
	})
	require.Contains(t, ana.reads("/inbox/"+c.ID.String()+"/thread?about=1"), "Rated 5 of 5")
}

func TestNobodyElseRatesAConversation(t *testing.T) {
	w := newWorld(t)
	riya, eve, ana := w.visitor("kettles"), w.visitor("kettles"), w.agent("ana@kettles")
	other := w.visitor("globex")
	c := riya.closedBy(ana)
	eve.says("Hi")
	other.says("Hi")
	good := func() map[string]any {
		return map[string]any{"conversation": c.ID, "cycle": 1, "score": 5, "comment": ""}
	}
	require.Equal(t, http.StatusOK, riya.post("/rate", good()).status)
	w.writesNothing(func() {
		for _, who := range []*client{eve, other} {
			require.Equal(t, http.StatusNotFound, who.post("/rate", good()).status)
		}
		require.Equal(t, http.StatusUnauthorized, ana.post("/w/kettles/rate", good()).status,
			"nor does an agent")
		for _, bad := range []struct {
			field  string
			value  any
			status int
		}{
			{"conversation", uuid.Nil, http.StatusNotFound},
			{"conversation", uuid.New(), http.StatusNotFound},
			{"conversation", "1", http.StatusBadRequest},
			{"cycle", 0, http.StatusNotFound},
			{"cycle", -1, http.StatusNotFound},
			{"cycle", 2, http.StatusNotFound},
			{"score", 0, http.StatusUnprocessableEntity},
			{"score", 6, http.StatusUnprocessableEntity},
			{"score", "5", http.StatusBadRequest},
			{"comment", strings.Repeat("x", maxSummary+1), http.StatusUnprocessableEntity},
			{"comment", "a\x00b", http.StatusUnprocessableEntity},
			{"by", "ana", http.StatusBadRequest},
		} {
			values := good()
			values[bad.field] = bad.value
			a := riya.post("/rate", values)
			require.Equal(t, bad.status, a.status, "%s %v: %s", bad.field, bad.value, a.body)
		}
	})

	// After a merge both write in one conversation, which is still the one's whose it was.
	ana.does(eve.latest().ID, "merge", map[string]any{"contact": riya.contact()})
	ana.does(eve.latest().ID, "close", map[string]any{"category": "Sales"})
	require.Contains(t, eve.reads("/thread"), "rating-form")
	require.NotContains(t, riya.reads("/thread"), "rating-form")
	require.Contains(t, riya.post("/rate", good()).body, "unchanged", "theirs still is")
	shared := good()
	shared["conversation"] = eve.latest().ID
	w.writesNothing(func() {
		require.Equal(t, http.StatusNotFound, riya.post("/rate", shared).status)
	})
	ana.does(eve.latest().ID, "block", nil)
	w.writesNothing(func() {
		a := eve.post("/rate", shared)
		require.Equal(t, http.StatusForbidden, a.status)
		require.Contains(t, a.body, "takes no messages from you")
	})
}
