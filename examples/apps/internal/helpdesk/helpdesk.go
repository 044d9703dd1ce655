// Package helpdesk finds the log of a real help desk, for tests of the examples.
package helpdesk

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Log is the log as CSV. It skips t where there is none, for the log may not be copied here.
func Log(t testing.TB) string {
	t.Helper()
	file := os.Getenv("CONVO_HELPDESK_CSV")
	if file == "" {
		file = "../../../../shared/data/helpdesk.csv"
	}
	log, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: name the help desk's event log in CONVO_HELPDESK_CSV", file)
	}
	require.NoError(t, err)
	return string(log)
}
