package sqlstore_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// TestDqlite tries what is said to dqlite on a SQLite file, by a driver that refuses what dqlite
// does not take; scripts/dqlite tries it on a cluster.
func TestDqlite(t *testing.T) {
	t.Run("Faults", func(t *testing.T) {
		t.Parallel()
		wholeOrNotAtAll(t, testdb.Dqlite)
	})
	t.Parallel()
	t.Run("Settings", func(t *testing.T) {
		t.Parallel()
		for setting, says := range map[string]string{
			"_pragma=busy_timeout(1000)": "leave it at 0",
			"_pragma=secure_delete(OFF)": "SQLITE_SECURE_DELETE",
			"_pragma=encoding('UTF-16')": "PRAGMA encoding = 'UTF-8'",
		} {
			_, err := sqlstore.Config{
				DB: testdb.Open(t, testdb.Dqlite, setting), Dialect: sqlstore.Dqlite,
			}.Open(t.Context())
			require.ErrorContains(t, err, says)
		}
	})
	t.Run("Conforms", func(t *testing.T) {
		t.Parallel()
		s, db := openOutbox(t, testdb.Dqlite)
		conforms(t, s, db, "convo_")
	})
	t.Run("Outbox", func(t *testing.T) {
		t.Parallel()
		s, db := openOutbox(t, testdb.Dqlite)
		runOutbox(t, s, db)
	})
	t.Run("Feed", func(t *testing.T) {
		t.Parallel()
		s, db := openFeed(t, testdb.Dqlite)
		storetest.RunFeed(t, func(t *testing.T) storetest.Feeder {
			empty(t, db, "convo_")
			return s
		})
	})
	t.Run("Long", func(t *testing.T) {
		t.Parallel()
		longLists(t)
	})
	t.Run("Wide", func(t *testing.T) {
		t.Parallel()
		s, _ := open(t, testdb.Dqlite)
		most := 0
		for _, first := range report.Measures() {
			all := []report.Measure{first} // and what one report may have beside it
			for _, m := range report.Measures() {
				_, err := s.Aggregate(t.Context(), report.Aggregation{
					Workspace: "acme", Measures: append(slices.Clone(all), m),
					Boundaries: []time.Time{new2025, new2026},
				})
				if refused := new(convo.ValidationError); errors.As(err, &refused) {
					continue
				}
				require.NoError(t, err)
				all = append(all, m)
			}
			most = max(most, len(all))
		}
		require.Greater(t, most, 5)
	})
	t.Run("Moved", func(t *testing.T) {
		t.Parallel()
		changesAreFoundAgain(t, testdb.Dqlite)
	})
}

// longLists asks for more than a statement has arguments.
func longLists(t *testing.T) {
	t.Helper()
	const long = 300
	s, db := openOutbox(t, testdb.Dqlite)
	engine, err := convo.New(s, convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	require.NoError(t, err)
	var contacts []string
	var ids []uuid.UUID
	var receipts []convo.Delivery
	for i := range long {
		contact := fmt.Sprintf("c%03d", i)
		key := fmt.Sprint(storetest.Canary, " ", i)
		r, err := engine.Do(t.Context(), convo.ToContact("acme", contact),
			convo.Receive{Channel: "sms", ExternalID: key, Key: key, Body: storetest.Canary})
		require.NoError(t, err)
		contacts, ids = append(contacts, contact), append(ids, r.Conversation.ID)
		receipts = append(receipts, convo.Delivery{
			Channel: "sms", ExternalID: key, Status: convo.DeliveryRead,
		})
	}
	for _, bySeen := range []bool{false, true} {
		page, err := s.Contacts(t.Context(), convo.ContactFilter{
			Workspace: "acme", IDs: slices.Concat(contacts[1:], contacts), BySeen: bySeen,
			Limit: long - 1,
		})
		require.NoError(t, err)
		var got []string
		for i := range page {
			got = append(got, page[i].ID)
		}
		want := contacts[:long-1]
		if bySeen {
			want = slices.Clone(contacts[1:])
			slices.Reverse(want)
		}
		assert.Equal(t, want, got)
	}
	last, err := s.LastMessages(t.Context(), "acme", ids)
	require.NoError(t, err)
	assert.Len(t, last, long)
	for some := range slices.Chunk(receipts, convo.MaxDeliveries) {
		some[0].ExternalID = "unknown"
		unknown, err := engine.Deliver(t.Context(), "acme", some...)
		require.NoError(t, err)
		assert.Equal(t, 1, unknown)
	}
	for _, c := range contacts[1:] {
		_, err := engine.Merge(t.Context(),
			convo.Merge{Workspace: "acme", Primary: contacts[0], Secondary: c, By: ana})
		require.NoError(t, err)
	}
	require.NotEmpty(t, rowsWith(t, testdb.Dqlite, db), "else nothing is proved")
	_, err = engine.Erase(t.Context(), convo.Erase{Workspace: "acme", Contact: contacts[0], By: ana})
	require.NoError(t, err)
	assert.Empty(t, rowsWith(t, testdb.Dqlite, db))
	assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
}
