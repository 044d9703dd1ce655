package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// signedIn is an agent at a browser.
func (w *world) signedIn(browser context.Context, t *testing.T, account string) *person {
	p := open(browser, t, account)
	p.load(w.url + "/login")
	p.writes("#login", account)
	p.writes("#password", password+"\r")
	p.canUse("#rows")
	return p
}

// firstRow waits until the first row of the list has text.
func (p *person) firstRow(text string) {
	p.t.Helper()
	p.waits(`(text) => document.querySelector("#rows > li")?.innerText.includes(text)`, text)
}

// called waits until the title of the page is that.
func (p *person) called(title string) {
	p.t.Helper()
	p.waits(`(title) => document.title === title`, title)
}

// holds waits until a field has a text in it.
func (p *person) holds(css, text string) {
	p.t.Helper()
	// an empty argument would not arrive
	p.waits(`(css, text) => document.querySelector(css)?.value + "." === text`, css, text+".")
}

// TestAnInboxOfManyInTheBrowser plays what agents see of more conversations than a page has.
func TestAnInboxOfManyInTheBrowser(t *testing.T) {
	browser, w := launch(t), newWorld(t)
	ids := w.seed(514)
	row := func(i int) string { return "#row-" + ids[i].String() }
	ana, ben := w.signedIn(browser, t, "ana@kettles"), w.signedIn(browser, t, "ben@kettles")
	for _, p := range []*person{ana, ben} {
		p.sees("#tab-open", "514")
		p.firstRow("Question 513")
		p.called("(100) Inbox · Livechat")
	}
	w.clock.Add(time.Minute)
	_, err := w.engine.Do(t.Context(), convo.ToContact("kettles", "seed-0000"),
		convo.Receive{Channel: channel, Body: "URGENT: it leaks"})
	require.NoError(t, err)
	for _, p := range []*person{ana, ben} {
		p.firstRow("URGENT")
		p.sees("#rows > li.unread", "URGENT")
	}
	ana.clicks("#next")
	ana.sees("#rows", "Question 400,")
	ana.clicks("#first")
	ana.firstRow("URGENT")

	// What Ana has seen is new to Ben only.
	ana.clicks(row(0))
	ana.sees("#log .contact", "URGENT")
	ana.waits(`(css) => !document.querySelector(css).closest("li").matches(".unread")`, row(0))
	ana.called("(99) Inbox · Livechat")
	ben.sees("#rows > li.unread", "URGENT")
	ben.clicks(row(0))
	ben.sees("#log .contact", "URGENT")

	// One of them takes it.
	ana.clicks("#take")
	ben.sees("#log .event", "assigned it to Ana")
	ben.waits(`() => !document.querySelector("#take")`)
	ana.sees("#tab-mine", "1")

	// Labels, priority, topic and name, beside a thread that gets only what is new.
	ana.writes("#label", "leak\r")
	ana.sees("#labels", "leak")
	ben.sees("#labels", "leak")
	ana.selects("#priority", "urgent")
	ana.sees("#rows .priority-urgent", "urgent")
	ana.selects("#lane", "repairs")
	ben.sees("#log .event", "from General to Repairs")
	ana.writes("#name", "Riya R.\r")
	ben.sees("h1", "Riya R.")
	ana.clicks("[data-unlabel=leak]")
	ben.sees("#log .event", "took off the label leak")
	ana.counts("#log .line", "URGENT", 1)

	// Found by name.
	ana.writes("#q", "riya r\r")
	ana.counts("#rows > li[data-incoming]", "Riya R.", 1)
	ana.lacks("#rows", "Question 513")
	ana.sees("#rows", "Riya R.")
	ana.clicks("#all-again")
	ana.sees("#rows", "Question 513")
	ana.waits(`() => document.title.startsWith("(")`) // its script is there
	ana.selects("#topic", "repairs")
	ana.counts("#rows > li[data-incoming]", "Riya R.", 1)
	ana.lacks("#rows", "Question 513")
	ana.waits(`() => !document.title.startsWith("(")`)
	ana.waits(`() => document.querySelector("#rows time").title !== ""`)
	ana.selects("#order", "waiting")
	ana.sees("#rows .waiting", "waiting")
	ana.isClean()
	ben.isClean()
}

// TestWhatIsHalfWrittenStays plays drafts, and a colleague who closes.
func TestWhatIsHalfWrittenStays(t *testing.T) {
	browser, w := launch(t), newWorld(t)
	ids := w.seed(2)
	row := func(i int) string { return "#row-" + ids[i].String() }
	ana, ben := w.signedIn(browser, t, "ana@kettles"), w.agent("ben@kettles")
	ana.clicks(row(0))
	ana.writes("#body", "Dear Riya, half of")
	ana.clicks(row(1))
	ana.holds("#body", "")
	ana.sees(".tag.draft", "draft")
	ana.clicks("#as-note")
	ana.writes("#body", "half a note")
	ana.clicks(row(0))
	ana.holds("#body", "Dear Riya, half of")
	ana.does(chromedp.Reload())
	ana.holds("#body", "Dear Riya, half of")
	ana.waits(`() => document.querySelector("#as-reply").ariaPressed === "true"`)
	ana.clicks(row(1))
	ana.holds("#body", "half a note")
	ana.sees("#send", "Add note")
	ana.does(chromedp.NavigateBack())
	ana.holds("#body", "Dear Riya, half of")

	// A colleague closes: what was to be sent is neither sent nor made a note.
	ben.does(ids[0], "close", map[string]any{"category": "Sales"})
	ana.sees("#closed-hint", "only after reopening")
	ana.waits(`() => document.querySelector("#send").disabled`)
	ana.sees("#send", "Send")
	ana.writes("#body", " a sentence")
	ana.waits(`() => document.querySelector("#body").dispatchEvent(
		new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true })) === false`)
	ana.holds("#body", "Dear Riya, half of a sentence")
	ben.does(ids[0], "reopen", nil)
	ana.hidden("#closed-hint")
	ana.counts("#log .line", "half of", 0)
	ana.sees("#send", "Send")
	ana.canUse("#send")
	ana.clicks("#send")
	ana.sees("#log .user", "half of a sentence")
	ana.holds("#body", "")
	ana.does(chromedp.Reload())
	ana.holds("#body", "") // is no draft any more

	// What is in the middle of being written beside the thread stays, too.
	ana.writes("#label", "unfini")
	ben.does(ids[0], "prioritize", map[string]any{"priority": "high"})
	ana.sees("#log .event", "to high")
	ana.holds("#label", "unfini")
	ana.clicks("#body")
	ana.waits(`() => document.querySelector("#priority").value === "high"`)
	ana.holds("#label", "unfini")
	ana.isClean()
}

// TestAVisitorIsToldOfAnAnswer plays the chat while it is hidden.
func TestAVisitorIsToldOfAnAnswer(t *testing.T) {
	browser, w := launch(t), newWorld(t)
	riya, ana := open(browser, t, "riya"), w.agent("ana@kettles")
	riya.load(w.url + "/w/kettles/")
	riya.clicks("#chat-toggle")
	w.gate.Lock() // what is written while a message is sent is kept, too
	riya.writes("#body", "Hello\r")
	riya.writes("#body", "and one thing more")
	w.gate.Unlock()
	riya.sees("#log .contact", "Hello")
	riya.sees("#log .bot", flow[0].text)
	riya.holds("#body", "and one thing more")
	riya.clicks("#chat-close")
	riya.hidden("#badge")
	found, err := w.engine.Conversations(t.Context(), convo.Filter{Workspace: "kettles"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	for range 2 {
		ana.does(found[0].ID, "reply", map[string]any{"body": "Good day."})
	}
	riya.sees("#badge", "2")
	riya.called("(2) Kettles")
	riya.waits(`() => document.querySelector("#chat-toggle").ariaLabel === "Chat, 2 new"`)
	riya.does(chromedp.Reload())
	riya.sees("#badge", "2")
	riya.clicks("#chat-toggle")
	riya.hidden("#badge")
	riya.called("Kettles")
	riya.holds("#body", "and one thing more")
	riya.isClean()
}

// TestEarlierMessagesAreAtTheTop plays a thread that outgrows its page while it is open.
func TestEarlierMessagesAreAtTheTop(t *testing.T) {
	browser, w := launch(t), newWorld(t)
	id := w.seed(1)[0]
	say := func(n int, text string) {
		for i := range n {
			_, err := w.engine.Do(t.Context(), convo.ToConversation("kettles", id),
				convo.Receive{Channel: channel, Body: fmt.Sprint(text, i)})
			require.NoError(t, err)
		}
	}
	say(shown-2, "said before ")
	ana := w.signedIn(browser, t, "ana@kettles")
	ana.load(w.url + "/inbox/" + id.String())
	ana.sees("#log", "said before")
	say(1, "at last ")
	ana.sees("#log", "at last 0")
	say(shown+10, "later ")
	ana.sees("#log", fmt.Sprint("later ", shown+9))
	ana.waits(`() => [...document.querySelectorAll("#log > li")].every((li, i) =>
		(li.dataset.id === "earlier") === (i === 0))`)
	ana.waits(`() => {
		const s = document.getElementById("scroll");
		return s.scrollHeight - s.scrollTop - s.clientHeight < 2;
	}`)
	ana.isClean()
}

// axe finds what keeps people out. It is no part of this module: CONVO_AXE is the path of its
// axe.min.js.
func axe(t *testing.T) string {
	file := os.Getenv("CONVO_AXE")
	if file == "" {
		return ""
	}
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(source)
}

// TestPagesAreForEverybody looks at all pages as they are on phones and desktops, light and dark,
// with texts of either direction, and at 400 % zoom.
func TestPagesAreForEverybody(t *testing.T) {
	w, source := newWorld(t), axe(t)
	ids := w.seed(7)
	ben := w.agent("ben@kettles")
	tell := func(contact, name string, bodies ...string) (id string) {
		for _, body := range bodies {
			r, err := w.engine.Do(t.Context(), convo.ToContact("kettles", contact),
				convo.Receive{Channel: channel, Body: body})
			require.NoError(t, err)
			id = r.Conversation.ID.String()
		}
		_, err := w.engine.Do(t.Context(), convo.ToContact("kettles", contact),
			convo.SetProfile{By: convo.ByContact(), Name: &name})
		require.NoError(t, err)
		return id
	}
	tell("dana", "דנה לוי", "שלום, איפה ההזמנה שלי מ-Berlin?")
	chosen := tell("noor", "نور الحسن", "مرحبا", "أريد إرسال الغلاية إلى Frankfurt am Main، من فضلك",
		"Is 14:30 all right?")
	for _, a := range []struct {
		action string
		values map[string]any
	}{
		{"take", nil}, {"label", map[string]any{"add": "شحن"}},
		{"label", map[string]any{"add": "delivery"}},
		{"prioritize", map[string]any{"priority": "high"}},
		{"reply", map[string]any{"body": "نعم، Frankfurt ممكن."}},
		{"note", map[string]any{"body": "Asked the carrier."}},
		{"move", map[string]any{"topic": "orders"}},
	} {
		res := ben.post("/inbox/"+chosen+"/"+a.action, a.values)
		require.Equal(t, 200, res.status, res.body)
	}
	ben.does(ids[0], "set-pending", nil)
	ben.does(ids[1], "close", map[string]any{"category": "Sales", "summary": "סיכום קצר"})
	ben.does(ids[2], "merge", map[string]any{"contact": "seed-0003"})
	tell("noor", "نور الحسن", "شكرا!")
	pages := []struct{ name, path, ready string }{
		{"login", "/login", "#login"},
		{"inbox", "/inbox", "#rows"},
		{"deadlines", "/inbox?view=all&order=deadline", "#rows .runs"},
		{"thread", "/inbox/" + chosen, "#log .contact"},
		{"pending", "/inbox/" + chosen, "#pend"},
		{"closed", "/inbox/" + ids[1].String(), "#closed-hint"},
		{"merged", "/inbox/" + ids[2].String(), "#log .note"},
		{"search", "/inbox?q=" + url.QueryEscape("نور"), "#rows"},
		{"history", "/inbox/" + chosen + "/history", ".history"},
		{"dashboard", "/dashboard", "#n-open"},
		{"error", "/inbox/nothing", "h1"},
		{"widget", "/w/kettles/", "#chat-toggle"},
		{"chat", "/w/kettles/", "#chat-toggle"},
		{"rating", "/w/kettles/", "#chat-toggle"},
	}
	var ana *person
	for i, scheme := range []string{"dark", "light"} {
		if scheme == "dark" && source == "" && os.Getenv("CONVO_SCREENSHOTS") == "" {
			continue // there is nobody to tell the difference
		}
		browser := launch(t, chromedp.Flag("blink-settings", fmt.Sprint("preferredColorScheme=", i)))
		var visitor *person
		ana, visitor = w.signedIn(browser, t, "ana@kettles"), open(browser, t, "visitor")
		for _, page := range pages {
			p := ana
			switch page.name {
			case "login", "widget", "chat", "rating":
				p = visitor
			}
			p.load(w.url + page.path)
			p.canUse(page.ready)
			switch page.name {
			case "pending":
				p.clicks("#pend")
				p.canUse("#stay")
			case "chat":
				p.clicks("#chat-toggle")
				p.writes("#body", "مرحبا\r")
				p.sees("#log .bot", flow[0].text)
			case "rating":
				latest, err := w.engine.Conversations(t.Context(), convo.Filter{
					Workspace: "kettles", Order: convo.OrderActivity, Limit: 1})
				require.NoError(t, err)
				ben.does(latest[0].ID, "close", map[string]any{"category": "Support"})
				p.clicks("#score-5")
			}
			for _, size := range []struct{ width, height int64 }{
				{390, 844}, {1440, 900}, {360, 225},
			} {
				p.resizes(size.width, size.height)
				name := fmt.Sprintf("%s-%s-%d", page.name, scheme, size.width)
				p.keeps(name)
				require.LessOrEqual(t, p.overflow(), int64(0), "%s scrolls sideways", name)
				p.passes(source, name)
				if size.height == 225 && (page.name == "thread" || page.name == "chat") {
					p.fitsLow(name)
				}
			}
			p.resizes(1440, 900)
		}
	}
	for i := range 100 {
		_, err := w.engine.Do(t.Context(), convo.ToContact("kettles", "noor").In("orders"),
			convo.Receive{Channel: channel, Body: fmt.Sprint("Another line ", i)})
		require.NoError(t, err)
	}
	ana.load(w.url + "/inbox/" + chosen)
	ana.sees("#log .contact", "Another line 99")
	pdf, err := chromedp.Run(ana.ctx, chromedp.PrintToPDF())
	require.NoError(t, err)
	require.Greater(t, len(regexp.MustCompile(`/Type ?/Page\b`).FindAll(pdf, -1)), 3,
		"paper has all of a thread")
	if dir := os.Getenv("CONVO_SCREENSHOTS"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "thread.pdf"), pdf, 0o644))
	}
}

// fitsLow fails unless there is room for messages, and what sends one is in sight.
func (p *person) fitsLow(name string) {
	p.t.Helper()
	p.waits(`(name) => {
		const of = (css) => document.querySelector(css).getBoundingClientRect();
		const send = of("#send");
		const last = of("#log > li:last-child");
		const write = of("#send").top;
		return send.top >= 0 && send.bottom <= innerHeight && last.bottom > 20 &&
			last.bottom <= write + 8 && write >= 100;
	}`, name)
}

// keeps keeps a picture, if somebody wants to look at it.
func (p *person) keeps(name string) {
	p.t.Helper()
	p.waits(`() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	dir := os.Getenv("CONVO_SCREENSHOTS")
	if dir == "" {
		return
	}
	data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644))
}

// passes fails if axe finds something.
func (p *person) passes(source, name string) {
	p.t.Helper()
	if source == "" {
		return
	}
	_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](source+"; true"))
	require.NoError(p.t, err)
	found, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`axe.run().then((r) =>
		JSON.stringify(!r.passes.length || r.violations.map((v) =>
			[v.id, v.nodes.map((n) => n.html + n.failureSummary)])))`,
		chromedp.EvalAwaitPromise))
	require.NoError(p.t, err)
	var violations []any
	require.NoError(p.t, json.Unmarshal([]byte(found), &violations))
	require.Empty(p.t, violations, "%s: %s", name, strings.ReplaceAll(found, `\n`, "\n"))
}
