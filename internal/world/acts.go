package world

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

// speak is a call as most are, mostly for whom the one before was.
func (w *World) speak(t *rapid.T) {
	if w.spoken == (convo.Ref{}) || Rarely(t, "to somebody else", 5) {
		w.spoken = w.DrawRef(t)
	}
	by := Pick(t, "by", convo.ByUser("ana"), convo.ByAutomation("bot"))
	w.call(t, w.spoken, [][]convo.Command{
		{convo.Receive{Body: "hi", Channel: "chat"}},
		{convo.Receive{Body: "hi", Channel: "chat"}, convo.Note{By: by, Body: "a note"}},
		{convo.Send{By: by, Body: "hello"}},
		{convo.Receive{Body: "away", Quiet: true}},
		{convo.Send{By: by, Body: "bye"}, convo.Close{By: by, Category: "Sales", Summary: "ok"}},
		{convo.Open{By: by}},
	}[rapid.IntRange(0, 5).Draw(t, "what")])
}

// peek compares what an engine keeps with what is loaded: where nothing that a commit compares is
// another one, all is the same.
func (w *World) peek(t *rapid.T) {
	if w.spoken.Validate() != nil {
		return
	}
	w.t = t
	w.otherEngine(t)
	var seen []convo.Snapshot
	_, err := w.engine.DoFunc(t.Context(), w.spoken, "",
		func(s convo.Snapshot) ([]convo.Command, error) {
			seen = append(seen, s)
			return nil, nil
		})
	if err != nil || len(seen) < 2 {
		return
	}
	kept, loaded := seen[0], seen[1]
	k, l := &kept.Conversation, &loaded.Conversation
	if kept.Contact.ID == loaded.Contact.ID && kept.Contact.Version == loaded.Contact.Version &&
		kept.Contact.SeenAt.Equal(loaded.Contact.SeenAt) && k.ID == l.ID &&
		k.Version == l.Version && l.Applied == "" && l.DueAt.IsZero() {
		require.Equal(t, loaded, kept)
		w.done.Peeked++
	}
}

func (w *World) rearm(t *rapid.T) {
	w.t, w.observed = t, nil
	_, err := w.engine.Rearm(t.Context(), Pick(t, "workspace", Workspaces...))
	require.NoError(t, err)
	w.last = w.look(t)
}

func (w *World) merge(t *rapid.T) {
	w.t, w.observed = t, nil
	m := convo.Merge{
		Workspace: Pick(t, "workspace", Workspaces...),
		Primary:   Pick(t, "primary", contacts...),
		Secondary: Pick(t, "secondary", contacts...),
		By:        convo.ByUser("ana"), At: w.drawTime(t, "at"),
	}
	r, err := w.engine.Merge(t.Context(), m)
	if err != nil {
		w.refused(t, err)
		return
	}
	requireSame(t, r.Events, w.observed)
	root, err := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, m.Secondary))
	require.NoError(t, err)
	require.Equal(t, root, r.Primary, "the secondary's id leads to the primary")
	if r.Outcome == convo.OutcomeUnchanged {
		require.Empty(t, r.Events)
		require.Empty(t, r.Conversations)
		w.wroteNothing(t)
		return
	}
	for _, c := range r.Conversations {
		stored, err := w.store.Conversation(t.Context(), m.Workspace, c.ID)
		require.NoError(t, err)
		require.Equal(t, stored, c)
	}
}

func (w *World) unmerge(t *rapid.T) {
	w.t, w.observed = t, nil
	m := convo.Unmerge{
		Workspace: Pick(t, "workspace", Workspaces...),
		Contact:   Pick(t, "contact", contacts...),
		By:        convo.ByUser("ana"), At: w.drawTime(t, "at"),
	}
	before, beforeErr := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, m.Contact))
	r, err := w.engine.Unmerge(t.Context(), m)
	if err != nil {
		w.refused(t, err)
		return
	}
	require.NoError(t, beforeErr)
	requireSame(t, r.Events, w.observed)
	after, err := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, m.Contact))
	require.NoError(t, err)
	require.Equal(t, m.Contact, after.ID, "it is a contact in its own right")
	require.Equal(t, after, r.Contact)
	if r.Outcome == convo.OutcomeUnchanged {
		require.Empty(t, r.Events)
		require.Equal(t, before, after)
		w.wroteNothing(t)
		return
	}
	require.Equal(t, before.ID, r.Root.ID)
	root, err := w.engine.Contact(t.Context(), convo.ToContact(m.Workspace, before.ID))
	require.NoError(t, err)
	require.Equal(t, root, r.Root)
	for _, c := range r.Conversations {
		require.Equal(t, m.Contact, c.Contact)
	}
}

func (w *World) tick(t *rapid.T) {
	w.t, w.observed = t, nil
	n, err := w.engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	if n == 0 {
		require.Empty(t, w.observed)
	} else {
		require.NotEmpty(t, w.observed)
	}
	if n >= 100 {
		return // rules that set one another off go on in the next Tick
	}
	again, err := w.engine.Tick(t.Context(), 100)
	require.NoError(t, err)
	require.Zero(t, again, "each due thing is done once")
	if !w.steady {
		return
	}
	for name, cs := range w.look(t).Conversations {
		for _, c := range cs {
			due, reason := w.due(t, name, c.ID)
			require.True(t, due.IsZero() || due.After(w.now), "%s was due at %s", reason, due)
		}
	}
}

// due is when the conversation changes by itself.
func (w *World) due(t *rapid.T, workspace string, id uuid.UUID) (time.Time, string) {
	thread, err := w.store.Load(t.Context(), convo.ToConversation(workspace, id))
	require.NoError(t, err)
	return NextDue(thread, w.Policies[workspace])
}

// NextDue is when the next timer is due, and which one; zero when none runs.
func NextDue(s convo.Snapshot, p *convo.Policy) (time.Time, string) {
	for _, t := range convo.Timers(s.Conversation, p) {
		if !t.Due.IsZero() {
			return t.Due, t.Name
		}
	}
	return time.Time{}, ""
}

func (w *World) moveClock(t *rapid.T) {
	w.now = w.now.Add(Pick(t, "by", time.Second, time.Hour, time.Microsecond, -time.Hour,
		700*time.Nanosecond, 100*time.Hour))
}

func (w *World) changePolicy(t *rapid.T) {
	if w.steady {
		t.Skip("the Policies are steady")
	}
	workspace := Pick(t, "workspace", Workspaces...)
	w.Policies[workspace] = drawPolicy(t)
	w.engine.Script.Policy(workspace, *w.Policies[workspace])
}
