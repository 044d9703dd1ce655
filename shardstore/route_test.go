package shardstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/shardstore"
)

var (
	start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	ana   = convo.ByUser("ana")
)

func engineOn(t *testing.T, s convo.Store) *convo.Engine {
	e, err := convo.New(s)
	require.NoError(t, err)
	return e
}

func receive(t *testing.T, e *convo.Engine, workspace, body string) convo.Result {
	r, err := e.Do(t.Context(), convo.ToContact(workspace, "ann"),
		convo.Receive{Channel: "chat", Body: body})
	require.NoError(t, err)
	return r
}

func TestTheDirectoryOfTheHostAloneDecides(t *testing.T) {
	d := table{}
	for i := range 30 {
		d[fmt.Sprint("w", i)] = names[i%2] // nothing for the third one
	}
	s, shards := over(t, d)
	e := engineOn(t, s)
	for w, name := range d {
		receive(t, e, w, "hi")
		for other, shard := range shards {
			k, err := shard.Load(t.Context(), convo.ToContact(w, "ann"))
			require.NoError(t, err)
			assert.Equal(t, other == name, k.Contact.Version > 0, "%s on %s", w, other)
		}
	}
}

func TestAWorkspaceWithoutAShardIsRefusedAndNothingIsWritten(t *testing.T) {
	d := table{"elsewhere": "us-9", "acme": "eu-1"}
	s, shards := over(t, d, memstore.WithFeed())
	e := engineOn(t, s)
	for w, shard := range map[string]string{"unknown": "", "elsewhere": "us-9"} {
		_, err := e.Do(t.Context(), convo.ToContact(w, "ann"), convo.Receive{Body: "hi"})
		require.ErrorIs(t, err, shardstore.ErrNoShard)
		if shard != "" {
			var refused *shardstore.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, shardstore.Error{Workspace: w, Shard: shard,
				Err: shardstore.ErrNoShard}, *refused)
			assert.Contains(t, err.Error(), "enter it in the directory")
		}
		for _, shard := range shards {
			k, err := shard.Load(t.Context(), convo.ToContact(w, "ann"))
			require.NoError(t, err)
			assert.Zero(t, k.Contact.Version)
		}
	}
	_, err := e.Do(t.Context(), convo.ToContact("down", "ann"), convo.Receive{Body: "hi"})
	require.ErrorIs(t, err, errDirectory)
	_, err = s.Queue(t.Context(), start, []relay.Stream{
		{Workspace: "acme", Contact: "ann"}, {Workspace: "unknown", Contact: "ann"},
	}, nil)
	require.ErrorIs(t, err, shardstore.ErrNoShard)
}

// A workspace that was left behind on another shard is not of this store any more: its timers do
// not fire, and its events do not go out.
func TestRowsOfAWorkspaceThatIsElsewhereAreLeftOut(t *testing.T) {
	d := table{"a": "eu-1", "b": "eu-2", "c": "us-1", "left": "eu-1"}
	s, shards := over(t, d, memstore.WithOutbox())
	ctx := t.Context()
	for w, name := range d {
		e := engineOn(t, shards[name])
		for i := range 5 {
			who, years := convo.ToContact(w, fmt.Sprint("contact ", i)), 10
			if w == "left" { // whole pages have nothing else
				years = 9
			}
			_, err := e.Do(ctx, who, convo.Receive{Body: "hi"},
				convo.SetPending{By: ana, Until: start.AddDate(years, 0, i)})
			require.NoError(t, err)
			who.Lane = "closed"
			_, err = e.Do(ctx, who, convo.Open{By: ana}, convo.Close{By: ana})
			require.NoError(t, err)
		}
	}
	d["left"] = "eu-2"
	far := start.AddDate(20, 0, 0)
	whole, err := s.Due(ctx, convo.DueQuery{Before: far, Limit: 100})
	require.NoError(t, err)
	require.Len(t, whole, 15)
	for limit := 1; limit <= 20; limit++ {
		due, err := s.Due(ctx, convo.DueQuery{Before: far, Limit: limit})
		require.NoError(t, err)
		assert.Equal(t, whole[:min(limit, 15)], due)
		for _, d := range due {
			assert.NotEqual(t, "left", d.Ref.Workspace)
		}
		noted, err := s.Noted(ctx, relay.Stream{}, limit)
		require.NoError(t, err)
		assert.Len(t, noted, limit)
		for _, of := range noted {
			assert.NotEqual(t, "left", of.Workspace)
		}
		closed, _, err := s.ClosedBefore(ctx, convo.ClosedQuery{Before: far, Limit: limit})
		require.NoError(t, err)
		for _, c := range closed {
			assert.NotEqual(t, "left", c.Workspace)
		}
	}
	delete(d, "left") // nor when the directory has it nowhere
	due, err := s.Due(ctx, convo.DueQuery{Before: far, Limit: 50})
	require.NoError(t, err)
	assert.Len(t, due, 15)
}

func TestWhatIsOfOneShardRefusesTheWorkspacesOfOthers(t *testing.T) {
	d := table{"a": "eu-1", "b": "eu-2"}
	s, shards := over(t, d)
	receive(t, engineOn(t, s), "a", "hi")
	receive(t, engineOn(t, s), "b", "hi")
	only, err := s.Only("eu-1")
	require.NoError(t, err)
	e := engineOn(t, only)
	receive(t, e, "a", "hi again")
	_, err = e.Do(t.Context(), convo.ToContact("b", "ann"), convo.Receive{Body: "hi"})
	require.ErrorIs(t, err, shardstore.ErrOtherShard)
	var refused *shardstore.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "eu-2", refused.Shard)
	k, err := shards["eu-2"].Load(t.Context(), convo.ToContact("b", "ann"))
	require.NoError(t, err)
	assert.Equal(t, 1, k.Conversation.Cycle.Incoming)
	in, err := s.In("eu-1", shards["eu-1"])
	require.NoError(t, err)
	_, err = engineOn(t, in).Do(t.Context(), convo.ToContact("b", "ann"), convo.Open{By: ana})
	require.ErrorIs(t, err, shardstore.ErrOtherShard)
	_, err = s.Only("us-9")
	require.ErrorIs(t, err, convo.ErrInvalid)
	var changes []convo.Change
	for _, w := range []string{"a", "b"} {
		loaded, err := s.Load(t.Context(), convo.ToContact(w, "ann"))
		require.NoError(t, err)
		loaded.Next[0] = w[0]
		decided, err := convo.Decide(loaded, time.Now(), nil, convo.Note{By: ana, Body: "note"})
		require.NoError(t, err)
		changes = append(changes, decided.Change)
	}
	require.ErrorIs(t, s.Commit(t.Context(), changes...), shardstore.ErrOtherShard)
	_, err = s.Snapshots(t.Context(), []convo.Ref{
		convo.ToContact("a", "ann"), convo.ToContact("b", "ann"),
	})
	require.ErrorIs(t, err, shardstore.ErrOtherShard)
	for _, w := range []string{"a", "b"} {
		after, err := s.Load(t.Context(), convo.ToContact(w, "ann"))
		require.NoError(t, err)
		assert.NotEqual(t, int64(0), after.Conversation.Version)
		events, err := s.Events(t.Context(), convo.EventFilter{
			Workspace: w, Conversation: after.Conversation.ID, Limit: 10,
		})
		require.NoError(t, err)
		for _, event := range events {
			assert.NotEqual(t, convo.NoteAdded, event.Kind)
		}
	}
}

func TestAStoreNeedsADirectoryAndShards(t *testing.T) {
	d := shardstore.Rendezvous()
	_, err := shardstore.New(nil, map[string]*memstore.Store{"a": memstore.New()})
	require.ErrorIs(t, err, convo.ErrInvalid)
	_, err = shardstore.New[*memstore.Store](d, nil)
	require.ErrorIs(t, err, convo.ErrInvalid)
	_, err = shardstore.New(d, map[string]*memstore.Store{"": memstore.New()})
	require.ErrorIs(t, err, convo.ErrInvalid)
	_, err = d.Place(t.Context(), "acme")
	require.ErrorIs(t, err, shardstore.ErrNoShard)
}

// short is a shard whose pages of closings end before their limit, as a database's may.
type short struct{ *memstore.Store }

func (s short) ClosedBefore(
	ctx context.Context, q convo.ClosedQuery,
) ([]convo.Closed, convo.ClosedPlace, error) {
	q.Limit = 1
	return s.Store.ClosedBefore(ctx, q)
}

func TestAPageEndsWhereTheShortestOneDoes(t *testing.T) {
	d := table{"a": "eu-1", "b": "eu-2", "c": "eu-1", "d": "eu-2", "e": "eu-2"}
	s, err := shardstore.New[shardstore.Shard](d, map[string]shardstore.Shard{
		"eu-1": memstore.New(), "eu-2": short{memstore.New()},
	})
	require.NoError(t, err)
	for w := range d {
		_, err := engineOn(t, s).Do(t.Context(), convo.ToContact(w, "ann"), convo.Open{By: ana},
			convo.Close{By: ana})
		require.NoError(t, err)
	}
	var got []string
	q := convo.ClosedQuery{Before: time.Now().Add(time.Hour), Limit: 10}
	for more := true; more; more = q.After != (convo.ClosedPlace{}) {
		var page []convo.Closed
		page, q.After, err = s.ClosedBefore(t.Context(), q)
		require.NoError(t, err)
		for _, c := range page {
			got = append(got, c.Workspace)
		}
	}
	assert.Equal(t, []string{"a", "b", "c", "d", "e"}, got, "each once, in order")
}

// All that a report asks is as of one moment, also where the question of another shard comes first;
// what writes goes on when the report is done.
func TestAReportIsAsOfOneMoment(t *testing.T) {
	d := table{"a": "eu-1", "b": "eu-2"}
	s, _ := over(t, d)
	e := engineOn(t, s)
	receive(t, e, "a", "hi")
	written := make(chan error, 1)
	var once sync.Once
	require.NoError(t, s.AtOneMoment(t.Context(), func(ctx context.Context) error {
		for range 2 {
			for w, want := range map[string]int{"a": 1, "b": 0} {
				active, err := s.Active(ctx, w)
				require.NoError(t, err)
				assert.Len(t, active, want)
			}
			once.Do(func() {
				go func() {
					_, err := e.Do(t.Context(), convo.ToContact("a", "bob"),
						convo.Open{By: ana, Channel: "sms"})
					written <- err
				}()
			})
		}
		return s.AtOneMoment(ctx, func(ctx context.Context) error {
			_, err := report.Dashboard(ctx, s, "a")
			return err
		})
	}))
	require.NoError(t, <-written)
	active, err := s.Active(t.Context(), "a")
	require.NoError(t, err)
	assert.Len(t, active, 2)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.AtOneMoment(ended, nil), context.Canceled)
}

// One that is down keeps the others from nothing that asks them one by one.
func TestAShardThatIsDownIsSaid(t *testing.T) {
	down := broken{memstore.New(memstore.WithOutbox())}
	well := memstore.New(memstore.WithOutbox())
	s, err := shardstore.New[shardstore.Shard](table{"a": "eu-1", "b": "eu-2"},
		map[string]shardstore.Shard{"eu-1": well, "eu-2": down})
	require.NoError(t, err)
	_, err = s.Due(t.Context(), convo.DueQuery{Before: start, Limit: 1})
	require.ErrorIs(t, err, errDown)
	_, err = relay.CheckHealth(t.Context(), s, start)
	require.ErrorIs(t, err, errDown)
	only, err := s.Only("eu-1")
	require.NoError(t, err)
	_, err = only.Due(t.Context(), convo.DueQuery{Before: start, Limit: 1})
	require.NoError(t, err)
	receive(t, engineOn(t, s), "a", "hi")
	noted, err := well.Noted(t.Context(), relay.Stream{}, 10)
	require.NoError(t, err)
	_, err = well.Queue(t.Context(), start, noted, map[string][]string{"a": {"crm"}})
	require.NoError(t, err)
	got := 0
	for range 2 { // whichever is asked first
		claimed, err := s.Claim(t.Context(), relay.Claim{
			Now: start, Until: start, Limit: 10, MaxEvents: 10,
		})
		require.NoError(t, err)
		got += len(claimed)
	}
	assert.Equal(t, 2*len(noted), got)
	later := relay.Claim{Now: start.Add(-time.Hour), Limit: 10, MaxEvents: 10}
	_, err = s.Claim(t.Context(), later)
	require.ErrorIs(t, err, errDown, "when there is nothing else")
}
