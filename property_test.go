package convo_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/scenario"
	"github.com/chatlifecycle/convo/internal/world"
	"github.com/chatlifecycle/convo/memstore"
)

// TestAnythingGoesAndTheRulesHold throws random commands, merges, erasures, ticks, clocks and
// policies at an engine, and checks after each step that all that the library promises holds.
func TestAnythingGoesAndTheRulesHold(t *testing.T) {
	var done world.Done
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			s := memstore.New(memstore.WithOutbox())
			done.Add(world.Check(t, s, s))
		})
	}
	t.Logf("%+v", done)
	require.Positive(t, done.Erased)
	require.Positive(t, done.Failed)
	if !testing.Short() { // which is too short to meet each of these for sure
		require.Positive(t, done.Removed)
		require.Positive(t, done.Pruned)
		require.Positive(t, done.Held)
	}
}

// TestSeveralEnginesAreAsOne has each call made by any of three engines, as processes on one store,
// two of which keep snapshots that the others make stale. The checks are those of one engine, and
// compare each result with what a decision on a fresh snapshot says.
func TestSeveralEnginesAreAsOne(t *testing.T) {
	var spared, lost int64
	var done world.Done
	for range 3 {
		rapid.Check(t, func(t *rapid.T) {
			s := &optimistic{Store: memstore.New()}
			done.Add(world.Check(t, s, nil,
				convo.WithKept(0), convo.WithKept(2), convo.WithKept(100)))
			spared, lost = spared+s.spared.Load(), lost+s.lost.Load()
		})
	}
	t.Logf("%d calls were decided on what was kept, of which %d were stale; peeked at %d",
		spared, lost, done.Peeked)
	require.Positive(t, spared)
	require.Positive(t, lost)
	require.Positive(t, done.Peeked)
}

// TestTheEngineAgreesWithANaiveReading predicts every answer with a second implementation of the
// lifecycle: the table of the specification read off word by word, without events, versions or
// stores.
func TestTheEngineAgreesWithANaiveReading(t *testing.T) {
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			r := newReading(t)
			defer world.PrintScript(t, r.engine)
			t.Repeat(map[string]func(*rapid.T){
				"call":   r.call,
				"call 2": r.call,
				"call 3": r.call,
				"call 4": r.call,
				"merge":  r.merge,
				"tick":   r.tick,
				"clock": func(t *rapid.T) {
					r.now = r.now.Add(world.Pick(t, "by", time.Minute, 30*time.Minute, time.Hour,
						2*time.Hour, -time.Hour))
				},
				"": r.compare,
			})
		})
	}
}

// naiveContacts are enough that merging does not soon leave only one.
var naiveContacts = []string{"susan", "riya", "guest", "visitor", "caller"}

// talk is a conversation in the naive reading.
type naiveTalk struct {
	origin, owner     string // owner is the root contact
	status            convo.Status
	cycle             int
	opened, closed    time.Time // of the last cycle
	last              time.Time
	since             time.Time // of the status
	until             time.Time
	unanswered        time.Time
	assignee, team    string
	category, summary string
	naiveCycle
}

// naiveCycle is what is measured of the last cycle.
type naiveCycle struct {
	incoming, outgoing int
	firstAssigned      time.Time
	firstResponse      time.Time
	waiting            time.Time // since the first message that is not answered
	responses          int
	responseTime       time.Duration
	pending            time.Time
	pendingTime        time.Duration
}

type naiveContact struct {
	root    string
	blocked bool
	byMerge bool // nobody has blocked it but a merge
}

// naive is what there is, in the naive reading.
type naive struct {
	talks    []naiveTalk
	contacts map[string]naiveContact
}

func (n naive) clone() naive { return naive{slices.Clone(n.talks), maps.Clone(n.contacts)} }

// reading is an engine and the naive reading beside it.
type reading struct {
	naive
	policy convo.Policy
	now    time.Time
	engine *scenario.Recorder
	ids    []uuid.UUID // of the talks
}

func (r *reading) Now() time.Time { return r.now }

// errInvalid stands for any *ValidationError.
var errInvalid = errors.New("invalid")

func newReading(t *rapid.T) *reading {
	modes := []convo.OnClosedMode{convo.OnClosedOpenNew, convo.OnClosedReopen, convo.OnClosedReject}
	r := &reading{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		naive: naive{contacts: map[string]naiveContact{}}}
	r.policy = convo.Policy{
		Open:            convo.OnClosed{Mode: world.Pick(t, "open", modes[:2]...)},
		Receive:         convo.OnClosed{Mode: world.Pick(t, "receive", modes...)},
		StayPending:     rapid.Bool().Draw(t, "stay pending"),
		KeepBlocked:     rapid.Bool().Draw(t, "keep blocked"),
		UnassignOnClose: rapid.Bool().Draw(t, "unassign"),
		Merge:           world.Pick(t, "merge", convo.MergeClose, convo.MergeTransfer),
		Category: world.Pick(t, "category", convo.RuleOptional, convo.RuleRequired,
			convo.RuleDisabled),
	}
	for _, re := range []*convo.OnClosed{&r.policy.Open, &r.policy.Receive} {
		if re.Mode == convo.OnClosedReopen {
			re.Window = world.Pick(t, "window", 0, convo.Duration(time.Hour))
		}
	}
	if rapid.Bool().Draw(t, "auto close") {
		r.policy.AutoClose = convo.AutoClose{After: convo.Duration(time.Hour), Category: "Silent"}
	}
	engine, err := convo.New(memstore.New(), convo.WithClock(r), convo.WithPolicy(r.policy),
		convo.WithRetries(0))
	require.NoError(t, err)
	r.engine = &scenario.Recorder{Engine: engine, Clock: r}
	r.engine.Script.Policy("acme", r.policy)
	return r
}

// latestOf is the index of the active talk of a root contact, else of the one that was opened last.
func (r *reading) latestOf(root string) int {
	latest := -1
	for i := range r.talks {
		c := &r.talks[i]
		switch {
		case c.owner != root:
		case c.status.Active():
			return i
		case latest < 0 || c.opened.After(r.talks[latest].opened) ||
			c.opened.Equal(r.talks[latest].opened) &&
				r.ids[i].String() > r.ids[latest].String():
			latest = i
		}
	}
	return latest
}

func (r *reading) call(t *rapid.T) {
	id := world.Pick(t, "contact", naiveContacts...)
	to, current := convo.ToContact("acme", id), -1
	if k, known := r.contacts[id]; known {
		id, current = k.root, r.latestOf(k.root)
	}
	if len(r.talks) > 0 && world.Rarely(t, "by name", 4) {
		current = rapid.IntRange(0, len(r.talks)-1).Draw(t, "talk")
		to, id = convo.ToConversation("acme", r.ids[current]), r.talks[current].owner
	}
	var cmds []convo.Command
	for range rapid.IntRange(1, 3).Draw(t, "commands") {
		cmds = append(cmds, r.drawCommand(t))
	}

	next, want, refusals := r.clone(), convo.OutcomeUnchanged, []error(nil)
	for _, cmd := range cmds {
		var outcome convo.Outcome
		if outcome, refusals = next.decide(r.policy, r.now, id, &current, cmd); len(refusals) > 0 {
			break
		}
		if outcome != convo.OutcomeUnchanged {
			want = outcome
		}
	}
	result, err := r.engine.Do(t.Context(), to, cmds...)
	if len(refusals) > 0 {
		r.agree(t, refusals, err)
		return
	}
	require.NoError(t, err)
	r.naive = next
	for _, e := range result.Events {
		if e.Kind == convo.ConversationOpened {
			r.ids = append(r.ids, e.Conversation)
		}
	}
	require.Equal(t, len(r.talks), len(r.ids), "the number of conversations")
	require.Equal(t, want, result.Outcome)
	require.Equal(t, r.ids[current], result.Conversation.ID,
		"the conversation that the last command was about")
}

// agree checks that err is one of those that are due; several may be, and which one goes first is
// nobody's promise.
func (r *reading) agree(t *rapid.T, due []error, err error) {
	require.Error(t, err, "due: %v", due)
	var invalid *convo.ValidationError
	require.True(t, slices.ContainsFunc(due, func(want error) bool {
		return errors.Is(err, want) || errors.Is(want, errInvalid) && errors.As(err, &invalid)
	}), "%v is not one of %v", err, due)
}

// predicted are the commands that the naive reading has a rule for.
var predicted = []convo.CommandName{
	convo.CommandOpen, convo.CommandReceive, convo.CommandSend, convo.CommandNote,
	convo.CommandSetPending, convo.CommandResume, convo.CommandClose, convo.CommandReopen,
	convo.CommandAssign, convo.CommandAmendClosing, convo.CommandBlock, convo.CommandUnblock,
	convo.CommandLinkAddress,
}

func (r *reading) drawCommand(t *rapid.T) convo.Command {
	ana, bot := convo.ByUser("ana"), convo.ByAutomation("bot")
	by := world.Pick(t, "by", ana, bot)
	var at time.Time
	if world.Rarely(t, "at given", 5) {
		at = r.now.Add(world.Pick(t, "at", 0, time.Minute, -time.Minute))
	}
	category := world.Pick(t, "category", "", "Sales")
	switch world.Pick(t, "command", predicted...) {
	case convo.CommandOpen:
		return convo.Open{By: by, At: at}
	case convo.CommandReceive:
		return convo.Receive{At: at, Body: "Hello"}
	case convo.CommandSend:
		return convo.Send{By: by, At: at, Body: "Hello"}
	case convo.CommandNote:
		return convo.Note{By: by, At: at, Body: "Hello"}
	case convo.CommandSetPending:
		c := convo.SetPending{By: by, At: at}
		if rapid.Bool().Draw(t, "until given") {
			c.Until = r.now.Add(world.Pick(t, "until", 30*time.Minute, 0, 3*time.Hour))
		}
		return c
	case convo.CommandResume:
		return convo.Resume{By: by, At: at}
	case convo.CommandClose:
		return convo.Close{By: by, At: at, Category: category, Summary: "Done."}
	case convo.CommandReopen:
		return convo.Reopen{By: by, At: at}
	case convo.CommandAssign:
		return convo.Assign{By: by, At: at, Assignee: world.Pick(t, "user", "", "ana", "ben"),
			Team: world.Pick(t, "team", "", "sales")}
	case convo.CommandAmendClosing:
		return convo.AmendClosing{By: by, At: at, Category: category,
			Summary: world.Pick(t, "summary", "Done.", "Well done.")}
	case convo.CommandBlock:
		return convo.Block{By: by, At: at}
	case convo.CommandUnblock:
		return convo.Unblock{By: by, At: at}
	default:
		return convo.LinkAddress{By: by, At: at}
	}
}

// active is the index of the contact's active talk, or -1.
func (n *naive) active(root string) int {
	return slices.IndexFunc(n.talks, func(c naiveTalk) bool {
		return c.owner == root &&
			c.status != convo.StatusClosed
	})
}

// decide is the table of the specification, row by row. It returns the outcome, or the refusals
// that are due.
func (n *naive) decide(p convo.Policy, now time.Time, id string, current *int,
	cmd convo.Command) (convo.Outcome, []error) {
	contact, known := n.contacts[id]
	var refusals []error
	refuse := func(err error) { refusals = append(refusals, err) }
	switch cmd.(type) {
	case convo.Open, convo.Receive:
	default:
		if !known {
			refuse(convo.ErrNotFound)
		}
	}
	_, receives := cmd.(convo.Receive)
	kept := receives && contact.blocked && p.KeepBlocked
	switch cmd.(type) {
	case convo.Open, convo.Receive, convo.Send, convo.Reopen:
		if contact.blocked && !kept {
			refuse(convo.ErrBlocked)
		}
	}

	var talk naiveTalk // none: a status that is empty
	if *current >= 0 {
		talk = n.talks[*current]
	}
	at := now
	if given := reflect.ValueOf(cmd).FieldByName("At").Interface().(time.Time); !given.IsZero() {
		if at = given; at.Before(talk.last) {
			refuse(convo.ErrOutOfOrder)
		}
	} else if at.Before(talk.last) {
		at = talk.last
	}
	isActive := talk.status == convo.StatusOpen || talk.status == convo.StatusPending
	superseded := !isActive && known && n.active(id) >= 0

	closingRule := func(category string) {
		if p.Category == convo.RuleRequired && category == "" || p.Category == convo.RuleDisabled &&
			category != "" {
			refuse(errInvalid)
		}
	}
	start := func() {
		talk.status, talk.opened, talk.closed = convo.StatusOpen, at, time.Time{}
		talk.since = at
		talk.category, talk.summary, talk.naiveCycle = "", "", naiveCycle{}
		if talk.assignee != "" { // who kept it
			talk.firstAssigned = at
		}
		talk.cycle++
	}
	// reenter is what Open and Receive do where none is active.
	reenter := func(r convo.OnClosed) convo.Outcome {
		reopen := r.Mode == convo.OnClosedReopen &&
			(r.Window == 0 || at.Sub(talk.closed) <= time.Duration(r.Window))
		switch {
		case superseded:
			refuse(convo.ErrActiveExists)
		case talk.status != "" && r.Mode == convo.OnClosedReject:
			refuse(convo.ErrClosed)
		case talk.status != "" && reopen:
			start()
			return convo.OutcomeReopened
		default:
			talk = naiveTalk{origin: id, owner: id}
			*current = len(n.talks)
			start()
		}
		return convo.OutcomeOpened
	}
	needsActive := func() bool {
		if !isActive {
			refuse(convo.ErrNotActive)
		}
		return isActive
	}
	was, outcome := *current, convo.OutcomeUnchanged
	switch c := cmd.(type) {
	case convo.Open:
		switch {
		case talk.status == convo.StatusPending:
			talk.resume(at)
			outcome = convo.OutcomeResumed
		case !isActive:
			outcome = reenter(p.Open)
		}
	case convo.Receive:
		if kept {
			outcome = convo.OutcomeRecorded
			break
		}
		switch {
		case talk.status == convo.StatusPending && !p.StayPending:
			talk.resume(at)
			outcome = convo.OutcomeResumed
		case isActive:
			outcome = convo.OutcomeRecorded
		default:
			outcome = reenter(p.Receive)
		}
		talk.incoming++
		talk.unanswered = time.Time{}
		if talk.waiting.IsZero() {
			talk.waiting = at
		}
	case convo.Send:
		if needsActive() {
			outcome = convo.OutcomeRecorded
			talk.outgoing++
			if c.By.Type == convo.ActorUser {
				talk.unanswered = at
				talk.reply(at)
			}
		}
	case convo.Note:
		outcome = convo.OutcomeRecorded
	case convo.SetPending:
		if !c.Until.IsZero() && !c.Until.After(at) {
			refuse(errInvalid)
		}
		if needsActive() && (talk.status == convo.StatusOpen || !talk.until.Equal(c.Until)) {
			if talk.status == convo.StatusOpen {
				talk.pending, talk.since = at, at
			}
			talk.status, talk.until, outcome = convo.StatusPending, c.Until, convo.OutcomePending
		}
	case convo.Resume:
		if needsActive() && talk.status == convo.StatusPending {
			talk.resume(at)
			outcome = convo.OutcomeResumed
		}
	case convo.Close:
		closingRule(c.Category)
		if needsActive() {
			talk.close(p, at, c.Category, c.Summary)
			outcome = convo.OutcomeClosed
		}
	case convo.Reopen:
		switch {
		case superseded:
			refuse(convo.ErrActiveExists)
		case !isActive:
			start()
			outcome = convo.OutcomeReopened
		}
	case convo.Assign:
		if talk.status == "" {
			refuse(convo.ErrNotActive)
		} else if talk.assignee != c.Assignee || talk.team != c.Team {
			talk.assignee, talk.team, outcome = c.Assignee, c.Team, convo.OutcomeAssigned
			if isActive && c.Assignee != "" && talk.firstAssigned.IsZero() {
				talk.firstAssigned = at
			}
		}
	case convo.AmendClosing:
		closingRule(c.Category)
		if isActive {
			refuse(convo.ErrNotClosed)
		} else if talk.category != c.Category || talk.summary != c.Summary {
			talk.category, talk.summary, outcome = c.Category, c.Summary, convo.OutcomeAmended
		}
	case convo.Block:
		if !contact.blocked || contact.byMerge {
			outcome = convo.OutcomeBlocked
		}
		contact.blocked, contact.byMerge = true, false
	case convo.Unblock:
		if contact.blocked {
			outcome = convo.OutcomeUnblocked
		}
		contact.blocked, contact.byMerge = false, false
	}
	if len(refusals) > 0 {
		*current = was
		return "", refusals
	}
	switch outcome {
	// nothing happened to the conversation
	case convo.OutcomeUnchanged, convo.OutcomeBlocked, convo.OutcomeUnblocked:
	default:
		talk.last = at
	}
	if *current == len(n.talks) {
		n.talks = append(n.talks, naiveTalk{})
	}
	n.talks[*current] = talk
	contact.root = id
	n.contacts[id] = contact
	return outcome, nil
}

// resume also starts the inactivity anew, which counts while it is open.
func (c *naiveTalk) resume(at time.Time) {
	c.endPending(at)
	c.status, c.since, c.until = convo.StatusOpen, at, time.Time{}
}

func (c *naiveTalk) endPending(at time.Time) {
	if !c.pending.IsZero() {
		c.pendingTime += at.Sub(c.pending)
		c.pending = time.Time{}
	}
}

func (c *naiveTalk) reply(at time.Time) {
	if !c.waiting.IsZero() {
		if c.firstResponse.IsZero() {
			c.firstResponse = at
		}
		c.responses++
		c.responseTime += at.Sub(c.waiting)
		c.waiting = time.Time{}
	}
}

func (c *naiveTalk) close(p convo.Policy, at time.Time, category, summary string) {
	c.endPending(at)
	c.status, c.closed, c.last, c.since = convo.StatusClosed, at, at, at
	c.category, c.summary = category, summary
	c.until, c.unanswered = time.Time{}, time.Time{}
	if p.UnassignOnClose {
		c.assignee, c.team = "", ""
	}
}

func (r *reading) merge(t *rapid.T) {
	m := convo.Merge{
		Workspace: "acme", Primary: world.Pick(t, "primary", naiveContacts...), Secondary: world.Pick(t,
			"secondary", naiveContacts...),
		By: convo.ByUser("ana"),
	}
	result, err := r.engine.Merge(t.Context(), m)

	primary, known := r.contacts[m.Primary]
	if !known {
		primary.root = m.Primary
	}
	secondary, alsoKnown := r.contacts[m.Secondary]
	root, other := r.contacts[primary.root], r.contacts[secondary.root]
	switch {
	case m.Primary == m.Secondary:
		r.agree(t, []error{errInvalid}, err)
		return
	case !alsoKnown:
		r.agree(t, []error{convo.ErrNotFound}, err)
		return
	case primary.root == m.Secondary: // a circle
		r.agree(t, []error{errInvalid}, err)
		return
	case primary.root == secondary.root:
		require.NoError(t, err)
		require.Equal(t, convo.OutcomeUnchanged, result.Outcome)
		return
	case secondary.root != m.Secondary:
		r.agree(t, []error{convo.ErrMerged}, err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, convo.OutcomeMerged, result.Outcome)
	root.byMerge = root.byMerge || !root.blocked && other.blocked
	root.blocked = root.blocked || other.blocked
	require.Equal(t, root.blocked, result.Primary.Blocked)

	at := r.now
	for _, i := range []int{r.latestOf(primary.root), r.latestOf(secondary.root)} {
		if i >= 0 && at.Before(r.talks[i].last) {
			at = r.talks[i].last
		}
	}
	mine, theirs := r.active(primary.root), r.active(secondary.root)
	switch {
	case theirs >= 0 && mine < 0 && r.policy.Merge == convo.MergeTransfer:
		r.talks[theirs].last = at
	case theirs >= 0:
		r.talks[theirs].close(r.policy, at, "", "")
	}
	root.root = primary.root
	r.contacts[primary.root] = root
	for i := range r.talks {
		if r.talks[i].owner == secondary.root {
			r.talks[i].owner = primary.root
		}
	}
	for id, k := range r.contacts {
		if k.root == secondary.root {
			k.root = primary.root
			r.contacts[id] = k
		}
	}
}

func (r *reading) tick(t *rapid.T) {
	changes := 0
	for i := range r.talks {
		c := &r.talks[i]
		if c.status == convo.StatusPending && !c.until.IsZero() && !c.until.After(r.now) {
			at := c.until
			if at.Before(c.last) {
				at = c.last
			}
			c.resume(at)
			c.last = at
			changes++
		}
		since := c.unanswered
		if since.Before(c.since) {
			since = c.since
		}
		due := since.Add(time.Duration(r.policy.AutoClose.After))
		if c.status == convo.StatusOpen && r.policy.AutoClose.After > 0 && !c.unanswered.IsZero() &&
			!due.After(r.now) {
			if due.Before(c.last) {
				due = c.last
			}
			c.close(r.policy, due, "Silent", "")
			changes++
		}
	}
	n, err := r.engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, changes, n, "changes by the timers")
}

// compare holds everything that the naive reading knows against the engine.
func (r *reading) compare(t *rapid.T) {
	for i, want := range r.talks {
		got, err := r.engine.Conversation(t.Context(), convo.ToConversation("acme", r.ids[i]))
		require.NoError(t, err)
		var pending time.Time
		if got.Status == convo.StatusPending {
			pending = got.StatusSince
		}
		require.Equal(t, want, naiveTalk{
			origin: got.Origin, owner: got.Contact, status: got.Status, cycle: got.Cycle.Number,
			since:  got.StatusSince,
			opened: got.Cycle.OpenedAt, closed: got.Cycle.Closing.At, last: got.UpdatedAt,
			until: got.PendingUntil, unanswered: got.AwaitingContactSince, assignee: got.Assignee,
			team:     got.Team,
			category: got.Cycle.Closing.Category, summary: got.Cycle.Closing.Summary,
			naiveCycle: naiveCycle{
				incoming:      got.Cycle.Incoming,
				outgoing:      got.Cycle.OutgoingUser + got.Cycle.OutgoingAutomation,
				firstAssigned: got.Cycle.FirstAssignedAt, firstResponse: got.Cycle.FirstResponseAt,
				waiting: got.Cycle.WaitingSince, responses: got.Cycle.Responses,
				responseTime: time.Duration(got.Cycle.ResponseMicros) * time.Microsecond,
				pending:      pending, pendingTime: got.Cycle.PendingTime(),
			},
		}, "conversation %d", i)
	}
	count := 0
	for id, want := range r.contacts {
		got, err := r.engine.Contact(t.Context(), convo.ToContact("acme", id))
		require.NoError(t, err)
		require.Equal(t, want.root, got.ID)
		if want.root != id {
			continue
		}
		require.Equal(t, want.blocked, got.Blocked)
		latest, err := r.engine.Conversation(t.Context(), convo.ToContact("acme", id))
		require.NoError(t, err)
		require.Equal(t, r.ids[r.latestOf(id)], latest.ID)
		all, err := r.engine.Conversations(t.Context(),
			convo.Filter{Workspace: "acme", Contact: id, Limit: 1000})
		require.NoError(t, err)
		count += len(all)
	}
	require.Equal(t, len(r.talks), count, "every conversation belongs to somebody")
}

// The tests below are what the properties found or could have found, in so many words.

func TestBlockingAContactLosesNoTimer(t *testing.T) {
	// Whatever is done to another conversation of the contact meanwhile.
	r := &reading{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	engine, err := convo.New(memstore.New(), convo.WithClock(r),
		closesAfter(time.Hour))
	require.NoError(t, err)
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	do := func(to convo.Ref, cmds ...convo.Command) convo.Conversation {
		t.Helper()
		result, err := engine.Do(t.Context(), to, cmds...)
		require.NoError(t, err)
		return result.Conversation
	}
	old := do(susan, convo.Open{By: ana}, convo.Close{By: ana})
	do(susan, convo.Open{By: ana}, convo.Send{By: ana, Body: "Hello"}, convo.Block{By: ana})
	r.now = r.now.Add(2 * time.Hour)
	before, err := engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	do(convo.ToConversation("acme", old.ID), convo.Unblock{By: ana})
	after, err := engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, 1, before+after, "the conversation has been inactive for two hours")
}

func TestTheHistoryOfAMergedContactLosesNothingBetweenPages(t *testing.T) {
	// Two events of the same time and number, one of each contact, must not be taken for one place
	// in the listing.
	r := &reading{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	engine, err := convo.New(memstore.New(), convo.WithClock(r))
	require.NoError(t, err)
	ana := convo.ByUser("ana")
	for _, id := range []string{"susan", "guest"} {
		_, err = engine.Do(t.Context(), convo.ToContact("acme", id), convo.Open{By: ana},
			convo.Block{By: ana}, convo.Unblock{By: ana})
		require.NoError(t, err)
	}
	_, err = engine.Merge(t.Context(), convo.Merge{Workspace: "acme", Primary: "susan",
		Secondary: "guest", By: ana})
	require.NoError(t, err)

	var kinds [2][]convo.EventKind
	for i, size := range []int{1, 100} {
		for after := (convo.EventCursor{}); ; {
			page, err := engine.History(t.Context(), convo.ToContact("acme", "susan"), after, size)
			require.NoError(t, err)
			for _, e := range page {
				kinds[i] = append(kinds[i], e.Kind)
			}
			if len(page) < size {
				break
			}
			after = page[len(page)-1].Cursor()
		}
	}
	require.Len(t, kinds[1], 8)
	require.Equal(t, kinds[1], kinds[0], "page by page, and at once")
}

func TestTheHistoryTellsInOrderWhatHappenedToTheContact(t *testing.T) {
	// The clock of the second server stands behind that of the first one.
	r := &reading{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	engine, err := convo.New(memstore.New(), convo.WithClock(r))
	require.NoError(t, err)
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	_, err = engine.Do(t.Context(), susan, convo.Open{By: ana})
	require.NoError(t, err)
	r.now = r.now.Add(2 * time.Second)
	_, err = engine.Do(t.Context(), susan, convo.Block{By: ana})
	require.NoError(t, err)
	r.now = r.now.Add(-time.Second)
	_, err = engine.Do(t.Context(), susan, convo.Unblock{By: ana})
	require.NoError(t, err)

	history, err := engine.History(t.Context(), susan, convo.EventCursor{}, 0)
	require.NoError(t, err)
	var folded convo.Snapshot
	for _, e := range history {
		folded = convo.Apply(folded, e)
	}
	contact, err := engine.Contact(t.Context(), susan)
	require.NoError(t, err)
	require.False(t, contact.Blocked)
	require.Equal(t, contact.Blocked, folded.Contact.Blocked,
		"the history, read in order, ends in what is the case")
}

func TestAMessageWithoutAChannelIsNotTakenForAnIdempotencyKey(t *testing.T) {
	// An external id needs its channel. Without one it must not be looked up among the keys, which
	// have none: the message would pass for a duplicate and be lost.
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	_, err = engine.Do(t.Context(), susan, convo.Open{By: ana, Key: "42"})
	require.NoError(t, err)

	_, err = engine.Do(t.Context(), susan, convo.Receive{ExternalID: "42", Body: "Hello"})
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "external_id", invalid.Field)
}

func TestTheSameInstantIsTheSameRequestUnderAKey(t *testing.T) {
	// A host that repeats a call may have had its time in another zone, or with the precision of
	// its database.
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	susan := convo.ToContact("acme", "susan")
	at := time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)
	for _, at := range []time.Time{at, at.In(time.FixedZone("CET", 3600)),
		at.Truncate(time.Microsecond)} {
		_, err = engine.Do(t.Context(), susan, convo.Open{By: convo.ByUser("ana"), Key: "k",
			At: at})
		require.NoError(t, err)
	}
}

func TestATimerAtAnyTimeGoesOff(t *testing.T) {
	// 1970-01-01 is 0 in microseconds, which must not be read as "no timer".
	epoch := time.Unix(0, 0).UTC()
	r := &reading{now: epoch.Add(-time.Hour)}
	engine, err := convo.New(memstore.New(), convo.WithClock(r))
	require.NoError(t, err)
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	_, err = engine.Do(t.Context(), susan, convo.Open{By: ana},
		convo.SetPending{By: ana, Until: epoch})
	require.NoError(t, err)
	r.now = epoch
	n, err := engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestAFilterUpToTheEndOfTimeLosesNothing(t *testing.T) {
	// Hosts write "until ever" as the last time there is, which does not fit into microseconds.
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	_, err = engine.Do(t.Context(), convo.ToContact("acme", "susan"),
		convo.Open{By: convo.ByUser("ana")})
	require.NoError(t, err)
	end := time.Unix(1<<63-62135596801, 999999999)
	for want, f := range map[int]convo.Filter{1: {Workspace: "acme", To: end},
		0: {Workspace: "acme", From: end}} {
		all, err := engine.Conversations(t.Context(), f)
		if invalid := new(convo.ValidationError); errors.As(err, &invalid) {
			continue // saying so is as good
		}
		require.NoError(t, err)
		require.Len(t, all, want)
	}
}

func TestTheFirstMicrosecondOfYear1IsNotATime(t *testing.T) {
	// Cut to microseconds it would be the zero time, which says that something has not happened.
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	_, err = engine.Do(t.Context(), convo.ToContact("acme", "susan"),
		convo.Open{By: convo.ByUser("ana"), At: time.Time{}.Add(time.Nanosecond)})
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "at", invalid.Field)
}

func TestTimesThatCannotBeCountedAreRefused(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	ana := convo.ByUser("ana")
	for _, at := range []time.Time{
		time.Unix(1<<62, 0), time.Unix(-1<<62, 0), time.Unix(1<<44, 0), time.Unix(-1<<44, 0),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -2*3600)), // in UTC the year 10000
	} {
		for field, cmd := range map[string]convo.Command{
			"at":    convo.Open{By: ana, At: at},
			"until": convo.SetPending{By: ana, Until: at},
		} {
			_, err = engine.Do(t.Context(), convo.ToContact("acme", "susan"), convo.Open{By: ana},
				cmd)
			var invalid *convo.ValidationError
			require.ErrorAs(t, err, &invalid, "%s %s", field, at)
			require.Equal(t, field, invalid.Field)
		}
	}
}
