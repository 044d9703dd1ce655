package world

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/storetest"
)

// check holds everything that is in the store against the rules.
func (w *World) check(t *rapid.T) {
	p := w.look(t)
	w.last = p
	ids := map[uuid.UUID]bool{}
	for _, events := range p.Logs {
		for _, e := range events {
			require.False(t, ids[e.ID], "event %s is there twice", e.ID)
			ids[e.ID] = true
		}
	}
	for id := range w.ids {
		require.True(t, ids[id], "event %s is gone", id)
	}
	w.ids = ids
	for _, name := range Workspaces {
		active := map[convo.Ref]uuid.UUID{}
		for _, c := range p.Conversations[name] {
			w.checkConversation(t, c, p.Logs[convo.ToConversation(name, c.ID)])
			if c.Status.Active() {
				slot := convo.ToContact(name, c.Contact).In(c.Lane)
				require.Empty(t, active[slot], "a second active conversation of %v", slot)
				active[slot] = c.ID
			}
		}
		for to, k := range p.Contacts {
			if to.Workspace != name {
				continue
			}
			require.Equal(t, name, k.Workspace)
			require.Empty(t, k.MergedInto, "a contact is answered by its root")
			for _, lane := range []string{"", "orders", "Orders"} {
				c, err := w.engine.Active(t.Context(), to.In(lane))
				if id := active[convo.ToContact(name, k.ID).In(lane)]; id == uuid.Nil {
					require.ErrorIs(t, err, convo.ErrNotActive)
				} else {
					require.NoError(t, err)
					require.Equal(t, id, c.ID)
				}
			}
			w.checkContact(t, k, p)
		}
		w.checkListing(t, name, p.Conversations[name])
	}
	removed := convo.Retention{}
	if w.gaps {
		removed = w.retention
	}
	require.Empty(t, storetest.CheckPruned(t.Context(), w.store, removed, Workspaces...))
}

// checkConversation holds a conversation against its log.
func (w *World) checkConversation(t *rapid.T, c convo.Conversation, events []convo.Event) {
	require.Equal(t, int64(len(events)), c.Version, "the version is the number of events")
	var folded convo.Snapshot
	var cycles []convo.Cycle
	for i, e := range events {
		require.Equal(t, int64(i+1), e.Seq)
		require.Equal(t, c.ID, e.Conversation)
		require.Equal(t, c.Workspace, e.Workspace)
		checkTimes(t, e)
		if i > 0 {
			require.False(t, e.At.Before(events[i-1].At), "event %d is before the one before",
				e.Seq)
		}
		if e.Kind == convo.ConversationReopened {
			cycles = append(cycles, folded.Conversation.Cycle)
		}
		folded = convo.Apply(folded, e)
	}
	want := c
	// a merge changes whose it is without an event of its own
	want.DueAt, want.Deadline = time.Time{}, time.Time{}
	want.Applied = ""
	want.Contact = folded.Conversation.Contact
	require.Equal(t, want, folded.Conversation, "the log folds into the state")
	root, err := w.engine.Contact(t.Context(), convo.ToContact(c.Workspace, c.Origin))
	require.NoError(t, err)
	require.Equal(t, root.ID, c.Contact, "it belongs to the root of whom it was opened for")

	cycles = append(cycles, folded.Conversation.Cycle)
	got, err := w.engine.Cycles(t.Context(), convo.ToConversation(c.Workspace, c.ID))
	require.NoError(t, err)
	require.Equal(t, cycles, got)
	for i, cycle := range cycles {
		require.Equal(t, i+1, cycle.Number)
		require.Equal(t, i < len(cycles)-1 || c.Status == convo.StatusClosed,
			!cycle.Closing.At.IsZero(), "a cycle ends with its closing")
		checkDurations(t, cycle)
	}
	checkTimes(t, c)
	require.False(t, c.StatusSince.Before(c.CreatedAt) || c.StatusSince.After(c.UpdatedAt))
	first, ok := c.FirstResolutionTime()
	require.Equal(t, ok, !cycles[0].Closing.At.IsZero())
	last, ok := c.LastResolutionTime()
	require.True(t, !ok || 0 <= first && first <= last)

	due, _ := w.due(t, c.Workspace, c.ID)
	if w.steady && !due.IsZero() {
		require.False(t, c.DueAt.IsZero(), "due at %s, but no timer is set", due)
		require.False(t, c.DueAt.After(due), "due at %s, but the timer is set to %s", due, c.DueAt)
	}
}

// checkTimes checks that all times in v are canonical: in UTC and whole microseconds.
func checkTimes(t *rapid.T, v any) {
	WalkTimes(reflect.ValueOf(v), func(at time.Time) {
		require.Equal(t, at, time.UnixMicro(at.UnixMicro()).UTC())
	})
}

// WalkTimes calls f with each time in v that is not zero.
func WalkTimes(v reflect.Value, f func(time.Time)) {
	if at, ok := v.Interface().(time.Time); ok {
		if !at.IsZero() {
			f(at)
		}
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			WalkTimes(v.Field(i), f)
		}
	}
}

func checkDurations(t *rapid.T, c convo.Cycle) {
	for name, measure := range map[string]func() (time.Duration, bool){
		"first response": c.FirstResponseTime, "assignment": c.AssignmentTime,
		"resolution":        c.ResolutionTime,
		"active resolution": c.ActiveResolutionTime, "response": c.ResponseTime,
		"pending": func() (time.Duration, bool) { return c.PendingTime(), true },
	} {
		d, _ := measure()
		require.GreaterOrEqual(t, d, time.Duration(0), name)
	}
	if resolution, ok := c.ResolutionTime(); ok {
		require.LessOrEqual(t, c.PendingTime(), resolution) // a wait may begin before the opening
	}
	require.LessOrEqual(t, c.Responses, c.Incoming, "no more replies than messages")
}

// checkContact holds a root contact against its log: what happened to it is numbered without gaps,
// and folds into it.
func (w *World) checkContact(t *rapid.T, k convo.Contact, p picture) {
	versions := map[int64]convo.Event{}
	add := func(version int64, e convo.Event) {
		_, taken := versions[version]
		require.False(t, taken, "version %d of contact %s twice", version, k.ID)
		versions[version] = e
	}
	for to, events := range p.Logs {
		for _, e := range events {
			if e.Kind == convo.MessageReceived && !e.Message().Quiet && e.Contact == k.ID &&
				to.Workspace == k.Workspace {
				require.Less(t, e.At.Sub(k.SeenAt), convo.SeenEvery)
			}
			switch {
			case to.Workspace != k.Workspace:
			case e.Kind == convo.ContactMerged && e.Row().MergedInto == k.ID:
				add(e.Row().ContactSeq, e)
			case e.Kind == convo.ContactUnmerged && e.Row().UnmergedFrom == k.ID:
				add(e.Row().ContactSeq, e)
			case e.Kind == convo.ConversationMoved && e.Row().MovedFrom == k.ID:
				add(e.Row().FromSeq, e)
			case e.Contact != k.ID:
			case e.Conversation == uuid.Nil:
				add(e.Seq, e)
			case e.Kind == convo.ConversationMoved, e.Kind == convo.ConversationOpened,
				e.Kind == convo.ConversationReopened:
				add(e.Row().ContactSeq, e)
			}
		}
	}
	if !w.gaps {
		require.Equal(t, int(k.Version), len(versions))
	}
	var folded convo.Snapshot
	folded.Contact.ID = k.ID // for its first event may be a merge of another one into it
	for _, version := range slices.Sorted(maps.Keys(versions)) {
		e := versions[version]
		if e.Kind == convo.ConversationReopened {
			folded.Conversation.ID = e.Conversation
		}
		folded = convo.Apply(folded, e)
		if !w.gaps {
			require.Equal(t, version, folded.Contact.Version)
		}
	}
	if w.gaps {
		folded.Contact.Workspace, folded.Contact.Version = k.Workspace, k.Version
		folded.Contact.CreatedAt, folded.Contact.UpdatedAt = k.CreatedAt, k.UpdatedAt
	}
	folded.Contact.SeenAt = k.SeenAt // by messages, which give no version
	require.Equal(t, k, folded.Contact, "the log folds into the contact")
	checkTimes(t, k)

	var linked []convo.Address
	for to, owner := range p.Contacts {
		if to.Contact == "" && owner == k {
			linked = append(linked, to.Address)
		}
	}
	require.ElementsMatch(t, linked, p.Addresses[convo.ToContact(k.Workspace, k.ID)])
}

// checkListing holds a filtered listing against the same filter done by hand.
func (w *World) checkListing(t *rapid.T, workspace string, all []convo.Conversation) {
	require.True(t, slices.IsSortedFunc(all, func(a, b convo.Conversation) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), slices.Compare(b.ID[:], a.ID[:]))
	}), "the last opened first")
	f := convo.Filter{
		Workspace:  workspace,
		Contact:    Pick(t, "of contact", "", "susan", "guest"),
		Team:       Pick(t, "of team", "", "", "sales"),
		Channel:    Pick(t, "of channel", "", "", "email"),
		Category:   Pick(t, "of category", "", "", "Sales"),
		Unassigned: rapid.Bool().Draw(t, "unassigned"),
		NoLane:     rapid.Bool().Draw(t, "in no lane"),
		Limit:      3,
	}
	if !f.NoLane {
		f.Lane = Pick(t, "of lane", "", "", "orders")
	}
	if !f.Unassigned {
		f.Assignee = Pick(t, "of assignee", "", "", "ana")
	}
	if rapid.Bool().Draw(t, "by status") {
		f.Status = Pick(t, "status", []convo.Status{convo.StatusOpen},
			[]convo.Status{convo.StatusOpen, convo.StatusPending},
			[]convo.Status{convo.StatusClosed}, []convo.Status{convo.StatusPending,
				convo.StatusClosed})
	}
	if len(all) > 0 && rapid.Bool().Draw(t, "period") {
		f.From, f.To = all[len(all)/2].CreatedAt, all[0].CreatedAt
	}
	of := f.Contact
	if k, ok := w.last.Contacts[convo.ToContact(workspace, f.Contact)]; ok {
		of = k.ID
	}
	var want []convo.Conversation
	for _, c := range all {
		if (len(f.Status) == 0 || slices.Contains(f.Status, c.Status)) &&
			(of == "" || c.Contact == of) &&
			(f.Team == "" || c.Team == f.Team) && (f.Channel == "" || c.Channel == f.Channel) &&
			(f.Category == "" || c.Cycle.Closing.Category == f.Category) &&
			(f.Lane == "" || c.Lane == f.Lane) && (!f.NoLane || c.Lane == "") &&
			(!f.Unassigned || c.Assignee == "") && (f.Assignee == "" || c.Assignee == f.Assignee) &&
			(f.From.IsZero() || !c.CreatedAt.Before(f.From)) &&
			(f.To.IsZero() || c.CreatedAt.Before(f.To)) {
			want = append(want, c)
		}
	}
	requireSame(t, want, w.conversations(t, f), "%+v", f)
}
