package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// While a call runs, the contact that it is addressed to is merged: at each step of the call, one
// after the other. A step is a moment at which the store looks at the call's context. Whatever
// comes of the call, everybody is reachable afterwards, and every message is in one history.
var mergeStepCases = func() (cases []testCase) {
	for _, c := range mergedCalls {
		cases = append(cases, testCase{
			"Merge/at every step of " + c.name,
			"Load answers with a contact that was not merged, or with ErrConflict",
			func(s *suite) { s.mergesAtEveryStep(c) },
		})
	}
	return cases
}()

// mergedCall is a call addressed to family.x, which was merged into family.p before.
type mergedCall struct {
	name   string
	closed bool // the conversation of p
	do     func(ctx context.Context, e *convo.Engine, f family) error
	must   bool // it succeeds at every step
	sends  int  // messages that it leaves when it succeeds
}

// family are contacts of which all are one in the end.
type family struct{ x, p, r, other string }

func (f family) address() convo.Address { return convo.Address{Channel: "sms", Value: f.x} }

// command is a call of one command to x.
func command(
	cmd convo.Command, refs ...func(f family) convo.Ref,
) func(context.Context, *convo.Engine, family) error {
	return func(ctx context.Context, e *convo.Engine, f family) error {
		ref := to(f.x)
		for _, r := range refs {
			ref = r(f)
		}
		_, err := e.Do(ctx, ref, cmd)
		return err
	}
}

func merging(
	pick func(f family) (primary, secondary string),
) func(context.Context, *convo.Engine, family) error {
	return func(ctx context.Context, e *convo.Engine, f family) error {
		primary, secondary := pick(f)
		_, err := e.Merge(ctx, convo.Merge{
			Workspace: acme, Primary: primary, Secondary: secondary, By: ana,
		})
		return err
	}
}

var mergedCalls = []mergedCall{
	{"a message to a contact", false, command(convo.Receive{Body: "raced"}), true, 1},
	{"a message that opens", true, command(convo.Receive{Body: "raced"}), true, 1},
	{"a message from an address", true, command(convo.Receive{Body: "raced"},
		func(f family) convo.Ref {
			return convo.ToAddress(acme, f.address().Channel, f.address().Value)
		}), true, 1},
	{"a message from a contact's address", true, command(convo.Receive{Body: "raced"},
		func(f family) convo.Ref { return from(f.x, f.address().Channel, f.address().Value) }),
		true, 1},
	{"a new address", false, command(convo.LinkAddress{By: ana},
		func(f family) convo.Ref { return from(f.x, "web", f.x) }), true, 0},
	{"a note", false, command(convo.Note{By: ana, Body: "raced"}), false, 0},
	{"an opening", true, command(convo.Open{By: ana}), false, 0},
	{"a reopening", true, command(convo.Reopen{By: ana}), false, 0},
	{"a closing", false, command(convo.Close{By: ana}), false, 0},
	{"a blocking", false, func(ctx context.Context, e *convo.Engine, f family) error {
		_, err := e.Do(ctx, to(f.x), convo.Block{By: ana}, convo.Unblock{By: ana})
		return err
	}, true, 0},
	{"a merge into it", true,
		merging(func(f family) (string, string) { return f.x, f.other }), false, 0},
	{"a merge of it", true,
		merging(func(f family) (string, string) { return f.other, f.p }), false, 0},
	{"a timer", false, func(ctx context.Context, e *convo.Engine, _ family) error {
		_, err := e.Tick(ctx, 0)
		return err
	}, true, 0},
	{"reads", false, func(ctx context.Context, e *convo.Engine, f family) error {
		_, err := e.Conversation(ctx, to(f.x))
		_, err2 := e.History(ctx, to(f.x), convo.EventCursor{}, 0)
		return errors.Join(err, err2)
	}, true, 0},
}

// steppedContext calls step the at-th time that somebody looks at it.
type steppedContext struct {
	context.Context
	at, looked atomic.Int64
	step       func()
}

func (c *steppedContext) look() {
	if c.looked.Add(1) == c.at.Load() {
		c.step()
	}
}

func (c *steppedContext) Done() <-chan struct{} { c.look(); return c.Context.Done() }

func (c *steppedContext) Err() error { c.look(); return c.Context.Err() }

// mergePatience is how long a call waits for the merge at one of its steps. A merge that waits for
// the call, because that holds a lock, goes on when the call is over.
const mergePatience = 10 * time.Millisecond

// maxSteps is more than a call has.
const maxSteps = 500

func (s *suite) mergesAtEveryStep(c mergedCall) {
	var met int
	for at := 1; at < maxSteps; at++ {
		if testing.Short() && at > 10 && at%5 > 0 {
			continue
		}
		f := s.family(at, c.closed)
		merged := make(chan error, 1)
		ctx := &steppedContext{Context: s.ctx}
		ctx.at.Store(int64(at))
		ctx.step = func() {
			done := make(chan struct{})
			go func() {
				defer close(done)
				merged <- merging(func(f family) (string, string) { return f.r, f.p })(
					s.ctx, s.engine, f)
			}()
			timer := time.NewTimer(mergePatience)
			defer timer.Stop()
			select {
			case <-done:
			case <-timer.C:
			}
		}
		err := c.do(ctx, s.engine, f)
		ctx.at.Store(0)
		if ctx.looked.Load() < int64(at) {
			s.NoError(err, "without a merge")
			s.Positive(met)
			return
		}
		met++
		if merr := <-merged; merr != nil { // the call merged p elsewhere
			s.ErrorIs(merr, convo.ErrMerged, "step %d: the merge", at)
			s.NoError(err, "step %d", at)
			f.r = f.other
		}
		if c.must {
			s.NoError(err, "step %d", at)
		} else if err != nil {
			s.NotEqual("other", convo.Code(err), "step %d: %v", at, err)
			s.NotErrorIs(err, convo.ErrConflict, "step %d", at)
		}
		s.isOne(f, at, err == nil, c)
	}
	s.Fail("a call has no end of steps")
}

// family has x merged into p, which is in conversation or was, and r, which was.
func (s *suite) family(at int, closed bool) family {
	n := fmt.Sprint(" ", at)
	f := family{"x" + n, "p" + n, "r" + n, "other" + n}
	hi, done := convo.Receive{Body: "hi"}, convo.Close{By: ana}
	_, err := s.engine.Do(s.ctx, from(f.x, "sms", f.x), hi, done)
	s.NoError(err)
	for _, contact := range []string{f.p, f.r, f.other} {
		_, err = s.engine.Do(s.ctx, to(contact), hi, done)
		s.NoError(err)
	}
	if !closed {
		until := s.clock.Now().Add(time.Minute)
		_, err = s.engine.Do(s.ctx, to(f.p),
			convo.Reopen{By: ana}, convo.SetPending{By: ana, Until: until})
		s.NoError(err)
	}
	s.NoError(merging(func(f family) (string, string) { return f.p, f.x })(s.ctx, s.engine, f))
	s.clock.add(time.Hour)
	return f
}

// isOne demands that x, p and r are one contact, which is reached by each of them, and whose
// history has every message.
func (s *suite) isOne(f family, at int, succeeded bool, c mergedCall) {
	want := 3 // the first ones
	if succeeded {
		want += c.sends
	}
	root := s.load(to(f.x)).Contact
	s.Empty(root.MergedInto, "step %d", at)
	var conversation uuid.UUID
	refs := []convo.Ref{
		to(f.x), to(f.p), to(f.r), convo.ToAddress(acme, f.address().Channel, f.address().Value),
	}
	for _, ref := range refs {
		r, err := s.engine.Do(s.ctx, ref, convo.Receive{Body: "later"})
		s.NoError(err, "step %d: later, to %+v", at, ref)
		s.Equal(root.ID, r.Contact.ID, "step %d: later, to %+v", at, ref)
		if conversation == uuid.Nil {
			conversation = r.Conversation.ID
		}
		s.Equal(conversation, r.Conversation.ID, "step %d: later, to %+v", at, ref)
		want++
	}
	if f.r != f.other && s.load(to(f.other)).Contact.ID == root.ID {
		want++
	}
	got := 0
	for e, err := range s.engine.AllHistory(s.ctx, to(f.r), convo.EventCursor{}) {
		s.NoError(err)
		if e.Kind == convo.MessageReceived {
			got++
		}
	}
	s.Equal(want, got, "step %d: messages in the history", at)
}
