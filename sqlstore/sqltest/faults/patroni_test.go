//go:build linux

package faults_test

import (
	"testing"
	"time"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// Clients with the addresses of all nodes need not know which one leads. Whoever was acknowledged
// by a node that is killed is acknowledged by the next one; for the time that it takes Patroni to
// find out, calls fail, and what they repeat with the same key is there once.
func TestNothingAcknowledgedIsLostWhenPatroniElectsAnotherLeader(t *testing.T) {
	cluster := testdb.NewPatroni(t)
	s := migrated(t, cluster.Create("convo").Open(t), testdb.PostgreSQL)
	l := load{engine: engineOn(t, s)}
	l.start(t)
	var longest time.Duration
	const kills, messages = 2, 5000
	for range kills {
		l.acknowledged(t, messages/kills)
		node := cluster.KillLeader()
		since := time.Now()
		l.acknowledged(t, 1)
		longest = max(longest, time.Since(since))
		cluster.Restart(node)
	}
	l.acknowledged(t, len(l.done))
	l.stop()
	l.done.there(t, s)
	t.Logf("%d kills; %s; the longest pause was %s", kills, &l, longest.Round(time.Millisecond))
}
