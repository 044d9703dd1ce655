package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/shardstore"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// timeFar is behind all that a test does.
var timeFar = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// shards are databases under one store.
type shards struct {
	*shardstore.LockingStore
	stores map[string]*sqlstore.Store
	dbs    map[string]*sql.DB
}

// openShards makes a database of each engine, with a feed.
func openShards(
	t *testing.T, d func(names ...string) shardstore.Directory, engines ...testdb.Engine,
) *shards {
	s := &shards{stores: map[string]*sqlstore.Store{}, dbs: map[string]*sql.DB{}}
	var names []string
	for i, e := range engines {
		name := fmt.Sprint("shard-", i)
		names = append(names, name)
		s.stores[name], s.dbs[name] = openFeed(t, e)
	}
	var err error
	s.LockingStore, err = shardstore.NewLocking(d(names...), s.stores)
	require.NoError(t, err)
	return s
}

func (s *shards) empty(t *testing.T) {
	for _, db := range s.dbs {
		empty(t, db, "convo_")
	}
}

// mixed are two files of SQLite, and a database of each server that there is.
func mixed() []testdb.Engine {
	all := []testdb.Engine{testdb.SQLite, testdb.SQLite}
	for name, e := range map[string]testdb.Engine{
		"CONVO_POSTGRES_DSN": testdb.PostgreSQL, "CONVO_MARIADB_DSN": testdb.MariaDB,
	} {
		if os.Getenv(name) != "" {
			all = append(all, e)
		}
	}
	return all
}

// eachSharded runs f over three databases of each engine.
func eachSharded(t *testing.T, f func(t *testing.T, s *shards)) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		f(t, openShards(t, shardstore.Rendezvous, e, e, e))
	})
}

func TestShardsConform(t *testing.T) {
	eachSharded(t, func(t *testing.T, s *shards) {
		storetest.Run(t, func(t *testing.T) convo.Store {
			s.empty(t)
			return s.LockingStore
		})
	})
}

func TestShardsOfSeveralEnginesConform(t *testing.T) {
	t.Parallel()
	s := openShards(t, shardstore.Rendezvous, mixed()...)
	storetest.Run(t, func(t *testing.T) convo.Store {
		s.empty(t)
		return s.LockingStore
	})
}

func TestReportsOfShardsConform(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		storetest.RunReports(t, func(t *testing.T) storetest.Reporter {
			return openShards(t, shardstore.Rendezvous, e, e, e).LockingStore
		})
	})
}

func TestTheOutboxOfShardsLosesNothing(t *testing.T) {
	eachSharded(t, func(t *testing.T, s *shards) {
		storetest.RunOutbox(t, func(t *testing.T) storetest.Outboxer {
			s.empty(t)
			return s.LockingStore
		})
	})
}

func TestTheFeedOfShardsLosesNothing(t *testing.T) {
	eachSharded(t, func(t *testing.T, s *shards) {
		storetest.RunFeed(t, func(t *testing.T) storetest.Feeder {
			s.empty(t)
			return s.LockingStore
		})
	})
}

// What the suites write to is on both.
func TestTheSuitesUseSeveralShards(t *testing.T) {
	for n := 2; n <= 4; n++ {
		used := map[string]bool{}
		names := []string{"shard-0", "shard-1", "shard-2", "shard-3"}[:n]
		for _, w := range []string{"acme", "other", "workspace 0", "workspace 1", "workspace 2"} {
			p, err := shardstore.Rendezvous(names...).Place(t.Context(), w)
			require.NoError(t, err)
			used[p.Shard] = true
		}
		assert.Greater(t, len(used), 1, "%d shards", n)
	}
}

// fixed is a directory of the host's.
type fixed map[string]string

func (f fixed) Place(_ context.Context, workspace string) (shardstore.Place, error) {
	return shardstore.Place{Shard: f[workspace]}, nil
}

// A transaction of the host is of one shard, and so is a lock; both take no workspace of another.
func TestATransactionIsOfOneShard(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		ctx, cancel := soon(t)
		defer cancel()
		s := openShards(t, func(names ...string) shardstore.Directory {
			return fixed{"a": names[0], "b": names[1]}
		}, e, e)
		engine, err := convo.New(s)
		require.NoError(t, err)
		place, err := s.Place(ctx, "a")
		require.NoError(t, err)
		tx, err := s.dbs[place.Shard].BeginTx(ctx, nil)
		require.NoError(t, err)
		in, err := s.In(place.Shard, s.stores[place.Shard].WithTx(tx))
		require.NoError(t, err)
		assert.True(t, in.IsLocked(ctx))
		_, err = engine.With(in).Do(ctx, convo.ToContact("a", "ann"), opening)
		require.NoError(t, err)
		_, err = engine.With(in).Do(ctx, convo.ToContact("b", "ann"), opening)
		require.ErrorIs(t, err, shardstore.ErrOtherShard)
		var refused *shardstore.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "b", refused.Workspace)
		require.NoError(t, tx.Commit())
		loaded := func(w string) convo.Snapshot {
			k, err := s.Load(ctx, convo.ToContact(w, "ann"))
			require.NoError(t, err)
			return k
		}
		assert.Equal(t, int64(1), loaded("a").Contact.Version)
		assert.Zero(t, loaded("b").Contact.Version)
		err = s.Locked(ctx, "a", func(ctx context.Context) error {
			assert.True(t, s.IsLocked(ctx))
			_, err := s.Load(ctx, convo.ToContact("b", "ann"))
			return err
		})
		require.ErrorIs(t, err, shardstore.ErrOtherShard)
		assert.False(t, s.IsLocked(ctx))
		assert.Equal(t, e == testdb.SQLite, s.LockFirst())
	})
}

// What one shard refuses under a lock on several, none of them keeps.
func TestWhatOneShardRefusesNoneKeeps(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		ctx, cancel := soon(t)
		defer cancel()
		s := openShards(t, func(names ...string) shardstore.Directory {
			return fixed{"a": names[0], "b": names[1]}
		}, e, e)
		engine, err := convo.New(s)
		require.NoError(t, err)
		var due []convo.Ref
		for _, w := range []string{"a", "b"} {
			r, err := engine.Do(ctx, convo.ToContact(w, "ann"), opening,
				convo.SetPending{By: convo.ByUser("ana"), Until: timeFar})
			require.NoError(t, err)
			due = append(due, convo.ToConversation(w, r.Conversation.ID))
		}
		for stale := range due {
			for _, goOn := range []bool{true, false} {
				err := s.LockDue(ctx, timeFar, due,
					func(ctx context.Context, held []convo.Snapshot) error {
						assert.Len(t, held, 2)
						var changes []convo.Change
						for i := range held {
							held[i].Next[0] = byte(i + 1)
							d, err := convo.Decide(held[i], timeFar, nil,
								convo.Resume{By: convo.BySystem()})
							require.NoError(t, err)
							if held[i].Ref == due[stale] {
								d.Change.Conversation.Expected--
							}
							changes = append(changes, d.Change)
						}
						err := s.Commit(ctx, changes...)
						assert.ErrorIs(t, err, convo.ErrConflict)
						if goOn {
							return nil
						}
						return err
					})
				require.ErrorIs(t, err, convo.ErrConflict)
			}
		}
		for _, to := range due {
			k, err := s.Load(ctx, to)
			require.NoError(t, err)
			assert.Equal(t, convo.StatusPending, k.Conversation.Status)
		}
	})
}

// A probe asks all of them.
func TestTheHealthOfShardsIsThatOfAll(t *testing.T) {
	s := openShards(t, shardstore.Rendezvous, testdb.SQLite, testdb.SQLite)
	engine, err := convo.New(s)
	require.NoError(t, err)
	for i := range 10 {
		_, err := engine.Do(t.Context(), convo.ToContact(fmt.Sprint("w", i), "ann"), opening)
		require.NoError(t, err)
	}
	h, err := relay.CheckHealth(t.Context(), s, timeFar)
	require.NoError(t, err)
	assert.Equal(t, 10, h.Outbox.Noted)
	assert.Equal(t, 10, *h.RollupBacklog)
	assert.Positive(t, h.Outbox.OldestSeconds)
	n, more, err := s.Rollup(t.Context(), 4)
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	assert.True(t, more)
	n, more, err = s.Rollup(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, 6, n)
	assert.False(t, more)
	left, err := s.RollupBacklog(t.Context())
	require.NoError(t, err)
	assert.Zero(t, left)
	differences, err := s.CheckRollups(t.Context(), "w1")
	require.NoError(t, err)
	assert.Empty(t, differences)
	require.NoError(t, s.RebuildRollups(t.Context(), "w1"))
	left, err = s.RollupBacklog(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, left)
}

// Two processes race, each with a store of its own over the same three databases.
func TestRacesOverShardsLeaveNothingBroken(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		names := []string{"shard-0", "shard-1", "shard-2"}
		stores := [2]map[string]*sqlstore.Store{{}, {}}
		dbs := map[string]*sql.DB{}
		for _, name := range names {
			at, each := processes(t, e, levels[e.Server()][0])
			dbs[name], stores[0][name], stores[1][name] = at[0], each[0], each[1]
		}
		var engines []*convo.Engine
		for _, of := range stores {
			s, err := shardstore.NewLocking(shardstore.Rendezvous(names...), of)
			require.NoError(t, err)
			engine, err := convo.New(s)
			require.NoError(t, err)
			engines = append(engines, engine)
		}
		used := map[string]bool{}
		for _, p := range pairs {
			t.Run(p.name, func(t *testing.T) {
				place, err := shardstore.Rendezvous(names...).Place(t.Context(), p.name)
				require.NoError(t, err)
				used[place.Shard] = true
				written, errs := p.run(t.Context(), engines, p.name, contacts)
				for _, err := range errs {
					assert.True(t, p.legitimate(err), "%v", err)
				}
				slices.Sort(written)
				for name, db := range dbs {
					there := receivedIn(t, db, p.name)
					if name == place.Shard {
						assert.Equal(t, written, there, "a message was lost or doubled")
					} else {
						assert.Empty(t, there, "a message is on another shard")
					}
				}
				assert.Empty(t, storetest.CheckInvariants(t.Context(), stores[0][place.Shard],
					p.name))
			})
		}
		assert.Greater(t, len(used), 1, "all races were on one shard")
	})
}
