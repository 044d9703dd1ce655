package main

import (
	"testing"

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
