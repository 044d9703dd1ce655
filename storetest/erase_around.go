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

var eraseOutboxCases = []outboxCase{{
	"Outbox/has what is erased go out under its token, and without its texts",
	"what is on its way follows an erasure, and no relay takes a text past it",
	erasesOnTheWay,
}}

func erasesOnTheWay(o *outbox) {
	failing := func(c *relay.Claimed) relay.Settled {
		return relay.Settled{
			Queue: c.Queue, Lease: c.Lease, To: c.To, Next: c.From, Tries: 1, Dead: true,
			Error: "cannot send " + Canary,
		}
	}
	o.canaries(acme)
	o.Positive(o.settle(o.claimed(), failing))
	inHand := o.claimed() // what is behind the dead letters, with texts in it
	o.NotEmpty(inHand)
	o.do(to(Canary+" id"), convo.Block{By: ana, Reason: Canary}) // noted only
	o.NotEmpty(o.deadLetters(relay.DeadLetterFilter{}))
	token := o.erase(Canary+" id", "").Contact.ID
	theirs := 0
	for i := range inHand {
		c := &inHand[i]
		if c.Contact == "" && !o.load(convo.ToConversation(acme, c.Conversation)).
			Contact.ErasedAt.IsZero() || strings.Contains(c.Contact, Canary) {
			theirs++
			o.Zero(o.settle(inHand[i:i+1], failing), "%+v is in hand no more", c.Queue)
		}
	}
	o.Positive(theirs)
	for _, of := range o.noted() {
		o.NotContains(of.Contact, Canary)
	}
	letters := o.deadLetters(relay.DeadLetterFilter{})
	var ids []relay.DeadLetterID
	own := false
	for _, d := range letters {
		o.NotContains(fmt.Sprint(d), Canary)
		own = own || d.Contact == token
		ids = append(ids, d.DeadLetterID)
	}
	o.True(own, "the letters of its own log are under the token")
	_, err := o.relay.Revive(o.ctx, o.clock.Now(), ids)
	o.NoError(err)
	o.clock.add(2 * lease)
	sent := map[convo.EventKind]bool{}
	for _, c := range o.claimed() {
		text, err := json.Marshal(c)
		o.NoError(err)
		o.NotContains(string(text), Canary)
		for _, e := range c.Events {
			sent[e.Kind] = true
		}
	}
	o.True(sent[convo.ContactErased] && sent[convo.ConversationErased])
}

var eraseReportCases = []reportCase{{
	"Erase/leaves every count and every sum",
	"reports are the same before an erasure and after it, rolled up or not",
	leavesReports,
}}

func leavesReports(r *reports) {
	r.play(acme, 5, 200)
	for _, c := range r.active(acme) { // which an erasure would close
		_, err := r.engine.Do(r.ctx, convo.ToConversation(acme, c.ID), convo.Close{By: ana})
		r.NoError(err)
	}
	roots, err := r.store.Contacts(r.ctx,
		convo.ContactFilter{Workspace: acme, Limit: convo.MaxPageSize})
	r.NoError(err)
	r.rollup(20) // some are rolled up, and some are not
	before := r.totals()
	for i, k := range roots {
		if i%2 == 0 {
			r.erase(k.ID, "")
		}
	}
	r.Equal(before, r.totals())
	r.rollupAll()
	r.Equal(before, r.totals())
}

// totals are each measure of all time, and by each dimension but the contact, as text.
func (r *reports) totals() string {
	from, to := r.period(acme)
	var b strings.Builder
	for _, m := range report.Measures() {
		for _, by := range append([]report.Dimension{""}, report.Dimensions()...) {
			if by == report.Contact || !fits(m.Subject(), by, nil) || m.Working() {
				continue
			}
			cells, err := r.reporter.Aggregate(r.ctx, report.Aggregation{
				Workspace: acme, Measures: []report.Measure{m}, GroupBy: by,
				Boundaries: []time.Time{from, to},
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
