package sqlstore

import (
	"context"
	"database/sql"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

var update = flag.Bool("update", false, "write testdata/sql anew")

// What each command sends to each engine can be read in testdata/sql; of MySQL, where it is not what
// is sent to MariaDB. No server is asked: a store in memory answers the engine, and a store on a
// driver that only records does the same beside it.
func TestWhatIsSentIsWhatTheFilesSay(t *testing.T) {
	for _, d := range []Dialect{SQLite, PostgreSQL, MariaDB, MySQL} {
		for name, run := range sent {
			t.Run(folders[d]+"/"+name, func(t *testing.T) {
				s := newScene(t, d)
				run(s)
				got := s.rec.String()
				if d != MySQL || got != saysOf(t, MariaDB, name) {
					check(t, fileOf(d, name), got)
				}
			})
		}
		files, err := filepath.Glob(fileOf(d, "*"))
		require.NoError(t, err)
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".sql")
			assert.Contains(t, sent, name, "%s is of nothing that is sent", file)
			if d == MySQL {
				assert.NotEqual(t, saysOf(t, MariaDB, name), saysOf(t, d, name), "remove %s", file)
			}
		}
	}
}

var folders = map[Dialect]string{
	SQLite: "sqlite", PostgreSQL: "postgres", MariaDB: "mariadb", MySQL: "mysql",
}

func fileOf(d Dialect, name string) string {
	return filepath.Join("testdata", "sql", folders[d], name+".sql")
}

func saysOf(t *testing.T, d Dialect, name string) string {
	t.Helper()
	text, err := os.ReadFile(fileOf(d, name))
	require.NoError(t, err)
	return string(text)
}

func check(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test ./sqlstore -run FilesSay -update writes %s", file)
}

const workspace = "acme"

var (
	ann   = convo.ToContact(workspace, "ann")
	agent = convo.ByUser("bob")
	hello = convo.Receive{Channel: "chat", Body: "Hello"}
	hi    = convo.Receive{Channel: "chat", ExternalID: "1", Body: "Hi"}
	end   = convo.Close{By: agent, Category: "Sales", Summary: "Sold."}
)

// sent is what does each command, by the names of the files.
var sent = map[string]func(*scene){
	"open":          func(s *scene) { s.records(ann, convo.Open{By: agent}) },
	"open_with_key": func(s *scene) { s.records(ann, convo.Open{By: agent, Key: "1"}) },
	"receive_first": func(s *scene) { s.records(ann, hello) },
	"receive":       func(s *scene) { s.after(hello).records(ann, hello) },
	"receive_external_id": func(s *scene) {
		s.after(hello).records(ann, hi)
	},
	"receive_address": func(s *scene) {
		s.records(convo.ToAddress(workspace, "sms", "+491"), convo.Receive{Body: "Hello"})
	},
	"send": func(s *scene) {
		s.after(hello).records(ann, convo.Send{By: agent, Channel: "chat", Body: "Hi"})
	},
	"note": func(s *scene) {
		s.after(hello).records(ann, convo.Note{By: agent, Body: "VIP"})
	},
	"receive_quiet": func(s *scene) {
		s.records(ann, convo.Receive{Channel: "chat", Body: "I am away", Quiet: true})
	},
	"edit": func(s *scene) {
		s.after(hi).records(ann, convo.Edit{
			By: convo.ByContact(), Channel: "chat", ExternalID: "1", Body: "Hello",
		})
	},
	"retract": func(s *scene) {
		s.after(hi).records(ann, convo.Retract{
			By: agent, Message: s.last.ID, Redact: true,
		})
	},
	"identify": func(s *scene) {
		s.after(hello).records(ann, convo.Identify{
			By: agent, Message: s.last.ID, Channel: "chat", ExternalID: "1",
		})
	},
	"identify_echo": func(s *scene) {
		s.after(hello)
		message := s.last.ID
		s.after(hi).records(ann, convo.Identify{
			By: agent, Message: message, Channel: "chat", ExternalID: "1",
		})
	},
	"deliver": func(s *scene) {
		s.after(hi)
		s.rec.on = true
		_, err := s.engine.Deliver(s.ctx, workspace, convo.Delivery{
			Channel: "chat", ExternalID: "1", Status: convo.DeliveryRead,
		})
		require.NoError(s.t, err)
		log, err := s.engine.Transcript(s.ctx, ann, convo.EventCursor{}, 10)
		require.NoError(s.t, err)
		require.NoError(s.t, s.engine.AddDeliveries(s.ctx, convo.Messages(log)))
	},
	"shared": func(s *scene) {
		s.rec.on = true
		if s.sql.sharing == nil {
			s.rec.note("Messages that come at once share no statement.")
			return
		}
		part := s.sql.d.SharedPart(&newSharers(s.t, 1).changes[0], false)
		// the recorder answers as other statements do
		_, _ = s.sql.sendShared(s.ctx, []dialect.SharedPart{part})
	},
	"with_tx":     withTx,
	"import":      imports,
	"set_pending": func(s *scene) { s.after(hello).records(ann, convo.SetPending{By: agent}) },
	"resume": func(s *scene) {
		s.after(hello, convo.SetPending{By: agent}).records(ann, convo.Resume{By: agent})
	},
	"close":  func(s *scene) { s.after(hello).records(ann, end) },
	"reopen": func(s *scene) { s.after(hello, end).records(ann, convo.Reopen{By: agent}) },
	"assign": func(s *scene) {
		s.after(hello).records(ann, convo.Assign{By: agent, Assignee: "bob"})
	},
	"amend_closing": func(s *scene) {
		s.after(hello, end).records(ann, convo.AmendClosing{By: agent, Category: "Support"})
	},
	"rate": func(s *scene) { s.after(hello, end).records(ann, convo.Rate{Score: 4}) },
	"rate_earlier_cycle": func(s *scene) {
		s.after(hello, end, convo.Reopen{By: agent}).records(ann, convo.Rate{Score: 4})
	},
	"label": func(s *scene) {
		s.after(hello).records(ann, convo.Label{By: agent, Add: []string{"vip"}})
	},
	"set_profile": func(s *scene) {
		s.after(hello).records(ann, convo.SetProfile{By: agent, Name: new("Ann")})
	},
	"block": func(s *scene) { s.after(hello).records(ann, convo.Block{By: agent}) },
	"unblock": func(s *scene) {
		s.after(hello, convo.Block{By: agent}).records(ann, convo.Unblock{By: agent})
	},
	"link_address": func(s *scene) {
		to := ann
		to.Address = convo.Address{Channel: "email", Value: "ann@example.com"}
		s.after(hello).records(to, convo.LinkAddress{By: agent})
	},
	"unlink_address": func(s *scene) {
		to := ann
		to.Address = convo.Address{Channel: "email", Value: "ann@example.com"}
		s.after(hello)
		_, err := s.engine.Do(s.ctx, to, convo.LinkAddress{By: agent})
		require.NoError(s.t, err)
		s.records(to, convo.UnlinkAddress{By: agent})
	},
	"merge": func(s *scene) {
		s.after(hello)
		_, err := s.engine.Do(s.ctx, convo.ToContact(workspace, "anna"), hello, end)
		require.NoError(s.t, err)
		s.rec.on = true
		_, err = s.engine.Merge(s.ctx, convo.Merge{
			Workspace: workspace, Primary: "ann", Secondary: "anna", By: agent,
		})
		require.NoError(s.t, err)
	},
	"unmerge": func(s *scene) {
		s.after(hello)
		_, err := s.engine.Do(s.ctx, convo.ToContact(workspace, "anna"), hello, end)
		require.NoError(s.t, err)
		_, err = s.engine.Merge(s.ctx, convo.Merge{
			Workspace: workspace, Primary: "ann", Secondary: "anna", By: agent,
		})
		require.NoError(s.t, err)
		s.rec.on = true
		_, err = s.engine.Unmerge(s.ctx, convo.Unmerge{
			Workspace: workspace, Contact: "anna", By: agent,
		})
		require.NoError(s.t, err)
	},
	"move": func(s *scene) {
		s.after(hello).records(ann, convo.Move{By: agent, Contact: "bob", Lane: new("orders")})
	},
	"tick": func(s *scene) {
		s.after(hello, convo.SetPending{By: agent, Until: s.now.Add(time.Hour)})
		s.now = s.now.Add(2 * time.Hour)
		s.rec.on = true
		n, err := s.engine.Tick(s.ctx, 10)
		require.NoError(s.t, err)
		require.Equal(s.t, 1, n)
	},
	"prune": func(s *scene) {
		s.after(hello, convo.Close{By: agent, Summary: "done"})
		s.now = s.now.Add(72 * time.Hour)
		s.rec.on = true
		p, err := s.engine.Prune(s.ctx, convo.Retention{Texts: 48 * time.Hour},
			convo.PrunePlace{}, 10)
		require.NoError(s.t, err)
		require.Equal(s.t, convo.Pruned{Texts: 1}, p)
	},
	"remove": func(s *scene) {
		s.after(hi, end)
		s.rec.on = true
		err := s.sql.inTransaction(s.ctx, func(in *Store) error {
			s.rec.what = "is it to be removed?"
			c := s.last.Conversation
			if _, _, err := in.removable(s.ctx, workspace, c, 1); err != nil {
				return err
			}
			s.rec.what = "the removal"
			log, err := s.store.Events(s.ctx, convo.EventFilter{
				Workspace: workspace, Conversation: c, Limit: 10,
			})
			require.NoError(s.t, err)
			of, err := s.store.Conversation(s.ctx, workspace, c)
			require.NoError(s.t, err)
			return in.remove(s.ctx, &of, log)
		})
		require.NoError(s.t, err)
	},
	"forget_keys": func(s *scene) {
		s.after(hello)
		s.now = s.now.Add(72 * time.Hour)
		s.rec.on = true
		_, err := s.engine.Prune(s.ctx, convo.Retention{Keys: 48 * time.Hour},
			convo.PrunePlace{}, 10)
		require.NoError(s.t, err)
	},
	"tick_many":   ticksMany,
	"load":        func(s *scene) { s.rec.on, s.rec.in = true, nil; s.loads(s.ctx) },
	"load_locked": loadLocked,
	"list":        lists,
	"events":      events,
	"due": func(s *scene) {
		s.rec.on = true
		s.rec.what = "due conversations"
		_, err := s.sql.Due(s.ctx, convo.DueQuery{Before: s.now, Limit: 10})
		require.NoError(s.t, err)
	},
	"keys": func(s *scene) {
		s.rec.on = true
		s.rec.what = "a key"
		_, err := s.sql.Keys(s.ctx, workspace, convo.KeyID{Channel: "chat", ID: "1"})
		require.NoError(s.t, err)
	},
	"addresses": func(s *scene) {
		s.rec.on = true
		s.rec.what = "addresses of a contact"
		_, err := s.sql.Addresses(s.ctx, workspace, "ann")
		require.NoError(s.t, err)
		s.rec.what = "addresses by identity"
		_, err = s.sql.AddressesByIdentity(s.ctx, workspace, "+491", convo.Address{}, 10)
		require.NoError(s.t, err)
	},
}

func withTx(s *scene) {
	if s.sql.writer != nil {
		s.rec.note("Between SAVEPOINT convo and RELEASE SAVEPOINT convo: what is in " +
			"receive_external_id.sql.")
		return
	}
	s.after(hello)
	s.rec.on = true
	tx, err := s.sql.db.BeginTx(s.ctx, nil)
	require.NoError(s.t, err)
	inside := *s
	inside.sql = s.sql.WithTx(tx)
	_, err = s.engine.With(&pair{s.store, &inside}).Do(s.ctx, ann, hi)
	require.NoError(s.t, err)
	require.NoError(s.t, tx.Commit())
}

func imports(s *scene) {
	s.rec.on = true
	_, err := s.engine.Import(s.ctx, workspace, func(yield func(convo.History, error) bool) {
		for _, contact := range []string{"ann", "bea"} {
			received, closed := hello, end
			received.At, closed.At = s.now.Add(-2*time.Hour), s.now.Add(-time.Hour)
			if !yield(convo.History{
				Key: contact, To: convo.ToContact(workspace, contact),
				Commands: []convo.Command{received, closed},
			}, nil) {
				return
			}
		}
	}, nil)
	require.NoError(s.t, err)
}

func loadLocked(s *scene) {
	if s.sql.d.Lock == "" {
		s.rec.note("The transaction holds everything: what is sent is in load.sql.")
		return
	}
	s.rec.on = true
	err := s.sql.Locked(s.ctx, workspace, func(ctx context.Context) error {
		s.loads(ctx)
		return nil
	})
	require.NoError(s.t, err)
}

// loads has a snapshot loaded by each form of a Ref.
func (s *scene) loads(ctx context.Context) {
	address := convo.Address{Channel: "sms", Value: "+491"}
	for _, l := range []struct {
		what string
		to   convo.Ref
	}{
		{"by contact", ann},
		{"by address", convo.Ref{Workspace: workspace, Address: address}},
		{"by contact and address", convo.Ref{
			Workspace: workspace, Contact: "ann", Address: address,
		}},
		{"by conversation", convo.ToConversation(workspace, uuid.Max)},
	} {
		s.rec.what = l.what
		_, err := s.sql.Load(ctx, l.to)
		if l.to.Conversation == uuid.Nil {
			require.NoError(s.t, err)
		}
	}
}

func lists(s *scene) {
	s.rec.on = true
	for _, l := range []struct {
		what string
		f    convo.Filter
	}{
		{"all", convo.Filter{}},
		{"open", convo.Filter{Status: []convo.Status{convo.StatusOpen}}},
		{"closed", convo.Filter{Status: []convo.Status{convo.StatusClosed}}},
		{"open, of a user", convo.Filter{
			Status: []convo.Status{convo.StatusOpen}, Assignee: "bob",
		}},
		{"active, of a user and a team, from a place on", convo.Filter{
			Status:   []convo.Status{convo.StatusOpen, convo.StatusPending},
			Assignee: "bob", Team: "sales", After: convo.Cursor{At: s.now, ID: uuid.Max},
		}},
		{"of a contact, in a period", convo.Filter{Contact: "ann", From: s.now, To: s.now}},
		{"by activity", convo.Filter{Order: convo.OrderActivity}},
		{"by activity, from a place on", convo.Filter{
			Order: convo.OrderActivity, After: convo.Cursor{At: s.now, ID: uuid.Max},
		}},
		{"unassigned, by waiting, the longest first", convo.Filter{
			Order: convo.OrderWaiting, Ascending: true, Unassigned: true,
		}},
		{"by priority, from a place on", convo.Filter{
			Order: convo.OrderPriority,
			After: convo.Cursor{At: s.now, ID: uuid.Max, Priority: convo.PriorityHigh},
		}},
		{"of a user, by activity", convo.Filter{Order: convo.OrderActivity, Assignee: "bob"}},
		{"closed, with a label", convo.Filter{
			Status: []convo.Status{convo.StatusClosed}, Labels: []string{"vip"},
		}},
	} {
		s.rec.what = l.what
		l.f.Workspace, l.f.Limit = workspace, 50
		_, err := s.sql.Conversations(s.ctx, l.f)
		require.NoError(s.t, err)
	}
	s.rec.what = "one"
	_, err := s.sql.Conversation(s.ctx, workspace, uuid.Max)
	require.ErrorIs(s.t, err, convo.ErrNotFound)
	s.rec.what = "counts"
	_, err = s.sql.Counts(s.ctx, workspace)
	require.NoError(s.t, err)
	s.rec.what = "last messages of two"
	_, err = s.sql.LastMessages(s.ctx, workspace, []uuid.UUID{uuid.Max, uuid.Nil})
	require.NoError(s.t, err)
}

func events(s *scene) {
	s.rec.on = true
	s.rec.what = "transcript of a conversation"
	_, err := s.sql.Events(s.ctx, convo.EventFilter{
		Workspace: workspace, Conversation: uuid.Max, Limit: 50,
	})
	require.NoError(s.t, err)
	s.rec.what = "history of a contact"
	_, err = s.sql.Events(s.ctx, convo.EventFilter{Workspace: workspace, Contact: "ann", Limit: 50})
	require.NoError(s.t, err)
}

// scene is an engine on two stores, of which one answers and the other records what it sends.
type scene struct {
	t      *testing.T
	ctx    context.Context
	now    time.Time
	engine *convo.Engine
	sql    *Store
	store  convo.Store // in memory
	rec    *recorder
	last   convo.Event // of the commands that are not recorded
}

func newScene(t *testing.T, d Dialect) *scene {
	s := &scene{t: t, ctx: t.Context(), rec: &recorder{}}
	s.now = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	db := sql.OpenDB(s.rec)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s.sql = newStore(Config{DB: db, Dialect: d}, engines[d])
	s.rec.in = map[string]string{}
	for name, statement := range map[string]string{
		"by contact": dialect.LoadContact, "by address": dialect.LoadAddress,
		"by contact and address": dialect.LoadContactAndOwner,
		"by conversation":        dialect.LoadConversation,
	} {
		s.rec.in[s.sql.d.Text(statement, DefaultPrefix)] = "load " + name + ": see load.sql"
	}
	s.store = memstore.New()
	both := &pair{s.store, s}
	var store convo.Store = struct{ convo.Store }{both}
	if s.sql.LockFirst() {
		store = both
	}
	var err error
	s.engine, err = convo.New(store, convo.WithClock(s), convo.WithPolicy(convo.WorkflowPolicy()),
		convo.WithKept(0)) // with what is loaded
	require.NoError(t, err)
	return s
}

// Now implements the engine's clock.
func (s *scene) Now() time.Time { return s.now }

// after has ann's conversation go through commands that are not recorded.
func (s *scene) after(cmds ...convo.Command) *scene {
	s.t.Helper()
	r, err := s.engine.Do(s.ctx, ann, cmds...)
	require.NoError(s.t, err)
	s.last = r.Events[len(r.Events)-1]
	return s
}

func (s *scene) records(to convo.Ref, cmds ...convo.Command) {
	s.t.Helper()
	s.rec.on = true
	r, err := s.engine.Do(s.ctx, to, cmds...)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, r.Events)
}

// pair is a store in memory, with which a store on SQL does the same. What that finds is not looked
// at: a recorder has no rows.
type pair struct {
	convo.Store
	scene *scene
}

func (p *pair) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	p.scene.rec.what = "load"
	_, _ = p.scene.sql.Load(ctx, to)
	return p.Store.Load(ctx, to)
}

func (p *pair) Commit(ctx context.Context, changes ...convo.Change) error {
	p.scene.rec.what = "commit"
	require.NoError(p.scene.t, p.scene.sql.Commit(ctx, changes...))
	return p.Store.Commit(ctx, changes...)
}

func (p *pair) Due(
	ctx context.Context, q convo.DueQuery,
) ([]convo.DueConversation, error) {
	p.scene.rec.what = "due"
	_, err := p.scene.sql.Due(ctx, q)
	require.NoError(p.scene.t, err)
	return p.Store.Due(ctx, q)
}

func (p *pair) Keys(
	ctx context.Context, workspace string, ids ...convo.KeyID,
) ([]convo.Key, error) {
	p.scene.rec.what = "keys"
	_, err := p.scene.sql.Keys(ctx, workspace, ids...)
	require.NoError(p.scene.t, err)
	return p.Store.Keys(ctx, workspace, ids...)
}

func (p *pair) Event(
	ctx context.Context, workspace, contact string, id uuid.UUID,
) (convo.Event, bool, error) {
	p.scene.rec.what = "a message by its event"
	_, _, err := p.scene.sql.Event(ctx, workspace, contact, id)
	require.NoError(p.scene.t, err)
	return p.Store.Event(ctx, workspace, contact, id)
}

func (p *pair) Events(ctx context.Context, f convo.EventFilter) ([]convo.Event, error) {
	p.scene.rec.what = "events"
	_, err := p.scene.sql.Events(ctx, f)
	require.NoError(p.scene.t, err)
	return p.Store.Events(ctx, f)
}

func (p *pair) Snapshots(ctx context.Context, to []convo.Ref) ([]convo.Snapshot, error) {
	p.scene.rec.what = "snapshots"
	_, _ = p.scene.sql.Snapshots(ctx, to)
	return p.Store.Snapshots(ctx, to)
}

func (p *pair) Deliver(
	ctx context.Context, workspace string, now time.Time, ds []convo.Delivery,
) (int, error) {
	p.scene.rec.what = "receipts"
	_, err := p.scene.sql.Deliver(ctx, workspace, now, ds)
	require.NoError(p.scene.t, err)
	return p.Store.Deliver(ctx, workspace, now, ds)
}

func (p *pair) Deliveries(
	ctx context.Context, workspace string, ids []convo.KeyID,
) ([]convo.Delivery, error) {
	p.scene.rec.what = "deliveries"
	_, err := p.scene.sql.Deliveries(ctx, workspace, ids)
	require.NoError(p.scene.t, err)
	return p.Store.Deliveries(ctx, workspace, ids)
}

func (p *pair) ForgetDeliveries(
	ctx context.Context, before time.Time, limit int,
) (int, error) {
	p.scene.rec.what = "deliveries that are forgotten"
	_, err := p.scene.sql.ForgetDeliveries(ctx, before, limit)
	require.NoError(p.scene.t, err)
	return p.Store.ForgetDeliveries(ctx, before, limit)
}

func (p *pair) LockFirst() bool { return p.scene.sql.LockFirst() }

func (p *pair) IsLocked(ctx context.Context) bool { return p.scene.sql.IsLocked(ctx) }

func (p *pair) Locked(
	ctx context.Context, workspace string, f func(ctx context.Context) error,
) error {
	p.scene.rec.what = "" // the transaction itself
	return p.scene.sql.Locked(ctx, workspace, f)
}

func TestTheStatementsHaveTheDefaultPrefix(t *testing.T) {
	require.Equal(t, DefaultPrefix, dialect.DefaultPrefix)
}

func TestParametersAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT a FROM t WHERE t.x = $1 AND y >= +? LIMIT ?":       "x, y, limit",
		"INSERT INTO t (a, b, c) VALUES (?, 1, ?)":                 "a, c",
		"INSERT INTO t (a, b) SELECT v.a, $1::text FROM v":         "b",
		"SELECT $1::text AS a, $2::uuid AS b":                      "a, b",
		"WHERE (e.at, e.seq) > (?, ?) AND slot IN (?, ?)":          "at, seq, slot, slot",
		"SET a = ?, b = CASE WHEN b IS NULL THEN NULL ELSE ? END":  "a, ?",
		"SELECT * FROM json_to_recordset($1::json) AS events(a b)": "events",
	} {
		assert.Equal(t, want, strings.Join(parameters(text), ", "), text)
	}
}

func (p *pair) ClosedBefore(
	ctx context.Context, q convo.ClosedQuery,
) ([]convo.Closed, convo.ClosedPlace, error) {
	p.scene.rec.what = "closings"
	_, _, err := p.scene.sql.ClosedBefore(ctx, q)
	require.NoError(p.scene.t, err)
	return p.Store.ClosedBefore(ctx, q)
}

func (p *pair) ForgetKeys(
	ctx context.Context, before time.Time, after convo.KeyPlace, limit int,
) (convo.KeyPlace, int, error) {
	p.scene.rec.what = "keys by their age"
	_, _, err := p.scene.sql.ForgetKeys(ctx, before, after, limit)
	require.NoError(p.scene.t, err)
	return p.Store.ForgetKeys(ctx, before, after, limit)
}
