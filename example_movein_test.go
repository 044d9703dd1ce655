package convo_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// row maps what the other system calls an activity.
func row(activity, who, text string, at time.Time) did {
	by := convo.ByUser(who)
	switch activity {
	case "customer wrote":
		return did{at, convo.Receive{At: at, Body: text}}
	case "taken":
		return did{at, convo.Assign{At: at, By: by, Assignee: who}}
	case "answered":
		return did{at, convo.Send{At: at, By: by, Body: text}}
	case "solved":
		return did{at, convo.Close{At: at, By: by, Summary: text}}
	case "opened again":
		return did{at, convo.Reopen{At: at, By: by}}
	}
	return did{at, convo.Note{At: at, By: by, Body: activity + ": " + text}}
}

// ticket is what the other system exports of a conversation.
type ticket struct {
	ID, From string
	Did      []did // in order of time
}

// did is a command with its time, in whole microseconds.
type did struct {
	At      time.Time
	Command convo.Command
}

// history is a ticket up to its last closing; no commands: it has none yet.
func history(t ticket) convo.History {
	h := convo.History{Key: "ticket " + t.ID, To: convo.ToAddress("acme", "mail", t.From)}
	var all []convo.Command
	for _, d := range t.Did {
		all = append(all, d.Command)
		if _, closed := d.Command.(convo.Close); closed {
			h.Commands = all
		}
	}
	return h
}

// moveIn brings an export in, and of what is there already what it has more.
func moveIn(
	ctx context.Context, past *convo.Engine, tickets iter.Seq2[ticket, error],
) (convo.ImportResult, error) {
	var given []ticket // to Import, which has not told of them yet: at most a batch
	var failed error
	histories := func(yield func(convo.History, error) bool) {
		for t, err := range tickets { // one after the other: memory does not grow
			h := history(t)
			err = errors.Join(err, failed)
			if err == nil && h.Commands == nil {
				err = moveOpen(ctx, past, t)
			} else {
				given = append(given, t)
			}
			if (h.Commands != nil || err != nil) && !yield(h, err) {
				return
			}
		}
	}
	done, err := past.Import(ctx, "acme", histories, func(r convo.ImportResult) {
		for _, h := range r.Batch {
			t := given[0]
			given = given[1:]
			if h.Known || len(history(t).Commands) < len(t.Did) {
				failed = errors.Join(failed, addRest(ctx, past, t, h.Conversation))
			}
		}
	})
	return done, errors.Join(err, failed)
}

// addRest adds what a ticket has more than its conversation.
func addRest(ctx context.Context, past *convo.Engine, t ticket, conversation uuid.UUID) error {
	_, err := past.DoFunc(ctx, convo.ToConversation("acme", conversation), "",
		func(s convo.Snapshot) (rest []convo.Command, err error) {
			there := false
			for _, d := range t.Did {
				switch d.At.Compare(s.Conversation.UpdatedAt) {
				case 0:
					there = true
				case 1:
					rest = append(rest, d.Command)
				}
			}
			if !there {
				return nil, fmt.Errorf("ticket %s: it went on here, or is there otherwise", t.ID)
			}
			return rest, nil
		})
	if errors.Is(err, convo.ErrActiveExists) {
		return nil // it was reopened beside another one: a later run has it
	}
	return err
}

// moveOpen adds a ticket that was never closed.
func moveOpen(ctx context.Context, past *convo.Engine, t ticket) error {
	h := history(t)
	for _, d := range t.Did {
		h.Commands = append(h.Commands, d.Command)
	}
	r, err := past.DoFunc(ctx, h.To, h.Key, func(s convo.Snapshot) ([]convo.Command, error) {
		if s.Active != uuid.Nil || s.Conversation.Status.Active() {
			return nil, convo.ErrActiveExists // of the contact; a later run has it
		}
		return h.Commands, nil
	})
	switch {
	case errors.Is(err, convo.ErrActiveExists):
		return nil
	case err == nil && r.Outcome == convo.OutcomeDuplicate:
		return addRest(ctx, past, t, r.Conversation.ID)
	}
	return err
}

// export is what the other system exports at a time, and exports later.
func export(until time.Time, all ...ticket) iter.Seq2[ticket, error] {
	return func(yield func(ticket, error) bool) {
		for _, t := range all {
			t.Did = slices.Clone(t.Did)
			t.Did = slices.DeleteFunc(t.Did, func(d did) bool { return !d.At.Before(until) })
			if len(t.Did) == 0 {
				continue
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// desks are the tickets of a year that is over.
func desks() []ticket {
	day := time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return day.Add(time.Duration(minutes) * time.Minute) }
	return []ticket{
		{ID: "1", From: "riya@example.com", Did: []did{
			row("customer wrote", "", "It arrived broken.", at(0)), row("taken", "ana", "", at(0)),
			row("answered", "ana", "A new one is on its way.", at(10)),
			row("solved", "ana", "Replaced it.", at(20)),
			row("opened again", "ana", "", at(60)), row("answered", "ana", "Sent.", at(60)),
			row("solved", "ana", "Replaced it twice.", at(90)),
		}},
		{ID: "2", From: "susan@example.com", Did: []did{
			row("customer wrote", "", "Where is it?", at(5)), row("taken", "bo", "", at(5)),
			row("answered", "bo", "On its way.", at(70)), row("solved", "bo", "", at(80)),
		}},
		{ID: "3", From: "susan@example.com", Did: []did{ // while the other one is open
			row("customer wrote", "", "And the other one?", at(15)), row("solved", "bo", "", at(85)),
		}},
	}
}

// What has come since in a longer export, as docs/moving-in.md explains it.
func Example_movingIn() {
	past := try(convo.New(memstore.New())) // no policy and no observer: it is about the past
	day := time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC)
	for _, minutes := range []int{30, 65, 65, 100} {
		until := day.Add(time.Duration(minutes) * time.Minute)
		done := try(moveIn(ctx, past, export(until, desks()...)))
		n := 0
		for range past.AllConversations(ctx, convo.Filter{Workspace: "acme"}) {
			n++
		}
		fmt.Printf("after %d minutes: %d imported, %d known, %d are there\n",
			minutes, done.Imported, done.Known, n)
	}
	riya := convo.ToAddress("acme", "mail", "riya@example.com")
	for _, y := range try(past.Cycles(ctx, riya)) {
		fmt.Println(y.Number, y.Closing.Summary)
	}
	// Output:
	// after 30 minutes: 1 imported, 0 known, 2 are there
	// after 65 minutes: 0 imported, 1 known, 2 are there
	// after 65 minutes: 0 imported, 1 known, 2 are there
	// after 100 minutes: 1 imported, 2 known, 3 are there
	// 1 Replaced it.
	// 2 Replaced it twice.
}
