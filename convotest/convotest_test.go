package convotest_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/convotest"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/storetest"
)

func TestAConversationIsInTheStateThatATestIsAbout(t *testing.T) {
	k := convotest.New(t, sound(t, memstore.New()))
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
	k := convotest.New(t, sound(t, memstore.New()))
	for _, contact := range []string{"ann", "bob"} {
		assert.Equal(t, convo.StatusPending, k.Pending(contact, time.Hour).Status)
	}
	assert.Zero(t, k.Pass(59*time.Minute))
	assert.Equal(t, 2, k.Pass(time.Minute))
	ann, err := k.Active(t.Context(), k.Ref("ann"))
	require.NoError(t, err)
	assert.Equal(t, convo.StatusOpen, ann.Status)
}

func TestWhatTheEngineRefusesFailsTheTest(t *testing.T) {
	fake := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		convotest.New(fake, memstore.New()).Reopened("nobody")
	}()
	<-done
	require.ErrorIs(t, fake.err, convo.ErrNotFound)
}

// failing is a test that fails without failing this one.
type failing struct {
	testing.TB
	err error
}

func (f *failing) Fatal(args ...any) {
	f.err = args[0].(error)
	runtime.Goexit()
}

// sound has what is in a store looked at in the end, as a host's test does.
func sound(t *testing.T, s convo.Store) convo.Store {
	t.Helper()
	t.Cleanup(func() {
		assert.Empty(t, storetest.CheckInvariants(context.Background(), s, convotest.Workspace))
	})
	return s
}
