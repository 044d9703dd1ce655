package sqlstore_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// allRowsOf are the rows of acme, by table, whole and sorted.
func allRowsOf(t *testing.T, db *sql.DB) map[string][]string {
	all := map[string][]string{}
	for _, table := range tablesOf {
		rows, err := db.QueryContext(t.Context(),
			"SELECT * FROM convo_"+table+" WHERE workspace = 'acme'")
		require.NoError(t, err)
		names, err := rows.Columns()
		require.NoError(t, err)
		values := make([]any, len(names))
		dests := make([]any, len(names))
		for i := range values {
			dests[i] = &values[i]
		}
		for rows.Next() {
			require.NoError(t, rows.Scan(dests...))
			row := ""
			for i, v := range values {
				if b, ok := v.([]byte); ok {
					v = fmt.Sprintf("%q", b)
				}
				row += fmt.Sprint(names[i], "=", v, " ")
			}
			all[table] = append(all[table], row)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		slices.Sort(all[table])
	}
	return all
}

// changesOfMoved are what may change between the last pass over all rows and the last pass, each
// with the tables in which that is seen.
var changesOfMoved = []struct {
	name   string
	tables []string
	change func(m *moving, e *convo.Engine)
}{
	{"a message", []string{"events", "conversations", "places", "keys", "outbox"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "ann 4", convo.Receive{Channel: "mail", ExternalID: "new", Body: "new"})
		}},
	{"a new contact", []string{"contacts", "conversations", "active", "rollup_queue"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "zoe", convo.Receive{Channel: "mail", Body: "new"})
			m.do(e, "zoe", convo.SetProfile{By: ana, Name: new("Zoe")})
		}},
	{"closing, and opening another one", []string{"active", "cycles", "places"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "ann 4", convo.Close{By: ana, Summary: "x"})
			m.do(e, "ann 4", convo.Receive{Channel: "mail", Body: "again"})
			for i := range 60 { // more than are compared at once, in any order
				m.do(e, fmt.Sprint("bea ", i), convo.Close{By: ana, Summary: "x"})
				m.do(e, fmt.Sprint("bea ", i), convo.Receive{Channel: "mail", Body: "again"})
			}
		}},
	{"labels and an assignment", []string{"labels", "active"}, func(m *moving, e *convo.Engine) {
		m.do(e, "ann 4", convo.Label{By: ana, Add: []string{"new"}, Remove: []string{"vip"}},
			convo.Assign{By: ana, Assignee: "bob", Team: "blue"})
	}},
	{"a profile", []string{"contacts", "contact_events"}, func(m *moving, e *convo.Engine) {
		m.do(e, "ann 5", convo.SetProfile{By: ana, Name: new("Ann")})
	}},
	{"an address that goes to another contact", []string{"addresses"},
		func(m *moving, e *convo.Engine) {
			a := convo.Address{Channel: "mail", Value: "ann7@example.com"}
			to := convo.ToContact("acme", "ann 7")
			to.Address = a
			_, err := e.Do(m.t.Context(), to, convo.UnlinkAddress{By: ana})
			require.NoError(m.t, err)
			to.Contact = "ann 8"
			_, err = e.Do(m.t.Context(), to, convo.LinkAddress{By: ana})
			require.NoError(m.t, err)
		}},
	{"merging whom others were merged into", []string{"contacts", "conversations", "active"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "ann 5", convo.Close{By: ana, Summary: "x"})
			_, err := e.Merge(m.t.Context(), convo.Merge{Workspace: "acme", Primary: "ann 5",
				Secondary: "ann 1", By: ana})
			require.NoError(m.t, err)
		}},
	{"taking a merge back", []string{"contacts", "conversations", "mentions"},
		func(m *moving, e *convo.Engine) {
			_, err := e.Unmerge(m.t.Context(),
				convo.Unmerge{Workspace: "acme", Contact: "ann 0", By: ana})
			require.NoError(m.t, err)
		}},
	{"one address less, of a merged contact, and another one more", []string{"addresses"},
		func(m *moving, e *convo.Engine) {
			to := convo.ToContact("acme", "ann 5")
			for _, step := range []struct {
				value string
				cmd   convo.Command
			}{
				{"ann1@example.com", convo.UnlinkAddress{By: ana}},
				{"another@example.com", convo.LinkAddress{By: ana}},
			} {
				to.Address = convo.Address{Channel: "mail", Value: step.value}
				_, err := e.Do(m.t.Context(), to, step.cmd)
				require.NoError(m.t, err)
			}
		}},
	{"moving a conversation to another contact", []string{"mentions", "conversations"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "ann 10", convo.Move{By: ana, Contact: "yan"})
		}},
	{"a new receipt", []string{"deliveries"}, func(m *moving, e *convo.Engine) {
		m.deliver(e, "not known", convo.DeliverySent)
	}},
	{"a receipt that is further", []string{"deliveries"}, func(m *moving, e *convo.Engine) {
		m.deliver(e, "early", convo.DeliveryRead)
	}},
	{"a receipt whose message has come", []string{"deliveries", "keys"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "ann 4", convo.Send{By: ana, Channel: "mail", Body: "hi", ExternalID: "early"})
			m.deliver(e, "early", convo.DeliverySent)
		}},
	{"a key under which nothing was written", []string{"keys"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "ann 4", convo.Resume{By: ana, Key: "nothing"})
		}},
	{"a message that is told the id of its echo", []string{"keys"},
		func(m *moving, e *convo.Engine) {
			r := m.do(e, "ann 4", convo.Send{By: ana, Channel: "mail", Body: "said"})
			said := r.Events[0].ID
			m.do(e, "ann 4", convo.Send{By: ana, Channel: "mail", Body: "said", ExternalID: "echo"})
			m.do(e, "ann 4", convo.Identify{By: ana, Message: said, Channel: "mail",
				ExternalID: "echo"})
		}},
	{"texts that are removed", []string{"events"}, func(m *moving, e *convo.Engine) {
		m.do(e, "ann 4", convo.Retract{By: ana, Channel: "mail", Address: "ann4@example.com",
			ExternalID: "in 4", Redact: true})
	}},
	{"texts of an echo in another conversation", []string{"events"}, redacts("eve")},
	{"texts of an echo in a contact's own log", []string{"contact_events"}, redacts("uma")},
	{"texts of an echo of what is in a contact's own log", []string{"events"}, redacts("vic")},
	{"timers of another policy", []string{"conversations", "active", "places"},
		func(m *moving, _ *convo.Engine) {
			e, err := convo.New(m.stores[0], convo.WithPolicy(convo.Policy{
				Deadlines: []convo.Deadline{{
					Name: "reply", After: convo.Duration(time.Hour), Since: convo.SinceOpened,
					Do: convo.DoRemind,
				}},
			}))
			require.NoError(m.t, err)
			n, err := e.Rearm(m.t.Context(), "acme")
			require.NoError(m.t, err)
			require.Positive(m.t, n)
		}},
	{"when a contact was seen", []string{"contacts"}, func(m *moving, _ *convo.Engine) {
		e, err := convo.New(m.stores[0],
			convo.WithClock(fixedClock{time.Now().Add(2 * convo.SeenEvery)}))
		require.NoError(m.t, err)
		m.do(e, "ann 4", convo.Receive{Channel: "mail", Body: "later"})
	}},
	{"what relays queue", []string{"feed", "feed_heads", "outbox", "outbox_queue"},
		func(m *moving, _ *convo.Engine) {
			noted, err := m.stores[0].Noted(m.t.Context(), relay.Stream{}, 500)
			require.NoError(m.t, err)
			_, err = m.stores[0].Queue(m.t.Context(), time.Now(), noted,
				map[string][]string{"acme": {"crm"}})
			require.NoError(m.t, err)
		}},
	{"rollups after all", []string{"rollups", "rollup_queue"}, func(m *moving, _ *convo.Engine) {
		_, _, err := m.stores[0].Rollup(m.t.Context(), 0)
		require.NoError(m.t, err)
	}},
	{"a closed one that is listed after all", []string{"closed", "rollups"},
		func(m *moving, e *convo.Engine) {
			m.do(e, "ann 4", convo.Close{By: ana, Category: "new", Summary: "x"})
			_, _, err := m.stores[0].Rollup(m.t.Context(), 0)
			require.NoError(m.t, err)
		}},
}

func (m *moving) do(e *convo.Engine, contact string, cmds ...convo.Command) convo.Result {
	r, err := e.Do(m.t.Context(), convo.ToContact("acme", contact), cmds...)
	require.NoError(m.t, err)
	return r
}

// echoed has messages whose echoes are in other logs: of two conversations, and of a contact that
// had none then, before or behind.
func (m *moving) echoed(e *convo.Engine) {
	said := func(contact string, cmd convo.Send) uuid.UUID {
		cmd.By, cmd.Channel, cmd.Body = ana, "mail", "said"
		return m.do(e, contact, cmd).Events[0].ID
	}
	echo := func(contact string) convo.Send {
		return convo.Send{ExternalID: "of " + contact, Quiet: true}
	}
	hi := convo.Receive{Channel: "mail", Body: "hi"}
	identify := func(contact string, id uuid.UUID) {
		m.do(e, contact, convo.Identify{
			By: ana, Message: id, Channel: "mail", ExternalID: "of " + contact,
		})
	}
	m.do(e, "eve", hi)
	id := said("eve", convo.Send{})
	m.do(e, "eve", convo.Close{By: ana, Summary: "x"})
	m.do(e, "eve", hi)
	said("eve", echo("eve"))
	identify("eve", id)

	said("uma", echo("uma"))
	m.do(e, "uma", hi)
	identify("uma", said("uma", convo.Send{}))

	id = said("vic", convo.Send{Quiet: true})
	m.do(e, "vic", hi)
	said("vic", echo("vic"))
	identify("vic", id)
}

// redacts removes the texts of a message of a contact, and of its echo.
func redacts(contact string) func(m *moving, e *convo.Engine) {
	return func(m *moving, e *convo.Engine) {
		m.do(e, contact, convo.Retract{
			By: ana, Channel: "mail", ExternalID: "of " + contact, Redact: true,
		})
	}
}

func (m *moving) deliver(e *convo.Engine, id string, status convo.DeliveryStatus) {
	_, err := e.Deliver(m.t.Context(), "acme", convo.Delivery{
		Channel: "mail", ExternalID: id, Status: status, At: time.Now(),
	})
	require.NoError(m.t, err)
}

// What is changed after all rows were passed over is found again: the copy is the same, row for
// row, whatever it was that changed, and whether a pass comes in between or the last one finds it.
func TestWhatChangesWhileAWorkspaceIsCopiedIsFoundAgain(t *testing.T) {
	testdb.EachAtOnce(t, changesAreFoundAgain)
}

func changesAreFoundAgain(t *testing.T, e testdb.Engine) {
	t.Helper()
	m := newMoving(t, e, e)
	m.lived("acme", 700) // more than a range
	engine, err := convo.New(m.stores[0])
	require.NoError(t, err)
	m.deliver(engine, "early", convo.DeliverySent)
	m.do(engine, "ann 4", convo.SetPending{By: ana})
	m.do(engine, "ann 4", convo.Resume{By: ana})
	for i := range 60 {
		m.do(engine, fmt.Sprint("bea ", i), convo.Receive{Channel: "mail", Body: "hi"})
	}
	m.echoed(engine)
	for _, of := range changesOfMoved {
		pass, err := m.stores[0].CopyWorkspace(m.stores[1], "acme")
		require.NoError(t, err)
		for want := range 2 {
			n, err := pass(t.Context(), false)
			require.NoError(t, err)
			if want == 1 {
				require.Zero(t, n, "%s: nothing has changed", of.name)
			}
		}
		before := allRowsOf(t, m.dbs[0])
		of.change(m, engine)
		now := allRowsOf(t, m.dbs[0])
		for _, table := range of.tables {
			assert.NotEqual(t, before[table], now[table], "%s changes %s", of.name, table)
		}
		n, err := pass(t.Context(), true)
		require.NoError(t, err)
		assert.Positive(t, n, of.name)
		there := allRowsOf(t, m.dbs[1])
		for _, table := range tablesOf {
			assert.Equal(t, now[table], there[table], "%s: %s", of.name, table)
		}
	}
	assert.Empty(t, storetest.CheckInvariants(t.Context(), m.stores[1], "acme"))
}

// What is compared while writers wait is read by as many connections as the pool has to spare: it
// may have none.
func TestAWorkspaceIsCopiedByOneConnection(t *testing.T) {
	testdb.EachAtOnce(t, func(t *testing.T, e testdb.Engine) {
		m := newMoving(t, e, e)
		m.lived("acme", 1)
		engine, err := convo.New(m.stores[0])
		require.NoError(t, err)
		pass, err := m.stores[0].CopyWorkspace(m.stores[1], "acme")
		require.NoError(t, err)
		for _, connections := range []int{1, 2} {
			_, err = pass(t.Context(), false)
			require.NoError(t, err)
			m.do(engine, "ann 4", convo.Receive{
				Channel: "mail", ExternalID: fmt.Sprint("by ", connections), Body: "one more",
			})
			now := allRowsOf(t, m.dbs[0])
			m.dbs[0].SetMaxOpenConns(connections)
			_, err = pass(t.Context(), true)
			require.NoError(t, err)
			m.dbs[0].SetMaxOpenConns(0)
			assert.Equal(t, now, allRowsOf(t, m.dbs[1]), "by %d", connections)
		}
	})
}
