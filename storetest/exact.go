package storetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

func exactCases() []testCase {
	cases := []testCase{
		{
			"Fields/of events and of the state come back as they were decided",
			"what is committed is what is read, in every field",
			func(s *suite) { s.story(acme) },
		},
		{
			"Times/come back to the microsecond, from 1900 to 2189, and timers beyond",
			"times are UTC in whole microseconds",
			keepsTimes,
		},
		{
			"Texts/come back byte for byte, up to the limits",
			"bodies, summaries and attachments are kept as they are",
			keepsTexts,
		},
		{
			"Identifiers/may all be as long as they may be",
			"ids, channels, addresses, keys and tokens have up to 255 bytes",
			keepsLongIdentifiers,
		},
	}
	for _, r := range roles {
		cases = append(cases, testCase{
			"Identifiers/are exact in " + r.name,
			"identifiers are compared byte for byte",
			func(s *suite) { r.tellApart(s) },
		})
	}
	return cases
}

// story drives a workspace through all kinds of event and fills every field of the state.
func (s *suite) story(workspace string, opts ...convo.Option) {
	e := s.with(append(opts, convo.WithPolicy(convo.Policy{
		UnassignOnClose: true,
		Notices: convo.Notices{
			Closed:    convo.AudienceBoth,
			Reopened:  convo.AudienceUsers,
			Restarted: convo.AudienceContact,
		},
		RestartFlow: true,
		AutoClose: convo.AutoClose{
			After:    convo.Duration(time.Hour),
			Category: "Idle",
			Summary:  "No answer",
		},
		Deadlines: convo.ServiceLevel(1000*time.Hour, 2000*time.Hour, ""),
		Merge:     convo.MergeTransfer,
	}))...)
	do := func(to convo.Ref, cmds ...convo.Command) {
		s.clock.add(1234567 * time.Microsecond)
		s.by(e, to, cmds...)
	}
	person := func(contact, channel, value string) convo.Ref {
		return convo.Ref{
			Workspace: workspace,
			Contact:   contact,
			Address:   convo.Address{Channel: channel, Value: value},
		}
	}
	riya, tom := person("riya", "whatsapp", "+4912345"), person("tom", "mail", "tom@example.com")
	lee, mia := person("lee", "webchat", "session 7"), person("mia", "viber", "+4367890")
	picture := json.RawMessage(`[{"url": "https://example.com/a.png", "size": 1.0}]`)

	do(riya, convo.Receive{ExternalID: "in 1", Body: "Hello\n\"you\" 😀", Attachments: picture})
	do(riya, convo.Assign{By: bot, Assignee: "bo", Team: "sales"})
	do(riya, convo.Send{By: bot, Body: "One moment"})
	do(riya, convo.Assign{By: ana, Assignee: "ana", Team: "support"})
	do(riya, convo.Send{By: ana, ExternalID: "out 1", Body: "Hello Riya", Attachments: picture})
	do(riya, convo.Note{By: ana, Key: "note 1", Body: "A regular", Attachments: picture})
	do(riya, convo.Receive{Body: "A question", SentAt: s.clock.Now()})
	do(riya, convo.SetPending{By: ana, Until: s.clock.Now().Add(time.Hour)})
	do(riya, convo.Receive{ExternalID: "in 2", Body: "Any news?"})
	do(riya, convo.SetPending{By: ana})
	do(riya, convo.Resume{By: bot, Source: convo.SourceDialogflow})
	do(riya, convo.Close{By: ana, Category: "Sales", Summary: "Sold"})
	do(riya, convo.Rate{Score: 4, Comment: "Quick\n"})
	do(riya, convo.AmendClosing{By: ana, Category: "Support", Summary: "Solved"})
	do(riya, convo.Reopen{By: convo.ByContact()})
	do(riya, convo.Send{By: ana, Body: "Welcome back"})
	do(riya, convo.Rate{Cycle: 1, Score: 5, Comment: "Thanks"})
	s.clock.add(2 * time.Hour)
	n, err := e.Tick(s.ctx, 10) // closes for inactivity
	s.NoError(err)
	s.Equal(1, n)
	sent := s.clock.Now().Add(-time.Hour)
	do(riya, convo.Send{By: bot, Quiet: true, SentAt: sent, Body: "News", Attachments: picture})
	do(riya, convo.Block{By: ana, Reason: "Spam"})
	do(riya, convo.Unblock{By: ana})

	do(
		tom,
		convo.Open{By: bot, Source: convo.SourceWelcomeEvent},
		convo.Send{By: bot, Body: "Can I help?"},
	)
	do(tom, convo.Receive{ExternalID: "in 1", Body: "Yes"})
	s.clock.add(time.Second)
	s.merge(e, workspace, "riya", "tom") // tom's conversation moves
	do(lee, convo.Receive{ExternalID: "in 1", Body: "Hi"})
	s.clock.add(time.Second)
	s.merge(e, workspace, "riya", "lee") // lee's is closed
	do(lee, convo.Send{By: ana, Body: "So you are Riya"})
	zoe := person("zoe", "mail", "zoe@example.com")
	do(zoe, convo.Receive{
		Quiet: true, ExternalID: "<1@example.com>", SentAt: sent, Body: "I am away\n",
		Attachments: picture,
	})
	do(zoe, convo.Send{By: ana, Quiet: true, Key: "news 1", Body: "News"})
	do(zoe, convo.Open{By: ana})
	do(
		mia,
		convo.Receive{ExternalID: "in 1", Body: "Hi"},
		convo.SetPending{By: ana, Until: s.clock.Now().Add(24 * time.Hour)},
	)
	do(mia, convo.Close{By: ana}, convo.Reopen{By: bot}, convo.Close{By: bot}, convo.Open{By: bot})
	do(mia, convo.SetPending{
		By: ana, Until: s.clock.Now().Add(time.Hour), OnReceive: convo.OnReceiveStay,
	})
	do(mia.In("orders"), convo.Receive{Body: "Where is it?"})
	do(mia.In("orders"), convo.Assign{By: ana, Assignee: "ana"})
	do(mia.In("orders"), convo.Label{By: ana, Add: []string{"vip", "é", "order 7"}})
	do(mia.In("orders"), convo.Label{By: bot, Remove: []string{"vip"}})
	do(mia.In("orders"), convo.Prioritize{By: ana, Priority: convo.PriorityUrgent})
	do(mia.In("orders"), convo.Prioritize{By: ana, Priority: convo.PriorityLow})
	lane, channel := "returns", "mail"
	do(mia.In("orders"), convo.Move{By: ana, Contact: "tim", Lane: &lane, Channel: &channel})
	back := convo.Move{By: bot, Contact: "mia", Lane: new("orders")}
	do(person("tim", "sms", "+47").In(lane), back)
	pia, zed := person("pia", "viber", "+43"), person("zed", "viber", "+44")
	do(pia, convo.Open{By: ana}, convo.Close{By: ana}, convo.Block{By: ana})
	do(zed, convo.Receive{Body: "hi"})
	s.merge(e, workspace, "zed", "pia")
	do(mia.In("orders"), convo.Note{By: ana, Body: "hm"})
	subject, name := "Order 7 \u2028 é", "Mia M."
	do(mia.In("orders"), convo.Describe{
		By: ana, Subject: &subject, Attributes: json.RawMessage(`{"order":{"id":7,"sum":1.0}}`),
	})
	do(mia, convo.SetProfile{
		By: bot, Name: &name, Attributes: json.RawMessage(`{"tier":"gold","text":"\u0000é"}`),
	})
	do(person("gus", "viber", "+45"), convo.Receive{ExternalID: "in 1", Body: "Forget me"})
	s.clock.add(time.Second)
	r, err := e.Erase(s.ctx, convo.Erase{Workspace: workspace, Contact: "gus", By: ana})
	s.NoError(err)
	s.shows(r.Contact, convo.Conversation{}, r.Events)
}

// moments are the first and the last that convo takes, and where integers, clocks and calendars
// turn.
var moments = []time.Time{
	time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
	time.Date(1901, 12, 13, 20, 45, 51, 999999000, time.UTC),
	time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
	time.Unix(0, 0).UTC(),
	time.UnixMicro(1).UTC(),
	time.Date(2000, 2, 29, 23, 59, 59, 999000, time.UTC),
	time.Date(2026, 3, 29, 1, 30, 0, 123456000, time.UTC),
	time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
	time.Date(2106, 2, 7, 6, 28, 16, 1000, time.UTC),
	time.Date(2189, 12, 31, 23, 59, 59, 999998000, time.UTC),
	time.Date(2189, 12, 31, 23, 59, 59, 999999000, time.UTC),
}

func keepsTimes(s *suite) {
	s.clock.now.Store(moments[len(moments)-1].UnixMicro())
	elsewhere := time.FixedZone("elsewhere", 5*3600+1800)
	var dues []convo.Ref
	var listed []uuid.UUID
	for i, until := range moments[1:] {
		at := moments[i].Add(999 * time.Nanosecond).In(
			elsewhere,
		) // less than a microsecond, cut off
		r := s.do(to(fmt.Sprint("waits ", i)),
			convo.Open{By: ana, At: at},
			convo.Receive{At: at, SentAt: at, Body: "hi"},
			convo.SetPending{By: ana, At: at, Until: until.In(elsewhere)})
		s.Equal(moments[i], r.Conversation.CreatedAt)
		s.Equal(moments[i], r.Contact.CreatedAt)
		s.Equal(moments[i], r.Conversation.StatusSince)
		s.Equal(until, r.Conversation.PendingUntil)
		s.Equal(until, r.Conversation.DueAt)
		dues = append(dues, convo.ToConversation(acme, r.Conversation.ID))
		s.Equal(dues, s.due(until, 100), "due until %s", until)
		listed = append(listed, r.Conversation.ID)
	}
	slices.Reverse(listed)
	s.Equal(listed, ids(s.list(convo.Filter{Workspace: acme})))
	s.Equal(listed, ids(s.list(convo.Filter{Workspace: acme, Limit: 1})))
	for i := range listed {
		f := convo.Filter{Workspace: acme, From: moments[i], To: moments[i+1]}
		s.Equal(listed[len(listed)-1-i:][:1], ids(s.list(f)), "from %s", f.From)
	}
	for i, at := range moments {
		r := s.do(to(fmt.Sprint("is answered ", i)),
			convo.Open{By: ana, At: at},
			convo.Assign{By: ana, At: at, Assignee: "ana"},
			convo.Receive{At: at, Body: "hi"},
			convo.Send{By: ana, At: at, Body: "hi"})
		s.Equal(at, r.Conversation.AwaitingContactSince)
		r = s.do(to(r.Contact.ID), convo.Close{By: ana, At: at})
		s.Equal(at, r.Conversation.FirstClosedAt)
		s.Equal(at, r.Conversation.Cycle.Closing.At)
	}
	// A timer may be where no event can be, and where nanoseconds do not reach.
	const century = 100 * 365 * 24 * time.Hour
	last := moments[len(moments)-1]
	e := s.with(
		convo.WithPolicy(convo.Policy{AutoClose: convo.AutoClose{After: convo.Duration(century)}}),
	)
	r := s.by(
		e,
		to("late"),
		convo.Open{By: ana, At: last},
		convo.Send{By: ana, At: last, Body: "hi"},
	)
	s.Equal(last.Add(century), r.Conversation.DueAt)
	s.NotContains(
		s.due(last.Add(century-time.Microsecond), 100),
		convo.ToConversation(acme, r.Conversation.ID),
	)
	s.Contains(s.due(last.Add(century), 100), convo.ToConversation(acme, r.Conversation.ID))
}

func keepsTexts(s *suite) {
	texts := []string{
		"one\ntwo\r\n\tthree ",
		" ",
		"😀👩‍👩‍👧 é e\u0301 \u200b\u202e\ufeff",
		`'"\` + "`;--",
		"%s $1 ? :a @b {{c}}",
		"NULL",
		"\x01\x1b\x7f",
		strings.Repeat("é", convo.DefaultMaxBody/2),
	}
	for i, text := range texts {
		summary := text[:min(len(text), convo.DefaultMaxSummary)]
		contact := to(fmt.Sprint("text ", i))
		r := s.do(
			contact,
			convo.Receive{Body: text},
			convo.Send{By: ana, Body: text},
			convo.Note{By: ana, Body: text},
			convo.Close{By: ana, Summary: summary},
			convo.AmendClosing{By: ana, Category: "other", Summary: summary},
		)
		s.Equal(text, r.Events[1].Row().Body)
		s.do(contact, convo.Block{By: ana, Reason: summary})
	}
	for i, a := range []string{
		``, `[]`, `{}`, `""`, `0`, "[ 1,\n\t1.0, 1e3, -0, 12345678901234567890 ]",
		`{"b":1, "a":2, "a":null, "\u0041":"😀 \ud83d\ude00 \/"}`,
		`["` + strings.Repeat("x", convo.DefaultMaxAttachments-4) + `"]`,
	} {
		r := s.do(to(fmt.Sprint("attachments ", i)),
			convo.Receive{Body: "look", Attachments: json.RawMessage(a)},
			convo.Send{By: ana, Body: "look", Attachments: json.RawMessage(a)},
			convo.Note{By: ana, Body: "nothing"})
		s.Equal(a, string(r.Events[1].Row().Attachments))
		s.Nil(r.Events[3].Row().Attachments)
	}
}

// identifiers are told apart by bytes alone: not by letters, not by what they look like, not as
// numbers, not by how they begin.
var identifiers = []string{
	"Alice",
	"alice",
	"ALICE",
	"alice ",
	" alice",
	"alice\u00a0",
	"álice",
	"a\u0301lice",
	"alicé",
	"alice\u0301",
	"alice\u200d",
	"ａｌｉｃｅ",
	"аlice",
	"straße",
	"strasse",
	"ı",
	"i",
	"İ",
	"K",
	"\u212a",
	"😀",
	"😃",
	"👍",
	"👍🏽",
	"0",
	"00",
	"1",
	"1.0",
	"1e0",
	"+1",
	"%",
	"_",
	"a%",
	"a_",
	"a*",
	`\`,
	`\\`,
	"'",
	`"`,
	"''",
	"null",
	"NULL",
	"true",
	"/",
	"a/b",
	"\ufffd",
	strings.Repeat("x", 254),
	strings.Repeat("x", 254) + "y",
	strings.Repeat("x", 255),
	strings.Repeat("é", 127) + "x",
	strings.Repeat("😀", 63) + "abc",
	strings.Repeat("😀", 63) + "abd",
}

// role is a place where an identifier stands: do carries something out with it, as the n-th, in
// another conversation each, and find looks that conversation up.
type role struct {
	name string
	do   func(id string, n int) (convo.Ref, []convo.Command)
	find func(s *suite, id string) []uuid.UUID
}

var roles = []role{
	{"workspaces", func(id string, n int) (convo.Ref, []convo.Command) {
		return convo.ToContact(id, "a"), []convo.Command{convo.Open{By: ana}}
	}, func(s *suite, id string) []uuid.UUID {
		return ids(s.list(convo.Filter{Workspace: id}))
	}},
	{"contacts", func(id string, n int) (convo.Ref, []convo.Command) {
		return to(id), []convo.Command{convo.Open{By: ana}}
	}, func(s *suite, id string) []uuid.UUID {
		found := []uuid.UUID{s.load(to(id)).Conversation.ID}
		s.Equal(found, ids(s.list(convo.Filter{Workspace: acme, Contact: id})))
		s.Equal(found[0], s.events(convo.EventFilter{Workspace: acme, Contact: id})[0].Conversation)
		return found
	}},
	{"addresses", func(id string, n int) (convo.Ref, []convo.Command) {
		return convo.ToAddress(acme, "sms", id), []convo.Command{convo.Open{By: ana}}
	}, func(s *suite, id string) []uuid.UUID {
		return []uuid.UUID{s.load(convo.ToAddress(acme, "sms", id)).Conversation.ID}
	}},
	{"channels of addresses", func(id string, n int) (convo.Ref, []convo.Command) {
		return convo.ToAddress(acme, id, "1"), []convo.Command{convo.Open{By: ana}}
	}, func(s *suite, id string) []uuid.UUID {
		return []uuid.UUID{s.load(convo.ToAddress(acme, id, "1")).Conversation.ID}
	}},
	{"external ids", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(n), messageOf("sms", "+1", id)
	}, byKey(func(id string) convo.KeyID {
		return convo.KeyID{Channel: "sms", Address: "+1", ID: id}
	})},
	{"channels of external ids", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(n), messageOf(id, "+1", "1")
	}, byKey(func(id string) convo.KeyID {
		return convo.KeyID{Channel: id, Address: "+1", ID: "1"}
	})},
	{"addresses of external ids", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(n), messageOf("sms", id, "1")
	}, byKey(func(id string) convo.KeyID {
		return convo.KeyID{Channel: "sms", Address: id, ID: "1"}
	})},
	{"contacts of external ids", func(id string, _ int) (convo.Ref, []convo.Command) {
		return to(id), messageOf("sms", "", "1")
	}, byKey(func(id string) convo.KeyID {
		return convo.KeyID{Channel: "sms", Contact: id, ID: "1"}
	})},
	{"keys of the host", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(n), []convo.Command{convo.Open{By: ana, Key: id}}
	}, byKey(func(id string) convo.KeyID { return convo.KeyID{ID: id} })},
	{"channels", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(n), []convo.Command{convo.Open{By: ana, Channel: id}}
	}, byFilter(func(id string) convo.Filter {
		return convo.Filter{Workspace: acme, Channel: id}
	})},
	{"lanes", func(id string, n int) (convo.Ref, []convo.Command) {
		return in("everybody", id), []convo.Command{convo.Open{By: ana}}
	}, func(s *suite, id string) []uuid.UUID {
		found := []uuid.UUID{s.load(in("everybody", id)).Conversation.ID}
		s.Equal(found, ids(s.list(convo.Filter{Workspace: acme, Lane: id})))
		return found
	}},
	{"assignees", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(
				n,
			), []convo.Command{
				convo.Open{By: convo.ByUser(id)},
				convo.Assign{By: ana, Assignee: id},
			}
	}, byFilter(func(id string) convo.Filter {
		return convo.Filter{Workspace: acme, Assignee: id}
	})},
	{"teams", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(
				n,
			), []convo.Command{
				convo.Open{By: ana, Source: convo.Source(id)},
				convo.Assign{By: ana, Team: id},
			}
	}, byFilter(func(id string) convo.Filter { return convo.Filter{Workspace: acme, Team: id} })},
	{"categories", func(id string, n int) (convo.Ref, []convo.Command) {
		return nth(n), []convo.Command{convo.Open{By: ana}, convo.Close{By: ana, Category: id}}
	}, byFilter(func(id string) convo.Filter {
		return convo.Filter{Workspace: acme, Category: id}
	})},
}

func messageOf(channel, address, externalID string) []convo.Command {
	return []convo.Command{convo.Receive{
		Channel: channel, Address: address, ExternalID: externalID, Body: "hi",
	}}
}

func nth(n int) convo.Ref { return to(fmt.Sprint("contact ", n)) }

func byKey(key func(id string) convo.KeyID) func(*suite, string) []uuid.UUID {
	return func(s *suite, id string) (found []uuid.UUID) {
		for _, k := range s.keys(acme, key(id)) {
			want := key(id)
			want.Contact = k.Contact
			s.Equal(want, k.KeyID)
			found = append(found, k.Conversation)
		}
		return found
	}
}

func byFilter(filter func(id string) convo.Filter) func(*suite, string) []uuid.UUID {
	return func(s *suite, id string) []uuid.UUID { return ids(s.list(filter(id))) }
}

func (r role) tellApart(s *suite) {
	want := map[string]uuid.UUID{}
	for n, id := range identifiers {
		to, cmds := r.do(id, n)
		result := s.do(to, cmds...)
		s.NotContains(slices.Collect(maps.Values(want)), result.Conversation.ID, "%q", id)
		want[id] = result.Conversation.ID
	}
	for _, id := range identifiers {
		s.Equal([]uuid.UUID{want[id]}, r.find(s, id), "%q", id)
	}
}

func keepsLongIdentifiers(s *suite) {
	bytes := func(letter string, n int) string {
		return strings.Repeat(letter, n/len(letter)) + "xyz"[:n%len(letter)]
	}
	long := func(letter string) string { return bytes(letter, convo.MaxID) }
	to := convo.Ref{
		Workspace: long("w"),
		Contact:   long("é"),
		Address:   convo.Address{Channel: long("c"), Value: long("😀")},
		Lane:      long("l"),
	}
	user := convo.ByUser(long("u"))
	key, external := bytes("k", convo.MaxKey), bytes("é", convo.MaxKey)
	s.do(to, convo.Receive{Key: key, ExternalID: external, Body: "hi"},
		convo.Assign{By: user, Assignee: long("u"), Team: long("t")},
		convo.Close{By: user, Category: long("g"), Source: convo.Source(long("s"))})
	s.Len(s.keys(long("w"), convo.KeyID{ID: key}, convo.KeyID{
		Channel: long("c"), Address: long("😀"), ID: external,
	}), 2)
	s.Len(s.list(convo.Filter{
		Workspace: long("w"),
		Contact:   long("é"),
		Assignee:  long("u"),
		Team:      long("t"),
		Channel:   long("c"),
		Lane:      long("l"),
		Category:  long("g"),
	}), 1)
}
