package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
)

// act is something that a host does by one call.
type act struct {
	name    string
	prepare []convo.Command // what happened to riya before; tom then has an open conversation
	do      func(ctx context.Context, e *convo.Engine, workspace string) error
	late    bool // the first commit of each call meets a conflict
	once    bool // called again, it is done again
	runner  bool // it does what is due, wherever
	slow    bool // also with the race detector
}

func riya(workspace string) convo.Ref {
	return convo.Ref{Workspace: workspace, Contact: "riya",
		Address: convo.Address{Channel: "sms", Value: "+4912345"}}
}

// doing is an act by commands to riya.
func doing(cmds ...convo.Command) func(context.Context, *convo.Engine, string) error {
	return func(ctx context.Context, e *convo.Engine, workspace string) error {
		_, err := e.Do(ctx, riya(workspace), cmds...)
		return err
	}
}

var (
	longAgo  = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	opening  = convo.Open{By: ana, At: longAgo}
	closing  = convo.Close{By: ana, Key: "close", Summary: "Solved"}
	incoming = convo.Receive{ExternalID: "in", Body: "hello"}
)

var acts = []act{
	{name: "the first message of a contact", do: doing(incoming)},
	{name: "a message", prepare: []convo.Command{opening}, do: doing(incoming)},
	{name: "a message without an id", prepare: []convo.Command{opening},
		do: doing(convo.Receive{Body: "hello"}), once: true, slow: true},
	{name: "a message after a conflict", prepare: []convo.Command{opening}, do: doing(incoming),
		late: true, slow: true},
	{name: "a closing", prepare: []convo.Command{opening}, do: doing(closing)},
	{name: "a reopening", prepare: []convo.Command{opening, closing},
		do: doing(convo.Reopen{By: ana, Key: "reopen"})},
	{name: "a closing and an opening", prepare: []convo.Command{opening},
		do: doing(closing, convo.Open{By: ana, Key: "open"}), slow: true},
	{name: "a blocking", prepare: []convo.Command{opening},
		do: doing(convo.Block{By: ana, Key: "block"})},
	{name: "a merge", prepare: []convo.Command{opening}, do: merging},
	{name: "a merge after a conflict", prepare: []convo.Command{opening}, do: merging, late: true},
	{
		name: "a timer",
		prepare: []convo.Command{opening, convo.SetPending{By: ana, At: longAgo,
			Until: longAgo.Add(time.Hour)}},
		do: func(ctx context.Context, e *convo.Engine, _ string) error {
			n, err := e.Tick(ctx, 10)
			if n > 0 {
				return nil // what failed came after it
			}
			return err
		},
		runner: true,
	},
}

func merging(ctx context.Context, e *convo.Engine, workspace string) error {
	_, err := e.Merge(ctx, convo.Merge{Workspace: workspace, Primary: "tom", Secondary: "riya",
		By: ana})
	return err
}

// late is a store whose first commit meets a conflict.
type late struct {
	*sqlstore.Store
	met atomic.Bool
}

func (l *late) Commit(ctx context.Context, changes ...convo.Change) error {
	if l.met.CompareAndSwap(false, true) {
		return convo.ErrConflict
	}
	return l.Store.Commit(ctx, changes...)
}

// counts is what a workspace has, as far as numbers say it.
func counts(t *testing.T, db *sql.DB, workspace string) string {
	t.Helper()
	var queries []string
	for _, of := range []string{
		"count(*) FROM convo_contacts", "count(*) FROM convo_addresses",
		"count(*) FROM convo_conversations",
		"count(*) FROM convo_cycles", "count(*) FROM convo_events",
		"count(*) FROM convo_contact_events", "count(*) FROM convo_keys",
		"count(*) FROM convo_deliveries", "count(*) FROM convo_active",
		"count(*) FROM convo_places", "count(*) FROM convo_labels",
		"coalesce(sum(version), 0) FROM convo_contacts",
		"coalesce(sum(version), 0) FROM convo_conversations",
		"count(due_at) FROM convo_active", "count(due_at) FROM convo_conversations",
		"count(merged_into) FROM convo_contacts",
	} {
		queries = append(queries, "SELECT "+of+" WHERE workspace = '"+workspace+"'")
	}
	rows, err := db.QueryContext(t.Context(), strings.Join(queries, " UNION ALL "))
	require.NoError(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var n string
		require.NoError(t, rows.Scan(&n))
		all = append(all, n)
	}
	require.NoError(t, rows.Err())
	return strings.Join(all, " ")
}
