package sqlstore

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo/report"
)

// What this version of the rollups has rows of. When it changes, raise rollupVersion, so that
// rollups which lack the new rows are not read, and write down here what there is now.
func TestTheVersionOfRollupsIsRaisedWithWhatIsInThem(t *testing.T) {
	require.Equal(t, 4, rollupVersion)
	var all []string
	for _, s := range []report.Subject{
		report.OfOpenings, report.OfClosings, report.OfReplies, report.OfAssignments,
		report.OfHandling, report.OfStatuses, report.OfTurns, report.OfMessages,
		report.OfDeadlines,
	} {
		for _, r := range rolledByKind[s.Kinds()[0]] {
			if r.subject == s {
				all = append(all, fmt.Sprint(r.measures, " by ", r.dimensions))
			}
		}
	}
	require.Equal(t, []string{
		"[opened_new reopened new_contacts] by " +
			"[channel lane opened_source team assignee opener closer " +
			"actor_type contact_type priority label]",
		"[one_touch automated resolution active_resolution first_resolution last_resolution] by " +
			"[channel lane opened_source closed_source team assignee closer " +
			"actor_type contact_type priority label]",
		"[first_response response handover_first_response handover_response] by " +
			"[channel lane opened_source team assignee author actor_type contact_type priority label]",
		"[assigned unassigned transfers assignment] by " +
			"[channel lane opened_source team assignee assigned_from assigned_by " +
			"actor_type contact_type priority label]",
		"[handling] by " +
			"[channel lane opened_source team assignee contact_type priority label]",
		"[open_time pending_time] by " +
			"[channel lane opened_source team assignee contact_type priority label]",
		"[contact_waiting_time awaiting_contact_time idle_time] by " +
			"[channel lane opened_source team assignee contact_type priority label]",
		"[incoming outgoing_user outgoing_automation quiet] by " +
			"[channel author actor_type contact_type]",
		"[deadlines_met deadlines_missed deadlines_passed] by " +
			"[channel lane opened_source team assignee contact_type priority label " +
			"deadline target]",
	}, all, "raise rollupVersion, and list here what is in rollups now")
}
