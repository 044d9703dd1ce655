package storetest

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// What reports are compared with: a second implementation of all measures, by plain loops over the
// log. It uses nothing of package report but names.

// fact is one thing that a measure counts.
type fact struct {
	measure    report.Measure
	at         time.Time
	count      int64
	micros     int64     // or a score
	timed      bool      // or scored
	id         string    // of what is distinct
	of         uuid.UUID // the conversation; zero: none
	dimensions dims
}

type facts []fact

type dims map[report.Dimension][]string

func (d dims) with(more dims) dims {
	all := dims{}
	for _, from := range []dims{d, more} {
		for k, v := range from {
			all[k] = v
		}
	}
	return all
}

func one(value string) []string { return []string{value} }

func userIn(a convo.Actor) []string {
	if a.Type == convo.ActorUser {
		return one(a.ID)
	}
	return one("")
}

func contactIs(isNew bool) []string {
	if isNew {
		return one("new")
	}
	return one("returning")
}

// facts are all facts of a workspace.
func (r *reports) facts(workspace string) (all facts) {
	for _, e := range r.ownLogs(workspace) {
		all.message(&e, false)
	}
	for _, c := range r.all(workspace) {
		first := len(all)
		all.conversation(&c, r.log(&c))
		for i := range all[first:] {
			all[first+i].of = c.ID
		}
	}
	return all
}

func (all *facts) add(m report.Measure, at time.Time, d dims) {
	*all = append(*all, fact{measure: m, at: at, count: 1, dimensions: d})
}

// took adds a duration, and if there is such a measure the same in working time.
func (all *facts) took(m report.Measure, from, to time.Time, at time.Time, d dims) {
	for _, name := range []report.Measure{m, "working_" + m} {
		if !name.Known() {
			continue
		}
		took := to.Sub(from)
		if name != m {
			took = halved{}.Between(from, to)
		}
		*all = append(*all, fact{
			measure: name, at: at, count: 1, micros: took.Microseconds(), timed: true,
			dimensions: d,
		})
	}
}

// message adds what e is as a message.
func (all *facts) message(e *convo.Event, first bool) {
	m := e.Message()
	d := dims{
		report.Channel: one(m.Channel), report.ContactType: contactIs(first),
		report.Author: userIn(e.By), report.ActorType: one(string(e.By.Type)),
		report.Contact: one(e.Contact), report.Conversation: one(""),
	}
	if e.Conversation != uuid.Nil {
		d[report.Conversation] = one(e.Conversation.String())
	}
	count := int64(1)
	quiet := m.Quiet
	switch e.Kind {
	case convo.MessageReceived, convo.MessageSent:
	case convo.MessageDuplicated: // the echo was counted, and is none
		count, quiet = -1, e.Duplicated().Quiet
		d[report.Channel] = one(e.Duplicated().Channel)
	default:
		return
	}
	f := fact{at: e.At, count: count, dimensions: d}
	switch {
	case quiet:
		f.measure = report.Quiet
	case e.Kind == convo.MessageReceived:
		f.measure = report.Incoming
	case e.By.Type == convo.ActorUser:
		f.measure = report.OutgoingUser
	case e.By.Type == convo.ActorAutomation:
		f.measure = report.OutgoingAutomation
	default:
		return
	}
	*all = append(*all, f)
}

// conversation adds all that a conversation counts for.
func (all *facts) conversation(c *convo.Conversation, log []convo.Event) {
	categories, scores := map[int]string{}, map[int]int{} // the last ones, by cycle
	cycle := 0
	for i := range log {
		switch log[i].Kind {
		case convo.ConversationOpened, convo.ConversationReopened:
			cycle++
		case convo.ConversationClosed, convo.ClosingAmended:
			categories[cycle] = log[i].ClosingNotes().Category
		case convo.ConversationRated:
			scores[log[i].Rated().Cycle] = log[i].Rated().Score
		}
	}
	var t convo.Snapshot
	turn, turnSince := "", time.Time{}
	cycles, rated := map[int]convo.Cycle{}, map[int]bool{}
	for i := range log {
		e := &log[i]
		was := t.Conversation
		t = convo.Apply(t, *e)
		is := &t.Conversation
		cycles[is.Cycle.Number] = is.Cycle
		d := dims{
			report.Channel: one(was.Channel), report.Lane: one(was.Lane),
			report.OpenedSource: one(string(was.Cycle.OpenedSource)),
			report.Team:         one(was.Team), report.Assignee: one(was.Assignee),
			report.ContactType: contactIs(was.Cycle.Number == 1 && was.NewContact),
			report.Status:      one(string(was.Status)),
			report.Priority:    one(was.Priority.String()),
			report.Label:       was.Labels.All(),
		}
		if len(d[report.Label]) == 0 {
			d[report.Label] = one("")
		}
		by := dims{report.ActorType: one(string(e.By.Type))}
		passes := func(next string) {
			opens := next != "" && turn == "nobody" && turnSince.Equal(e.At) // nothing has ended
			if next != turn && turn != "" && !opens {
				all.took(map[string]report.Measure{
					"nobody": report.IdleTime, "us": report.ContactWaitingTime,
					"contact": report.AwaitingContactTime,
				}[turn], turnSince, e.At, e.At, d)
			}
			if next != turn {
				turn, turnSince = next, e.At
			}
		}
		before := len(*all)
		all.message(e, is.NewContact)
		all.moves(e, &was, is)
		all.deadlines(e, d)
		switch e.Kind {
		case convo.ConversationOpened, convo.ConversationReopened:
			passes("nobody")
			all.opening(e, &was, is, d.with(by))
		case convo.ConversationClosed:
			passes("")
			all.closing(e, &was, is, categories[was.Cycle.Number], c.Origin, d.with(by))
		case convo.ConversationAssigned:
			all.assignment(e, &was, is, d.with(by))
		case convo.ConversationPending:
			if was.Status == convo.StatusOpen {
				all.took(report.OpenTime, was.StatusSince, e.At, e.At, d)
			}
		case convo.ConversationResumed:
			all.took(report.PendingTime, was.StatusSince, e.At, e.At, d)
		case convo.ConversationRated:
			n := e.Rated().Cycle
			if !rated[n] {
				all.rating(e, cycles[n], scores[n], categories[n], d, was.NewContact)
			}
			rated[n] = true
		case convo.MessageReceived:
			if !e.Message().Quiet {
				passes("us")
			}
		case convo.MessageSent:
			if e.Message().Response {
				waited := turn == "us"
				passes("contact")
				if waited {
					all.reply(e, &was, d.with(by))
				}
			}
		}
		for i := range (*all)[before:] {
			f := &(*all)[before+i]
			f.dimensions = f.dimensions.with(dims{report.Contact: one(e.Contact),
				report.Conversation: one(e.Conversation.String())})
		}
	}
}

// moves adds where an active conversation comes from, and where it goes.
func (all *facts) moves(e *convo.Event, was, is *convo.Conversation) {
	switch e.Kind {
	case convo.ConversationOpened, convo.ConversationReopened, convo.ConversationPending,
		convo.ConversationResumed, convo.ConversationClosed, convo.ConversationAssigned,
		convo.ConversationMoved:
	default:
		return
	}
	if was.Status.Active() {
		all.add(report.Left, e.At, queueOf(was))
	}
	if is.Status.Active() {
		all.add(report.Entered, e.At, queueOf(is))
	}
}

// queueOf is where a conversation is among others.
func queueOf(c *convo.Conversation) dims {
	return dims{
		report.Status: one(string(c.Status)), report.Assignee: one(c.Assignee),
		report.Team: one(c.Team), report.Lane: one(c.Lane), report.Channel: one(c.Channel),
	}
}

func (all *facts) opening(e *convo.Event, was, is *convo.Conversation, d dims) {
	d[report.OpenedSource] = one(string(e.Source))
	d[report.ContactType] = contactIs(was.Version == 0 && is.NewContact)
	assigned := d.with(dims{
		report.AssignedFrom: one(was.Assignee), report.AssignedBy: userIn(e.By),
	})
	d[report.Opener], d[report.Closer] = userIn(e.By), userIn(was.Cycle.Closing.By)
	delete(d, report.Status)
	all.add(report.Opened, e.At, d)
	if was.Version > 0 {
		all.add(report.Reopened, e.At, d)
		all.add(report.Returning, e.At, d)
		if was.Assignee != "" { // who keeps it has it at once
			all.took(report.Assignment, e.At, e.At, e.At, assigned)
		}
		return
	}
	d[report.Channel], d[report.Lane] = one(is.Channel), one(is.Lane)
	all.add(report.OpenedNew, e.At, d)
	if is.NewContact {
		all.add(report.NewContacts, e.At, d)
	} else {
		all.add(report.Returning, e.At, d)
	}
}

func (all *facts) closing(
	e *convo.Event, was, is *convo.Conversation, category, origin string, d dims,
) {
	if was.Status == convo.StatusOpen {
		all.took(report.OpenTime, was.StatusSince, e.At, e.At, d)
	} else {
		all.took(report.PendingTime, was.StatusSince, e.At, e.At, d)
	}
	all.handled(e, was, d)
	y := &is.Cycle
	d = d.with(dims{
		report.ClosedSource: one(string(e.Source)), report.Category: one(category),
		report.Closer: userIn(e.By), report.FirstResponder: userIn(y.FirstResponder),
		report.FirstAssignee: one(y.FirstAssignee), report.LastAssignee: one(y.LastAssignee),
		report.LastTeam: one(y.LastTeam),
	})
	all.add(report.Closed, e.At, d)
	for m, id := range map[report.Measure]string{
		report.ClosedConversations: e.Conversation.String(), report.ClosedContacts: origin,
	} {
		*all = append(*all, fact{measure: m, at: e.At, count: 1, id: id, dimensions: d})
	}
	switch y.Responses {
	case 0:
		all.add(report.Automated, e.At, d)
	case 1:
		all.add(report.OneTouch, e.At, d)
	}
	all.took(report.Resolution, y.OpenedAt, e.At, e.At, d)
	all.took(report.ActiveResolution, y.OpenedAt.Add(y.PendingTime()), e.At, e.At, d)
	if y.Number == 1 {
		all.took(report.FirstResolution, y.OpenedAt, e.At, e.At, d)
	}
	all.took(report.LastResolution, is.CreatedAt, e.At, e.At, d)
}

// handled adds how long who has it had it in this cycle.
func (all *facts) handled(e *convo.Event, was *convo.Conversation, d dims) {
	if was.Assignee == "" || !was.Status.Active() {
		return
	}
	since := was.AssignedAt
	if since.Before(was.Cycle.OpenedAt) {
		since = was.Cycle.OpenedAt
	}
	all.took(report.Handling, since, e.At, e.At, d)
}

func (all *facts) assignment(e *convo.Event, was, is *convo.Conversation, d dims) {
	if is.Assignee == was.Assignee {
		return
	}
	all.handled(e, was, d)
	d = d.with(dims{
		report.Assignee: one(is.Assignee), report.Team: one(is.Team),
		report.AssignedFrom: one(was.Assignee), report.AssignedBy: userIn(e.By),
	})
	if is.Assignee == "" {
		all.add(report.Unassigned, e.At, d)
		return
	}
	all.add(report.Assigned, e.At, d)
	if was.Assignee != "" {
		all.add(report.Transfers, e.At, d)
	}
	if was.Status.Active() && was.Cycle.FirstAssignee == "" {
		all.took(report.Assignment, was.Cycle.OpenedAt, e.At, e.At, d)
	}
}

func (all *facts) reply(e *convo.Event, was *convo.Conversation, d dims) {
	d[report.Author] = userIn(e.By)
	since, passedOn := was.Cycle.WaitingSince, was.Cycle.WaitingSince
	if was.Cycle.HandedOverAt.After(passedOn) {
		passedOn = was.Cycle.HandedOverAt
	}
	to := e.MessageAt()
	if to.Before(since) {
		to = since
	}
	late := to
	if late.Before(passedOn) {
		late = passedOn
	}
	all.took(report.Response, since, to, e.At, d)
	all.took(report.HandoverResponse, passedOn, late, e.At, d)
	if was.Cycle.Responses == 0 {
		all.took(report.FirstResponse, since, to, e.At, d)
		all.took(report.HandoverFirstResponse, passedOn, late, e.At, d)
	}
}

// rating adds the first rating of a cycle, with the score of the last one.
func (all *facts) rating(
	e *convo.Event, y convo.Cycle, score int, category string, d dims, newContact bool,
) {
	if y.Closing.At.IsZero() {
		category = ""
	}
	*all = append(*all, fact{
		measure: report.Rating, at: e.At, count: 1, micros: int64(score), timed: true,
		dimensions: d.with(dims{
			report.OpenedSource: one(string(y.OpenedSource)), report.Team: one(y.LastTeam),
			report.Assignee: one(y.LastAssignee), report.Closer: userIn(y.Closing.By),
			report.ContactType: contactIs(y.Number == 1 && newContact),
			report.Category:    one(category), report.Score: one(strconv.Itoa(score)),
		}),
	})
}

// of are those that some measures count.
func (all facts) of(measures []report.Measure) (some facts) {
	for i := range all {
		if slices.Contains(measures, all[i].measure) {
			some = append(some, all[i])
		}
	}
	return some
}

// aggregate is what a comes to.
func (all facts) aggregate(a *report.Aggregation) (cells []report.Cell) {
	type key struct {
		bucket  int
		value   string
		measure report.Measure
	}
	stats, values, ids := map[key]*report.Stat{}, map[key][]int64{}, map[key]map[string]bool{}
	for i := range all {
		f := &all[i]
		bucket := -1
		for b := range len(a.Boundaries) - 1 {
			if !f.at.Before(a.Boundaries[b]) && f.at.Before(a.Boundaries[b+1]) {
				bucket = b
				break
			}
		}
		if bucket < 0 || !slices.Contains(a.Measures, f.measure) || !f.passes(a) {
			continue
		}
		groups := one("")
		if a.GroupBy != "" {
			groups = f.dimensions[a.GroupBy]
		}
		for _, value := range groups {
			k := key{bucket, value, f.measure}
			if stats[k] == nil {
				stats[k], ids[k] = &report.Stat{}, map[string]bool{}
			}
			st := stats[k]
			if f.id != "" {
				ids[k][f.id] = true
				st.Count = int64(len(ids[k]))
				continue
			}
			st.Count += f.count
			if f.timed {
				values[k] = append(values[k], f.micros)
			}
		}
	}
	for k, st := range stats {
		if st.Count == 0 {
			continue
		}
		if v := values[k]; len(v) > 0 {
			describe(st, v, a.Quantiles, k.measure != report.Rating)
		}
		cells = append(cells, report.Cell{
			Bucket: k.bucket, Value: k.value, Measure: k.measure, Stat: *st,
		})
	}
	return cells
}

func (f *fact) passes(a *report.Aggregation) bool {
	has := func(d report.Dimension, values []string) bool {
		return slices.ContainsFunc(f.dimensions[d], func(v string) bool {
			return slices.Contains(values, v)
		})
	}
	for d, values := range a.Filter {
		if len(values) > 0 && !has(d, values) {
			return false
		}
	}
	for d, values := range a.Exclude {
		if has(d, values) {
			return false
		}
	}
	return true
}
