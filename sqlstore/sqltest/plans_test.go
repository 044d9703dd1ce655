package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/fill"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

const (
	// conversations, from which on no engine reads a whole table because it is small
	filled    = 20_000
	inbox     = 10_000 // active ones of one workspace
	pageLimit = 50
	// mostRead is how many rows a page may cost, whatever is in the tables: all active
	// conversations of the workspace are 240, with a narrow row each, and the closed ones that a
	// filter finds are many more, if it is not a rare one.
	mostRead = 600
)

// What the store says to the engine is recorded while it does all that it can do; then the engine
// is asked for its plans.
func TestPlans(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		p := newPlanner(t, e)
		t.Run("no statement scans a table", p.noScans)
		t.Run("a page reads no more than its rows", p.noLongPages)
		t.Run("a page of a long history reads what is around it", p.noWholeHistories)
		if e == testdb.SQLite {
			// Nobody has it count its rows, unless the host does.
			p := openPlanner(t, e, fillPlanned(t, e))
			t.Run("no statement scans a table of which nothing is known", p.noScans)
		}
		if e == testdb.PostgreSQL {
			// It multiplies how rare each value of a condition is, and so may expect a few rows
			// where there are thousands: here always.
			p := newPlanner(t, e, `ALTER TABLE convo_closed ALTER workspace SET STATISTICS 0,
				ALTER what SET STATISTICS 0, ALTER value SET STATISTICS 0`)
			t.Run("a page reads no more where rows are thought to be few", p.noLongPages)
		}
	})
}

// noWholeHistories looks at a page in the middle of the history of a contact who has far more
// conversations than the statistics say anybody has.
func (p *planner) noWholeHistories(t *testing.T) {
	_, err := p.db.ExecContext(t.Context(), "UPDATE convo_conversations SET contact = '"+
		fill.Regular+"', origin = '"+fill.Regular+"' WHERE workspace = '"+fill.Workspace+
		"' AND status = 'closed'")
	require.NoError(t, err)
	statements := p.during(func(s *sqlstore.Store, did func(string)) {
		page, err := s.Events(t.Context(), convo.EventFilter{
			Workspace: fill.Workspace, Contact: fill.Regular, Limit: pageLimit,
			After: convo.EventCursor{At: firstDay.Add(filled / 2 * 20 * time.Second)},
		})
		require.NoError(t, err)
		require.Len(t, page, pageLimit)
		did("history")
	})
	require.NotEmpty(t, statements)
	for _, st := range statements {
		for _, plan := range p.explain(t, st, true) {
			assert.LessOrEqual(t, plan.read, 2*mostRead, "%s\n%s\n%s", st.what, st.text, plan.text)
		}
	}
}

// keysByAge looks at two pages of keys, of which none is old.
func keysByAge(t *testing.T, s *sqlstore.Store, did func(string)) {
	t.Helper()
	var at convo.KeyPlace
	for range 2 {
		_, n, err := s.ForgetKeys(t.Context(), time.Time{}, at, pageLimit)
		require.NoError(t, err)
		require.Zero(t, n)
		did("keys by age")
		at = convo.KeyPlace{
			Workspace: fill.Workspace, KeyID: convo.KeyID{Channel: "whatsapp", ID: "wamid.5"},
		}
	}
}

// removes has a conversation be closed, rolled up and removed, and its key be forgotten.
func (p *planner) removes(t *testing.T, s *sqlstore.Store, did func(string)) {
	t.Helper()
	const workspace = "removal" // the first one behind those that are filled
	engine := enginesOn(t, s)[0]
	r, err := engine.Do(t.Context(), convo.ToContact(workspace, "ann"),
		convo.Receive{Channel: "whatsapp", ExternalID: "1", Key: "1", Body: "hi"},
		convo.Label{By: ana, Add: []string{"vip"}}, convo.Close{By: ana})
	require.NoError(t, err)
	for err = convo.ErrConflict; errors.Is(err, convo.ErrConflict); {
		_, more, rolled := s.Rollup(t.Context(), 0)
		require.NoError(t, rolled)
		p.recorder.take() // which is looked at elsewhere
		c := r.Conversation
		err = s.RemoveConversation(t.Context(), workspace, c.ID, c.Version)
		require.True(t, more || err == nil)
	}
	require.NoError(t, err)
	did("removal")
	_, n, err := s.ForgetKeys(t.Context(), time.Now(), convo.KeyPlace{Workspace: workspace}, 10)
	require.NoError(t, err)
	require.NotZero(t, n)
	did("forgotten keys")
}

func (p *planner) noScans(t *testing.T) {
	statements := p.during(func(s *sqlstore.Store, did func(string)) {
		p.removes(t, s, did)
		keysByAge(t, s, did)
		doEverything(t, s, p.db, did)
		for i, a := range filters {
			for _, b := range slices.Concat(filters[i+1:], places) {
				list(t, s, did, a, b, nil, []convo.Status{convo.StatusOpen})
			}
		}
		exports(t, s, did)
	})
	require.Greater(t, len(statements), 100)
	for _, st := range statements {
		for _, plan := range p.explain(t, st, false) {
			if p.joinsAll(st) || p.asksFewRows(st) {
				continue
			}
			assert.Empty(t, plan.scans, "%s\n%s\n%s", st.what, st.text, plan.text)
		}
	}
}

// noLongPages looks at pages of one filter, anywhere in the listing: the engine goes to where it
// begins, and reads on from there.
func (p *planner) noLongPages(t *testing.T) {
	statements := p.during(func(s *sqlstore.Store, did func(string)) {
		for _, f := range filters {
			for _, place := range places {
				list(t, s, did, f, place, nil, []convo.Status{convo.StatusOpen},
					[]convo.Status{convo.StatusPending},
					[]convo.Status{convo.StatusClosed},
					[]convo.Status{convo.StatusOpen, convo.StatusPending})
			}
			for _, order := range activeOrders {
				if strings.HasSuffix(f.name, "category") {
					continue // of closed ones
				}
				for _, place := range []filter{places[0], {"on", onActive(order)}} {
					list(t, s, did, f, filter{
						place.name + " by " + string(order), func(f *convo.Filter) {
							f.Workspace = fill.Busy
							f.Order, f.Ascending = order, order == convo.OrderWaiting
							place.set(f)
						},
					}, nil, []convo.Status{convo.StatusOpen})
				}
			}
		}
		for _, label := range []string{"label-1", fill.RareLabel} {
			list(t, s, did, filter{label, func(f *convo.Filter) { f.Labels = []string{label} }},
				places[0], []convo.Status{convo.StatusClosed}, []convo.Status{convo.StatusOpen})
		}
		ids, contacts, err := fill.Active(t.Context(), p.db, 1)
		require.NoError(t, err)
		for _, events := range []convo.EventFilter{
			{Conversation: ids[0]}, {Conversation: ids[0], After: convo.EventCursor{Seq: 2}},
			{Contact: contacts[0]},
		} {
			events.Workspace, events.Limit = fill.Workspace, pageLimit
			_, err := s.Events(t.Context(), events)
			require.NoError(t, err)
			did("events")
		}
		for _, f := range []convo.ContactFilter{{}, {BySeen: true}, {BySeen: true, IDs: contacts}} {
			for range 2 {
				f.Workspace, f.Limit = fill.Workspace, pageLimit
				page, err := s.Contacts(t.Context(), f)
				require.NoError(t, err)
				require.NotEmpty(t, page)
				did("list contacts")
				f.After = page[len(page)/2].Cursor()
				if f.IDs != nil {
					break
				}
			}
		}
		closings := convo.ClosedQuery{Before: time.Now(), Limit: pageLimit}
		for range 2 {
			page, _, err := s.ClosedBefore(t.Context(), closings)
			require.NoError(t, err)
			require.Len(t, page, pageLimit)
			did("closings")
			closings.After = page[pageLimit/2].ClosedPlace
			closings.After.At = firstDay.Add(filled / 2 * 20 * time.Second)
		}
		keysByAge(t, s, did)
		ticks(t, s, did)
		exports(t, s, did)
	})
	for _, st := range statements {
		for _, plan := range p.explain(t, st, true) {
			if p.joinsAll(st) {
				continue
			}
			assert.LessOrEqual(t, plan.read, most(st.what), "%s\n%s\n%s", st.what, st.text,
				plan.text)
			if strings.HasPrefix(st.what, "list") && !strings.Contains(st.text, "UNION") &&
				!strings.Contains(st.text, "page") && // of which 50 are sorted once more
				!strings.Contains(st.text, "ac.contact = ") { // who has one in a lane
				assert.Empty(t, plan.sorts, "%s\n%s\n%s", st.what, st.text, plan.text)
			}
			if strings.HasPrefix(st.what, "export") && strings.Contains(st.text, "FROM convo_cycles") {
				assert.Empty(t, plan.sorts, "%s\n%s\n%s", st.what, st.text, plan.text)
			}
		}
	}
}

// joinsAll reports whether the engine may read all conversations to join them to the page of an
// export: PostgreSQL does that rightly while they are less than some 100,000.
func (p *planner) joinsAll(st statement) bool {
	return p.engine == testdb.PostgreSQL && strings.HasPrefix(st.what, "export") &&
		strings.Contains(st.text, "FROM convo_cycles")
}

// asksFewRows reports whether a table has so few rows here that PostgreSQL rightly reads them all.
func (p *planner) asksFewRows(st statement) bool {
	return p.engine == testdb.PostgreSQL && st.what == "removal" &&
		(strings.Contains(st.text, "convo_outbox") || strings.Contains(st.text, "convo_rollups"))
}

// exports exports a half of all cycles, page by page.
func exports(t *testing.T, s *sqlstore.Store, did func(string)) {
	t.Helper()
	for _, by := range []report.TimeBasis{report.ByOpening, report.ByClosing} {
		n := 0
		require.NoError(t, s.Cycles(t.Context(), report.CyclesQuery{
			Workspace: fill.Workspace, From: firstDay.Add(filled / 4 * 20 * time.Second),
			To: firstDay.Add(filled * 3 / 4 * 20 * time.Second), By: by,
		}, func(*report.Cycle) error {
			n++
			return nil
		}))
		require.Greater(t, n, 5*convo.MaxPageSize)
		did(fmt.Sprint("export by ", by))
	}
}

// most is how many rows a page may cost. A list of active ones in an order of theirs, by a filter
// that no index is for, looks at no more than the place and the narrow row of each active one.
func most(what string) int {
	if strings.HasPrefix(what, "export") { // an event, its cycle and its conversation
		return 3*convo.MaxPageSize + mostRead
	}
	by := slices.ContainsFunc(activeOrders, func(o convo.Order) bool {
		return strings.Contains(what, " by "+string(o))
	})
	if by && (!strings.HasPrefix(what, "list all,") || !strings.HasSuffix(what, "[]")) {
		return 2*inbox + inbox/5
	}
	return mostRead
}

func TestMessagesStayInTheirPage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e != testdb.PostgreSQL {
			t.Skip("only PostgreSQL writes a row anew, and its index entries too unless it stays " +
				"in its page")
		}
		d := testdb.Create(t, e)
		db := d.Open(t)
		migrated(t, db, e)
		counts := func() (updated, hot int) {
			require.NoError(t, db.QueryRowContext(t.Context(),
				`SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
				WHERE relname = 'convo_conversations'`).Scan(&updated, &hot))
			return updated, hot
		}
		// A long transaction keeps dead rows in their pages, also one in a database of another
		// test: so it is enough that one of several rounds is undisturbed.
		var updates, hot int
		for range 20 {
			before, hotBefore := counts()
			messagesTo(t, d, 100, 10)
			require.Eventually(t, func() bool {
				updates, hot = counts()
				updates, hot = updates-before, hot-hotBefore
				return updates >= 900
			}, 10*time.Second, 20*time.Millisecond)
			if hot >= updates*9/10 {
				return
			}
		}
		assert.Fail(t, "messages leave their page", "%d of %d stay", hot, updates)
	})
}

// messagesTo has so many contacts write so often each, in sessions that tell what they did.
func messagesTo(t *testing.T, d testdb.Database, contacts, each int) {
	t.Helper()
	own := d.Open(t)
	engine, err := convo.New(migrated(t, own, d.Engine))
	require.NoError(t, err)
	for i := range contacts * each {
		_, err := engine.Do(t.Context(), convo.ToContact("acme", fmt.Sprint("contact-", i%contacts)),
			convo.Receive{Body: "hello"})
		require.NoError(t, err)
	}
	require.NoError(t, own.Close())
}

// doEverything has the store do everything but listing.
func doEverything(t *testing.T, s *sqlstore.Store, db *sql.DB, did func(string)) {
	t.Helper()
	ctx := t.Context()
	ids, contacts, err := fill.Active(ctx, db, 20)
	require.NoError(t, err)
	const w = fill.Workspace
	address := convo.Address{Channel: "whatsapp", Value: "+49100"}
	refs := map[string]convo.Ref{
		"contact": convo.ToContact(w, contacts[0]), "merged contact": convo.ToContact(w, "alias-1"),
		"address":             convo.ToAddress(w, address.Channel, address.Value),
		"conversation":        convo.ToConversation(w, ids[0]),
		"contact and address": {Workspace: w, Contact: contacts[0], Address: address},
	}
	for what, ref := range refs {
		_, err := s.Load(ctx, ref)
		require.NoError(t, err)
		did("load by " + what)
		require.NoError(t, s.Locked(ctx, w, func(ctx context.Context) error {
			_, err := s.Load(ctx, ref)
			return err
		}))
		did("lock by " + what)
	}

	engine, err := convo.New(s)
	require.NoError(t, err)
	ana := convo.ByUser("ana")
	hello := convo.Receive{Channel: "whatsapp", ExternalID: "plan-1", Body: "hello"}
	contact := func(i int) convo.Ref { return convo.ToContact(w, contacts[i]) }
	commands := []struct {
		what string
		to   convo.Ref
		cmds []convo.Command
	}{
		{"message", contact(0), []convo.Command{convo.Receive{Body: "hello"}}},
		{"message with an id", contact(0), []convo.Command{hello}},
		{"the same message again", contact(0), []convo.Command{hello}},
		{"messages", contact(0), []convo.Command{convo.Receive{Body: "hello"},
			convo.Send{By: ana, Body: "hi"}}},
		{"note", convo.ToConversation(w, ids[0]), []convo.Command{convo.Note{By: ana, Body: "hm"}}},
		{"opening", convo.ToContact(w, "plan-1"), []convo.Command{convo.Receive{Channel: "whatsapp",
			Body: "hello"}}},
		{"opening from an address", convo.ToAddress(w, "whatsapp", "plan-2"),
			[]convo.Command{convo.Receive{ExternalID: "plan-2", Body: "hello"}}},
		{"closing", contact(1), []convo.Command{convo.Close{By: ana, Category: "Support",
			Summary: "done"}}},
		{"amendment", contact(1), []convo.Command{convo.AmendClosing{By: ana, Category: "Sales"}}},
		{"another opening", contact(1), []convo.Command{convo.Receive{Body: "hello"}}},
		{"closing and opening", contact(2), []convo.Command{convo.Close{By: ana},
			convo.Open{By: ana}}},
		{"closing before the reopening", contact(3), []convo.Command{convo.Close{By: ana}}},
		{"reopening", contact(3), []convo.Command{convo.Reopen{By: ana}}},
		{"assignment", contact(4), []convo.Command{convo.Assign{By: ana, Assignee: "ana",
			Team: "team-1"}}},
		{"pending", contact(4), []convo.Command{convo.SetPending{By: ana,
			Until: time.Now().Add(time.Hour)}}},
		{"resuming", contact(4), []convo.Command{convo.Resume{By: ana}}},
		{"blocking", contact(4), []convo.Command{convo.Block{By: ana, Key: "plan-3"}}},
		{"link", convo.Ref{Workspace: w, Contact: contacts[5],
			Address: convo.Address{Channel: "email", Value: "a@example.org"}},
			[]convo.Command{convo.LinkAddress{By: ana}}},
		{"unlink", convo.ToAddress(w, "email", "a@example.org"),
			[]convo.Command{convo.UnlinkAddress{By: ana}}},
	}
	for _, c := range commands {
		_, err := engine.Do(ctx, c.to, c.cmds...)
		require.NoError(t, err, c.what)
		did(c.what)
	}
	changeMessages(t, engine, contact(9), did)
	require.NoError(t, s.Locked(ctx, w, func(ctx context.Context) error {
		for _, cmd := range []convo.Command{convo.Receive{Key: "plan-4", Body: "hello"},
			convo.Assign{By: ana, Assignee: "bob"}, convo.Close{By: ana}} {
			if _, err := engine.With(s).Do(ctx, contact(6), cmd); err != nil {
				return err
			}
		}
		return nil
	}))
	did("locked commits")
	_, err = engine.Merge(ctx, convo.Merge{Workspace: w, Primary: contacts[7],
		Secondary: contacts[8], By: ana})
	require.NoError(t, err)
	did("merge")
	_, err = engine.Tick(ctx, 3)
	require.NoError(t, err)
	did("tick")

	_, err = s.Conversation(ctx, w, ids[0])
	require.NoError(t, err)
	did("conversation")
	events, err := s.Events(ctx, convo.EventFilter{Workspace: w, Contact: fill.Regular,
		Limit: pageLimit})
	require.NoError(t, err)
	_, err = s.Events(ctx, convo.EventFilter{Workspace: w, Contact: fill.Regular, Limit: pageLimit,
		After: events[pageLimit-1].Cursor()})
	require.NoError(t, err)
	did("history")
	_, err = s.Events(ctx, convo.EventFilter{Workspace: w, Conversation: ids[0], Limit: pageLimit})
	require.NoError(t, err)
	did("events")
	_, err = s.Addresses(ctx, w, contacts[0])
	require.NoError(t, err)
	did("addresses")
	_, err = s.AddressesByIdentity(ctx, w, "+49100", address, pageLimit)
	require.NoError(t, err)
	did("sharing")
	_, err = s.Keys(ctx, w, convo.KeyID{Channel: "whatsapp", ID: "wamid.1"})
	require.NoError(t, err)
	did("keys")
	ticks(t, s, did)
	_, err = s.Counts(ctx, w)
	require.NoError(t, err)
	did("counts")
	_, err = s.LastMessages(ctx, w, ids)
	require.NoError(t, err)
	did("last messages")
	_, err = s.Contacts(ctx, convo.ContactFilter{Workspace: w, IDs: contacts, Limit: pageLimit})
	require.NoError(t, err)
	did("contacts by id")
}

// changeMessages has messages changed and delivered, in a conversation and in the log of a contact,
// and a history imported.
func changeMessages(t *testing.T, engine *convo.Engine, to convo.Ref, did func(string)) {
	t.Helper()
	ctx := t.Context()
	ana := convo.ByUser("ana")
	do := func(what string, to convo.Ref, cmd convo.Command) convo.Event {
		r, err := engine.Do(ctx, to, cmd)
		require.NoError(t, err, what)
		did(what)
		return r.Events[len(r.Events)-1]
	}
	zoe := convo.ToContact(to.Workspace, "plan-zoe")
	for where, to := range map[string]convo.Ref{"": to, " in a log": zoe} {
		id := "plan-" + to.Contact
		message := do("quiet message"+where, to,
			convo.Send{By: ana, Channel: "chat", Quiet: true, Body: "news"})
		do("echo"+where, to, convo.Send{
			By: ana, Channel: "chat", ExternalID: id, Quiet: true, Body: "news",
		})
		do("identification"+where, to, convo.Identify{
			By: ana, Message: message.ID, Channel: "chat", ExternalID: id,
		})
		do("edit by event"+where, to, convo.Edit{By: ana, Message: message.ID, Body: "New"})
		do("edit by id"+where, to, convo.Edit{
			By: ana, Channel: "chat", ExternalID: id, Body: "Newer",
		})
		do("redaction"+where, to, convo.Retract{By: ana, Message: message.ID, Redact: true})
		_, err := engine.Deliver(ctx, to.Workspace, convo.Delivery{
			Channel: "chat", ExternalID: id, Status: convo.DeliveryRead,
		}, convo.Delivery{Channel: "chat", ExternalID: "plan", Status: convo.DeliveryRead})
		require.NoError(t, err)
		did("delivery" + where)
		log, err := engine.History(ctx, to, convo.EventCursor{}, pageLimit)
		require.NoError(t, err)
		require.NoError(t, engine.AddDeliveries(ctx, convo.Messages(log)))
		did("deliveries" + where)
	}
	at := firstDay.AddDate(-1, 0, 0)
	_, err := engine.Import(ctx, to.Workspace, func(yield func(convo.History, error) bool) {
		for key, to := range map[string]convo.Ref{"plan-5": to, "plan-6": {Contact: "plan-new"}} {
			if !yield(convo.History{Key: key, To: to, Commands: []convo.Command{
				convo.Receive{At: at, Channel: "chat", ExternalID: key, Body: "hi"},
				convo.Close{At: at.Add(time.Hour), By: ana},
			}}, nil) {
				return
			}
		}
	}, nil)
	require.NoError(t, err)
	did("import")
}

type filter struct {
	name string
	set  func(f *convo.Filter)
}

var filters = []filter{
	{"all", func(*convo.Filter) {}},
	{"contact", func(f *convo.Filter) { f.Contact = fill.Regular }},
	{"assignee", func(f *convo.Filter) { f.Assignee, f.Unassigned = "agent-7", false }},
	{"rare assignee", func(f *convo.Filter) {
		f.Assignee, f.Unassigned = fill.RareAssignee,
			false
	}},
	{"unassigned", func(f *convo.Filter) { f.Assignee, f.Unassigned = "", true }},
	{"team", func(f *convo.Filter) { f.Team = "team-1" }},
	{"rare team", func(f *convo.Filter) { f.Team = fill.RareTeam }},
	{"channel", func(f *convo.Filter) { f.Channel = "whatsapp" }},
	{"rare channel", func(f *convo.Filter) { f.Channel = "viber" }},
	{"lane", func(f *convo.Filter) { f.Lane = "lane-1" }},
	{"rare lane", func(f *convo.Filter) { f.Lane = fill.RareLane }},
	{"category", func(f *convo.Filter) { f.Category = "Support" }},
	{"rare category", func(f *convo.Filter) { f.Category = fill.RareCategory }},
}

var activeOrders = []convo.Order{
	convo.OrderActivity, convo.OrderWaiting, convo.OrderPriority, convo.OrderDeadline,
}

// onActive is a place amid the active ones.
func onActive(o convo.Order) func(*convo.Filter) {
	return func(f *convo.Filter) {
		f.After.At = firstDay.Add(inbox / 2 * 20 * time.Second)
		if o == convo.OrderPriority {
			f.After.Priority = convo.PriorityMedium
		}
	}
}

// One conversation was opened every 20 seconds.
var (
	firstDay = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	halfway  = firstDay.Add(filled / 2 * 20 * time.Second)
)

var places = []filter{
	{"from the top", func(*convo.Filter) {}},
	{"from", func(f *convo.Filter) { f.From = halfway }},
	{"to", func(f *convo.Filter) { f.To = halfway }},
	{"on", func(f *convo.Filter) { f.After = convo.Cursor{At: halfway} }},
	{"to, and on", func(f *convo.Filter) {
		f.To, f.After = firstDay.Add(1000*time.Hour),
			convo.Cursor{At: halfway}
	}},
}

// list lists by a filter at a place, or by two filters, for each status.
func list(t *testing.T, s *sqlstore.Store, did func(string), a, b filter,
	statuses ...[]convo.Status) {
	t.Helper()
	for _, status := range statuses {
		f := convo.Filter{Workspace: fill.Workspace, Status: status, Limit: pageLimit}
		a.set(&f)
		b.set(&f)
		_, err := s.Conversations(t.Context(), f)
		require.NoError(t, err)
		did(fmt.Sprintf("list %s, %s, %v", a.name, b.name, status))
	}
}

// planner has a filled database, and a store on it whose statements it records.
type planner struct {
	engine   testdb.Engine
	db       *sql.DB
	conn     *sql.Conn
	store    *sqlstore.Store
	recorder *recorder
	recorded *sql.DB // the store's, and for others whose statements are to be recorded
}

// What is in no rollup is read by conversation, also where the engine has not counted its rows.
func TestTheQueueIsReadByConversation(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.PostgreSQL {
			t.Skip("it joins in an order of its own, by what it has counted")
		}
		p := openPlanner(t, e, func(ctx context.Context, db *sql.DB) {
			require.NoError(t, fill.Conversations(ctx, db, dialects[e], 2000))
			require.NoError(t, fill.Log(ctx, db, dialects[e], 2000))
		})
		_, _, err := p.store.Rollup(t.Context(), 1000)
		require.NoError(t, err)
		found := 0
		for _, st := range p.during(func(s *sqlstore.Store, did func(string)) {
			for _, m := range []report.Measure{
				report.Closed, report.Response, report.IdleTime, report.DeadlinesMissed,
			} {
				_, err := s.Aggregate(t.Context(), report.Aggregation{
					Workspace: fill.Workspace, Measures: []report.Measure{m},
					Boundaries: []time.Time{new2025, new2026},
				})
				require.NoError(t, err)
				did(string(m))
			}
		}) {
			if !strings.Contains(st.text, "FROM convo_rollup_queue") {
				continue
			}
			found++
			for _, plan := range p.explain(t, st, false) {
				assert.NotRegexp(t, "convo_events_(lifecycle|messages|reported)", plan.text, st.text)
			}
		}
		assert.GreaterOrEqual(t, found, 4)
	})
}

// What only Go can take apart is found as all else is: by time, and not by reading a workspace.
func TestDeadlinesAreFoundByTime(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		p := openPlanner(t, e, func(ctx context.Context, db *sql.DB) {
			require.NoError(t, fill.Conversations(ctx, db, dialects[e], 2000))
			require.NoError(t, fill.Log(ctx, db, dialects[e], 2000))
			require.NoError(t, fill.Analyze(ctx, db, dialects[e]))
		})
		found := 0
		for _, st := range p.during(func(s *sqlstore.Store, did func(string)) {
			_, err := s.Aggregate(t.Context(), report.Aggregation{
				Workspace: fill.Workspace, Measures: []report.Measure{report.DeadlinesMissed},
				Boundaries: []time.Time{new2025, new2025.Add(time.Hour)},
				Filter:     report.Filter{report.Deadline: {"first_response"}},
			})
			require.NoError(t, err)
			did("deadlines")
		}) {
			if !strings.Contains(st.text, "FROM convo_events ev") {
				continue
			}
			found++
			for _, plan := range p.explain(t, st, false) {
				assert.Regexp(t, "convo_events_(lifecycle|messages|reported)", plan.text, st.text)
			}
		}
		assert.Equal(t, 2, found, "messages, and what else happened")
	})
}

// newPlanner carries out some statements before the engine counts its rows.
func newPlanner(t *testing.T, e testdb.Engine, before ...string) *planner {
	t.Helper()
	return openPlanner(t, e, func(ctx context.Context, db *sql.DB) {
		fillPlanned(t, e)(ctx, db)
		for _, text := range before {
			_, err := db.ExecContext(ctx, text)
			require.NoError(t, err, text)
		}
		require.NoError(t, fill.Analyze(ctx, db, dialects[e]))
	})
}

func fillPlanned(t *testing.T, e testdb.Engine) func(ctx context.Context, db *sql.DB) {
	return func(ctx context.Context, db *sql.DB) {
		require.NoError(t, fill.Conversations(ctx, db, dialects[e], filled))
		require.NoError(t, fill.Log(ctx, db, dialects[e], filled))
		require.NoError(t, fill.RolledUp(ctx, db, dialects[e], filled))
		require.NoError(t, fill.Inbox(ctx, db, dialects[e], inbox))
	}
}

func openPlanner(
	t *testing.T, e testdb.Engine, fill func(ctx context.Context, db *sql.DB),
) *planner {
	t.Helper()
	ctx := t.Context()
	d := testdb.Create(t, e)
	p := &planner{engine: e.Server(), db: d.Open(t), recorder: &recorder{}}
	require.NoError(t, sqlstore.Config{DB: p.db, Dialect: dialects[e]}.Migrate(ctx))
	fill(ctx, p.db)
	p.recorded = p.recorder.open(t, d)
	var err error
	p.store, err = sqlstore.Config{DB: p.recorded, Dialect: dialects[e]}.Open(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.store.Close()) })
	p.conn, err = p.db.Conn(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.conn.Close() })
	return p
}

// statement is what the store said to the engine, and why.
type statement struct {
	what, text string
	args       []any
	prepared   bool
}

// during returns what f has the store say. f calls did after what it did.
func (p *planner) during(f func(s *sqlstore.Store, did func(string))) (all []statement) {
	p.recorder.take()
	seen := map[string]bool{}
	f(p.store, func(what string) {
		for _, st := range p.recorder.take() {
			// The same statement may be planned otherwise for other values.
			if key := fmt.Sprint(st.text, st.args); !seen[key] {
				seen[key] = true
				st.what = what
				all = append(all, st)
			}
		}
	})
	return all
}

// plan is how the engine carries out a statement.
type plan struct {
	text  string
	scans []string // what reads a table, or an index, from one end to the other
	sorts []string // of SQLite
	read  int      // rows, when the statement was carried out; not of SQLite, which does not say
	// blocks are what PostgreSQL has read, when the statement was carried out.
	blocks int
}

// explain returns the plans of a statement that reads or updates; if it is to be run, it only
// reads.
func (p *planner) explain(t *testing.T, st statement, run bool) []plan {
	t.Helper()
	words := strings.Fields(st.text)
	switch {
	case words[0] == "BEGIN" && p.engine == testdb.MariaDB:
		return p.explainBlock(t, st)
	case !slices.Contains([]string{"SELECT", "WITH", "UPDATE"}, words[0]) ||
		!strings.Contains(st.text, sqlstore.DefaultPrefix):
		return nil
	}
	switch p.engine {
	case testdb.PostgreSQL:
		return []plan{p.explainPostgres(t, st, run, "force_generic_plan"),
			p.explainPostgres(t, st, run, "force_custom_plan")}
	case testdb.MariaDB:
		return []plan{p.explainMariaDB(t, st, run)}
	}
	return []plan{p.explainSQLite(t, st)}
}

var derived = regexp.MustCompile(`(?m)^(?:CO-ROUTINE|MATERIALIZE) (\S+)$`)

func (p *planner) explainSQLite(t *testing.T, st statement) (plan plan) {
	t.Helper()
	rows, err := p.conn.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+st.text, st.args...)
	require.NoError(t, err)
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var line string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &line))
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err())
	plan.text = strings.Join(lines, "\n")
	for _, line := range lines {
		table, scans := strings.CutPrefix(line, "SCAN ")
		ofDerived := func(m []string) bool { return m[1] == table }
		switch {
		case strings.HasPrefix(line, "USE TEMP B-TREE FOR"):
			plan.sorts = append(plan.sorts, line)
		case scans && table != "CONSTANT ROW" &&
			!slices.ContainsFunc(derived.FindAllStringSubmatch(plan.text, -1), ofDerived):
			plan.scans = append(plan.scans, line)
		case strings.HasSuffix(line, " (workspace=?)") && !byPage.MatchString(st.text):
			plan.scans = append(plan.scans, line)
		}
	}
	return plan
}

// byPage are statements that go over what a workspace has: page by page, or to count it.
var byPage = regexp.MustCompile(`\b(?:LIMIT|GROUP BY)\b`)

// node is a part of a plan of PostgreSQL.
type node struct {
	Type      string  `json:"Node Type"`
	Table     string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Condition string  `json:"Index Cond"`
	Rows      float64 `json:"Actual Rows"` // PostgreSQL 18 has fractions
	Removed   float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Loops     float64 `json:"Actual Loops"`
	Hit       int     `json:"Shared Hit Blocks"`
	Fetched   int     `json:"Shared Read Blocks"`
	Plans     []*node `json:"Plans"`
}

func (n *node) walk(f func(*node)) {
	f(n)
	for _, m := range n.Plans {
		m.walk(f)
	}
}

// explainPostgres asks for the plan that a prepared statement keeps for all values, or for the one
// for these.
func (p *planner) explainPostgres(t *testing.T, st statement, run bool, mode string) (plan plan) {
	t.Helper()
	p.exec(t, "SET plan_cache_mode = "+mode)
	p.exec(t, "PREPARE planned AS "+st.text)
	defer p.exec(t, "DEALLOCATE planned")
	values := make([]string, len(st.args))
	for i, a := range st.args {
		values[i] = "NULL"
		if a != nil {
			values[i] = "'" + strings.ReplaceAll(fmt.Sprint(a), "'", "''") + "'"
		}
	}
	execute := "planned"
	if len(values) > 0 {
		execute += "(" + strings.Join(values, ", ") + ")"
	}
	var answer []byte
	require.NoError(t, p.conn.QueryRowContext(t.Context(),
		fmt.Sprintf("EXPLAIN (FORMAT JSON, ANALYZE %t, BUFFERS %[1]t) EXECUTE %[2]s", run, execute)).Scan(&answer),
		st.text)
	var plans []struct{ Plan *node }
	require.NoError(t, json.Unmarshal(answer, &plans))
	plan.text = mode + "\n" + string(answer)
	plan.blocks = plans[0].Plan.Hit + plans[0].Plan.Fetched
	plans[0].Plan.walk(func(n *node) {
		// Of the queue, a list reads what there is of its workspace: here two rows.
		if n.Type == "Seq Scan" && n.Table != "convo_rollup_queue" || strings.Contains(n.Type, "Index") &&
			strings.HasSuffix(n.Type, "Scan") && n.Condition == "" {
			plan.scans = append(plan.scans, n.Type+" "+n.Table+n.Index)
		}
		if n.Table != "" {
			plan.read += int((n.Rows + n.Removed + n.Rechecked) * n.Loops)
		}
	})
	return plan
}

func (p *planner) explainMariaDB(t *testing.T, st statement, run bool) (plan plan) {
	t.Helper()
	rows, err := p.conn.QueryContext(t.Context(), "EXPLAIN "+st.text, st.args...)
	require.NoError(t, err, st.text)
	defer rows.Close()
	for rows.Next() {
		var id, kind, table, access, possible, key, length, ref, number, extra sql.NullString
		require.NoError(t, rows.Scan(&id, &kind, &table, &access, &possible, &key, &length, &ref,
			&number, &extra))
		line := fmt.Sprint(table.String, " ", access.String, " ", key.String, " ", length.String,
			" ", number.String, " ", extra.String)
		plan.text += line + "\n"
		if (access.String == "ALL" || access.String == "index") &&
			!strings.HasPrefix(table.String, "<") &&
			!strings.HasPrefix(extra.String, "Table function") { // what was sent
			plan.scans = append(plan.scans, line)
		}
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	if run {
		p.exec(t, "FLUSH STATUS")
		page, err := p.conn.QueryContext(t.Context(), st.text, st.args...)
		require.NoError(t, err, st.text)
		require.NoError(t, page.Close()) // which reads it to its end
		require.NoError(t, p.conn.QueryRowContext(t.Context(), `SELECT SUM(variable_value) FROM information_schema.session_status
			WHERE variable_name LIKE 'Handler_read%' AND variable_name NOT LIKE '%rnd%'`).Scan(&plan.read))
	}
	return plan
}

// explainBlock explains the updates in a block, one by one.
func (p *planner) explainBlock(t *testing.T, st statement) (plans []plan) {
	t.Helper()
	args := st.args
	for part := range strings.SplitSeq(st.text, ";") {
		n := strings.Count(part, "?")
		if i := strings.Index(part, "UPDATE "+sqlstore.DefaultPrefix); i >= 0 {
			plans = append(plans, p.explainMariaDB(t, statement{text: part[i:], args: args[:n]},
				false))
		}
		args = args[n:]
	}
	return plans
}

func (p *planner) exec(t *testing.T, text string, args ...any) {
	t.Helper()
	_, err := p.conn.ExecContext(t.Context(), text, args...)
	require.NoError(t, err, text)
}

// recorder keeps what is said on the connections that it opens.
type recorder struct {
	before func(text string) // is called before a statement is carried out, if there is one

	mu   sync.Mutex
	said []statement
}

func (r *recorder) take() []statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	said := r.said
	r.said = nil
	return said
}

func (r *recorder) keep(text string, args []driver.NamedValue, prepared bool) {
	if r.before != nil {
		r.before(text)
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
		if b, ok := a.Value.([]byte); ok {
			values[i] = slices.Clone(b)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, statement{text: text, args: values, prepared: prepared})
}

func (r *recorder) open(t *testing.T, d testdb.Database) *sql.DB {
	t.Helper()
	plain, err := sql.Open(d.Driver, d.DSN)
	require.NoError(t, err)
	defer plain.Close()
	db := sql.OpenDB(recording{plain.Driver(), d.DSN, r})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// recording is a connector.
type recording struct {
	driver driver.Driver
	dsn    string
	*recorder
}

func (c recording) Driver() driver.Driver { return c.driver }

func (c recording) Connect(ctx context.Context) (driver.Conn, error) {
	if d, ok := c.driver.(driver.DriverContext); ok {
		o, err := d.OpenConnector(c.dsn)
		if err != nil {
			return nil, err
		}
		conn, err := o.Connect(ctx)
		return recordedConn{conn, c.recorder}, err
	}
	conn, err := c.driver.Open(c.dsn)
	return recordedConn{conn, c.recorder}, err
}

type recordedConn struct {
	driver.Conn
	*recorder
}

func (c recordedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c recordedConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	st, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	return recordedStmt{st, text, c.recorder}, err
}

func (c recordedConn) ExecContext(ctx context.Context, text string,
	args []driver.NamedValue) (driver.Result, error) {
	c.keep(text, args, false)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

func (c recordedConn) QueryContext(ctx context.Context, text string,
	args []driver.NamedValue) (driver.Rows, error) {
	c.keep(text, args, false)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

func (c recordedConn) CheckNamedValue(v *driver.NamedValue) error { return checkValue(c.Conn, v) }

type recordedStmt struct {
	driver.Stmt
	text string
	*recorder
}

func (s recordedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result,
	error) {
	s.keep(s.text, args, true)
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s recordedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows,
	error) {
	s.keep(s.text, args, true)
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (s recordedStmt) CheckNamedValue(v *driver.NamedValue) error { return checkValue(s.Stmt, v) }

func checkValue(of any, v *driver.NamedValue) (err error) {
	if c, ok := of.(driver.NamedValueChecker); ok {
		return c.CheckNamedValue(v)
	}
	v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value)
	return err
}
