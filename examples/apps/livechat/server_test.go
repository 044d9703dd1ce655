package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func TestAConversationFromItsOpeningToItsReopening(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	w.writesNothing(func() {
		require.Contains(t, riya.get("/thread").body, `id="greeting" class="greeting">`)
	})

	riya.says("What do ten kettles cost?")
	c := riya.latest()
	require.Equal(t, convo.StatusOpen, c.Status)
	require.Contains(t, riya.get("/thread").body, flow[0].text, "the flow greets")
	require.Contains(t, ana.get("/inbox/list?status=open").body, "What can we help you with?")

	ana.does(c.ID, "assign", map[string]any{"user": "ben"})
	ana.does(c.ID, "note", map[string]any{"body": "A good customer."})
	ana.does(c.ID, "reply", map[string]any{"body": "$18 each."})
	ana.does(c.ID, "set-pending", nil)
	require.Equal(t, convo.StatusPending, riya.latest().Status)
	require.Contains(t, ana.get("/inbox/list?status=pending").body, c.ID.String())
	ana.does(c.ID, "resume", nil)
	ana.does(c.ID, "close", map[string]any{"category": "Sales", "summary": "Asked for a price."})

	thread := riya.get("/thread").body
	require.Contains(t, thread, convo.NoticeClosed.Text())
	require.Contains(t, thread, `data-status="closed"`)
	for _, private := range []string{"A good customer.", "Asked for a price.", "Sales", "Ben"} {
		require.NotContains(t, thread, private, "that is for agents only")
	}
	w.writesNothing(func() {
		a := riya.post("/messages", map[string]any{"body": "Hello?"})
		require.Equal(t, http.StatusConflict, a.status)
		require.Equal(t, "closed", a.code())
	})
	for _, text := range []string{
		convo.NoticeClosed.Text(), "closed the conversation as Sales: Asked for a price.",
		"A good customer.",
	} {
		require.Contains(t, ana.get("/inbox/"+c.ID.String()+"/thread").body, text)
	}

	require.Equal(t, http.StatusOK, riya.post("/restart", nil).status)
	require.Equal(t, c.ID, riya.latest().ID, "the same conversation")
	require.Equal(t, convo.StatusOpen, riya.latest().Status)
	require.Equal(t, 2, strings.Count(riya.get("/thread").body, flow[0].text),
		"the flow starts again")
	require.Contains(t, ana.get("/inbox/"+c.ID.String()+"/thread").body,
		convo.NoticeRestarted.Text())
	require.NotContains(t, riya.get("/thread").body, convo.NoticeRestarted.Text())

	ana.does(c.ID, "close", map[string]any{"category": "Support"})
	ana.does(c.ID, "reopen", nil)
	require.Contains(t, riya.get("/thread").body, convo.NoticeReopened.Text(),
		"the visitor is told")
	require.Equal(t, 2, strings.Count(riya.get("/thread").body, flow[0].text),
		"an agent's reopening starts no flow")

	history := ana.get("/inbox/" + c.ID.String() + "/history").body
	require.Equal(t, 2, strings.Count(history, "closed the conversation as"))
	dashboard := ana.get("/dashboard").body
	require.Contains(t, dashboard, `id="n-open">1<`)
	require.Contains(t, dashboard, "Ben")
}

func TestTheFlowAsksOneQuestionAfterAnother(t *testing.T) {
	w := newWorld(t)
	riya := w.visitor("kettles")
	riya.says("Hi")
	require.Contains(t, riya.get("/thread").body, `<button class="choice" dir="auto">Something else</button>`)
	riya.says("Something else")
	require.Contains(t, riya.get("/thread").body, flow[1].text)
	require.NotContains(t, riya.get("/thread").body, "Something else</button>",
		"choices go with their question")
	riya.says("Riya <Riya@Example.com>")
	require.Contains(t, riya.get("/thread").body, flow[2].text)
	riya.says("Thanks")
	require.Equal(t, len(flow), riya.latest().Cycle.OutgoingAutomation)

	addresses, err := w.engine.Addresses(t.Context(), convo.ToContact("kettles", riya.contact()))
	require.NoError(t, err)
	require.Equal(t, []convo.Address{{Channel: claimed + riya.contact(),
		Value: "riya@example.com"}}, addresses)
}

func TestTheFlowEndsWhereAPersonTakesOver(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Hi")
	ana.does(riya.latest().ID, "reply", map[string]any{"body": "Hello, Ana here."})
	riya.says("Hello Ana")
	require.Equal(t, 1, riya.latest().Cycle.OutgoingAutomation)
}

func TestPendingUntilATimeWakesAtThatTime(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Hi")
	c := riya.latest()
	w.writesNothing(func() {
		a := ana.post("/inbox/"+c.ID.String()+"/set-pending",
			map[string]any{"until": w.clock.Now().Add(-time.Hour)})
		require.Equal(t, http.StatusUnprocessableEntity, a.status, a.body)
	})
	ana.does(c.ID, "set-pending", map[string]any{"until": w.clock.Now().Add(time.Hour)})
	w.passes(time.Hour)
	require.Equal(t, convo.StatusOpen, riya.latest().Status)
}

func TestARequestThatIsRepeatedIsDoneOnce(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	message := map[string]any{"key": "k1", "body": "Hi"}
	require.Contains(t, riya.post("/messages", message).body, "opened")
	require.Contains(t, riya.post("/messages", message).body, "duplicate")
	require.Equal(t, 1, riya.latest().Cycle.Incoming)
	require.Equal(t, 1, riya.latest().Cycle.OutgoingAutomation)
	a := riya.post("/messages", map[string]any{"key": "k1", "body": "Something else"})
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "key_reused", a.code())

	path := "/inbox/" + riya.latest().ID.String() + "/reply"
	for range 3 {
		require.Equal(t, http.StatusOK, ana.post(path, map[string]any{"key": "k1",
			"body": "Hello"}).status, "ana's k1 is another one")
	}
	require.Equal(t, 1, riya.latest().Cycle.OutgoingUser)
}

func TestContactsWithTheSameAddressAreSuggestedAndMerged(t *testing.T) {
	w := newWorld(t)
	laptop, phone, ana := w.visitor("kettles"), w.visitor("kettles"), w.agent("ana@kettles")
	elsewhere := w.visitor("globex")
	for _, c := range []*client{laptop, phone, elsewhere} {
		c.says("Hi")
		c.says("Something else")
		c.says("riya@example.com")
	}
	one, two := laptop.latest(), phone.latest()
	page := ana.get("/inbox/" + one.ID.String()).body
	require.Contains(t, page, `data-merge="`+phone.contact()+`"`)
	require.NotContains(t, page, elsewhere.contact(), "never across workspaces")
	require.Contains(t, ana.get("/inbox/"+two.ID.String()).body,
		`data-merge="`+laptop.contact()+`"`)

	ana.does(one.ID, "merge", map[string]any{"contact": phone.contact()})
	require.Contains(t, ana.post("/inbox/"+one.ID.String()+"/merge",
		map[string]any{"contact": phone.contact()}).body, "unchanged")
	require.Equal(t, one.ID, phone.latest().ID, "both see one conversation")
	phone.says("It is me.")
	require.Contains(t, laptop.get("/thread").body, "It is me.")
	page = ana.get("/inbox/" + one.ID.String()).body
	require.NotContains(t, page, "data-merge")
	require.Contains(t, page, "/inbox/"+two.ID.String(),
		"the other conversation is the contact's now")
}

func TestAClaimedAddressIsSuggestedButTakesNobodysRealOne(t *testing.T) {
	w := newWorld(t)
	eve, ana := w.visitor("kettles"), w.agent("ana@kettles")
	// a mailbox that somebody writes from
	email := convo.ToAddress("kettles", "email", "Riya@Example.com")
	mail, err := w.engine.Do(t.Context(), email, convo.Receive{Body: "Where is my order?"})
	require.NoError(t, err)
	for _, said := range []string{"Hi", "Something else", "riya@example.com"} {
		eve.says(said)
	}
	page := ana.get("/inbox/" + eve.latest().ID.String()).body
	require.Contains(t, page, `data-merge="`+mail.Contact.ID+`"`)
	require.Equal(t, 1, strings.Count(page, "data-merge"))
	require.Contains(t, ana.get("/inbox/"+mail.Conversation.ID.String()).body,
		`data-merge="`+eve.contact()+`"`)

	again, err := w.engine.Do(t.Context(), email, convo.Receive{Body: "Hello?"})
	require.NoError(t, err)
	require.Equal(t, mail.Contact.ID, again.Contact.ID, "her mail stays hers until an agent merges")
	require.NotContains(t, eve.get("/thread").body, "Hello?")
}

// cells are the texts of a table's cells, row by row.
func cells(t *testing.T, page, table string) (rows []string) {
	_, rest, found := strings.Cut(page, `<table id="`+table+`">`)
	require.True(t, found, table)
	body, _, _ := strings.Cut(rest, "</table>")
	for row := range strings.SplitSeq(body, "<tr>") {
		var texts []string
		for _, m := range regexp.MustCompile(`<t[hd][^>]*>([^<]*)</t[hd]>`).FindAllStringSubmatch(row, -1) {
			texts = append(texts, m[1])
		}
		if texts != nil {
			rows = append(rows, strings.Join(texts, " | "))
		}
	}
	return rows
}

func TestTheDashboardShowsWhatHappened(t *testing.T) {
	w := newWorld(t)
	riya, eve, ana, zoe := w.visitor("kettles"), w.visitor("kettles"), w.agent("ana@kettles"),
		w.agent("zoe@globex")
	ben := w.agent("ben@kettles")
	w.clock.Add(-30 * 24 * time.Hour) // the period before
	riya.says("Hi")
	id := riya.latest().ID
	ana.does(id, "close", map[string]any{"category": "Support"})
	w.clock.Add(29 * 24 * time.Hour) // yesterday
	ana.does(id, "reopen", nil)
	w.clock.Add(4 * time.Minute)
	ana.does(id, "reply", map[string]any{"body": "Hello"})
	w.clock.Add(26 * time.Minute)
	ana.does(id, "close", map[string]any{"category": "Sales"})
	w.clock.Add(24*time.Hour - 30*time.Minute)
	eve.says("Hello?")
	ana.does(eve.latest().ID, "assign", map[string]any{"user": "ben"})
	w.clock.Add(2 * time.Hour)
	ben.does(eve.latest().ID, "reply", map[string]any{"body": "Here I am"})
	eve.says("At last")

	page := ana.get("/dashboard").body
	for id, want := range map[string]string{
		"n-open": `1<`, "n-pending": `0<`, "n-unassigned": `0<`,
		"n-waiting":    `<time datetime="` + w.clock.Now().Format(time.RFC3339) + `">`,
		"n-opened":     `2</dd><dd class="before">before: 1<`,
		"n-closed":     `1</dd><dd class="before">before: 1<`,
		"n-reopened":   `100 %</dd><dd class="before">before: 0 %<`,
		"n-response":   `2h 0m</dd><dd class="before">before: –<`,
		"n-resolution": `30m 0s</dd><dd class="before">before: 0s<`,
	} {
		require.Contains(t, page, `<dd id="`+id+`">`+want)
	}
	require.Contains(t, page, "1 Feb to 2 Mar")
	require.Contains(t, page, "Opened or reopened", "it counts cycles, not conversations")
	require.Equal(t, []string{"Agent | Open | Pending", "Ben | 1 | 0"},
		cells(t, page, "t-assignees"))
	require.Equal(t, []string{
		"Until | Count | Mean | Median | 90 % in",
		"First response | 1 | 2h 0m | 2h 0m | 2h 0m", "Each reply | 1 | 2h 0m | 2h 0m | 2h 0m",
		"Resolution | 1 | 30m 0s | 30m 0s | 30m 0s",
		"… without pending | 1 | 30m 0s | 30m 0s | 30m 0s",
	}, cells(t, page, "t-times"))
	require.Equal(t, []string{"Agent | Count", "Ana | 1"}, cells(t, page, "t-leaders"))
	require.Equal(t, []string{"Category | Count", "Sales | 1"}, cells(t, page, "t-categories"))
	days := cells(t, page, "t-days")
	require.Len(t, days, 1+dashboardDays)
	require.Equal(t, []string{"1 Mar | 1 | 1", "2 Mar | 1 | 0"}, days[dashboardDays-1:])
	require.Equal(t, []string{"≤ 5m | 0", "≤ 15m | 0", "≤ 1h | 0", "≤ 4h | 1"},
		cells(t, page, "t-bands")[2:6])
	require.Equal(t, 2, strings.Count(page, `role="img"`))

	page = zoe.get("/dashboard/numbers").body
	require.Contains(t, page, `<dd id="n-opened">0<`, "another workspace")
	require.NotContains(t, page, "Ben")
}

// rolling has cycles left to roll up.
type rolling struct {
	convo.Store
	left  []int
	calls chan int
}

func (r *rolling) Rollup(context.Context, int) (n int, more bool, err error) {
	if len(r.left) > 0 {
		n, r.left = r.left[0], r.left[1:]
	} else {
		err = errors.New("no connection")
	}
	r.calls <- n
	return n, n > 0, err
}

func TestRollupsGoOnUntilNothingIsLeftAndThenInTurns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &rolling{left: []int{10, 5, 0, 7, 0}, calls: make(chan int)}
	turns, log, ended := make(chan time.Time), &logs{}, make(chan bool)
	go func() {
		rollUp(ctx, s, turns, slog.New(slog.NewTextHandler(log, nil)))
		close(ended)
	}()
	for _, n := range []int{10, 5, 0} {
		require.Equal(t, n, <-s.calls)
	}
	turns <- time.Time{}
	for _, n := range []int{7, 0} {
		require.Equal(t, n, <-s.calls)
	}
	turns <- time.Time{}
	require.Zero(t, <-s.calls)
	turns <- time.Time{} // a failure is not the end
	require.Zero(t, <-s.calls)
	cancel()
	<-ended
	require.Contains(t, log.String(), "no connection")
	rollUp(t.Context(), memstore.New(), nil, nil) // which has nothing to roll up
}

func TestAgentRoutesAreForAgentsOnly(t *testing.T) {
	w := newWorld(t)
	riya := w.visitor("kettles")
	riya.says("Hi")
	all := routes(t, riya.latest().ID)
	visitor := w.client()
	u, err := url.Parse(w.url + "/")
	require.NoError(t, err)
	visitor.http.Jar.SetCookies(u, []*http.Cookie{
		{Name: visitorCookie, Value: riya.cookie(visitorCookie)}, {Name: agentCookie,
			Value: riya.cookie(visitorCookie)},
	})
	w.writesNothing(func() {
		for _, r := range all {
			if r.guard != "agent" {
				continue
			}
			for _, c := range []*client{w.client(), visitor} {
				a := c.do(r.method, r.path, strings.NewReader(`{"key":"k"}`), "Content-Type",
					jsonType)
				require.Equal(t, http.StatusUnauthorized, a.status, r)
				require.NotContains(t, a.body, "Hi")
			}
			if r.method == http.MethodGet {
				a := visitor.do(r.method, r.path, nil, "Accept", "text/html")
				require.Equal(t, http.StatusSeeOther, a.status, r)
				require.Equal(t, "/login?"+url.Values{"next": {r.path}}.Encode(),
					a.header.Get("Location"), r)
			}
		}
	})
}

func TestAgentsOfAnotherWorkspaceFindNothing(t *testing.T) {
	w := newWorld(t)
	riya, zoe := w.visitor("kettles"), w.agent("zoe@globex")
	riya.says("a private matter")
	id := riya.latest().ID
	w.writesNothing(func() {
		for _, r := range routes(t, id) {
			if r.guard != "agent" || strings.HasSuffix(r.path, "/events") {
				continue
			}
			values := map[string]any{}
			a := zoe.get(r.path)
			if r.method == http.MethodPost {
				a = zoe.post(r.path, values)
			}
			require.NotContains(t, a.body, "a private matter", r)
			require.NotContains(t, a.body, riya.contact(), r)
			if strings.Contains(r.path, id.String()) {
				require.Equal(t, http.StatusNotFound, a.status, r)
			} else {
				require.Equal(t, http.StatusOK, a.status, r)
			}
		}
		require.Contains(t, zoe.get("/dashboard").body, `id="n-open">0<`)
	})
}

func TestAgentsMergeOnlyContactsOfTheirWorkspace(t *testing.T) {
	w := newWorld(t)
	mine, theirs, zoe := w.visitor("globex"), w.visitor("kettles"), w.agent("zoe@globex")
	mine.says("Hi")
	theirs.says("Hi")
	w.writesNothing(func() {
		for _, contact := range []string{theirs.contact(), "nobody", "", strings.Repeat("x", 300),
			mine.contact()} {
			a := zoe.post("/inbox/"+mine.latest().ID.String()+"/merge",
				map[string]any{"contact": contact})
			require.GreaterOrEqual(t, a.status, 400, contact)
			require.Less(t, a.status, 500, contact)
		}
	})
}

func TestAVisitorReachesOnlyTheirOwnConversation(t *testing.T) {
	w := newWorld(t)
	riya, eve := w.visitor("kettles"), w.visitor("kettles")
	require.Equal(t, http.StatusOK, riya.post("/messages", map[string]any{"key": "k",
		"body": "a private matter"}).status)
	require.NotContains(t, eve.get("/thread").body, "a private matter")
	require.NotContains(t, eve.get("/").body, "a private matter")
	a := eve.post("/messages", map[string]any{"key": "k", "body": "a private matter"})
	require.Contains(t, a.body, "opened", "a key is its visitor's own")
	require.NotEqual(t, riya.latest().ID, eve.latest().ID)

	w.writesNothing(func() { // nobody who has no conversation can restart one
		require.Equal(t, http.StatusNotFound, w.visitor("kettles").post("/restart", nil).status)
	})

	good := riya.cookie(visitorCookie)
	payload, signature, _ := strings.Cut(good, ".")
	expired := w.keep.sign(visitor{"kettles", riya.contact()}, time.Now().Add(-time.Second))
	stranger := &secrets{Key: []byte("another key")}
	w.writesNothing(func() {
		for name, token := range map[string]string{
			"none":         "",
			"no token":     "hello",
			"no signature": payload,
			"another's":    strings.Split(eve.cookie(visitorCookie), ".")[0] + "." + signature,
			"another workspace": w.keep.sign(visitor{"globex", riya.contact()},
				time.Now().Add(time.Hour)),
			"another key": stranger.sign(visitor{"kettles", riya.contact()},
				time.Now().Add(time.Hour)),
			"expired": expired,
		} {
			c := w.client()
			for _, r := range routes(t, uuid.Nil) {
				if r.guard != "visitor" {
					continue
				}
				a := c.do(r.method, r.path, strings.NewReader(`{"key":"k","body":"Hi"}`),
					"Content-Type", jsonType, "Cookie", visitorCookie+"="+token)
				require.Equal(t, http.StatusUnauthorized, a.status, "%s %v", name, r)
				require.NotContains(t, a.body, "a private matter")
			}
			// The page itself gives a new token.
			a := c.do(http.MethodGet, "/w/kettles/", nil, "Cookie", visitorCookie+"="+token)
			require.Equal(t, http.StatusOK, a.status, name)
			require.NotContains(t, a.body, "a private matter", name)
			require.Contains(t, a.header.Get("Set-Cookie"), visitorCookie, name)
		}
	})
	require.NotContains(t, w.log.String(), good)
}

func TestRequestsFromOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Hi")
	riya.base = ""
	w.writesNothing(func() {
		for _, r := range routes(t, uuid.New()) {
			if r.method != http.MethodPost {
				continue
			}
			for _, headers := range [][]string{
				{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin",
					"http://other.example"}, {"Origin", "null"},
			} {
				c := ana
				if r.guard == "visitor" {
					c = riya
				}
				a := c.do(r.method, r.path, strings.NewReader(`{"key":"k"}`),
					append(headers, "Content-Type", jsonType)...)
				require.Equal(t, http.StatusForbidden, a.status, "%v %v", r, headers)
				require.Equal(t, "cross_origin", a.code())
			}
		}
	})
	require.Equal(t, http.StatusOK, ana.get("/inbox").status, "nobody was signed out")
}

func TestWhatCannotBeReadIsRefusedAndWritesNothing(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	riya.says("Hi")
	id, token := riya.latest().ID, riya.cookie(visitorCookie)
	riya.base = ""
	const secret = "my card number is 4111"
	w.writesNothing(func() {
		for _, r := range routes(t, id) {
			if r.method != http.MethodPost || r.guard == "handle" {
				continue
			}
			c := ana
			if r.guard == "visitor" {
				c = riya
			}
			for _, bad := range []struct {
				name, kind, body string
				status           int
			}{
				{"empty", jsonType, "", http.StatusBadRequest},
				{"cut off", jsonType, `{"key":"k","body":"` + secret, http.StatusBadRequest},
				{"no object", jsonType, `"` + secret + `"`, http.StatusBadRequest},
				{"wrong type", jsonType, `{"key":{"a":"` + secret + `"}}`, http.StatusBadRequest},
				{"unknown field", jsonType, `{"key":"k","by":{"type":"system"}}`,
					http.StatusBadRequest},
				{"two values", jsonType, `{"key":"k"}{"key":"k"}`, http.StatusBadRequest},
				{"more behind it", jsonType, `{"key":"k"}]`, http.StatusBadRequest},
				{"too large", jsonType, `{"key":"k","x":"` + strings.Repeat("x", maxRequest) + `"}`,
					http.StatusRequestEntityTooLarge},
				{"no key", jsonType, `{}`, http.StatusUnprocessableEntity},
				{"a long key", jsonType, `{"key":"` + strings.Repeat("k", maxKey+1) + `"}`,
					http.StatusUnprocessableEntity},
				{"another one's key", jsonType, `{"key":"agent/ana/k"}`,
					http.StatusUnprocessableEntity},
				{"a form", formType, "key=k", http.StatusUnsupportedMediaType},
				{"no media type", "", `{"key":"k"}`, http.StatusUnsupportedMediaType},
			} {
				a := c.do(r.method, r.path, strings.NewReader(bad.body), "Content-Type", bad.kind)
				require.Equal(t, bad.status, a.status, "%v %s: %s", r, bad.name, a.body)
				require.NotContains(t, a.body, secret)
				require.NotEmpty(t, a.code())
			}
		}
		path := "/inbox/" + id.String()
		for _, bad := range []struct {
			c      *client
			path   string
			values map[string]any
		}{
			{riya, "/w/kettles/messages", map[string]any{"body": ""}},
			{riya, "/w/kettles/messages", map[string]any{"body": " \n "}},
			{riya, "/w/kettles/messages", map[string]any{"body": "a\x00b"}},
			{riya, "/w/kettles/messages", map[string]any{"body": strings.Repeat("x", maxBody+1)}},
			{ana, path + "/reply", map[string]any{"body": ""}},
			{ana, path + "/reply", map[string]any{"body": strings.Repeat("x", maxBody+1)}},
			{ana, path + "/note", map[string]any{"body": ""}},
			{ana, path + "/close", map[string]any{}},
			{ana, path + "/close", map[string]any{"category": "Gossip"}},
			{ana, path + "/close", map[string]any{"category": "Sales",
				"summary": strings.Repeat("x", maxSummary+1)}},
			{ana, path + "/assign", map[string]any{"user": "zoe"}},
			{ana, path + "/assign", map[string]any{"user": "ana@kettles"}},
		} {
			a := bad.c.post(bad.path, bad.values)
			require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s: %s", bad.path, a.body)
			require.Equal(t, "invalid", a.code())
		}
	})
	log := w.log.String()
	require.Contains(t, log,
		"level=WARN msg=request method=POST path=/w/kettles/messages status=400")
	for _, no := range []string{secret, "4111", password, ana.cookie(agentCookie), token} {
		require.NotContains(t, log, no)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	w.writesNothing(func() {
		for _, id := range []string{uuid.NewString(), uuid.Nil.String(), "1", "..%2f..%2fetc",
			"%00", strings.Repeat("a", 500)} {
			for _, r := range routes(t, uuid.Nil) {
				if r.guard != "agent" || !strings.Contains(r.path, uuid.Nil.String()) {
					continue
				}
				path := strings.Replace(r.path, uuid.Nil.String(), id, 1)
				a := ana.do(r.method, path, strings.NewReader(`{"key":"k"}`), "Content-Type",
					jsonType)
				require.Equal(t, http.StatusNotFound, a.status, path)
			}
		}
		for _, path := range []string{
			"/nowhere", "/w/nowhere/", "/w/kettles/nothing", "/inbox/list?status=lost",
			"/assets/nothing.js", "/main.go",
		} {
			require.Equal(t, http.StatusNotFound, ana.get(path).status, path)
		}
		require.Equal(t, http.StatusUnauthorized, ana.get("/w/nowhere/thread").status)
	})
}

func TestTheHistoryIsPaged(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	for i := range historyPageSize {
		riya.says(fmt.Sprintf("message %d.", i))
	}
	path := "/inbox/" + riya.latest().ID.String() + "/history"
	first := ana.get(path).body
	require.Contains(t, first, "message 0.")
	_, next, found := strings.Cut(first, `id="next" href="`)
	require.True(t, found)
	next, _, _ = strings.Cut(next, `"`)
	require.Contains(t, ana.get(path+next).body, fmt.Sprintf("message %d.", historyPageSize-1))
	for _, after := range []string{"x", "!!", "e30x"} {
		require.Equal(t, http.StatusBadRequest, ana.get(path+"?after="+after).status, after)
	}
}

func TestEveryAnswerKeepsTheBrowserSafe(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	for _, path := range []string{
		"/", "/w/kettles/", "/login", "/inbox", "/inbox/list", "/dashboard", "/nowhere",
		"/assets/livechat.css",
	} {
		h := ana.get(path).header
		csp := h.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'", path)
		require.NotContains(t, csp, "unsafe", path)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
	}
	for _, path := range []string{"/w/kettles/", "/login", "/inbox", "/dashboard"} {
		body := ana.get(path).body
		require.NotContains(t, body, "<style", path)
		require.NotContains(t, body, " style=", path)
		require.NotRegexp(t, `<script(?:[^>]*)>[^<]`, body, path)
		require.NotRegexp(t, ` on[a-z]+=`, body, path)
	}
}

func TestWhatIsWrittenIsShownAsText(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	const evil = `<img src=x onerror=alert(1)><script>alert(2)</script>`
	riya.says(evil)
	id := riya.latest().ID
	ana.does(id, "close", map[string]any{"category": "Sales", "summary": evil})
	for _, body := range []string{
		riya.get("/thread").body, ana.get("/inbox/" + id.String()).body, ana.get("/inbox/" +
			id.String() + "/history").body,
		ana.get("/inbox/list?status=closed").body,
	} {
		require.NotContains(t, body, "<img src=x")
		require.NotContains(t, body, "<script>alert")
	}
}

func TestSigningIn(t *testing.T) {
	w := newWorld(t)
	for _, wrong := range []url.Values{
		{}, {"login": {"ana@kettles"}}, {"login": {"ana@kettles"}, "password": {"wrong password"}},
		{"login": {"ana@globex"}, "password": {password}}, {"login": {"nobody@kettles"},
			"password": {password}},
		{"login": {"ana@kettles"}, "password": {strings.Repeat("x", maxPassword+1)}},
	} {
		c := w.client()
		a := c.do(http.MethodPost, "/login", strings.NewReader(wrong.Encode()), "Content-Type",
			formType)
		require.Equal(t, http.StatusUnauthorized, a.status, wrong)
		require.Empty(t, a.header.Get("Set-Cookie"))
		require.NotContains(t, a.body, password)
	}
	large := strings.NewReader("login=" + strings.Repeat("x", 5<<10))
	require.Equal(t, http.StatusBadRequest, w.client().do(http.MethodPost, "/login", large,
		"Content-Type", formType).status)

	c := w.client()
	form := url.Values{"login": {"ana@kettles"}, "password": {password}}.Encode()
	a := c.do(http.MethodPost, "/login", strings.NewReader(form), "Content-Type", formType)
	cookie := a.header.Get("Set-Cookie")
	require.Contains(t, cookie, "HttpOnly")
	require.Contains(t, cookie, "SameSite=Lax")
	require.Equal(t, http.StatusSeeOther, c.get("/login").status, "is signed in already")
	require.Equal(t, http.StatusOK, c.get("/inbox").status)
	old := c.cookie(agentCookie)
	require.Equal(t, http.StatusSeeOther, c.do(http.MethodPost, "/logout", nil).status)
	require.Equal(t, http.StatusUnauthorized, c.do(http.MethodGet, "/inbox", nil, "Cookie",
		agentCookie+"="+old).status)
	require.NotContains(t, w.log.String(), password)
	require.NotContains(t, w.log.String(), old)
}

// changes are the events of a stream, as they come; it is closed when the server ends the stream.
func (c *client) changes(ctx context.Context, path string) <-chan string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.w.url+c.base+path, nil)
	require.NoError(c.w.t, err)
	stream := &http.Client{Jar: c.http.Jar}
	res, err := stream.Do(r) //nolint:bodyclose // the goroutine below closes it
	require.NoError(c.w.t, err)
	require.Equal(c.w.t, "text/event-stream", res.Header.Get("Content-Type"))
	out := make(chan string)
	go func() {
		defer close(out)
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				select {
				case out <- event:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

func TestPagesHearOfChanges(t *testing.T) {
	w := newWorld(t)
	riya, phone, ana := w.visitor("kettles"), w.visitor("kettles"), w.agent("ana@kettles")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hers, agents := riya.changes(ctx, "/events"), ana.changes(ctx, "/inbox/events")
	require.Equal(t, "change", <-hers, "the page may be older than the stream")
	require.Equal(t, "change", <-agents)
	riya.says("Hi")
	require.Equal(t, "change", <-hers)
	require.Equal(t, "change", <-agents)

	ana.do(http.MethodPost, "/logout", nil)
	phone.says("Still there?")
	for range agents {
		// until the server ends the stream of somebody who is signed out
	}
}

func TestAPageListensForLongerThanARequestMayTake(t *testing.T) {
	w := newWorldWith(t, time.Second, nil)
	riya := w.visitor("kettles")
	changes := riya.changes(t.Context(), "/events")
	require.Equal(t, "change", <-changes)

	slow, err := new(net.Dialer).DialContext(t.Context(), "tcp",
		strings.TrimPrefix(w.url, "http://"))
	require.NoError(t, err)
	defer slow.Close()
	_, err = io.Copy(io.Discard, slow) // until the server has waited long enough for a request
	require.NoError(t, err)

	riya.says("Hi")
	event, open := <-changes
	require.True(t, open)
	require.Equal(t, "change", event)
}
