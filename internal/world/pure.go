package world

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// CheckPure decides several times and checks that nothing but the arguments matters, and that they
// stay as they are, even when a decision is scribbled over.
func CheckPure(t require.TestingT, thread convo.Snapshot, at time.Time, p *convo.Policy,
	cmds []convo.Command) (convo.Decision, error) {
	thread0, policy0, cmds0 := thread, clonePolicy(p), cloneCommands(cmds)
	unchanged := func() {
		require.Equal(t, thread0, thread, "the thread is the caller's")
		require.Equal(t, policy0, p, "the policy is the caller's")
		require.Equal(t, cmds0, cmds, "the commands are the caller's")
	}
	first, err1 := convo.Decide(thread, at, p, cmds...)
	unchanged()
	CheckInPlace(t, first, err1, thread, at, p, cmds)
	unchanged()
	second, err2 := convo.Decide(thread0, at, policy0, cmds0...)
	require.Equal(t, err1, err2)
	require.Equal(t, first, second)
	for i := range first.Change.Events {
		for j := range first.Change.Events[i].Row().Attachments {
			first.Change.Events[i].Row().Attachments[j] = '!'
		}
	}
	clear(first.Change.Events)
	clear(first.Change.Keys)
	clear(first.Change.Earlier)
	if state := new(convo.StateError); errors.As(err1, &state) && state.Closing != nil {
		state.Closing.Summary = "!"
	}
	unchanged()
	third, err3 := convo.Decide(thread, at, p, cmds...)
	require.Equal(t, err2, err3)
	require.Equal(t, second, third)
	if err3 != nil {
		require.Equal(t, convo.Decision{}, third, "a refused call decides nothing")
	}
	return third, err3
}

// used are deciders that write over what they decided before, whatever that was.
var used = sync.Pool{New: func() any { return &convo.Decider{Reuse: true} }}

// CheckInPlace checks that a used Decider and a new one decide the same, and move the snapshot on
// to what a store would load.
func CheckInPlace(t require.TestingT, want convo.Decision, refusal error, thread convo.Snapshot,
	at time.Time, p *convo.Policy, cmds []convo.Command) {
	again := used.Get().(*convo.Decider)
	defer used.Put(again)
	ch := convo.Change{MergeInto: "what was there before"}
	for _, d := range []*convo.Decider{again, {}} {
		s := thread
		outcome, err := d.Decide(&s, at, p, cmds...)
		require.Equal(t, refusal, err)
		require.Equal(t, want.Outcome, outcome)
		if err != nil {
			require.Equal(t, thread, s, "a refusal leaves the snapshot as it was")
			require.Empty(t, d.Events())
			continue
		}
		d.Plan(&s, &ch)
		require.Equal(t, want.Change, ch)
		require.Equal(t, want.Change.After(thread), s)
	}
}

func clonePolicy(p *convo.Policy) *convo.Policy {
	c := *p
	c.Categories = slices.Clone(p.Categories)
	return &c
}

func cloneCommands(cmds []convo.Command) []convo.Command {
	out := slices.Clone(cmds)
	for i, c := range out {
		switch c := c.(type) {
		case convo.Receive:
			c.Attachments = slices.Clone(c.Attachments)
			out[i] = c
		case convo.Send:
			c.Attachments = slices.Clone(c.Attachments)
			out[i] = c
		case convo.Note:
			c.Attachments = slices.Clone(c.Attachments)
			out[i] = c
		}
	}
	return out
}
