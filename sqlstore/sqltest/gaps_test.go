package sqlstore_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
)

// What SQLite's file has of what was removed for good is gone by what docs/erasure.md says. Before
// VACUUM secure_delete has zeros in what was freed, but not in what a page that was split, or
// balanced with its neighbours, has left between its cells. How much that is goes by how pages were
// filled, so it is logged, not asserted. With the sizes here it is some ten pieces of what was
// erased in each run, and one or none of the others.
func TestVacuumLeavesNothingOfWhatIsRemovedForGood(t *testing.T) {
	for name, of := range map[string]struct {
		remove func(*removing)
		text   string
	}{
		"erased":   {(*removing).erase, "gone"},
		"pruned":   {(*removing).prune, "gone(body|summary)"},
		"removed":  {(*removing).removeConversations, "gone(body|summary)"},
		"redacted": {(*removing).redact, "gonebody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRemoving(t)
			r.fill()
			files := sqliteFiles(t, r.db, r.path)
			require.Greater(t, len(found(files, of.text)), 100, "else nothing is proved")
			of.remove(r)
			files = sqliteFiles(t, r.db, r.path)
			t.Logf("in the file before VACUUM: %q", found(files, of.text))
			require.NoError(t, clean(t.Context(), r.path))
			files = filesAt(t, r.path)
			assert.Empty(t, found(files, of.text))
			assert.NotEmpty(t, found(files, "keptbody"))
		})
	}
}

// removing is a file of which something of every third contact is removed for good.
type removing struct {
	t        *testing.T
	path     string
	db       *sql.DB
	s        *sqlstore.Store
	clock    *movingClock
	engine   *convo.Engine
	contacts []string
	messages []convo.Event
}

func newRemoving(t *testing.T) *removing {
	r := &removing{t: t, path: filepath.Join(t.TempDir(), "convo.db")}
	r.clock = &movingClock{time.Date(2025, 3, 3, 10, 0, 0, 0, time.UTC)}
	var err error
	r.db, err = sqlstore.OpenSQLite("sqlite", r.path, "synchronous = OFF")
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.db.Close() })
	r.s = with(t, sqlstore.Config{DB: r.db, Dialect: sqlstore.SQLite})
	r.engine, err = convo.New(r.s, convo.WithClock(r.clock))
	require.NoError(t, err)
	return r
}

// fill has three hundred contacts write in turns, texts of many lengths, so that rows come between
// others and split their pages.
func (r *removing) fill() {
	const rounds = 8
	for round := range rounds {
		for i := range 300 {
			mark := "kept"
			if i%3 == 0 {
				mark = "gone"
			}
			r.clock.now = r.clock.now.Add(time.Minute)
			of := fmt.Sprintf("%03d-%d ", i, round)
			to := convo.ToContact("acme", fmt.Sprintf("%scontact%03d", mark, i))
			to.Address = convo.Address{Channel: "sms", Value: mark + "address" + to.Contact}
			name := mark + "name" + of
			body := func(most int) string {
				return mark + "body" + of + strings.Repeat("x", (i*37+round*101)%most)
			}
			cmds := []convo.Command{
				convo.Receive{ExternalID: mark + "in" + of, Body: body(300)},
				convo.SetProfile{By: ana, Name: &name},
				convo.Note{By: ana, Body: body(200)}, convo.Send{By: ana, Body: body(20)},
				convo.Block{By: ana, Reason: mark + "reason" + of}, convo.Unblock{By: ana},
			}
			if mark == "gone" && round == rounds-1 {
				cmds = append(cmds, convo.Close{By: ana, Summary: mark + "summary" + of})
			}
			result, err := r.engine.Do(r.t.Context(), to, cmds...)
			require.NoError(r.t, err)
			for _, e := range result.Events {
				if _, ok := e.Payload.(*convo.Message); ok && mark == "gone" {
					r.messages = append(r.messages, e)
				}
			}
			if mark == "gone" && round == 0 {
				r.contacts = append(r.contacts, to.Contact)
			}
		}
	}
}

func (r *removing) erase() {
	for _, contact := range r.contacts {
		_, err := r.engine.Erase(r.t.Context(),
			convo.Erase{Workspace: "acme", Contact: contact, By: ana})
		require.NoError(r.t, err)
	}
}

func (r *removing) prune() { r.pruneBy(convo.Retention{Texts: 24 * time.Hour}) }

func (r *removing) removeConversations() {
	rollupAll(r.t, r.s, 0)
	r.pruneBy(convo.Retention{Conversations: 24 * time.Hour})
}

func (r *removing) pruneBy(by convo.Retention) {
	r.clock.now = r.clock.now.Add(48 * time.Hour)
	for p, more := (convo.Pruned{}), true; more; more = p.More() {
		var err error
		p, err = r.engine.Prune(r.t.Context(), by, p.Next, 0)
		require.NoError(r.t, err)
	}
}

func (r *removing) redact() {
	for _, m := range r.messages {
		_, err := r.engine.Do(r.t.Context(), convo.ToContact("acme", m.Contact),
			convo.Retract{By: ana, Message: m.ID, Redact: true})
		require.NoError(r.t, err)
	}
}

// found are the matches of a pattern in files, with what follows.
func found(files [][]byte, pattern string) (all []string) {
	for _, data := range files {
		for _, b := range regexp.MustCompile(pattern+"[-a-z0-9]*").FindAll(data, -1) {
			all = append(all, string(b))
		}
	}
	return all
}
