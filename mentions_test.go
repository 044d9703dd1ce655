package convo_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/chatlifecycle/convo"
)

// Whom an event names is found by Mentions, of each kind: else an erasure would not find it.
func TestMentionsAreAllWhomAnEventNames(t *testing.T) {
	by := func(id string) convo.Actor { return convo.Actor{Type: convo.ActorContact, ID: id} }
	for _, kind := range convo.EventKinds() {
		e := (&convo.EventRow{
			Kind: kind, Contact: "own", Conversation: uuid.New(), By: by("by"),
			ClosedBy: by("closer"), MovedFrom: "before", MergedInto: "primary",
			UnmergedFrom: "root", BlockedBy: convo.TokensOf("a", "own"),
			OwnBlockedBy: convo.TokensOf("b", "a"),
		}).Event()
		r := e.Row()
		want := map[string]bool{r.By.ID: true, r.ClosedBy.ID: true}
		for _, id := range []string{r.MovedFrom, r.MergedInto, r.UnmergedFrom} {
			want[id] = true
		}
		for _, l := range []convo.Tokens{r.BlockedBy, r.OwnBlockedBy} {
			for _, id := range l.All() {
				want[id] = true
			}
		}
		if _, ok := e.Payload.(*convo.Message); ok {
			delete(want, "closer") // which no message names
		}
		delete(want, "")
		delete(want, "own")
		got := map[string]bool{}
		for _, id := range e.Mentions() {
			assert.False(t, got[id], "%s: %s twice", kind, id)
			got[id] = true
		}
		assert.Equal(t, want, got, "%s", kind)
	}
	none := (&convo.EventRow{Kind: convo.NoteAdded, Contact: "own", By: convo.ByUser("ana")}).Event()
	assert.Nil(t, none.Mentions())
}
