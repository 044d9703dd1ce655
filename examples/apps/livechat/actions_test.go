package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// refused fails unless an action is refused with a text.
func (c *client) refused(id uuid.UUID, action string, values map[string]any, status int,
	text string) {
	c.w.t.Helper()
	c.w.writesNothing(func() {
		a := c.post("/inbox/"+id.String()+"/"+action, values)
		require.Equal(c.w.t, status, a.status, a.body)
		require.Contains(c.w.t, a.body, text)
	})
}

func TestWhatAgentsSayOfAConversation(t *testing.T) {
	w := newWorld(t)
	ana, id := w.agent("ana@kettles"), w.seed(1)[0]
	ana.does(id, "label", map[string]any{"add": " refund "})
	ana.does(id, "label", map[string]any{"add": "vip", "remove": "refund"})
	ana.does(id, "prioritize", map[string]any{"priority": "urgent"})
	ana.does(id, "name", map[string]any{"name": "Riya"})
	page := ana.get("/inbox/" + id.String()).body
	for _, text := range []string{
		"added the label refund", "added the label vip, took off the label refund",
		"changed the priority from none to urgent", `data-unlabel="vip"`, "<bdi>Riya</bdi>",
		`<span class="tag priority-urgent">urgent</span>`,
		`<span class="tag label"><bdi>vip</bdi></span>`,
	} {
		require.Contains(t, page, text)
	}
	require.NotContains(t, page, `data-unlabel="refund"`)
	for _, bad := range []struct {
		action string
		values map[string]any
		text   string
	}{
		{"label", map[string]any{"add": ""}, "The label must not be empty."},
		{"label", map[string]any{"add": strings.Repeat("x", 300)}, "The label is too long."},
		{"label", map[string]any{"add": "a\nb"}, "The label has characters"},
		{"prioritize", map[string]any{"priority": "extreme"}, "The priority does not fit"},
		{"name", map[string]any{"name": strings.Repeat("x", 300)}, "The name is too long."},
		{"move", map[string]any{"topic": "lost"}, "Choose a topic"},
		{"move", map[string]any{}, "Say where it belongs"},
		{"move", map[string]any{"contact": "nobody@example.com"}, "No contact"},
		{"move", map[string]any{"contact": strings.Repeat("x", 300)}, "up to 200"},
		{"set-pending", map[string]any{"until": w.clock.Now().Add(-time.Hour)},
			"Choose a time that is still to come."},
		{"close", map[string]any{"category": "Gossip"}, "Choose a category from the list."},
		{"reply", map[string]any{"body": ""}, "Write something first."},
	} {
		ana.refused(id, bad.action, bad.values, http.StatusUnprocessableEntity, bad.text)
	}
	for range convo.MaxLabels - 1 {
		ana.does(id, "label", map[string]any{"add": uuid.NewString()})
	}
	ana.refused(id, "label", map[string]any{"add": "one more"}, http.StatusUnprocessableEntity,
		"up to 32 labels")
	ana.does(id, "close", map[string]any{"category": "Sales"})
	ana.refused(id, "reply", map[string]any{"body": "Hi"}, http.StatusConflict,
		"The conversation is closed. Reopen it first.")
}

func TestOneOfSeveralAgentsTakesAConversation(t *testing.T) {
	w := newWorld(t)
	id := w.seed(1)[0]
	agents := []*client{w.agent("ana@kettles"), w.agent("ben@kettles")}
	require.Contains(t, agents[0].get("/inbox/"+id.String()).body, `id="take"`)
	answers := make([]answer, len(agents))
	var group sync.WaitGroup
	for i, c := range agents {
		group.Go(func() { answers[i] = c.post("/inbox/"+id.String()+"/take", nil) })
	}
	group.Wait()
	c, err := w.engine.Conversation(t.Context(), convo.ToConversation("kettles", id))
	require.NoError(t, err)
	require.NotEmpty(t, c.Assignee)
	for i, name := range []string{"ana", "ben"} {
		if name == c.Assignee {
			require.Equal(t, http.StatusOK, answers[i].status)
			require.Contains(t, agents[i].post("/inbox/"+id.String()+"/take", nil).body, "unchanged")
			continue
		}
		require.Equal(t, http.StatusConflict, answers[i].status)
		require.Equal(t, "taken", answers[i].code())
		require.Contains(t, answers[i].body, title(c.Assignee)+" has it already.")
	}
	require.NotContains(t, agents[0].get("/inbox/"+id.String()).body, `id="take"`)
}

func TestAConversationIsMovedToAnotherTopic(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Where is my order?")
	c := riya.latest()
	ana.does(c.ID, "move", map[string]any{"topic": "orders"})
	require.Contains(t, ana.get("/inbox/"+c.ID.String()).body,
		"moved the conversation from General to Orders")
	riya.says("It was a kettle.")
	ana.does(c.ID, "reply", map[string]any{"body": "It is on its way."})
	for _, text := range []string{"Where is my order?", "It was a kettle.", "on its way"} {
		require.Contains(t, riya.get("/thread").body, text, "the visitor stays in it")
	}
	require.NotContains(t, riya.get("/thread").body, "Orders")
	ana.does(c.ID, "close", map[string]any{"category": "Support"})
	require.Contains(t, riya.get("/thread").body, `data-status="closed"`)
	require.Equal(t, http.StatusConflict, riya.post("/messages", map[string]any{"body": "?"}).status)
	require.Equal(t, http.StatusOK, riya.post("/restart", nil).status)
	moved, err := w.engine.Conversation(t.Context(), convo.ToConversation("kettles", c.ID))
	require.NoError(t, err)
	require.Equal(t, convo.StatusOpen, moved.Status)
	require.Equal(t, "orders", moved.Lane)
}

func TestAConversationIsMovedToAnotherContact(t *testing.T) {
	w := newWorld(t)
	riya, eve, ana := w.visitor("kettles"), w.visitor("kettles"), w.agent("ana@kettles")
	for _, said := range []string{"Hi", "Something else", "riya@example.com"} {
		riya.says(said)
	}
	eve.says("I write for Riya.")
	id := eve.latest().ID
	ana.refused(id, "move", map[string]any{"contact": "riya@example.com"}, http.StatusConflict,
		"another conversation in that topic")
	ana.refused(id, "move", map[string]any{"contact": "isitor"}, http.StatusUnprocessableEntity,
		"Several contacts")
	ctx := t.Context()
	changes := eve.changes(ctx, "/events")
	<-changes
	ana.does(id, "move", map[string]any{"contact": "riya@example.com", "topic": "orders"})
	<-changes // her page hears that it has gone
	require.NotContains(t, eve.get("/thread").body, "I write for Riya.")
	page := ana.get("/inbox/" + id.String()).body
	require.Contains(t, page, "<h1><bdi>riya@example.com</bdi></h1>")
	require.Contains(t, page, "moved the conversation from Visitor ")
	require.Contains(t, page, ", and from General to Orders")
}

func TestAMergeLeavesALineAndIsUndone(t *testing.T) {
	w := newWorld(t)
	laptop, phone, ana := w.visitor("kettles"), w.visitor("kettles"), w.agent("ana@kettles")
	for _, c := range []*client{laptop, phone} {
		for _, said := range []string{"Hi", "Something else", "riya@example.com"} {
			c.says(said)
		}
	}
	one, two := laptop.latest(), phone.latest()
	laptop.says("Only on the laptop.")
	w.clock.Add(time.Second)
	page := ana.get("/inbox/" + one.ID.String()).body
	require.Contains(t, page, "Both will see what is said in this conversation", "the page asks first")
	changes := phone.changes(t.Context(), "/events")
	<-changes

	merge := map[string]any{"contact": phone.contact()}
	for range 2 {
		ana.does(one.ID, "merge", merge)
	}
	<-changes
	thread := ana.get("/inbox/" + one.ID.String() + "/thread").body
	require.Equal(t, 1, strings.Count(thread, "Merged riya@example.com into this contact."))
	require.Contains(t, thread, `data-unmerge="`+phone.contact()+`"`)
	require.Contains(t, ana.get("/inbox/"+two.ID.String()+"/thread").body,
		"This contact was merged into riya@example.com.")
	mine := phone.get("/thread").body
	require.Contains(t, mine, "Something else", "the phone keeps what was said there")
	require.NotContains(t, mine, "Only on the laptop.")
	require.NotContains(t, mine, "Merged", "that is for agents")
	w.clock.Add(time.Second)
	ana.does(one.ID, "reply", map[string]any{"body": "To both."})
	phone.says("Now on the phone.")
	mine = phone.get("/thread").body
	require.Regexp(t, "(?s)Something else.*To both.*>You <.*Now on the phone.", mine)
	require.NotContains(t, mine, "Only on the laptop.", "what was said before is not theirs")
	require.NotContains(t, mine, "elsewhere")
	require.Regexp(t, "(?s)>You <.*Only on the laptop.*To both.*>You, elsewhere <.*Now on the phone.",
		laptop.get("/thread").body)

	stranger := w.seed(1)[0]
	ana.refused(stranger, "unmerge", merge, http.StatusNotFound, "")
	for range 2 {
		ana.does(one.ID, "unmerge", map[string]any{"contact": phone.contact()})
	}
	thread = ana.get("/inbox/" + one.ID.String() + "/thread").body
	require.Equal(t, 1, strings.Count(thread, "Separated riya@example.com again"))
	require.NotContains(t, thread, "data-unmerge")
	require.Equal(t, two.ID, phone.latest().ID)
	require.NotContains(t, phone.get("/thread").body, "Only on the laptop.")

	// The phone's page hears of its own conversation again, and of no other.
	for quiet := false; !quiet; {
		select {
		case <-changes:
		case <-time.After(4 * apart):
			quiet = true
		}
	}
	ana.does(two.ID, "reopen", nil)
	select {
	case <-changes:
	case <-time.After(10 * time.Second):
		t.Fatal("the page hears nothing of what is the visitor's own again")
	}
	ana.refused(one.ID, "unmerge", map[string]any{"contact": "nobody"}, http.StatusNotFound, "")
}

func TestABlockedContactCannotWrite(t *testing.T) {
	w := newWorld(t)
	eve, ana := w.visitor("kettles"), w.agent("ana@kettles")
	eve.says("Buy my pills")
	id := eve.latest().ID
	ana.does(id, "block", nil)
	require.Contains(t, ana.get("/inbox/"+id.String()).body, `id="unblock"`)
	w.writesNothing(func() {
		a := eve.post("/messages", map[string]any{"body": "More pills"})
		require.Equal(t, http.StatusForbidden, a.status)
		require.Contains(t, a.body, "This chat takes no messages from you.")
	})
	ana.refused(id, "reply", map[string]any{"body": "No"}, http.StatusForbidden, "Unblock it first.")
	ana.does(id, "unblock", nil)
	require.Contains(t, ana.get("/inbox/"+id.String()).body, `id="block"`)
	eve.says("Sorry")
}

func TestAnOpenThreadGetsOnlyNewLines(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("the first line")
	c := riya.latest()
	path := "/inbox/" + c.ID.String() + "/thread?after="
	riya.says("the second line")
	part := ana.get(path + strconv.FormatInt(c.Version, 10)).body
	require.Contains(t, part, "the second line")
	require.Contains(t, part, "data-more")
	require.NotContains(t, part, "the first line")
	require.NotContains(t, part, `id="about"`, "nothing there has changed")
	ana.does(c.ID, "label", map[string]any{"add": "vip"})
	require.Contains(t, ana.get(path+strconv.FormatInt(c.Version, 10)).body, `data-unlabel="vip"`)
	require.Contains(t, ana.get(path+"99999&about=1").body, `id="about"`)
	require.Contains(t, ana.get(path+"0").body, "the first line")
	for _, bad := range []string{"-1", "x", "99999999999999999999"} {
		require.Equal(t, http.StatusBadRequest, ana.get(path+bad).status, bad)
	}

	// A visitor's page, too, which cannot count what is for agents only.
	lines := riya.get("/thread").body
	require.NotContains(t, lines, "data-seq")
	last := lines[strings.LastIndex(lines, `data-id="`)+len(`data-id="`):][:36]
	riya.says("the third line")
	part = riya.get("/thread?last=" + last).body
	require.Contains(t, part, "the third line")
	require.NotContains(t, part, "the second line")

	// More than a page has is not sent in pieces.
	for range shown {
		_, err := w.engine.Do(t.Context(), convo.ToConversation("kettles", c.ID),
			convo.Receive{Channel: channel, Body: "again"})
		require.NoError(t, err)
	}
	part = ana.get(path + "1").body
	require.NotContains(t, part, "data-more")
	require.Equal(t, shown, strings.Count(part, `class="line`)-1)
	require.Less(t, strings.Index(part, `data-id="earlier"`), strings.Index(part, "again"))
}

func TestNamesCannotTurnWhatStandsBesideThem(t *testing.T) {
	w := newWorld(t)
	ana, id := w.agent("ana@kettles"), w.seed(1)[0]
	const turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
	_, err := w.engine.Do(t.Context(), convo.ToAddress("kettles", "email", "x\u202emoc.live@a.com"),
		convo.Receive{Body: "Hi"})
	require.NoError(t, err)
	_, err = w.engine.Do(t.Context(), convo.ToContact("kettles", "seed-0000"),
		convo.SetProfile{By: convo.ByContact(), Name: ptr("نور" + turning)},
		convo.Label{By: convo.ByUser("ana"), Add: []string{"a\u202eb"}})
	require.NoError(t, err)
	for _, path := range []string{"/inbox", "/inbox/" + id.String(), "/inbox/" + id.String() +
		"/history"} {
		page := ana.get(path).body
		require.Contains(t, page, "نور", path)
		_, text, _ := strings.Cut(page, "<main")
		for _, r := range turning {
			for line := range strings.SplitSeq(text, "\n") {
				if strings.Contains(line, `data-unlabel`) || strings.Contains(line, `value="`) {
					continue // is no text, but what is sent back
				}
				require.NotContains(t, line, string(r), "%s: %U", path, r)
			}
		}
	}
	page := ana.get("/inbox/" + id.String()).body
	for _, part := range []string{
		`<p class="text" dir="auto">`, `<span class="preview" dir="auto">`, `<h1><bdi>`,
		`<span class="name"><bdi>`, `name="body" rows="2" maxlength="4096" dir="auto"`,
	} {
		require.Contains(t, page, part)
	}
}

func ptr[T any](v T) *T { return &v }

func TestAMethodThatAnAddressHasNot(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	for _, c := range []struct{ method, path, allowed string }{
		{http.MethodDelete, "/inbox", "GET, HEAD"},
		{http.MethodPost, "/inbox", "GET, HEAD"},
		{http.MethodGet, "/logout", "POST"},
		{http.MethodPut, "/login", "GET, HEAD, POST"},
	} {
		a := ana.do(c.method, c.path, nil)
		require.Equal(t, http.StatusMethodNotAllowed, a.status, c)
		require.Equal(t, c.allowed, a.header.Get("Allow"), c)
		require.NotEmpty(t, a.code())
	}
	for _, path := range []string{"/assets/", "/assets", "/assets/..%2fserver.go", "/assets/x"} {
		require.Equal(t, http.StatusNotFound, ana.get(path).status, path)
	}
	require.Equal(t, http.StatusOK, ana.get("/assets/inbox.js").status)
}

func TestAMergeShowsNobodyWhatWasSaidBefore(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	a, b, c := w.visitor("kettles"), w.visitor("kettles"), w.visitor("kettles")
	say := func(by *client, text string) {
		w.clock.Add(time.Second)
		by.says(text)
	}
	merge := func(from, into *client) {
		w.clock.Add(time.Second)
		ana.does(into.latest().ID, "merge", map[string]any{"contact": from.contact()})
	}
	unmerge := func(from, root *client) {
		w.clock.Add(time.Second)
		ana.does(root.latest().ID, "unmerge", map[string]any{"contact": from.contact()})
	}
	sees := func(by *client, texts ...string) {
		t.Helper()
		page := by.get("/thread").body
		for _, text := range []string{"A1", "A2", "A3", "B1", "B2", "C1", "answer"} {
			require.Equal(t, slices.Contains(texts, text), strings.Contains(page, text), text)
		}
	}
	say(a, "A1")
	say(b, "B1")
	say(c, "C1")
	require.Contains(t, a.get("/thread").body, "<button", "its flow asks")
	own := []string{"A1"}
	for range 2 { // the second time: what was said while they were apart
		merge(a, b)
		sees(a, own...)
		own = append(own, "A2") // also in the conversation of the other one
		require.NotContains(t, a.get("/thread").body, "<button", "this is not its flow")
		say(a, "A2")
		sees(a, "A1", "A2")
		unmerge(a, b)
		say(b, "B2")
		sees(a, "A1")
		sees(b, "B1", "A2", "B2")
	}
	merge(a, b)
	merge(b, c) // a chain
	sees(a, "A1")
	sees(b, "B1", "A2", "B2")
	sees(c, "C1")
	w.clock.Add(time.Second)
	ana.does(c.latest().ID, "reply", map[string]any{"body": "answer"})
	sees(a, "A1", "answer")
	say(a, "A3")
	sees(b, "B1", "A2", "B2", "A3", "answer")
	sees(c, "C1", "A3", "answer")

	// Whose own conversation an agent had closed sees the answer, too.
	d := w.visitor("kettles")
	say(d, "D1")
	ana.does(d.latest().ID, "close", map[string]any{"category": "Sales"})
	merge(d, c)
	sees(d)
	w.clock.Add(time.Second)
	ana.does(c.latest().ID, "reply", map[string]any{"body": "answer"})
	sees(d, "answer")
	require.Contains(t, d.get("/thread").body, "D1")
}
