package main

import (
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// rowsOf are the conversations that a list shows, in its order.
func rowsOf(t *testing.T, page string) (ids []uuid.UUID) {
	for _, m := range regexp.MustCompile(`id="row-([^"]+)"`).FindAllStringSubmatch(page, -1) {
		id, err := uuid.Parse(m[1])
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

// link is where a link of a page leads.
func link(page, id string) string {
	m := regexp.MustCompile(`id="` + id + `" href="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// counted are the numbers on the tabs.
func counted(page string) map[string]int {
	tabs := map[string]int{}
	for _, m := range regexp.MustCompile(`id="tab-([a-z]+)"[^>]*>[A-Z][a-z]+ <span class="count">([0-9]+)<`).
		FindAllStringSubmatch(page, -1) {
		tabs[m[1]], _ = strconv.Atoi(m[2])
	}
	return tabs
}

func TestEveryConversationCanBeReached(t *testing.T) {
	w := newWorld(t)
	ids := w.seed(514)
	ana, ben := w.agent("ana@kettles"), w.agent("ben@kettles")
	for _, order := range []string{"activity", "waiting"} {
		var seen []uuid.UUID
		path := "/inbox?view=all&order=" + order
		for pages := 0; path != ""; pages++ {
			require.Less(t, pages, 6)
			before := w.reads.Load()
			page := ana.get(path)
			require.Equal(t, http.StatusOK, page.status)
			require.LessOrEqual(t, w.reads.Load()-before, int64(4), "none for each row")
			require.LessOrEqual(t, len(rowsOf(t, page.body)), maxRows)
			require.Equal(t, pages > 0, link(page.body, "first") != "")
			seen = append(seen, rowsOf(t, page.body)...)
			path = link(page.body, "next")
		}
		require.ElementsMatch(t, ids, seen, order)
		oldest := seen[0]
		if order == "activity" {
			oldest = seen[len(seen)-1]
		}
		require.Equal(t, ids[0], oldest, order)
	}
	w.clock.Add(time.Minute)
	_, err := w.engine.Do(t.Context(), convo.ToContact("kettles", "seed-0000"),
		convo.Receive{Channel: channel, Body: "URGENT"})
	require.NoError(t, err)
	for _, agent := range []*client{ana, ben} {
		page := agent.get("/inbox/list?status=open").body
		require.Equal(t, ids[0], rowsOf(t, page)[0])
		require.Contains(t, page, "URGENT")
		require.Equal(t, 514, counted(page)["open"])
	}
	page := ana.get("/inbox?order=waiting").body
	require.Equal(t, ids[0], rowsOf(t, page)[0], "who has waited longest is first, still")
	require.Contains(t, page, `>8 h</time>`)
}

func TestListsAndTheirCounts(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	ids := w.seed(6)
	ana.does(ids[0], "assign", map[string]any{"user": "ana"})
	ana.does(ids[1], "assign", map[string]any{"user": "ben"})
	ana.does(ids[2], "set-pending", nil)
	ana.does(ids[3], "close", map[string]any{"category": "Sales"})
	ana.does(ids[4], "move", map[string]any{"topic": "orders"})
	ana.does(ids[5], "reply", map[string]any{"body": "Here is your answer."})
	for query, want := range map[string][]uuid.UUID{
		"":                             {ids[5], ids[4], ids[1], ids[0]},
		"?status=pending":              {ids[2]},
		"?status=closed":               {ids[3]},
		"?view=mine":                   {ids[0]},
		"?view=unassigned":             {ids[5], ids[4], ids[2]},
		"?view=all":                    {ids[5], ids[4], ids[2], ids[1], ids[0]},
		"?view=all&order=waiting":      {ids[0], ids[1], ids[2], ids[4]},
		"?view=all&topic=orders":       {ids[4]},
		"?view=unassigned&topic=":      {ids[5], ids[4], ids[2]},
		"?status=open&topic=general":   {ids[5], ids[1], ids[0]},
		"?status=closed&order=waiting": {ids[3]},
	} {
		require.ElementsMatch(t, want, rowsOf(t, ana.get("/inbox"+query).body), query)
	}
	require.Equal(t, map[string]int{"open": 4, "pending": 1, "mine": 1, "unassigned": 3, "all": 5},
		counted(ana.get("/inbox").body))
	require.Equal(t, map[string]int{"open": 1, "pending": 0, "mine": 0, "unassigned": 1, "all": 1},
		counted(ana.get("/inbox?topic=orders").body))
	for _, bad := range []string{
		"status=lost", "view=others", "order=alphabet", "topic=lost", "after=!!",
		"after=" + encodeCursor("x"), "q=" + strings.Repeat("x", maxSearch+1),
	} {
		a := ana.get("/inbox/list?" + bad)
		require.GreaterOrEqual(t, a.status, 400, bad)
		require.Less(t, a.status, 500, bad)
	}
	// beside a conversation the list stays the one that it was chosen from
	page := ana.get(link(ana.get("/inbox?view=mine").body, "row-"+ids[0].String())).body
	require.Equal(t, []uuid.UUID{ids[0]}, rowsOf(t, page))
	require.Equal(t, "/inbox?view=mine", link(page, "back"))
}

func TestContactsAreFoundByNameOrAddress(t *testing.T) {
	w := newWorld(t)
	riya, ana, zoe := w.visitor("kettles"), w.agent("ana@kettles"), w.agent("zoe@globex")
	for _, said := range []string{"Hi", "Something else", "riya@example.com"} {
		riya.says(said)
	}
	mail, err := w.engine.Do(t.Context(), convo.ToAddress("kettles", "email", "Max@Example.org"),
		convo.Receive{Body: "By mail."})
	require.NoError(t, err)
	ids := w.seed(3)
	ana.does(ids[1], "name", map[string]any{"name": "Zoë Müller"})
	ana.does(ids[1], "close", map[string]any{"category": "Sales"})
	for q, want := range map[string][]uuid.UUID{
		"riya@example.com": {riya.latest().ID},
		"RIYA":             {riya.latest().ID},
		"max@example.org":  {mail.Conversation.ID}, // by the address alone: there is no profile
		"müll":             {ids[1]},
		"visitor 0002":     {ids[2]},
		"nobody":           nil,
		"%":                nil,
		" ":                {riya.latest().ID, mail.Conversation.ID, ids[0], ids[2]}, // no search
	} {
		a := ana.do(http.MethodGet, "/inbox/list?"+listQuery{
			Status: "open", Order: byActivity, Search: q,
		}.encode(), nil)
		require.Equal(t, http.StatusOK, a.status, q)
		require.ElementsMatch(t, want, rowsOf(t, a.body), q)
	}
	page := ana.get(`/inbox?q=%22%3E%3Cscript%3E`).body
	require.NotContains(t, page, `"><script>`)
	require.Contains(t, page, "Nobody is found")
	require.Empty(t, rowsOf(t, zoe.get("/inbox?q=riya").body), "never across workspaces")
}

func TestASearchLooksAtSoMany(t *testing.T) {
	w := newWorld(t)
	ana := w.agent("ana@kettles")
	w.seed(maxFound + 1)
	page := ana.get("/inbox?q=visitor").body
	require.Len(t, rowsOf(t, page), maxFound)
	require.Contains(t, page, "There may be more.")
	require.NotContains(t, ana.get("/inbox?q=visitor+0001").body, "There may be more.")
}

func TestARowTellsWhatAnAgentMayNotHaveSeen(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	incoming := func() string {
		m := regexp.MustCompile(`data-incoming="([0-9]+)"`).FindStringSubmatch(ana.get("/inbox").body)
		require.NotNil(t, m)
		return m[1]
	}
	riya.says("Hi")
	c := riya.latest()
	require.Equal(t, strconv.FormatInt(c.Version, 10), incoming(), "the flow has answered, nobody else")
	ana.does(c.ID, "reply", map[string]any{"body": "Hello"})
	require.Equal(t, "0", incoming(), "a colleague has seen to it")
	ana.does(c.ID, "note", map[string]any{"body": "A good customer"})
	require.Equal(t, "0", incoming())
	riya.says("And one thing more")
	require.Equal(t, strconv.FormatInt(riya.latest().Version, 10), incoming())
}
