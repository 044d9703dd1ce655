package convo

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// What fails is tried by the next Tick, for most of it has passed by then. After that it is put
	// off for the first pause, twice as long each time, up to the last one.
	firstPause = time.Second
	lastPause  = 15 * time.Minute
	// maxPutOff bounds what is remembered; what fails beyond that is tried again by every Tick.
	maxPutOff = 100_000
	// sweepPause is between two looks at what is overdue by more than the grace.
	sweepPause = 10 * time.Minute
)

// failing is what a Tick puts off: a scope, or, with an id, a conversation of its workspace.
type failing struct {
	scope        Scope
	conversation uuid.UUID
}

func ofScope(s Scope) failing { return failing{scope: s} }

func ofConversation(to Ref) failing {
	return failing{Scope{Workspace: to.Workspace}, to.Conversation}
}

// pause is until when something is put off, and for how long it was.
type pause struct {
	until time.Time
	last  time.Duration
}

// putOff is what the timers of an Engine remember between two Ticks, in this process and for its
// life: nothing is wrong when it is lost. It is safe for concurrent use.
type putOff struct {
	mu sync.Mutex
	by map[failing]pause
	// The look at what is overdue by more than the grace goes on behind after, from next on.
	after DueConversation
	next  time.Time
}

// waits says whether of is put off.
func (p *putOff) waits(of failing, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.by[of].until.After(now)
}

// knows says whether of has failed and has not worked since.
func (p *putOff) knows(of failing) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.by[of]
	return known
}

// failed puts of off, longer each time.
func (p *putOff) failed(of failing, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, known := p.by[of]
	if !known && len(p.by) >= maxPutOff {
		for f, old := range p.by { // what nobody has asked for since: done by somebody else
			if now.Sub(old.until) > lastPause {
				delete(p.by, f)
			}
		}
		if len(p.by) >= maxPutOff {
			return
		}
	}
	if p.by == nil {
		p.by = map[failing]pause{}
	}
	var last time.Duration
	if known {
		last = max(firstPause, min(2*was.last, lastPause))
	}
	p.by[of] = pause{now.Add(last), last}
}

// worked forgets that of has failed.
func (p *putOff) worked(of failing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.by, of)
}

// sweep is where the look at what is long overdue goes on, and whether it does now.
func (p *putOff) sweep(now time.Time) (after DueConversation, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.after, !p.next.After(now)
}

// swept moves the look at what is long overdue on.
func (p *putOff) swept(after DueConversation, next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after, p.next = after, next
}
