package sqlstore_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// What was prepared on connections that are closed by now must not pile up.
func TestBlocksOfClosedConnectionsAreForgotten(t *testing.T) {
	s, db := open(t, testdb.MariaDB)
	db.SetMaxIdleConns(0) // each call has a new one
	e := enginesOn(t, s)[0]
	for range 50 {
		_, err := e.Do(t.Context(), riya(acme), convo.Receive{Body: "hi"})
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, hook.Remembered(s), 16)
	assert.NotZero(t, hook.Remembered(s))
}
