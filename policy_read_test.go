package convo_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// berlin is a calendar in JSON.
const berlin = `{"zone":"Europe/Berlin","days":{"monday":[{"from":"09:00","to":"17:00"}]}}`

func TestAPolicyOfALaterVersionIsReadAsFarAsItIsKnown(t *testing.T) {
	long := time.Hour
	for name, c := range map[string]struct {
		saved   string
		want    convo.Policy
		ignored []string
	}{
		"nothing is unknown": {
			`{"receive":{"mode":"reject"},"max_body":10}`,
			convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReject}, MaxBody: 10}, nil,
		},
		"a field": {
			`{"emoji":{"a":[1]},"receive":{"mode":"reject","unless":"vip"},"max_body":10}`,
			convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReject}, MaxBody: 10},
			[]string{"emoji", "receive.unless"},
		},
		"a value": {
			`{"receive":{"mode":"escalate","window":"1h"},"merge":"split","summary":"required"}`,
			convo.Policy{Summary: convo.RuleRequired}, []string{"merge", "receive"},
		},
		"a notice": {
			`{"notices":{"conversation_closed":"both","conversation_reopened":"bots"}}`,
			convo.Policy{}, []string{"notices"},
		},
		"a higher limit": {
			`{"max_body":99999999999,"ratings":{"min":0,"max":1000}}`,
			convo.Policy{}, []string{"max_body", "ratings"},
		},
		"a longer category": {
			`{"categories":["Sales","\n"]}`, convo.Policy{}, []string{"categories"},
		},
		"what a deadline does": {
			`{"deadlines":[{"name":"a","after":"1h","since":"opened","do":"explode"},` +
				`{"name":"b","after":"1h","since":"opened"},` +
				`{"name":"c","after":"1h","since":"moon"}]}`,
			convo.Policy{Deadlines: []convo.Deadline{
				{Name: "b", After: convo.Duration(long), Since: convo.SinceOpened},
			}}, []string{`deadlines["a"]`, `deadlines["c"]`},
		},
		"an exception of a deadline": {
			`{"deadlines":[{"name":"a","after":"1h","since":"opened"},` +
				`{"name":"b","after":"1h","since":"opened","do":"close","unless":{"vip":true}},` +
				`{"name":"c","after":"1h","since":"opened","x":1}]}`,
			convo.Policy{Deadlines: []convo.Deadline{
				{Name: "a", After: convo.Duration(long), Since: convo.SinceOpened},
			}}, []string{`deadlines["b"]`, `deadlines["c"]`},
		},
		"an exception of auto_close": {
			`{"auto_close":{"after":"1h","unless":{"vip":true}}}`,
			convo.Policy{}, []string{"auto_close"},
		},
		"since when auto_close counts": {
			`{"auto_close":{"after":"1h","since":"moon"}}`,
			convo.Policy{}, []string{"auto_close"},
		},
		"a field of a calendar, and who goes by it": {
			`{"calendars":{"berlin":{"lunch":"12:00",` + berlin[1:] + `},"deadlines":[` +
				`{"name":"a","after":"1h","hours":"berlin","since":"opened"}]}`,
			convo.Policy{Calendars: map[string]convo.Hours{}, Deadlines: []convo.Deadline{}},
			[]string{`calendars["berlin"]`, `deadlines["a"]`},
		},
		"a day of a calendar, and who goes by it": {
			`{"calendars":{"berlin":{"zone":"UTC","days":{"lunedi":[]}}},"deadlines":[` +
				`{"name":"a","after":"1h","hours":"berlin","since":"opened"}]}`,
			convo.Policy{Calendars: map[string]convo.Hours{}, Deadlines: []convo.Deadline{}},
			[]string{`calendars["berlin"]`, `deadlines["a"]`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, ignored, err := convo.ReadPolicy([]byte(c.saved))
			require.NoError(t, err)
			assert.Equal(t, c.want, p)
			assert.Equal(t, c.ignored, ignored)
			require.NoError(t, p.Validate(), "or every message would fail")
			var strict convo.Policy
			err = json.Unmarshal([]byte(c.saved), &strict)
			if err == nil {
				err = strict.Validate()
			}
			assert.Equal(t, c.ignored == nil, err == nil, "what is saved is checked: %v", err)
		})
	}
}

func TestWhatIsNoPolicyIsNotReadAsOne(t *testing.T) {
	for _, text := range []string{
		``, `{`, `[]`, `{"receive":"reject"}`, `{"max_skew":5}`, `{"max_skew":"soon"}`,
		`{"deadlines":{}}`,
	} {
		_, _, err := convo.ReadPolicy([]byte(text))
		var invalid *convo.ValidationError
		assert.ErrorAs(t, err, &invalid, text)
	}
}

// What presets and the fullest policy say is read as it was saved.
func TestAPolicyIsReadAsItWasSaved(t *testing.T) {
	for _, p := range []convo.Policy{
		everything(), convo.InboxPolicy(), convo.WorkflowPolicy(), convo.LiveChatPolicy(),
	} {
		text, err := json.Marshal(p)
		require.NoError(t, err)
		read, ignored, err := convo.ReadPolicy(text)
		require.NoError(t, err)
		assert.Equal(t, p, read)
		assert.Empty(t, ignored)
	}
}

// A message of a tenant whose policy a later version has saved is taken.
func TestAnUnknownFieldOfAStoredPolicyStopsNoMessage(t *testing.T) {
	saved := []byte(`{"receive":{"mode":"escalate"},"escalation":{"after":"1h"}}`)
	engine, err := convo.New(memstore.New(), convo.WithPolicies(
		func(context.Context, convo.Scope) (*convo.Policy, error) {
			p, ignored, err := convo.ReadPolicy(saved)
			assert.Equal(t, []string{"escalation", "receive"}, ignored)
			return &p, err
		}))
	require.NoError(t, err)
	r, err := engine.Do(t.Context(), convo.ToContact("acme", "riya"), convo.Receive{Body: "Hi"})
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeOpened, r.Outcome)
}
