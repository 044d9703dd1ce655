package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
)

var eraseOutboxCases = []outboxCase{{
	"Outbox/has what is erased go out under its token, and without its texts",
	"what is on its way follows an erasure, and no relay takes a text past it",
	erasesOnTheWay,
}, {
	"Outbox/loses no event of whom nothing is to be erased in it",
	"what is on its way follows an erasure, and no relay takes a text past it",
	losesNothingOfTheErased,
}}

func losesNothingOfTheErased(o *outbox) {
	o.do(to("ann"), convo.Receive{Body: "hi"}, convo.Block{By: ana}, convo.Unblock{By: ana})
	token := o.erase("ann", "").Contact.ID
	var own []convo.EventKind
	for _, c := range o.claimed() {
		for i := range c.Events {
			if c.Conversation == uuid.Nil {
				o.Equal(token, c.Contact)
				own = append(own, c.Events[i].Kind)
			}
		}
	}
	o.Equal([]convo.EventKind{
		convo.ContactBlocked, convo.ContactUnblocked, convo.ContactErased,
	}, own)
}

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
	"Erase/leaves every report",
	"reports are the same before an erasure and after it, rolled up or not",
	leavesReports,
}}

// U22: counts and sums are as before.
func leavesReports(r *reports) {
	r.play(acme, 5, 120)
	for _, c := range r.active(acme) { // which an erasure would close
		_, err := r.engine.Do(r.ctx, convo.ToConversation(acme, c.ID), convo.Close{By: ana})
		r.NoError(err)
	}
	roots, err := r.store.Contacts(r.ctx,
		convo.ContactFilter{Workspace: acme, Limit: convo.MaxPageSize})
	r.NoError(err)
	n, _ := r.rollup(len(r.all(acme)) / 2) // some are rolled up, and some are not
	before := r.everyReport(acme)
	r.Greater(len(before), 1000)
	for i, k := range roots {
		if i%2 == 0 {
			r.erase(k.ID, "")
		}
	}
	r.sameReports(before, r.everyReport(acme))
	if n > 0 {
		r.rollupAll()
		r.sameReports(before, r.everyReport(acme))
	}
}

func (r *reports) sameReports(before, after []string) {
	r.Len(after, len(before))
	for i := range before {
		r.Equal(before[i], after[i])
	}
}

// everyReport is all that compareAll asks for, all kinds of report in all ways, the spans, and what
// is behind the figures, as text. It leaves out what names contacts, and what percentiles come to,
// which a store may tell approximately: those are compared with the log.
func (r *reports) everyReport(workspace string) (all []string) {
	turn := r.turn
	r.asked = func(a *report.Aggregation, want []report.Cell) {
		if a.GroupBy != report.Contact && a.Filter[report.Contact] == nil &&
			a.Exclude[report.Contact] == nil {
			all = append(all, fmt.Sprintf("%+v: %+v", *a, want))
		}
	}
	r.compareAll(workspace)
	r.turn, r.asked = turn, nil // it is to ask for the same ones again
	from, to := r.period(workspace)
	for _, kind := range []report.Kind{
		report.Conversations, report.Responses, report.Resolutions, report.Messages,
		report.Contacts, report.Assignments, report.Times, report.Backlogs, report.Deadlines,
		report.Users, report.Leaderboard, report.Satisfaction,
	} {
		for _, by := range append([]report.Dimension{""}, report.Dimensions()...) {
			q := report.Query{
				Kind: kind, Workspace: workspace, From: from, To: to, GroupBy: by,
				Zone: "Asia/Kolkata", HeatMap: by == "" && kind != report.Backlogs,
			}
			switch by {
			case report.Contact:
				continue
			case "":
				q.Bucket, q.CountDistinct = report.Day, kind == report.Conversations
			}
			if kind == report.Leaderboard {
				q.Measure = report.Closed
			}
			a, err := report.Run(r.ctx, r.reporter, q)
			var invalid *convo.ValidationError
			if errors.As(err, &invalid) { // it does not have the dimension
				r.NotEmpty(by, "%s: %v", kind, err)
				continue
			}
			r.NoError(err)
			all = append(all, r.told(a))
			if by != "" || kind == report.Users || kind == report.Leaderboard {
				continue
			}
			for _, m := range slices.Sorted(maps.Keys(a.Definitions)) {
				q := q
				q.Bucket, q.HeatMap = "", false
				behind, err := report.Behind(r.ctx, r.reporter, q, m, uuid.Nil, convo.MaxPageSize)
				r.NoError(err)
				all = append(all, fmt.Sprint(kind, m, behind))
			}
		}
	}
	var spans bytes.Buffer
	r.NoError(report.WriteSpansNDJSON(r.ctx, &spans, r.reporter, report.Export{
		Workspace: workspace, From: from, To: to,
	}))
	for d := json.NewDecoder(&spans); d.More(); {
		var p report.Span
		r.NoError(d.Decode(&p))
		p.Contact = ""
		all = append(all, fmt.Sprintf("%+v", p))
	}
	return all
}

// told is a value as JSON, without percentiles.
func (r *reports) told(v any) string {
	text, err := json.Marshal(v)
	r.NoError(err)
	var decoded any
	r.NoError(json.Unmarshal(text, &decoded))
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				strip(e)
			}
		case map[string]any:
			for _, name := range []string{"median", "p90", "p95", "p99", "bands", "approximate"} {
				delete(v, name)
			}
			for _, e := range v {
				strip(e)
			}
		}
	}
	strip(decoded)
	text, err = json.Marshal(decoded)
	r.NoError(err)
	return string(text)
}
