package world

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

// erased is an erasure that was carried out, and what there was before.
type erased struct {
	workspace string
	names     []string           // the contact, and all that were merged into it
	owned     map[uuid.UUID]bool // its conversations
	before    picture
	result    convo.EraseResult
}

// erase erases a contact, or is refused, and looks for it everywhere.
func (w *World) erase(t *rapid.T) {
	var all []convo.Ref
	for to := range w.last.Contacts {
		if to.Contact != "" {
			all = append(all, to)
		}
	}
	if len(all) == 0 {
		t.Skip("nobody is known yet") // rapid draws another action
	}
	slices.SortFunc(all, func(a, b convo.Ref) int {
		return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Contact, b.Contact))
	})
	w.t, w.observed = t, nil
	w.otherEngine(t)
	of := Pick(t, "contact", all...)
	if Rarely(t, "somebody else", 10) {
		of = convo.ToContact(Pick(t, "workspace", Workspaces...), Pick(t, "id", contacts...))
	}
	x := convo.Erase{Workspace: of.Workspace, Contact: of.Contact, By: convo.ByUser("ana")}
	if rapid.Bool().Draw(t, "keyed") {
		x.Key = fmt.Sprint("erase-", w.taken)
	}
	who, whoErr := w.engine.Contact(t.Context(), of)
	family, err := w.store.Family(t.Context(), of.Workspace, of.Contact)
	require.NoError(t, err)
	known := w.known(t, of)
	r, err := w.engine.Erase(t.Context(), x)
	if err != nil {
		want := convo.ErrMerged
		switch {
		case whoErr != nil:
			want = convo.ErrNotFound
		case !who.ErasedAt.IsZero():
			want = convo.ErrErased
		}
		require.ErrorIs(t, err, want)
		w.refused(t, err)
		return
	}
	require.NoError(t, whoErr)
	require.Zero(t, who.ErasedAt)
	require.Equal(t, of.Contact, who.ID)
	require.Equal(t, convo.OutcomeErased, r.Outcome)
	requireSame(t, r.Events, w.observed)
	gone := erased{
		workspace: of.Workspace, names: []string{of.Contact}, owned: map[uuid.UUID]bool{},
		before: w.last, result: r,
	}
	for _, k := range family {
		gone.names = append(gone.names, k.ID)
	}
	for _, c := range w.last.Conversations[of.Workspace] {
		if c.Contact == of.Contact {
			gone.owned[c.ID] = true
		}
	}
	w.done.Erased += len(gone.names)
	w.met = slices.DeleteFunc(w.met, func(to convo.Ref) bool {
		return to.Workspace == of.Workspace && slices.Contains(gone.names, to.Contact)
	})
	w.met = append(w.met, convo.ToContact(of.Workspace, r.Contact.ID))
	w.last = w.look(t)
	w.forgetErased(&gone)
	gone.checkReport(t, w.last)
	gone.checkNames(t, w.last)
	gone.checkEvents(t, w.last)
	gone.checkRest(t, w.last)
	for _, c := range known {
		again, err := w.engine.Do(t.Context(), c.to, c.cmds...)
		require.NoError(t, err)
		require.Equal(t, convo.Result{Outcome: convo.OutcomeDuplicate}, again,
			"what is delivered again is known")
	}
	again, err := w.engine.Erase(t.Context(), x)
	if x.Key == "" {
		require.ErrorIs(t, err, convo.ErrNotFound)
	} else {
		require.NoError(t, err)
		last := r.Events[len(r.Events)-1:]
		require.Equal(t, convo.EraseResult{
			Outcome: convo.OutcomeDuplicate, Contact: r.Contact, Removed: r.Removed, Events: last,
		}, again)
	}
	w.wroteNothing(t)
}

// known are calls of one command that would be duplicates just now, for a contact.
func (w *World) known(t *rapid.T, of convo.Ref) (all []keyedCall) {
	for _, c := range w.keyed {
		if c.to.Workspace != of.Workspace || c.to.Conversation != uuid.Nil || len(c.cmds) > 1 {
			continue
		}
		// An id without an address is its contact's. Nobody is named by an address any more.
		byContact := c.to.Contact == "" && slices.ContainsFunc(keyIDs(c.cmds[0], c.to.Address),
			func(id convo.KeyID) bool { return id.Channel != "" && id.Address == "" })
		k, err := w.store.Load(t.Context(), c.to)
		if err == nil && !byContact && k.Contact.ID == of.Contact &&
			len(w.knownKeys(t, c.to, k.Contact.ID, c.cmds)) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// forgetErased forgets the calls that have to do with who was erased: what came of them is another
// thing by now.
func (w *World) forgetErased(x *erased) {
	now := w.last.events()
	w.keyed = slices.DeleteFunc(w.keyed, func(c keyedCall) bool {
		if c.to.Workspace != x.workspace {
			return false
		}
		return slices.Contains(x.names, c.to.Contact) ||
			slices.Contains(x.names, c.result.Contact.ID) || x.owned[c.to.Conversation] ||
			x.owned[c.result.Conversation.ID] ||
			slices.ContainsFunc(c.result.Events, func(e convo.Event) bool {
				is := now[e.ID]
				return x.owned[e.Conversation] || asText(e) != asText(is)
			})
	})
}

// checkReport checks what the erasure says of itself.
func (x *erased) checkReport(t *rapid.T, now picture) {
	want := convo.Erased{
		Contacts:  len(x.names),
		Addresses: len(x.before.Addresses[convo.ToContact(x.workspace, x.names[0])]),
	}
	is := map[uuid.UUID]convo.Conversation{}
	for _, c := range now.Conversations[x.workspace] {
		is[c.ID] = c
	}
	require.Len(t, is, len(x.before.Conversations[x.workspace]), "no conversation is gone")
	for _, c := range x.before.Conversations[x.workspace] {
		now := is[c.ID]
		if !x.owned[c.ID] {
			if now.Version > c.Version {
				want.Elsewhere++
			} else {
				require.Equal(t, c, now, "it is another one's")
			}
			continue
		}
		want.Conversations++
		want.Events += int(c.Version)
		if c.Status.Active() {
			want.Closed++
		}
		require.Equal(t, convo.StatusClosed, now.Status)
		require.Equal(t, counted(c), counted(now), "counts stay")
	}
	require.Equal(t, want, x.result.Removed)
	k := now.Contacts[convo.ToContact(x.workspace, x.result.Contact.ID)]
	require.Equal(t, x.result.Contact, k)
	require.NotZero(t, k.ErasedAt)
	require.Empty(t, k.Name+string(k.Attributes))
}

// counted is what reports count and group by of what a closing does not change.
func counted(c convo.Conversation) any {
	return []any{
		c.Channel, c.Lane, c.Labels, c.Priority, c.CreatedAt, c.Cycle.Number, c.Cycle.OpenedAt,
		c.Cycle.Incoming, c.Cycle.OutgoingUser, c.Cycle.OutgoingAutomation, c.Cycle.Responses,
		c.Cycle.ResponseMicros, c.Cycle.FirstResponseAt, c.Cycle.Rating.Score,
	}
}

// checkNames checks that nobody has the ids any more, and no address leads to one.
func (x *erased) checkNames(t *rapid.T, now picture) {
	var all []any
	for _, c := range now.Conversations[x.workspace] {
		all = append(all, c)
	}
	for to, log := range now.Logs {
		if to.Workspace == x.workspace {
			all = append(all, log)
		}
	}
	for to, k := range now.Contacts {
		if to.Workspace == x.workspace {
			require.NotContains(t, x.names, to.Contact, "who is erased is found by nothing")
			all = append(all, k)
		}
	}
	for root, linked := range now.Addresses {
		if root.Workspace == x.workspace {
			for _, a := range x.before.Addresses[convo.ToContact(x.workspace, x.names[0])] {
				require.NotContains(t, linked, a)
			}
		}
	}
	for _, k := range now.Keys[x.workspace] {
		require.NotContains(t, x.names, k.Contact)
	}
	text := asText(all)
	for _, name := range x.names {
		require.NotContains(t, text, name)
	}
}

// checkEvents checks that each event is there as it was, but for what an erasure takes from it.
func (x *erased) checkEvents(t *rapid.T, now picture) {
	is, was := now.events(), x.before.events()
	for id, before := range was {
		e, ok := is[id]
		require.True(t, ok, "event %s is gone", id)
		own := before.Conversation == uuid.Nil && slices.Contains(x.names, before.Contact)
		switch {
		case before.Workspace == x.workspace && (own || x.owned[before.Conversation]):
			require.Equal(t, named(before, true), named(e, true))
			r := e.Row()
			require.Empty(t, r.ExternalID)
			if r.Address != "" {
				require.Equal(t, x.result.Contact.ID, r.Address)
			}
			require.False(t, r.ClearTexts() && e.Kind != convo.ContactErased, "%+v", e)
		case before.Workspace == x.workspace && x.isNamed(before):
			require.Equal(t, named(before, false), named(e, false))
		default:
			require.Equal(t, before, e, "it is another one's")
		}
	}
	var written []convo.Event
	for id, e := range is {
		if _, ok := was[id]; !ok {
			written = append(written, e)
		}
	}
	byID := func(a, b convo.Event) int { return slices.Compare(a.ID[:], b.ID[:]) }
	slices.SortFunc(written, byID)
	result := slices.SortedFunc(slices.Values(x.result.Events), byID)
	requireSame(t, result, written, "the events of the result are those that were written")
}

// checkRest checks that what the erasure does not go over is as it was.
func (x *erased) checkRest(t *rapid.T, now picture) {
	for workspace, cs := range x.before.Conversations {
		if workspace != x.workspace {
			require.Equal(t, cs, now.Conversations[workspace])
		}
	}
	for to, k := range x.before.Contacts {
		if to.Workspace != x.workspace || !x.isNamed(k) && !slices.Contains(x.names, to.Contact) {
			require.Equal(t, k, now.Contacts[to], "it is another one's")
		}
	}
	touched := map[uuid.UUID]bool{}
	for _, e := range x.result.Events {
		touched[e.Conversation] = true
	}
	for workspace, keys := range x.before.Keys {
		for _, k := range keys {
			if workspace == x.workspace && (touched[k.Conversation] || k.Channel == "" ||
				slices.Contains(x.names, k.Contact)) {
				continue
			}
			// one that was erased before is found by the names that it had, while somebody has them
			owner, ok := x.before.Contacts[convo.ToContact(workspace, k.Contact)]
			if ok && owner.ErasedAt.IsZero() {
				require.Contains(t, now.Keys[workspace], k)
			}
		}
	}
}

// isNamed reports whether v names one of who was erased.
func (x *erased) isNamed(v any) bool {
	text := asText(v)
	return slices.ContainsFunc(x.names, func(name string) bool {
		return strings.Contains(text, name)
	})
}

// named is an event without whom it names, and without what is known by them. When it is erased
// with its texts, it is also without those.
func named(e convo.Event, owned bool) convo.EventRow {
	r := e.Row()
	r.Contact, r.MovedFrom, r.MergedInto, r.UnmergedFrom = "", "", "", ""
	r.BlockedBy, r.OwnBlockedBy, r.ExternalID, r.Address = "", "", "", ""
	for _, a := range []*convo.Actor{&r.By, &r.ClosedBy} {
		if a.Type == convo.ActorContact {
			a.ID = ""
		}
	}
	if owned {
		r.ClearTexts()
	}
	return r
}

func asText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
