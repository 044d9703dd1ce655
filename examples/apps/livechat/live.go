package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// Limits of open event streams, which each hold a connection. Anybody can be a visitor, as often as
// they like, so visitors as a whole, those of one workspace, and each of them have limits, and what
// is left belongs to agents.
const (
	maxStreams          = 1000
	maxVisitorStreams   = 800
	maxWorkspaceStreams = 400 // of the visitors of one workspace
	maxOwnStreams       = 8   // of one visitor: as many as somebody has pages open
	maxAgentStreams     = 30  // of one agent
)

const (
	heartbeat = 15 * time.Second       // so that both sides notice a connection that is gone
	slowest   = 10 * time.Second       // for one write to a stream
	apart     = 250 * time.Millisecond // changes of one stream: a burst of them is one
	maxNamed  = 20                     // subjects in one change; more are all
)

const maxBehind = 1000 // places in the feed; who is further behind fetches all

// hub tells pages that something changed, for which each follows the feed of its workspace. What
// changed they fetch, with their own rights, so nothing leaks through here. Agents hear where they
// are, and go on from there after a loss of the connection; to visitors that would tell how much is
// going on, so they fetch all then.
type hub struct {
	feed    *relay.Feed
	log     *slog.Logger
	mu      sync.Mutex
	streams map[*stream]struct{}
	closed  chan struct{}
}

// stream is a page that listens: an agent's to a workspace, or a visitor's to one contact.
type stream struct {
	workspace string
	account   string // of an agent
	visitor   string // whose token it is

	// who finds the contact again, after one was separated that had been merged.
	who func(context.Context) (contact string, err error)

	changed chan struct{} // holds one: many changes are one

	mu      sync.Mutex
	contact string // that the visitor is by now
	at      relay.Cursor
	news    news
	parted  bool // contact is to be found again
}

// news is what changed since a stream was told last. Agents hear which conversations and contacts
// it is about, so that a page fetches its thread only when that is among them.
type news struct {
	all, contacts bool
	subjects      map[string]struct{}
}

func newHub(feed *relay.Feed, log *slog.Logger) *hub {
	return &hub{
		feed: feed, log: log, streams: map[*stream]struct{}{}, closed: make(chan struct{}),
	}
}

// begin finds out from where on s is to be told: behind what a page has heard that connects again,
// or from now on, when it fetches all.
func (h *hub) begin(r *http.Request, s *stream) error {
	head, err := h.feed.Head(r.Context(), s.workspace)
	if err != nil {
		return err
	}
	s.changed = make(chan struct{}, 1)
	last, err := relay.ParseCursor(r.Header.Get("Last-Event-ID"))
	if s.visitor == "" && err == nil && head.Position-last.Position <= maxBehind {
		s.at = last
		return nil
	}
	s.at, s.news.all = head, true // whatever happened since the page was made
	s.changed <- struct{}{}
	return nil
}

// listen has s hear what comes, until ctx ends or the feed fails.
func (h *hub) listen(ctx context.Context, s *stream) {
	for item, err := range h.feed.Follow(ctx, s.workspace, s.at) {
		missed, _ := errors.AsType[*relay.MissedError](err)
		if err != nil && missed == nil {
			if ctx.Err() == nil {
				h.log.ErrorContext(ctx, "feed", "workspace", s.workspace, "error", err)
			}
			return
		}
		s.hear(item, missed)
	}
}

// hear takes down an item of the feed, or that some were missed.
func (s *stream) hear(item relay.FeedItem, missed *relay.MissedError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if missed != nil {
		s.at, s.news = missed.Oldest, news{all: true}
	} else if s.at = item.Cursor; !s.hears(&item.Event) {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// hears reports whether e is for s, and takes it down.
func (s *stream) hears(e *convo.Event) bool {
	if s.visitor == "" {
		s.news.add(e)
		return true
	}
	switch e.Kind {
	case convo.ContactMerged:
		if s.contact == e.Contact {
			s.contact = e.Merging().MergedInto // whose conversations are theirs from now on
			return true
		}
	case convo.ContactUnmerged: // they may be their own again
		if s.contact == e.Unmerging().From {
			s.parted = true
			return true
		}
	case convo.ConversationMoved:
		if s.contact == e.Moving().From {
			return true
		}
	}
	return s.contact == e.Contact
}

func (n *news) add(e *convo.Event) {
	if e.Conversation == uuid.Nil {
		n.contacts = true
	}
	if n.subjects == nil {
		n.subjects = map[string]struct{}{}
	}
	for _, id := range []string{e.Conversation.String(), e.Contact} { // of a contact alone, Nil
		if n.subjects[id] = struct{}{}; len(n.subjects) > maxNamed {
			*n = news{all: true}
			return
		}
	}
}

// take is what to tell s, which then begins anew.
func (s *stream) take() (text string, parted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.news
	parted, s.news, s.parted = s.parted, news{}, false
	if s.visitor != "" {
		return "event: change\ndata: {}\n\n", parted
	}
	data, err := json.Marshal(struct {
		All      bool     `json:"all,omitempty"`
		Contacts bool     `json:"contacts,omitempty"`
		Subjects []string `json:"subjects,omitempty"`
	}{n.all, n.contacts, slices.Sorted(maps.Keys(n.subjects))})
	if err != nil {
		panic(err) // of texts
	}
	return fmt.Sprintf("event: change\nid: %s\ndata: %s\n\n", s.at, data), parted
}

// beat is what a stream is told when nothing has changed for it.
func (s *stream) beat() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.visitor != "" || len(s.changed) > 0 { // of which it is not told yet
		return ": still here\n\n"
	}
	return fmt.Sprintf(": still here\nid: %s\n\n", s.at)
}

func (h *hub) close() { close(h.closed) }

// join lets s listen, if its limits allow that.
func (h *hub) join(s *stream) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	own, inWorkspace, visitors := 0, 0, 0
	for o := range h.streams {
		if o.visitor != "" {
			visitors++
		}
		if o.workspace != s.workspace {
			continue
		}
		if o.visitor != "" {
			inWorkspace++
		}
		if o.visitor == s.visitor && o.account == s.account {
			own++
		}
	}
	const many = "Too many pages are open. Close some, or try again later."
	switch {
	case s.visitor != "" && own >= maxOwnStreams, s.visitor == "" && own >= maxAgentStreams:
		return refusal{http.StatusTooManyRequests, "too_many", many}
	case len(h.streams) >= maxStreams, s.visitor != "" &&
		(visitors >= maxVisitorStreams || inWorkspace >= maxWorkspaceStreams):
		return refusal{http.StatusServiceUnavailable, "busy", many}
	}
	h.streams[s] = struct{}{}
	return nil
}

func (h *hub) leave(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
}

func (s *stream) becomes(contact string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contact = contact
}

// serve writes server-sent events until the client goes, the server ends, or allowed says no.
func (h *hub) serve(w http.ResponseWriter, r *http.Request, s *stream, allowed func() bool) error {
	if err := h.join(s); err != nil {
		w.Header().Set("Retry-After", "30")
		return err
	}
	defer h.leave(s)
	if err := h.begin(r, s); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(r.Context())
	lost := make(chan struct{})
	go func() { defer close(lost); h.listen(ctx, s) }()
	defer func() { stop(); <-lost }()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	for {
		changed := false
		select {
		case <-lost: // the client has gone, or connects again
			return nil
		case <-h.closed:
			return nil
		case <-alive.C:
		case <-s.changed:
			changed = true
		}
		if !allowed() {
			return nil
		}
		text := s.beat()
		if changed {
			var parted bool
			if text, parted = s.take(); parted {
				contact, err := s.who(r.Context())
				if err != nil {
					return nil // the browser connects again, and finds out
				}
				s.becomes(contact)
			}
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
		if !changed {
			continue
		}
		select { // what comes meanwhile is told at once
		case <-lost:
			return nil
		case <-h.closed:
			return nil
		case <-time.After(apart):
		}
	}
}
