//go:build linux

package faults_test

import (
	"testing"

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
