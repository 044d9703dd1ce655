package sqlstore

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// ticksMany has several conversations, of two workspaces, be held, loaded, and woken or closed.
func ticksMany(s *scene) {
	var refs []convo.Ref
	var changes []convo.Change
	s.now = s.now.Add(time.Minute)
	for i, contact := range []string{"ann", "bea", "cid", "dan", "eve"} {
		to := convo.ToContact([]string{workspace, "other"}[i/4], contact)
		r, err := s.engine.Do(s.ctx, to, hello,
			convo.SetPending{By: agent, Until: s.now.Add(time.Minute)})
		require.NoError(s.t, err)
		refs = append(refs, convo.ToConversation(to.Workspace, r.Conversation.ID))
		loaded, err := s.store.Load(s.ctx, refs[i])
		require.NoError(s.t, err)
		due := []convo.Command{convo.Resume{By: convo.BySystem()}}
		if i%2 == 0 {
			due = append(due, convo.Close{By: convo.BySystem(), Source: convo.SourceInactivity})
		}
		d, err := convo.Decide(loaded, s.now, nil, due...)
		require.NoError(s.t, err)
		changes = append(changes, d.Change)
	}
	s.rec.on = true
	err := s.sql.Locked(s.ctx, "", func(ctx context.Context) error {
		s.rec.what = "hold those that are due and free"
		_, err := s.sql.within(ctx).lockDue(ctx, s.now.UnixMicro(), refs)
		require.NoError(s.t, err)
		s.rec.what = "load them"
		_, err = s.sql.within(ctx).loadDue(ctx, s.now.UnixMicro(), refs, nil)
		require.NoError(s.t, err)
		s.rec.what = "commit"
		return s.sql.Commit(ctx, changes...)
	})
	require.NoError(s.t, err)
}
