package sqlstore_test

import (
	"testing"

	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// scripts/dqlite puts this file into a copy of package sqlstore_test, whose TestDqlite has a
// cluster of dqlite then.

func TestBeANode(t *testing.T) { testdb.BeDqliteNode(t) }
