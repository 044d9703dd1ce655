package sqlstore

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// PostgreSQL believes that a workspace which its statistics do not know yet has one event, and would
// go over all that it has for each rollup, which holds conversations meanwhile.
func TestPendingEventsAreLookedUpByConversation(t *testing.T) {
	for d, join := range map[Dialect]string{
		PostgreSQL: "CROSS JOIN LATERAL (SELECT ev.* FROM convo_events ev WHERE ",
		MariaDB:    "STRAIGHT_JOIN convo_events ev ON ",
		SQLite:     "CROSS JOIN convo_events ev ON ",
	} {
		q := &selection{
			d: engines[d], source: reported, pending: onlyPending,
			columns: []string{"1"}, where: "1 = 1",
		}
		assert.Contains(t, q.statement(), " FROM convo_rollup_queue rq\n\t"+join)
	}
}
