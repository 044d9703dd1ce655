package convo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/world"
	"github.com/chatlifecycle/convo/memstore"
)

// allCommands are all commands, empty, as the library decodes their names.
var allCommands = func() (all []convo.Command) {
	for _, name := range world.CommandNames() {
		var cs convo.Commands
		if err := json.Unmarshal(fmt.Appendf(nil, `[{"command":%q}]`, name), &cs); err != nil {
			panic(err)
		}
		all = append(all, cs...)
	}
	return all
}()

// jsonTypes is everything that leaves the process as JSON.
var jsonTypes = []any{
	convo.Conversation{}, convo.Cycle{}, convo.Closing{}, convo.Contact{}, convo.EventRow{},
	convo.Merge{}, convo.Ref{}, convo.Address{}, convo.Actor{}, convo.Key{}, convo.KeyID{},
	convo.Filter{}, convo.Cursor{}, convo.EventFilter{}, convo.EventCursor{}, convo.Transition{},
	convo.Policy{}, convo.Timer{}, convo.Mark{}, convo.Rating{}, convo.Hours{}, convo.Deadline{},
}

var someTime = time.Date(2026, 3, 2, 9, 0, 0, 1000, time.UTC)

// filler sets every field that JSON carries to a value of its own.
type filler struct{ n int }

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Date(2026, 3, 2, 9, 0, 0, f.n*int(time.Microsecond), time.UTC)
		return
	case *json.RawMessage:
		*p = fmt.Appendf(nil, `{"n":%d}`, f.n)
		return
	case *convo.EventKind:
		*p = convo.ContactMerged
		return
	case *convo.Tokens:
		*p = convo.TokensOf(fmt.Sprint("label <&> ", f.n), "vip")
		return
	case *convo.Priority:
		*p = convo.PriorityUrgent
		return
	case *convo.Attributes:
		*p = convo.Attributes(fmt.Sprintf(`{"<&>":%d,"tier":{"name":"gold"}}`, f.n))
		return
	case *convo.Marks:
		*p = convo.MarksOf(convo.Mark{Deadline: fmt.Sprint("rule <&> ", f.n), Since: someTime},
			convo.Mark{Deadline: "other", Since: someTime, Left: convo.Duration(f.n)})
		return
	case *uuid.UUID:
		*p = uuid.UUID{0: 1, 6: 0x70, 8: 0x80, 15: byte(f.n)}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d <&> ü %s", f.n, "\u2028"))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				f.fill(v.Field(i))
			}
		}
	default:
		panic("no value for a " + v.Type().String() + " yet: add one here")
	}
}

// filled returns a value of the type of sample with all fields set.
func filled(sample any) any {
	v := reflect.New(reflect.TypeOf(sample)).Elem()
	new(filler).fill(v)
	return v.Interface()
}

// decodeAs decodes data into a new value of the type of sample, refusing fields that it does not
// have.
func decodeAs(t *testing.T, data []byte, sample any) any {
	t.Helper()
	v := reflect.New(reflect.TypeOf(sample))
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(v.Interface()), "%s", data)
	return v.Elem().Interface()
}

func TestJSONRoundTripsExactly(t *testing.T) {
	for _, sample := range jsonTypes {
		t.Run(reflect.TypeOf(sample).Name(), func(t *testing.T) {
			for _, v := range []any{filled(sample), sample} {
				data, err := json.Marshal(v)
				require.NoError(t, err)
				assert.Equal(t, v, decodeAs(t, data, sample), "%s", data)
			}
		})
	}
}

func TestJSONOfEveryCommandRoundTripsExactly(t *testing.T) {
	var all convo.Commands
	for _, sample := range allCommands {
		for _, v := range []any{filled(sample), sample} {
			cs := convo.Commands{v.(convo.Command)}
			data, err := json.Marshal(cs)
			require.NoError(t, err)
			var back convo.Commands
			require.NoError(t, json.Unmarshal(data, &back), "%s", data)
			assert.Equal(t, cs, back, "%s", data)
			all = append(all, cs...)
		}
	}
	data, err := json.Marshal(all)
	require.NoError(t, err)
	var back convo.Commands
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, all, back, "all commands in one list")
}

func TestEveryCommandOfTheTableHasAName(t *testing.T) {
	var inTable []convo.CommandName
	for _, tr := range convo.Transitions() {
		if !slices.Contains(inTable, tr.Command) {
			inTable = append(inTable, tr.Command)
		}
	}
	var encoded []convo.CommandName
	for _, c := range allCommands {
		data, err := json.Marshal(convo.Commands{c})
		require.NoError(t, err)
		var head []struct{ Command convo.CommandName }
		require.NoError(t, json.Unmarshal(data, &head))
		encoded = append(encoded, head[0].Command)
		assert.Equal(t, snakeCase(reflect.TypeOf(c).Name()), string(head[0].Command))
	}
	assert.Equal(t, inTable, encoded)
}

// snakeCase is a Go name as JSON has it.
func snakeCase(name string) string {
	words := regexp.MustCompile(`[A-Z][a-z]*`).FindAllString(name, -1)
	return strings.ToLower(strings.Join(words, "_"))
}

func TestJSONOfEveryKindOfEventRoundTripsExactly(t *testing.T) {
	var events []convo.Event
	engine, err := convo.New(memstore.New(),
		convo.WithPolicy(convo.Policy{
			Notices: convo.Notices{Closed: convo.AudienceBoth}, Merge: convo.MergeTransfer,
			RestartFlow: true,
		}),
		convo.WithObserver(func(_ context.Context,
			es []convo.Event) {
			events = append(events, es...)
		}),
	)
	require.NoError(t, err)
	do := func(to convo.Ref, cmds ...convo.Command) {
		t.Helper()
		_, err := engine.Do(t.Context(), to, cmds...)
		require.NoError(t, err)
	}
	ana, hour := convo.ByUser("ana"), time.Now().Add(time.Hour)
	do(convo.ToContact("acme", "susan"), convo.Open{By: ana}, convo.Close{By: ana})
	do(convo.ToAddress("acme", "email", "guest@example.com"),
		convo.Receive{ExternalID: "m1", Body: "Hello",
			Attachments: json.RawMessage(`[{"url":"https://example.com/?a=1&b=<2>"}]`)},
		convo.Send{By: ana, Body: "Hi"}, convo.Note{By: ana,
			Body: "A guest."}, convo.Assign{By: ana, Assignee: "ana", Team: "sales"},
		convo.SetPending{By: ana, Until: hour}, convo.Resume{By: ana}, convo.Close{By: ana,
			Category: "Sales", Summary: "Sold."},
		convo.AmendClosing{By: ana, Category: "Support"}, convo.Reopen{By: convo.ByContact()},
		convo.Block{By: ana, Reason: "spam"}, convo.Unblock{By: ana},
	)
	email := convo.ToAddress("acme", "email", "guest@example.com")
	do(email, convo.Edit{By: convo.ByContact(), Channel: "email", ExternalID: "m1", Body: "Bye",
		Attachments: json.RawMessage(`[1]`)})
	do(email, convo.Retract{By: ana, Channel: "email", ExternalID: "m1", Redact: true})
	sent := events[len(events)-1]
	for _, e := range events {
		if e.Kind == convo.MessageSent {
			sent = e
		}
	}
	do(email, convo.Identify{By: ana, Message: sent.ID, Channel: "email", ExternalID: "o1"})
	do(email, convo.Open{By: ana}, convo.Send{By: ana, ExternalID: "o2", Body: "An echo"})
	do(email, convo.Identify{By: ana, Message: sent.ID, Channel: "email", ExternalID: "o2"})
	guest, err := engine.Contact(t.Context(), convo.ToAddress("acme", "email", "guest@example.com"))
	require.NoError(t, err)
	_, err = engine.Merge(t.Context(), convo.Merge{Workspace: "acme", Primary: "susan",
		Secondary: guest.ID, By: ana})
	require.NoError(t, err)

	seen := map[convo.EventKind]bool{}
	for _, e := range events {
		seen[e.Kind] = true
		data, err := json.Marshal(e)
		require.NoError(t, err)
		back := decodeAs(t, data, e).(convo.Event)
		if len(e.Row().Attachments) > 0 {
			// encoding/json escapes <, > and & in a raw message: another text, the same value.
			assert.JSONEq(t, string(e.Row().Attachments), string(back.Row().Attachments))
			back = withRow(back, func(r *convo.EventRow) { r.Attachments = e.Row().Attachments })
		}
		assert.Equal(t, e, back, "%s", data)
	}
	for _, k := range convo.EventKinds() {
		if seen[k] {
			continue
		}
		r := filled(convo.EventRow{}).(convo.EventRow)
		r.Kind = k
		e := r.Event()
		data, err := json.Marshal(e)
		require.NoError(t, err)
		assert.Equal(t, e, decodeAs(t, data, e), "%s", data)
	}
	assert.Len(t, seen, 20,
		"a history with all kinds of event that there were when this was written")
}

func TestJSONOfThePresetsRoundTripsExactly(t *testing.T) {
	for name, p := range map[string]convo.Policy{
		"inbox": convo.InboxPolicy(), "workflow": convo.WorkflowPolicy(),
		"live chat": convo.LiveChatPolicy(),
	} {
		require.NoError(t, p.Validate(), name)
		data, err := json.Marshal(p)
		require.NoError(t, err)
		assert.Equal(t, p, decodeAs(t, data, p), "%s: %s", name, data)
	}
	data, err := json.Marshal(convo.InboxPolicy())
	require.NoError(t, err)
	assert.Equal(t, `{}`, string(data), "the default policy has nothing to say")
}

func TestDurationsAreTextInJSON(t *testing.T) {
	for d, text := range map[time.Duration]string{
		0: "0s", 1: "1ns", time.Microsecond: "1µs", 72 * time.Hour: "72h", 600 * time.Second: "10m",
		10 * time.Second: "10s", 61 * time.Minute: "1h1m", 20*time.Hour + 10*time.Second: "20h0m10s",
		1<<63 - 1: "2562047h47m16.854775807s", -1 << 63: "-2562047h47m16.854775808s",
	} {
		data, err := json.Marshal(convo.Duration(d))
		require.NoError(t, err)
		assert.Equal(t, `"`+text+`"`, string(data))
		var back convo.Duration
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, d, time.Duration(back))
	}
	for _, bad := range []string{`"soon"`, `"72"`, `72`, `""`} {
		assert.Error(t, json.Unmarshal([]byte(bad), new(convo.Duration)), bad)
	}
}

func TestAPolicyWithATypingErrorIsRefused(t *testing.T) {
	// A rule that is silently left out is a rule that does not hold.
	for _, text := range []string{
		`{"receve":{"mode":"reject"}}`, `{"receive":{"mode":"reopen","withim":"72h"}}`,
		`{"category":true}`,
		`{"auto_close":{"after":"soon"}}`,
	} {
		var invalid *convo.ValidationError
		assert.ErrorAs(t, json.Unmarshal([]byte(text), new(convo.Policy)), &invalid, text)
	}
}

// Who edits a policy is told which duration it is, and what one looks like.
func TestADurationThatIsNoneSaysWhichAndWhatIsWanted(t *testing.T) {
	const wanted = ` must be a duration such as "90m" or "72h", not `
	for text, want := range map[string]string{
		`{"auto_close":{"after":"soon"}}`:                                           `field "auto_close.after"` + wanted + `"soon"`,
		`{"deadlines":[{"name":"nudge","after":"1h"},{"name":"close","after":72}]}`: `field "deadlines[1].after"` + wanted + `72`,
		`{"receive":{"window":"72"}}`:                                               `field "receive.window"` + wanted + `"72"`,
		`{"max_skew":{"minutes":5}}`:                                                `field "max_skew"` + wanted + `{"minutes":5}`,
		`{"deadlines":[{"nam":"x"}]}`:                                               `field "deadlines[0].nam" is not known`,
		`{"max_skew":"5m","max_skew"`:                                               `unexpected end of JSON input`,
		`{"max_skew":5m}`:                                                           `invalid character 'm'`,
	} {
		err := json.Unmarshal([]byte(text), new(convo.Policy))
		assert.ErrorContains(t, err, want)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"max_skew":null}`), new(convo.Policy)))
	assert.ErrorContains(t, json.Unmarshal([]byte(`"soon"`), new(convo.Duration)),
		strings.TrimSpace(wanted+`"soon"`))
}

// walkFields calls f with every field of the struct types that typ leads to.
func walkFields(typ reflect.Type, seen map[reflect.Type]bool,
	f func(owner reflect.Type, field reflect.StructField)) {
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] || typ == reflect.TypeFor[time.Time]() {
		return
	}
	seen[typ] = true
	for i := range typ.NumField() {
		f(typ, typ.Field(i))
		walkFields(typ.Field(i).Type, seen, f)
	}
}

func walkJSONTypes(f func(owner reflect.Type, field reflect.StructField)) {
	seen := map[reflect.Type]bool{}
	for _, sample := range jsonTypes {
		walkFields(reflect.TypeOf(sample), seen, f)
	}
	for _, c := range allCommands {
		walkFields(reflect.TypeOf(c), seen, f)
	}
}

func TestJSONFieldNamesAreSnakeCase(t *testing.T) {
	inSnakeCase := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	walkJSONTypes(func(owner reflect.Type, field reflect.StructField) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || field.Anonymous {
			return
		}
		assert.Regexp(t, inSnakeCase, name, "%s.%s", owner, field.Name)
	})
}

func TestJSONLeavesZeroTimesAndIDsOut(t *testing.T) {
	// A zero time or id says "not yet" or "none" and is left out, except where there always is one.
	always := map[string]bool{
		"Conversation.ID": true, "Conversation.CreatedAt": true, "Conversation.UpdatedAt": true,
		"Conversation.LastActivityAt": true, "Conversation.StatusSince": true,
		"Rating.At": true, "Timer.Since": true, "Mark.Since": true,
		"Cycle.OpenedAt": true, "Closing.At": true, "EventRow.ID": true, "EventRow.At": true,
		"Cursor.At": true, "Cursor.ID": true, "EventCursor.At": true,
	}
	walkJSONTypes(func(owner reflect.Type, field reflect.StructField) {
		switch field.Type {
		case reflect.TypeFor[time.Time](), reflect.TypeFor[uuid.UUID]():
			_, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			name := owner.Name() + "." + field.Name
			assert.Equal(t, !always[name], strings.Contains(options, "omitzero"), name)
		}
	})
}

// jsonTime finds the times in a JSON text.
var jsonTime = regexp.MustCompile(`"[0-9]{4}-[0-9]{2}-[0-9]{2}T[^"]*"`)

func TestTimesLeaveAsRFC3339InUTC(t *testing.T) {
	india := time.FixedZone("IST", 5*3600+1800)
	at := time.Date(2026, 3, 2, 14, 30, 0, 123456789, india)
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	result, err := engine.Do(t.Context(), convo.ToContact("acme", "riya"),
		convo.Receive{At: at, Body: "Hello"}, convo.SetPending{At: at, By: convo.ByUser("ana"),
			Until: at.Add(time.Hour)})
	require.NoError(t, err)
	_, err = engine.Do(t.Context(), convo.ToContact("acme", "susan"),
		convo.Open{By: convo.ByUser("ana"), At: at})
	require.NoError(t, err)
	merged, err := engine.Merge(t.Context(), convo.Merge{
		Workspace: "acme", Primary: "riya", Secondary: "susan", By: convo.ByUser("ana"),
		At: at.Add(time.Hour),
	})
	require.NoError(t, err)

	for _, v := range []any{result, merged, convo.Filter{}.Cursor(result.Conversation),
		result.Events[0].Cursor()} {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		times := jsonTime.FindAllString(string(data), -1)
		assert.NotEmpty(t, times)
		for _, s := range times {
			assert.Regexp(t, `^"2026-03-02T(09|10):00:00.123456Z"$`, s, "in %s", data)
		}
	}
}

func TestCommandsInAQueueAreInUTC(t *testing.T) {
	india := time.FixedZone("IST", 5*3600+1800)
	at := time.Date(2026, 3, 2, 14, 30, 0, 0, india)
	data, err := json.Marshal(convo.Commands{convo.SetPending{At: at, Until: at.Add(time.Hour)}})
	require.NoError(t, err)
	assert.Equal(t, []string{`"2026-03-02T09:00:00Z"`, `"2026-03-02T10:00:00Z"`},
		jsonTime.FindAllString(string(data), -1))
}

func TestAnswersHoldNoZeroTimeOrID(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	susan, ana := convo.ToContact("acme", "susan"), convo.ByUser("ana")
	check := func(v any, err error) {
		t.Helper()
		require.NoError(t, err)
		data, err := json.Marshal(v)
		require.NoError(t, err)
		assert.NotContains(t, string(data), `"0001-01-01T00:00:00Z"`)
		assert.NotContains(t, string(data), uuid.Nil.String())
	}
	for _, cmd := range []convo.Command{
		convo.Receive{Body: "Hello", Key: "k"}, convo.Receive{Body: "Hello",
			Key: "k"}, convo.Open{By: ana},
		convo.SetPending{By: ana}, convo.Close{By: ana}, convo.Block{By: ana},
		convo.Unblock{By: ana},
	} {
		r, err := engine.Do(t.Context(), susan, cmd)
		check(r, err)
	}
	_, err = engine.Do(t.Context(), convo.ToContact("acme", "guest"), convo.Open{By: ana})
	require.NoError(t, err)
	merge := convo.Merge{Workspace: "acme", Primary: "susan", Secondary: "guest", By: ana}
	r, err := engine.Merge(t.Context(), merge)
	check(r, err)
	again, err := engine.Merge(t.Context(), merge)
	check(again, err)
	assert.Equal(t, convo.OutcomeUnchanged, again.Outcome)
	assert.Equal(t, r.Primary, again.Primary,
		"a merge that changes nothing answers with the primary too")
}

func TestBadCommandsJSONIsAValidationError(t *testing.T) {
	for _, c := range []struct{ name, json, field string }{
		{"an object", `{}`, "commands"},
		{"a text", `"close"`, "commands"},
		{"a number", `7`, "commands"},
		{"an element that is a number", `[7]`, "commands[0]"},
		{"an element that is a list", `[[]]`, "commands[0]"},
		{"an element that is null", `[null]`, "commands[0]"},
		{"no command", `[{}]`, "commands[0]"},
		{"no command but fields", `[{"by":{"type":"user","id":"ana"}}]`, "commands[0]"},
		{"a command that is null", `[{"command":null}]`, "commands[0]"},
		{"a command that is a number", `[{"command":7}]`, "commands[0]"},
		{"an unknown command", `[{"command":"explode"}]`, "commands[0]"},
		{"a command in capitals", `[{"command":"Close"}]`, "commands[0]"},
		{"the second is wrong", `[{"command":"open","by":{"type":"system"}},{"command":"fly"}]`,
			"commands[1]"},
		{"an unknown field", `[{"command":"close","categroy":"Sales"}]`, "commands[0]"},
		{"a field of another command", `[{"command":"open","summary":"Sold."}]`, "commands[0]"},
		{"an unknown field of the actor", `[{"command":"open","by":{"type":"user","name":"ana"}}]`,
			"commands[0]"},
		{"a number for a text", `[{"command":"close","category":7}]`, "commands[0]"},
		{"a text for an actor", `[{"command":"close","by":"ana"}]`, "commands[0]"},
		{"a time that is none", `[{"command":"set_pending","until":"tomorrow"}]`, "commands[0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := convo.Commands{convo.Open{By: convo.BySystem()}}
			cs := slices.Clone(before)
			err := json.Unmarshal([]byte(c.json), &cs)
			var invalid *convo.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, c.field, invalid.Field)
			assert.NotEmpty(t, invalid.Rule)
			assert.Equal(t, before, cs, "the list is left alone")

			var request struct{ Commands convo.Commands }
			err = json.Unmarshal([]byte(`{"commands":`+c.json+`}`), &request)
			assert.ErrorAs(t, err, &invalid, "also as part of a bigger request")
		})
	}
}

func TestEmptyCommandsJSON(t *testing.T) {
	for _, text := range []string{`[]`, ` [ ] `, `null`} {
		var cs convo.Commands
		require.NoError(t, json.Unmarshal([]byte(text), &cs), text)
		assert.Empty(t, cs)
	}
	for _, cs := range []convo.Commands{nil, {}} {
		data, err := json.Marshal(cs)
		require.NoError(t, err)
		assert.Equal(t, `[]`, string(data))
	}
}

func TestCommandsThatCannotBeAreNotEncoded(t *testing.T) {
	for name, cs := range map[string]convo.Commands{
		"nil":                   {nil},
		"a pointer":             {&convo.Open{}},
		"attachments not JSON":  {convo.Note{Attachments: json.RawMessage(`{`)}},
		"a time past year 9999": {convo.Open{At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		_, err := json.Marshal(cs)
		assert.Error(t, err, name)
	}
	_, err := json.Marshal(convo.Commands{nil})
	var invalid *convo.ValidationError
	assert.ErrorAs(t, err, &invalid)
}

func TestAttachmentsKeepTheirValueInAQueue(t *testing.T) {
	const attachments = `{ "html": "<p>a & b</p>", "list": [1, 2.50, null] }`
	for _, cmd := range []convo.Command{
		convo.Receive{Attachments: json.RawMessage(attachments)},
		convo.Send{Attachments: json.RawMessage(attachments)},
		convo.Note{Attachments: json.RawMessage(attachments)},
	} {
		data, err := json.Marshal(convo.Commands{cmd})
		require.NoError(t, err)
		var back convo.Commands
		require.NoError(t, json.Unmarshal(data, &back))
		got := reflect.ValueOf(back[0]).FieldByName("Attachments").Bytes()
		assert.JSONEq(t, attachments, string(got))
	}
}

func TestAttachmentsThatFitAlsoFitAfterAQueue(t *testing.T) {
	// encoding/json writes <, > and & in six bytes each.
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	html := json.RawMessage(`"` + strings.Repeat("<p>", convo.DefaultMaxAttachments/3-2) + `"`)
	queued, err := json.Marshal(convo.Commands{convo.Receive{Attachments: html}})
	require.NoError(t, err)
	var cs convo.Commands
	require.NoError(t, json.Unmarshal(queued, &cs))
	for _, cmds := range []convo.Commands{{convo.Receive{Attachments: html}}, cs} {
		_, err = engine.Do(t.Context(), convo.ToContact("acme", "susan"), cmds...)
		assert.NoError(t, err)
	}
}

// The three texts are the encoding as a host in another language meets it.
func TestJSONLooksLikeThis(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	id := uuid.MustParse("01956d3c-0000-7000-8000-000000000001")
	for name, c := range map[string]struct {
		value any
		text  string
	}{
		"commands": {
			convo.Commands{
				convo.Receive{At: at, Channel: "whatsapp", ExternalID: "wamid.42",
					Body: "The toaster is broken."},
				convo.Assign{By: convo.ByAutomation("router"), Team: "support"},
				convo.SetPending{By: convo.ByUser("ana"), Until: at.Add(48 * time.Hour)},
				convo.Close{
					By: convo.ByUser("ana"), Key: "close-1001", Category: "Support",
					Summary: "Issue resolved: Replaced defective item.",
				},
			},
			`[
  {
    "command": "receive",
    "at": "2026-03-02T09:00:00Z",
    "channel": "whatsapp",
    "external_id": "wamid.42",
    "body": "The toaster is broken."
  },
  {
    "command": "assign",
    "by": {
      "type": "automation",
      "id": "router"
    },
    "team": "support"
  },
  {
    "command": "set_pending",
    "by": {
      "type": "user",
      "id": "ana"
    },
    "until": "2026-03-04T09:00:00Z"
  },
  {
    "command": "close",
    "by": {
      "type": "user",
      "id": "ana"
    },
    "key": "close-1001",
    "category": "Support",
    "summary": "Issue resolved: Replaced defective item."
  }
]`,
		},
		"policy": {
			convo.Policy{
				Open: convo.OnClosed{Mode: convo.OnClosedReopen},
				Receive: convo.OnClosed{Mode: convo.OnClosedReopen,
					Window: convo.Duration(72 * time.Hour)},
				StayPending:     true,
				Category:        convo.RuleRequired,
				Categories:      []string{"General Inquiry", "Sales", "Support"},
				Summary:         convo.RuleDisabled,
				UnassignOnClose: true,
				Notices: convo.Notices{
					Closed: convo.AudienceBoth, Reopened: convo.AudienceContact,
					Restarted: convo.AudienceUsers,
				},
				RestartFlow:     true,
				CountAutomation: true,
				AutoClose: convo.AutoClose{
					After: convo.Duration(24 * time.Hour), Since: convo.SinceAnyEvent,
					Category: "Unanswered",
					Summary:  "The customer did not reply.",
				},
				Merge:          convo.MergeTransfer,
				MaxBody:        4096,
				MaxAttachments: 8192,
				MaxSummary:     1024,
			},
			`{
  "open": {
    "mode": "reopen"
  },
  "receive": {
    "mode": "reopen",
    "window": "72h"
  },
  "stay_pending": true,
  "category": "required",
  "categories": [
    "General Inquiry",
    "Sales",
    "Support"
  ],
  "summary": "disabled",
  "unassign_on_close": true,
  "notices": {
    "conversation_closed": "both",
    "conversation_reopened": "contact",
    "conversation_restarted": "users"
  },
  "restart_flow": true,
  "count_automation": true,
  "auto_close": {
    "after": "24h",
    "since": "any_event",
    "category": "Unanswered",
    "summary": "The customer did not reply."
  },
  "merge": "transfer",
  "max_body": 4096,
  "max_attachments": 8192,
  "max_summary": 1024
}`,
		},
		"event": {
			convo.Event{
				ID: id, Workspace: "acme", Contact: "susan", Conversation: id, Seq: 4,
				Kind: convo.ConversationClosed,
				At:   at, By: convo.ByUser("ana"), Source: convo.SourceUser,
				Payload: &convo.ClosingNotes{
					Category: "Support", Summary: "Issue resolved: Replaced defective item.",
				},
			},
			`{
  "id": "01956d3c-0000-7000-8000-000000000001",
  "workspace": "acme",
  "contact": "susan",
  "conversation": "01956d3c-0000-7000-8000-000000000001",
  "seq": 4,
  "kind": "conversation_closed",
  "at": "2026-03-02T09:00:00Z",
  "by": {
    "type": "user",
    "id": "ana"
  },
  "source": "user",
  "category": "Support",
  "summary": "Issue resolved: Replaced defective item."
}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.MarshalIndent(c.value, "", "  ")
			require.NoError(t, err)
			assert.Equal(t, c.text, string(data))
			assert.Equal(t, c.value, decodeAs(t, []byte(c.text), c.value))
		})
	}
}

// Other languages write null for no attachments.
func TestAttachmentsThatAreNullAreNone(t *testing.T) {
	d := openDesk(t)
	for _, null := range []string{"null", " null\n"} {
		_, err := d.Do(t.Context(), toContact("carl"),
			convo.Receive{Attachments: json.RawMessage(null)})
		require.ErrorIs(t, err, convo.ErrInvalid)
	}
	d.do(toContact("carl"), convo.Open{By: agentAna})
	d.do(toContact("carl"), convo.Note{By: agentAna, Key: "k", Body: "x"})
	var cmds convo.Commands
	text := `[{"command":"note","by":{"type":"user","id":"ana"},"key":"k","body":"x",` +
		`"attachments":null}]`
	require.NoError(t, json.Unmarshal([]byte(text), &cmds))
	r, err := d.Do(t.Context(), toContact("carl"), cmds...)
	require.NoError(t, err)
	require.Equal(t, convo.OutcomeDuplicate, r.Outcome)
}

func TestCommandsOfAClientSayOnlyWhatItMay(t *testing.T) {
	by := convo.ByUser("ana")
	cmds, err := convo.UntrustedCommands([]byte(`[
		{"command": "assign", "assignee": "ana"},
		{"command": "close", "category": "Sales", "summary": "done"}
	]`), by, convo.CommandAssign, convo.CommandClose)
	require.NoError(t, err)
	assert.Equal(t, convo.Commands{
		convo.Assign{By: by, Assignee: "ana"},
		convo.Close{By: by, Category: "Sales", Summary: "done"},
	}, cmds)

	many := "[" + strings.Repeat(`{"command": "note", "body": "x"},`, convo.MaxCommands) +
		`{"command": "note", "body": "x"}]`
	for text, problem := range map[string]string{
		`[{"command": "note", "by": {"type": "user", "id": "ben"}, "body": "x"}]`: "commands[0].by",
		`[{"command": "note", "By": {"type": "user", "id": "ben"}, "body": "x"}]`: "commands[0].By",
		`[{"command": "note", "body": "x"}, {"command": "note", "body": "x",
			"at": "2026-01-01T00:00:00Z"}]`: "commands[1].at",
		`[{"command": "note", "key": "ticket 17", "body": "x"}]`:   "commands[0].key",
		`[{"command": "note", "channel": "sms", "body": "x"}]`:     "commands[0].channel",
		`[{"command": "note", "address": "+evil", "body": "x"}]`:   "commands[0].address",
		`[{"command": "note", "external_id": "m1", "body": "x"}]`:  "commands[0].external_id",
		`[{"command": "close", "source": "dialogflow"}]`:           "commands[0].source",
		`[{"command": "note", "sent_at": "2026-01-01T00:00:00Z"}]`: "commands[0].sent_at",
		`[{"command": "block", "reason": "x"}]`:                    `"block" is not one of ["note"`,
		`[{"command": "note", "text": "x"}]`:                       `field "text" is not known`,
		`{"command": "note"}`:                                      "must be a JSON array",
		`[null]`:                                                   "needs the name of a command",
		many:                                                       "at most",
		"[" + strings.Repeat(" ", convo.MaxCommandsJSON) + "]":     "must be at most 1048576 bytes",
	} {
		cmds, err := convo.UntrustedCommands([]byte(text), by,
			convo.CommandNote, convo.CommandClose)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, text)
		assert.ErrorContains(t, err, problem)
		assert.Empty(t, cmds)
	}
	_, err = convo.UntrustedCommands([]byte(`[{"command": "note"}]`), by)
	assert.ErrorContains(t, err, "is not one of", "nothing is allowed unless it is named")
}

func TestEveryCommandCanBeGivenAnActorAndATime(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, sample := range allCommands {
		c := filled(sample).(convo.Command)
		was := convo.Commands{c}
		given := was.As(convo.ByUser("zoe"), at)
		assert.Equal(t, filled(sample), was[0], "the list is left as it was")
		text, err := json.Marshal(given)
		require.NoError(t, err)
		assert.Contains(t, string(text),
			`"by":{"type":"user","id":"zoe"},"at":"2026-03-02T09:00:00Z"`)
		text, err = json.Marshal(given.As(convo.ByAutomation("bot"), time.Time{}))
		require.NoError(t, err)
		assert.Contains(t, string(text), `"by":{"type":"automation","id":"bot"}`)
		assert.NotContains(t, string(text), `"at":`)
	}
	none := convo.Commands{nil, &convo.Close{}}
	assert.Equal(t, none, none.As(convo.ByUser("zoe"), at), "which whoever takes them refuses")
}
