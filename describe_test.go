package convo_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

// patched is what a conversation has after patches.
func patched(t *testing.T, patches ...string) convo.Attributes {
	t.Helper()
	d := openDesk(t)
	d.do(toContact("carl"), convo.Open{By: agentAna})
	var c convo.Conversation
	for _, patch := range patches {
		c = d.do(toContact("carl"), convo.Describe{
			By: agentAna, Attributes: json.RawMessage(patch),
		}).Conversation
	}
	return c.Attributes
}

// Those of the cases of RFC 7396, appendix A, that are of objects.
func TestAttributesAreMergedAsTheStandardSays(t *testing.T) {
	for _, c := range []struct{ original, patch, result string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, ``},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":[null]}`, `{"a":1}`, `{"a":1,"e":[null]}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"b":1,"a":2}`, `{}`, `{"a":2,"b":1}`},
		{`{"n":12345678901234567890}`, `{"m":1.0}`, `{"m":1.0,"n":12345678901234567890}`},
		{`{"<&>":"\u003c"}`, `null`, `{"<&>":"<"}`},
	} {
		assert.Equal(t, c.result, string(patched(t, c.original, c.patch)), "%s, %s", c.original,
			c.patch)
	}
}

func TestAPatchTwiceIsAPatchOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.SampledFrom([]string{
			`null`, `1`, `"x"`, `{}`, `{"a":1}`, `{"a":null}`, `{"a":{"b":null,"c":2}}`, `[1]`,
		})
		object := func(label string) string {
			return `{"a":` + value.Draw(r, label+" a") + `,"b":` + value.Draw(r, label+" b") + `}`
		}
		original, patch := object("original"), object("patch")
		once := patched(t, original, patch)
		require.Equal(r, once, patched(t, original, patch, patch))
		data, err := json.Marshal(once)
		require.NoError(r, err)
		var back convo.Attributes
		require.NoError(r, json.Unmarshal(data, &back))
		var want map[string]any
		require.NoError(r, json.Unmarshal(data, &want))
		require.Len(r, back.Map(), len(want))
	})
}

func TestLabelsAreEachThereOnceAndInOrder(t *testing.T) {
	l := convo.TokensOf("b", "a", "b", "é")
	assert.Equal(t, []string{"a", "b", "é"}, l.All())
	assert.Equal(t, l, convo.TokensOf("é", "b", "a"))
	assert.True(t, l.Has("a"))
	assert.False(t, l.Has("A"))
	assert.False(t, l.Has(""))
	assert.False(t, convo.Tokens("").Has(""))
	assert.Empty(t, convo.TokensOf().All())
	data, err := json.Marshal(struct{ L, None convo.Tokens }{l, ""})
	require.NoError(t, err)
	assert.JSONEq(t, `{"L":["a","b","é"],"None":[]}`, string(data))
	var back convo.Tokens
	require.NoError(t, json.Unmarshal([]byte(`["é","a","b","a"]`), &back))
	assert.Equal(t, l, back)
	for _, bad := range []string{`"a"`, `[1]`, `[""]`, `["a\nb"]`} {
		assert.ErrorIs(t, json.Unmarshal([]byte(bad), &back), convo.ErrInvalid, bad)
	}
}

func TestPrioritiesHaveNames(t *testing.T) {
	var all []string
	for p := convo.PriorityNone; p <= convo.PriorityUrgent; p++ {
		data, err := json.Marshal(p)
		require.NoError(t, err)
		var back convo.Priority
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, p, back)
		all = append(all, p.String())
	}
	assert.Equal(t, []string{"none", "low", "medium", "high", "urgent"}, all)
	var p convo.Priority
	assert.ErrorIs(t, json.Unmarshal([]byte(`"asap"`), &p), convo.ErrInvalid)
	_, err := json.Marshal(convo.Priority(9))
	assert.ErrorIs(t, err, convo.ErrInvalid)
	assert.Equal(t, "priority 9", convo.Priority(9).String())
}

// What an agent says of a conversation is no sign of life, and moves no timer.
func TestDescribingIsNoActivity(t *testing.T) {
	d := openDesk(t)
	c := d.do(toContact("carl"), convo.Open{By: agentAna}).Conversation
	d.wait(1)
	for _, name := range []convo.CommandName{
		convo.CommandLabel, convo.CommandPrioritize, convo.CommandDescribe,
		convo.CommandSetProfile,
	} {
		now := d.do(toContact("carl"), sample[name]).Conversation
		assert.Equal(t, c.LastActivityAt, now.LastActivityAt, name)
		assert.Equal(t, c.DueAt, now.DueAt, name)
		assert.Equal(t, c.Cycle, now.Cycle, name)
	}
}

func TestABlockedContactCanBeDescribed(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Block{By: agentAna})
	for _, name := range []convo.CommandName{
		convo.CommandLabel, convo.CommandPrioritize, convo.CommandDescribe,
		convo.CommandSetProfile,
	} {
		d.do(toContact("carl"), sample[name])
	}
}

// What cannot be is refused as what it is, also behind a key that was applied.
func TestABadDescriptionBehindAnAppliedKeyIsRefused(t *testing.T) {
	d := openDesk(t)
	open := convo.Open{By: agentAna, Key: "k"}
	d.do(toContact("carl"), open)
	for _, bad := range []convo.Command{
		convo.Prioritize{By: agentAna, Priority: 9},
		convo.Describe{By: agentAna, Attributes: json.RawMessage(`{"a":`)},
		&convo.Label{By: agentAna},
	} {
		_, err := d.Do(t.Context(), toContact("carl"), open, bad)
		assert.Error(t, err, "%T", bad)
	}
	for _, bad := range []string{`{"n":1e400}`, `{"n":[-1e999]}`} {
		requireInvalid(t, "attributes", d.refuses(toContact("carl"),
			convo.Describe{By: agentAna, Attributes: json.RawMessage(bad)}))
	}
	_, err := convo.UntrustedCommands([]byte("[{\"command\":\"label\",\"add\":[\"\xff\"]}]"),
		agentAna, convo.CommandLabel)
	requireInvalid(t, "commands", err)
	lines := "\u2028\u2029"
	assert.Equal(t, `{"a":"`+lines+`"}`, string(patched(t, `{"a":"`+lines+`"}`)))
	assert.Equal(t, []string{"a"}, convo.TokensOf("", "a").All())
}
