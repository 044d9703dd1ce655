package dialogflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/dialogflow"
	"github.com/chatlifecycle/convo/memstore"
)

var bot = convo.ByAutomation("dialogflow")

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name + ".json")
	require.NoError(t, err)
	return body
}

func TestAnESRequestMarksDoneByTheParametersOfItsIntent(t *testing.T) {
	r, err := dialogflow.Parse(fixture(t, "es"))
	require.NoError(t, err)
	require.Equal(t, "riya-7", r.SessionID())
	require.Equal(t, []convo.Command{convo.Close{
		By: bot, Key: "dialogflow:close:5d0a61c8-1f0e-4b6c-9b53-2a6f6d9c7e01-e13762d2",
		Source:   convo.SourceDialogflow,
		Category: "Support", Summary: "Issue resolved: Replaced defective item.",
	}}, r.Commands())
}

func TestACXRequestMarksOpenByTheParametersOfItsSession(t *testing.T) {
	r, err := dialogflow.Parse(fixture(t, "cx"))
	require.NoError(t, err)
	require.Equal(t, "susan-1", r.SessionID())
	require.Equal(t, []convo.Command{convo.Open{
		By: bot, Key: "dialogflow:open:b7e7b1c4-7f28-4f5d-86f3-57b3d0c1a9ce",
		Source: convo.SourceDialogflow,
	}}, r.Commands())
}

// requests are one of each kind, with room for the parameters, and what they call them.
var requests = map[string]string{
	"queryResult.parameters": `{"responseId":"1","session":"projects/p/agent/sessions/s","queryResult":{"parameters":%s}}`,
	"sessionInfo.parameters": `{"detectIntentResponseId":"1","sessionInfo":{"session":"projects/p/sessions/s","parameters":%s}}`,
}

func TestWhatIsMalformedIsAnErrorThatNamesTheMember(t *testing.T) {
	type bad struct{ body, field string }
	all := []bad{
		{``, "body"}, {`{`, "body"}, {`[]`, "body"}, {`"x"`, "body"}, {`null`, "body"}, {`{}`,
			"body"}, {`{} {}`, "body"},
		{`{"responseId":"1","session":"s","queryResult":{}} }`, "body"},
		{"{\"responseId\":\"\xff\"}", "body"},
		{`{"queryResult":7}`, "queryResult"},
		{`{"queryResult":{},"sessionInfo":{}}`, "body"},
		{`{"responseId":"1","session":"s","queryResult":null}`, "body"},
		{`{"session":"s","queryResult":{}}`, "responseId"},
		{`{"responseId":"` + strings.Repeat("x", 240) + `","session":"s","queryResult":{}}`,
			"responseId"},
		{`{"responseId":7,"session":"s","queryResult":{}}`, "responseId"},
		{`{"responseId":"1","queryResult":{}}`, "session"},
		{`{"sessionInfo":{"session":"s"}}`, "detectIntentResponseId"},
		{`{"detectIntentResponseId":"1","sessionInfo":{}}`, "sessionInfo.session"},
	}
	for name, request := range requests {
		for _, parameters := range []string{`7`, `[]`, `"x"`} {
			all = append(all, bad{fmt.Sprintf(request, parameters), name})
		}
		all = append(all, bad{fmt.Sprintf(request, `{"RB_MARKDONE":1e999}`), name + ".RB_MARKDONE"})
		for _, value := range []string{`7`, `true`, `["Sales","Support"]`, `[7]`, `{}`} {
			all = append(all,
				bad{fmt.Sprintf(request, `{"RB_MARKDONE":true,"RB_CATEGORY":`+value+`}`), name +
					".RB_CATEGORY"},
				bad{fmt.Sprintf(request, `{"RB_MARKDONE":true,"RB_SUMMARY":`+value+`}`), name +
					".RB_SUMMARY"})
		}
	}
	for _, b := range all {
		r, err := dialogflow.Parse([]byte(b.body))
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid, b.body)
		require.Equal(t, b.field, invalid.Field, b.body)
		require.Zero(t, r)
		require.Empty(t, r.Commands())
	}
}

func TestARequestThatIsSentAgainDoesNothingTwice(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	riya := convo.ToContact("acme", "riya")
	do := func(cmds ...convo.Command) convo.Result {
		r, err := engine.Do(t.Context(), riya, cmds...)
		require.NoError(t, err)
		return r
	}
	request := func(id, parameters string) []convo.Command {
		r, err := dialogflow.Parse([]byte(`{"responseId":"` + id +
			`","session":"s","queryResult":{"parameters":` + parameters + `}}`))
		require.NoError(t, err)
		return r.Commands()
	}
	first := do(convo.Receive{Body: "Hi"}).Conversation.ID
	done := request("1", `{"RB_MARKDONE":true,"RB_SUMMARY":"Solved."}`)
	closed := do(done...)
	require.Equal(t, convo.OutcomeClosed, closed.Outcome)
	require.Equal(t, convo.SourceDialogflow, closed.Conversation.Cycle.Closing.Source)
	opened := do(request("2", `{"RB_MARKDONE":false}`)...)
	require.Equal(t, convo.OutcomeOpened, opened.Outcome)
	require.Equal(t, convo.SourceDialogflow, opened.Conversation.Cycle.OpenedSource)
	for range 3 {
		require.Equal(t, convo.OutcomeDuplicate, do(request("2",
			`{"RB_MARKDONE":false}`)...).Outcome)
		again := do(done...)
		require.Equal(t, convo.OutcomeDuplicate, again.Outcome,
			"the closing of the first one closes no other")
		require.Equal(t, first, again.Conversation.ID)
	}
	active, err := engine.Active(t.Context(), riya)
	require.NoError(t, err)
	require.Equal(t, opened.Conversation, active)
}

func TestTheWebhookRequestAndTheResponseOfATurnCloseOnce(t *testing.T) {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	riya := convo.ToContact("acme", "riya")
	_, err = engine.Do(t.Context(), riya, convo.Receive{Body: "Thanks, that is all!"})
	require.NoError(t, err)

	request, err := dialogflow.Parse(fixture(t, "es"))
	require.NoError(t, err)
	closed, err := engine.Do(t.Context(), riya, request.Commands()...)
	require.NoError(t, err)
	require.Equal(t, convo.OutcomeClosed, closed.Outcome)

	again, err := engine.Do(t.Context(), riya, convo.Receive{Body: "One more thing"})
	require.NoError(t, err)
	for _, encoded := range []string{"es_response", "es_response_node"} {
		response, err := dialogflow.ParseResponse(fixture(t, encoded))
		require.NoError(t, err)
		late, err := engine.Do(t.Context(), riya, response.Commands()...)
		require.NoError(t, err)
		require.Equal(t, convo.OutcomeDuplicate, late.Outcome)
		require.Equal(t, closed.Conversation.ID, late.Conversation.ID)
	}
	active, err := engine.Active(t.Context(), riya)
	require.NoError(t, err)
	require.Equal(t, again.Conversation.ID, active.ID)
}

func Example() {
	engine, _ := convo.New(memstore.New())
	body := []byte(`{
		"responseId": "5d0a61c8", "session": "projects/teahouse/agent/sessions/riya-7",
		"queryResult": {"parameters": {"RB_MARKDONE": false}}}`)

	request, err := dialogflow.Parse(body)
	if err != nil {
		fmt.Println(err)
		return
	}
	riya := convo.ToContact("acme", request.SessionID())
	for range 2 { // it may be sent again
		result, err := engine.Do(context.Background(), riya, request.Commands()...)
		fmt.Println(result.Outcome, "through", result.Conversation.Cycle.OpenedSource, err)
	}
	// Output:
	// opened through dialogflow <nil>
	// duplicate through dialogflow <nil>
}

// A platform that calls detectIntent knows whose message it sent, and acts on what comes back.
func ExampleParseResponse() {
	ctx := context.Background()
	engine, _ := convo.New(memstore.New())
	riya := convo.ToContact("acme", "riya")
	_, _ = engine.Do(ctx, riya, convo.Receive{Body: "Thanks, that is all!"})
	response := []byte(`{
		"responseId": "5d0a61c8",
		"queryResult": {"parameters": {"RB_MARKDONE": "true", "RB_CATEGORY": "Support"}}}`)

	turn, err := dialogflow.ParseResponse(response)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := engine.Do(ctx, riya, turn.Commands()...)
	closing := result.Conversation.Cycle.Closing
	fmt.Println(result.Outcome, "through", closing.Source, "as", closing.Category, err)
	// Output: closed through dialogflow as Support <nil>
}

func FuzzParse(f *testing.F) {
	f.Add(fixture(f, "es"))
	f.Add(fixture(f, "cx"))
	for _, request := range requests {
		for _, parameters := range []string{`{"RB_MARKDONE":true,"RB_SUMMARY":"x"}`,
			`{"RB_MARKDONE":"no"}`, `[]`} {
			f.Add(fmt.Appendf(nil, request, parameters))
		}
	}
	for _, response := range []string{"es_response", "es_response_node", "cx_response"} {
		f.Add(fixture(f, response))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := dialogflow.Parse(body)
		var invalid *convo.ValidationError
		noRequest := errors.As(err, &invalid) && r == dialogflow.Turn{}
		if noRequest {
			r, err = dialogflow.ParseResponse(body)
		}
		cmds := r.Commands()
		switch {
		case err != nil && (!errors.As(err, &invalid) || r != dialogflow.Turn{} || len(cmds) > 0):
			t.Fatalf("%v, %+v", err, r)
		case err != nil:
			return
		case !json.Valid(body) || r.ID == "" || (r.Session == "") != noRequest || len(cmds) > 1:
			t.Fatalf("%+v", r)
		}
		// What it asks for is refused, if at all, by the engine's own rules.
		_, err = convo.Decide(convo.Snapshot{Ref: convo.ToContact("acme", "riya")},
			convo.Event{}.At.AddDate(2025, 0, 0), nil,
			append([]convo.Command{convo.Open{By: bot}}, cmds...)...)
		if err != nil && !errors.As(err, &invalid) {
			t.Fatal(err)
		}
	})
}
