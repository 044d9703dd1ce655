package convo_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/scenario"
	"github.com/chatlifecycle/convo/memstore"
)

// TestAnythingGoesAndTheRulesHold throws random commands, merges, ticks, clocks and policies at an
// engine, and checks after each step that all that the library promises holds.
func TestAnythingGoesAndTheRulesHold(t *testing.T) {
	for range 2 {
		rapid.Check(t, func(t *rapid.T) { checkWorld(t, memstore.New()) })
	}
}

// TestSeveralEnginesAreAsOne has each call made by any of three engines, as processes on one store,
// two of which keep snapshots that the others make stale. The checks are those of one engine, and
// compare each result with what a decision on a fresh snapshot says.
func TestSeveralEnginesAreAsOne(t *testing.T) {
	var spared, lost int64
	peeked := 0
	for range 3 {
		rapid.Check(t, func(t *rapid.T) {
			s := &optimistic{Store: memstore.New()}
			peeked += checkWorld(t, s,
				convo.WithKept(0), convo.WithKept(2), convo.WithKept(100))
			spared, lost = spared+s.spared.Load(), lost+s.lost.Load()
		})
	}
	t.Logf("%d calls were decided on what was kept, of which %d were stale; peeked at %d",
		spared, lost, peeked)
	require.Positive(t, spared)
	require.Positive(t, lost)
	require.Positive(t, peeked)
}

func checkWorld(t *rapid.T, s convo.Store, engines ...convo.Option) (peeked int) {
	w := newWorld(t, s, engines...)
	defer printScript(t, w.engine)
	actions := map[string]func(*rapid.T){
		"do":      w.do,
		"do two":  w.do,
		"do one":  w.do,
		"repeat":  w.repeat,
		"change":  w.change,
		"merge":   w.merge,
		"unmerge": w.unmerge,
		"tick":    w.tick,
		"clock":   w.moveClock,
		"policy":  w.changePolicy,
		"rearm":   w.rearm,
		"":        w.check,
	}
	if len(engines) > 1 {
		for i := range 2 * len(actions) {
			actions[fmt.Sprint("speak ", i)] = w.speak
		}
		for i := range 8 {
			actions[fmt.Sprint("peek ", i)] = w.peek
		}
	}
	t.Repeat(actions)
	return w.peeked
}

// speak is a call as most are, mostly for whom the one before was.
func (w *world) speak(t *rapid.T) {
	if w.spoken == (convo.Ref{}) || rarely(t, "to somebody else", 5) {
		w.spoken = w.drawRef(t)
	}
	by := pick(t, "by", convo.ByUser("ana"), convo.ByAutomation("bot"))
	w.call(t, w.spoken, [][]convo.Command{
		{convo.Receive{Body: "hi", Channel: "chat"}},
		{convo.Receive{Body: "hi", Channel: "chat"}, convo.Note{By: by, Body: "a note"}},
		{convo.Send{By: by, Body: "hello"}},
		{convo.Receive{Body: "away", Quiet: true}},
		{convo.Send{By: by, Body: "bye"}, convo.Close{By: by, Category: "Sales", Summary: "ok"}},
		{convo.Open{By: by}},
	}[rapid.IntRange(0, 5).Draw(t, "what")])
}

// peek compares what an engine keeps with what is loaded: where nothing that a commit compares is
// another one, all is the same.
func (w *world) peek(t *rapid.T) {
	if w.spoken.Validate() != nil {
		return
	}
	w.t = t
	w.otherEngine(t)
	var seen []convo.Snapshot
	_, err := w.engine.DoFunc(t.Context(), w.spoken, "",
		func(s convo.Snapshot) ([]convo.Command, error) {
			seen = append(seen, s)
			return nil, nil
		})
	if err != nil || len(seen) < 2 {
		return
	}
	kept, loaded := seen[0], seen[1]
	k, l := &kept.Conversation, &loaded.Conversation
	if kept.Contact.ID == loaded.Contact.ID && kept.Contact.Version == loaded.Contact.Version &&
		kept.Contact.SeenAt.Equal(loaded.Contact.SeenAt) && k.ID == l.ID &&
		k.Version == l.Version && l.Applied == "" && l.DueAt.IsZero() {
		require.Equal(t, loaded, kept)
		w.peeked++
	}
}

func (w *world) rearm(t *rapid.T) {
	w.t, w.observed = t, nil
	_, err := w.engine.Rearm(t.Context(), pick(t, "workspace", worldWorkspaces...))
	require.NoError(t, err)
	w.last = w.look(t)
}

// otherEngine has the next call made by any of the engines.
func (w *world) otherEngine(t *rapid.T) {
	if len(w.engines) > 1 {
		w.engine.Engine = pick(t, "engine", w.engines...)
	}
}

// printScript prints what a failing property did as a scenario: put it into a file of
// testdata/scenarios, and TestScenarios runs it.
func printScript(t *rapid.T, r *scenario.Recorder) {
	if t.Failed() {
		t.Logf("as a scenario:\n\n%s", r.String())
	}
}

// world is a store, an engine and a clock in the hands of a property, and what it remembers of
// them.
type world struct {
	t        *rapid.T
	store    convo.Store
	engine   *scenario.Recorder
	engines  []*convo.Engine
	spoken   convo.Ref
	peeked   int // at what was kept
	now      time.Time
	lastID   uuid.UUID
	taken    int
	policies map[string]*convo.Policy // by workspace
	steady   bool                     // the policies never change
	ids      map[uuid.UUID]bool       // of all events
	observed []convo.Event            // by the last call
	keyed    []keyedCall
	last     picture
	met      []convo.Ref // contacts of results, which no address may lead to any more
}

// keyedCall is a call that carried a key and was done.
type keyedCall struct {
	to     convo.Ref
	cmds   []convo.Command
	result convo.Result
}

var (
	worldWorkspaces = []string{"acme", "beta"}
	worldContacts   = []string{"susan", "riya", "guest"}
	worldAddresses  = []convo.Address{{Channel: "whatsapp", Value: "+49"},
		{Channel: "email", Value: "s@example.com"}}
	worldChannels = []string{"", "whatsapp", "email"}
)

func newWorld(t *rapid.T, s convo.Store, engines ...convo.Option) *world {
	w := &world{
		store: s, now: time.Date(2026, 3, 2, 9, 0, 0, 0,
			time.UTC), ids: map[uuid.UUID]bool{},
		policies: map[string]*convo.Policy{}, t: t,
	}
	w.steady = rapid.Bool().Draw(t, "steady policies")
	for _, name := range worldWorkspaces {
		w.policies[name] = drawPolicy(t)
		if len(engines) > 1 && !rarely(t, "timers", 4) {
			w.policies[name].Deadlines, w.policies[name].AutoClose = nil, convo.AutoClose{}
		}
	}
	if engines == nil {
		engines = []convo.Option{convo.WithKept(0)}
	}
	for _, own := range engines {
		engine, err := convo.New(w.store, own,
			convo.WithClock(w), convo.WithRetries(3),
			convo.WithIDs(w.newID),
			convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
				return w.policies[of.Workspace], nil
			}),
			convo.WithObserver(func(_ context.Context, events []convo.Event) {
				w.observed = append(w.observed, events...)
			}),
		)
		require.NoError(t, err)
		w.engines = append(w.engines, engine)
	}
	w.engine = &scenario.Recorder{Engine: w.engines[0], Clock: w}
	for _, name := range worldWorkspaces {
		w.engine.Script.Policy(name, *w.policies[name])
	}
	w.last = w.look(t)
	return w
}

// Now makes the world its engine's clock.
func (w *world) Now() time.Time { return w.now }

// newID gives ids in any order, some of them with many others before the next round number.
func (w *world) newID() uuid.UUID {
	w.taken++
	w.lastID = uuid.UUID{rapid.Byte().Draw(w.t, "id"), byte(w.taken >> 8), byte(w.taken), 6: 0x70,
		8: 0x80}
	if w.taken%5 == 0 {
		copy(w.lastID[9:], "\xff\xff\xff\xff\xff\xff\xfe")
	}
	return w.lastID
}

func pick[T any](t *rapid.T, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(t, label)
}

// rarely is true once in n times, and false for what a failing case is shrunk to.
func rarely(t *rapid.T, label string, n int) bool {
	return rapid.IntRange(0, n-1).Draw(t, label) == n-1
}

func drawPolicy(t *rapid.T) *convo.Policy {
	reentry := func(label string, modes ...convo.OnClosedMode) convo.OnClosed {
		r := convo.OnClosed{Mode: pick(t, label, modes...)}
		if r.Mode == convo.OnClosedReopen {
			r.Window = pick(t, label+" window", 0, convo.Duration(time.Hour), 1)
		}
		return r
	}
	rules := []convo.Rule{convo.RuleOptional, convo.RuleOptional, convo.RuleRequired,
		convo.RuleDisabled}
	audiences := []convo.Audience{convo.AudienceNone, convo.AudienceContact, convo.AudienceUsers,
		convo.AudienceBoth}
	p := &convo.Policy{
		Open: reentry("open", convo.OnClosedOpenNew, convo.OnClosedReopen),
		Receive: reentry("receive", convo.OnClosedOpenNew, convo.OnClosedReopen,
			convo.OnClosedReject),
		StayPending:     rapid.Bool().Draw(t, "stay pending"),
		KeepBlocked:     rapid.Bool().Draw(t, "keep blocked"),
		Category:        pick(t, "category", rules...),
		Summary:         pick(t, "summary", rules...),
		UnassignOnClose: rapid.Bool().Draw(t, "unassign on close"),
		Notices: convo.Notices{
			Closed: pick(t, "closed", audiences...), Reopened: pick(t, "reopened", audiences...),
			Restarted: pick(t, "restarted", audiences...),
		},
		RestartFlow:     rapid.Bool().Draw(t, "restart flow"),
		CountAutomation: rapid.Bool().Draw(t, "count automation"),
		Merge:           pick(t, "merge", convo.MergeClose, convo.MergeTransfer),
	}
	if rapid.Bool().Draw(t, "categories") {
		p.Categories = []string{"Sales", "Support"}
	}
	if rapid.Bool().Draw(t, "auto close") {
		p.AutoClose = convo.AutoClose{
			After: convo.Duration(pick(t, "after", time.Hour, time.Minute,
				time.Second+1500*time.Nanosecond)),
			Since:    pick(t, "since", convo.Since(""), convo.SinceAnyEvent),
			Category: pick(t, "auto category", "", "Unanswered"), Summary: pick(t, "auto summary",
				"", "Silence."),
		}
	}
	if rapid.Bool().Draw(t, "deadlines") {
		p.Calendars = map[string]convo.Hours{"office": {Zone: "Europe/Berlin",
			Days: map[string][]convo.Interval{"monday": {{From: "08:00", To: "12:00"},
				{From: "14:00", To: "02:00"}}, "thursday": {{From: "00:00", To: "24:00"}}}}}
		for i := range rapid.IntRange(1, 4).Draw(t, "how many") {
			p.Deadlines = append(p.Deadlines, drawDeadline(t, fmt.Sprint("rule ", i)))
		}
	}
	if rarely(t, "limits", 4) {
		p.MaxBody, p.MaxAttachments, p.MaxSummary = 4, 12, 8
	}
	require.NoError(t, p.Validate())
	return p
}

func drawDeadline(t *rapid.T, name string) convo.Deadline {
	d := convo.Deadline{
		Name:  name,
		After: convo.Duration(pick(t, "after", time.Minute, time.Hour, 90*time.Minute, time.Second)),
		Hours: pick(t, "hours", "", "", "office"),
		Do: pick(t, "do", convo.DoRemind, convo.DoClose, convo.DoPend, convo.DoResume,
			convo.DoUnassign),
	}
	if d.Do == convo.DoClose {
		d.Farewell = pick(t, "farewell", "", "bye")
	}
	if rapid.Bool().Draw(t, "target") {
		if d.Do == convo.DoPend || d.Do == convo.DoResume {
			d.Do = convo.DoRemind
		}
		d.Target = pick(t, "of", convo.TargetFirstResponse, convo.TargetNextResponse,
			convo.TargetResolution)
		d.Pause = rapid.Bool().Draw(t, "pause")
		return d
	}
	d.Since = pick(t, "since", convo.SinceOpened, convo.SinceContactWaiting,
		convo.SinceAwaitingContact, convo.SinceAssigned, convo.SincePended,
		convo.SinceLastIncoming, convo.SinceAnyEvent)
	d.While = pick(t, "while", convo.WhileOpen, convo.WhilePending, convo.WhileActive)
	switch {
	case d.Do == convo.DoPend:
		d.While, d.Since = convo.WhileOpen, convo.SinceOpened
	case d.Do == convo.DoResume || d.Since == convo.SincePended:
		d.While = convo.WhilePending
	}
	return d
}

func (w *world) drawRef(t *rapid.T) convo.Ref {
	to := convo.Ref{Workspace: pick(t, "workspace", worldWorkspaces...)}
	switch kind := pick(t, "to", "contact", "contact", "address", "both", "conversation",
		"nobody"); kind {
	case "nobody":
		if rapid.Bool().Draw(t, "invalid") {
			return to
		}
		to.Conversation = uuid.UUID{1}
	case "conversation":
		var all []uuid.UUID
		// also of the other workspace, where it must not be found
		for _, name := range worldWorkspaces {
			for _, c := range w.last.Conversations[name] {
				all = append(all, c.ID)
			}
		}
		if len(all) > 0 {
			to.Conversation = rapid.SampledFrom(all).Draw(t, "conversation")
			return to
		}
		to.Contact = worldContacts[0]
	default:
		if kind != "address" {
			to.Contact = pick(t, "contact", worldContacts...)
		}
		if kind != "contact" {
			to.Address = pick(t, "address", worldAddresses...)
		}
		if rarely(t, "in a lane", 3) {
			to.Lane = pick(t, "lane", "orders", "Orders")
		}
	}
	return to
}

// drawTime is mostly zero; else about now, in some zone and with a fraction of a microsecond.
func (w *world) drawTime(t *rapid.T, label string) time.Time {
	if !rarely(t, label+" given", 4) {
		return time.Time{}
	}
	off := pick(t, label, 0, time.Microsecond, -time.Microsecond, time.Hour, -time.Hour,
		300*time.Nanosecond, 1000*time.Hour)
	return w.now.Add(off).In(time.FixedZone("IST", 5*3600+1800))
}

func (w *world) drawCommand(t *rapid.T) convo.Command {
	by := pick(t, "by", convo.ByUser("ana"), convo.ByUser("ben"), convo.ByAutomation("bot"),
		convo.ByContact(), convo.BySystem())
	at := w.drawTime(t, "at")
	key := ""
	if rarely(t, "keyed", 4) {
		key = fmt.Sprint("key-", rapid.IntRange(0, 20).Draw(t, "key"))
	}
	external := func() string {
		if rarely(t, "external", 3) {
			return fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "external id"))
		}
		return ""
	}
	channel := func() string { return pick(t, "channel", worldChannels...) }
	spoken := func() string { return pick(t, "address of the message", "", "", "", "+49", "+50") }
	body := func() string { return pick(t, "body", "Hi", "Hello", "") }
	attachments := func() json.RawMessage {
		if rarely(t, "attached", 4) {
			return json.RawMessage(pick(t, "attachments", `{"n":1}`, `[ 1, "<" ]`, `{`))
		}
		return nil
	}
	source := func() convo.Source {
		return pick(t, "source", "", convo.SourceWelcomeEvent, convo.SourceDialogflow,
			convo.SourceInactivity)
	}
	category := func() string { return pick(t, "category", "", "Sales", "Other") }
	summary := func() string { return pick(t, "summary", "", "Done.") }

	switch name := pick(t, "command", commandNames()...); name {
	case convo.CommandOpen:
		return convo.Open{By: by, At: at, Key: key, Channel: channel(), Source: source()}
	case convo.CommandReceive:
		if by.Type != convo.ActorContact {
			by = convo.Actor{}
		}
		return convo.Receive{
			By: by, At: at, Key: key, Channel: channel(), Address: spoken(), ExternalID: external(),
			SentAt: w.drawTime(t, "sent at"), Quiet: rarely(t, "quiet", 4), Body: body(),
			Attachments: attachments(),
		}
	case convo.CommandSend:
		return convo.Send{
			By: by, At: at, Key: key, Channel: channel(), Address: spoken(), ExternalID: external(),
			SentAt: w.drawTime(t, "sent at"), Quiet: rarely(t, "quiet", 4), Body: body(),
			Attachments: attachments(),
		}
	case convo.CommandNote:
		return convo.Note{By: by, At: at, Key: key, Body: body(), Attachments: attachments()}
	case convo.CommandEdit:
		message, id := w.drawMessage(t)
		return convo.Edit{By: by, At: at, Key: key, Message: message, Channel: channel(),
			Address: spoken(), ExternalID: id, Body: body(), Attachments: attachments()}
	case convo.CommandRetract:
		message, id := w.drawMessage(t)
		return convo.Retract{By: by, At: at, Key: key, Message: message, Channel: channel(),
			Address: spoken(), ExternalID: id, Redact: rarely(t, "redact", 3)}
	case convo.CommandIdentify:
		message, _ := w.drawMessage(t)
		return convo.Identify{By: by, At: at, Key: key, Message: message, Channel: channel(),
			Address: spoken(), ExternalID: fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "id"))}
	case convo.CommandSetPending:
		c := convo.SetPending{By: by, At: at, Key: key, OnReceive: pick(t, "on receive",
			convo.OnReceivePolicy, convo.OnReceiveResume, convo.OnReceiveStay, "never")}
		if rapid.Bool().Draw(t, "until given") {
			c.Until = w.now.Add(pick(t, "until", time.Hour, time.Microsecond, 0, 30*time.Minute,
				2000*time.Hour))
		}
		return c
	case convo.CommandResume:
		return convo.Resume{By: by, At: at, Key: key, Source: source()}
	case convo.CommandClose:
		return convo.Close{By: by, At: at, Key: key, Category: category(), Summary: summary(),
			Source: source()}
	case convo.CommandReopen:
		return convo.Reopen{By: by, At: at, Key: key, Source: source()}
	case convo.CommandAssign:
		return convo.Assign{By: by, At: at, Key: key, Assignee: pick(t, "user", "", "ana", "ben"),
			Team: pick(t, "team", "", "sales")}
	case convo.CommandAmendClosing:
		return convo.AmendClosing{By: by, At: at, Key: key, Category: category(),
			Summary: summary()}
	case convo.CommandLabel:
		return convo.Label{By: by, At: at, Key: key,
			Add:    pick(t, "add", nil, []string{"vip"}, []string{"b", "a", "b"}, []string{""}),
			Remove: pick(t, "remove", nil, []string{"vip"}, []string{"a", "none"})}
	case convo.CommandPrioritize:
		return convo.Prioritize{By: by, At: at, Key: key, Priority: pick(t, "priority",
			convo.PriorityNone, convo.PriorityHigh, convo.Priority(9))}
	case convo.CommandDescribe:
		return convo.Describe{By: by, At: at, Key: key, Subject: pick(t, "subject", nil, new(""),
			new("Order 7")), Attributes: attributes(t)}
	case convo.CommandSetProfile:
		return convo.SetProfile{By: by, At: at, Key: key, Name: pick(t, "name", nil, new(""),
			new("Susan")), Attributes: attributes(t)}
	case convo.CommandMove:
		return convo.Move{By: by, At: at, Key: key,
			Contact: pick(t, "to contact", "", "susan", "guest", "stranger", "a\nb"),
			Lane:    pick(t, "to lane", nil, nil, new(""), new("orders")),
			Channel: pick(t, "to channel", nil, nil, new("email"))}
	case convo.CommandRate:
		if rapid.Bool().Draw(t, "by the contact") {
			by = convo.ByContact()
		}
		return convo.Rate{By: by, At: at, Key: key, Comment: summary(),
			Cycle: rapid.IntRange(-1, 3).Draw(t, "cycle"), Score: rapid.IntRange(0, 6).Draw(t,
				"score")}
	case convo.CommandBlock:
		return convo.Block{By: by, At: at, Key: key, Reason: summary()}
	case convo.CommandUnblock:
		return convo.Unblock{By: by, At: at, Key: key}
	default: // what has no fields of its own, or is tried as its sample
		return withField(withField(withField(sample[name], "By", by), "At", at), "Key", key)
	}
}

// attributes are a merge patch, mostly one that can be.
func attributes(t *rapid.T) json.RawMessage {
	return json.RawMessage(pick(t, "attributes", "", "null", "{}", `{"a":1}`, `{"a":null,"b":"x"}`,
		`{"b":{"c":1.50}}`, `{"b":{"c":null}}`, `[1]`, `{"a":1,"a":2}`))
}

// drawMessage is the event of some message, or some external id.
func (w *world) drawMessage(t *rapid.T) (event uuid.UUID, externalID string) {
	var all []uuid.UUID
	for _, log := range w.last.Logs {
		for i := range log {
			all = append(all, log[i].ID)
		}
	}
	if len(all) == 0 || rapid.Bool().Draw(t, "by external id") {
		return uuid.Nil, fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "external id"))
	}
	slices.SortFunc(all, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return rapid.SampledFrom(all).Draw(t, "event"), ""
}

// looksForMore says that the engine adds a message to what Load gives.
func looksForMore(cmds []convo.Command) bool {
	switch cmds[0].(type) {
	case convo.Edit, convo.Retract, convo.Identify, convo.Move:
		return len(cmds) == 1
	}
	return false
}

func commandNames() (names []convo.CommandName) {
	for _, tr := range convo.Transitions() {
		if len(names) == 0 || names[len(names)-1] != tr.Command {
			names = append(names, tr.Command)
		}
	}
	return names
}

// change edits, takes back or tells a message of the log its id, as those who have it do.
func (w *world) change(t *rapid.T) {
	var of []convo.Event
	for _, log := range w.last.Logs {
		for _, e := range log {
			if _, ok := e.Payload.(*convo.Message); ok {
				of = append(of, e)
			}
		}
	}
	if len(of) == 0 {
		t.Skip("no message is there yet that could change") // rapid draws another action
	}
	slices.SortFunc(of, func(a, b convo.Event) int { return slices.Compare(a.ID[:], b.ID[:]) })
	e := rapid.SampledFrom(of).Draw(t, "message")
	to, by := convo.ToContact(e.Workspace, e.Contact), convo.ByUser("ana")
	switch pick(t, "change", convo.CommandEdit, convo.CommandRetract, convo.CommandIdentify) {
	case convo.CommandEdit:
		w.call(t, to, []convo.Command{convo.Edit{
			By: by, Message: e.ID, Body: pick(t, "body", "Hi", "Hello", ""),
		}})
	case convo.CommandRetract:
		w.call(t, to, []convo.Command{convo.Retract{
			By: by, Message: e.ID, Redact: rapid.Bool().Draw(t, "redact"),
		}})
	default:
		w.call(t, to, []convo.Command{convo.Identify{
			By: by, Message: e.ID, Channel: pick(t, "channel", worldChannels...),
			ExternalID: fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "id")),
		}})
	}
}

func (w *world) do(t *rapid.T) {
	to := w.drawRef(t)
	var cmds []convo.Command
	for range rapid.IntRange(1, 4).Draw(t, "commands") {
		cmds = append(cmds, w.drawCommand(t))
	}
	w.call(t, to, cmds)
}

// call does one call, and checks it against what Decide says by itself.
func (w *world) call(t *rapid.T, to convo.Ref, cmds []convo.Command) {
	w.t, w.observed = t, nil
	w.otherEngine(t)
	given := cloneCommands(cmds)
	thread, loadErr := w.store.Load(t.Context(), to)
	fresh := loadErr == nil && to.Validate() == nil && !looksForMore(cmds) &&
		len(w.knownKeys(t, to, thread.Contact.ID, cmds)) == 0

	result, err := w.engine.Do(t.Context(), to, cmds...)
	require.Equal(t, given, cmds, "the commands are the caller's")
	if fresh {
		thread.Next = w.lastID
		d, decideErr := checkPure(t, thread, w.now, w.policies[to.Workspace], cmds)
		require.Equal(t, decideErr, err)
		if err == nil {
			require.Equal(t, d.Outcome, result.Outcome)
			require.Equal(t, d.Change.Events, result.Events)
			require.Equal(t, d.Change.Contact.Contact, result.Contact)
			require.Equal(t, d.Change.Conversation.Conversation, result.Conversation)
		}
	}
	if err != nil {
		w.refused(t, err)
		return
	}
	if result.Outcome == convo.OutcomeDuplicate {
		require.Empty(t, w.observed)
		w.wroteNothing(t)
	} else {
		requireSame(t, result.Events, w.observed)
		if result.Outcome == convo.OutcomeUnchanged {
			require.Empty(t, result.Events, "unchanged")
		}
		if isKeyed(cmds) {
			w.keyed = append(w.keyed, keyedCall{to, cmds, result})
		}
	}
	if result.Contact.ID != "" { // else it is a duplicate of what belongs to another one by now
		contact, err := w.engine.Contact(t.Context(),
			convo.ToContact(to.Workspace, result.Contact.ID))
		require.NoError(t, err)
		require.Equal(t, contact, result.Contact)
		met := convo.ToContact(to.Workspace, result.Contact.ID)
		if result.Contact.Version > 0 && !slices.Contains(w.met, met) {
			w.met = append(w.met, met)
		}
	}
	if result.Conversation.ID != uuid.Nil {
		stored, err := w.store.Conversation(t.Context(), to.Workspace, result.Conversation.ID)
		require.NoError(t, err)
		require.Equal(t, stored, result.Conversation)
		require.Equal(t, stored.Contact, result.Contact.ID)
	}
	w.appended(t, result)
}

// forget takes the texts of the messages that are redacted by now, and of their echoes, out of what
// the world remembers, and nothing else.
func (w *world) forget(now picture) {
	gone, echoes := map[uuid.UUID]bool{}, map[uuid.UUID]uuid.UUID{}
	for _, log := range now.Logs {
		for _, e := range log {
			if r := e.Retracted(); r.Redacted {
				gone[r.Message] = true
			}
			if d := e.Identified(); d.Duplicate != uuid.Nil {
				echoes[d.Duplicate] = d.Message
			}
		}
	}
	for range echoes { // an echo may have one of its own
		for echo, of := range echoes {
			if gone[of] {
				gone[echo] = true
			}
		}
	}
	without := func(events []convo.Event) []convo.Event {
		events = slices.Clone(events)
		for i := range events {
			switch p := events[i].Payload.(type) {
			case *convo.Message:
				if gone[events[i].ID] {
					m := *p
					m.Body, m.Attachments = "", nil
					events[i].Payload = &m
				}
			case *convo.Edited:
				if gone[p.Message] {
					events[i].Payload = &convo.Edited{Message: p.Message}
				}
			}
		}
		return events
	}
	for log, events := range w.last.Logs {
		w.last.Logs[log] = without(events)
	}
	for i := range w.keyed {
		w.keyed[i].result.Events = without(w.keyed[i].result.Events)
	}
}

// appended checks that the log grew by the events of the result, and by nothing else.
func (w *world) appended(t *rapid.T, result convo.Result) {
	now := w.look(t)
	w.forget(now)
	var grown []convo.Event
	for log, events := range now.Logs {
		was := w.last.Logs[log]
		require.GreaterOrEqual(t, len(events), len(was), "the log of %v lost events", log)
		requireSame(t, was, events[:len(was)], "the log is only appended to")
		grown = append(grown, events[len(was):]...)
	}
	if result.Outcome == convo.OutcomeDuplicate {
		require.Empty(t, grown)
		return
	}
	byID := func(a, b convo.Event) int { return slices.Compare(a.ID[:], b.ID[:]) }
	require.True(t, slices.IsSortedFunc(result.Events, byID), "the ids of a call count up")
	written := slices.Clone(result.Events)
	slices.SortFunc(written, byID)
	slices.SortFunc(grown, byID)
	requireSame(t, written, grown, "the events of the result are those that were written")
}

// requireSame is require.Equal for lists, of which an empty one may be nil.
func requireSame[E any](t require.TestingT, want, got []E, about ...any) {
	if len(want) > 0 || len(got) > 0 {
		require.Equal(t, want, got, about...)
	}
}

// refused checks an error: it is one of those that Do names, and nothing was written.
func (w *world) refused(t *rapid.T, err error) {
	var invalid *convo.ValidationError
	var state *convo.StateError
	switch {
	case errors.As(err, &invalid):
		require.NotEmpty(t, invalid.Field)
		require.NotEmpty(t, invalid.Rule)
	case errors.As(err, &state):
		require.ErrorIs(t, err, state.Err)
	default:
		require.ErrorIs(t, err, convo.ErrKeyReused)
	}
	require.Empty(t, w.observed)
	w.wroteNothing(t)
}

func (w *world) wroteNothing(t *rapid.T) {
	require.Equal(t, w.last, w.look(t),
		"nothing was written")
}

func isKeyed(cmds []convo.Command) bool {
	return slices.ContainsFunc(cmds, func(c convo.Command) bool {
		return len(keyIDs(c, convo.Address{Channel: "any"})) > 0
	})
}

// keyIDs are what makes c idempotent, when it is sent to an address.
func keyIDs(c convo.Command, to convo.Address) (ids []convo.KeyID) {
	v := reflect.ValueOf(c)
	if key := v.FieldByName("Key").String(); key != "" {
		ids = append(ids, convo.KeyID{ID: key})
	}
	external := v.FieldByName("ExternalID")
	if external.IsValid() && external.String() != "" && !looksForMore([]convo.Command{c}) {
		id := convo.KeyID{
			Channel: cmp.Or(v.FieldByName("Channel").String(), to.Channel),
			Address: v.FieldByName("Address").String(), ID: external.String(),
		}
		if id.Address == "" && id.Channel == to.Channel {
			id.Address = to.Value
		}
		ids = append(ids, id)
	}
	return ids
}

func (w *world) knownKeys(
	t *rapid.T, to convo.Ref, contact string, cmds []convo.Command,
) []convo.Key {
	var ids []convo.KeyID
	for _, c := range cmds {
		for _, id := range keyIDs(c, to.Address) {
			if id.Channel != "" {
				id.Contact = contact
			}
			ids = append(ids, id)
		}
	}
	keys, err := w.store.Keys(t.Context(), to.Workspace, ids...)
	require.NoError(t, err)
	return keys
}

// repeat calls again what was done under a key, and gets the first answer whatever happened in
// between.
func (w *world) repeat(t *rapid.T) {
	if len(w.keyed) == 0 {
		t.Skip("nothing to repeat")
	}
	c := rapid.SampledFrom(w.keyed).Draw(t, "call")
	w.t, w.observed = t, nil
	if k, err := w.store.Load(t.Context(), c.to); err == nil &&
		len(w.knownKeys(t, c.to, k.Contact.ID, c.cmds)) == 0 {
		// An id is unique for a contact. This Ref leads to another one now, or to nobody, who does
		// not know the id: its address was unlinked since, or its contact unmerged, and the message
		// is in a conversation of who was the root. The call would be a new one, so rapid draws
		// another action.
		// Or it leads to the same one, who was merged meanwhile, and whose conversation was moved to
		// another one of the family, with whom it stayed.
		had := c.result.Contact.ID
		if id := c.result.Conversation.ID; id != uuid.Nil && had == k.Contact.ID {
			now, err := w.store.Conversation(t.Context(), c.to.Workspace, id)
			require.NoError(t, err)
			had = now.Contact
		}
		require.NotEqual(t, had, k.Contact.ID)
		require.Equal(t, uuid.Nil, c.to.Conversation)
		t.Skip("it leads elsewhere since: not a repetition")
	}
	again, err := w.engine.Do(t.Context(), c.to, c.cmds...)
	require.NoError(t, err)
	require.Equal(t, convo.OutcomeDuplicate, again.Outcome)
	require.Empty(t, w.observed)
	w.wroteNothing(t)
	if len(c.cmds) > 1 {
		return // some of them may have been applied even before, elsewhere
	}
	for _, log := range w.last.Logs {
		for _, e := range log {
			of := e.Identified().Duplicate
			if of != uuid.Nil && slices.ContainsFunc(c.result.Events,
				func(e convo.Event) bool { return e.ID == of }) {
				return // it was an echo, and its key leads to the message now
			}
		}
	}
	owner, err := w.engine.Contact(t.Context(), c.to)
	if was := convo.ToContact(c.to.Workspace, c.result.Contact.ID); err == nil {
		if id := c.result.Conversation.ID; id != uuid.Nil { // which may have been moved since
			was = convo.ToConversation(c.to.Workspace, id)
		}
		is, err := w.engine.Contact(t.Context(), was)
		require.NoError(t, err)
		if is.ID != owner.ID {
			want := convo.Result{Outcome: convo.OutcomeDuplicate}
			if again.Conversation.ID == uuid.Nil && again.Contact.ID != "" {
				want.Contact = owner // a key does not say whose own log it was
			}
			require.Equal(t, want, again)
			return // the address or the conversation is another one's, who is told nothing
		}
	} else {
		require.ErrorIs(t, err, convo.ErrNotFound)
		require.Equal(t, convo.Result{Outcome: convo.OutcomeDuplicate}, again)
		return // the address is nobody's
	}
	require.Equal(t, c.result.Conversation.ID, again.Conversation.ID)
	if c.result.Conversation.ID == uuid.Nil && keyIDs(c.cmds[0], c.to.Address)[0].Channel == "" {
		return // a key does not say whose own log it was
	}
	first := slices.DeleteFunc(slices.Clone(c.result.Events), func(e convo.Event) bool {
		return e.Conversation != c.result.Conversation.ID
	})
	requireSame(t, first, again.Events)
}

func (w *world) merge(t *rapid.T) {
	w.t, w.observed = t, nil
	m := convo.Merge{
		Workspace: pick(t, "workspace", worldWorkspaces...),
		Primary:   pick(t, "primary", worldContacts...),
		Secondary: pick(t, "secondary", worldContacts...),
		By:        convo.ByUser("ana"), At: w.drawTime(t, "at"),
	}
	r, err := w.engine.Merge(t.Context(), m)
	if err != nil {
		w.refused(t, err)
		return
	}
	requireSame(t, r.Events, w.observed)
	root, err := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, m.Secondary))
	require.NoError(t, err)
	require.Equal(t, root, r.Primary, "the secondary's id leads to the primary")
	if r.Outcome == convo.OutcomeUnchanged {
		require.Empty(t, r.Events)
		require.Empty(t, r.Conversations)
		w.wroteNothing(t)
		return
	}
	for _, c := range r.Conversations {
		stored, err := w.store.Conversation(t.Context(), m.Workspace, c.ID)
		require.NoError(t, err)
		require.Equal(t, stored, c)
	}
}

func (w *world) unmerge(t *rapid.T) {
	w.t, w.observed = t, nil
	m := convo.Unmerge{
		Workspace: pick(t, "workspace", worldWorkspaces...),
		Contact:   pick(t, "contact", worldContacts...),
		By:        convo.ByUser("ana"), At: w.drawTime(t, "at"),
	}
	before, beforeErr := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, m.Contact))
	r, err := w.engine.Unmerge(t.Context(), m)
	if err != nil {
		w.refused(t, err)
		return
	}
	require.NoError(t, beforeErr)
	requireSame(t, r.Events, w.observed)
	after, err := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, m.Contact))
	require.NoError(t, err)
	require.Equal(t, m.Contact, after.ID, "it is a contact in its own right")
	require.Equal(t, after, r.Contact)
	if r.Outcome == convo.OutcomeUnchanged {
		require.Empty(t, r.Events)
		require.Equal(t, before, after)
		w.wroteNothing(t)
		return
	}
	require.Equal(t, before.ID, r.Root.ID)
	root, err := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, before.ID))
	require.NoError(t, err)
	require.Equal(t, root, r.Root)
	for _, c := range r.Conversations {
		require.Equal(t, m.Contact, c.Contact)
	}
}

func (w *world) tick(t *rapid.T) {
	w.t, w.observed = t, nil
	n, err := w.engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	if n == 0 {
		require.Empty(t, w.observed)
	} else {
		require.NotEmpty(t, w.observed)
	}
	if n >= 100 {
		return // rules that set one another off go on in the next Tick
	}
	again, err := w.engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	require.Zero(t, again, "each due thing is done once")
	if !w.steady {
		return
	}
	for name, cs := range w.look(t).Conversations {
		for _, c := range cs {
			due, reason := w.due(t, name, c.ID)
			require.True(t, due.IsZero() || due.After(w.now), "%s was due at %s", reason, due)
		}
	}
}

// due is when the conversation changes by itself.
func (w *world) due(t *rapid.T, workspace string, id uuid.UUID) (time.Time, string) {
	thread, err := w.store.Load(t.Context(), convo.ToConversation(workspace, id))
	require.NoError(t, err)
	return nextDue(thread, w.policies[workspace])
}

func (w *world) moveClock(t *rapid.T) {
	w.now = w.now.Add(pick(t, "by", time.Second, time.Hour, time.Microsecond, -time.Hour,
		700*time.Nanosecond, 100*time.Hour))
}

func (w *world) changePolicy(t *rapid.T) {
	if w.steady {
		t.Skip("the policies are steady")
	}
	workspace := pick(t, "workspace", worldWorkspaces...)
	w.policies[workspace] = drawPolicy(t)
	w.engine.Script.Policy(workspace, *w.policies[workspace])
}

// picture is all that can be read from a store.
type picture struct {
	Conversations map[string][]convo.Conversation // by workspace, as they are listed
	Logs          map[convo.Ref][]convo.Event     // by conversation, and by contact its own
	Contacts      map[convo.Ref]convo.Contact     // by the id or address that leads there
	Addresses     map[convo.Ref][]convo.Address   // by root contact
	Keys          map[string][]convo.Key
}

// look reads everything, in pages of random size.
func (w *world) look(t *rapid.T) picture {
	p := picture{
		map[string][]convo.Conversation{}, map[convo.Ref][]convo.Event{},
		map[convo.Ref]convo.Contact{},
		map[convo.Ref][]convo.Address{}, map[string][]convo.Key{},
	}
	size := rapid.IntRange(1, 7).Draw(t, "page size")
	for _, name := range worldWorkspaces {
		p.Conversations[name] = w.conversations(t, convo.Filter{Workspace: name, Limit: size})
		var refs []convo.Ref
		for _, c := range p.Conversations[name] {
			to := convo.ToConversation(name, c.ID)
			p.Logs[to] = readLog(t, size, func(after convo.EventCursor, limit int) ([]convo.Event,
				error) {
				return w.engine.Transcript(t.Context(), convo.ToConversation(name, c.ID), after,
					limit)
			})
			refs = append(refs, convo.ToContact(name, c.Origin))
		}
		for _, id := range worldContacts {
			refs = append(refs, convo.ToContact(name, id))
		}
		for _, a := range worldAddresses {
			refs = append(refs, convo.ToAddress(name, a.Channel, a.Value))
		}
		for _, met := range w.met {
			if met.Workspace == name {
				refs = append(refs, met)
			}
		}
		for _, to := range refs {
			k, err := w.engine.Contact(t.Context(), to)
			if err != nil {
				require.ErrorIs(t, err, convo.ErrNotFound)
				continue
			}
			p.Contacts[to] = k
			root := convo.ToContact(name, k.ID)
			if _, done := p.Addresses[root]; done {
				continue
			}
			w.readHistory(t, root, size, p)
			p.Addresses[root], err = w.engine.Addresses(t.Context(), to)
			require.NoError(t, err)
		}
		var ids []convo.KeyID
		for i := range 21 {
			ids = append(ids, convo.KeyID{ID: fmt.Sprint("key-", i)})
			for root := range p.Addresses {
				if root.Workspace != name {
					continue
				}
				for _, channel := range worldChannels {
					ids = append(ids, convo.KeyID{
						Channel: channel, Contact: root.Contact, ID: fmt.Sprint("m-", i),
					})
				}
			}
		}
		var err error
		p.Keys[name], err = w.store.Keys(t.Context(), name, ids...)
		require.NoError(t, err)
		slices.SortFunc(p.Keys[name], func(a, b convo.Key) int {
			return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
		})
	}
	return p
}

// readHistory adds the contacts' own events to the picture. They come from the history, which must
// also hold, in order, the log of each conversation.
func (w *world) readHistory(t *rapid.T, root convo.Ref, size int, p picture) {
	history := readLog(t, size, func(after convo.EventCursor, limit int) ([]convo.Event, error) {
		return w.engine.History(t.Context(), root, after, limit)
	})
	require.True(t, slices.IsSortedFunc(history,
		func(a, b convo.Event) int { return a.At.Compare(b.At) }), "by time")
	logs := map[convo.Ref][]convo.Event{}
	for _, e := range history {
		to := convo.ToConversation(root.Workspace, e.Conversation)
		if e.Conversation == uuid.Nil {
			to = convo.ToContact(root.Workspace, e.Contact) // which may have been merged since
		}
		logs[to] = append(logs[to], e)
	}
	for _, c := range p.Conversations[root.Workspace] {
		to := convo.ToConversation(root.Workspace, c.ID)
		if c.Contact == root.Contact {
			requireSame(t, p.Logs[to], logs[to], "the history holds the whole transcript of %s",
				c.ID)
			delete(logs, to)
		}
	}
	for to, own := range logs {
		require.NotEmpty(t, to.Contact, "the history holds no other conversations")
		require.True(t, slices.IsSortedFunc(own,
			func(a, b convo.Event) int { return cmp.Compare(a.Seq, b.Seq) }), "by number")
		p.Logs[to] = own
	}
}

func readLog(t *rapid.T, size int, page func(convo.EventCursor, int) ([]convo.Event,
	error)) (all []convo.Event) {
	for after := (convo.EventCursor{}); ; after = all[len(all)-1].Cursor() {
		events, err := page(after, size)
		require.NoError(t, err)
		all = append(all, events...)
		if len(events) < size {
			return all
		}
	}
}

func (w *world) conversations(t *rapid.T, f convo.Filter) (all []convo.Conversation) {
	for {
		page, err := w.engine.Conversations(t.Context(), f)
		require.NoError(t, err)
		all = append(all, page...)
		if len(page) < f.Limit {
			return all
		}
		f.After = f.Cursor(all[len(all)-1])
	}
}

// check holds everything that is in the store against the rules.
func (w *world) check(t *rapid.T) {
	p := w.look(t)
	w.last = p
	ids := map[uuid.UUID]bool{}
	for _, events := range p.Logs {
		for _, e := range events {
			require.False(t, ids[e.ID], "event %s is there twice", e.ID)
			ids[e.ID] = true
		}
	}
	for id := range w.ids {
		require.True(t, ids[id], "event %s is gone", id)
	}
	w.ids = ids
	for _, name := range worldWorkspaces {
		active := map[convo.Ref]uuid.UUID{}
		for _, c := range p.Conversations[name] {
			w.checkConversation(t, c, p.Logs[convo.ToConversation(name, c.ID)])
			if c.Status.Active() {
				slot := convo.ToContact(name, c.Contact).In(c.Lane)
				require.Empty(t, active[slot], "a second active conversation of %v", slot)
				active[slot] = c.ID
			}
		}
		for to, k := range p.Contacts {
			if to.Workspace != name {
				continue
			}
			require.Equal(t, name, k.Workspace)
			require.Empty(t, k.MergedInto, "a contact is answered by its root")
			for _, lane := range []string{"", "orders", "Orders"} {
				c, err := w.engine.Active(t.Context(), to.In(lane))
				if id := active[convo.ToContact(name, k.ID).In(lane)]; id == uuid.Nil {
					require.ErrorIs(t, err, convo.ErrNotActive)
				} else {
					require.NoError(t, err)
					require.Equal(t, id, c.ID)
				}
			}
			w.checkContact(t, k, p)
		}
		w.checkListing(t, name, p.Conversations[name])
	}
}

// checkConversation holds a conversation against its log.
func (w *world) checkConversation(t *rapid.T, c convo.Conversation, events []convo.Event) {
	require.Equal(t, int64(len(events)), c.Version, "the version is the number of events")
	var folded convo.Snapshot
	var cycles []convo.Cycle
	for i, e := range events {
		require.Equal(t, int64(i+1), e.Seq)
		require.Equal(t, c.ID, e.Conversation)
		require.Equal(t, c.Workspace, e.Workspace)
		checkTimes(t, e)
		if i > 0 {
			require.False(t, e.At.Before(events[i-1].At), "event %d is before the one before",
				e.Seq)
		}
		if e.Kind == convo.ConversationReopened {
			cycles = append(cycles, folded.Conversation.Cycle)
		}
		folded = convo.Apply(folded, e)
	}
	want := c
	// a merge changes whose it is without an event of its own
	want.DueAt, want.Deadline = time.Time{}, time.Time{}
	want.Applied = ""
	want.Contact = folded.Conversation.Contact
	require.Equal(t, want, folded.Conversation, "the log folds into the state")
	root, err := w.engine.Contact(t.Context(), convo.ToContact(c.Workspace, c.Origin))
	require.NoError(t, err)
	require.Equal(t, root.ID, c.Contact, "it belongs to the root of whom it was opened for")

	cycles = append(cycles, folded.Conversation.Cycle)
	got, err := w.engine.Cycles(t.Context(), convo.ToConversation(c.Workspace, c.ID))
	require.NoError(t, err)
	require.Equal(t, cycles, got)
	for i, cycle := range cycles {
		require.Equal(t, i+1, cycle.Number)
		require.Equal(t, i < len(cycles)-1 || c.Status == convo.StatusClosed,
			!cycle.Closing.At.IsZero(), "a cycle ends with its closing")
		checkDurations(t, cycle)
	}
	checkTimes(t, c)
	require.False(t, c.StatusSince.Before(c.CreatedAt) || c.StatusSince.After(c.UpdatedAt))
	first, ok := c.FirstResolutionTime()
	require.Equal(t, ok, !cycles[0].Closing.At.IsZero())
	last, ok := c.LastResolutionTime()
	require.True(t, !ok || 0 <= first && first <= last)

	due, _ := w.due(t, c.Workspace, c.ID)
	if w.steady && !due.IsZero() {
		require.False(t, c.DueAt.IsZero(), "due at %s, but no timer is set", due)
		require.False(t, c.DueAt.After(due), "due at %s, but the timer is set to %s", due, c.DueAt)
	}
}

// checkTimes checks that all times in v are canonical: in UTC and whole microseconds.
func checkTimes(t *rapid.T, v any) {
	walkTimes(reflect.ValueOf(v), func(at time.Time) {
		require.Equal(t, at, time.UnixMicro(at.UnixMicro()).UTC())
	})
}

func walkTimes(v reflect.Value, f func(time.Time)) {
	if at, ok := v.Interface().(time.Time); ok {
		if !at.IsZero() {
			f(at)
		}
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			walkTimes(v.Field(i), f)
		}
	}
}

func checkDurations(t *rapid.T, c convo.Cycle) {
	for name, measure := range map[string]func() (time.Duration, bool){
		"first response": c.FirstResponseTime, "assignment": c.AssignmentTime,
		"resolution":        c.ResolutionTime,
		"active resolution": c.ActiveResolutionTime, "response": c.ResponseTime,
		"pending": func() (time.Duration, bool) { return c.PendingTime(), true },
	} {
		d, _ := measure()
		require.GreaterOrEqual(t, d, time.Duration(0), name)
	}
	if resolution, ok := c.ResolutionTime(); ok {
		require.LessOrEqual(t, c.PendingTime(), resolution) // a wait may begin before the opening
	}
	require.LessOrEqual(t, c.Responses, c.Incoming, "no more replies than messages")
}

// checkContact holds a root contact against its log: what happened to it is numbered without gaps,
// and folds into it.
func (w *world) checkContact(t *rapid.T, k convo.Contact, p picture) {
	versions := map[int64]convo.Event{}
	add := func(version int64, e convo.Event) {
		_, taken := versions[version]
		require.False(t, taken, "version %d of contact %s twice", version, k.ID)
		versions[version] = e
	}
	for to, events := range p.Logs {
		for _, e := range events {
			if e.Kind == convo.MessageReceived && !e.Message().Quiet && e.Contact == k.ID &&
				to.Workspace == k.Workspace {
				require.Less(t, e.At.Sub(k.SeenAt), convo.SeenEvery)
			}
			switch {
			case to.Workspace != k.Workspace:
			case e.Kind == convo.ContactMerged && e.Row().MergedInto == k.ID:
				add(e.Row().ContactSeq, e)
			case e.Kind == convo.ContactUnmerged && e.Row().UnmergedFrom == k.ID:
				add(e.Row().ContactSeq, e)
			case e.Kind == convo.ConversationMoved && e.Row().MovedFrom == k.ID:
				add(e.Row().FromSeq, e)
			case e.Contact != k.ID:
			case e.Conversation == uuid.Nil:
				add(e.Seq, e)
			case e.Kind == convo.ConversationMoved, e.Kind == convo.ConversationOpened,
				e.Kind == convo.ConversationReopened:
				add(e.Row().ContactSeq, e)
			}
		}
	}
	require.Equal(t, int(k.Version), len(versions))
	var folded convo.Snapshot
	folded.Contact.ID = k.ID // for its first event may be a merge of another one into it
	for _, version := range slices.Sorted(maps.Keys(versions)) {
		e := versions[version]
		if e.Kind == convo.ConversationReopened {
			folded.Conversation.ID = e.Conversation
		}
		folded = convo.Apply(folded, e)
		require.Equal(t, version, folded.Contact.Version)
	}
	folded.Contact.SeenAt = k.SeenAt // by messages, which give no version
	require.Equal(t, k, folded.Contact, "the log folds into the contact")
	checkTimes(t, k)

	var linked []convo.Address
	for to, owner := range p.Contacts {
		if to.Contact == "" && owner == k {
			linked = append(linked, to.Address)
		}
	}
	require.ElementsMatch(t, linked, p.Addresses[convo.ToContact(k.Workspace, k.ID)])
}

// checkListing holds a filtered listing against the same filter done by hand.
func (w *world) checkListing(t *rapid.T, workspace string, all []convo.Conversation) {
	require.True(t, slices.IsSortedFunc(all, func(a, b convo.Conversation) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), slices.Compare(b.ID[:], a.ID[:]))
	}), "the last opened first")
	f := convo.Filter{
		Workspace:  workspace,
		Contact:    pick(t, "of contact", "", "susan", "guest"),
		Team:       pick(t, "of team", "", "", "sales"),
		Channel:    pick(t, "of channel", "", "", "email"),
		Category:   pick(t, "of category", "", "", "Sales"),
		Unassigned: rapid.Bool().Draw(t, "unassigned"),
		NoLane:     rapid.Bool().Draw(t, "in no lane"),
		Limit:      3,
	}
	if !f.NoLane {
		f.Lane = pick(t, "of lane", "", "", "orders")
	}
	if !f.Unassigned {
		f.Assignee = pick(t, "of assignee", "", "", "ana")
	}
	if rapid.Bool().Draw(t, "by status") {
		f.Status = pick(t, "status", []convo.Status{convo.StatusOpen},
			[]convo.Status{convo.StatusOpen, convo.StatusPending},
			[]convo.Status{convo.StatusClosed}, []convo.Status{convo.StatusPending,
				convo.StatusClosed})
	}
	if len(all) > 0 && rapid.Bool().Draw(t, "period") {
		f.From, f.To = all[len(all)/2].CreatedAt, all[0].CreatedAt
	}
	of := f.Contact
	if k, ok := w.last.Contacts[convo.ToContact(workspace, f.Contact)]; ok {
		of = k.ID
	}
	var want []convo.Conversation
	for _, c := range all {
		if (len(f.Status) == 0 || slices.Contains(f.Status, c.Status)) &&
			(of == "" || c.Contact == of) &&
			(f.Team == "" || c.Team == f.Team) && (f.Channel == "" || c.Channel == f.Channel) &&
			(f.Category == "" || c.Cycle.Closing.Category == f.Category) &&
			(f.Lane == "" || c.Lane == f.Lane) && (!f.NoLane || c.Lane == "") &&
			(!f.Unassigned || c.Assignee == "") && (f.Assignee == "" || c.Assignee == f.Assignee) &&
			(f.From.IsZero() || !c.CreatedAt.Before(f.From)) &&
			(f.To.IsZero() || c.CreatedAt.Before(f.To)) {
			want = append(want, c)
		}
	}
	requireSame(t, want, w.conversations(t, f), "%+v", f)
}

// checkPure decides several times and checks that nothing but the arguments matters, and that they
// stay as they are, even when a decision is scribbled over.
func checkPure(t require.TestingT, thread convo.Snapshot, at time.Time, p *convo.Policy,
	cmds []convo.Command) (convo.Decision, error) {
	thread0, policy0, cmds0 := thread, clonePolicy(p), cloneCommands(cmds)
	unchanged := func() {
		require.Equal(t, thread0, thread, "the thread is the caller's")
		require.Equal(t, policy0, p, "the policy is the caller's")
		require.Equal(t, cmds0, cmds, "the commands are the caller's")
	}
	first, err1 := convo.Decide(thread, at, p, cmds...)
	unchanged()
	checkInPlace(t, first, err1, thread, at, p, cmds)
	unchanged()
	second, err2 := convo.Decide(thread0, at, policy0, cmds0...)
	require.Equal(t, err1, err2)
	require.Equal(t, first, second)
	for i := range first.Change.Events {
		for j := range first.Change.Events[i].Row().Attachments {
			first.Change.Events[i].Row().Attachments[j] = '!'
		}
	}
	clear(first.Change.Events)
	clear(first.Change.Keys)
	clear(first.Change.Earlier)
	if state := new(convo.StateError); errors.As(err1, &state) && state.Closing != nil {
		state.Closing.Summary = "!"
	}
	unchanged()
	third, err3 := convo.Decide(thread, at, p, cmds...)
	require.Equal(t, err2, err3)
	require.Equal(t, second, third)
	if err3 != nil {
		require.Equal(t, convo.Decision{}, third, "a refused call decides nothing")
	}
	return third, err3
}

// used are deciders that write over what they decided before, whatever that was.
var used = sync.Pool{New: func() any { return &convo.Decider{Reuse: true} }}

// checkInPlace checks that a used Decider and a new one decide the same, and move the snapshot on
// to what a store would load.
func checkInPlace(t require.TestingT, want convo.Decision, refusal error, thread convo.Snapshot,
	at time.Time, p *convo.Policy, cmds []convo.Command) {
	again := used.Get().(*convo.Decider)
	defer used.Put(again)
	ch := convo.Change{MergeInto: "what was there before"}
	for _, d := range []*convo.Decider{again, {}} {
		s := thread
		outcome, err := d.Decide(&s, at, p, cmds...)
		require.Equal(t, refusal, err)
		require.Equal(t, want.Outcome, outcome)
		if err != nil {
			require.Equal(t, thread, s, "a refusal leaves the snapshot as it was")
			require.Empty(t, d.Events())
			continue
		}
		d.Plan(&s, &ch)
		require.Equal(t, want.Change, ch)
		require.Equal(t, want.Change.After(thread), s)
	}
}

func clonePolicy(p *convo.Policy) *convo.Policy {
	c := *p
	c.Categories = slices.Clone(p.Categories)
	return &c
}

func cloneCommands(cmds []convo.Command) []convo.Command {
	out := slices.Clone(cmds)
	for i, c := range out {
		switch c := c.(type) {
		case convo.Receive:
			c.Attachments = slices.Clone(c.Attachments)
			out[i] = c
		case convo.Send:
			c.Attachments = slices.Clone(c.Attachments)
			out[i] = c
		case convo.Note:
			c.Attachments = slices.Clone(c.Attachments)
			out[i] = c
		}
	}
	return out
}

// TestTheEngineAgreesWithANaiveReading predicts every answer with a second implementation of the
// lifecycle: the table of the specification read off word by word, without events, versions or
// stores.
func TestTheEngineAgreesWithANaiveReading(t *testing.T) {
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			r := newReading(t)
			defer printScript(t, r.engine)
			t.Repeat(map[string]func(*rapid.T){
				"call":   r.call,
				"call 2": r.call,
				"call 3": r.call,
				"call 4": r.call,
				"merge":  r.merge,
				"tick":   r.tick,
				"clock": func(t *rapid.T) {
					r.now = r.now.Add(pick(t, "by", time.Minute, 30*time.Minute, time.Hour,
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
		Open:            convo.OnClosed{Mode: pick(t, "open", modes[:2]...)},
		Receive:         convo.OnClosed{Mode: pick(t, "receive", modes...)},
		StayPending:     rapid.Bool().Draw(t, "stay pending"),
		KeepBlocked:     rapid.Bool().Draw(t, "keep blocked"),
		UnassignOnClose: rapid.Bool().Draw(t, "unassign"),
		Merge:           pick(t, "merge", convo.MergeClose, convo.MergeTransfer),
		Category: pick(t, "category", convo.RuleOptional, convo.RuleRequired,
			convo.RuleDisabled),
	}
	for _, re := range []*convo.OnClosed{&r.policy.Open, &r.policy.Receive} {
		if re.Mode == convo.OnClosedReopen {
			re.Window = pick(t, "window", 0, convo.Duration(time.Hour))
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
	id := pick(t, "contact", naiveContacts...)
	to, current := convo.ToContact("acme", id), -1
	if k, known := r.contacts[id]; known {
		id, current = k.root, r.latestOf(k.root)
	}
	if len(r.talks) > 0 && rarely(t, "by name", 4) {
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
	by := pick(t, "by", ana, bot)
	var at time.Time
	if rarely(t, "at given", 5) {
		at = r.now.Add(pick(t, "at", 0, time.Minute, -time.Minute))
	}
	category := pick(t, "category", "", "Sales")
	switch pick(t, "command", predicted...) {
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
			c.Until = r.now.Add(pick(t, "until", 30*time.Minute, 0, 3*time.Hour))
		}
		return c
	case convo.CommandResume:
		return convo.Resume{By: by, At: at}
	case convo.CommandClose:
		return convo.Close{By: by, At: at, Category: category, Summary: "Done."}
	case convo.CommandReopen:
		return convo.Reopen{By: by, At: at}
	case convo.CommandAssign:
		return convo.Assign{By: by, At: at, Assignee: pick(t, "user", "", "ana", "ben"),
			Team: pick(t, "team", "", "sales")}
	case convo.CommandAmendClosing:
		return convo.AmendClosing{By: by, At: at, Category: category,
			Summary: pick(t, "summary", "Done.", "Well done.")}
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
		Workspace: "acme", Primary: pick(t, "primary", naiveContacts...), Secondary: pick(t,
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
