package world

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

// change edits, takes back or tells a message of the log its id, as those who have it do.
func (w *World) change(t *rapid.T) {
	var of []convo.Event
	for _, log := range w.last.Logs {
		for _, e := range log {
			if _, ok := e.Payload.(*convo.Message); ok {
				of = append(of, e)
			}
		}
	}
	if len(of) == 0 {
		t.Skip("no message is there yet that could change") // rapid draws another action
	}
	slices.SortFunc(of, func(a, b convo.Event) int { return slices.Compare(a.ID[:], b.ID[:]) })
	e := rapid.SampledFrom(of).Draw(t, "message")
	to, by := convo.ToContact(e.Workspace, e.Contact), convo.ByUser("ana")
	switch Pick(t, "change", convo.CommandEdit, convo.CommandRetract, convo.CommandIdentify) {
	case convo.CommandEdit:
		w.call(t, to, []convo.Command{convo.Edit{
			By: by, Message: e.ID, Body: Pick(t, "body", "Hi", "Hello", ""),
		}})
	case convo.CommandRetract:
		w.call(t, to, []convo.Command{convo.Retract{
			By: by, Message: e.ID, Redact: rapid.Bool().Draw(t, "redact"),
		}})
	default:
		w.call(t, to, []convo.Command{convo.Identify{
			By: by, Message: e.ID, Channel: Pick(t, "channel", channels...),
			ExternalID: fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "id")),
		}})
	}
}

func (w *World) do(t *rapid.T) {
	to := w.DrawRef(t)
	var cmds []convo.Command
	for range rapid.IntRange(1, 4).Draw(t, "commands") {
		cmds = append(cmds, w.DrawCommand(t))
	}
	w.call(t, to, cmds)
}

// call does one call, and checks it against what Decide says by itself.
func (w *World) call(t *rapid.T, to convo.Ref, cmds []convo.Command) {
	w.t, w.observed = t, nil
	w.otherEngine(t)
	given := cloneCommands(cmds)
	thread, loadErr := w.store.Load(t.Context(), to)
	fresh := loadErr == nil && to.Validate() == nil && !looksForMore(cmds) &&
		len(w.knownKeys(t, to, thread.Contact.ID, cmds)) == 0

	result, err := w.engine.Do(t.Context(), to, cmds...)
	require.Equal(t, given, cmds, "the commands are the caller's")
	if fresh {
		thread.Next = w.lastID
		d, decideErr := CheckPure(t, thread, w.now, w.Policies[to.Workspace], cmds)
		require.Equal(t, decideErr, err)
		if err == nil {
			require.Equal(t, d.Outcome, result.Outcome)
			require.Equal(t, d.Change.Events, result.Events)
			require.Equal(t, d.Change.Contact.Contact, result.Contact)
			require.Equal(t, d.Change.Conversation.Conversation, result.Conversation)
		}
	}
	if err != nil {
		w.refused(t, err)
		return
	}
	if result.Outcome == convo.OutcomeDuplicate {
		require.Empty(t, w.observed)
		w.wroteNothing(t)
	} else {
		requireSame(t, result.Events, w.observed)
		if result.Outcome == convo.OutcomeUnchanged {
			require.Empty(t, result.Events, "unchanged")
		}
		if IsKeyed(cmds) {
			w.keyed = append(w.keyed, keyedCall{to, cmds, result})
		}
	}
	if result.Contact.ID != "" { // else it is a duplicate of what belongs to another one by now
		contact, err := w.engine.Contact(t.Context(),
			convo.ToContact(to.Workspace, result.Contact.ID))
		require.NoError(t, err)
		require.Equal(t, contact, result.Contact)
		met := convo.ToContact(to.Workspace, result.Contact.ID)
		if result.Contact.Version > 0 && !slices.Contains(w.met, met) {
			w.met = append(w.met, met)
		}
	}
	if result.Conversation.ID != uuid.Nil {
		stored, err := w.store.Conversation(t.Context(), to.Workspace, result.Conversation.ID)
		require.NoError(t, err)
		require.Equal(t, stored, result.Conversation)
		require.Equal(t, stored.Contact, result.Contact.ID)
	}
	w.appended(t, result)
}

// forget takes the texts of the messages that are redacted by now, and of their echoes, out of what
// the world remembers, and nothing else.
func (w *World) forget(now picture) {
	gone, echoes := map[uuid.UUID]bool{}, map[uuid.UUID]uuid.UUID{}
	for _, log := range now.Logs {
		for _, e := range log {
			if r := e.Retracted(); r.Redacted {
				gone[r.Message] = true
			}
			if d := e.Identified(); d.Duplicate != uuid.Nil {
				echoes[d.Duplicate] = d.Message
			}
		}
	}
	for range echoes { // an echo may have one of its own
		for echo, of := range echoes {
			if gone[of] {
				gone[echo] = true
			}
		}
	}
	without := func(events []convo.Event) []convo.Event {
		events = slices.Clone(events)
		for i := range events {
			switch p := events[i].Payload.(type) {
			case *convo.Message:
				if gone[events[i].ID] {
					m := *p
					m.Body, m.Attachments = "", nil
					events[i].Payload = &m
				}
			case *convo.Edited:
				if gone[p.Message] {
					events[i].Payload = &convo.Edited{Message: p.Message}
				}
			}
		}
		return events
	}
	for log, events := range w.last.Logs {
		w.last.Logs[log] = without(events)
	}
	for i := range w.keyed {
		w.keyed[i].result.Events = without(w.keyed[i].result.Events)
	}
}

// appended checks that the log grew by the events of the result, and by nothing else.
func (w *World) appended(t *rapid.T, result convo.Result) {
	now := w.look(t)
	w.forget(now)
	var grown []convo.Event
	for log, events := range now.Logs {
		was := w.last.Logs[log]
		require.GreaterOrEqual(t, len(events), len(was), "the log of %v lost events", log)
		requireSame(t, was, events[:len(was)], "the log is only appended to")
		grown = append(grown, events[len(was):]...)
	}
	if result.Outcome == convo.OutcomeDuplicate {
		require.Empty(t, grown)
		return
	}
	byID := func(a, b convo.Event) int { return slices.Compare(a.ID[:], b.ID[:]) }
	require.True(t, slices.IsSortedFunc(result.Events, byID), "the ids of a call count up")
	written := slices.Clone(result.Events)
	slices.SortFunc(written, byID)
	slices.SortFunc(grown, byID)
	requireSame(t, written, grown, "the events of the result are those that were written")
}

// requireSame is require.Equal for lists, of which an empty one may be nil.
func requireSame[E any](t require.TestingT, want, got []E, about ...any) {
	if len(want) > 0 || len(got) > 0 {
		require.Equal(t, want, got, about...)
	}
}

// refused checks an error: it is one of those that Do names, and nothing was written.
func (w *World) refused(t *rapid.T, err error) {
	var invalid *convo.ValidationError
	var state *convo.StateError
	switch {
	case errors.As(err, &invalid):
		require.NotEmpty(t, invalid.Field)
		require.NotEmpty(t, invalid.Rule)
	case errors.As(err, &state):
		require.ErrorIs(t, err, state.Err)
	default:
		require.ErrorIs(t, err, convo.ErrKeyReused)
	}
	require.Empty(t, w.observed)
	w.wroteNothing(t)
}

func (w *World) wroteNothing(t *rapid.T) {
	require.Equal(t, w.last, w.look(t), "nothing was written")
}

// IsKeyed reports whether one of cmds has a key, or an external id.
func IsKeyed(cmds []convo.Command) bool {
	return slices.ContainsFunc(cmds, func(c convo.Command) bool {
		return len(keyIDs(c, convo.Address{Channel: "any"})) > 0
	})
}

// keyIDs are what makes c idempotent, when it is sent to an address.
func keyIDs(c convo.Command, to convo.Address) (ids []convo.KeyID) {
	v := reflect.ValueOf(c)
	if key := v.FieldByName("Key").String(); key != "" {
		ids = append(ids, convo.KeyID{ID: key})
	}
	external := v.FieldByName("ExternalID")
	if external.IsValid() && external.String() != "" && !looksForMore([]convo.Command{c}) {
		id := convo.KeyID{
			Channel: cmp.Or(v.FieldByName("Channel").String(), to.Channel),
			Address: v.FieldByName("Address").String(), ID: external.String(),
		}
		if id.Address == "" && id.Channel == to.Channel {
			id.Address = to.Value
		}
		ids = append(ids, id)
	}
	return ids
}

func (w *World) knownKeys(
	t *rapid.T, to convo.Ref, contact string, cmds []convo.Command,
) []convo.Key {
	var ids []convo.KeyID
	for _, c := range cmds {
		for _, id := range keyIDs(c, to.Address) {
			if id.Channel != "" {
				id.Contact = contact
			}
			ids = append(ids, id)
		}
	}
	keys, err := w.store.Keys(t.Context(), to.Workspace, ids...)
	require.NoError(t, err)
	return keys
}

// repeat calls again what was done under a key, and gets the first answer whatever happened in
// between.
func (w *World) repeat(t *rapid.T) {
	if len(w.keyed) == 0 {
		t.Skip("nothing to repeat")
	}
	c := rapid.SampledFrom(w.keyed).Draw(t, "call")
	w.t, w.observed = t, nil
	if k, err := w.store.Load(t.Context(), c.to); err == nil &&
		len(w.knownKeys(t, c.to, k.Contact.ID, c.cmds)) == 0 {
		// An id is unique for a contact. This Ref leads to another one now, or to nobody, who does
		// not know the id: its address was unlinked since, or its contact unmerged, and the message
		// is in a conversation of who was the root. The call would be a new one, so rapid draws
		// another action.
		// Or it leads to the same one, who was merged meanwhile, and whose conversation was moved
		// to another one of the family, with whom it stayed.
		had := c.result.Contact.ID
		if id := c.result.Conversation.ID; id != uuid.Nil && had == k.Contact.ID {
			now, err := w.store.Conversation(t.Context(), c.to.Workspace, id)
			require.NoError(t, err)
			had = now.Contact
		}
		require.NotEqual(t, had, k.Contact.ID)
		require.Equal(t, uuid.Nil, c.to.Conversation)
		t.Skip("it leads elsewhere since: not a repetition")
	}
	again, err := w.engine.Do(t.Context(), c.to, c.cmds...)
	require.NoError(t, err)
	require.Equal(t, convo.OutcomeDuplicate, again.Outcome)
	require.Empty(t, w.observed)
	w.wroteNothing(t)
	if len(c.cmds) > 1 {
		return // some of them may have been applied even before, elsewhere
	}
	for _, log := range w.last.Logs {
		for _, e := range log {
			of := e.Identified().Duplicate
			if of != uuid.Nil && slices.ContainsFunc(c.result.Events,
				func(e convo.Event) bool { return e.ID == of }) {
				return // it was an echo, and its key leads to the message now
			}
		}
	}
	owner, err := w.engine.Contact(t.Context(), c.to)
	if was := convo.ToContact(c.to.Workspace, c.result.Contact.ID); err == nil {
		if id := c.result.Conversation.ID; id != uuid.Nil { // which may have been moved since
			was = convo.ToConversation(c.to.Workspace, id)
		}
		is, err := w.engine.Contact(t.Context(), was)
		require.NoError(t, err)
		if is.ID != owner.ID {
			want := convo.Result{Outcome: convo.OutcomeDuplicate}
			if again.Conversation.ID == uuid.Nil && again.Contact.ID != "" {
				want.Contact = owner // a key does not say whose own log it was
			}
			require.Equal(t, want, again)
			return // the address or the conversation is another one's, who is told nothing
		}
	} else {
		require.ErrorIs(t, err, convo.ErrNotFound)
		require.Equal(t, convo.Result{Outcome: convo.OutcomeDuplicate}, again)
		return // the address is nobody's
	}
	require.Equal(t, c.result.Conversation.ID, again.Conversation.ID)
	if c.result.Conversation.ID == uuid.Nil && keyIDs(c.cmds[0], c.to.Address)[0].Channel == "" {
		return // a key does not say whose own log it was
	}
	first := slices.DeleteFunc(slices.Clone(c.result.Events), func(e convo.Event) bool {
		return e.Conversation != c.result.Conversation.ID
	})
	requireSame(t, first, again.Events)
}
