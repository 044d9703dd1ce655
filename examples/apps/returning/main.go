// Returning keeps conversations in a database. Each run plays one conversation, closed with a
// category and a summary, and prints the history of all runs: the contact comes back two weeks
// after the last one ended.
//
//	go run ./examples/apps/returning --db convo.sqlite
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
)

const usage = `Usage: returning [--db DATABASE]

Plays a conversation with a contact, closes it with a category and a summary, and prints the
contact's history. In a database, another run goes on where the last one ended: the contact comes
back two weeks later.

Flags:
`

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	db := flag.String("db", "", database.Usage)
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := runOn(context.Background(), os.Stdout, *db); err != nil {
		fmt.Fprintln(os.Stderr, "returning:", err)
		os.Exit(1)
	}
}

func runOn(ctx context.Context, out io.Writer, db string) error {
	store, closeStore, err := database.Open(ctx, db)
	if err != nil {
		return err
	}
	return errors.Join(run(ctx, out, store), closeStore())
}

// run plays the conversation on a store and prints what is known afterwards.
func run(ctx context.Context, out io.Writer, store convo.Store) error {
	now := clock.NewMock() // for the same times in every run; a host needs no WithClock
	now.Set(time.Date(2025, time.March, 3, 10, 0, 0, 0, time.UTC))
	engine, err := convo.New(store, convo.WithClock(now))
	if err != nil {
		return err
	}
	riya, meera := convo.ToContact("triochat", "riya"), convo.ByUser("meera")
	last, err := engine.Conversations(ctx,
		convo.Filter{Workspace: riya.Workspace, Contact: riya.Contact, Limit: 1})
	if err != nil {
		return err
	}
	if len(last) > 0 {
		now.Set(last[0].UpdatedAt.Add(14 * 24 * time.Hour))
	}
	question := convo.Receive{Channel: "whatsapp", Body: "What do ten kettles cost?"}
	if _, err := engine.Do(ctx, riya, question); err != nil {
		return err
	}
	now.Add(5 * time.Minute)
	if _, err := engine.Do(ctx, riya,
		convo.Send{By: meera, Body: "Hi Riya, $18 each from ten upwards."},
		convo.Close{By: meera, Category: "Sales", Summary: "Customer inquired about bulk pricing."},
	); err != nil {
		return err
	}

	var history []convo.Event // of all runs
	for after := (convo.EventCursor{}); ; after = history[len(history)-1].Cursor() {
		page, err := engine.History(ctx, riya, after, convo.MaxPageSize)
		if err != nil {
			return err
		}
		history = append(history, page...)
		if len(page) < convo.MaxPageSize {
			break
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	numbers := map[uuid.UUID]int{}
	for _, e := range history {
		text := e.Message().Body
		switch e.Kind {
		case convo.ConversationOpened:
			numbers[e.Conversation] = len(numbers) + 1
			text = "through " + string(e.Source)
		case convo.ConversationClosed:
			text = e.ClosingNotes().Category + ": " + e.ClosingNotes().Summary
		}
		fmt.Fprintf(w, "%s\tconversation %d\t%s\t%s\n",
			e.At.Format("Mon _2 Jan 15:04"), numbers[e.Conversation], e.Kind, text)
	}
	return w.Flush()
}
