package convo

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newKept(n int) *keptSnapshots {
	return &keptSnapshots{max: n, at: map[Ref]int{}, led: map[Ref]lead{}}
}

// keepOne keeps the conversation of a contact, whose id tells its own.
func keepOne(k *keptSnapshots, i int) (contact, conversation Ref) {
	s := Snapshot{Ref: ToContact("acme", fmt.Sprint(i))}
	s.Contact.Workspace, s.Contact.ID, s.Contact.Version = "acme", s.Ref.Contact, 1
	s.Conversation.Workspace, s.Conversation.Contact = "acme", s.Ref.Contact
	s.Conversation.ID = uuid.UUID{0: byte(i >> 8), 1: byte(i), 15: 1}
	s.Conversation.Status = StatusOpen
	ch := Change{
		Contact:      ContactRow{Contact: s.Contact},
		Conversation: ConversationRow{Conversation: s.Conversation},
	}
	k.keep(&s, &ch)
	return s.Ref, ToConversation("acme", s.Conversation.ID)
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	k := newKept(10)
	for i := range 2000 {
		contact, conversation := keepOne(k, i%300)
		assert.LessOrEqual(t, len(k.all), 10)
		assert.Len(t, k.at, len(k.all))
		assert.LessOrEqual(t, len(k.led), 20)
		var s Snapshot
		to := &contact
		if i%2 == 0 {
			to = &conversation
		}
		known, pays := k.take(to, &s)
		require.True(t, known, "the last one is there")
		require.True(t, pays)
		assert.Equal(t, *to, s.Ref)
		assert.Equal(t, contact.Contact, s.Contact.ID)
		assert.Equal(t, contact.Contact, s.Conversation.Contact)
		known, _ = k.take(to, &s)
		assert.False(t, known, "it is taken once")
	}
	for of, i := range k.at {
		assert.Equal(t, of.Conversation, k.all[i].conversation.ID)
	}
}

// Where others have mostly been there, nothing is decided on what is kept until it would pay again.
func TestWhatIsKeptIsUsedWhileItPays(t *testing.T) {
	k := newKept(10)
	k.credit = firstCredit
	pays := func() bool {
		to, _ := keepOne(k, 1)
		known, pays := k.take(&to, new(Snapshot))
		require.True(t, known)
		return pays
	}
	assert.True(t, pays(), "at first")
	k.was(false)
	assert.True(t, pays(), "once is chance")
	for i := range 300 { // two in three are what pays
		k.was(i%3 > 0)
	}
	assert.True(t, pays())
	for range 100 {
		k.was(false)
	}
	assert.False(t, pays())
	for i := range 300 {
		k.was(i%2 > 0)
	}
	assert.False(t, pays(), "half of them are not enough")
	for range 101 {
		k.was(true)
	}
	assert.True(t, pays())
}

// Of which the comment of WithKept speaks: 1,024 of them are 2 MB.
func TestWhatIsKeptIsSmall(t *testing.T) {
	assert.Less(t, unsafe.Sizeof(keptSnapshot{}), uintptr(1400))
}

// Who is never seen again takes the place of somebody else, and no memory.
func TestKeepingTakesNoMemoryOnceItIsFull(t *testing.T) {
	k := newKept(100)
	type one struct {
		s  Snapshot
		ch Change
	}
	all := make([]one, 5000)
	for i := range all {
		s, ch := &all[i].s, &all[i].ch
		s.Ref = ToContact("acme", fmt.Sprint(i))
		ch.Contact.Workspace, ch.Contact.ID = "acme", s.Ref.Contact
		ch.Conversation.ID, ch.Conversation.Status = uuid.New(), StatusOpen
		s.Contact, s.Conversation = ch.Contact.Contact, ch.Conversation.Conversation
	}
	i := 0
	keep := func() {
		k.keep(&all[i%len(all)].s, &all[i%len(all)].ch)
		i++
	}
	for range 300 {
		keep()
	}
	assert.Zero(t, testing.AllocsPerRun(4000, keep))
	assert.Len(t, k.at, 100)
}

func TestWhatIsErasedIsNotKept(t *testing.T) {
	k := newKept(10)
	var ids []uuid.UUID
	for i := range 12 { // some take the places of others
		s := &Snapshot{Ref: ToAddress("acme", "sms", fmt.Sprint(i))}
		s.Contact = Contact{Workspace: "acme", ID: fmt.Sprint("contact ", i)}
		s.AddressOwner = s.Contact.ID
		s.Conversation = Conversation{ID: uuid.New(), Status: StatusOpen, Workspace: "acme"}
		ids = append(ids, s.Conversation.ID)
		ch := &Change{Contact: ContactRow{Contact: s.Contact}}
		ch.Conversation.Conversation = s.Conversation
		k.keep(s, ch)
	}
	for i, id := range ids {
		k.forget("acme", id)
		for _, kept := range []any{k.all, k.at, k.led} {
			assert.NotContains(t, fmt.Sprint(kept), id.String())
		}
		assert.NotContains(t, fmt.Sprint(k.all), fmt.Sprint("contact ", i, " "))
	}
	assert.Empty(t, k.at)
	assert.Empty(t, k.led)
}
