package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
)

// What is around a conversation that is removed: outboxes, feeds and reports.

var removalOutboxCases = []outboxCase{{
	"Outbox/holds back what is removed by its age",
	"what is on its way, or a dead letter, is not removed", holdsBackRemoval,
}}

func holdsBackRemoval(o *outbox) {
	c := o.do(to("ann"), convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation
	o.do(to("bob"), convo.Receive{Body: "hi"})
	if r, ok := o.store.(Roller); ok {
		_, _, err := r.Rollup(o.ctx, 0)
		o.NoError(err)
	}
	o.removed = whole
	needed := func(what string) {
		o.unchanged(func() {
			err := o.store.RemoveConversation(o.ctx, acme, c.ID, c.Version)
			o.ErrorIs(err, convo.ErrConflict, what)
		})
	}
	needed("it is noted")
	claims := o.claimed()
	needed("it is queued, and in hand")
	o.settle(claims, died)
	o.settle(o.claim(convo.MaxPageSize), sent)
	needed("there is a dead letter")
	letters := o.deadLetters(relay.DeadLetterFilter{})
	o.Len(letters, 2)
	o.clock.add(year + time.Second)
	p, err := o.engine.Prune(o.ctx, whole, convo.PrunePlace{}, 0)
	o.NoError(err)
	o.Equal(convo.Pruned{HeldBack: 1}, p)
	for _, d := range letters {
		_, err := o.relay.Bury(o.ctx, []relay.DeadLetterID{d.DeadLetterID})
		o.NoError(err)
	}
	p, err = o.engine.Prune(o.ctx, whole, convo.PrunePlace{}, 0)
	o.NoError(err)
	o.Equal(convo.Pruned{Conversations: 1}, p)
	o.Empty(o.noted(), "nothing says so")
}

var removalFeedCases = []feedCase{{
	"Feed/goes on past what was removed",
	"a row of a feed whose events are gone is skipped", skipsWhatIsRemoved,
}}

func skipsWhatIsRemoved(f *feed) {
	f.do(to("ann"), convo.Receive{Body: "before"})
	f.queue(nil)
	gone := f.do(to("bob"), convo.Receive{Body: "hi"}, convo.Close{By: ana}).Conversation
	f.queue(nil)
	f.do(to("eve"), convo.Receive{Body: "behind"})
	f.settles()
	f.removed = whole
	f.NoError(f.store.RemoveConversation(f.ctx, acme, gone.ID, gone.Version))
	rest := f.after(acme, relay.Cursor{})
	f.whole(acme, rest)
	for limit := 1; limit <= 3; limit++ {
		var paged []relay.FeedItem
		for at := (relay.Cursor{}); ; {
			page, err := f.feeds.FeedAfter(f.ctx, acme, at, limit)
			f.NoError(err)
			f.Nil(page.Missed)
			if paged = append(paged, page.Items...); page.Next == at {
				break
			}
			at = page.Next
		}
		f.Equal(rest, paged)
	}
}

var removalReportCases = []reportCase{{
	"Reports/are the same when conversations are removed by their age",
	"what rollups answer does not change when conversations are removed", keepsReports,
}}

func keepsReports(r *reports) {
	r.play(acme, 31, 300)
	for i, c := range r.all(acme) {
		if i%2 == 0 && c.Status.Active() {
			_, err := r.engine.Do(r.ctx, convo.ToConversation(acme, c.ID), convo.Close{By: ana})
			r.NoError(err)
		}
	}
	r.settles()
	before := r.rolledTotals()
	n := len(r.all(acme))
	r.clock.add(year + time.Second)
	p := r.prunes(whole, 7)
	r.Greater(p.Conversations, 10)
	r.Zero(p.HeldBack)
	r.Equal(n-p.Conversations, len(r.all(acme)))
	r.Equal(before, r.rolledTotals())
	r.play(acme, 32, 40)
	with := r.rolledTotals()
	r.NotEqual(before, with, "what comes is counted")
	r.settles()
	r.Equal(with, r.rolledTotals(), "rolled up, too")
	counted, err := r.reporter.Counted(r.ctx, report.CountedQuery{
		Aggregation: report.Aggregation{
			Workspace: acme, Measures: []report.Measure{report.Opened},
			Boundaries: wholeDays(r.period(acme)),
		}, Limit: convo.MaxPageSize,
	})
	r.NoError(err)
	there := map[string]bool{}
	for _, c := range r.all(acme) {
		there[c.ID.String()] = true
	}
	for _, c := range counted {
		r.True(there[c.Conversation.String()], "of what a figure counts, what is there is shown")
	}
}

// wholeDays are the days of UTC that have a period.
func wholeDays(from, to time.Time) []time.Time {
	const day = 24 * time.Hour
	return []time.Time{from.Truncate(day), to.Truncate(day).Add(day)}
}

// rolledTotals are what rollups answer, of all time, as text: by each dimension that they have, and
// in half hours over all.
func (r *reports) rolledTotals() string {
	const halfHour = 30 * time.Minute
	// of what the reports are asked, whatever is there by now
	days := []time.Time{
		time.Date(2025, 3, 20, 0, 0, 0, 0, time.UTC), time.Date(2025, 4, 2, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC),
	}
	halves := []time.Time{days[0].Add(halfHour), days[1].Add(7 * halfHour), days[2]}
	var b strings.Builder
	for _, m := range report.Measures() {
		if len(m.RollupTerms()) == 0 || m.CountsDistinct() || m.Working() {
			continue
		}
		for _, by := range append([]report.Dimension{""}, report.Dimensions()...) {
			boundaries := days
			if by == "" {
				boundaries = halves
			} else if !by.InRollups(m.Subject()) || by.OnlyFilters() {
				continue
			}
			cells, err := r.reporter.Aggregate(r.ctx, report.Aggregation{
				Workspace: acme, Measures: []report.Measure{m}, GroupBy: by,
				Boundaries: boundaries,
			})
			r.NoError(err)
			sortCells(cells)
			text, err := json.Marshal(cells)
			r.NoError(err)
			fmt.Fprintln(&b, m, by, string(text))
		}
	}
	return b.String()
}
