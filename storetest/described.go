package storetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chatlifecycle/convo"
)

var describedCases = []testCase{
	{
		"Descriptions/stay through closing, reopening and messages",
		"labels, priority, subject and attributes are the conversation's until they are changed",
		describedThroughout,
	},
	{
		"Descriptions/are as long as they may be",
		"a conversation keeps 32 labels of 255 bytes, 998 bytes of subject and 8 KiB of attributes",
		describedAtLength,
	},
	{
		"Descriptions/race without losing a label",
		"of two changes that were decided on the same version one is refused",
		racesToLabel,
	},
	{
		"Profiles/are the contact's, and no merge mixes them",
		"the primary's profile stands, and the secondary's is kept",
		profilesAreKept,
	},
}

func describedThroughout(s *suite) {
	subject := "Order 7"
	c := s.do(to("a"), convo.Open{By: ana}, convo.Label{By: ana, Add: []string{"b", "a"}},
		convo.Prioritize{By: ana, Priority: convo.PriorityHigh},
		convo.Describe{By: ana, Subject: &subject, Attributes: json.RawMessage(`{"id":7}`)},
	).Conversation
	s.Equal(convo.TokensOf("a", "b"), c.Labels)
	for _, cmd := range []convo.Command{
		convo.Receive{Body: "hi"}, convo.Close{By: ana}, convo.Reopen{By: ana},
		convo.Assign{By: ana, Assignee: "ana"}, convo.SetPending{By: ana},
	} {
		now := s.do(to("a"), cmd).Conversation
		s.Equal(c.Labels, now.Labels)
		s.Equal(c.Priority, now.Priority)
		s.Equal(c.Subject, now.Subject)
		s.Equal(c.Attributes, now.Attributes)
	}
	empty := ""
	now := s.do(to("a"), convo.Label{By: ana, Remove: []string{"a", "b"}},
		convo.Prioritize{By: ana}, convo.Describe{
			By: ana, Subject: &empty, Attributes: json.RawMessage(`{"id":null}`),
		}).Conversation
	s.Empty(now.Labels)
	s.Empty(now.Attributes)
	s.Zero(now.Priority)
	s.Empty(now.Subject)
	other := s.do(to("a"), convo.Close{By: ana}, convo.Open{By: ana}).Conversation
	s.Empty(other.Labels, "another conversation has its own")
}

func describedAtLength(s *suite) {
	var labels []string
	for i := range convo.MaxLabels {
		labels = append(labels, fmt.Sprintf("%02d%s", i, strings.Repeat("é", 126)+"x"))
	}
	subject := strings.Repeat("é", convo.MaxSubject/2)
	long := json.RawMessage(`{"a":"` + strings.Repeat("x", convo.MaxAttributes-8) + `"}`)
	name := strings.Repeat("é", convo.MaxID/2)
	r := s.do(to("a"), convo.Open{By: ana}, convo.Label{By: ana, Add: labels},
		convo.Describe{By: ana, Subject: &subject, Attributes: long},
		convo.SetProfile{By: ana, Name: &name, Attributes: long})
	s.Equal(labels, r.Conversation.Labels.All())
	s.Equal(string(long), string(r.Conversation.Attributes))
	s.Equal(string(long), string(r.Contact.Attributes))
	s.Equal(r.Conversation, s.load(to("a")).Conversation)
	s.unchanged(func() {
		for _, cmd := range []convo.Command{
			convo.Label{By: ana, Add: []string{"one more"}},
			convo.Describe{By: ana, Attributes: json.RawMessage(`{"b":1}`)},
			convo.SetProfile{By: ana, Attributes: json.RawMessage(`{"b":1}`)},
		} {
			_, err := s.engine.Do(s.ctx, to("a"), cmd)
			s.ErrorIs(err, convo.ErrInvalid)
		}
	})
}

func racesToLabel(s *suite) {
	s.do(to("a"), convo.Open{By: ana})
	got := s.racedTo(func(i int) (convo.Ref, convo.Command) {
		return to("a"), convo.Label{By: ana, Add: []string{fmt.Sprint("label ", i%convo.MaxLabels)}}
	})
	s.Equal(map[string]int{"labeled": racers}, got)
	s.Len(s.load(to("a")).Conversation.Labels.All(), racers)
}

func profilesAreKept(s *suite) {
	names := []string{"Ann", "Bea"}
	for i, contact := range []string{"ann", "bea"} {
		s.do(to(contact), convo.Receive{Body: "hi"}, convo.SetProfile{
			By: ana, Name: &names[i], Attributes: json.RawMessage(`{"of":"` + contact + `"}`),
		})
	}
	s.merge(s.engine, acme, "bea", "ann")
	k := s.load(to("ann")).Contact
	s.Equal("Bea", k.Name)
	s.Equal(convo.Attributes(`{"of":"bea"}`), k.Attributes)
	s.do(to("ann"), convo.SetProfile{By: ana, Attributes: json.RawMessage(`{"vip":true}`)})
	s.Equal(convo.Attributes(`{"of":"bea","vip":true}`), s.load(to("bea")).Contact.Attributes)
}
