package sqlstore

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What this version of the rollups has rows of. When it changes, raise rollupVersion, so that
// rollups which lack the new rows are not read, and write down here what there is now.
func TestTheVersionOfRollupsIsRaisedWithWhatIsInThem(t *testing.T) {
	require.Equal(t, 2, rollupVersion)
	const (
		byOpening = "[channel lane opened_source team contact_type]"
		byClosing = "[channel lane opened_source closed_source team closer last_assignee contact_type]"
	)
	var all []string
	for _, m := range rollupMeasures {
		all = append(all, fmt.Sprint(m, " ", rollupDimensions[m.TimeBasis()]))
	}
	require.Equal(t, []string{
		"opened_new " + byOpening, "reopened " + byOpening, "new_contacts " + byOpening,
		"resolution " + byClosing, "active_resolution " + byClosing,
		"first_resolution " + byClosing, "last_resolution " + byClosing,
		"first_response [channel lane opened_source team first_responder contact_type]",
		"response [channel lane opened_source team first_responder contact_type]",
		"assignment [channel lane opened_source team first_assignee contact_type]",
	}, all, "raise rollupVersion, and list here what is in rollups now")
}
