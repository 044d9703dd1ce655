package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// Feeder is a store that keeps a feed.
type Feeder interface {
	Outboxer
	relay.FeedStore
}

// RunFeed proves that relays fill the feeds of a store without a gap, and that no follower loses an
// event. newStore is as that of [Run], and returns a store with its feed.
func RunFeed(t *testing.T, newStore func(t *testing.T) Feeder) {
	for _, c := range slices.Concat(feedCases, removalFeedCases) {
		t.Run(c.name, func(t *testing.T) {
			store := newStore(t)
			outboxCase{c.name, c.rule, func(o *outbox) {
				c.run(&feed{outbox: o, feeds: store})
			}}.on(t, store)
		})
	}
}

type feedCase struct {
	name string
	rule string
	run  func(*feed)
}

// feed is what a case works with: an outbox, and its store as a feed sees it.
type feed struct {
	*outbox
	feeds relay.FeedStore
}

var feedCases = []feedCase{
	{
		"Feed/has what is queued, each event once and those of a stream in order",
		"a Queue adds what it takes to the feed",
		func(f *feed) {
			f.Equal(relay.Cursor{Position: 1}, f.head(acme), "there is nothing yet")
			f.Empty(f.after(acme, relay.Cursor{}))
			f.story(acme)
			f.Empty(f.after(acme, relay.Cursor{}), "nobody has queued anything")
			f.all()
			items := f.after(acme, relay.Cursor{})
			f.whole(acme, items)
			f.Equal(f.head(acme), items[len(items)-1].Cursor)
			f.Empty(f.after(acme, f.head(acme)))
			f.do(to("bob"), hello)
			f.queue(nil)
			r := f.do(to("bob"), convo.Block{By: ana})
			f.queue(nil)
			items = f.after(acme, relay.Cursor{})
			f.Equal(r.Events, []convo.Event{items[len(items)-1].Event}, "also without a target")
			f.Zero(f.backlog())
		},
	},
	{
		"Feed/goes on behind any cursor, by pages of any size",
		"who goes on from a cursor gets what is behind it, and nothing else",
		func(f *feed) {
			for i := range 7 {
				id := fmt.Sprint("contact ", i)
				f.do(to(id), hello)
				f.do(to(id), convo.Close{By: ana}, convo.Reopen{By: ana})
				f.do(to(id), convo.Block{By: ana})
				f.do(to(id), convo.Unblock{By: ana})
				if i%2 == 0 {
					f.queue(nil)
				}
			}
			f.queue(nil)
			all := f.after(acme, relay.Cursor{})
			f.whole(acme, all)
			for i := range all {
				rest := f.after(acme, all[i].Cursor)
				f.Equal(all[i+1:], append([]relay.FeedItem{}, rest...))
			}
			f.Equal(all, f.after(acme, relay.Cursor{Position: 1}))
			for _, limit := range []int{1, 2, 3, 5} {
				var paged []relay.FeedItem
				for at := (relay.Cursor{}); ; {
					page, err := f.feeds.FeedAfter(f.ctx, acme, at, limit)
					f.NoError(err)
					f.LessOrEqual(len(page.Items), limit)
					paged = append(paged, page.Items...)
					if page.Next == at {
						break
					}
					f.Positive(page.Next.Compare(at))
					at = page.Next
				}
				f.Equal(all, paged)
			}
		},
	},
	{
		"Feed/keeps workspaces apart",
		"the feed of a workspace has its own events, at positions of its own",
		func(f *feed) {
			for i := range 3 {
				for _, workspace := range []string{"other", acme, "third"} {
					f.do(convo.ToContact(workspace, fmt.Sprint("bob ", i)), hello)
				}
				f.queue(map[string][]string{acme: {crm}})
			}
			for _, workspace := range []string{"other", acme, "third"} {
				items := f.after(workspace, relay.Cursor{})
				f.whole(workspace, items)
				f.Equal(int64(1), items[0].Cursor.Position)
				f.Equal(relay.Cursor{Position: 4}, items[len(items)-1].Cursor)
			}
			f.Equal(relay.Cursor{Position: 1}, f.head("nobody's"))
		},
	},
	{
		"Feed/has what was redacted without its text",
		"events are read when they are asked for",
		func(f *feed) {
			r := f.do(to("bob"), convo.Receive{Channel: "chat", Body: "secret", ExternalID: "1"})
			message := r.Events[slices.IndexFunc(r.Events, func(e convo.Event) bool {
				return e.Kind == convo.MessageReceived
			})]
			f.queue(nil)
			f.do(to("bob"), convo.Retract{Message: message.ID, By: ana, Redact: true})
			for _, item := range f.after(acme, relay.Cursor{}) {
				f.NotEqual("secret", item.Event.Row().Body)
			}
		},
	},
	{
		"Feed/is pruned from its oldest rows on, and says what is missed",
		"who comes for what is gone is told, and goes on with the oldest that is there",
		func(f *feed) {
			for i := range 4 {
				for _, workspace := range []string{acme, "other"} {
					f.do(convo.ToContact(workspace, fmt.Sprint("bob ", i)), hello)
				}
				f.queue(nil)
				f.clock.add(time.Hour)
			}
			all := f.after(acme, relay.Cursor{})
			f.Equal(relay.Cursor{Position: 5}, f.head(acme))
			began := f.clock.Now().Add(-4 * time.Hour)
			prune := func(before time.Time, limit int) int {
				n, err := f.feeds.PruneFeed(f.ctx, before, limit)
				f.NoError(err)
				return n
			}
			f.Zero(prune(began, 100))
			f.Equal(1, prune(began.Add(2*time.Hour), 1), "in small batches")
			f.Equal(3, prune(began.Add(2*time.Hour), 100))
			f.Zero(prune(began.Add(2*time.Hour), 100))

			third := relay.Cursor{Position: 3}
			page, err := f.feeds.FeedAfter(f.ctx, acme, relay.Cursor{}, 100)
			f.NoError(err)
			f.Nil(page.Missed, "the beginning is the oldest that is there")
			rest := page.Items
			f.Equal(all[len(all)/2:], rest)
			for at, missed := range map[relay.Cursor]bool{
				{Position: 1}: true, {Position: 2, Seq: 1}: true, third: false,
				{Position: 3, Seq: 1}: false, {Position: 5}: false, {Position: 6}: true,
			} {
				page, err := f.feeds.FeedAfter(f.ctx, acme, at, 100)
				f.NoError(err)
				if !missed {
					f.Nil(page.Missed, at.String())
					continue
				}
				want := &relay.MissedError{From: at, Oldest: third}
				if at.Position == 6 { // of a future that there is not
					want.Oldest.Position = 5
					rest = nil
				} else {
					rest = all[len(all)/2:]
				}
				f.Equal(want, page.Missed)
				f.Equal(rest, page.Items)
			}
			prune(f.clock.Now(), 100)
			f.Empty(f.after(acme, relay.Cursor{}))
			f.Equal(relay.Cursor{Position: 5}, f.head(acme), "positions are not given again")
			r := f.do(to("bob 1"), hello)
			f.queue(nil)
			items := f.after(acme, relay.Cursor{Position: 5})
			f.Equal(r.Events[0], items[0].Event)
		},
	},
	{
		"Feed/has what was erased under its token, and without its texts",
		"an erasure goes over the rows of a feed that name a contact",
		func(f *feed) {
			f.canaries(acme)
			f.queue(nil)
			f.do(to(Canary+" id"), convo.Block{By: ana, Reason: Canary})
			f.queue(nil)
			before := f.after(acme, relay.Cursor{})
			f.Contains(fmt.Sprintf("%+v", before), Canary, "else nothing is proved")
			f.erase(Canary+" id", "")
			f.queue(nil)
			all := f.after(acme, relay.Cursor{})
			f.Greater(len(all), len(before))
			for i := range all {
				text, err := json.Marshal(all[i].Event)
				f.NoError(err)
				f.NotContains(string(text), Canary)
			}
			f.whole(acme, all)
		},
	},
	{
		"Feed/is pruned without a hole, whatever clocks say",
		"PruneFeed removes all rows before one that it removes",
		func(f *feed) {
			for i, hours := range []time.Duration{5, 1, 5} { // the second relay's clock is slow
				f.do(to(fmt.Sprint("bob ", i)), hello)
				_, err := f.relay.Queue(f.ctx, f.clock.Now().Add(hours*time.Hour), f.noted(), nil)
				f.NoError(err)
			}
			all := f.after(acme, relay.Cursor{})
			_, err := f.feeds.PruneFeed(f.ctx, f.clock.Now().Add(2*time.Hour), 100)
			f.NoError(err)
			rest := f.after(acme, relay.Cursor{})
			f.Equal(all[len(all)-len(rest):], rest)
		},
	},
	{
		"Races/feed followers that die and come back, while relays die",
		"who follows gets each committed event once, and those of a stream in their order",
		func(f *feed) {
			by, err := relay.NewFeed(f.feeds, relay.WithFeedEvery(time.Millisecond))
			f.NoError(err)
			ctx, end := context.WithCancel(f.ctx)
			defer end()
			var following sync.WaitGroup
			var followers [6]follower
			for i := range followers {
				w := &followers[i]
				w.most = i * 7 // items until it dies; 0: never
				following.Go(func() {
					for ctx.Err() == nil && w.err == nil {
						w.live(ctx, by, relay.Cursor{})
					}
				})
			}
			racesOfRelays(f.outbox)
			end()
			following.Wait()
			head := f.head(acme)
			for i := range followers {
				w := &followers[i]
				for w.err == nil && w.at != head.String() {
					w.live(f.ctx, by, head)
				}
				f.NoError(w.err)
				f.whole(acme, w.items)
				f.Positive(w.deaths.Load())
			}
		},
	},
}

// follower follows a feed, and dies now and then. What it has got stays, and with it the text of a
// cursor.
type follower struct {
	most   int
	items  []relay.FeedItem
	at     string
	deaths atomic.Int64
	err    error
}

// live follows until w dies, until a cursor, or until ctx ends.
func (w *follower) live(ctx context.Context, by *relay.Feed, until relay.Cursor) {
	var at relay.Cursor
	if w.at != "" {
		if w.err = at.UnmarshalText([]byte(w.at)); w.err != nil {
			return
		}
	}
	w.deaths.Add(1)
	got := 0
	for item, err := range by.Follow(ctx, acme, at) {
		if err != nil {
			if ctx.Err() == nil {
				w.err = err
			}
			return
		}
		w.items, w.at = append(w.items, item), item.Cursor.String()
		if got++; got == w.most || item.Cursor == until {
			return
		}
	}
}

func (f *feed) head(workspace string) relay.Cursor {
	head, err := f.feeds.FeedHead(f.ctx, workspace)
	f.NoError(err)
	return head
}

// after is what a feed has behind a cursor.
func (f *feed) after(workspace string, at relay.Cursor) (all []relay.FeedItem) {
	for {
		page, err := f.feeds.FeedAfter(f.ctx, workspace, at, convo.MaxPageSize)
		f.NoError(err)
		f.Nil(page.Missed)
		if all = append(all, page.Items...); page.Next == at {
			return all
		}
		at = page.Next
	}
}

// whole demands that items are all that the logs of a workspace have: each event once, those of a
// stream in their order, and each with a later cursor than the one before.
func (f *feed) whole(workspace string, items []relay.FeedItem) {
	f.NotEmpty(items)
	got, want := map[relay.Stream][]convo.Event{}, map[relay.Stream][]convo.Event{}
	for i := range items {
		f.True(i == 0 || items[i].Cursor.Compare(items[i-1].Cursor) > 0, "cursors ascend")
		of := relay.StreamOf(&items[i].Event)
		got[of] = append(got[of], items[i].Event)
	}
	for _, e := range f.logOf(workspace) {
		of := relay.StreamOf(&e)
		want[of] = append(want[of], e)
	}
	f.Equal(want, got)
}
