package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

func TestPagesHearOnlyOfWhatConcernsThem(t *testing.T) {
	h := newHub()
	join := func(s *stream) *stream {
		require.NoError(t, h.join(s))
		<-s.changed // the first one, for every page
		return s
	}
	visitor := func(workspace, contact string) *stream {
		return join(&stream{workspace: workspace, visitor: contact, contact: contact})
	}
	streams := []*stream{
		visitor("kettles", "riya"), visitor("kettles", "eve"),
		join(&stream{workspace: "kettles", account: "ana"}),
		join(&stream{workspace: "globex", account: "zoe"}), visitor("globex", "riya"),
	}
	heard := func(e convo.Event) (who []int) {
		h.publish(t.Context(), []convo.Event{e, e})
		for i, s := range streams {
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
	_, parted := h.take(streams[1])
	require.True(t, parted, "it is to be found again whose they are")
}

func TestAVisitorCannotTakeAllStreams(t *testing.T) {
	h := newHub()
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
		h, page := newHub(), &openPage{header: http.Header{}}
		s := &stream{workspace: "kettles", account: "ana"}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/inbox/events", http.NoBody)
		served := make(chan error)
		go func() { served <- h.serve(page, r, s, func() bool { return true }) }()
		synctest.Wait()
		require.Equal(t, int64(1), page.told.Load(), "whatever happened before")
		for range 50 {
			h.publish(t.Context(), []convo.Event{{Workspace: "kettles", Conversation: uuid.New()}})
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
	h, id := newHub(), uuid.New()
	agent := &stream{workspace: "kettles", account: "ana"}
	visitor := &stream{workspace: "kettles", visitor: "riya", contact: "riya"}
	told := func(s *stream, events ...convo.Event) string {
		h.publish(t.Context(), events)
		data, _ := h.take(s)
		return string(data)
	}
	for _, s := range []*stream{agent, visitor} {
		require.NoError(t, h.join(s))
	}
	require.Equal(t, `{"all":true}`, told(agent), "whatever happened before")
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
}
