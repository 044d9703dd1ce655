package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

const (
	maxRows    = 100 // of a page of a list
	maxPreview = 120 // characters of the last message
)

var statuses = []convo.Status{convo.StatusOpen, convo.StatusPending, convo.StatusClosed}

// topic is a lane of conversations. A visitor begins in the first one; agents move what belongs
// elsewhere.
type topic struct{ ID, Lane, Name string }

var topics = []topic{
	{"general", "", "General"}, {"orders", "orders", "Orders"},
	{"repairs", "repairs", "Repairs"},
}

// topicOf finds a topic by its id.
func topicOf(id string) (topic, bool) {
	i := slices.IndexFunc(topics, func(t topic) bool { return t.ID == id })
	if i < 0 {
		return topic{}, false
	}
	return topics[i], true
}

// topicName is what the lane of a conversation is called.
func topicName(lane string) string {
	for _, t := range topics {
		if t.Lane == lane {
			return t.Name
		}
	}
	return plain(lane)
}

// listQuery is which conversations are listed, and how. It travels in the address of the page, so
// that a list stays what it is beside each conversation, and after a reload.
type listQuery struct {
	Status convo.Status // empty: those that are active
	View   string       // all, mine or unassigned; empty: all, by Status
	Topic  string       // its ID; empty: any
	Order  string       // activity, waiting or deadline
	Search string
	After  string // the place of the page; empty: the first one
}

// The orders of active conversations. What is closed is listed by its opening.
const (
	byActivity = "activity"
	byWaiting  = "waiting"
	byDeadline = "deadline"
)

const maxSearch = 200 // bytes

// readQuery reads a list from the address of a page. Without any, it is what is open.
func readQuery(r *http.Request) (listQuery, error) {
	q := listQuery{
		Status: convo.Status(r.FormValue("status")), View: r.FormValue("view"),
		Topic: r.FormValue("topic"), Order: cmp.Or(r.FormValue("order"), byActivity),
		Search: strings.TrimSpace(r.FormValue("q")), After: r.FormValue("after"),
	}
	if q.Status == "" && q.View == "" {
		q.Status = convo.StatusOpen
	}
	_, isTopic := topicOf(q.Topic)
	switch {
	case q.Status != "" && !slices.Contains(statuses, q.Status),
		!slices.Contains([]string{"", "all", "mine", "unassigned"}, q.View),
		!slices.Contains([]string{byActivity, byWaiting, byDeadline}, q.Order),
		q.Topic != "" && !isTopic:
		return q, errNoPage
	case len(q.Search) > maxSearch:
		return q, unfit("A search has up to 200 characters.")
	}
	return q, nil
}

// encode is q as the query of an address.
func (q listQuery) encode() string {
	v := url.Values{}
	for name, value := range map[string]string{
		"status": string(q.Status), "view": q.View, "topic": q.Topic, "q": q.Search,
		"after": q.After,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Order != byActivity {
		v.Set("order", q.Order)
	}
	return v.Encode()
}

// Encoded is q for a page's script.
func (q listQuery) Encoded() string { return q.encode() }

// filter is q as the library takes it: one row more than a page has, to see whether there is
// another one.
func (q listQuery) filter(a *account) (f convo.Filter, err error) {
	f = convo.Filter{Workspace: a.Workspace, Limit: maxRows + 1, Status: []convo.Status{q.Status}}
	if q.Status == "" {
		f.Status = []convo.Status{convo.StatusOpen, convo.StatusPending}
	}
	switch q.View {
	case "mine":
		f.Assignee = a.Name
	case "unassigned":
		f.Unassigned = true
	}
	if t, ok := topicOf(q.Topic); ok {
		f.Lane, f.NoLane = t.Lane, t.Lane == ""
	}
	switch {
	case q.Status == convo.StatusClosed:
	case q.Order == byWaiting: // who has waited longest comes first
		f.Order, f.Ascending = convo.OrderWaiting, true
	case q.Order == byDeadline: // what runs out next
		f.Order, f.Ascending = convo.OrderDeadline, true
	default:
		f.Order = convo.OrderActivity
	}
	if q.After != "" {
		err = decodeCursor(q.After, &f.After)
	}
	return f, err
}

// row is a conversation in a list, with no more than is shown: most of what a list costs is to find
// the fields of a template.
type row struct {
	ID, Href, Name, Preview  string
	Topic, Assignee, Outcome string
	Priority                 string // empty: none
	Labels                   []string
	At                       time.Time // of its last activity
	// Incoming is the place in the log of the last message, if no agent wrote it and no deadline
	// sent it (the flow may have answered the contact at once): a page tells by it whether its
	// agent has seen that.
	Incoming     int64
	WaitingSince time.Time // zero: does not wait
	Waiting      time.Duration
	Timers       []timer // of a list by them
	Chosen       bool
}

// tab is one of the lists, and how many there are in it.
type tab struct {
	ID, Name, Href, Count string
	Chosen                bool
}

// listPart is the part of the inbox that changes with any conversation.
type listPart struct {
	listQuery
	Tabs, Views []tab
	Topics      []topic
	Rows        []row
	First, Next string // addresses of other pages; empty: there is none
	None        string // what to say when there are no rows
	Partly      bool   // not all contacts were searched
	AnyList     string // the address of the list without its search
}

// list renders the rows alone.
func (s *server) list(w http.ResponseWriter, r *http.Request, a *account) error {
	chosen, err := uuid.Parse(r.FormValue("chosen"))
	if err != nil {
		chosen = uuid.Nil
	}
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	part, err := s.listOf(r.Context(), a, q, chosen)
	if err != nil {
		return err
	}
	return render(w, "list", part)
}

// listOf lists what q asks for. However many rows there are, it asks the
// store for the page, its contacts, their last messages, and the counts.
func (s *server) listOf(
	ctx context.Context, a *account, q listQuery, chosen uuid.UUID,
) (*listPart, error) {
	p := &listPart{listQuery: q, Topics: topics}
	counts, err := s.engine.Counts(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	p.count(counts, a.Name)
	var found []convo.ListItem
	if q.Search != "" {
		if found, p.Partly, err = s.search(ctx, a.Workspace, q.Search); err != nil {
			return nil, err
		}
		p.None = "Nobody is found by that name or address."
		p.AnyList = "/inbox?" + q.without().encode()
	} else {
		f, err := q.filter(a)
		if err != nil {
			return nil, err
		}
		if found, err = s.engine.List(ctx, f); err != nil {
			return nil, err
		}
		p.page(f, &found)
	}
	policy, err := s.engine.Policy(ctx, convo.Scope{Workspace: a.Workspace})
	if err != nil {
		return nil, err
	}
	now, query := s.now(), q.encode()
	p.Rows = make([]row, len(found))
	for i := range found {
		p.Rows[i] = rowOf(&found[i], now, query)
		p.Rows[i].Chosen = found[i].Conversation.ID == chosen
		if q.Order == byDeadline {
			p.Rows[i].Timers = urgent(timersOf(&found[i].Conversation, policy, now))
		}
	}
	return p, nil
}

func (q listQuery) without() listQuery {
	q.Search, q.After = "", ""
	return q
}

// count fills in the tabs. Closed conversations are not counted: there may be any number.
func (p *listPart) count(counts []convo.Count, user string) {
	if t, ok := topicOf(p.Topic); ok {
		counts = slices.DeleteFunc(counts, func(c convo.Count) bool { return c.Lane != t.Lane })
	}
	of := func(assignee string) int {
		return convo.Sum(counts,
			func(c convo.Count) bool { return c.Assignee == assignee }).Active()
	}
	sum := convo.Sum(counts, nil)
	list := func(id, name string, count int, q listQuery) tab {
		q.Topic, q.Order = p.Topic, p.Order
		t := tab{ID: id, Name: name, Href: "/inbox?" + q.encode(), Count: strconv.Itoa(count)}
		t.Chosen = p.Search == "" && q.Status == p.Status && q.View == p.View
		return t
	}
	p.Tabs = []tab{
		list("open", "Open", sum.Open, listQuery{Status: convo.StatusOpen}),
		list("pending", "Pending", sum.Pending, listQuery{Status: convo.StatusPending}),
		list("closed", "Closed", 0, listQuery{Status: convo.StatusClosed}),
	}
	p.Tabs[2].Count = ""
	p.Views = []tab{
		list("mine", "Mine", of(user), listQuery{View: "mine"}),
		list("unassigned", "Unassigned", of(""), listQuery{View: "unassigned"}),
		list("all", "All", sum.Active(), listQuery{View: "all"}),
	}
}

// page cuts the row off that only says that there is another page, and links that page.
func (p *listPart) page(f convo.Filter, found *[]convo.ListItem) {
	q := p.listQuery
	if q.After != "" {
		q.After = ""
		p.First = "/inbox?" + q.encode()
	}
	if len(*found) > maxRows {
		*found = (*found)[:maxRows]
		q.After = encodeCursor(f.Cursor((*found)[maxRows-1].Conversation))
		p.Next = "/inbox?" + q.encode()
	}
	switch {
	case q.Order == byWaiting && q.Status != convo.StatusClosed:
		p.None = "Nobody waits here."
	case q.Order == byDeadline && q.Status != convo.StatusClosed:
		p.None = "Nothing runs out here."
	case q.Status != "":
		p.None = "None " + string(q.Status) + "."
	default:
		p.None = "None here."
	}
}

func rowOf(i *convo.ListItem, now time.Time, query string) row {
	c, last := &i.Conversation, &i.LastMessage
	id := c.ID.String()
	r := row{
		ID: id, Href: "/inbox/" + id + "?" + query, Name: nameOf(i.Contact, c.Address),
		Preview: cut(last.Body, maxPreview), Labels: c.Labels.All(), At: c.LastActivityAt,
	}
	if c.Status.Active() {
		r.Assignee = c.Assignee
		r.WaitingSince, r.Waiting = c.Cycle.WaitingSince, i.Waiting(now)
	} else {
		r.Outcome = c.Cycle.Closing.Category
	}
	if c.Priority != convo.PriorityNone {
		r.Priority = c.Priority.String()
	}
	if c.Lane != "" {
		r.Topic = topicName(c.Lane)
	}
	if by := last.Event.By; by.Type != convo.ActorUser && !isAutomatic(by) {
		r.Incoming = last.Event.Seq
	}
	return r
}
