package faults_test

import (
	"testing"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// scripts/dqlite puts this file into a copy of package faults_test.

func TestBeANode(t *testing.T) { testdb.BeDqliteNode(t) }

// Clients with the addresses of all nodes find the one that leads by themselves.
func TestNothingAcknowledgedIsLostWhenTheLeaderOfDqliteIsKilled(t *testing.T) {
	survives(t, testdb.Dqlite, testdb.NewDqlite(t))
}

func TestThreeProcessesThatMergeBreakNoInvariantOnDqlite(t *testing.T) {
	raceProcesses(t, testdb.Dqlite)
}
