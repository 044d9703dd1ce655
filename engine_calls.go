package convo

import (
	"context"
	"errors"
	"time"
)

// CallName names a method of an Engine.
type CallName string

// The methods that [WithCalls] tells of.
const (
	CallDo      CallName = "do"
	CallDoFunc  CallName = "do_func"
	CallMerge   CallName = "merge"
	CallUnmerge CallName = "unmerge"
	CallErase   CallName = "erase"
	CallDeliver CallName = "deliver"
	CallTick    CallName = "tick"
)

// Call says what an Engine is asked for. It has no more than names and ids.
type Call struct {
	Name      CallName
	Workspace string // "" of a Tick, which is about all of them
	// Command is the first one of a Do, which has so many Commands; "" and 0 of other calls, and
	// also of a DoFunc, whose commands are not known yet.
	Command  CommandName
	Commands int
}

// CallResult is what became of a Call.
type CallResult struct {
	// Outcome is that of a Do, DoFunc, Merge, Unmerge or Erase; "" of others, and of one that
	// failed.
	Outcome Outcome
	Err     error // what the call returns; of one that panics, that it did
	// Took is from its beginning until it returns, observers included, by the system's clock.
	Took time.Duration
	// Waited is the part of Took in which it waited for other calls of this process for the same
	// Ref, and then for the store to begin to lock. What a database waits for within a statement is
	// not in it.
	Waited  time.Duration
	Retries int  // tries after the first one, which others were in the way of
	Locked  bool // at least one of the tries was under the store's lock
	Tick    TickStats
}

// WithCalls has f called before each Do, DoFunc, Merge, Unmerge, Erase, Deliver and Tick whose Ref
// or other arguments are well-formed, with what it is asked for: for traces and metrics. The call
// goes on under the context that f returns, which must be made of the one that it is given, and the
// function that f returns, unless it is nil, is called once with what became of it, in the same
// goroutine. Of several functions, the first one is the outermost. An Engine of [Engine.With] calls
// them as well, and its host may roll back afterwards what became of a call. f must be safe for
// concurrent use. Default: none, which costs a call nothing.
func WithCalls(f func(ctx context.Context, c Call) (context.Context, func(CallResult))) Option {
	return func(e *Engine) { e.calls = append(e.calls, f) }
}

// errPanicked is what became of a call that did not return.
var errPanicked = errors.New("convo: the call panicked")

// watched is a call that somebody wants to hear of. nil: nobody does.
type watched struct {
	began  time.Time
	asked  time.Time // when a wait began
	result CallResult
	ends   []func(CallResult)
}

// watch tells what is about to be done. end must be called, also when it panics.
func (e *Engine) watch(ctx context.Context, c Call) (context.Context, *watched) {
	if len(e.calls) == 0 {
		return ctx, nil
	}
	w := &watched{began: time.Now(), result: CallResult{Err: errPanicked}}
	for _, f := range e.calls {
		under, end := f(ctx, c)
		if ctx = under; end != nil {
			w.ends = append(w.ends, end)
		}
	}
	return ctx, w
}

// done keeps what became of a call.
func (w *watched) done(of Outcome, tries int, err error) {
	if w != nil {
		w.result.Outcome, w.result.Retries, w.result.Err = of, tries, err
	}
}

// end tells it.
func (w *watched) end() {
	if w == nil {
		return
	}
	w.result.Took = time.Since(w.began)
	for i := len(w.ends) - 1; i >= 0; i-- {
		w.ends[i](w.result)
	}
}

// waits is called when a wait begins, and waited when it has ended, once or more often.
func (w *watched) waits() {
	if w != nil {
		w.asked = time.Now()
	}
}

func (w *watched) waited(locked bool) {
	if w == nil || w.asked.IsZero() {
		return
	}
	w.result.Waited += time.Since(w.asked)
	w.result.Locked = locked // who waits for a turn does so first
	w.asked = time.Time{}
}

// asked says what a Do or a DoFunc is asked for.
func (c *call) asked(cmds []Command) Call {
	asked := Call{Name: CallDo, Workspace: c.to.Workspace, Commands: len(cmds)}
	if c.decide != nil {
		asked.Name = CallDoFunc
		return asked
	}
	var o fields
	if o.read(cmds[0]) == nil {
		asked.Command = o.kind.name()
	}
	return asked
}
