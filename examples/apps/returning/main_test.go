package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

func Example() {
	store := memstore.New()
	for range 2 {
		if err := run(context.Background(), os.Stdout, store); err != nil {
			panic(err)
		}
	}
	// Output:
	// Mon  3 Mar 10:00  conversation 1  conversation_opened  through incoming_message
	// Mon  3 Mar 10:00  conversation 1  message_received     What do ten kettles cost?
	// Mon  3 Mar 10:05  conversation 1  message_sent         Hi Riya, $18 each from ten upwards.
	// Mon  3 Mar 10:05  conversation 1  conversation_closed  Sales: Customer inquired about bulk pricing.
	// Mon  3 Mar 10:00  conversation 1  conversation_opened  through incoming_message
	// Mon  3 Mar 10:00  conversation 1  message_received     What do ten kettles cost?
	// Mon  3 Mar 10:05  conversation 1  message_sent         Hi Riya, $18 each from ten upwards.
	// Mon  3 Mar 10:05  conversation 1  conversation_closed  Sales: Customer inquired about bulk pricing.
	// Mon 17 Mar 10:05  conversation 2  conversation_opened  through incoming_message
	// Mon 17 Mar 10:05  conversation 2  message_received     What do ten kettles cost?
	// Mon 17 Mar 10:10  conversation 2  message_sent         Hi Riya, $18 each from ten upwards.
	// Mon 17 Mar 10:10  conversation 2  conversation_closed  Sales: Customer inquired about bulk pricing.
}

func TestAnotherRunGoesOnWhereTheLastOneEnded(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		var first, second, inMemory strings.Builder
		db := testdb.Create(t, e).DSN
		if e == testdb.SQLite {
			db = filepath.Join(t.TempDir(), "a file.sqlite")
		}
		require.NoError(t, runOn(t.Context(), &first, db))
		require.NoError(t, runOn(t.Context(), &inMemory, ""))
		require.Equal(t, inMemory.String(), first.String())
		require.NoError(t, runOn(t.Context(), &second, db))
		require.Contains(t, second.String(), first.String())
		require.Contains(t, second.String(),
			"Mon 17 Mar 10:10  conversation 2  conversation_closed")
	})
}

func TestADatabaseThatCannotBeOpenedIsAnError(t *testing.T) {
	for _, db := range []string{
		filepath.Join(t.TempDir(), "no such folder", "file.sqlite"),
		"postgres://nobody@127.0.0.1:1/none?connect_timeout=5", "nobody@tcp(127.0.0.1:1)/none",
	} {
		require.Error(t, runOn(t.Context(), io.Discard, db), db)
	}
}
