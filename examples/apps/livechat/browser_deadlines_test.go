package main

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// later has the browser's clock be ahead by so much, until another page is loaded, as that of the
// world is by then.
func (p *person) later(d time.Duration) {
	p.t.Helper()
	p.waits(`(ahead) => {
		const from = performance.timeOrigin;
		Date.now = () => from + performance.now() + ahead;
		return import("/assets/live.js").then((live) => live.localize(document) ?? true);
	}`, d.Milliseconds())
}

// TestDeadlinesInTheBrowser plays what is due, overdue, nudged, closed and rated, by a clock that
// is moved.
func TestDeadlinesInTheBrowser(t *testing.T) {
	browser, w := launch(t), newWorld(t)
	w.clock.Set(time.Now())
	riya, ana := open(browser, t, "riya"), w.signedIn(browser, t, "ana@kettles")
	riya.load(w.url + "/w/kettles/")
	riya.clicks("#chat-toggle")
	riya.writes("#body", "Hello\r")
	riya.sees("#log .bot", flow[0].text)

	// What runs out next, and for how long it does: the browser counts on by itself.
	ana.selects("#order", "deadline")
	ana.sees("#rows .tag.runs", "First response: 4 min left")
	ana.later(patience + 30*time.Second)
	ana.sees("#rows .tag.runs.overdue", "First response: just overdue")
	w.passes(patience + 30*time.Second)
	ana.sees("#rows .tag.runs:not(.overdue)", "Resolution: 54 min left")
	ana.sees("#rows .tag.runs.overdue", "First response: just overdue")
	ana.picture("runs-out")

	// The conversation says so, too, until somebody answers.
	ana.clicks("#rows a")
	ana.canUse("#body")
	ana.later(patience + 30*time.Second)
	ana.sees("#timers .overdue", "First response: just overdue")
	ana.sees("#log .event", "marked the first response as missed")
	ana.writes("#body", "Good day. What is it about?\r")
	ana.sees("#timers", "Nudge: 4 min left")
	ana.lacks("#timers", "First response")
	riya.sees("#log .user", "What is it about?")

	// A nudge, once, and an answer to it.
	w.passes(patience)
	riya.counts("#log .bot", nudgeText, 1)
	ana.sees("#log .bot", nudgeText)
	riya.writes("#body", "Kettles\r")
	ana.sees("#log .contact", "Kettles")

	// Pending, whatever the visitor writes.
	ana.clicks("#pend")
	ana.clicks("#stay")
	ana.picture("pending")
	ana.clicks("#pend-confirm")
	ana.sees("#log .event", "until an agent resumes it")
	ana.sees("#timers", "Resolution: stands still")
	riya.writes("#body", "Are you there?\r")
	ana.sees("#log .contact", "Are you there?")
	ana.sees(".status.pending", "pending")
	ana.clicks("#resume")
	ana.sees(".status.open", "open")

	// Closed, because the visitor does not answer, with a farewell.
	ana.writes("#body", "Yes. Which one?\r")
	riya.sees("#log .user", "Which one?")
	w.passes(patience)
	riya.counts("#log .bot", nudgeText, 2)
	w.passes(patience)
	riya.sees("#log .bot", farewell)
	riya.sees("#closed-notice", "takes no more messages")
	ana.sees("#log .event", "as No answer")
	ana.sees("#log .event .mark", "Resolution met")
	ana.lacks("#timers", "Nudge")

	// Rated, and rated otherwise.
	riya.sees("#rating legend", "How was this chat?")
	riya.waits(`() => !document.querySelector("#rating-form").checkValidity()`)
	riya.clicks("#score-4")
	riya.writes("#comment", "Friendly.")
	riya.picture("rating")
	riya.clicks("#rate")
	riya.sees("#rating legend", "You can change it.")
	riya.waits(`() => document.activeElement.id === "rate"`)
	ana.sees("#log .event", "rated the conversation 4 of 5: Friendly.")
	ana.sees("#closings", "Rated 4 of 5: Friendly.")
	riya.does(chromedp.Reload())
	riya.waits(`() => document.querySelector("#score-4").checked`)
	riya.clicks("#score-5")
	riya.clicks("#rate")
	ana.sees("#closings", "Rated 5 of 5: Friendly.")
	riya.clicks("#restart")
	riya.canUse("#body")
	riya.waits(`() => !document.querySelector("#rating-form")`)
	ana.isClean()
	riya.isClean()
}
