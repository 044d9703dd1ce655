package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// forget erases a contact with an engine that works in tx, and notes there what was attached to its
// messages.
func forget(
	ctx context.Context, tx *sql.Tx, in, outside *convo.Engine, x convo.Erase,
	note func(ctx context.Context, tx *sql.Tx, attachments json.RawMessage) error,
) error {
	r, err := in.Erase(ctx, x)
	if err != nil || r.Outcome == convo.OutcomeDuplicate {
		return err
	}
	// From here on nobody writes to the contact, and outside of tx it is as it was.
	to := convo.ToContact(x.Workspace, x.Contact)
	for e, err := range outside.AllHistory(ctx, to, convo.EventCursor{}) {
		if err != nil {
			return err
		}
		if a := e.Row().Attachments; len(a) > 0 { // of messages, edits and notes
			if err := note(ctx, tx, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// clean has nothing left in a SQLite file of what was removed from its tables.
func clean(ctx context.Context, path string) error {
	db, err := sqlstore.OpenSQLite("sqlite", path, "temp_store = FILE")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	var busy, pages, moved int
	err = db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err == nil && busy != 0 {
		err = errors.New("somebody reads: the write-ahead log has it still, so try again")
	}
	return err
}

// docs/erasure.md tells hosts to do this: all files are noted with the erasure or none, and what a
// receiver has is found again by the ids of events.
func TestFilesAndEventsOfWhoIsErasedAreFound(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		db := openFile(t, e, filepath.Join(t.TempDir(), "convo.db"))
		s := migrated(t, db, e)
		_, err := db.Exec("CREATE TABLE files_to_delete (attachments VARCHAR(255) PRIMARY KEY)")
		require.NoError(t, err)
		engine := enginesOn(t, s)[0]
		do := func(contact string, cmds ...convo.Command) convo.Event {
			r, err := engine.Do(t.Context(), convo.ToContact("acme", contact), cmds...)
			require.NoError(t, err)
			return r.Events[len(r.Events)-1]
		}
		file := func(n int) json.RawMessage {
			return json.RawMessage(fmt.Sprintf(`[{"url":"https://files/%d"}]`, n))
		}
		name := "Riya"
		message := do("riya", convo.Receive{Attachments: file(1)})
		do("riya", convo.Edit{By: convo.ByContact(), Message: message.ID, Attachments: file(2)})
		do("riya", convo.Note{By: ana, Attachments: file(3)}, convo.SetProfile{By: ana, Name: &name})
		do("riya2", convo.Receive{Quiet: true, Attachments: file(4)})
		do("riya2", convo.Block{By: ana, Reason: "spam"})
		do("another", convo.Receive{Attachments: file(5)})
		_, err = engine.Merge(t.Context(),
			convo.Merge{Workspace: "acme", Primary: "riya", Secondary: "riya2", By: ana})
		require.NoError(t, err)
		history := func(contact string) (ids []uuid.UUID) {
			to := convo.ToContact("acme", contact)
			for e, err := range engine.AllHistory(t.Context(), to, convo.EventCursor{}) {
				require.NoError(t, err)
				ids = append(ids, e.ID)
			}
			return ids
		}
		before := history("riya")
		x := convo.Erase{Workspace: "acme", Contact: "riya", By: ana, Key: "request 4711"}
		policy, err := engine.Policy(t.Context(), convo.Scope{Workspace: x.Workspace})
		require.NoError(t, err)
		place := "?"
		if e.Server() == testdb.PostgreSQL {
			place = "$1"
		}
		erase := func(commit bool) []string {
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			in := engine.With(s.WithTx(tx), policy)
			require.NoError(t, forget(t.Context(), tx, in, engine, x,
				func(ctx context.Context, tx *sql.Tx, attachments json.RawMessage) error {
					_, err := tx.ExecContext(ctx, "INSERT INTO files_to_delete VALUES ("+place+")",
						string(attachments))
					return err
				}))
			if commit {
				require.NoError(t, tx.Commit())
			} else {
				require.NoError(t, tx.Rollback())
			}
			var noted []string
			rows, err := db.Query("SELECT attachments FROM files_to_delete ORDER BY 1")
			require.NoError(t, err)
			defer rows.Close()
			for rows.Next() {
				var a string
				require.NoError(t, rows.Scan(&a))
				noted = append(noted, a)
			}
			require.NoError(t, rows.Err())
			return noted
		}
		assert.Empty(t, erase(false))
		var all []string
		for n := range 4 {
			all = append(all, string(file(n+1)))
		}
		assert.Equal(t, all, erase(true))
		assert.Equal(t, all, erase(true), "again it is a duplicate")

		r, err := engine.Erase(t.Context(), x)
		require.NoError(t, err)
		assert.Subset(t, history(r.Contact.ID), before)
	})
}

// The other code of the page.
func TestErasureAsThePageHasIt(t *testing.T) {
	s, _ := open(t, testdb.SQLite)
	ctx, engine := t.Context(), enginesOn(t, s)[0]
	_, err := engine.Do(ctx, convo.ToContact("acme", "riya"), convo.Receive{Body: "hi"})
	require.NoError(t, err)

	r, err := engine.Erase(ctx, convo.Erase{
		Workspace: "acme", Contact: "riya", By: convo.ByUser("ana"), Key: "request 4711",
	})
	fmt.Println(r.Removed.Conversations, r.Contact.ID) // how many there were; the token
	require.NoError(t, err)
	assert.Equal(t, 1, r.Removed.Conversations)

	job := relay.PruneJob(engine, convo.Retention{
		Texts:         365 * 24 * time.Hour,     // of what was closed for a year, and still is
		Conversations: 5 * 365 * 24 * time.Hour, // all of it, after five years
		Keys:          2 * 365 * 24 * time.Hour, // ids by which what is delivered again is known
	})
	_, err = job.Do(ctx)
	require.NoError(t, err)
}
