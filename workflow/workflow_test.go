package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/workflow"
)

var (
	ana    = convo.ByUser("ana")
	riya   = convo.ToAddress("acme", "whatsapp", "+4912345")
	policy = convo.WorkflowPolicy()
)

func newEngine(t testing.TB, opts ...convo.Option) *convo.Engine {
	t.Helper()
	engine, err := convo.New(memstore.New(), append([]convo.Option{convo.WithPolicy(policy)},
		opts...)...)
	require.NoError(t, err)
	return engine
}

func do(t testing.TB, engine *convo.Engine, to convo.Ref, cmds ...convo.Command) convo.Result {
	t.Helper()
	r, err := engine.Do(t.Context(), to, cmds...)
	require.NoError(t, err)
	return r
}

func step(t testing.TB, config string) *workflow.Step {
	t.Helper()
	s, err := workflow.Parse([]byte(config), &policy)
	require.NoError(t, err)
	return s
}

func closing(t testing.TB, summary string) *workflow.Step {
	t.Helper()
	s, err := workflow.New(workflow.Config{Step: workflow.CloseConversation, Summary: summary},
		&policy)
	require.NoError(t, err, summary)
	return s
}

func history(t testing.TB, engine *convo.Engine) []convo.Event {
	t.Helper()
	events, err := engine.History(t.Context(), riya, convo.EventCursor{}, 0)
	require.NoError(t, err)
	return events
}

func kinds(events []convo.Event) (out []convo.EventKind) {
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func TestTheOpenStepGreetsInAnOpenedOrReopenedConversation(t *testing.T) {
	engine := newEngine(t)
	open := step(t, `{"step":"open_conversation",
		"greeting":"Hi {{.Contact.Name}}, {{if .Contact.Returning}}welcome back{{else}}welcome{{end}}!"}`)
	x := workflow.Execution{Workflow: "orders", Name: "Riya"}

	first, err := open.Run(t.Context(), engine, riya, x)
	require.NoError(t, err)
	require.Equal(t, []convo.EventKind{convo.AddressLinked, convo.ConversationOpened,
		convo.MessageSent}, kinds(first.Events))
	require.Equal(t, "Hi Riya, welcome!", first.Events[2].Row().Body)
	require.Equal(t, convo.ByAutomation("orders"), first.Events[2].By)
	require.Equal(t, convo.SourceAutomation, first.Conversation.Cycle.OpenedSource)
	require.Equal(t, "whatsapp", first.Conversation.Channel)

	do(t, engine, riya, convo.Close{By: ana})
	again, err := open.Run(t.Context(), engine, riya, x)
	require.NoError(t, err)
	require.Equal(t, []convo.EventKind{convo.ConversationReopened, convo.MessageSent},
		kinds(again.Events), "the policy reopens")
	require.Equal(t, first.Conversation.ID, again.Conversation.ID)
	require.Equal(t, "Hi Riya, welcome back!", again.Events[1].Row().Body)

	still, err := open.Run(t.Context(), engine, riya, x)
	require.NoError(t, err)
	require.Equal(t, []convo.EventKind{convo.MessageSent}, kinds(still.Events),
		"it is open already, and greeted again")
}

func TestAnOpenStepWithoutGreetingSendsNothing(t *testing.T) {
	for _, config := range []string{
		`{"step":"open_conversation","channel":"sms"}`,
		`{"step":"open_conversation","channel":"sms","greeting":" {{.Contact.Attributes.offer}} "}`,
	} {
		r, err := step(t, config).Run(t.Context(), newEngine(t), riya, workflow.Execution{})
		require.NoError(t, err)
		require.Equal(t, []convo.EventKind{convo.AddressLinked, convo.ConversationOpened},
			kinds(r.Events))
		require.Equal(t, "sms", r.Conversation.Channel)
	}
}

func TestTheCloseStepRecordsCategoryAndSummaryOfThisContact(t *testing.T) {
	engine := newEngine(t)
	do(t, engine, riya, convo.Receive{Body: "My kettle leaks."},
		convo.Assign{By: ana, Assignee: "ana", Team: "repairs"})
	s := step(t, `{"step":"close_conversation","category":"{{default \"Support\" .Contact.Attributes.topic}}",
		"summary":"{{.Contact.Name}} ({{.Contact.ID}}, {{upper .Contact.Attributes.city}}): {{.Conversation.Status}} on `+
		`{{.Conversation.Channel}} through {{.Conversation.Source}} with {{.Conversation.Assignee}} of {{.Conversation.Team}}"}`)
	x := workflow.Execution{Workflow: "returns", Name: "Riya",
		Attributes: map[string]string{"city": "Ulm"}}
	r, err := s.Run(t.Context(), engine, riya, x)
	require.NoError(t, err)
	c := r.Conversation.Cycle.Closing
	require.Equal(t, "Support", c.Category)
	require.Equal(t, "Riya ("+r.Contact.ID+", ULM): open on whatsapp through incoming_message "+
		"with ana of repairs", c.Summary)
	require.Equal(t, convo.ByAutomation("returns"), c.By)
	require.Equal(t, convo.SourceAutomation, c.Source)

	_, err = s.Run(t.Context(), engine, riya, x)
	require.ErrorIs(t, err, convo.ErrNotActive)
	_, err = s.Run(t.Context(), engine, convo.ToContact("acme", "nobody"), x)
	require.ErrorIs(t, err, convo.ErrNotFound)
	_, err = s.Run(t.Context(), engine, convo.ToConversation("other", r.Conversation.ID), x)
	require.ErrorIs(t, err, convo.ErrNotFound, "that is another workspace")

	r, err = closing(t, "{{.Conversation.Category}}: {{.Conversation.Summary}}").Run(t.Context(), engine, riya, x)
	require.ErrorIs(t, err, convo.ErrNotActive)
	require.Zero(t, r)
	reopened := do(t, engine, riya, convo.Open{By: ana})
	r, err = closing(t, "again").Run(t.Context(), engine,
		convo.ToConversation("acme", reopened.Conversation.ID), x)
	require.NoError(t, err)
	require.Equal(t, "again", r.Conversation.Cycle.Closing.Summary)
}

func TestARunThatIsRepeatedDoesNothingTwiceWhateverItWouldSayByThen(t *testing.T) {
	engine := newEngine(t)
	open := step(t, `{"step":"open_conversation","greeting":"{{.Contact.Name}}: {{.Conversation.Status}}"}`)
	end := closing(t, "{{.Contact.Name}}: {{.Conversation.Status}}")
	run := func(s *workflow.Step, key, name string) convo.Outcome {
		r, err := s.Run(t.Context(), engine, riya, workflow.Execution{Key: key, Name: name})
		require.NoError(t, err)
		require.NotZero(t, r.Contact)
		require.NotZero(t, r.Conversation)
		return r.Outcome
	}
	require.Equal(t, convo.OutcomeRecorded, run(open, "1", "Riya"))
	require.Equal(t, convo.OutcomeClosed, run(end, "1", "Riya"),
		"another step of the same execution")
	require.Equal(t, convo.OutcomeRecorded, run(open, "2", "Riya"))
	before := history(t, engine)
	for range 3 {
		for _, name := range []string{"Riya", "Somebody else"} {
			require.Equal(t, convo.OutcomeDuplicate, run(end, "1", name))
			require.Equal(t, convo.OutcomeDuplicate, run(open, "2", name))
			require.Equal(t, convo.OutcomeDuplicate, run(open, "1", name))
		}
	}
	require.Equal(t, before, history(t, engine))
	active, err := engine.Active(t.Context(), riya)
	require.NoError(t, err, "the repeated closing closes no other cycle")
	require.Equal(t, convo.StatusOpen, active.Status)
	require.Equal(t, convo.OutcomeClosed, run(end, "3", "Riya"))
}

// between has f called once, between the looking and the doing of a step.
type between struct {
	convo.Store
	loads int
	f     func()
}

func (b *between) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	if b.loads++; b.loads == 3 { // the contact and its conversation were looked at
		b.f()
	}
	return b.Store.Load(ctx, to)
}

func TestACloseStepClosesOnlyTheConversationThatItHasSummarized(t *testing.T) {
	store := memstore.New()
	engine, err := convo.New(store)
	require.NoError(t, err)
	do(t, engine, riya, convo.Receive{Body: "the first"})
	racing, err := convo.New(&between{Store: store, f: func() {
		do(t, engine, riya, convo.Close{By: ana}, convo.Open{By: ana})
	}})
	require.NoError(t, err)
	_, err = closing(t, "About {{.Conversation.ID}}").Run(t.Context(), racing, riya,
		workflow.Execution{})
	require.ErrorIs(t, err, convo.ErrNotActive)
	active, err := engine.Active(t.Context(), riya)
	require.NoError(t, err)
	require.Empty(t, active.Cycle.Closing.Summary)
}

func TestTemplatesReadTheProfileOfTheContact(t *testing.T) {
	engine := newEngine(t)
	greet := step(t, `{"step":"open_conversation",
		"greeting":"{{.Contact.Name}}: {{.Contact.Attributes.tier}}, {{.Contact.Attributes.orders}}, `+
		`{{.Contact.Attributes.vip}}{{.Contact.Attributes.deep}}"}`)
	run := func(x workflow.Execution) string {
		do(t, engine, riya, convo.Close{By: ana})
		r, err := greet.Run(t.Context(), engine, riya, x)
		require.NoError(t, err)
		return r.Events[len(r.Events)-1].Message().Body
	}
	do(t, engine, riya, convo.Open{By: ana}, convo.SetProfile{By: ana, Name: new("Riya"),
		Attributes: json.RawMessage(`{"tier":"gold","orders":1.50,"vip":true,"deep":{"a":"b"}}`)})
	require.Equal(t, "Riya: gold, 1.50, true", run(workflow.Execution{}))
	require.Equal(t, "Ms Rao: lead, 1.50, true", run(workflow.Execution{
		Name: "Ms Rao", Attributes: map[string]string{"tier": "lead"},
	}), "what the host gives goes first")
}

func TestWhatRunsSaysWhatItCannotDo(t *testing.T) {
	engine := newEngine(t)
	s := step(t, `{"step":"close_conversation","category":"{{.Contact.Attributes.topic}}"}`)
	do(t, engine, riya, convo.Receive{Body: "Hi"})
	for name, c := range map[string]struct {
		x     workflow.Execution
		field string
	}{
		"a category that the policy does not have": {workflow.Execution{Attributes: map[string]string{"topic": "Gossip"}}, "category"},
		"a key that is too long":                   {workflow.Execution{Key: strings.Repeat("k", workflow.MaxKey+1)}, "key"},
		"a workflow that is no id":                 {workflow.Execution{Workflow: "a\nb"}, "by.id"},
	} {
		before := history(t, engine)
		_, err := s.Run(t.Context(), engine, riya, c.x)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, name)
		require.Equal(t, c.field, invalid.Field, name)
		require.Equal(t, before, history(t, engine), name)
	}
	_, err := s.Run(t.Context(), engine, riya, workflow.Execution{Key: strings.Repeat("k",
		workflow.MaxKey)})
	require.NoError(t, err)

	do(t, engine, riya, convo.Block{By: ana})
	_, err = step(t, `{"step":"open_conversation","greeting":"Hi"}`).Run(t.Context(), engine, riya, workflow.Execution{})
	require.ErrorIs(t, err, convo.ErrBlocked)

	short := newEngine(t, convo.WithPolicy(convo.Policy{MaxBody: 10}))
	_, err = step(t, `{"step":"open_conversation","greeting":"Hi {{.Contact.Name}}"}`).
		Run(t.Context(), short, riya, workflow.Execution{Name: "Riya Sharma"})
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "greeting", invalid.Field)
}

func TestAConfigurationIsRefusedWhenItIsSavedWithTheNameOfTheField(t *testing.T) {
	strict := convo.Policy{Category: convo.RuleRequired, Categories: []string{"Sales"},
		Summary: convo.RuleRequired, MaxSummary: 10}
	for config, field := range map[string]string{
		``:                                 "step",
		`null`:                             "step",
		`[]`:                               "step",
		`{}`:                               "step",
		`{"step":"close_conversation"} {}`: "step",
		`{"step":"close"}`:                 "step",
		`{"step":7}`:                       "step",
		`{"step":"close_conversation","note":"x"}`:                                                  "note",
		`{"step":"close_conversation","Summary":"x"}`:                                               "Summary",
		`{"step":"close_conversation","summary":["x"]}`:                                             "summary",
		`{"step":"close_conversation","greeting":"x"}`:                                              "greeting",
		`{"step":"close_conversation","channel":"x"}`:                                               "channel",
		`{"step":"open_conversation","category":"x"}`:                                               "category",
		`{"step":"open_conversation","summary":"x"}`:                                                "summary",
		`{"step":"open_conversation","channel":"a\nb"}`:                                             "channel",
		`{"step":"open_conversation","greeting":"{{.Contact.Nme}}"}`:                                "greeting",
		`{"step":"open_conversation","greeting":"Hi {{"}`:                                           "greeting",
		`{"step":"close_conversation","category":"Support","summary":"ok"}`:                         "category",
		`{"step":"close_conversation","summary":"x"}`:                                               "category",
		`{"step":"close_conversation","category":"Sales"}`:                                          "summary",
		`{"step":"close_conversation","category":"Sales","summary":" `:                              "step",
		`{"step":"close_conversation","category":"Sales","summary":"{{if false}}x{{end}}"}`:         "summary",
		`{"step":"close_conversation","category":"Sales","summary":"longer than ten bytes"}`:        "summary",
		`{"step":"close_conversation","category":"Sales","summary":"{{range .Contact.ID}}{{end}}"}`: "summary",
	} {
		s, err := workflow.Parse([]byte(config), &strict)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, config)
		require.Equal(t, field, invalid.Field, "%s: %v", config, err)
		require.Nil(t, s)
	}
	for _, config := range []string{
		`{"step":"close_conversation","category":"Sales","summary":"ok"}`,
		`{"step":"close_conversation","category":"{{.Contact.Attributes.topic}}","summary":"{{.Contact.Attributes.end}}"}`,
		`{"step":"open_conversation"}`,
	} {
		_, err := workflow.Parse([]byte(config), &strict)
		require.NoError(t, err, config)
	}
	_, err := workflow.Parse([]byte(`{"step":"close_conversation"}`), nil)
	require.NoError(t, err, "the default policy asks for nothing")
	_, err = workflow.New(workflow.Config{Step: workflow.OpenConversation, Greeting: "Hi"},
		&convo.Policy{MaxBody: 1})
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "greeting", invalid.Field)
}

func TestATemplateThatCouldFailOrNotEndIsRefusedWhenItIsSaved(t *testing.T) {
	for _, source := range []string{
		`{{`, `{{end}}`, `{{if .Contact.Name}}`, `{{nope .Contact.Name}}`,
		`{{.}}`, `{{$}}`, `{{$.Contact.Name}}`, `{{nil}}`, `{{.Contact}}`, `{{.Conversation}}`, `{{.Contact.Attributes}}`,
		`{{.Nobody}}`, `{{.Contact.Name.First}}`, `{{.Contact.Attributes.a.b}}`, `{{.Contact.Returning.x}}`, `{{(.Contact).Name}}`,
		// what a condition hides
		`{{if false}}{{.Contact.Nme}}{{end}}`, `{{if true}}{{else}}{{.Contact.Nme}}{{end}}`, `{{if false}}{{upper}}{{end}}`,
		`{{if true}}{{else if .Contact.Nme}}{{end}}`, `{{and "" (upper 1 2)}}`, `{{or "x" (eq)}}`, `{{and "" upper}}`,
		`{{if and "" (or "x" (ne "a"))}}{{end}}`,
		// what loops, calls or remembers
		`{{range .Contact.Name}}{{end}}`, `{{range 1000000000}}x{{end}}`, `{{with .Contact}}{{.Name}}{{end}}`,
		`{{if false}}{{else with .Contact}}{{end}}`, `{{$x := "a"}}{{$x}}`, `{{if $x := "a"}}{{end}}`,
		`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`, `{{template "template"}}`, `{{block "a" .}}{{end}}`,
		`{{define "a"}}{{end}}`, `{{break}}`, `{{continue}}`,
		// what is not in the set
		`{{printf "%1000000d" 1}}`, `{{print 1}}`, `{{println 1}}`, `{{len .Contact.Name}}`, `{{index .Contact.Attributes "a"}}`,
		`{{slice .Contact.Name 9}}`, `{{call .Contact.Name}}`, `{{html "a"}}`, `{{js "a"}}`, `{{urlquery "a"}}`, `{{lt 1 2}}`,
		// what cannot be computed
		`{{upper}}`, `{{upper | upper}}`, `{{not}}`, `{{default "x"}}`, `{{eq "x"}}`, `{{.Contact.Name "x"}}`, `{{"a" "b"}}`,
		`{{"a" | .Contact.Name}}`, `{{1 | 2}}`, `{{upper 99999999999999999999}}`,
		"\xff", "a\x00b",
		strings.Repeat("x", workflow.MaxTemplate+1),
		"{{" + strings.Repeat("(", 12) + "1" + strings.Repeat(")", 12) + "}}",
		"{{" + strings.Repeat("(", 4000) + "1" + strings.Repeat(")", 4000) + "}}",
	} {
		_, err := workflow.New(workflow.Config{Step: workflow.CloseConversation, Summary: source},
			nil)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, source)
		require.Equal(t, "summary", invalid.Field, source)
		require.Less(t, len(invalid.Rule), 300, source)
	}
}

func TestTemplatesHaveValuesConditionsAndAFewFunctions(t *testing.T) {
	attributes := map[string]string{"city": " Ulm ", "vip": "yes"}
	for source, want := range map[string]string{
		`plain`:             "plain",
		`{{/* nothing */}}`: "",
		`{{.Contact.Name}}`: "Riya",
		`{{.Contact.Attributes.city | trim | upper}}`:                              "ULM",
		`{{lower (trim .Contact.Attributes.city)}}`:                                "ulm",
		`{{.Contact.Attributes.nothing}}`:                                          "",
		`{{default "there" .Contact.Name}}`:                                        "Riya",
		`{{default "nowhere" .Contact.Attributes.nothing}}`:                        "nowhere",
		`{{.Contact.Attributes.nothing | default .Contact.Name}}`:                  "Riya",
		`{{if eq .Contact.Attributes.vip "no" "yes"}}a{{else}}b{{end}}`:            "a",
		`{{if ne .Contact.Attributes.vip "yes"}}a{{else if 0}}b{{else}}c{{end}}`:   "c",
		`{{if and .Contact.Name (not .Contact.Returning)}}new{{end}}`:              "new",
		`{{if or .Contact.Attributes.nothing .Contact.Attributes.vip}}some{{end}}`: "some",
		`{{eq 1 "1"}} {{upper 1.5}} {{upper true}} {{upper (eq "a" "b")}} {{'a'}}`: "true 1.5 TRUE FALSE 97",
		`{{- .Contact.Name -}} !`:                                                  "Riya!",
		`{{"<b>"}} & {{"\u00e4"}}`:                                                 "<b> & ä",
	} {
		engine := newEngine(t)
		do(t, engine, riya, convo.Receive{Body: "Hi"})
		r, err := closing(t, source).Run(t.Context(), engine, riya,
			workflow.Execution{Name: "Riya", Attributes: attributes})
		require.NoError(t, err, source)
		require.Equal(t, want, r.Conversation.Cycle.Closing.Summary, source)
	}
}

func TestWhatATemplateWritesIsCutToWhatItsFieldHolds(t *testing.T) {
	for _, value := range []string{
		strings.Repeat("x", 1<<20), strings.Repeat("ä", 1<<20), strings.Repeat("a\x00b\xff", 1<<18), "\x00\xff",
		"x" + strings.Repeat("😀", 1<<18),
	} {
		x := workflow.Execution{Attributes: map[string]string{"big": value, "topic": "Sales"}}
		engine := newEngine(t, convo.WithPolicy(convo.Policy{}))
		r, err := step(t, `{"step":"open_conversation","greeting":"{{.Contact.Attributes.big}}{{.Contact.Attributes.big}}!"}`).
			Run(t.Context(), engine, riya, x)
		require.NoError(t, err)
		body := r.Events[len(r.Events)-1].Row().Body
		require.LessOrEqual(t, len(body), workflow.MaxGreeting)
		if len(value) > 9 {
			require.Greater(t, len(body), workflow.MaxGreeting/3)
		}
		require.True(t, utf8.ValidString(body))
		const big = `"{{.Contact.Attributes.big}}"`
		r, err = step(t, `{"step":"close_conversation","category":`+big+`,"summary":`+big+`}`).Run(t.Context(), engine, riya, x)
		require.NoError(t, err)
		require.LessOrEqual(t, len(r.Conversation.Cycle.Closing.Summary), workflow.MaxSummary)
		require.LessOrEqual(t, len(r.Conversation.Cycle.Closing.Category), workflow.MaxCategory)
	}
}

func TestAStepMayRunForManyAtOnce(t *testing.T) {
	engine := newEngine(t)
	open := step(t, `{"step":"open_conversation","channel":"sms","greeting":"Hi {{.Contact.Name}}"}`)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			name := fmt.Sprint("contact ", i%10)
			for range 3 {
				x := workflow.Execution{Key: fmt.Sprint(i % 10), Name: name}
				_, err := open.Run(t.Context(), engine, convo.ToContact("acme", name), x)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for i := range 10 {
		name := fmt.Sprint("contact ", i)
		events, err := engine.History(t.Context(), convo.ToContact("acme", name),
			convo.EventCursor{}, 0)
		require.NoError(t, err)
		require.Equal(t, []convo.EventKind{convo.ConversationOpened, convo.MessageSent},
			kinds(events))
		require.Equal(t, "Hi "+name, events[1].Row().Body)
	}
}

func TestTriggersMatchBySourceCategoryAndChannel(t *testing.T) {
	c := convo.Conversation{ID: [16]byte{1}, Channel: "whatsapp"}
	opened := convo.Event{Kind: convo.ConversationOpened, Conversation: c.ID,
		Source: convo.SourceIncomingMessage}
	reopened := convo.Event{Kind: convo.ConversationReopened, Conversation: c.ID,
		Source: convo.SourceRestart}
	closed := convo.Event{Kind: convo.ConversationClosed, Conversation: c.ID,
		Source:  convo.SourceUser,
		Payload: &convo.ClosingNotes{Category: "Sales"}}
	byBot, message := closed, closed
	byBot.Source, message.Kind = convo.SourceAutomation, convo.MessageReceived
	elsewhere := closed
	elsewhere.Conversation = [16]byte{2}
	events := []convo.Event{opened, reopened, closed, byBot, message, elsewhere}
	for trigger, want := range map[string][]bool{
		`{"on":"conversation_opened"}`:                                                  {true, true, false, false, false, false},
		`{"on":"conversation_opened","sources":["restart","user"]}`:                     {false, true, false, false, false, false},
		`{"on":"conversation_opened","channels":["sms"]}`:                               {false, false, false, false, false, false},
		`{"on":"conversation_closed"}`:                                                  {false, false, true, false, false, false},
		`{"on":"conversation_closed","sources":["automation"]}`:                         {false, false, false, true, false, false},
		`{"on":"conversation_closed","categories":["Support","Sales"]}`:                 {false, false, true, false, false, false},
		`{"on":"conversation_closed","categories":["sales"]}`:                           {false, false, false, false, false, false},
		`{"on":"conversation_closed","channels":["sms","whatsapp"],"sources":["user"]}`: {false, false, true, false, false, false},
		`{"on":"conversation_closed","sources":["user"],"categories":["Support"]}`:      {false, false, false, false, false, false},
	} {
		tr, err := workflow.ParseTrigger([]byte(trigger))
		require.NoError(t, err, trigger)
		for i, e := range events {
			require.Equal(t, want[i], tr.Matches(e, c), "%s of %+v", trigger, e)
		}
	}
	for trigger, field := range map[string]string{
		`{}`: "on", `7`: "trigger", `{"on":"message_received"}`: "on", `{"on":"conversation_reopened"}`: "on",
		`{"on":"conversation_opened","categories":["Sales"]}`:                          "categories",
		`{"on":"deadline_passed","categories":["Sales"]}`:                              "categories",
		`{"on":"deadline_passed","sources":["timer"]}`:                                 "sources",
		`{"on":"conversation_closed","deadlines":["nudge"]}`:                           "deadlines",
		`{"on":"deadline_passed","deadlines":["nudge",""]}`:                            "deadlines[1]",
		`{"on":"conversation_closed","source":["user"]}`:                               "source",
		`{"on":"conversation_closed","sources":"user"}`:                                "sources",
		`{"on":"conversation_closed","sources":["user",""]}`:                           "sources[1]",
		`{"on":"conversation_closed","channels":["` + strings.Repeat("x", 256) + `"]}`: "channels[0]",
	} {
		_, err := workflow.ParseTrigger([]byte(trigger))
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, trigger)
		require.Equal(t, field, invalid.Field, trigger)
	}
}

func TestWorkflowsThatCloseDoNotStartEachOtherForEver(t *testing.T) {
	opened, err := workflow.ParseTrigger([]byte(`{"on":"conversation_opened"}`))
	require.NoError(t, err)
	closed, err := workflow.ParseTrigger([]byte(`{"on":"conversation_closed"}`))
	require.NoError(t, err)
	open, end := step(t, `{"step":"open_conversation"}`), closing(t, "done")
	var engine *convo.Engine
	runs := 0
	engine = newEngine(t, convo.WithObserver(func(ctx context.Context, events []convo.Event) {
		for _, e := range events {
			c := convo.Conversation{ID: e.Conversation}
			for trigger, s := range map[*workflow.Trigger]*workflow.Step{&opened: end,
				&closed: open} {
				if runs++; runs < 100 && trigger.Matches(e, c) {
					_, _ = s.Run(ctx, engine, convo.ToConversation(e.Workspace, e.Conversation),
						workflow.Execution{})
				}
			}
		}
	}))
	do(t, engine, riya, convo.Receive{Body: "Hi"})
	require.Less(t, runs, 20)
}

func TestAnExecutionMayFailAsTheEngineDoes(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := closing(t, "done").Run(cancelled, newEngine(t), riya, workflow.Execution{})
	require.ErrorIs(t, err, context.Canceled)
}

func FuzzStep(f *testing.F) {
	for _, s := range []string{
		`Hi {{.Contact.Name}}`, `{{if eq .Contact.Attributes.a "b" | not}}{{upper (default "x" .Contact.Name)}}{{else if 1}}{{end}}`,
		`{{and "" (or .Contact.Returning "\x00")}}`, `{{range 9}}{{end}}`, `{{printf "%999999d" 1}}`, "{{((((1))))}}",
		`{{define "a"}}{{template "a"}}{{end}}`, "{{/* x */}}", `{{- 1e9 -}}`,
	} {
		f.Add(s, "Riya", "\xff\x00")
	}
	f.Fuzz(func(t *testing.T, source, name, value string) {
		s, err := workflow.New(workflow.Config{Step: workflow.CloseConversation, Category: source,
			Summary: source}, nil)
		if err != nil {
			var invalid *convo.ValidationError
			if !errors.As(err, &invalid) {
				t.Fatal(err)
			}
			return
		}
		engine := newEngine(t, convo.WithPolicy(convo.Policy{}))
		do(t, engine, riya, convo.Receive{Body: "Hi"})
		_, err = s.Run(t.Context(), engine, riya, workflow.Execution{Name: name,
			Attributes: map[string]string{"a": value, "b": name}})
		var invalid *convo.ValidationError
		if err != nil && (!errors.As(err, &invalid) || invalid.Field != "category") {
			t.Fatalf("%q was saved, and fails: %v", source, err)
		}
	})
}

func ExampleStep_Run() {
	policy := convo.WorkflowPolicy()
	engine, _ := convo.New(memstore.New(), convo.WithPolicy(policy))
	open, _ := workflow.Parse([]byte(`{
		"step": "open_conversation",
		"greeting": "Hi {{.Contact.Name}}, we noticed your last order is ready for delivery. Would you like to track it now?"
	}`), &policy)
	end, _ := workflow.Parse([]byte(`{
		"step": "close_conversation",
		"category": "Support",
		"summary": "Issue resolved: Replaced {{default \"defective item\" .Contact.Attributes.product}}."
	}`), &policy)

	riya := convo.ToAddress("acme", "whatsapp", "+919876543210")
	execution := workflow.Execution{
		Workflow: "delivery", Key: "execution-1", Name: "Riya", Attributes: map[string]string{"product": "kettle"},
	}
	result, _ := open.Run(context.Background(), engine, riya, execution)
	fmt.Println(result.Conversation.Status, "-", result.Events[len(result.Events)-1].Row().Body)
	result, _ = end.Run(context.Background(), engine, riya, execution)
	closing := result.Conversation.Cycle.Closing
	fmt.Println(result.Conversation.Status, "-", closing.Category, "-", closing.Summary)

	_, err := workflow.Parse([]byte(`{"step": "close_conversation", "category": "Gossip"}`), &policy)
	fmt.Println(err)
	// Output:
	// open - Hi Riya, we noticed your last order is ready for delivery. Would you like to track it now?
	// closed - Support - Issue resolved: Replaced kettle.
	// convo: category: "Gossip" is not one of the policy's categories ["General Inquiry" "Sales" "Support"]
}

// A workflow that starts when a salesperson closes a conversation about sales.
func ExampleTrigger() {
	trigger, _ := workflow.ParseTrigger([]byte(`{
		"on": "conversation_closed", "sources": ["user"], "categories": ["Sales"], "channels": ["whatsapp"]
	}`))
	var engine *convo.Engine
	engine, _ = convo.New(memstore.New(), convo.WithObserver(func(ctx context.Context,
		events []convo.Event) {
		for _, e := range events {
			// what happened to the contact itself has none
			c, err := engine.Conversation(ctx, convo.ToConversation(e.Workspace, e.Conversation))
			if err == nil && trigger.Matches(e, c) {
				fmt.Println("ask how it went:", e.Row().Summary)
			}
		}
	}))
	riya := convo.ToAddress("acme", "whatsapp", "+919876543210")
	_, _ = engine.Do(context.Background(), riya,
		convo.Receive{Body: "What do ten kettles cost?"},
		convo.Close{By: convo.ByUser("meera"), Category: "Sales",
			Summary: "Customer inquired about bulk pricing."})
	// Output: ask how it went: Customer inquired about bulk pricing.
}

func TestTheSchemaIsJSONAndNobodyElses(t *testing.T) {
	require.True(t, json.Valid(workflow.Schema()))
	clear(workflow.Schema())
	require.True(t, json.Valid(workflow.Schema()))
}
