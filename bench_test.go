package convo_test

import (
	"strconv"
	"testing"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// What the core costs by itself. Against other code: the module bench.

func BenchmarkDecide(b *testing.B) {
	cmds := map[string]convo.Command{
		"message": convo.Send{By: agentAna, Body: "hello"},
		"close":   convo.Close{By: agentAna, Category: "Sales", Summary: "done"},
		"refusal": convo.Reopen{By: convo.Actor{Type: "nobody"}},
	}
	for _, name := range []string{"message", "close", "refusal"} {
		b.Run(name, func(b *testing.B) {
			s, cmd := threadIn(b, convo.StateOpen), cmds[name]
			b.ReportAllocs()
			for b.Loop() {
				_, _ = convo.Decide(s, morning, nil, cmd)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	s := threadIn(b, convo.StateOpen)
	d, err := convo.Decide(s, morning, nil, convo.Send{By: agentAna, Body: "hello"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		convo.Apply(s, d.Change.Events[0])
	}
}

func BenchmarkReceiveAndCloseInMemory(b *testing.B) {
	e, err := convo.New(memstore.New())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		to := toContact(strconv.Itoa(i))
		for _, cmd := range [...]convo.Command{
			convo.Receive{Channel: "sms", Body: "hello"}, convo.Close{By: agentAna,
				Summary: "done"},
		} {
			if _, err := e.Do(b.Context(), to, cmd); err != nil {
				b.Fatal(err)
			}
		}
	}
}
