package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/examples/apps/internal/browser"
)

// TestVisitorAndAgentSideBySide plays both through in two browsers that share nothing, as people
// would: by what is on the screen. It waits for what is to appear, and never reloads a page to make
// it so.
//
// CONVO_BROWSER=required fails without a browser instead of skipping. CONVO_SCREENSHOTS=FOLDER
// keeps pictures of both.
func TestVisitorAndAgentSideBySide(t *testing.T) {
	browser := launch(t)
	dir := t.TempDir()
	site := start(t, "--db", filepath.Join(dir, "livechat.sqlite"), "--secrets",
		filepath.Join(dir, "secrets.json"))
	visitor, agent := open(browser, t, "visitor"), open(browser, t, "agent")

	agent.load(site.url + "/inbox")
	agent.picture("sign-in")
	agent.writes("#login", "ana@kettles")
	agent.writes("#password", site.passwords["ana@kettles"]+"\r")
	agent.sees("#rows", "None open.")

	// A message opens the conversation, and the flow greets.
	visitor.load(site.url + "/")
	visitor.picture("page")
	visitor.clicks("#chat-toggle")
	visitor.sees("#greeting", "Ask us anything")
	visitor.writes("#body", "Hi, what do ten kettles cost?\r")
	visitor.sees("#log .contact", "ten kettles")
	visitor.sees("#log .bot", flow[0].text)
	visitor.picture("flow")
	visitor.clicks(".choice")
	visitor.sees("#log .bot", flow[1].text)
	visitor.writes("#body", "riya@example.com\r")
	visitor.sees("#log .bot", flow[2].text)
	// without being asked: it was opened while the list was on the screen
	agent.sees("#rows", "riya@example.com")
	agent.sees("#rows .tag.waiting", "waiting")
	agent.picture("list")

	// Reply, note, assign.
	agent.clicks("#rows a")
	agent.sees("#log .contact", "ten kettles")
	agent.writes("#body", "Hi Riya, $18 each from ten upwards.\r")
	agent.sees("#log .user", "$18 each")
	visitor.sees("#log .user", "$18 each")
	agent.clicks("#as-note")
	agent.writes("#body", "Asked for the same last year.\r")
	agent.sees("#log .note", "last year")
	agent.clicks("#as-reply")
	agent.selects("#assignee", "ben")
	agent.sees("#log .event", "assigned it to Ben")

	// Pending, and taken up again.
	agent.clicks("#pend")
	agent.clicks("[data-hours='4']")
	agent.picture("pending")
	agent.clicks("#pend-confirm")
	agent.sees(".status.pending", "pending")
	agent.sees("#log .event", "set it to pending until")
	agent.clicks("#resume")
	agent.sees(".status.open", "open")
	agent.picture("thread")

	// Closed, with a category and a summary.
	agent.clicks("#close")
	agent.selects("#category", "Sales")
	agent.writes("#summary", "Customer inquired about bulk pricing.")
	agent.picture("close")
	agent.clicks("#close-confirm")
	agent.sees(".status.closed", "closed")
	agent.sees("#log .notice", "This conversation has been closed.")
	agent.sees("#log .event", "as Sales: Customer inquired about bulk pricing.")
	agent.sees("#closings", "Sales")
	agent.sees("#rows", "None open.")

	// The visitor is told, and cannot write.
	visitor.sees("#log .notice", "This conversation has been closed.")
	visitor.sees("#closed-notice", "takes no more messages")
	visitor.hidden("#body")
	visitor.lacks("#log", "last year")
	visitor.picture("closed")

	// Restarted: the flow starts again from its beginning, and the agent is told.
	visitor.clicks("#restart")
	visitor.canUse("#body")
	visitor.counts("#log .bot", flow[0].text, 2)
	agent.sees("#log .notice", "This conversation has been restarted.")
	agent.sees(".status.open", "open")
	agent.sees("#rows", "riya@example.com")
	visitor.picture("restarted")
	visitor.waits(`() => {
		const s = document.getElementById("scroll");
		return s.scrollHeight - s.scrollTop - s.clientHeight < 2;
	}`) // the end stays in sight

	// Closed once more, and reopened by the agent: the visitor is told.
	agent.clicks("#close")
	agent.selects("#category", "Support")
	agent.clicks("#close-confirm")
	visitor.sees("#closed-notice", "closed")
	agent.clicks("#reopen")
	agent.sees("#log .notice", "This conversation has been reopened.")
	visitor.sees("#log .notice", "This conversation has been reopened.")
	visitor.canUse("#body")
	visitor.writes("#body", "One more question\r")
	agent.sees("#log .contact", "One more question")

	// Another browser of the same person: suggested, and merged.
	other := open(browser, t, "phone")
	other.load(site.url + "/")
	other.clicks("#chat-toggle")
	other.writes("#body", "It is Riya again, on my phone\r")
	other.sees("#log .bot", flow[0].text)
	other.writes("#body", "About my order\r")
	other.sees("#log .bot", flow[1].text)
	other.writes("#body", "riya@example.com\r")
	other.sees("#log .bot", flow[2].text)
	agent.resizes(390, 844)
	agent.clicks("#about-toggle") // beside the thread there is no room
	agent.sees("#suggestions", "riya@example.com")
	agent.picture("suggestion")
	agent.clicks("[data-merge]")
	agent.sees("#sure-text", "Both will see what is said in this conversation")
	agent.picture("sure")
	agent.clicks("#sure-confirm")
	agent.sees("#others", "closed")
	agent.resizes(1280, 800)
	other.sees("#log .contact", "It is Riya again, on my phone")
	agent.writes("#body", "Hello on both\r")
	other.sees("#log .user", "Hello on both")
	visitor.sees("#log .user", "Hello on both")

	agent.clicks("#history")
	agent.sees(".history",
		"closed the conversation as Sales: Customer inquired about bulk pricing.")
	agent.picture("history")

	// The dashboard has what happened, as numbers and as charts, and counts on.
	agent.load(site.url + "/dashboard")
	agent.sees("#n-open", "1")
	agent.sees("#n-opened", "4") // two conversations, a restart and a reopening
	agent.sees("#n-closed", "3") // and one by the merge
	agent.sees("#t-leaders", "Ana\t3")
	agent.sees("#t-categories", "Sales\t1")
	agent.waits(`() => [...document.querySelectorAll("figure > svg")].filter((chart) => {
		const size = chart.getBoundingClientRect();
		const drawn = [...chart.querySelectorAll("path")].some((p) => getComputedStyle(p).stroke === "rgb(0, 114, 178)" ||
			getComputedStyle(p).fill === "rgb(0, 114, 178)");
		return drawn && size.width > 300 && size.height > 150 && chart.getAttribute("aria-label");
	}).length === 2`)
	agent.picture("dashboard")
	agent.sees("#t-times", "First response\t2")
	agent.clicks("#t-bands-numbers")
	agent.sees("#t-bands", "≤ 1m")
	visitor.writes("#body", "Thank you!\r")
	agent.canUse("#n-waiting time") // since just now
	agent.sees("#t-bands", "≤ 1m")  // what was unfolded stays so

	status, rest := site.stop()
	require.Zero(t, status, site.log)
	require.Contains(t, rest, "2  conversations opened")
	require.Contains(t, rest, "1  contacts merged")
	visitor.sees("#connection", "Not connected")
	agent.isClean()
	visitor.isClean()
}

var launch = browser.Launch

// person is one at a browser of their own: its cookies are nobody else's.
type person struct {
	t        *testing.T
	ctx      context.Context
	name     string
	console  func() []string
	pictures int
}

func open(browser context.Context, t *testing.T, name string) *person {
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &person{t: t, ctx: ctx, name: name}
	messages := chromedp.Console(ctx)
	var complaints logs
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			switch m.Type {
			case chromedp.ConsoleWarning, chromedp.ConsoleError, chromedp.ConsoleException:
				if m.Source != "network" { // a server that has ended is no fault of the page
					fmt.Fprintln(&complaints, m)
				}
			}
		}
	}()
	p.console = func() []string {
		return strings.Split(strings.TrimSpace(complaints.String()),
			"\n")
	}
	p.resizes(1280, 800)
	return p
}

func (p *person) resizes(width, height int64) {
	p.t.Helper()
	p.does(chromedp.EmulateViewport(width, height))
}

func (p *person) does(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	if !assert.NoError(p.t, chromedp.Do(ctx, steps...), p.name) {
		p.fail()
	}
}

// fail ends the test with what is on the screen.
func (p *person) fail() {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](
		`[location.href, document.title, document.body.innerText].join("\n")`))
	p.t.Fatalf("%s sees: %s %v\n%s", p.name, text, err, p.console())
}

func (p *person) load(url string) {
	p.t.Helper()
	p.does(chromedp.Navigate(url))
}

func (p *person) clicks(css string) {
	p.t.Helper()
	p.touches(chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

// touches does something to an element. What is found may be replaced by the server's news before
// anything is done to it; then it does so to what is there now.
func (p *person) touches(step chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for range 3 {
		ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
		err := chromedp.Do(ctx, step)
		cancel()
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") {
			break
		}
	}
	p.does(step)
}

func (p *person) writes(css, text string) {
	p.t.Helper()
	p.canUse(css)
	text, enter := strings.CutSuffix(text, "\r")
	p.touches(chromedp.SendKeys(chromedp.CSS(css), text))
	if !enter {
		return
	}
	// SendKeys leaves a line break where a page prevents that.
	p.waits(`(css) => {
		const field = document.querySelector(css);
		const enter = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
		if (field.dispatchEvent(enter)) field.form.requestSubmit();
		return true;
	}`, css)
}

func (p *person) selects(css, value string) {
	p.t.Helper()
	p.waits(`(css, value) => {
		const field = document.querySelector(css);
		if (!field?.checkVisibility()) return false;
		field.value = value;
		field.dispatchEvent(new Event("change", { bubbles: true }));
		return field.value === value;
	}`, css, value)
}

// sees waits until an element is there to be seen that has the text.
func (p *person) sees(css, text string) {
	p.t.Helper()
	p.waits(`(css, text) =>
		[...document.querySelectorAll(css)].some((e) => e.checkVisibility() && e.innerText.includes(text))`, css, text)
}

func (p *person) canUse(css string) {
	p.t.Helper()
	p.waits(`(css) => document.querySelector(css)?.checkVisibility() && !document.querySelector(css).disabled`, css)
}

func (p *person) hidden(css string) {
	p.t.Helper()
	p.waits(`(css) => !document.querySelector(css).checkVisibility()`, css)
}

func (p *person) lacks(css, text string) {
	p.t.Helper()
	p.waits(`(css, text) => !document.querySelector(css).innerText.includes(text)`, css, text)
}

func (p *person) counts(css, text string, n int) {
	p.t.Helper()
	p.waits(`(css, text, n) =>
		[...document.querySelectorAll(css)].filter((e) => e.innerText.includes(text)).length === n`, css, text, n)
}

// waits until function is true of the page, also when that is a new page by then: what waits in the
// old one may hear nothing any more, so it is asked anew.
func (p *person) waits(function string, args ...any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.PollFunction[bool](function,
			chromedp.WithPollingArgs(args...), chromedp.WithPollingTimeout(3*time.Second)))
		if err == nil && ok {
			return
		}
		if ctx.Err() != nil {
			p.t.Errorf("%s waits in vain for %v", p.name, args)
			p.fail()
		}
	}
}

// isClean fails if the browser had something to complain about: a script that failed, or something
// that the content security policy forbids.
func (p *person) isClean() {
	p.t.Helper()
	require.Equal(p.t, []string{""}, p.console(), p.name)
}

// picture keeps the screen as it is on a desktop and on a phone, if somebody wants to look at it.
func (p *person) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("CONVO_SCREENSHOTS")
	if dir == "" {
		return
	}
	p.pictures++
	for _, size := range []struct{ width, height int64 }{{390, 844}, {1280, 800}} {
		p.resizes(size.width, size.height)
		p.waits(`(width) => innerWidth === width &&
			new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, size.width)
		assert.LessOrEqual(p.t, p.overflow(), int64(0), "%s scrolls sideways at %d px", name,
			size.width)
		data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		require.NoError(p.t, err)
		file := fmt.Sprintf("%s-%02d-%s-%d.png", p.name, p.pictures, name, size.width)
		require.NoError(p.t, os.WriteFile(filepath.Join(dir, file), data, 0o644))
	}
}

// overflow is by how many pixels the page is wider than the screen.
func (p *person) overflow() int64 {
	n, err := chromedp.Run(p.ctx,
		chromedp.Evaluate[int64](`document.documentElement.scrollWidth - innerWidth`))
	require.NoError(p.t, err)
	return n
}
