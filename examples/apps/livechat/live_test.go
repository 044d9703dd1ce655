package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
)

func TestPagesHearOnlyOfWhatConcernsThem(t *testing.T) {
	page := func(s *stream) *stream {
		s.changed = make(chan struct{}, 1)
		return s
	}
	visitor := func(contact string) *stream {
		return page(&stream{workspace: "kettles", visitor: contact, contact: contact})
	}
	streams := []*stream{
		visitor("riya"), visitor("eve"), page(&stream{workspace: "kettles", account: "ana"}),
	}
	heard := func(e convo.Event) (who []int) {
		for i, s := range streams {
			for range 2 {
				s.hear(relay.FeedItem{Event: e}, nil)
			}
			select {
			case <-s.changed:
				who = append(who, i)
			default:
			}
		}
		return who
	}
	message := convo.Event{Workspace: "kettles", Contact: "riya", Kind: convo.MessageReceived}
	merged := convo.Event{Workspace: "kettles", Contact: "eve", Kind: convo.ContactMerged,
		Payload: &convo.Merging{MergedInto: "riya"}}
	moved := convo.Event{Workspace: "kettles", Contact: "max", Kind: convo.ConversationMoved,
		Payload: &convo.Moving{From: "riya"}}
	require.Equal(t, []int{0, 2}, heard(message))
	require.Equal(t, []int{0, 2}, heard(moved), "what was theirs is no more")
	require.Equal(t, []int{1, 2}, heard(merged))
	require.Equal(t, []int{0, 1, 2}, heard(message), "what is the primary's is the secondary's now")
	unmerged := convo.Event{Workspace: "kettles", Contact: "eve", Kind: convo.ContactUnmerged,
		Payload: &convo.Unmerging{From: "riya"}}
	require.Equal(t, []int{0, 1, 2}, heard(unmerged))
	_, parted := streams[1].take()
	require.True(t, parted, "it is to be found again whose they are")
}

func TestAVisitorCannotTakeAllStreams(t *testing.T) {
	h, _ := feeding(t, memstore.New(memstore.WithFeed()))
	visitor := func(workspace, name string) error {
		return h.join(&stream{workspace: workspace, visitor: name, contact: name})
	}
	ok := 0
	for range 2000 {
		if visitor("kettles", "eve") == nil {
			ok++
		}
	}
	require.Equal(t, maxOwnStreams, ok)
	require.NoError(t, visitor("kettles", "riya"), "others are not kept out")

	// Nor can one with many tokens, in one workspace or in many.
	for i := range 2000 {
		_ = visitor("kettles", fmt.Sprint(i))
	}
	require.Len(t, h.streams, maxWorkspaceStreams)
	require.NoError(t, visitor("globex", "riya"), "another workspace is not kept out")
	for i := range 2000 {
		_ = visitor(fmt.Sprint(i%10), fmt.Sprint(i))
	}
	require.Len(t, h.streams, maxVisitorStreams)
	ok = 0
	for i := range 2000 {
		if h.join(&stream{workspace: "kettles", account: fmt.Sprint("agent", i%10)}) == nil {
			ok++
		}
	}
	require.Equal(t, maxStreams-maxVisitorStreams, ok, "what is left is the agents'")
}

func TestAnAgentListensWhileAVisitorTakesWhatThereIs(t *testing.T) {
	w := newWorld(t)
	eve, ana := w.visitor("kettles"), w.agent("ana@kettles")
	for range maxOwnStreams {
		<-eve.changes(t.Context(), "/events")
	}
	a := eve.get("/events")
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "30", a.header.Get("Retry-After"))
	require.Equal(t, "change", <-ana.changes(t.Context(), "/inbox/events"))
}

func TestABurstOfChangesIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which time goes by when all wait for it
		store := memstore.New(memstore.WithFeed())
		h, filler := feeding(t, store)
		engine, err := convo.New(store)
		require.NoError(t, err)
		page := &openPage{header: http.Header{}}
		s := &stream{workspace: "kettles", account: "ana"}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/inbox/events", http.NoBody)
		served := make(chan error)
		go func() { served <- h.serve(page, r, s, func() bool { return true }) }()
		synctest.Wait()
		require.Equal(t, int64(1), page.told.Load(), "whatever happened before")
		for range 50 {
			_, err := engine.Do(t.Context(), convo.ToContact("kettles", "riya"),
				convo.Receive{Channel: channel, Body: "Hi"})
			require.NoError(t, err)
			_, err = filler.Once(t.Context())
			require.NoError(t, err)
			synctest.Wait()
			time.Sleep(apart / 100) // of the bubble's own clock
		}
		require.Equal(t, int64(1), page.told.Load(), "not yet")
		time.Sleep(10 * apart) // of the bubble's own clock
		synctest.Wait()
		require.Equal(t, int64(2), page.told.Load())
		h.close()
		require.NoError(t, <-served)
	})
}

// openPage counts the changes that a page is told.
type openPage struct {
	header http.Header
	told   atomic.Int64
}

func (p *openPage) Header() http.Header            { return p.header }
func (*openPage) WriteHeader(int)                  {}
func (*openPage) Flush()                           {}
func (*openPage) SetWriteDeadline(time.Time) error { return nil }
func (p *openPage) Write(b []byte) (int, error) {
	p.told.Add(int64(bytes.Count(b, []byte("event: change"))))
	return len(b), nil
}

func TestAgentsHearWhatAChangeIsAbout(t *testing.T) {
	id := uuid.New()
	agent := &stream{workspace: "kettles", account: "ana", changed: make(chan struct{}, 1)}
	visitor := &stream{
		workspace: "kettles", visitor: "riya", contact: "riya", changed: make(chan struct{}, 1),
	}
	told := func(s *stream, events ...convo.Event) string {
		for i := range events {
			s.hear(relay.FeedItem{Cursor: relay.Cursor{Position: 7}, Event: events[i]}, nil)
		}
		<-s.changed
		text, _ := s.take()
		event, data, found := strings.Cut(strings.TrimSuffix(text, "\n\n"), "\ndata: ")
		require.True(t, found)
		if s == visitor { // a place in the feed says how much is going on
			require.Equal(t, "event: change", event)
			require.NotContains(t, s.beat(), "id")
		} else {
			require.Equal(t, "event: change\nid: 7-0", event)
			require.Contains(t, s.beat(), "id: 7-0\n\n")
		}
		return data
	}
	message := convo.Event{Workspace: "kettles", Contact: "riya", Conversation: id,
		Kind: convo.MessageReceived}
	require.Equal(t, `{"subjects":["`+id.String()+`","riya"]}`, told(agent, message, message))
	require.Equal(t, `{}`, told(visitor, message), "who writes where is not for visitors")
	named := convo.Event{Workspace: "kettles", Contact: "riya", Kind: convo.ProfileChanged}
	require.Contains(t, told(agent, named), `"contacts":true`)
	var many []convo.Event
	for range maxNamed {
		message.Conversation = uuid.New()
		many = append(many, message)
	}
	require.Contains(t, told(agent, many...), `{"all":true`)
	agent.changed <- struct{}{}
	require.NotContains(t, agent.beat(), "id", "it is not told yet")
}

// Whoever connects again hears what there was meanwhile, and no more.
func TestAnAgentGoesOnFromWhereTheConnectionWasLost(t *testing.T) {
	w := newWorld(t)
	riya, ana := w.visitor("kettles"), w.agent("ana@kettles")
	events := func(c *client, path, last string, n int) (got []string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+c.base+path, http.NoBody)
		require.NoError(t, err)
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		res, err := (&http.Client{Jar: c.http.Jar}).Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		for len(got) < n && lines.Scan() {
			if text := lines.Text(); text != "" {
				got = append(got, text)
			}
		}
		return got
	}
	const all = `data: {"all":true}`
	first := events(ana, "/inbox/events", "", 3)
	require.Equal(t, []string{"event: change", "id: 1-0", all}, first)
	riya.says("Hi")
	id := riya.latest().ID.String()
	head := w.filled()
	next := events(ana, "/inbox/events", "1-0", 3)
	require.Contains(t, next[2], id)
	require.NotContains(t, next[2], "all")
	for _, last := range []string{"", "no cursor", "99999-0", "0-0-0"} {
		again := events(ana, "/inbox/events", last, 3)
		require.Equal(t, all, again[2], last)
		require.Equal(t, "id: "+head.String(), again[1])
	}
	require.Equal(t, []string{"event: change", "data: {}"}, events(riya, "/events", "1-0", 2),
		"a visitor fetches all")
}
