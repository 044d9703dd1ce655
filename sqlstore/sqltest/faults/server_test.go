//go:build linux

package faults_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Clients that repeat with the same key what they have no answer to need not know that the server
// was killed and started again.
func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	for _, e := range []testdb.Engine{testdb.PostgreSQL, testdb.MariaDB} {
		t.Run(string(e), func(t *testing.T) {
			server := testdb.Private(t, e)
			s := migrated(t, server.Create("convo").Open(t), e)
			l := load{engine: engineOn(t, s)}
			kills := scaled(t, 10)
			for range kills {
				l.start(t)
				l.acknowledged(t, 1+rand.N(200))
				server.Kill()
				server.Start()
				l.acknowledged(t, len(l.done)) // on the connections that there are now
				l.stop()
				l.done.there(t, s)
			}
			t.Logf("%d kills; %s", kills, &l)
		})
	}
}

// The same check must tell when a server acknowledges what it has not written yet, or it proves
// nothing.
func TestTheCheckNoticesAServerThatAcknowledgesTooEarly(t *testing.T) {
	for e, setting := range map[testdb.Engine]string{
		testdb.PostgreSQL: "synchronous_commit=off",
		testdb.MariaDB:    "innodb-flush-log-at-trx-commit=0",
	} {
		t.Run(string(e), func(t *testing.T) {
			server := testdb.Private(t, e, setting)
			s := migrated(t, server.Create("convo").Open(t), e)
			var lost []string
			// luck is needed: that it has not just written all
			for try := 0; len(lost) == 0; try++ {
				require.Less(t, try, 30, "nothing was noticed")
				l := load{engine: engineOn(t, s), giveUp: func(error) bool { return true }}
				l.start(t)
				l.acknowledged(t, 100)
				server.Kill()
				l.stop()
				server.Start()
				// a connection of before finds out now that its server is gone
				require.Eventually(t, func() bool {
					_, err := s.Counts(t.Context(), workspace)
					return err == nil
				}, time.Minute, time.Millisecond)
				lost, _ = l.done.compare(t, s)
			}
			t.Logf("%d acknowledged calls were lost", len(lost))
		})
	}
}
