package convo_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// requireInvalid requires a *ValidationError that names the field and says a rule.
func requireInvalid(t testing.TB, field string, err error) {
	t.Helper()
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid, "of %s", field)
	require.Equal(t, field, invalid.Field, "%v", err)
	require.NotEmpty(t, invalid.Rule)
	require.Equal(t, "convo: "+field+": "+invalid.Rule, err.Error())
}

// longTokens are the fields that take more than 255 bytes.
var longTokens = map[string]int{
	"key": convo.MaxKey, "external_id": convo.MaxKey, "subject": convo.MaxSubject,
}

// notText is what no field takes.
var notText = map[string]string{
	"a byte that begins nothing": "a\xffb",
	"half a rune":                "a\xe2\x82",
	"a surrogate":                "\xed\xa0\x80",
	"an overlong slash":          "\xc0\xaf",
	"NUL":                        "a\x00b",
}

// badTokens is what no id, channel, token, key or address takes.
var badTokens = with(notText, map[string]string{
	"256 bytes":               strings.Repeat("x", 256),
	"256 bytes of 128 runes":  strings.Repeat("é", 128),
	"a tab":                   "a\tb",
	"a line feed":             "a\n",
	"the last of C0":          "\x1f",
	"DEL":                     "a\x7f",
	"the first of C1":         "a\u0080",
	"NEL, which is one of C1": "\u0085a",
	"the last of C1":          "\u009f",
})

var goodTokens = map[string]string{
	"one byte":                      "a",
	"255 bytes":                     strings.Repeat("x", 255),
	"255 bytes of 128 runes":        strings.Repeat("é", 127) + "x",
	"a space":                       " ",
	"a space at the end":            "alice ",
	"an emoji":                      "👩‍👩‍👧",
	"the first behind C1":           "\u00a0",
	"a line separator, no control":  "\u2028",
	"the replacement rune, spelled": "a\ufffdb",
	"right to left":                 "شركة",
}

// texts take any text up to a limit, with its line feeds; the limits are those of the zero policy.
var texts = map[string]int{"body": 64 << 10, "summary": 8 << 10, "reason": 8 << 10}

// limitOf is the limit of a text: that of its name, or, if it takes a line feed, one of the others.
func limitOf(field string, typ reflect.Type, try func(any) error) int {
	if limit := texts[field]; limit > 0 || typ.Kind() != reflect.String || try("\n") != nil {
		return limit
	}
	if try(strings.Repeat("x", texts["summary"]+1)) == nil {
		return texts["body"]
	}
	return texts["summary"]
}

func with(ms ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range ms {
		maps.Copy(all, m)
	}
	return all
}

// TestEveryFieldOfEveryCommandIsValidated goes through the fields by reflection, so that no field
// can be forgotten.
func TestEveryFieldOfEveryCommandIsValidated(t *testing.T) {
	for name, cmd := range sample {
		typ := reflect.TypeOf(cmd)
		thread := withTarget(threadIn(t, statesThatTake(name)[0]), name)
		for i := range typ.NumField() {
			f := typ.Field(i)
			field := strings.Split(f.Tag.Get("json"), ",")[0]
			try := func(value any) error {
				v := reflect.New(typ).Elem()
				v.Set(reflect.ValueOf(cmd))
				if c := v.FieldByName("Channel"); c.IsValid() && c.Kind() == reflect.String {
					c.SetString("webchat") // which an external id needs
				}
				v.Field(i).Set(reflect.ValueOf(value).Convert(f.Type))
				_, err := convo.Decide(thread, morning, nil, v.Interface().(convo.Command))
				return err
			}
			t.Run(string(name)+"/"+field, func(t *testing.T) {
				switch limit := limitOf(field, f.Type, try); {
				case limit > 0:
					for _, bad := range with(notText,
						map[string]string{"": strings.Repeat("x", limit+1)}) {
						requireInvalid(t, field, try(bad))
					}
					for _, good := range with(goodTokens,
						map[string]string{"": strings.Repeat("\n", limit)}) {
						assert.NoError(t, try(good))
					}
				case f.Type == reflect.TypeFor[convo.OnReceive]():
					for _, bad := range badTokens {
						requireInvalid(t, field, try(bad))
					}
					assert.NoError(t, try(convo.OnReceiveResume))
					assert.NoError(t, try(convo.OnReceiveStay))
				case f.Type.Kind() == reflect.String:
					for what, bad := range badTokens {
						if n := longTokens[field]; n > 0 && strings.HasPrefix(what, "256 bytes") {
							bad = strings.Repeat(bad, n/256+1)
							assert.NoError(t, try(bad[:n]), what)
						}
						err := try(bad)
						require.Error(t, err, what)
						requireInvalid(t, field, err)
					}
					for what, good := range goodTokens {
						assert.NoError(t, try(good), what)
					}
					switch cmd.(type) {
					case convo.Edit, convo.Retract, convo.Identify:
						if field == "channel" || field == "external_id" {
							assert.Error(t, try(""), "it names the message")
							return
						}
					}
					assert.NoError(t, try(""), "a command may leave it out")
				case f.Type == reflect.TypeFor[convo.Actor]():
					for what, bad := range badTokens {
						err := try(convo.Actor{Type: convo.ActorContact, ID: bad})
						if name == convo.CommandSend {
							requireInvalid(t, "by.id", try(convo.ByUser(bad)))
							continue
						}
						require.Error(t, err, what)
						requireInvalid(t, "by.id", err)
					}
					requireInvalid(t, "by.type", try(convo.Actor{Type: "robot", ID: "r2"}))
					switch {
					case name == convo.CommandRate:
						requireInvalid(t, "by.type", try(convo.ByUser("ana")))
						assert.NoError(t, try(convo.Actor{}), "it is the contact")
					case name != convo.CommandReceive:
						requireInvalid(t, "by", try(convo.Actor{}))
						requireInvalid(t, "by", try(convo.Actor{ID: "ana"}))
						requireInvalid(t, "by.id", try(convo.ByUser("")))
						assert.NoError(t, try(convo.ByUser(strings.Repeat("x", 255))))
						assert.NoError(t, try(convo.ByAutomation("")))
					}
				case f.Type == reflect.TypeFor[time.Time]():
					requireInvalid(t, field, try(time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC)))
					requireInvalid(t, field, try(time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)))
					// so far out that counting it in microseconds wraps around into our days
					requireInvalid(t, field,
						try(time.Unix(morning.Add(time.Hour).Unix()+(1<<64)/1_000_000, 0)))
					requireInvalid(t, field, try(time.Unix(1<<60, 0)))
				case field == "attributes":
					for _, bad := range []string{`{`, `{"a":1,}`, `[]`, `"x"`, `1`, `{} {}`,
						"{\"a\":\"\xff\"}", " ", `{"a":1,"a":2}`, `{"a":[{"b":1,"b":1}]}`,
						`{"a":"` + strings.Repeat("x", convo.MaxAttributes-6) + `"}`} {
						requireInvalid(t, field, try(json.RawMessage(bad)))
					}
					for _, good := range []string{`null`, `{}`, ` {"a": "é\u0000", "b":null} `, ``,
						`{"a":"` + strings.Repeat("x", convo.MaxAttributes-8) + `"}`} {
						assert.NoError(t, try(json.RawMessage(good)))
					}
				case f.Type == reflect.TypeFor[*string]():
					assert.NoError(t, try((*string)(nil)), "a command may leave it out")
					assert.NoError(t, try(new("")))
					for what, bad := range badTokens {
						if n := longTokens[field]; n > 0 && strings.HasPrefix(what, "256 bytes") {
							bad = strings.Repeat(bad, n/256+1)
						}
						requireInvalid(t, field, try(&bad))
					}
					for what, good := range goodTokens {
						assert.NoError(t, try(&good), what)
					}
				case f.Type == reflect.TypeFor[[]string]():
					for _, bad := range badTokens {
						requireInvalid(t, field, try([]string{"good", bad}))
					}
					requireInvalid(t, field, try([]string{""}))
					requireInvalid(t, field, try(make([]string, convo.MaxLabels+1)))
					assert.NoError(t, try(slices.Collect(maps.Values(goodTokens))))
				case f.Type == reflect.TypeFor[convo.Priority]():
					requireInvalid(t, field, try(convo.PriorityUrgent+1))
					assert.NoError(t, try(convo.PriorityUrgent))
				case f.Type == reflect.TypeFor[json.RawMessage]():
					for _, bad := range []string{`{`, `{"a":1,}`, `x`, `[] []`, "\"a\xff\"",
						"\"\x00\"", " "} {
						requireInvalid(t, field, try(json.RawMessage(bad)))
					}
					for _, good := range []string{`null`, `[]`, ` {"a": "é"} `, ``, `"` +
						strings.Repeat("x", 64<<10-2) + `"`} {
						assert.NoError(t, try(json.RawMessage(good)))
					}
					requireInvalid(t, field, try(json.RawMessage(`"`+strings.Repeat("x",
						64<<10-1)+`"`)))
				case f.Type == reflect.TypeFor[uuid.UUID]():
					if name == convo.CommandIdentify {
						requireInvalid(t, field, try(uuid.Nil))
						return
					}
					requireInvalid(t, field, try(uuid.New())) // beside the external id
				case f.Type.Kind() == reflect.Bool:
					assert.NoError(t, try(true))
				case field == "cycle":
					requireInvalid(t, field, try(-1))
					requireInvalid(t, field, try(2)) // there is one
					assert.NoError(t, try(1))
				case field == "score":
					requireInvalid(t, field, try(0))
					requireInvalid(t, field, try(6))
					assert.NoError(t, try(1))
					assert.NoError(t, try(5))
				default:
					t.Fatalf("no rule is tested for a field of type %s", f.Type)
				}
			})
		}
	}
}

func TestTheLimitsOfTextsAreOptions(t *testing.T) {
	p := convo.Policy{MaxBody: 3, MaxSummary: 4, MaxAttachments: 5}
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		field string
		limit int
		cmd   func(string) convo.Command
		state convo.State
	}{
		{"body", 3, func(s string) convo.Command { return convo.Receive{Body: s} },
			convo.StateOpen},
		{"body", 3, func(s string) convo.Command { return convo.Send{By: agentAna, Body: s} },
			convo.StateOpen},
		{"body", 3, func(s string) convo.Command { return convo.Note{By: agentAna, Body: s} },
			convo.StateOpen},
		{"summary", 4, func(s string) convo.Command {
			return convo.Close{By: agentAna,
				Summary: s}
		}, convo.StateOpen},
		{"summary", 4, func(s string) convo.Command {
			return convo.AmendClosing{By: agentAna,
				Summary: s}
		}, convo.StateClosed},
		{"reason", 4, func(s string) convo.Command { return convo.Block{By: agentAna, Reason: s} },
			convo.StateOpen},
		{"attachments", 5, func(s string) convo.Command {
			return convo.Receive{Attachments: json.RawMessage(`"` + s[2:] + `"`)}
		}, convo.StateOpen},
	} {
		thread := threadIn(t, c.state)
		_, err := convo.Decide(thread, morning, &p, c.cmd(long(c.limit)))
		assert.NoError(t, err)
		_, err = convo.Decide(thread, morning, &p, c.cmd(long(c.limit+1)))
		requireInvalid(t, c.field, err)
	}
	// An option may also allow more than the default.
	_, err := convo.Decide(threadIn(t, convo.StateOpen), morning, &convo.Policy{MaxBody: 1 << 20},
		convo.Receive{Body: long(1 << 20)})
	assert.NoError(t, err)
}

func TestAMessageNeedsABodyOrAttachments(t *testing.T) {
	for _, cmd := range []convo.Command{
		convo.Receive{}, convo.Send{By: agentAna}, convo.Note{By: agentAna},
		convo.Receive{Attachments: json.RawMessage{}},
	} {
		_, err := convo.Decide(threadIn(t, convo.StateOpen), morning, nil, cmd)
		requireInvalid(t, "body", err)
	}
}

func TestAMessageIsReceivedFromTheContactAndSentByTheOthers(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	for _, by := range []convo.Actor{agentAna, flowBot, convo.BySystem()} {
		_, err := convo.Decide(thread, morning, nil, convo.Receive{By: by, Body: "hi"})
		requireInvalid(t, "by.type", err)
	}
	for _, by := range []convo.Actor{visitor, convo.BySystem()} {
		_, err := convo.Decide(thread, morning, nil, convo.Send{By: by, Body: "hi"})
		requireInvalid(t, "by.type", err)
	}
}

func TestAnExternalIDNeedsAChannel(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	_, err := convo.Decide(thread, morning, nil, convo.Receive{ExternalID: "1", Body: "hi"})
	requireInvalid(t, "external_id", err)
	_, err = convo.Decide(thread, morning, nil, convo.Send{By: agentAna, ExternalID: "1",
		Body: "hi"})
	requireInvalid(t, "external_id", err)

	thread.Ref = convo.ToAddress(tenant, "whatsapp", "+49")
	thread.AddressOwner = "carl"
	mustDecide(t, thread, convo.Receive{ExternalID: "1", Body: "hi"}) // the address names it
}

func TestInputIsValidatedBeforeTheStateIsLookedAt(t *testing.T) {
	thread := threadIn(t, convo.StateNone)
	_, err := convo.Decide(thread, morning, nil, convo.Close{})
	requireInvalid(t, "by", err)
}

func TestIdentifiersAreComparedByteForByte(t *testing.T) {
	thread := threadIn(t, convo.StateOpen)
	for _, user := range []string{"Ana", "ana ", "án", "ana\u0301"} {
		assert.Equal(t, convo.OutcomeAssigned, mustDecide(t, thread,
			convo.Assign{By: agentAna, Assignee: user, Team: "sales"}).Outcome, user)
	}
}

func TestARefIsValidated(t *testing.T) {
	id := uuid.New()
	for _, c := range []struct {
		ref   convo.Ref
		field string
	}{
		{convo.Ref{}, "workspace"},
		{convo.ToContact("", "carl"), "workspace"},
		{convo.Ref{Workspace: tenant}, "ref"},
		{convo.ToContact(tenant, ""), "ref"},
		{convo.ToConversation(tenant, uuid.Nil), "ref"},
		{convo.ToAddress(tenant, "", ""), "ref"},
		{convo.ToAddress(tenant, "", "+49"), "address.channel"},
		{convo.ToAddress(tenant, "whatsapp", ""), "address.value"},
		{convo.Ref{Workspace: tenant, Conversation: id, Contact: "carl"}, "ref"},
		{convo.Ref{Workspace: tenant, Conversation: id,
			Address: convo.Address{Channel: "a", Value: "b"}}, "ref"},
		{convo.ToContact(tenant, "carl"), ""},
		{convo.ToAddress(tenant, "whatsapp", "+49"), ""},
		{convo.Ref{Workspace: tenant, Contact: "carl",
			Address: convo.Address{Channel: "a", Value: "b"}}, ""},
		{convo.ToConversation(tenant, id), ""},
	} {
		err := c.ref.Validate()
		if c.field == "" {
			assert.NoError(t, err)
		} else {
			requireInvalid(t, c.field, err)
		}
	}
	for what, bad := range badTokens {
		for field, ref := range map[string]convo.Ref{
			"workspace": convo.ToContact(bad, "carl"), "contact": convo.ToContact(tenant, bad),
			"address.channel": convo.ToAddress(tenant, bad,
				"+49"), "address.value": convo.ToAddress(tenant, "whatsapp", bad),
		} {
			err := ref.Validate()
			require.Error(t, err, "%s: %s", field, what)
			requireInvalid(t, field, err)
		}
	}
	for _, good := range goodTokens {
		assert.NoError(t, convo.Ref{Workspace: good, Contact: good,
			Address: convo.Address{Channel: good, Value: good}}.Validate())
	}
}

func TestAMergeIsValidated(t *testing.T) {
	fine := convo.Merge{Workspace: tenant, Primary: "a", Secondary: "b", By: agentAna}
	require.NoError(t, fine.Validate())
	change := func(f func(*convo.Merge)) error {
		m := fine
		f(&m)
		return m.Validate()
	}
	for _, bad := range with(badTokens, map[string]string{"empty": ""}) {
		requireInvalid(t, "workspace", change(func(m *convo.Merge) { m.Workspace = bad }))
		requireInvalid(t, "primary", change(func(m *convo.Merge) { m.Primary = bad }))
		requireInvalid(t, "secondary", change(func(m *convo.Merge) { m.Secondary = bad }))
	}
	requireInvalid(t, "secondary", change(func(m *convo.Merge) { m.Secondary = "a" }))
	requireInvalid(t, "by", change(func(m *convo.Merge) { m.By = convo.Actor{} }))
	requireInvalid(t, "by.id", change(func(m *convo.Merge) { m.By = convo.ByUser("") }))
	requireInvalid(t, "by.id", change(func(m *convo.Merge) { m.By = convo.ByAutomation("\n") }))
	requireInvalid(t, "by.type", change(func(m *convo.Merge) { m.By = convo.Actor{Type: "robot"} }))
	requireInvalid(t, "at", change(func(m *convo.Merge) {
		m.At = time.Date(2190, 1, 1, 0, 0, 0, 0,
			time.UTC)
	}))
	assert.NoError(t, change(func(m *convo.Merge) { m.Secondary = "A" }),
		"ids are compared byte for byte")
}

func TestAFilterIsValidated(t *testing.T) {
	change := func(f func(*convo.Filter)) error {
		v := convo.Filter{Workspace: tenant}
		f(&v)
		return v.Validate()
	}
	require.NoError(t, change(func(*convo.Filter) {}))
	requireInvalid(t, "workspace", change(func(f *convo.Filter) { f.Workspace = "" }))
	for _, bad := range badTokens {
		requireInvalid(t, "workspace", change(func(f *convo.Filter) { f.Workspace = bad }))
		requireInvalid(t, "contact", change(func(f *convo.Filter) { f.Contact = bad }))
		requireInvalid(t, "assignee", change(func(f *convo.Filter) { f.Assignee = bad }))
		requireInvalid(t, "team", change(func(f *convo.Filter) { f.Team = bad }))
		requireInvalid(t, "channel", change(func(f *convo.Filter) { f.Channel = bad }))
		requireInvalid(t, "category", change(func(f *convo.Filter) { f.Category = bad }))
	}
	for _, bad := range []convo.Status{"", "none", "Open"} {
		requireInvalid(t, "status",
			change(func(f *convo.Filter) { f.Status = []convo.Status{convo.StatusOpen, bad} }))
	}
	assert.NoError(t, change(func(f *convo.Filter) {
		f.Status = []convo.Status{convo.StatusOpen, convo.StatusPending, convo.StatusClosed}
	}))
	requireInvalid(t, "unassigned", change(func(f *convo.Filter) {
		f.Unassigned, f.Assignee = true,
			"ana"
	}))
	for field, set := range map[string]func(f *convo.Filter){
		"assigned": func(f *convo.Filter) { f.Assigned, f.Unassigned = true, true },
		"no_team":  func(f *convo.Filter) { f.NoTeam, f.Team = true, "sales" },
		"labels":   func(f *convo.Filter) { f.Labels = make([]string, convo.MaxFilterLabels+1) },
		"priority": func(f *convo.Filter) { f.Priority = []convo.Priority{5} },
		"order":    func(f *convo.Filter) { f.Order = "newest" },
	} {
		requireInvalid(t, field, change(set))
	}
	requireInvalid(t, "assigned", change(func(f *convo.Filter) {
		f.Assigned, f.Assignee = true, "ana"
	}))
	requireInvalid(t, "labels", change(func(f *convo.Filter) { f.Labels = []string{"a\nb"} }))
	requireInvalid(t, "priority", change(func(f *convo.Filter) { f.After.Priority = 5 }))
	requireInvalid(t, "priority", change(func(f *convo.Filter) {
		f.Priority = make([]convo.Priority, 6)
	}))
	for _, order := range []convo.Order{
		convo.OrderActivity, convo.OrderWaiting, convo.OrderPriority, convo.OrderDeadline,
	} {
		for _, closed := range []func(f *convo.Filter){
			func(f *convo.Filter) { f.Status = []convo.Status{convo.StatusClosed} },
			func(f *convo.Filter) { f.Category = "Sales" },
			func(f *convo.Filter) { f.ClosedFrom = time.Unix(1, 0) },
			func(f *convo.Filter) { f.ClosedTo = time.Unix(1, 0) },
		} {
			requireInvalid(t, "order", change(func(f *convo.Filter) {
				f.Order = order
				closed(f)
			}))
		}
		assert.NoError(t, change(func(f *convo.Filter) { f.Order = order }))
	}
	requireInvalid(t, "limit", change(func(f *convo.Filter) { f.Limit = -1 }))
	requireInvalid(t, "limit", change(func(f *convo.Filter) { f.Limit = convo.MaxPageSize + 1 }))
	assert.NoError(t, change(func(f *convo.Filter) { f.Limit = convo.MaxPageSize }))
}

func TestAnEventFilterIsValidated(t *testing.T) {
	id := uuid.New()
	for _, c := range []struct {
		filter convo.EventFilter
		field  string
	}{
		{convo.EventFilter{Contact: "carl"}, "workspace"},
		{convo.EventFilter{Workspace: "\x7f", Contact: "carl"}, "workspace"},
		{convo.EventFilter{Workspace: tenant}, "conversation"},
		{convo.EventFilter{Workspace: tenant, Contact: "carl", Conversation: id}, "conversation"},
		{convo.EventFilter{Workspace: tenant, Contact: strings.Repeat("x", 256)}, "contact"},
		{convo.EventFilter{Workspace: tenant, Contact: "carl", Limit: -1}, "limit"},
		{convo.EventFilter{Workspace: tenant, Contact: "carl", Limit: 1001}, "limit"},
		{convo.EventFilter{Workspace: tenant, Contact: "carl", Limit: 1000}, ""},
		{convo.EventFilter{Workspace: tenant, Conversation: id}, ""},
	} {
		err := c.filter.Validate()
		if c.field == "" {
			assert.NoError(t, err)
		} else {
			requireInvalid(t, c.field, err)
		}
	}
}

func TestStateErrorsSayWhatToDo(t *testing.T) {
	id, active := uuid.New(), uuid.New()
	err := &convo.StateError{Err: convo.ErrActiveExists, Command: "reopen", Contact: "carl",
		Conversation: id, Active: active}
	assert.Equal(t, "convo: reopen: contact carl: conversation "+id.String()+": "+convo.ErrActiveExists.Error()+
		" (active: "+active.String()+")", err.Error())
	assert.Equal(t, "convo: "+convo.ErrNotFound.Error(),
		(&convo.StateError{Err: convo.ErrNotFound, Unknown: true}).Error())
	require.ErrorIs(t, err, convo.ErrActiveExists)
	require.NotErrorIs(t, err, convo.ErrNotFound)
}
