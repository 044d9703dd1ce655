package dialogflow_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/dialogflow"
)

// form is one way in which Dialogflow gives a parameter.
type form struct {
	name  string
	parse func([]byte) (dialogflow.Request, error)
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
	parse := dialogflow.Parse
	return []form{
		{"ES request", parse, es, "queryResult.parameters", object, ""},
		{"ES request, protobuf", parse, es, "queryResult.parameters.fields", fields, ""},
		{"CX request", parse, session, "sessionInfo.parameters", object, ""},
		{"CX request, protobuf", parse, session, "sessionInfo.parameters", values, ""},
		{"CX request, intent", parse, intent, "intentInfo.parameters", ofIntent, ".resolvedValue"},
		{"CX request, intent, protobuf", parse, intent, "intentInfo.parameters", valuesOfIntent,
			".resolvedValue"},
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

func TestTheMarkSaysTheSameInEveryForm(t *testing.T) {
	values := []struct {
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
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			for _, v := range values {
				for _, name := range []string{"RB_MARKDONE", "rb_markdone", "Rb_MarkDone"} {
					body := f.with(name, v.json)
					r, err := f.parse(body)
					if v.want == unclear {
						requireInvalid(t, f.path+"."+name+f.after, err, body)
						require.Zero(t, r, "%s", body)
						continue
					}
					require.NoError(t, err, "%s", body)
					require.Equal(t, v.want, r.MarkDone, "%s", body)
					require.Equal(t, v.want == dialogflow.NotMarked, len(r.Commands()) == 0, "%s", body)
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
			r, err := f.parse(body)
			require.NoError(t, err, "%s", body)
			require.Equal(t, want, r.Category, "%s", body)
			r, err = f.parse(f.with("rb_summary", value))
			require.NoError(t, err, "%s", body)
			require.Equal(t, want, r.Summary, "%s", body)
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
			r, err := f.parse(body)
			require.NoError(t, err, "%s", body)
			require.Equal(t, dialogflow.NotMarked, r.MarkDone, "%s", body)
		}
		for _, none := range []string{`{}`, `null`, `{"fields":{}}`} {
			r, err := f.parse(fmt.Appendf(nil, f.body, none))
			require.NoError(t, err, none)
			require.Equal(t, dialogflow.NotMarked, r.MarkDone, none)
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
			body := fmt.Appendf(nil, requests["queryResult.parameters"], fmt.Sprintf(parameters, value))
			_, err := dialogflow.Parse(body)
			require.ErrorContains(t, err, "RB_MARKDONE: must be true or false", "%s", body)
		}
	}
}

func TestAnEmptyProtobufListMarksNothing(t *testing.T) {
	const parameters = `{"fields":{"RB_MARKDONE":{"listValue":{}}}}`
	r, err := dialogflow.Parse(fmt.Appendf(nil, requests["queryResult.parameters"], parameters))
	require.NoError(t, err)
	require.Equal(t, dialogflow.NotMarked, r.MarkDone)
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
func TestAValueThatIsCalledLikeTheMarkIsNone(t *testing.T) {
	for path, request := range requests {
		r, err := dialogflow.Parse(fmt.Appendf(nil, request, `{"any":"RB_MARKDONE","list":["RB_MARKDONE"]}`))
		require.NoError(t, err, path)
		require.Equal(t, dialogflow.NotMarked, r.MarkDone, path)
	}
}

func TestWhatTheSessionSaysCountsMoreThanWhatTheIntentSays(t *testing.T) {
	const request = `{"detectIntentResponseId":"1","sessionInfo":{"session":"s","parameters":%s},
		"intentInfo":{"parameters":{"rb_markdone":{"originalValue":"bye","resolvedValue":true},
		"RB_SUMMARY":{"originalValue":"x","resolvedValue":"Said goodbye."}}}}`
	for session, want := range map[string]dialogflow.Request{
		`{}`:                      {MarkDone: dialogflow.MarkedDone, Summary: "Said goodbye."},
		`{"RB_MARKDONE":false}`:   {MarkDone: dialogflow.MarkedOpen, Summary: "Said goodbye."},
		`{"RB_MARKDONE":null}`:    {MarkDone: dialogflow.NotMarked, Summary: "Said goodbye."},
		`{"RB_SUMMARY":"Solved"}`: {MarkDone: dialogflow.MarkedDone, Summary: "Solved"},
	} {
		r, err := dialogflow.Parse(fmt.Appendf(nil, request, session))
		require.NoError(t, err, session)
		want.ID, want.Session = "1", "s"
		require.Equal(t, want, r, session)
	}
}

func TestAParameterOfAnIntentHasItsValueInResolvedValue(t *testing.T) {
	const request = `{"detectIntentResponseId":"1","sessionInfo":{"session":"s"},
		"intentInfo":{"parameters":{"RB_MARKDONE":%s}}}`
	for _, value := range []string{`true`, `null`, `{}`, `{"originalValue":"true"}`, `{"stringValue":"true"}`} {
		body := fmt.Appendf(nil, request, value)
		_, err := dialogflow.Parse(body)
		requireInvalid(t, "intentInfo.parameters.RB_MARKDONE", err, body)
	}
}
