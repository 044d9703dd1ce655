//go:build linux

package faults_test

import (
	"testing"
	"time"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Clients with the addresses of all nodes need not know which one leads. What a node acknowledged
// that is killed is with the next one; for the time that it takes Patroni to find out, calls fail,
// and what they repeat with the same key is there once.
func TestNothingAcknowledgedIsLostWhenPatroniElectsAnotherLeader(t *testing.T) {
	survives(t, testdb.PostgreSQL, testdb.NewPatroni(t))
}

// The same when all clients of Galera go to one node, and then to another one.
func TestNothingAcknowledgedIsLostWhenANodeOfGaleraIsKilled(t *testing.T) {
	survives(t, testdb.MariaDB, testdb.NewGalera(t))
}

// cluster has a node that takes writes.
type cluster interface {
	Create(name string) testdb.Database
	Kill() *testdb.Server // the node that takes writes
	Restart(node *testdb.Server)
}

// survives kills the node that takes writes twice, while eight writers write.
func survives(t *testing.T, e testdb.Engine, c cluster) {
	t.Helper()
	s := migrated(t, c.Create("convo").Open(t), e)
	l := load{engine: engineOn(t, s)}
	l.start(t)
	var longest time.Duration
	const kills, calls = 2, 5000
	for range kills {
		l.acknowledged(t, calls/kills)
		node := c.Kill()
		since := time.Now()
		l.acknowledged(t, 1)
		longest = max(longest, time.Since(since))
		c.Restart(node)
	}
	l.acknowledged(t, len(l.done))
	l.stop()
	l.done.there(t, s)
	t.Logf("%d kills; %s; the longest pause was %s", kills, &l, longest.Round(time.Millisecond))
}
