package convo_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// may is whether the host could do cmds now, which it asks without doing them.
func (d *desk) may(to convo.Ref, p *convo.Policy, cmds ...convo.Command) bool {
	d.t.Helper()
	s, err := d.store.Load(d.t.Context(), to)
	require.NoError(d.t, err)
	s.Next = seedID
	_, err = convo.Decide(s, d.clock.Now(), p, cmds...)
	return err == nil
}

func TestPeersLooplabFSM(t *testing.T) {
	k := toContact("carl")
	t.Run("LF001 what leads to the same state is told as: no transition", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		assert.Equal(t, convo.OutcomeUnchanged, d.do(k, convo.Resume{By: agentAna}).Outcome)
	})
	t.Run("LF005 one event leads to one state from several", func(t *testing.T) {
		for _, before := range []convo.Command{
			convo.Resume{By: agentAna}, convo.SetPending{By: agentAna},
		} {
			d := openDesk(t)
			d.do(k, convo.Receive{Body: "hi"}, before)
			c := d.do(k, convo.Close{By: agentAna}).Conversation
			assert.Equal(t, convo.StatusClosed, c.Status)
		}
	})
	t.Run("LF006 one event leads to other states from other states", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{StayPending: true}))
		assert.Equal(t, convo.StatusOpen, d.do(k, convo.Receive{Body: "hi"}).Conversation.Status)
		d.do(k, convo.SetPending{By: agentAna})
		assert.Equal(t, convo.StatusPending, d.do(k, convo.Receive{Body: "?"}).Conversation.Status)
	})
	t.Run("LF007 may this event happen now? asked without doing it", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}).Conversation
		assert.True(t, d.may(k, nil, convo.Close{By: agentAna}))
		assert.False(t, d.may(k, nil, convo.AmendClosing{By: agentAna, Summary: "well"}))
		assert.Equal(t, c, d.get(c.ID))
	})
	t.Run("LF008 what may happen in this state, as a list", func(t *testing.T) {
		in := func(state convo.State) map[convo.CommandName]bool {
			all := map[convo.CommandName]bool{}
			for _, tr := range convo.Transitions() {
				if tr.State == state && tr.Err == nil {
					all[tr.Command] = true
				}
			}
			return all
		}
		assert.True(t, in(convo.StateClosed)[convo.CommandReopen])
		assert.False(t, in(convo.StateClosed)[convo.CommandClose])
		assert.True(t, in(convo.StateOpen)[convo.CommandClose])
		assert.False(t, in(convo.StateOpen)[convo.CommandAmendClosing])
	})
	t.Run("LF009 after an event, callbacks for it are called", func(t *testing.T) {
		var calls [][]convo.Event
		d := openDesk(t, tells(&calls))
		d.do(k, convo.Receive{Body: "hi"})
		d.do(k, convo.Close{By: agentAna})
		require.Len(t, calls, 2)
		assert.Equal(t, []convo.EventKind{convo.ConversationOpened, convo.MessageReceived},
			kindsOf(calls[0]))
		assert.Equal(t, []convo.EventKind{convo.ConversationClosed}, kindsOf(calls[1]))
	})
	t.Run("LF011 what waits for something outside is finished or cancelled later",
		func(t *testing.T) {
			for _, end := range []struct {
				cmd  convo.Command
				want convo.Status
			}{
				{convo.Close{By: flowBot}, convo.StatusClosed},
				{convo.Resume{By: flowBot}, convo.StatusOpen},
			} {
				d := openDesk(t)
				d.do(k, convo.Receive{Body: "hi"},
					convo.SetPending{By: flowBot, OnReceive: convo.OnReceiveStay})
				during := d.do(k, convo.Receive{Body: "?"}).Conversation
				assert.Equal(t, convo.StatusPending, during.Status)
				assert.Equal(t, end.want, d.do(k, end.cmd).Conversation.Status)
			}
		})
	t.Run("LF013 callbacks get the arguments of the event", func(t *testing.T) {
		var calls [][]convo.Event
		d := openDesk(t, tells(&calls))
		d.do(k, convo.Receive{Body: "hi"},
			convo.Close{By: agentAna, Category: "Sales", Summary: "Sold."})
		e := calls[0][2]
		assert.Equal(t, []string{"Sales", "Sold."},
			[]string{e.ClosingNotes().Category, e.ClosingNotes().Summary})
		assert.Equal(t, agentAna, e.By)
	})
	t.Run("LF014 a panic in a callback reaches the caller", func(t *testing.T) {
		panics := true
		d := openDesk(t, convo.WithObserver(func(context.Context, []convo.Event) {
			if panics {
				panic("boom")
			}
		}))
		assert.PanicsWithValue(t, "boom", func() { d.do(k, convo.Receive{Body: "hi"}) })
		panics = false
		c := d.do(k, convo.Receive{Body: "again"}).Conversation
		assert.Equal(t, []string{"hi", "again"}, d.bodies(c.ID), "what was committed stands")
	})
	t.Run("LF015 a callback reads the state and does more", func(t *testing.T) {
		var d *desk
		d = openDesk(t, convo.WithObserver(func(ctx context.Context, events []convo.Event) {
			for _, e := range events {
				if e.Kind != convo.ConversationOpened {
					continue
				}
				to := toConversation(e.Conversation)
				c, err := d.Conversation(ctx, to)
				assert.NoError(t, err)
				assert.Equal(t, convo.StatusOpen, c.Status)
				_, err = d.Do(ctx, to, convo.Assign{By: flowBot, Assignee: "ana"})
				assert.NoError(t, err)
			}
		}))
		c := d.do(k, convo.Receive{Body: "hi"}).Conversation
		assert.Equal(t, "ana", d.get(c.ID).Assignee)
	})
	t.Run("LF017 events and reads at once leave a state that the events explain",
		func(t *testing.T) {
			d := openDesk(t) // which folds the events when the test ends
			c := d.do(k, convo.Open{By: agentAna}).Conversation
			var group sync.WaitGroup
			for range 10 {
				group.Go(func() {
					for range 10 {
						_, err := d.Do(t.Context(), k, convo.Note{By: agentAna, Body: "note"})
						assert.NoError(t, err)
						_, err = d.Conversation(t.Context(), k)
						assert.NoError(t, err)
					}
				})
			}
			group.Wait()
			assert.EqualValues(t, 101, d.get(c.ID).Version)
		})
}

func TestPeersStateless(t *testing.T) {
	k := toContact("carl")
	t.Run("QS001 state is kept where the host says", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna}).Conversation
		other, err := convo.New(d.store)
		require.NoError(t, err)
		got, err := other.Conversation(t.Context(), k)
		require.NoError(t, err)
		assert.Equal(t, c, got)
	})
	t.Run("QS003 an error of writing is returned, and the state is what it was", func(t *testing.T) {
		s := shake(newStore())
		d := openDeskOn(t, s)
		c := d.do(k, convo.Receive{Body: "hi"}).Conversation
		s.before = failFirst("Commit", 1, errPower)
		assert.ErrorIs(t, d.refuses(k, convo.Close{By: agentAna}), errPower)
		assert.Equal(t, c, d.get(c.ID))
	})
	t.Run("QS004 being pending or open is being active", func(t *testing.T) {
		d := openDesk(t)
		for _, cmd := range []convo.Command{convo.Receive{Body: "hi"},
			convo.SetPending{By: agentAna}} {
			c := d.do(k, cmd).Conversation
			assert.True(t, c.Status.Active())
			active, err := d.Active(t.Context(), k)
			require.NoError(t, err)
			assert.Equal(t, c.ID, active.ID)
		}
		assert.False(t, d.do(k, convo.Close{By: agentAna}).Conversation.Status.Active())
	})
	t.Run("QS006 a permitted re-entry is an event, an ignored one is not", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		assert.Empty(t, d.do(k, convo.Resume{By: agentAna}).Events)
		d.do(k, convo.SetPending{By: agentAna})
		again := d.do(k, convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)})
		assert.Equal(t, []convo.EventKind{convo.ConversationPending}, kindsOf(again.Events))
	})
	t.Run("QS008 the error says which guard forbade it", func(t *testing.T) {
		d := openDesk(t, convo.WithPolicy(convo.Policy{Category: convo.RuleRequired}))
		d.do(k, convo.Receive{Body: "hi"})
		requireInvalid(t, "category", d.refuses(k, convo.Close{By: agentAna}))
	})
	t.Run("QS009 what is permitted now, guards included", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		p := convo.Policy{Category: convo.RuleRequired}
		assert.True(t, d.may(k, &p, convo.Close{By: agentAna, Category: "Sales"}))
		assert.False(t, d.may(k, &p, convo.Close{By: agentAna}))
		assert.True(t, d.may(k, &p, convo.SetPending{By: agentAna}))
	})
	t.Run("QS010 of two transitions, the guard picks", func(t *testing.T) {
		for after, want := range map[time.Duration]convo.Outcome{
			time.Hour: convo.OutcomeReopened, 3 * time.Hour: convo.OutcomeOpened,
		} {
			d := openDesk(t, reopens(2*time.Hour))
			d.do(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
			d.wait(after)
			r := d.do(k, convo.Receive{Body: "again"})
			assert.Equal(t, want, r.Outcome)
		}
	})
	t.Run("QS011 guards are functions of the host's own", func(t *testing.T) {
		d := openDesk(t, forbids(func(s convo.Snapshot, e convo.Event) bool {
			return e.Kind == convo.ConversationClosed && e.By.ID != s.Conversation.Assignee
		}))
		d.do(k, convo.Receive{Body: "hi"}, convo.Assign{By: agentAna, Assignee: "ana"})
		assert.ErrorIs(t, d.refuses(k, convo.Close{By: agentBen}), errHost)
		assert.Equal(t, convo.OutcomeClosed, d.do(k, convo.Close{By: agentAna}).Outcome)
	})
	t.Run("QS013 one event tells from where, to where and by what", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		e := d.do(k, convo.Close{By: agentAna, Source: "button"}).Events[0]
		assert.Equal(t, convo.StatusOpen, e.Before().Status)
		assert.Equal(t, convo.ConversationClosed, e.Kind)
		assert.Equal(t, convo.Source("button"), e.Source)
	})
	t.Run("QS015 several run one after the other, each on what the one before left",
		func(t *testing.T) {
			c := openDesk(t).do(k, convo.Receive{Body: "hi"}, convo.SetPending{By: agentAna},
				convo.Close{By: agentAna}, convo.Reopen{By: agentAna}).Conversation
			assert.Equal(t, convo.StatusOpen, c.Status)
			assert.Equal(t, 2, c.Cycle.Number)
		})
	t.Run("QS016 an error in one of several is returned", func(t *testing.T) {
		d := openDesk(t)
		assert.ErrorIs(t, d.refuses(k, convo.Receive{Body: "hi"}, convo.Close{By: agentAna},
			convo.Close{By: agentAna}), convo.ErrNotActive)
	})
	t.Run("QS017 a hundred at once: each one counts once", func(t *testing.T) {
		d := openDesk(t)
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				_, err := d.Do(t.Context(), k, convo.Receive{Body: "hi"})
				assert.NoError(t, err)
			})
		}
		group.Wait()
		assert.Equal(t, 100, d.get(d.latest("carl")).Cycle.Incoming)
	})
	t.Run("QS020 arguments that do not fit are refused", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"})
		requireInvalid(t, "category", d.refuses(k,
			convo.Close{By: agentAna, Category: strings.Repeat("x", 256)}))
		assert.ErrorIs(t, d.refuses(k, convo.Close{}), convo.ErrInvalid, "by whom?")
	})
}

func TestPeersRiver(t *testing.T) {
	k := toContact("carl")
	snooze := convo.SetPending{By: agentAna, Until: morning.Add(time.Hour)}
	t.Run("RV006 what is snoozed comes back at its time", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, snooze).Conversation
		d.wait(time.Hour - time.Microsecond)
		assert.Zero(t, d.tick())
		d.wait(time.Microsecond)
		assert.Equal(t, 1, d.tick())
		assert.Equal(t, convo.StatusOpen, d.get(c.ID).Status)
	})
	t.Run("RV009 what was scheduled and is cancelled does not happen", func(t *testing.T) {
		d := openDesk(t)
		d.do(k, convo.Receive{Body: "hi"}, snooze)
		c := d.do(k, convo.SetPending{By: agentAna}).Conversation
		d.wait(2 * time.Hour)
		assert.Zero(t, d.tick())
		assert.Equal(t, convo.StatusPending, d.get(c.ID).Status)
	})
	t.Run("RV011 unique among the active ones only", func(t *testing.T) {
		d := openDesk(t)
		first := d.do(k, convo.Open{By: agentAna}).Conversation.ID
		assert.Equal(t, first, d.do(k, convo.Open{By: agentBen}).Conversation.ID)
		d.do(k, convo.Close{By: agentAna})
		assert.NotEqual(t, first, d.do(k, convo.Open{By: agentBen}).Conversation.ID)
	})
	t.Run("RV013 what is overdue, however long, is done at the next run", func(t *testing.T) {
		d := openDesk(t)
		c := d.do(k, convo.Receive{Body: "hi"}, snooze).Conversation
		d.wait(1000 * 24 * time.Hour)
		assert.Equal(t, 1, d.tick())
		assert.Equal(t, morning.Add(time.Hour), d.get(c.ID).StatusSince)
	})
	t.Run("RV014 a hook before the write changes it", func(t *testing.T) {
		d := openDesk(t)
		r, err := d.decide(k, func(s convo.Snapshot) ([]convo.Command, error) {
			if s.HasConversation {
				return nil, errHost
			}
			return []convo.Command{convo.Receive{Body: "hi"},
				convo.Label{By: flowBot, Add: []string{"first time"}}}, nil
		})
		require.NoError(t, err)
		assert.True(t, r.Conversation.Labels.Has("first time"))
		before := dumpOf(t, d.store, tenant)
		_, err = d.decide(k, func(convo.Snapshot) ([]convo.Command, error) { return nil, errHost })
		assert.ErrorIs(t, err, errHost)
		assert.Equal(t, before, dumpOf(t, d.store, tenant))
	})
}
