package sqlstore_test

import (
	"testing"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// scripts/dqlite puts this file into a copy of package sqlstore_test, whose TestDqlite has a
// cluster of dqlite then.

func TestBeANode(t *testing.T) { testdb.BeDqliteNode(t) }

func TestDqliteReports(t *testing.T) {
	t.Parallel()
	storetest.RunReports(t, func(t *testing.T) storetest.Reporter {
		s, _ := open(t, testdb.Dqlite)
		return s
	})
}
