package convo_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// What those who asked for this library look for: these modules are direct requirements, and
// these files and folders are at the top.
func TestWhatIsLookedForIsThere(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	for _, module := range []string{
		"github.com/google/uuid", "github.com/stretchr/testify", "golang.org/x/exp",
		"github.com/benbjohnson/clock",
	} {
		line := `(?m)^(require |\t)` + regexp.QuoteMeta(module) + ` v\S+$` // not "// indirect"
		require.Regexp(t, line, string(text))
	}
	for name, folder := range map[string]bool{
		"conversation.go": false, "contact.go": false, "lifecycle.go": false, "store.go": false,
		"doc.go": false, "go.mod": false, "go.sum": false,
		"memstore": true, "sqlstore": true, "examples": true,
	} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, folder, info.IsDir(), name)
	}
}
