package sqlstore_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// What is removed has no row in any table, but that of contacts, and of feeds, which have no text.
func TestWhatIsRemovedHasNoRow(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		path := filepath.Join(t.TempDir(), "convo.db")
		db := openFile(t, e, path)
		s := with(t, sqlstore.Config{DB: db, Dialect: dialects[e], Feed: true})
		storetest.WriteCanaries(t, s, "acme")
		engine := enginesOn(t, s)[0]
		settle := func() {
			r, err := relay.New(s, relay.NoTargets) // which takes the notes into the feed
			require.NoError(t, err)
			_, err = r.Once(t.Context())
			require.NoError(t, err)
			rollupAll(t, s, 0)
		}
		settle() // with what they have by now, of which they are listed, too
		for c, err := range engine.AllConversations(t.Context(), convo.Filter{Workspace: "acme"}) {
			require.NoError(t, err)
			if c.Status.Active() {
				_, err := engine.Do(t.Context(), convo.ToConversation("acme", c.ID),
					convo.Assign{By: ana, Assignee: "another", Team: "another"},
					convo.Close{By: ana, Category: "another"})
				require.NoError(t, err)
			}
		}
		settle()
		count := func(table string) (n int) {
			require.NoError(t, db.QueryRow("SELECT count(*) FROM convo_"+table).Scan(&n))
			return n
		}
		tables := []string{
			"conversations", "events", "cycles", "labels", "places", "closed",
			"mentions WHERE owner = ''",
		}
		for _, table := range tables {
			require.NotZero(t, count(table), "%s: else nothing is proved", table)
		}
		all := 0
		for c, err := range engine.AllConversations(t.Context(), convo.Filter{Workspace: "acme"}) {
			require.NoError(t, err)
			require.NoError(t, s.RemoveConversation(t.Context(), "acme", c.ID, c.Version))
			all++
		}
		require.Greater(t, all, 3)
		for _, table := range append(tables, "active", "rollup_queue") {
			assert.Zero(t, count(table), table)
		}
		for _, column := range rowsWith(t, e, db) {
			kept := strings.HasPrefix(column, "convo_contact") ||
				strings.HasPrefix(column, "convo_addresses") ||
				strings.HasPrefix(column, "convo_mentions") || // of the own logs of contacts
				strings.HasPrefix(column, "convo_feed") || strings.HasPrefix(column, "convo_keys") ||
				strings.HasPrefix(column, "convo_deliveries") // of quiet and of unknown messages
			assert.True(t, kept, column)
		}
		var n int
		require.NoError(t, db.QueryRow(
			"SELECT count(*) FROM convo_keys WHERE channel <> '' AND conversation IS NOT NULL").
			Scan(&n))
		assert.Zero(t, n, "external ids")
		if e != testdb.SQLite {
			return
		}
		for _, data := range sqliteFiles(t, db, path) {
			for _, text := range []string{"received", "noted", "edited", "closed", "rated"} {
				assert.Zero(t, strings.Count(string(data), storetest.Canary+" "+text), text)
			}
		}
	})
}

// movingClock is moved by its test.
type movingClock struct{ now time.Time }

func (c *movingClock) Now() time.Time { return c.now }

// What rollups do not answer counts what is left, as docs/reports.md says; rollups are checked
// behind it, and what is made anew has it no more.
func TestReportsWithoutWhatIsRemoved(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, _ := open(t, e)
		clock := &movingClock{time.Date(2025, 3, 3, 10, 10, 0, 0, time.UTC)}
		engine, err := convo.New(s, convo.WithClock(clock),
			convo.WithPolicy(convo.Policy{Ratings: convo.Scale{Min: 1, Max: 5}}))
		require.NoError(t, err)
		done := func(contact string) convo.Conversation {
			r, err := engine.Do(t.Context(), convo.ToContact("acme", contact),
				convo.Receive{Channel: "chat", Body: "hi"},
				convo.Assign{By: ana, Assignee: "ana", Team: "one"},
				convo.Close{By: ana, Category: "Sales"}, convo.Rate{Score: 4})
			require.NoError(t, err)
			return r.Conversation
		}
		old := done("ann")
		clock.now = clock.now.AddDate(1, 0, 0)
		done("bob")
		day := time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
		count := func(m report.Measure, from, to time.Time, by report.Dimension,
			f, without report.Filter) (n int64) {
			t.Helper()
			cells, err := s.Aggregate(t.Context(), report.Aggregation{
				Workspace: "acme", Measures: []report.Measure{m}, GroupBy: by, Filter: f,
				Exclude: without, Boundaries: []time.Time{from, to},
			})
			require.NoError(t, err)
			for _, c := range cells {
				n += c.Stat.Count
			}
			return n
		}
		next := day.AddDate(0, 0, 1)
		type question struct {
			what string
			ask  func() int64
		}
		same := []question{
			{"a half hour", func() int64 {
				return count(report.Closed, day.Add(10*time.Hour),
					day.Add(10*time.Hour+30*time.Minute), "", nil, nil)
			}},
			{"a day by a dimension", func() int64 {
				return count(report.Closed, day, next, report.Closer, nil, nil)
			}},
			{"a day of one of a dimension", func() int64 {
				return count(report.Closed, day, next, "", report.Filter{report.Team: {"one"}}, nil)
			}},
			{"messages", func() int64 {
				return count(report.Incoming, day, next, report.Channel, nil, nil)
			}},
		}
		less := []question{
			{"an edge", func() int64 {
				return count(report.Closed, day.Add(10*time.Hour),
					day.Add(10*time.Hour+20*time.Minute), "", nil, nil)
			}},
			{"half a day by a dimension", func() int64 {
				return count(report.Closed, day, day.Add(12*time.Hour), report.Closer, nil, nil)
			}},
			{"what may change", func() int64 {
				return count(report.Closed, day, next, report.Category, nil, nil)
			}},
			{"two dimensions", func() int64 {
				return count(report.Closed, day, next, report.Closer,
					report.Filter{report.Team: {"one"}}, nil)
			}},
			{"what is excluded", func() int64 {
				return count(report.Closed, day, next, "", nil, report.Filter{report.Team: {"two"}})
			}},
			{"different things", func() int64 {
				return count(report.ClosedContacts, day, next, "", nil, nil)
			}},
			{"ratings", func() int64 { return count(report.Rating, day, next, "", nil, nil) }},
		}
		check := func() []string {
			differences, err := s.CheckRollups(t.Context(), "acme")
			require.NoError(t, err)
			return differences
		}
		require.ErrorIs(t, s.RemoveConversation(t.Context(), "acme", old.ID, old.Version),
			convo.ErrConflict, "there are no rollups yet")
		rollupAll(t, s, 0)
		for _, q := range append(same, less...) {
			require.Equal(t, int64(1), q.ask(), q.what)
		}
		require.NoError(t, s.RemoveConversation(t.Context(), "acme", old.ID, old.Version))
		for _, q := range same {
			assert.Equal(t, int64(1), q.ask(), q.what)
		}
		for _, q := range less {
			assert.Zero(t, q.ask(), q.what)
		}
		assert.Empty(t, check())
		done("eve")
		rollupAll(t, s, 0)
		assert.Empty(t, check())
		require.NoError(t, s.RebuildRollups(t.Context(), "acme"))
		rollupAll(t, s, 0)
		assert.Empty(t, check())
		for _, q := range same {
			assert.Zero(t, q.ask(), "%s: only the rollups had it", q.what)
		}
	})
}

// Behind the last event of what was removed, a wrong sum is told as before.
func TestRollupsAreCheckedBehindWhatIsRemoved(t *testing.T) {
	s, db := open(t, testdb.SQLite)
	clock := &movingClock{time.Date(2025, 3, 3, 10, 10, 0, 0, time.UTC)}
	engine, err := convo.New(s, convo.WithClock(clock))
	require.NoError(t, err)
	r, err := engine.Do(t.Context(), convo.ToContact("acme", "ann"), convo.Open{By: ana},
		convo.Close{By: ana})
	require.NoError(t, err)
	clock.now = clock.now.AddDate(1, 0, 0)
	closeSome(t, engine, "acme", 2)
	rollupAll(t, s, 0)
	c := r.Conversation
	require.NoError(t, s.RemoveConversation(t.Context(), "acme", c.ID, c.Version))
	for _, damage := range []struct {
		days string // since 1970
		told bool
	}{{"< 20200", false}, {"> 20200", true}} {
		_, err := db.Exec("INSERT INTO convo_rollups SELECT workspace, dimension, subject, " +
			"slot_micros, slot_number - 1, dimension_value, version, sums, sketches, half_hours, " +
			"half_hour_sketches, removed_to FROM convo_rollups WHERE dimension = 'team' AND " +
			"slot_micros = 86400000000 AND slot_number " + damage.days)
		require.NoError(t, err)
		differences, err := s.CheckRollups(t.Context(), "acme")
		require.NoError(t, err)
		assert.Equal(t, damage.told, len(differences) > 0, "%s %v", damage.days, differences)
	}
}

// Rollups of an older version do not hold what their queue does not: they are made anew first.
func TestNothingIsRemovedBeforeRollupsAreMadeAnew(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		closeSome(t, engine, "acme", 1)
		rollupAll(t, s, 0)
		all, err := s.Conversations(t.Context(), convo.Filter{Workspace: "acme", Limit: 1})
		require.NoError(t, err)
		remove := func() error {
			return s.RemoveConversation(t.Context(), "acme", all[0].ID, all[0].Version)
		}
		_, err = db.Exec("UPDATE convo_rollups SET version = version - 1")
		require.NoError(t, err)
		require.ErrorIs(t, remove(), convo.ErrConflict)
		closeSome(t, engine, "acme", 1)
		rollupAll(t, s, 0)
		require.NoError(t, remove())
	})
}

// One call looks at closings of a bounded number of workspaces, and says where to go on.
func TestClosingsOfManyWorkspacesAreLookedForInParts(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, _ := open(t, e)
		engine := enginesOn(t, s)[0]
		for i := range 250 {
			_, err := engine.Do(t.Context(), convo.ToContact(fmt.Sprintf("w%03d", i), "ann"),
				convo.Receive{Quiet: true, Body: "hi"})
			require.NoError(t, err)
		}
		for _, i := range []int{0, 120, 249} {
			closeSome(t, engine, fmt.Sprintf("w%03d", i), 1)
		}
		q := convo.ClosedQuery{Before: time.Now().Add(time.Hour), Limit: 10}
		var found []string
		calls := 0
		for more := true; more; calls++ {
			page, next, err := s.ClosedBefore(t.Context(), q)
			require.NoError(t, err)
			for i := range page {
				found = append(found, page[i].Workspace)
			}
			q.After, more = next, next != convo.ClosedPlace{}
		}
		assert.Equal(t, []string{"w000", "w120", "w249"}, found)
		assert.Equal(t, 3, calls)
	})
}

// A removal in the host's own transaction is all or nothing with it.
func TestARemovalIsInTheHostsTransaction(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		closeSome(t, enginesOn(t, s)[0], "acme", 1)
		rollupAll(t, s, 0)
		all, err := s.Conversations(t.Context(), convo.Filter{Workspace: "acme", Limit: 1})
		require.NoError(t, err)
		id := all[0].ID
		for _, commit := range []bool{false, true} {
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			in := s.WithTx(tx)
			require.ErrorIs(t, in.RemoveConversation(t.Context(), "acme", uuid.New(), 1),
				convo.ErrConflict, "and the transaction goes on")
			require.NoError(t, in.RemoveConversation(t.Context(), "acme", id, all[0].Version))
			if commit {
				require.NoError(t, tx.Commit())
			} else {
				require.NoError(t, tx.Rollback())
			}
			_, err = s.Conversation(t.Context(), "acme", id)
			assert.Equal(t, commit, err != nil)
		}
	})
}

// Rollups are checked behind the last event of what was removed that a report counts: that its
// texts were removed before, years later, is none.
func TestRollupsAreCheckedBehindWhatWasRemoved(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		s, db := open(t, e)
		clock := &movingClock{time.Date(2025, 3, 3, 10, 10, 0, 0, time.UTC)}
		engine, err := convo.New(s, convo.WithClock(clock))
		require.NoError(t, err)
		closed := clock.now
		r, err := engine.Do(t.Context(), convo.ToContact("acme", "ann"),
			convo.Receive{Body: "hi"}, convo.Close{By: ana})
		require.NoError(t, err)
		clock.now = clock.now.AddDate(2, 0, 0)
		pruned, err := engine.Prune(t.Context(), convo.Retention{Texts: 24 * time.Hour},
			convo.PrunePlace{}, 0)
		require.NoError(t, err)
		require.Equal(t, 1, pruned.Texts)
		rollupAll(t, s, 0)
		c, err := s.Conversation(t.Context(), "acme", r.Conversation.ID)
		require.NoError(t, err)
		require.NoError(t, s.RemoveConversation(t.Context(), "acme", c.ID, c.Version))
		var to int64
		require.NoError(t, db.QueryRow("SELECT MAX(removed_to) FROM convo_rollups").Scan(&to))
		assert.Equal(t, closed, time.UnixMicro(to).UTC())
	})
}

// An unmerge gives a conversation back, and finds whom its log names. Meanwhile the conversation is
// removed: then nothing may come to say that it names somebody.
func TestAConversationThatIsRemovedAmidAnUnmergeIsNamedNowhere(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("on SQLite one writes at a time: nobody can come in between")
		}
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		do := func(contact string, cmds ...convo.Command) convo.Conversation {
			r, err := engine.Do(t.Context(), convo.ToContact("acme", contact), cmds...)
			require.NoError(t, err)
			return r.Conversation
		}
		for _, contact := range []string{"root", "member"} {
			do(contact, convo.Open{By: ana}, convo.Close{By: ana})
		}
		c := do("sue", convo.Open{By: ana}, convo.Close{By: ana})
		for _, m := range []convo.Merge{
			{Primary: "sue", Secondary: "member"}, {Primary: "root", Secondary: "sue"},
		} {
			m.Workspace, m.By = "acme", ana
			_, err := engine.Merge(t.Context(), m)
			require.NoError(t, err)
		}
		r, err := engine.Do(t.Context(), convo.ToConversation("acme", c.ID),
			convo.Note{By: ana, Body: "n"})
		require.NoError(t, err)
		require.Equal(t, "root", r.Events[0].Contact)
		rollupAll(t, s, 0)

		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		var id string
		require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT id FROM convo_contacts "+
			"WHERE workspace = 'acme' AND id = 'member' FOR UPDATE").Scan(&id))
		done := make(chan error, 1)
		go func() {
			_, err := engine.Unmerge(t.Context(), convo.Unmerge{
				Workspace: "acme", Contact: "sue", By: ana,
			})
			done <- err
		}()
		somebodyWaits(t.Context(), t, db, e)
		require.NoError(t, s.RemoveConversation(t.Context(), "acme", c.ID, r.Conversation.Version))
		require.NoError(t, tx.Commit())
		require.NoError(t, <-done)
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(),
			"SELECT count(*) FROM convo_mentions WHERE owner = '' AND contact = 'root'").Scan(&n))
		assert.Zero(t, n)
	})
}

// The host's transaction has seen a moment before somebody wrote to a conversation that it gives
// back by an unmerge: whom the log names by then is found all the same.
func TestAnUnmergeFindsWhomALogNamesByNow(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("on SQLite one writes at a time: nobody can come in between")
		}
		s, db := open(t, e)
		engine := enginesOn(t, s)[0]
		do := func(to convo.Ref, cmds ...convo.Command) convo.Conversation {
			r, err := engine.Do(t.Context(), to, cmds...)
			require.NoError(t, err)
			return r.Conversation
		}
		do(convo.ToContact("acme", "root"), convo.Open{By: ana}, convo.Close{By: ana})
		c := do(convo.ToContact("acme", "sue"), convo.Open{By: ana}, convo.Close{By: ana})
		_, err := engine.Merge(t.Context(), convo.Merge{
			Workspace: "acme", Primary: "root", Secondary: "sue", By: ana,
		})
		require.NoError(t, err)

		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		require.NoError(t, err)
		in := engine.With(s.WithTx(tx))
		_, err = in.Conversation(t.Context(), convo.ToContact("acme", "root"))
		require.NoError(t, err) // it sees that moment from now on
		do(convo.ToConversation("acme", c.ID), convo.Note{By: ana, Body: "n"})
		_, err = in.Unmerge(t.Context(), convo.Unmerge{Workspace: "acme", Contact: "sue", By: ana})
		if err == nil {
			err = tx.Commit()
		}
		if err != nil { // PostgreSQL refuses it
			require.ErrorIs(t, err, convo.ErrConflict)
			_ = tx.Rollback()
		}
		assert.Empty(t, storetest.CheckInvariants(t.Context(), s, "acme"))
	})
}
