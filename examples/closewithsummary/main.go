// Closewithsummary is convo in one sitting: messages go back and forth, an agent closes the
// conversation with a category and a summary, and the program prints what the library kept of it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

func main() {
	if err := run(context.Background(), os.Stdout, memstore.New()); err != nil {
		fmt.Fprintln(os.Stderr, "closewithsummary:", err)
		os.Exit(1)
	}
}

// step is what the host hands to the library in one call, so long after the step before.
type step struct {
	after    time.Duration
	commands []convo.Command
}

var meera, bot = convo.ByUser("meera"), convo.ByAutomation("welcome-bot")

var story = []step{
	{0, []convo.Command{
		// opens the conversation
		convo.Receive{Channel: "whatsapp", Body: "Hi, what do ten kettles cost?"},
	}},
	{5 * time.Minute, []convo.Command{
		convo.Send{By: meera, Body: "Hi Riya, $18 each from ten upwards."},
		convo.Close{By: meera, Category: "Sales", Summary: "Customer inquired about bulk pricing."},
	}},
	{14 * 24 * time.Hour, []convo.Command{
		// a new one, for the first is closed
		convo.Receive{Channel: "whatsapp", Body: "One of my kettles leaks."},
		convo.Send{By: bot, Body: "Hi Riya, an agent will be with you soon."},
	}},
	{4 * time.Minute, []convo.Command{
		convo.Assign{By: meera, Assignee: "meera"},
		convo.Send{By: meera, Body: "I'm sorry! Could you send a photo?"},
	}},
	{3 * time.Minute, []convo.Command{
		convo.Receive{Channel: "whatsapp", Body: "Yes: https://example.com/kettle.jpg"},
	}},
	{2 * time.Minute, []convo.Command{
		convo.Send{By: meera, Body: "Thank you. A new one will be with you tomorrow."},
		convo.SetPending{By: meera}, // until she writes again
	}},
	{26 * time.Hour, []convo.Command{
		convo.Receive{Channel: "whatsapp", Body: "It came, and it works. Thanks!"}, // resumes it
	}},
	{6 * time.Minute, []convo.Command{
		convo.Send{By: meera, Body: "Enjoy your tea!"},
		convo.Close{By: meera, Category: "Support",
			Summary: "Issue resolved: Replaced defective item."},
	}},
}

// run plays the story on a store and prints what is known afterwards.
func run(ctx context.Context, out io.Writer, store convo.Store) error {
	now := clock.NewMock() // for the same times in every run; a host needs no WithClock
	now.Set(time.Date(2025, time.March, 3, 10, 0, 0, 0, time.UTC))
	engine, err := convo.New(store, convo.WithClock(now), convo.WithPolicy(convo.WorkflowPolicy()))
	if err != nil {
		return err
	}
	riya := convo.ToContact("triochat", "riya")
	var last convo.Conversation
	for _, s := range story {
		now.Add(s.after)
		result, err := engine.Do(ctx, riya, s.commands...)
		if err != nil {
			return err
		}
		last = result.Conversation
	}

	transcript, err := engine.Transcript(ctx, convo.ToConversation(last.Workspace, last.ID),
		convo.EventCursor{}, 0)
	if err != nil {
		return err
	}
	history, err := engine.History(ctx, riya, convo.EventCursor{}, 0)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	printTranscript(w, transcript)
	printHistory(w, history)
	printMeasures(w, last.Cycle)
	closing := last.Cycle.Closing
	fmt.Fprintf(w, "\nClosed by %s on %s\n", closing.By.ID, clockTime(closing.At))
	fmt.Fprintf(w, "  Category\t%s\n  Summary\t%s\n", closing.Category, closing.Summary)
	return w.Flush()
}

func printTranscript(w io.Writer, events []convo.Event) {
	fmt.Fprintln(w, "Transcript")
	for _, e := range events {
		text := e.Message().Body
		switch e.Kind {
		case convo.ConversationClosed:
			text = e.ClosingNotes().Category + ": " + e.ClosingNotes().Summary
		case convo.ConversationAssigned:
			text = "to " + e.Assignment().Assignee
		case convo.ConversationOpened, convo.ConversationResumed:
			text = "through " + string(e.Source)
		case convo.ConversationPending:
			text = "until the contact writes"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", clockTime(e.At), e.By.ID, e.Kind, text)
	}
}

// printHistory prints what the contact's conversations came to, numbered in their order.
func printHistory(w io.Writer, events []convo.Event) {
	fmt.Fprintln(w, "\nHistory of riya")
	numbers := map[uuid.UUID]int{}
	for _, e := range events {
		switch e.Kind {
		case convo.ConversationOpened:
			numbers[e.Conversation] = len(numbers) + 1
			fmt.Fprintf(w, "  %s\tconversation %d\topened\n", clockTime(e.At),
				numbers[e.Conversation])
		case convo.ConversationClosed:
			notes := e.ClosingNotes()
			fmt.Fprintf(w, "  %s\tconversation %d\tclosed\t%s: %s\n",
				clockTime(e.At), numbers[e.Conversation], notes.Category, notes.Summary)
		}
	}
}

func printMeasures(w io.Writer, c convo.Cycle) {
	first, _ := c.FirstResponseTime()
	mean, _ := c.ResponseTime()
	resolution, _ := c.ResolutionTime()
	active, _ := c.ActiveResolutionTime()
	fmt.Fprintln(w, "\nMeasures")
	fmt.Fprintf(w, "  First response time\t%v\tby %s\n", first, c.FirstResponder.ID)
	fmt.Fprintf(w, "  Response time\t%v\tmean of %d replies\n", mean, c.Responses)
	fmt.Fprintf(w, "  Resolution time\t%v\tfrom opening to closing\n", resolution)
	fmt.Fprintf(w, "  Pending\t%v\t%v of resolution without it\n", c.PendingTime(), active)
	fmt.Fprintf(w, "  Messages\t%d\t%d incoming, %d by users, %d by automation\n",
		c.Incoming+c.OutgoingUser+c.OutgoingAutomation, c.Incoming, c.OutgoingUser,
		c.OutgoingAutomation)
}

func clockTime(t time.Time) string { return t.Format("Mon _2 Jan 15:04") }
