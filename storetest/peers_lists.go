package storetest

import (
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// peerListCases are what the tests of other platforms expect of lists, by the platform.
var peerListCases = []testCase{
	{
		"Peers/Chatwoot: lists by waiting, of the unattended, of anybody's, and of what changed",
		"a list has the conversations that its Filter picks, by its Order and then by ID",
		listsOfChatwoot,
	},
	{
		"Peers/Papercups: by the most recent message, page by page, and the forgotten ones",
		"a list has the conversations that its Filter picks, by its Order and then by ID",
		listsOfPapercups,
	},
	{
		"Peers/Rocket.Chat: by tag, by priority, and how many there are in each department",
		"a list has the conversations that its Filter picks, by its Order and then by ID",
		listsOfRocketChat,
	},
}

func (s *suite) listed(f convo.Filter) []uuid.UUID {
	f.Workspace = acme
	return ids(s.list(f))
}

func listsOfChatwoot(s *suite) {
	open := func(contact string) uuid.UUID {
		s.clock.add(time.Minute)
		return s.do(to(contact), convo.Receive{Body: "hi"}).Conversation.ID
	}
	first, second, third := open("first"), open("second"), open("third")
	s.clock.add(time.Minute)
	s.do(to("second"), convo.Send{By: ana, Body: "hello"}, convo.Assign{By: ana, Assignee: "ana"})
	answered := s.clock.Now()
	byWaiting := convo.Filter{Order: convo.OrderWaiting, Ascending: true}
	s.Equal([]uuid.UUID{first, third}, s.listed(byWaiting))
	s.Equal([]uuid.UUID{third, first}, s.listed(convo.Filter{Waiting: true}), "the unattended")
	s.Equal([]uuid.UUID{second}, s.listed(convo.Filter{Assigned: true}))
	s.Equal([]uuid.UUID{second}, s.listed(convo.Filter{ActiveFrom: answered}))
	s.clock.add(time.Minute)
	s.do(to("second"), convo.Receive{Body: "and?"})
	s.Equal([]uuid.UUID{first, third, second}, s.listed(byWaiting), "waits again, from now on")
	s.do(to("first"), convo.Close{By: ana})
	s.Equal([]uuid.UUID{third, second}, s.listed(byWaiting), "nobody waits in what is closed")
}

func listsOfPapercups(s *suite) {
	var want []uuid.UUID
	for _, contact := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		s.clock.add(24 * time.Hour)
		want = append([]uuid.UUID{s.do(to(contact), convo.Receive{Body: "hi"}).Conversation.ID},
			want...)
	}
	s.clock.add(24 * time.Hour)
	s.do(to("a"), convo.Receive{Body: "and?"})
	want = append(want[6:], want[:6]...)
	for _, limit := range []int{5, 100} {
		s.Equal(want, s.listed(convo.Filter{Order: convo.OrderActivity, Limit: limit}))
	}
	s.clock.add(30*24*time.Hour - 3*24*time.Hour)
	month := convo.Filter{ActiveTo: s.clock.Now().Add(-30 * 24 * time.Hour)}
	s.Equal(want[4:], s.listed(month), "without activity for 30 days")
	month.Order = convo.OrderActivity
	s.Equal(want[4:], s.listed(month))
}

func listsOfRocketChat(s *suite) {
	open := func(contact, team string, p convo.Priority, labels ...string) uuid.UUID {
		s.clock.add(time.Minute)
		return s.do(to(contact), convo.Receive{Body: "hi"}, convo.Assign{By: ana, Team: team},
			convo.Prioritize{By: ana, Priority: p},
			convo.Label{By: ana, Add: append(labels, "all")}).Conversation.ID
	}
	low := open("low", "sales", convo.PriorityLow, "red")
	urgent := open("urgent", "sales", convo.PriorityUrgent, "red", "blue")
	second := open("second", "support", convo.PriorityUrgent)
	open("none", "support", convo.PriorityNone)
	s.Equal([]uuid.UUID{second, urgent, low}, s.listed(convo.Filter{Order: convo.OrderPriority}))
	s.Equal([]uuid.UUID{urgent}, s.listed(convo.Filter{Labels: []string{"red", "blue"}}))
	s.do(to("low"), convo.Close{By: ana})
	s.Equal([]uuid.UUID{urgent, low}, s.listed(convo.Filter{Labels: []string{"red"}}))
	counts, err := s.engine.Counts(s.ctx, acme)
	s.NoError(err)
	s.Equal([]convo.Count{
		{Team: "sales", Open: 1, Waiting: 1},
		{Team: "support", Open: 2, Waiting: 2},
	}, counts)
}
