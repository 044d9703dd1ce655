package sqlstore_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// BenchmarkFeed compares, in turns within one run, how long commits take while nobody, one and a
// thousand follow their workspace, on SQLite in memory and on the servers that there are. What a
// delivery takes is of a turn that ends when all followers have all of it.
func BenchmarkFeed(b *testing.B) {
	for _, e := range []testdb.Engine{testdb.SQLite, testdb.PostgreSQL, testdb.MariaDB} {
		b.Run(string(e), func(b *testing.B) { benchmarkFeed(b, e) })
	}
}

func benchmarkFeed(b *testing.B, e testdb.Engine) {
	const commits = 400
	followers := []int{0, 1, 1000}
	var took, whole [3]time.Duration
	var allocated [3]uint64
	var delivered uint64
	for b.Loop() {
		for i, n := range followers {
			store, _ := openFeed(b, e)
			feed, err := relay.NewFeed(store)
			require.NoError(b, err)
			r, err := relay.New(store, relay.NoTargets, relay.WithFeed(feed))
			require.NoError(b, err)
			engine, err := convo.New(store,
				convo.WithObserver(func(context.Context, []convo.Event) { r.Wake() }))
			require.NoError(b, err)
			ctx, stop := context.WithCancel(b.Context())
			var running, following sync.WaitGroup
			running.Go(func() { _ = r.Run(ctx) })
			var got atomic.Int64
			var there sync.WaitGroup
			there.Add(n)
			for range n {
				following.Go(func() {
					items := 0
					for _, err := range feed.Follow(ctx, "acme", relay.Cursor{}) {
						if items++; err != nil || items == 2+2*commits {
							break
						}
						if items == 2 {
							there.Done()
						}
					}
					got.Add(int64(items - 2))
				})
			}
			say := func(contact string) {
				_, err := engine.Do(ctx, convo.ToContact("acme", contact), hello("Hi"))
				require.NoError(b, err)
			}
			say("the first one") // so that all have begun
			there.Wait()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			for c := range commits { // of two events each
				say(fmt.Sprint("contact ", c))
			}
			took[i] += time.Since(began)
			following.Wait()
			whole[i] += time.Since(began)
			runtime.ReadMemStats(&after)
			require.Equal(b, int64(n*2*commits), got.Load())
			allocated[i] += after.Mallocs - before.Mallocs
			delivered += uint64(got.Load())
			stop()
			running.Wait()
		}
	}
	perCommit := func(d time.Duration) float64 {
		return float64(d.Microseconds()) / commits / float64(b.N)
	}
	b.ReportMetric(perCommit(took[0]), "µs/commit-of-0")
	b.ReportMetric(float64(took[1])/float64(took[0]), "times-with-1")
	b.ReportMetric(float64(took[2])/float64(took[0]), "times-with-1000")
	b.ReportMetric(float64((whole[2]-took[0]).Nanoseconds())/float64(delivered), "ns/delivered")
	more := float64(allocated[2]) - float64(allocated[0])
	b.ReportMetric(more/float64(delivered), "allocs/delivered")
}
