package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// staleChanges are changes of each class that has a statement of its own.
var staleChanges = []struct {
	name   string
	before []convo.Command
	to     convo.Ref
	cmds   []convo.Command
}{
	{
		"a message", []convo.Command{convo.Open{By: ana}}, convo.ToContact(shop, "riya"),
		[]convo.Command{convo.Receive{Channel: "sms", Body: "hi"}},
	},
	{
		"a note", []convo.Command{convo.Open{By: ana}}, convo.ToContact(shop, "riya"),
		[]convo.Command{convo.Note{By: ana, Body: "hi"}},
	},
	{
		"a message with a key", []convo.Command{convo.Open{By: ana}},
		convo.ToContact(shop, "riya"),
		[]convo.Command{convo.Receive{Channel: "sms", ExternalID: "1", Body: "hi"}},
	},
	{
		"what changes no contact", []convo.Command{convo.Open{By: ana}},
		convo.ToContact(shop, "riya"),
		[]convo.Command{convo.Assign{By: ana, Key: "assign", Assignee: "tom"}},
	},
	{
		"a closing", []convo.Command{convo.Open{By: ana}}, convo.ToContact(shop, "riya"),
		[]convo.Command{closing},
	},
	{
		"everything at once", []convo.Command{convo.Open{By: ana}}, linking,
		[]convo.Command{convo.LinkAddress{By: ana}, closing, convo.Block{By: ana, Key: "block"}},
	},
	{
		"another conversation", []convo.Command{convo.Open{By: ana}, convo.Close{By: ana}},
		linking, []convo.Command{convo.Receive{Channel: "sms", ExternalID: "1", Body: "hi"}},
	},
}

// linking is a contact with an address that is new.
var linking = convo.Ref{
	Workspace: shop, Contact: "riya", Address: convo.Address{Channel: "sms", Value: "9"},
}

// A server that went on without its last commits, as a standby that was behind does, has less than
// what a change was decided on. No key is in the way of such a change then: the versions alone say
// so, and nothing of it may be written.
func TestAChangeOfAVersionThatIsNotThereAnyMoreWritesNothing(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		for _, c := range staleChanges {
			h.do("riya", c.before...)
			for _, of := range []string{"conversation", "contact"} {
				change := h.decide(c.to, c.cmds...)
				row, is := &change.Conversation.Expected, change.Conversation.Action
				if of == "contact" {
					row, is = &change.Contact.Expected, change.Contact.Action
				}
				if is != convo.RowUpdated {
					continue
				}
				*row++
				name := c.name + ", of a lost version of the " + of
				before := counts(h.t, h.db, shop)
				// twice, for what the first left open on the only connection
				for range 2 {
					require.ErrorIs(h.t, h.store.Commit(h.ctx, change), convo.ErrConflict, name)
					require.Equal(h.t, before, counts(h.t, h.db, shop), name)
				}
				err := h.store.Locked(h.ctx, shop, func(ctx context.Context) error {
					return h.store.Commit(ctx, change)
				})
				require.ErrorIs(h.t, err, convo.ErrConflict, "%s, locked", name)
				require.Equal(h.t, before, counts(h.t, h.db, shop), "%s, locked", name)
			}
			change := h.decide(c.to, c.cmds...)
			require.NoError(h.t, h.store.Commit(h.ctx, change), c.name)
			h.tidy()
		}
	})
}

// tidy empties the host's workspace.
func (h *host) tidy() {
	h.t.Helper()
	for _, table := range []string{"contacts", "addresses", "conversations", "active", "places",
		"labels", "mentions", "cycles", "events",
		"contact_events", "keys"} {
		h.exec(h.db, "DELETE FROM convo_"+table)
	}
}

// A change of a contact and its conversation must not write the contact alone when the conversation
// was changed while it waited for it, or when it has waited for too long.
func TestAChangeThatWaitsForAConversationIsWrittenWholeOrNotAtAll(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("one transaction at a time")
		}
		for _, late := range []bool{false, true} {
			d := testdb.Create(t, e, patienceOf[e.Server()]...)
			h := &host{t: t, db: d.Open(t)}
			h.store = migrated(t, h.db, e)
			h.engine = enginesOn(t, h.store)[0]
			ctx, cancel := soon(t)
			defer cancel()
			h.ctx = ctx
			h.do("riya", convo.Open{By: ana})
			change := h.decide(linking, convo.LinkAddress{By: ana}, closing, convo.Block{By: ana})

			own := d.Open(t)
			own.SetMaxOpenConns(1) // which the next one gets as this one left it
			store := migrated(t, own, e)
			tx, engine := h.begin(nil)
			_, err := engine.Do(ctx, convo.ToContact(shop, "riya"), convo.Note{By: ana, Body: "first"})
			require.NoError(t, err)
			before := h.load("riya").Contact
			done := make(chan error, 1)
			go func() { done <- store.Commit(ctx, change) }()
			if !late {
				h.waits(e)
				require.NoError(t, tx.Commit())
			}
			require.ErrorIs(t, <-done, convo.ErrConflict)
			there, err := store.Load(ctx, convo.ToContact(shop, "riya"))
			require.NoError(t, err)
			assert.Equal(t, before, there.Contact, "on the connection that waited")
			require.NoError(t, own.Close())
			if late {
				require.NoError(t, tx.Rollback())
			}
			assert.Equal(t, before, h.load("riya").Contact)
			assert.Empty(t, storetest.CheckInvariants(ctx, h.store, shop))
		}
	})
}

func (h *host) load(contact string) convo.Snapshot {
	h.t.Helper()
	thread, err := h.store.Load(h.ctx, convo.ToContact(shop, contact))
	require.NoError(h.t, err)
	return thread
}

// patienceOf bounds how long a server waits for a lock.
var patienceOf = map[testdb.Engine][]string{
	testdb.PostgreSQL: {"lock_timeout=1000"},
	testdb.MariaDB:    {"innodb_lock_wait_timeout=1"},
}

// Whoever holds a contact that is not there yet must not hold those beside it: at the level that is
// MariaDB's default, it would.
func TestWhoHoldsANewContactHoldsNoOther(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("one transaction at a time")
		}
		for _, level := range levels[e.Server()] {
			s, _ := open(t, e, level)
			engine := enginesOn(t, s)[0]
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err := s.Locked(ctx, acme, func(locked context.Context) error {
				thread, err := s.Load(locked, convo.ToContact(acme, "riya"))
				require.NoError(t, err)
				_, err = engine.Do(ctx, convo.ToContact(acme, "tom"), hello("hi"))
				require.NoError(t, err, level)
				thread.Next = uuid.Must(uuid.NewV7())
				d, err := convo.Decide(thread, time.Now(), nil, hello("hi"))
				require.NoError(t, err)
				return s.Commit(locked, d.Change)
			})
			require.NoError(t, err, level)
		}
	})
}

// The store asks for the level that it needs, whatever is the default of its connections.
func TestTheStoresOwnTransactionsHaveTheirLevel(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e == testdb.SQLite {
			t.Skip("it has one level")
		}
		for _, level := range levels[e.Server()] {
			s, db := open(t, e, level)
			engine := enginesOn(t, s)[0]
			to := convo.ToContact(acme, "riya")
			_, err := engine.Do(t.Context(), to, convo.Open{By: ana})
			require.NoError(t, err)
			tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
			require.NoError(t, err)
			defer tx.Rollback()
			_, err = engine.With(s.WithTx(tx)).Do(t.Context(), to, convo.Close{By: ana})
			require.NoError(t, err)
			ctx, cancel := soon(t)
			defer cancel()
			loaded := make(chan error, 1)
			go func() {
				loaded <- s.Locked(ctx, acme, func(ctx context.Context) error {
					_, err := s.Load(ctx, to)
					return err
				})
			}()
			somebodyWaits(ctx, t, db, e)
			require.NoError(t, tx.Commit())
			require.NoError(t, <-loaded, level)
		}
	})
}

func TestAKeyThatIsThereIsADuplicateInEachStatement(t *testing.T) {
	eachHost(t, 1, func(h *host, _ testdb.Engine) {
		for _, c := range staleChanges {
			h.tidy()
			h.do("riya", c.before...)
			change := h.decide(c.to, c.cmds...)
			if len(change.Keys) == 0 {
				continue
			}
			there := convo.Change{
				Contact: convo.ContactRow{Contact: convo.Contact{Workspace: shop, ID: "lee"}},
				Keys:    change.Keys[:1],
			}
			require.NoError(h.t, h.store.Commit(h.ctx, there), c.name)
			before := counts(h.t, h.db, shop)
			require.ErrorIs(h.t, h.store.Commit(h.ctx, change), convo.ErrDuplicate, c.name)
			require.Equal(h.t, before, counts(h.t, h.db, shop), c.name)
			err := h.store.Locked(h.ctx, shop, func(ctx context.Context) error {
				return h.store.Commit(ctx, change)
			})
			require.ErrorIs(h.t, err, convo.ErrDuplicate, "%s, locked", c.name)
			require.Equal(h.t, before, counts(h.t, h.db, shop), "%s, locked", c.name)
		}
	})
}

// A merge holds the root first, and then changes what was merged into it before.
func TestWhoWaitsForARootHoldsNothingThatWasMergedIntoIt(t *testing.T) {
	eachHost(t, 4, func(h *host, e testdb.Engine) {
		if e != testdb.PostgreSQL {
			return // MariaDB ends the one of the two that it likes, and that one tries again
		}
		h.do("root", convo.Open{By: ana})
		h.do("merged", convo.Open{By: ana}, convo.Close{By: ana})
		_, err := h.engine.Merge(h.ctx, convo.Merge{Workspace: shop, Primary: "root",
			Secondary: "merged", By: ana})
		require.NoError(h.t, err)
		tx, _ := h.begin(nil)
		h.exec(tx, hold("root"))
		loaded := make(chan error, 1)
		go func() {
			loaded <- h.store.Locked(h.ctx, shop, func(ctx context.Context) error {
				_, err := h.store.Load(ctx, convo.ToContact(shop, "merged"))
				return err
			})
		}()
		h.waits(e)
		other, _ := h.begin(nil)
		h.exec(other, hold("merged")+" NOWAIT")
		require.NoError(h.t, other.Rollback())
		require.NoError(h.t, tx.Rollback())
		require.NoError(h.t, <-loaded)
	})
}

// A driver that would send more at once than the server takes must not be given it all at once.
func TestWhatIsTooLargeTogetherIsSentRowByRow(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e.Server() != testdb.MariaDB {
			t.Skip("it has no such limit")
		}
		s, _ := open(t, e, "maxAllowedPacket=1073741824") // else it sends large texts by themselves
		engine, err := convo.New(s, convo.WithPolicy(convo.Policy{MaxBody: convo.MaxTextLimit}))
		require.NoError(t, err)
		to := convo.ToContact(acme, "riya")
		_, err = engine.Do(t.Context(), to, convo.Open{By: ana})
		require.NoError(t, err)
		note := convo.Note{By: ana, Body: strings.Repeat("x", 6<<20)}
		_, err = engine.Do(t.Context(), to, note, note, note)
		require.NoError(t, err)
	})
}
