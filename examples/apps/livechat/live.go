package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/chatlifecycle/convo"
)

const (
	maxStreams = 1000             // open event streams, which each hold a connection
	heartbeat  = 15 * time.Second // so that both sides notice a connection that is gone
	slowest    = 10 * time.Second // for one write to a stream
)

// hub tells pages that something changed. What changed they fetch, with their own rights, so
// nothing leaks through here, and nothing is lost that a stream has missed.
type hub struct {
	mu      sync.Mutex
	streams map[*stream]struct{}
	closed  chan struct{}
}

// stream is a page that listens: to a workspace, or, with a contact, to that one alone.
type stream struct {
	workspace, contact string
	changed            chan struct{} // holds one: many changes are one
}

func newHub() *hub { return &hub{streams: map[*stream]struct{}{}, closed: make(chan struct{})} }

// publish is an observer of the engine.
func (h *hub) publish(_ context.Context, events []convo.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.streams {
		for i := range events {
			e := &events[i]
			if e.Workspace != s.workspace || s.contact != "" && s.contact != e.Contact {
				continue
			}
			if s.contact != "" && e.Kind == convo.ContactMerged {
				s.contact = e.Merging().MergedInto // whose conversations are theirs from now on
			}
			select {
			case s.changed <- struct{}{}:
			default:
			}
		}
	}
}

func (h *hub) close() { close(h.closed) }

func (h *hub) join(workspace, contact string) (*stream, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) >= maxStreams {
		return nil, false
	}
	s := &stream{workspace: workspace, contact: contact, changed: make(chan struct{}, 1)}
	s.changed <- struct{}{} // whatever happened since the page was made
	h.streams[s] = struct{}{}
	return s, true
}

func (h *hub) leave(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
}

// serve writes server-sent events until the client goes, the server ends, or allowed says no.
func (h *hub) serve(w http.ResponseWriter, r *http.Request, workspace, contact string,
	allowed func() bool) error {
	s, ok := h.join(workspace, contact)
	if !ok {
		return refusal{http.StatusServiceUnavailable, "busy",
			"too many pages are open: try again later"}
	}
	defer h.leave(s)
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	for {
		text := "event: change\ndata: {}\n\n"
		select {
		case <-r.Context().Done():
			return nil
		case <-h.closed:
			return nil
		case <-alive.C:
			text = ": still here\n\n"
		case <-s.changed:
		}
		if !allowed() {
			return nil
		}
		// the server's is for answers that end
		if err := control.SetWriteDeadline(time.Now().Add(slowest)); err != nil {
			return nil
		}
		if _, err := fmt.Fprint(w, text); err != nil {
			return nil // the client has gone
		}
		if err := control.Flush(); err != nil {
			return nil
		}
	}
}
