package convo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// elsewhere is what another process does to what this one keeps, and what this one is told then.
type elsewhere struct {
	name   string
	to     convo.Ref
	before func(w *keptWorld) // what is kept
	does   func(w *keptWorld)
	call   []convo.Command
	decide func(s convo.Snapshot) ([]convo.Command, error) // in place of call
}

var (
	errNotYours = errors.New("it is another one's")
	bySusan     = toContact("susan")
	bySMS       = convo.ToAddress(tenant, "sms", "+49")
)

func others(to convo.Ref, cmds ...convo.Command) func(w *keptWorld) {
	return func(w *keptWorld) { w.do(w.others, to, cmds...) }
}

func (w *keptWorld) merge(primary, secondary string) {
	_, err := w.others.Merge(w.t.Context(), convo.Merge{
		Workspace: tenant, Primary: primary, Secondary: secondary, By: agentBen,
	})
	require.NoError(w.t, err)
}

func (w *keptWorld) move(to convo.Move) {
	c, err := w.others.Active(w.t.Context(), bySusan)
	require.NoError(w.t, err)
	w.do(w.others, convo.ToConversation(tenant, c.ID), to)
}

var elsewheres = []elsewhere{
	{name: "a message came", does: others(bySusan, hello), call: []convo.Command{answer}},
	{name: "the same message came",
		does: others(bySusan, convo.Receive{ExternalID: "1", Channel: "chat", Body: "hi"}),
		call: []convo.Command{convo.Receive{ExternalID: "1", Channel: "chat", Body: "hi"}}},
	{name: "the same message came before another one",
		does: others(bySusan, convo.Receive{ExternalID: "1", Channel: "chat", Body: "hi"}, hello),
		call: []convo.Command{convo.Receive{ExternalID: "1", Channel: "chat", Body: "hi"}, hello}},
	{name: "it was blocked", does: others(bySusan, convo.Block{By: agentBen}),
		call: []convo.Command{answer}},
	{name: "it was blocked before a message", does: others(bySusan, convo.Block{By: agentBen}),
		call: []convo.Command{hello}},
	{name: "it was unblocked",
		before: func(w *keptWorld) { w.do(w.here, bySusan, convo.Block{By: agentAna}) },
		does:   others(bySusan, convo.Unblock{By: agentBen}), call: []convo.Command{answer}},
	{name: "it was named", does: others(bySusan, convo.SetProfile{By: agentBen, Name: new("S.")}),
		call: []convo.Command{answer}},
	{name: "it was named before a closing",
		does: others(bySusan, convo.SetProfile{By: agentBen, Name: new("S.")}),
		call: []convo.Command{closing}},
	{name: "it wrote in another lane", before: func(w *keptWorld) {
		w.do(w.here, bySusan.In("orders"), hello)
		w.now = w.now.Add(2 * time.Hour)
		w.do(w.here, bySusan, answer)
	}, does: others(bySusan.In("orders"), hello), call: []convo.Command{answer}},
	{name: "it was merged into another one", does: func(w *keptWorld) { w.merge("riya", "susan") },
		call: []convo.Command{hello}},
	{name: "it was merged into another one before a closing",
		does: func(w *keptWorld) { w.merge("riya", "susan") }, call: []convo.Command{closing}},
	{name: "another one was merged into it", does: func(w *keptWorld) { w.merge("susan", "riya") },
		call: []convo.Command{answer}},
	{name: "it was taken out again", to: toContact("susi"),
		before: func(w *keptWorld) {
			w.do(w.here, toContact("susi"), hello)
			w.merge("susan", "susi")
			w.do(w.here, toContact("susi"), hello)
		},
		does: func(w *keptWorld) {
			_, err := w.others.Unmerge(w.t.Context(), convo.Unmerge{
				Workspace: tenant, Contact: "susi", By: agentBen,
			})
			require.NoError(w.t, err)
		}, call: []convo.Command{hello}},
	{name: "its address was unlinked", to: bySMS,
		does: others(bySMS, convo.UnlinkAddress{By: agentBen}), call: []convo.Command{hello}},
	{name: "its address was given to another one", to: bySMS, does: func(w *keptWorld) {
		w.do(w.others, bySMS, convo.UnlinkAddress{By: agentBen})
		other := bySMS
		other.Contact = "riya"
		w.do(w.others, other, convo.LinkAddress{By: agentBen})
	}, call: []convo.Command{hello}},
	{name: "its address beside its id was unlinked",
		to:   convo.Ref{Workspace: tenant, Contact: "susan", Address: bySMS.Address},
		does: others(bySMS, convo.UnlinkAddress{By: agentBen}), call: []convo.Command{hello}},
	{name: "it was closed", does: others(bySusan, closing), call: []convo.Command{hello}},
	{name: "it was closed before a closing", does: others(bySusan, closing),
		call: []convo.Command{closing}},
	{name: "it was closed before an answer", does: others(bySusan, closing),
		call: []convo.Command{answer}},
	{name: "it was reopened",
		does: others(bySusan, closing, convo.Reopen{By: agentBen}), call: []convo.Command{closing}},
	{name: "another one was opened", does: others(bySusan, closing, hello),
		call: []convo.Command{closing}},
	{name: "it was assigned", does: others(bySusan, convo.Assign{By: agentBen, Assignee: "ben"}),
		call: []convo.Command{answer}},
	{name: "it was assigned to another one",
		before: func(w *keptWorld) {
			w.do(w.here, bySusan, convo.Assign{By: agentAna, Assignee: "ana"})
		},
		does: others(bySusan, convo.Assign{By: agentBen, Assignee: "ben"}),
		call: []convo.Command{convo.Assign{By: agentAna, Assignee: "ana"}}},
	{name: "it was assigned to another one, before a key",
		before: func(w *keptWorld) {
			w.do(w.here, bySusan, convo.Assign{By: agentAna, Assignee: "ana"})
		},
		does: others(bySusan, convo.Assign{By: agentBen, Assignee: "ben"}),
		call: []convo.Command{convo.Assign{By: agentAna, Assignee: "ana", Key: "k"}}},
	{name: "it was labeled", does: others(bySusan, convo.Label{By: agentBen, Add: []string{"vip"}}),
		call: []convo.Command{closing}},
	{name: "it was set pending", does: others(bySusan, convo.SetPending{By: agentBen}),
		call: []convo.Command{hello}},
	{name: "a timer woke it", does: func(w *keptWorld) {
		w.do(w.others, bySusan, convo.SetPending{By: agentBen, Until: w.now.Add(time.Hour)})
		w.now = w.now.Add(2 * time.Hour)
		n, err := w.others.Tick(w.t.Context(), 0)
		require.NoError(w.t, err)
		require.Equal(w.t, 1, n)
	}, call: []convo.Command{answer}},
	{name: "it was moved to another lane",
		does: func(w *keptWorld) { w.move(convo.Move{By: agentBen, Lane: new("orders")}) },
		call: []convo.Command{hello}},
	{name: "it was moved to another contact",
		does: func(w *keptWorld) { w.move(convo.Move{By: agentBen, Contact: "riya"}) },
		call: []convo.Command{hello}},
	{name: "it was moved to another channel",
		does: func(w *keptWorld) { w.move(convo.Move{By: agentBen, Channel: new("sms")}) },
		call: []convo.Command{hello}},
	// What this process itself does may leave another snapshot than that of the next call, too.
	{name: "it was moved to another contact here", before: func(w *keptWorld) {
		w.do(w.here, bySusan, convo.Move{By: agentAna, Contact: "riya"})
	}, call: []convo.Command{hello}},
	{name: "it was moved to another lane here", before: func(w *keptWorld) {
		w.do(w.here, bySusan, convo.Move{By: agentAna, Lane: new("orders")})
	}, call: []convo.Command{hello}},
	{name: "its address was unlinked here", to: bySMS, before: func(w *keptWorld) {
		w.do(w.here, bySMS, convo.UnlinkAddress{By: agentAna})
	}, call: []convo.Command{hello}},
	{name: "its message in another lane was edited here", before: func(w *keptWorld) {
		r := w.do(w.here, bySusan.In("orders"), hello)
		w.do(w.here, bySusan, convo.Edit{Message: r.Events[1].ID, By: agentAna, Body: "better"})
	}, call: []convo.Command{answer}},
	{name: "its address was unlinked beside its id here", to: bySMS, before: func(w *keptWorld) {
		w.do(w.here, convo.Ref{Workspace: tenant, Contact: "susan", Address: bySMS.Address},
			convo.UnlinkAddress{By: agentAna})
		w.do(w.here, bySusan, answer)
	}, call: []convo.Command{hello}},
	{name: "it was given by its id to a contact with the same version here",
		before: func(w *keptWorld) {
			c, err := w.here.Active(w.t.Context(), bySusan)
			require.NoError(w.t, err)
			to := convo.ToConversation(tenant, c.ID)
			r := w.do(w.here, to, convo.Move{By: agentAna, Contact: "zoe"})
			require.EqualValues(w.t, 1, r.Contact.Version)
			w.do(w.here, to, answer)
		}, call: []convo.Command{hello}},
	{name: "it was taken out again, and the other one was answered here", to: toContact("susi"),
		before: func(w *keptWorld) {
			w.do(w.here, toContact("susi"), convo.Open{By: agentAna})
			w.merge("susan", "susi")
			w.do(w.here, toContact("susi"), hello)
			_, err := w.here.Unmerge(w.t.Context(), convo.Unmerge{
				Workspace: tenant, Contact: "susi", By: agentAna,
			})
			require.NoError(w.t, err)
			w.do(w.here, bySusan, answer)
		}, call: []convo.Command{hello}},
	{name: "a function would have refused",
		does: others(bySusan, convo.Assign{By: agentBen, Assignee: "ana"}),
		decide: func(s convo.Snapshot) ([]convo.Command, error) {
			if s.Conversation.Assignee != "ana" {
				return nil, errNotYours
			}
			return []convo.Command{answer}, nil
		}},
	{name: "a function would have done nothing",
		does: others(bySusan, convo.Label{By: agentBen, Add: []string{"vip"}}),
		decide: func(s convo.Snapshot) ([]convo.Command, error) {
			if s.Conversation.Labels == "" {
				return nil, nil
			}
			return []convo.Command{closing}, nil
		}},
	{name: "a function would have refused what is refused",
		does: others(bySusan, convo.Assign{By: agentBen, Assignee: "ana"},
			convo.Block{By: agentBen}),
		decide: func(s convo.Snapshot) ([]convo.Command, error) {
			if s.Conversation.Assignee != "ana" {
				return nil, errNotYours
			}
			return []convo.Command{answer}, nil
		}},
	{name: "a guard would have refused what is refused",
		does: others(bySusan, convo.Block{By: agentBen}),
		call: []convo.Command{convo.Send{By: agentAna, Body: guardedBody}}},
	{name: "a guard would have refused",
		does: others(bySusan, convo.Describe{By: agentBen, Subject: new("answer it")}),
		call: []convo.Command{convo.Send{By: agentAna, Body: guardedBody}}},
}

const guardedBody = "only with a subject"

func onlyWithASubject(_ context.Context, loaded convo.Snapshot, ch convo.Change) error {
	for _, e := range ch.Events {
		if e.Message().Body == guardedBody && loaded.Conversation.Subject == "" {
			return errNotYours
		}
	}
	return nil
}

// told is all that comes of what another process did: what this one is told, and what the store has.
func (row *elsewhere) told(t *testing.T, w *keptWorld) (told []any) {
	to := row.to
	if to == (convo.Ref{}) {
		to = bySusan
	}
	if to.Address != (convo.Address{}) {
		link := convo.Ref{Workspace: tenant, Contact: "susan", Address: to.Address}
		w.do(w.here, bySusan, convo.Open{By: agentAna})
		w.do(w.here, link, convo.LinkAddress{By: agentAna})
	}
	w.do(w.here, toContact("riya").In("a lane of its own"), hello)
	w.do(w.here, to, hello)
	if row.before != nil {
		row.before(w)
	}
	if row.does != nil {
		row.does(w)
	}
	w.now = w.now.Add(time.Minute)
	for range 2 { // the second one is about what the first one has left
		var r convo.Result
		var err error
		if row.decide != nil {
			r, err = w.here.DoFunc(t.Context(), to, "", row.decide)
		} else {
			r, err = w.here.Do(t.Context(), to, row.call...)
		}
		told = append(told, r, err)
	}
	return append(told, dumpOf(t, w.store, tenant))
}

// What is kept is of before; what one is told, and what is written, is of now.
func TestWhatIsDoneElsewhereIsNoticed(t *testing.T) {
	for _, row := range elsewheres {
		t.Run(row.name, func(t *testing.T) {
			guard := convo.WithGuard(onlyWithASubject)
			want := row.told(t, newKeptWorld(t, 0, guard))
			w := newKeptWorld(t, 10, guard)
			assert.Equal(t, want, row.told(t, w))
		})
	}
}
