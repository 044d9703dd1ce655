//go:build linux

package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Clients with the addresses of both servers in their DSN need not know that the first one is gone
// and the second one took over. Nothing is lost, for the first one acknowledges nothing that the
// second one does not have.
func TestNothingAcknowledgedIsLostWhenAStandbyTakesOver(t *testing.T) {
	primary, standby := testdb.PrivateWithStandby(t)
	db := primary.Create("convo")
	migrated(t, db.Open(t), testdb.PostgreSQL)

	both := db.Via(db.Addr + "," + standby.Addr()).With("target_session_attrs=read-write")
	s := opened(t, both.Open(t), testdb.PostgreSQL)
	l := load{engine: engineOn(t, s)}
	l.start(t)
	l.acknowledged(t, scaled(t, 500))
	primary.Kill()
	before := l.acks.Load()
	standby.Promote()
	l.acknowledged(t, scaled(t, 200))
	l.stop()
	l.done.there(t, s)
	t.Logf("%d acknowledged before the failover; in all %s", before, &l)
}

// Reports of a standby are those of its primary, a moment later, and nothing is written there.
func TestReportsAreMadeOnAStandby(t *testing.T) {
	primary, standby := testdb.PrivateWithStandby(t)
	db := primary.Create("convo")
	s := migrated(t, db.Open(t), testdb.PostgreSQL)
	copied := opened(t, db.Via(standby.Addr()).Open(t), testdb.PostgreSQL)
	for n := range int64(2) { // out of the queue of rollups, and out of rollups
		_, err := engineOn(t, s).Do(t.Context(), convo.ToContact(workspace, "riya"),
			convo.Receive{Body: "hi"}, convo.Close{By: ana})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			closed, err := closings(t.Context(), copied)
			return err == nil && closed == n+1
		}, time.Minute, 10*time.Millisecond)
		_, _, err = s.Rollup(t.Context(), 10)
		require.NoError(t, err)
	}
	_, err := engineOn(t, copied).Do(t.Context(), convo.ToContact(workspace, "riya"),
		convo.Receive{Body: "hi"})
	require.ErrorContains(t, err, "read-only")
}
