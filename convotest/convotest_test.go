package convotest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/convotest"
	"github.com/chatlifecycle/convo/memstore"
)

func TestAConversationIsInTheStateThatATestIsAbout(t *testing.T) {
	k := convotest.New(t, memstore.New())
	k.Ago(72*time.Hour, func() { k.Closed("ann") })
	var ann convo.Conversation
	k.Ago(24*time.Hour, func() { ann = k.Reopened("ann") })
	assert.Equal(t, convo.StatusOpen, ann.Status)
	cycles, err := k.Cycles(t.Context(), k.Ref("ann"))
	require.NoError(t, err)
	require.Len(t, cycles, 2)
	assert.Equal(t, convotest.Start.Add(-72*time.Hour), cycles[0].Closing.At)
	assert.Equal(t, convotest.Start.Add(-24*time.Hour), cycles[1].OpenedAt)

	k.Opened("bob")
	k.Merged("ann", "bob")
	bob, err := k.Contact(t.Context(), k.Ref("bob"))
	require.NoError(t, err)
	assert.Equal(t, "ann", bob.ID)
}

func TestTimePassesWhenTheTestSaysSo(t *testing.T) {
	k := convotest.New(t, memstore.New())
	for _, contact := range []string{"ann", "bob"} {
		assert.Equal(t, convo.StatusPending, k.Pending(contact, time.Hour).Status)
	}
	assert.Zero(t, k.Pass(59*time.Minute))
	assert.Equal(t, 2, k.Pass(time.Minute))
	ann, err := k.Active(t.Context(), k.Ref("ann"))
	require.NoError(t, err)
	assert.Equal(t, convo.StatusOpen, ann.Status)
}

// What a test has broken is noticed when it ends.
func TestABrokenStoreFailsTheTest(t *testing.T) {
	fake := &failing{TB: t}
	k := convotest.New(fake, forgetful{memstore.New()})
	k.Opened("ann")
	require.NotEmpty(t, fake.cleanups)
	for _, f := range fake.cleanups {
		f()
	}
	assert.True(t, fake.failed)
}

// failing is a test that fails without failing this one.
type failing struct {
	testing.TB
	cleanups []func()
	failed   bool
}

func (f *failing) Cleanup(g func()) { f.cleanups = append(f.cleanups, g) }
func (f *failing) Error(...any)     { f.failed = true }

// forgetful is a store that does not find its logs.
type forgetful struct{ convo.Store }

func (forgetful) Events(context.Context, convo.EventFilter) ([]convo.Event, error) {
	return nil, nil
}
