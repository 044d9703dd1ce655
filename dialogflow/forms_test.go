package dialogflow_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/dialogflow"
)

// form is one way in which Dialogflow gives a parameter.
type form struct {
	name  string
	parse func([]byte) (dialogflow.Turn, error)
	body  string                                // with %s for the parameters
	path  string                                // of the parameters
	put   func(name, value string) (all string) // the parameters with only that one
	after string                                // what follows the parameter's name in its path
}

// forms are all ways. The plain ones are as Google documents them in JSON; those of protobuf are as
// the Node client writes the same messages: a Struct in queryResult, and elsewhere a map of Values.
var forms = func() []form {
	object := func(name, value string) string { return fmt.Sprintf(`{%q:%s}`, name, value) }
	ofIntent := func(name, value string) string {
		return object(name, `{"originalValue":"bye","resolvedValue":`+value+`}`)
	}
	values := func(name, value string) string { return object(name, protobuf(value)) }
	fields := func(name, value string) string { return object("fields", values(name, value)) }
	valuesOfIntent := func(name, value string) string { return ofIntent(name, protobuf(value)) }

	const (
		es = `{"responseId":"1","session":"projects/p/agent/sessions/s",
			"queryResult":{"parameters":%s}}`
		session = `{"detectIntentResponseId":"1",
			"sessionInfo":{"session":"projects/p/locations/l/agents/a/sessions/s","parameters":%s}}`
		intent = `{"detectIntentResponseId":"1","intentInfo":{"parameters":%s},
			"sessionInfo":{"session":"projects/p/locations/l/agents/a/sessions/s"}}`
	)
	const (
		response = `{"responseId":"1","queryResult":{"parameters":%s}}`
		match    = `{"responseId":"1","queryResult":{"parameters":{"size":2},
			"match":{"matchType":"INTENT","parameters":%s}},"responseType":"FINAL"}`
	)
	parse, parseResponse := dialogflow.Parse, dialogflow.ParseResponse
	return []form{
		{"ES request", parse, es, "queryResult.parameters", object, ""},
		{"ES request, protobuf", parse, es, "queryResult.parameters.fields", fields, ""},
		{"CX request", parse, session, "sessionInfo.parameters", object, ""},
		{"CX request, protobuf", parse, session, "sessionInfo.parameters", values, ""},
		{"CX request, intent", parse, intent, "intentInfo.parameters", ofIntent, ".resolvedValue"},
		{"CX request, intent, protobuf", parse, intent, "intentInfo.parameters", valuesOfIntent,
			".resolvedValue"},
		{"ES or CX response", parseResponse, response, "queryResult.parameters", object, ""},
		{"ES or CX response, protobuf", parseResponse, response, "queryResult.parameters.fields",
			fields,
			""},
		{"CX response, match", parseResponse, match, "queryResult.match.parameters", object, ""},
		{"CX response, match, protobuf", parseResponse, match,
			"queryResult.match.parameters.fields",
			fields, ""},
	}
}()

func (f form) with(name, value string) []byte {
	return fmt.Appendf(nil, f.body, f.put(name, value))
}

// protobuf gives value, which is JSON, the form of a protobuf Value.
func protobuf(value string) string {
	var of func(v any) map[string]any
	of = func(v any) map[string]any {
		kind, inside := "", v
		switch v := v.(type) {
		case nil:
			kind, inside = "nullValue", "NULL_VALUE"
		case bool:
			kind = "boolValue"
		case float64:
			kind = "numberValue"
		case string:
			kind = "stringValue"
		case []any:
			all := make([]any, len(v))
			for i := range v {
				all[i] = of(v[i])
			}
			kind, inside = "listValue", map[string]any{"values": all}
		case map[string]any:
			all := map[string]any{}
			for name := range v {
				all[name] = of(v[name])
			}
			kind, inside = "structValue", map[string]any{"fields": all}
		}
		return map[string]any{kind: inside, "kind": kind}
	}
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		panic(err)
	}
	encoded, err := json.Marshal(of(v))
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// unclear is what the table below calls the marks that are an error.
const unclear = dialogflow.Mark(-1)

// marks are what RB_MARKDONE may be, and what each value says.
var marks = []struct {
	json string
	want dialogflow.Mark
}{
	{`true`, dialogflow.MarkedDone},
	{`"true"`, dialogflow.MarkedDone},
	{`"True"`, dialogflow.MarkedDone},
	{`"TRUE"`, dialogflow.MarkedDone},
	{`" true "`, dialogflow.MarkedDone},
	{`1`, dialogflow.MarkedDone},
	{`1.0`, dialogflow.MarkedDone},
	{`"1"`, dialogflow.MarkedDone},
	{`[true]`, dialogflow.MarkedDone},
	{`["true"]`, dialogflow.MarkedDone},
	{`["true","TRUE",1]`, dialogflow.MarkedDone},

	{`false`, dialogflow.MarkedOpen},
	{`"false"`, dialogflow.MarkedOpen},
	{`"FALSE"`, dialogflow.MarkedOpen},
	{`"false\n"`, dialogflow.MarkedOpen},
	{`0`, dialogflow.MarkedOpen},
	{`0.0`, dialogflow.MarkedOpen},
	{`"0"`, dialogflow.MarkedOpen},
	{`["false"]`, dialogflow.MarkedOpen},
	{`[false,false]`, dialogflow.MarkedOpen},

	{`null`, dialogflow.NotMarked},
	{`""`, dialogflow.NotMarked},
	{`" "`, dialogflow.NotMarked},
	{`[]`, dialogflow.NotMarked},
	{`[""]`, dialogflow.NotMarked},

	{`"yes"`, unclear},
	{`"no"`, unclear},
	{`"done"`, unclear},
	{`"truefalse"`, unclear},
	{`"null"`, unclear},
	{`2`, unclear},
	{`-1`, unclear},
	{`0.5`, unclear},
	{`["true","false"]`, unclear},
	{`["true",""]`, unclear},
	{`["","true"]`, unclear},
	{`["yes"]`, unclear},
	{`{}`, unclear},
	{`{"value":true}`, unclear},
	{`{"RB_MARKDONE":true}`, unclear},
	{`[{}]`, unclear},
}

func TestTheMarkSaysTheSameInEveryForm(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			for _, v := range marks {
				for _, name := range []string{"RB_MARKDONE", "rb_markdone", "Rb_MarkDone"} {
					body := f.with(name, v.json)
					turn, err := f.parse(body)
					if v.want == unclear {
						requireInvalid(t, f.path+"."+name+f.after, err, body)
						require.Zero(t, turn, "%s", body)
						continue
					}
					require.NoError(t, err, "%s", body)
					require.Equal(t, v.want, turn.MarkDone, "%s", body)
					require.Equal(t, v.want == dialogflow.NotMarked, len(turn.Commands()) == 0,
						"%s", body)
				}
			}
		})
	}
}

func requireInvalid(t *testing.T, field string, err error, body []byte) {
	t.Helper()
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid, "%s", body)
	require.Equal(t, field, invalid.Field, "%s: %v", body, err)
}

func TestCategoryAndSummaryAreTextsInEveryForm(t *testing.T) {
	for _, f := range forms {
		for value, want := range map[string]string{
			`"Sales"`: "Sales", `["Sales"]`: "Sales", `""`: "", `null`: "", `[]`: "",
		} {
			body := f.with("RB_CATEGORY", value)
			turn, err := f.parse(body)
			require.NoError(t, err, "%s", body)
			require.Equal(t, want, turn.Category, "%s", body)
			turn, err = f.parse(f.with("rb_summary", value))
			require.NoError(t, err, "%s", body)
			require.Equal(t, want, turn.Summary, "%s", body)
		}
		for _, value := range []string{`7`, `true`, `{}`, `[7]`, `["Sales","Support"]`} {
			body := f.with("RB_CATEGORY", value)
			_, err := f.parse(body)
			requireInvalid(t, f.path+".RB_CATEGORY"+f.after, err, body)
		}
	}
}

func TestNoOtherParameterMarksAnything(t *testing.T) {
	for _, f := range forms {
		for _, name := range []string{"MARKDONE", "RB_MARKDONE_2", "fields", "true"} {
			body := f.with(name, `"true"`)
			turn, err := f.parse(body)
			require.NoError(t, err, "%s", body)
			require.Equal(t, dialogflow.NotMarked, turn.MarkDone, "%s", body)
		}
		for _, none := range []string{`{}`, `null`, `{"fields":{}}`} {
			turn, err := f.parse(fmt.Appendf(nil, f.body, none))
			require.NoError(t, err, none)
			require.Equal(t, dialogflow.NotMarked, turn.MarkDone, none)
		}
	}
}

// What looks like protobuf and is not a Value of it is no silent no.
func TestAMalformedProtobufValueIsAnError(t *testing.T) {
	for _, value := range []string{
		`{"kind":"stringValue"}`,
		`{"string_value":"true"}`,
		`{"stringValue":"true","boolValue":false}`,
		`{"nullValue":0,"stringValue":"true"}`,
		`{"structValue":{"fields":{}}}`,
		`{"listValue":["true"]}`,
		`{"listValue":{"value":["true"]}}`,
		`{"listValue":{"values":[{}]}}`,
	} {
		for _, parameters := range []string{`{"RB_MARKDONE":%s}`, `{"fields":{"RB_MARKDONE":%s}}`} {
			body := fmt.Appendf(nil, requests["queryResult.parameters"],
				fmt.Sprintf(parameters, value))
			_, err := dialogflow.Parse(body)
			require.ErrorContains(t, err, "RB_MARKDONE: must be true or false", "%s", body)
		}
	}
}

func TestAnEmptyProtobufListMarksNothing(t *testing.T) {
	const parameters = `{"fields":{"RB_MARKDONE":{"listValue":{}}}}`
	turn, err := dialogflow.Parse(fmt.Appendf(nil, requests["queryResult.parameters"], parameters))
	require.NoError(t, err)
	require.Equal(t, dialogflow.NotMarked, turn.MarkDone)
}

func TestAMarkThatIsGivenTwiceOrInsideAnotherParameterIsAnError(t *testing.T) {
	for parameters, member := range map[string]string{
		`{"RB_MARKDONE":true,"rb_markdone":false}`:                                 ".rb_markdone",
		`{"RB_MARKDONE":true,"rb_markdone":true}`:                                  ".rb_markdone",
		`{"closing":{"RB_MARKDONE":true}}`:                                         ".closing",
		`{"closing":[{"other":1},{"of":{"rb_markdone":true}}]}`:                    ".closing",
		`{"RB_MARKDONE":true,"closing":{"RB_MARKDONE":false}}`:                     ".closing",
		`{"fields":{"RB_MARKDONE":{"boolValue":true}},"size":2}`:                   ".fields",
		`{"fields":{"a":{"structValue":{"fields":{"RB_MARKDONE":{}}}}}}`:           ".fields.a",
		`{"fields":{"RB_MARKDONE":{"boolValue":true},"RB_markdone":{}}}`:           ".fields.RB_markdone",
		`{"RB_MARKDONE":true,"RB_SUMMARY":"Solved.","rb_summary":"Solved, again"}`: ".rb_summary",
	} {
		for path, request := range requests {
			body := fmt.Appendf(nil, request, parameters)
			_, err := dialogflow.Parse(body)
			requireInvalid(t, path+member, err, body)
		}
	}
}

// The contact may write anything, and an agent may keep it in a parameter.
func TestTheValueOfAnotherParameterIsNeitherAMarkNorAnError(t *testing.T) {
	for path, request := range requests {
		body := fmt.Appendf(nil, request, `{"any":"RB_MARKDONE","list":["RB_MARKDONE"],"n":1e999}`)
		turn, err := dialogflow.Parse(body)
		require.NoError(t, err, path)
		require.Equal(t, dialogflow.NotMarked, turn.MarkDone, path)
	}
}

func TestWhatTheSessionSaysCountsMoreThanWhatTheIntentSays(t *testing.T) {
	const request = `{"detectIntentResponseId":"1","sessionInfo":{"session":"s","parameters":%s},
		"intentInfo":{"parameters":{"rb_markdone":{"originalValue":"bye","resolvedValue":true},
		"RB_SUMMARY":{"originalValue":"x","resolvedValue":"Said goodbye."}}}}`
	const response = `{"responseId":"1","queryResult":{"parameters":%s,
		"match":{"parameters":{"rb_markdone":true,"RB_SUMMARY":"Said goodbye."}}}}`
	for session, want := range map[string]dialogflow.Turn{
		`{}`:                      {MarkDone: dialogflow.MarkedDone, Summary: "Said goodbye."},
		`{"RB_MARKDONE":false}`:   {MarkDone: dialogflow.MarkedOpen, Summary: "Said goodbye."},
		`{"RB_MARKDONE":null}`:    {MarkDone: dialogflow.NotMarked, Summary: "Said goodbye."},
		`{"RB_SUMMARY":"Solved"}`: {MarkDone: dialogflow.MarkedDone, Summary: "Solved"},
	} {
		turn, err := dialogflow.Parse(fmt.Appendf(nil, request, session))
		require.NoError(t, err, session)
		want.ID, want.Session = "1", "s"
		require.Equal(t, want, turn, session)
		turn, err = dialogflow.ParseResponse(fmt.Appendf(nil, response, session))
		require.NoError(t, err, session)
		want.Session = ""
		require.Equal(t, want, turn, session)
	}
}

func TestAParameterOfAnIntentHasItsValueInResolvedValue(t *testing.T) {
	const request = `{"detectIntentResponseId":"1","sessionInfo":{"session":"s"},
		"intentInfo":{"parameters":{"RB_MARKDONE":%s}}}`
	for _, value := range []string{
		`true`, `null`, `{}`, `{"originalValue":"true"}`, `{"stringValue":"true"}`,
	} {
		body := fmt.Appendf(nil, request, value)
		_, err := dialogflow.Parse(body)
		requireInvalid(t, "intentInfo.parameters.RB_MARKDONE", err, body)
	}
}

func TestAResponseMarksDoneInWhateverWayItIsEncoded(t *testing.T) {
	for name, want := range map[string]convo.Close{
		"es_response": {
			Key:      "dialogflow:close:5d0a61c8-1f0e-4b6c-9b53-2a6f6d9c7e01-e13762d2",
			Category: "Support", Summary: "Issue resolved: Replaced defective item.",
		},
		"es_response_node": {
			Key:      "dialogflow:close:5d0a61c8-1f0e-4b6c-9b53-2a6f6d9c7e01-e13762d2",
			Category: "Support", Summary: "Issue resolved: Replaced defective item.",
		},
		"cx_response": {
			Key: "dialogflow:close:0c5f2f0e-58f1-4a43-9b2c-8d0f6f0a7b11", Category: "Sales",
		},
	} {
		turn, err := dialogflow.ParseResponse(fixture(t, name))
		require.NoError(t, err, name)
		require.Empty(t, turn.Session, name)
		require.Empty(t, turn.SessionID(), name)
		want.By, want.Source = bot, convo.SourceDialogflow
		require.Equal(t, []convo.Command{want}, turn.Commands(), name)
	}
}

func TestTheErrorNamesTheFunctionThatReadsTheOtherKind(t *testing.T) {
	for _, response := range []string{"es_response", "es_response_node", "cx_response"} {
		body := fixture(t, response)
		_, err := dialogflow.Parse(body)
		requireInvalid(t, "session", err, body)
		require.ErrorContains(t, err, "ParseResponse")
	}
	body := fixture(t, "cx")
	_, err := dialogflow.ParseResponse(body)
	requireInvalid(t, "queryResult", err, body)
	require.ErrorContains(t, err, "Parse reads")
}

func TestAMalformedResponseIsAnErrorThatNamesTheMember(t *testing.T) {
	for body, field := range map[string]string{
		``:                          "body",
		`[]`:                        "body",
		`null`:                      "queryResult",
		`{}`:                        "queryResult",
		`{"responseId":"1"}`:        "queryResult",
		`{"queryResult":{}}`:        "responseId",
		`{"responseId":7}`:          "responseId",
		`{"responseId":"1",`:        "body",
		"{\"responseId\":\"\xff\"}": "body",
		`{"responseId":"1","queryResult":{"parameters":[]}}`:           "queryResult.parameters",
		`{"responseId":"1","queryResult":{"match":7}}`:                 "queryResult.match",
		`{"responseId":"1","queryResult":{"match":{"parameters":7}}}`:  "queryResult.match.parameters",
		`{"response_id":"1","query_result":{"parameters":{}}}`:         "queryResult",
		`{"responseId":"1","detectIntentResponse":{"queryResult":{}}}`: "queryResult",
	} {
		turn, err := dialogflow.ParseResponse([]byte(body))
		requireInvalid(t, field, err, []byte(body))
		require.Zero(t, turn, body)
	}
}

func FuzzTheMarkSaysTheSameInEveryForm(f *testing.F) {
	for _, v := range marks {
		f.Add(v.json)
	}
	f.Fuzz(func(t *testing.T, value string) {
		// An object may itself look like a Value of protobuf, and nesting has a limit.
		var v any
		if !utf8.ValidString(value) || strings.ContainsRune(value, '{') || len(value) > 1000 ||
			json.Unmarshal([]byte(value), &v) != nil {
			t.Skip("no plain JSON value of a usual length: other tests have those")
		}
		want, wantErr := forms[0].parse(forms[0].with("RB_MARKDONE", value))
		for _, f := range forms {
			turn, err := f.parse(f.with("RB_MARKDONE", value))
			if turn.MarkDone != want.MarkDone || (err == nil) != (wantErr == nil) {
				t.Fatalf("%s is %v, %v in %s, but %v, %v in %s", value,
					turn.MarkDone, err, f.name, want.MarkDone, wantErr, forms[0].name)
			}
		}
	})
}
