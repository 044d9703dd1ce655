package convo_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

func TestAnIdentityIsAnEMailAddressOrAPhoneNumberInOneSpelling(t *testing.T) {
	for value, want := range map[string]string{
		"+4912345":               "+4912345",
		"+49 (123) 45-67.89/0":   "+49123456789" + "0",
		" +4912345 ":             "+4912345",
		"Ana.B+shop@Example.ORG": "ana.b+shop@example.org",
		" ana@example.org ":      "ana@example.org",
		"müller@bücher.example":  "müller@bücher.example",
		"MÜLLER@BÜCHER.example":  "müller@bücher.example",

		"4912345":           "", // of which country?
		"+491":              "",
		"+1234567890123456": "",
		"+49123x45":         "",
		"+49١٢٣٤٥":          "",
		"++4912345":         "",
		"+":                 "",
		"":                  "",
		"ana":               "",
		"@ana":              "",
		"@ana.b":            "",
		"ana@":              "",
		"ana@host":          "",
		"ana@.org.":         "",
		"ana@b@example.org": "",
		"ana b@example.org": "",
		"6f1c-visitor":      "",
		"17841400008460056": "", // an id of Instagram
		// which is longer in lower case than an identity may be
		strings.Repeat("Ⱥ", 120) + "@example.org": "",
	} {
		require.Equal(t, want, convo.Address{Channel: "any", Value: value}.Identity(), "%q", value)
	}
}

func FuzzIdentity(f *testing.F) {
	for _, s := range []string{"+49 123-45 67", "Ana@Example.org", "İ@x.y", "ana"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		id := convo.Address{Value: value}.Identity()
		again := convo.Address{Value: id}.Identity()
		if id != "" && (again != id || len(id) > max(convo.MaxID, len(value))) {
			t.Fatalf("%q is %q, which is %q", value, id, again)
		}
	})
}

func shared(contact, channel, value string) convo.Suggestion {
	return convo.Suggestion{Contact: contact, Address: convo.Address{Channel: channel,
		Value: value}}
}

func TestContactsThatShareAnEMailAddressOrPhoneNumberAreSuggestedForMerging(t *testing.T) {
	engine, _ := exampleEngine()
	open := convo.Open{By: convo.ByUser("ana")}
	link := func(workspace, contact, channel, value string) {
		try(engine.Do(t.Context(), convo.Ref{Workspace: workspace, Contact: contact,
			Address: convo.Address{Channel: channel, Value: value}}, open))
	}
	link("acme", "riya", "whatsapp", "+4912345")
	link("acme", "riya", "email", "riya@example.org")
	link("acme", "riya", "sms", "+49 12345") // her own, again
	link("acme", "riya", "webchat", "visitor-1")
	link("acme", "caller", "voice", "+49-12345")
	link("acme", "texter", "sms", "+4912345")
	link("acme", "writer", "email", "Riya@Example.org")
	link("acme", "stranger", "email", "susan@example.org")
	link("acme", "visitor", "facebook", "visitor-1") // an id of the channel says nothing
	link("other", "namesake", "whatsapp", "+4912345")

	riya := convo.ToContact("acme", "riya")
	want := []convo.Suggestion{
		shared("texter", "sms", "+4912345"), shared("caller", "voice",
			"+49-12345"), shared("writer", "email", "Riya@Example.org"),
	}
	suggestions := func(to convo.Ref) []convo.Suggestion {
		return try(engine.Suggestions(t.Context(), to, convo.Address{}, 0))
	}
	require.Equal(t, want, suggestions(riya))
	require.Equal(t, want, suggestions(convo.ToAddress("acme", "webchat", "visitor-1")))
	require.Empty(t, suggestions(convo.ToContact("acme", "stranger")))
	require.Empty(t, suggestions(convo.ToContact("acme", "visitor")))
	for limit := 1; limit <= len(want)+1; limit++ {
		var all []convo.Suggestion
		for after := (convo.Address{}); ; after = all[len(all)-1].Address {
			page := try(engine.Suggestions(t.Context(), riya, after, limit))
			if all = append(all, page...); len(page) < limit {
				break
			}
		}
		require.Equal(t, want, all, "pages of %d", limit)
	}

	// A merge ends them, and brings those of the other.
	try(engine.Merge(t.Context(), convo.Merge{Workspace: "acme", Primary: "texter",
		Secondary: "riya", By: convo.ByUser("ana")}))
	merged := []convo.Suggestion{want[1], want[2]}
	require.Equal(t, merged, suggestions(riya))
	require.Equal(t, merged, suggestions(convo.ToContact("acme", "texter")))
	require.Equal(t, []convo.Suggestion{shared("texter", "email", "riya@example.org")},
		suggestions(convo.ToContact("acme", "writer")))
}

func TestSuggestionsSayWhatTheyCannotDo(t *testing.T) {
	engine, _ := exampleEngine()
	_, err := engine.Suggestions(t.Context(), convo.ToContact("acme", "nobody"), convo.Address{}, 0)
	require.ErrorIs(t, err, convo.ErrNotFound)
	for _, limit := range []int{-1, convo.MaxPageSize + 1} {
		_, err = engine.Suggestions(t.Context(), convo.ToContact("acme", "nobody"), convo.Address{},
			limit)
		var invalid *convo.ValidationError
		require.ErrorAs(t, err, &invalid)
		require.Equal(t, "limit", invalid.Field)
	}
	engine = engine.With(struct{ convo.Store }{memstore.New()})
	_, err = engine.Suggestions(t.Context(), convo.ToContact("acme", "nobody"), convo.Address{}, 0)
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestAContactIsNewInTheFirstCycleOfItsFirstConversation(t *testing.T) {
	engine, now := exampleEngine()
	susan := convo.ToAddress("acme", "whatsapp", "+4912345")
	ana := convo.ByUser("ana")
	returning := func(cmds ...convo.Command) bool {
		now.Add(1000)
		r := try(engine.Do(t.Context(), susan, cmds...))
		return r.Conversation.Returning()
	}
	require.False(t, returning(convo.Receive{Body: "Hi"}))
	require.False(t, returning(convo.Close{By: ana}))
	require.True(t, returning(convo.Receive{Body: "Hi again"}), "another conversation")
	require.True(t, returning(convo.Close{By: ana}))
	susan = convo.ToAddress("acme", "whatsapp", "+4967890")
	require.False(t, returning(convo.Open{By: ana}, convo.Close{By: ana}))
	require.True(t, returning(convo.Reopen{By: ana}), "another cycle")

	try(engine.Do(t.Context(), convo.ToContact("acme", "older"), convo.Open{By: ana}))
	now.Add(1000)
	try(engine.Do(t.Context(), convo.ToContact("acme", "primary"), convo.Open{By: ana}))
	m := try(engine.Merge(t.Context(), convo.Merge{Workspace: "acme", Primary: "primary",
		Secondary: "older", By: ana}))
	require.False(t, m.Conversations[0].Returning(), "it was the first one, and a merge changes that not")
}

// Somebody writes by WhatsApp and by e-mail, and says so: the two contacts are found to be one.
func ExampleEngine_Suggestions() {
	engine, _ := exampleEngine()
	shop := convo.ByUser("ana")
	try(engine.Do(ctx, convo.ToAddress("acme", "whatsapp", "+4912345"),
		convo.Receive{Body: "Hi, it's Riya."}))
	try(engine.Do(ctx, convo.Ref{Workspace: "acme", Contact: "riya",
		Address: convo.Address{Channel: "sms", Value: "+49 123-45"}},
		convo.Open{By: shop}))

	riya := convo.ToContact("acme", "riya")
	for _, s := range try(engine.Suggestions(ctx, riya, convo.Address{}, 0)) {
		fmt.Println("also on", s.Address.Channel)
		try(engine.Merge(ctx, convo.Merge{Workspace: "acme", Primary: "riya", Secondary: s.Contact,
			By: shop}))
	}
	fmt.Println(len(try(engine.Addresses(ctx, riya))), "addresses")
	// Output:
	// also on whatsapp
	// 2 addresses
}
