package sqlstore_test

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo/internal/world"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// What root's tests do to the store in memory, fewer and shorter times: a world is a thousand
// statements for each step. CONVO_NIGHTLY has more of them.
func TestAnythingGoesAndTheRulesHold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		worlds := 8
		if e == testdb.SQLite { // to which no statement has to travel
			worlds = 18
		}
		if os.Getenv("CONVO_NIGHTLY") != "" {
			worlds *= 20
		}
		rapidly(t, worlds, 30)
		s, db := openOutbox(t, e)
		var done world.Done
		rapid.Check(t, func(r *rapid.T) {
			empty(t, db, "convo_")
			done.Add(world.Check(r, s, s))
		})
		t.Logf("%+v", done)
	})
}

// rapidly has rapid check so many worlds, each of about so many steps.
func rapidly(t *testing.T, worlds, steps int) {
	if testing.Short() { // of which rapid does a fifth, and half of the steps
		worlds, steps = 5*worlds, 2*steps
	}
	for name, n := range map[string]int{"rapid.checks": worlds, "rapid.steps": steps} {
		was := flag.Lookup(name).Value.String()
		require.NoError(t, flag.Set(name, strconv.Itoa(n)))
		t.Cleanup(func() { require.NoError(t, flag.Set(name, was)) })
	}
}
