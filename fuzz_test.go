package convo_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/world"
	"github.com/chatlifecycle/convo/memstore"
)

var fuzzNow = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// fuzzThreads are threads in every state, to decide on.
func fuzzThreads(t testing.TB) map[string]convo.Snapshot {
	ana := convo.ByUser("ana")
	none := convo.Snapshot{
		Ref:     convo.ToContact("acme", "susan"),
		Contact: convo.Contact{Workspace: "acme", ID: "susan"},
		Next:    uuid.UUID{6: 0x70, 8: 0x80},
	}
	threads := map[string]convo.Snapshot{"none": none}
	for name, cmds := range map[string][]convo.Command{
		"open":    {convo.Open{By: ana}},
		"pending": {convo.Open{By: ana}, convo.SetPending{By: ana, Until: fuzzNow.Add(time.Hour)}},
		"closed":  {convo.Open{By: ana}, convo.Close{By: ana}},
		"blocked": {convo.Open{By: ana}, convo.Block{By: ana}},
	} {
		d, err := convo.Decide(none, fuzzNow, nil, cmds...)
		require.NoError(t, err)
		threads[name] = d.Change.After(none)
	}
	superseded := threads["closed"]
	superseded.Active = uuid.UUID{15: 9}
	threads["superseded"] = superseded
	return threads
}

// requireRefusal checks that err is one of those that Decide names.
func requireRefusal(t testing.TB, err error) {
	t.Helper()
	var invalid *convo.ValidationError
	var state *convo.StateError
	if !errors.As(err, &invalid) && !errors.As(err, &state) {
		require.ErrorIs(t, err, convo.ErrKeyReused)
	}
	require.NotEmpty(t, err.Error())
}

// decideSafely decides on a thread and checks the rules that every decision keeps.
func decideSafely(t testing.TB, thread convo.Snapshot, at time.Time, p *convo.Policy,
	cmds ...convo.Command) (convo.Decision, error) {
	t.Helper()
	d, err := world.CheckPure(t, thread, at, p, cmds)
	if err != nil {
		requireRefusal(t, err)
		return d, err
	}
	folded, last := thread, thread.Conversation.UpdatedAt
	for _, e := range d.Change.Events {
		if e.Kind == convo.ConversationOpened {
			last = e.At
		}
		if e.Conversation != uuid.Nil {
			require.False(t, e.At.Before(last), "%s is before the event before", e.Kind)
			last = e.At
		}
		require.False(t, e.At.IsZero())
		folded = convo.Apply(folded, e)
	}
	next := d.Change.After(thread)
	folded.Next, folded.Conversation.DueAt = next.Next, next.Conversation.DueAt
	folded.Conversation.Deadline = next.Conversation.Deadline
	folded.Conversation.Applied = next.Conversation.Applied
	require.Equal(t, next, folded, "the events fold into the next thread")
	for _, measure := range []func() (time.Duration, bool){
		next.Conversation.Cycle.FirstResponseTime, next.Conversation.Cycle.AssignmentTime,
		next.Conversation.Cycle.ResolutionTime, next.Conversation.Cycle.ActiveResolutionTime,
		next.Conversation.Cycle.ResponseTime, next.Conversation.FirstResolutionTime,
		next.Conversation.LastResolutionTime,
	} {
		duration, _ := measure()
		require.GreaterOrEqual(t, duration, time.Duration(0))
	}
	if due, _ := world.NextDue(next, p); !due.IsZero() {
		require.False(t, next.Conversation.DueAt.IsZero())
		require.False(t, next.Conversation.DueAt.After(due))
	}
	return d, nil
}

// sameCommands compares commands: times by instant, attachments by value.
func sameCommands(t testing.TB, want, got convo.Commands) {
	t.Helper()
	normal := func(cs convo.Commands) (out []any) {
		for _, c := range cs {
			v := reflect.New(reflect.TypeOf(c)).Elem()
			v.Set(reflect.ValueOf(c))
			for i := range v.NumField() {
				switch f := v.Field(i).Addr().Interface().(type) {
				case *time.Time:
					*f = f.UTC().Truncate(time.Microsecond)
				case *json.RawMessage:
					if len(*f) > 0 {
						var b, escaped bytes.Buffer
						require.NoError(t, json.Compact(&b, *f))
						json.HTMLEscape(&escaped, b.Bytes())
						*f = escaped.Bytes()
					}
				}
			}
			out = append(out, v.Interface())
		}
		return out
	}
	require.Equal(t, normal(want), normal(got))
}

func FuzzCommandsJSON(f *testing.F) {
	for _, sample := range allCommands {
		for _, v := range []any{filled(sample), sample} {
			data, err := json.Marshal(convo.Commands{v.(convo.Command)})
			require.NoError(f, err)
			f.Add(data)
		}
	}
	for _, s := range []string{
		`[]`, `null`, `{}`, `[{}]`, `[null]`, `[{"command":"fly"}]`,
		`[{"command":"close","by":"ana"}]`, "", "[", "\xff",
		`[{"command":"receive","external_id":"m1","channel":"whatsapp","body":"Hello"},{"command":"receive","external_id":"m1","channel":"whatsapp","body":"Hello"}]`,
		`[{"command":"open","by":{"type":"user","id":"ana"},"key":"k"},{"command":"close","by":{"type":"user","id":"ana"},"key":"k"}]`,
		`[{"command":"note","by":{"type":"system"},"attachments":{"a":[1,2.50,"<&>"]}}]`,
		`[{"command":"set_pending","by":{"type":"system"},"at":"2026-03-02T14:30:00.123456789+05:30",` +
			`"until":"9999-12-31T23:59:59-23:59"}]`,
		`[{"command":"open","command":"close","By":{"type":"system"},"CATEGORY":"x","category":"y"}]`,
		`[{"command":"open","by":{"type":"system"},"at":"0000-01-01T00:00:00Z"}]`,
	} {
		f.Add([]byte(s))
	}
	threads := fuzzThreads(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var cs convo.Commands
		if err := json.Unmarshal(data, &cs); err != nil {
			var invalid *convo.ValidationError
			require.True(t, errors.As(err, &invalid) || !json.Valid(data), "%v", err)
			return
		}
		requireUntrusted(t, data)
		inRange := true
		for _, c := range cs {
			world.WalkTimes(reflect.ValueOf(c), func(at time.Time) {
				inRange = inRange && at.UTC().Year() >= 1 && at.UTC().Year() <= 9999
			})
		}
		if again, err := json.Marshal(cs); inRange {
			require.NoError(t, err)
			var back convo.Commands
			require.NoError(t, json.Unmarshal(again, &back), "%s", again)
			sameCommands(t, cs, back)
		}
		for _, thread := range threads {
			d, err := decideSafely(t, thread, fuzzNow, &convo.Policy{}, cs...)
			if err == nil {
				require.True(t, inRange)
				_, err = json.Marshal(d.Change.Events)
				require.NoError(t, err)
			}
		}
	})
}

// requireUntrusted decodes what a client sent: nothing in it says who did it, or when.
func requireUntrusted(t *testing.T, data []byte) {
	cs, err := convo.UntrustedCommands(data, convo.ByUser("ana"), convo.CommandNote,
		convo.CommandSend, convo.CommandClose, convo.CommandReceive)
	if err != nil {
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid)
		return
	}
	for _, c := range cs {
		switch c := c.(type) {
		case convo.Note:
			require.Equal(t, convo.Note{
				By: convo.ByUser("ana"), Body: c.Body, Attachments: c.Attachments,
			}, c)
		case convo.Close:
			require.Equal(t, convo.Close{
				By: convo.ByUser("ana"), Category: c.Category, Summary: c.Summary,
			}, c)
		case convo.Send:
			require.Equal(t, convo.ByUser("ana"), c.By)
			require.Empty(t, c.ExternalID)
			require.Zero(t, c.At)
			require.Zero(t, c.SentAt)
		case convo.Receive:
			require.Equal(t, convo.ByUser("ana"), c.By)
			require.Empty(t, c.ExternalID)
		default:
			t.Fatalf("%T was not allowed", c)
		}
	}
}

func FuzzPolicyJSON(f *testing.F) {
	for _, p := range []convo.Policy{
		convo.InboxPolicy(), convo.WorkflowPolicy(), convo.LiveChatPolicy(),
		filled(convo.Policy{}).(convo.Policy),
	} {
		data, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, s := range []string{
		`{}`, `null`, `[]`, `7`, `{"open":{"mode":"reject"}}`,
		`{"receive":{"mode":"reopen","window":"-1h"}}`,
		`{"category":"required","summary":"required","categories":["Sales","Support"],"max_summary":3}`,
		`{"category":"disabled","summary":"disabled","unassign_on_close":true}`,
		`{"auto_close":{"after":"24h","since":"any_event","category":"Silent"},"merge":"transfer"}`,
		`{"auto_close":{"after":"2562047h47m16.854775807s","since":"any_event"}}`,
		`{"auto_close":{"after":"1ns"},"categories":[]}`, `{"max_body":-1}`,
		`{"max_body":1,"max_attachments":1}`,
		`{"notices":{"conversation_closed":"both","conversation_reopened":"users","conversation_restarted":"contact"}}`,
		`{"categories":[""]}`, `{"receve":{"mode":"reject"}}`,
	} {
		f.Add([]byte(s))
	}
	none := fuzzThreads(f)["none"]
	f.Fuzz(func(t *testing.T, data []byte) {
		var p convo.Policy
		if json.Unmarshal(data, &p) != nil {
			return
		}
		if err := p.Validate(); err != nil {
			var invalid *convo.ValidationError
			require.ErrorAs(t, err, &invalid)
			_, err = convo.New(memstore.New(), convo.WithPolicy(p))
			require.ErrorAs(t, err, &invalid)
			return
		}
		again, err := json.Marshal(p)
		require.NoError(t, err)
		var back convo.Policy
		require.NoError(t, json.Unmarshal(again, &back), "%s", again)
		if len(p.Categories) == 0 {
			p.Categories, back.Categories = nil, nil
		}
		require.Equal(t, p, back)
		checkUnderPolicy(t, none, &p)
	})
}

// checkUnderPolicy decides a fixed life under p, and holds p's rules for closings against a second
// reading of them.
func checkUnderPolicy(t *testing.T, thread convo.Snapshot, p *convo.Policy) {
	ana, bot := convo.ByUser("ana"), convo.ByAutomation("bot")
	at := fuzzNow
	for _, cmd := range []convo.Command{
		convo.Receive{Body: "1"}, convo.Assign{By: bot, Assignee: "ana",
			Team: "sales"}, convo.Send{By: bot, Body: "2"},
		convo.Send{By: ana, Body: "3"}, convo.SetPending{By: ana,
			Until: at.Add(time.Hour)}, convo.Receive{Body: "4"},
		convo.Note{By: ana, Attachments: json.RawMessage(`1`)}, convo.Resume{By: ana},
		convo.Block{By: ana}, convo.Unblock{By: ana},
	} {
		at = at.Add(time.Minute)
		d, err := decideSafely(t, thread, at, p, cmd)
		require.NoError(t, err, "%+v", cmd)
		thread = d.Change.After(thread)
	}
	maxSummary := p.MaxSummary
	if maxSummary == 0 {
		maxSummary = convo.DefaultMaxSummary
	}
	categories := []string{"", "Sales", "No such category"}
	if len(p.Categories) > 0 {
		categories = append(categories, p.Categories[0])
	}
	keeps := func(r convo.Rule, text string) bool {
		return (r != convo.RuleRequired || text != "") && (r != convo.RuleDisabled || text == "")
	}
	for _, category := range categories {
		for _, summary := range []string{"", "Done."} {
			fits := len(summary) <= maxSummary
			rules := keeps(p.Category, category) && keeps(p.Summary, summary) &&
				(category == "" || len(p.Categories) == 0 ||
					slices.Contains(p.Categories, category))
			for source, exempt := range map[convo.Source]bool{
				"": false, convo.SourceDialogflow: false, convo.SourceInactivity: true,
				convo.SourceContactMerge: true,
			} {
				by := bot
				if exempt { // for the system only
					_, err := decideSafely(t, thread, at, p,
						convo.Close{By: bot, Category: category, Summary: summary, Source: source})
					require.Equal(t, fits && rules, err == nil, "%v", err)
					by = convo.BySystem()
				}
				d, err := decideSafely(t, thread, at, p,
					convo.Close{By: by, Category: category, Summary: summary, Source: source})
				require.Equal(t, fits && (rules || exempt), err == nil,
					"category %q, summary %q, source %q: %v", category, summary, source, err)
				if err != nil {
					continue
				}
				closed := d.Change.After(thread)
				require.Equal(t, convo.StatusClosed, closed.Conversation.Status)
				require.Equal(t, category, closed.Conversation.Cycle.Closing.Category)
				require.Equal(t, summary, closed.Conversation.Cycle.Closing.Summary)
				require.Equal(t, p.UnassignOnClose, closed.Conversation.Assignee == "")
				require.Equal(t, "ana", closed.Conversation.Cycle.LastAssignee)
				_, err = decideSafely(t, closed, at, p,
					convo.AmendClosing{By: ana, Category: category, Summary: summary})
				require.Equal(t, rules && fits, err == nil, "amending keeps the same rules: %v",
					err)

				_, err = decideSafely(t, closed, at, p, convo.Receive{Body: "5"})
				require.Equal(t, p.Receive.Mode == convo.OnClosedReject,
					errors.Is(err, convo.ErrClosed))
				_, err = decideSafely(t, closed, at, p, convo.Open{By: bot})
				require.NoError(t, err)
			}
		}
	}
}

// identifierRoles are the places where a host names something: how to use a name there, and how to
// find it again.
var identifierRoles = []struct {
	field string
	ref   func(id string) convo.Ref
	cmds  func(id string) []convo.Command
	found func(r convo.Result) string
	empty bool // an empty one is allowed
}{
	{"workspace", func(id string) convo.Ref { return convo.ToContact(id, "susan") }, nil,
		func(r convo.Result) string { return r.Conversation.Workspace }, false},
	{"contact", func(id string) convo.Ref { return convo.ToContact("acme", id) }, nil,
		func(r convo.Result) string { return r.Contact.ID }, false},
	{"address.channel", func(id string) convo.Ref { return convo.ToAddress("acme", id, "+49") },
		nil,
		func(r convo.Result) string { return r.Conversation.Channel }, false},
	{"address.value", func(id string) convo.Ref { return convo.ToAddress("acme", "whatsapp", id) },
		nil,
		func(r convo.Result) string { return r.Events[0].Row().Address }, false},
	{"channel", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Receive{Body: "Hello", Channel: id}}
	},
		func(r convo.Result) string { return r.Conversation.Channel }, true},
	{"external_id", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Receive{Body: "Hello", Channel: "whatsapp", ExternalID: id}}
	}, func(r convo.Result) string { return r.Events[1].Row().ExternalID }, true},
	{"key", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Receive{Body: "Hello", Key: id}}
	}, nil, true},
	{"by.id", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Open{By: convo.ByAutomation("")},
			convo.Note{By: convo.ByAutomation(id), Body: "Hello"}}
	}, func(r convo.Result) string { return r.Events[1].By.ID }, true},
	{"source", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Open{By: convo.BySystem(), Source: convo.Source(id)}}
	}, func(r convo.Result) string {
		return strings.TrimPrefix(string(r.Conversation.Cycle.OpenedSource), "system")
	}, true},
	{"category", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Receive{Body: "Hello"},
			convo.Close{By: convo.BySystem(), Category: id}}
	}, func(r convo.Result) string { return r.Conversation.Cycle.Closing.Category }, true},
	{"assignee", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Receive{Body: "Hello"},
			convo.Assign{By: convo.BySystem(), Assignee: id}}
	}, func(r convo.Result) string { return r.Conversation.Assignee }, true},
	{"team", nil, func(id string) []convo.Command {
		return []convo.Command{convo.Receive{Body: "Hello"},
			convo.Assign{By: convo.BySystem(), Team: id}}
	}, func(r convo.Result) string { return r.Conversation.Team }, true},
}

// isIdentifier is the rule: 1 to 255 bytes, or 998 of a key, of UTF-8 without control characters.
func isIdentifier(field, s string) bool {
	limit := cmp.Or(longTokens[field], convo.MaxID)
	return s != "" && len(s) <= limit && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, unicode.IsControl)
}

func FuzzIdentifiers(f *testing.F) {
	for role := range identifierRoles {
		f.Add(uint8(role), "Alice")
	}
	for i, s := range []string{
		"", " ", "alice ", "a\x00b", "a\nb", "\x7f", "a\u0085b", "\u009f", "\u00a0", "\xff",
		"ü\xc3", "\u2028", "\ufeff", "\ufffd",
		"𝔰𝔲𝔰𝔞𝔫", strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 999),
		strings.Repeat("ü",
			127), strings.Repeat("ü", 128),
		"<script>", `"quoted"`, `\`, "'; --", "%s", "../..", "\xed\xa0\x80", "e\u0301", "é",
	} {
		f.Add(uint8(i), s)
		f.Add(uint8(i+5), s)
	}
	f.Fuzz(func(t *testing.T, n uint8, id string) {
		role := identifierRoles[int(n)%len(identifierRoles)]
		store := memstore.New()
		engine, err := convo.New(store, convo.WithClock(&reading{now: fuzzNow}))
		require.NoError(t, err)
		to, cmds := convo.ToContact("acme", "susan"), []convo.Command{convo.Receive{Body: "Hello"}}
		if role.ref != nil {
			to = role.ref(id)
		}
		if role.cmds != nil {
			cmds = role.cmds(id)
		}

		result, err := engine.Do(t.Context(), to, cmds...)
		if !isIdentifier(role.field, id) && (id != "" || !role.empty) {
			var invalid *convo.ValidationError
			require.ErrorAs(t, err, &invalid)
			if id != "" || role.field != "contact" { // a Ref without anything names "ref"
				require.Equal(t, role.field, invalid.Field)
			}
			for _, workspace := range []string{"acme", id} {
				thread, err := store.Load(t.Context(), convo.ToContact(workspace, "susan"))
				require.NoError(t, err)
				require.Zero(t, thread.Contact.Version, "nothing was written")
				all, err := store.Conversations(t.Context(),
					convo.Filter{Workspace: workspace, Limit: 10})
				require.NoError(t, err)
				require.Empty(t, all, "nothing was written")
			}
			return
		}
		require.NoError(t, err)
		if role.found != nil {
			require.Equal(t, id, role.found(result))
		}
		stored, err := engine.Conversation(t.Context(),
			convo.ToConversation(to.Workspace, result.Conversation.ID))
		require.NoError(t, err)
		require.Equal(t, result.Conversation, stored, "byte for byte")
		events, err := engine.Transcript(t.Context(), convo.ToConversation(to.Workspace, stored.ID),
			convo.EventCursor{}, 0)
		require.NoError(t, err)
		require.Equal(t, slices.DeleteFunc(slices.Clone(result.Events),
			func(e convo.Event) bool { return e.Conversation == uuid.Nil }), events)

		// The same name leads to the same thing, and a similar one does not.
		_, err = engine.Contact(t.Context(), to)
		require.NoError(t, err)
		if role.ref != nil {
			for _, other := range []string{id + " ", strings.ToUpper(id), strings.ToLower(id),
				id[:len(id)-1]} {
				if other != id && isIdentifier(role.field, other) {
					_, err = engine.Contact(t.Context(), role.ref(other))
					require.ErrorIs(t, err, convo.ErrNotFound, "%q", other)
				}
			}
		}
		if again, err := engine.Do(t.Context(), to, cmds...); world.IsKeyed(cmds) {
			require.NoError(t, err)
			require.Equal(t, convo.OutcomeDuplicate, again.Outcome)
			require.Equal(t, result.Events, again.Events)
		}
	})
}

// FuzzDecide reads bytes as a life of a contact: a policy, and then command upon command, each
// decided on what the one before left.
func FuzzDecide(f *testing.F) {
	f.Add([]byte{})
	// message, reply, close, message
	f.Add([]byte{0, 0, 1, 2, 0, 1, 6, 0, 1, 1})
	// open, close, reopen, close, open
	f.Add([]byte{1, 0xff, 0, 0, 0, 6, 0, 1, 7, 2, 1, 6, 0, 3, 7, 1, 2, 0, 2})
	// pending, back and forth
	f.Add([]byte{2, 0x55, 1, 0, 0, 4, 3, 3, 1, 0, 9, 5, 1, 5, 6, 7, 0, 9, 6})
	f.Add([]byte{3, 0xaa, 1, 0, 0, 10, 0, 0, 2, 0, 1, 11, 0, 0, 8, 1, 1, 9, 0}) // blocked
	f.Add([]byte{0x7f, 0x7f, 12, 3, 4, 3, 3, 3, 3, 5, 5, 5, 1, 1, 1, 2, 2, 2, 6, 6, 6, 7, 7, 7})
	none := fuzzThreads(f)["none"]
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 2+3*40)] // a longer life shows nothing new
		next := func() int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b)
		}
		a, b := next(), next()
		bit := func(n, i int) bool { return n>>i&1 == 1 }
		p := &convo.Policy{
			StayPending: bit(a, 0), UnassignOnClose: bit(a, 1), RestartFlow: bit(a,
				2), CountAutomation: bit(a, 3),
			Category: []convo.Rule{convo.RuleOptional, convo.RuleOptional, convo.RuleRequired,
				convo.RuleDisabled}[a>>4&3],
			Open: convo.OnClosed{Mode: []convo.OnClosedMode{convo.OnClosedOpenNew,
				convo.OnClosedReopen}[a>>6&1]},
			Receive: convo.OnClosed{Mode: []convo.OnClosedMode{convo.OnClosedOpenNew,
				convo.OnClosedReopen, convo.OnClosedReject}[b&15%3]},
			AutoClose: convo.AutoClose{After: []convo.Duration{0,
				convo.Duration(time.Minute)}[b>>4&1]},
		}
		if bit(b, 5) {
			p.AutoClose.Since = convo.SinceAnyEvent
		}
		if bit(b, 6) {
			p.Notices = convo.Notices{Closed: convo.AudienceBoth, Reopened: convo.AudienceContact,
				Restarted: convo.AudienceUsers}
		}
		if bit(b, 7) {
			p.Categories = []string{"Sales"}
		}
		require.NoError(t, p.Validate())

		thread, now := none, fuzzNow
		if bit(a, 7) {
			thread.Ref.Address = convo.Address{Channel: "email", Value: "s@example.com"}
		}
		seen := map[uuid.UUID]bool{}
		for len(data) > 0 {
			kind, how, detail := next(), next(), next()
			by := []convo.Actor{convo.ByUser("ana"), convo.ByContact(), convo.ByAutomation("bot"),
				convo.BySystem()}[how&3]
			now = now.Add([]time.Duration{0, time.Second, time.Hour, -time.Minute}[how>>2&3])
			var given time.Time
			if how>>4&3 == 3 {
				given = now.Add(time.Duration(detail-100) * time.Second)
			}
			text := []string{"", "Sales", "Other", "Done."}[detail&3]
			cmd := allCommands[kind%len(allCommands)]
			for _, field := range []string{"Source", "ExternalID", "Category", "Summary",
				"Assignee", "Team"} {
				cmd = withField(cmd, field, text)
			}
			if _, note := cmd.(convo.Note); !note {
				text = "Hello" // other messages are mostly to have a body
			}
			cmd = withField(at(cmd, given), "Body", text)
			if _, received := cmd.(convo.Receive); received {
				cmd = withField(cmd, "Channel", "email")
			} else {
				cmd = withField(cmd, "By", by)
			}
			if detail > 9 {
				cmd = withField(cmd, "Until", now.Add(time.Duration(detail-20)*time.Second))
			}
			d, err := decideSafely(t, thread, now, p, cmd)
			if err != nil {
				continue
			}
			for _, e := range d.Change.Events {
				require.False(t, seen[e.ID], "an id twice")
				seen[e.ID] = true
			}
			if len(d.Change.Events) == 0 {
				require.Equal(t, convo.OutcomeUnchanged, d.Outcome)
			}
			thread = d.Change.After(thread)
		}
	})
}
