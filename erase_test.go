package convo_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// An export is what testdata/export.ndjson shows, and nothing of another one is in it.
func TestAnExportIsAllThatIsKeptOfAPerson(t *testing.T) {
	now, n := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), uint64(0)
	engine, err := convo.New(memstore.New(), convo.WithClock(fixed(now)),
		convo.WithIDs(func() (id uuid.UUID) {
			n += 1 << 8
			binary.BigEndian.PutUint64(id[8:], 1<<63|n)
			return id
		}))
	require.NoError(t, err)
	ctx := context.Background()
	do := func(to convo.Ref, cmds ...convo.Command) {
		_, err := engine.Do(ctx, to, cmds...)
		require.NoError(t, err)
	}
	riya := convo.ToContact("acme", "riya")
	riya.Address = convo.Address{Channel: "sms", Value: "+1"}
	other := convo.ToContact("acme", "tom")
	other.Address = convo.Address{Channel: "sms", Value: "+2"}
	ana, name := convo.ByUser("ana"), "Riya & Co"
	do(riya, convo.Receive{ExternalID: "17", Body: "Hello <you>"},
		convo.SetProfile{By: ana, Name: &name},
		convo.Send{By: ana, Body: "Hello", ExternalID: "18"},
		convo.Close{By: ana, Summary: "Greeted"})
	do(other, convo.Receive{ExternalID: "17", Body: "another one's"})
	do(convo.ToContact("acme", "aunt"), convo.Receive{Channel: "web", Body: "me again"})
	_, err = engine.Merge(ctx,
		convo.Merge{Workspace: "acme", Primary: "riya", Secondary: "aunt", By: ana})
	require.NoError(t, err)
	for _, address := range []string{"+1", "+2"} {
		_, err = engine.Deliver(ctx, "acme", convo.Delivery{
			Channel: "sms", Address: address, ExternalID: "18", Status: convo.DeliveryRead, At: now,
		})
		require.NoError(t, err)
	}
	var got bytes.Buffer
	require.NoError(t, engine.Export(ctx, convo.ToContact("acme", "aunt"), &got))
	const file = "testdata/export.ndjson"
	if *update {
		require.NoError(t, os.WriteFile(file, got.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
	assert.NotContains(t, got.String(), "another one's")
	assert.NotContains(t, got.String(), "+2")

	assert.ErrorIs(t, engine.Export(ctx, convo.ToContact("acme", "nobody"), &got),
		convo.ErrNotFound)
	assert.ErrorIs(t, engine.Export(ctx, convo.ToContact("other", "riya"), &got),
		convo.ErrNotFound)
	assert.ErrorIs(t, engine.Export(ctx, convo.ToConversation("acme", uuid.New()), &got),
		convo.ErrInvalid)
}

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }
