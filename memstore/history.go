package memstore

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// opened is the conversations that were opened for one contact, by their place. A page of a history
// is looked for in it, so it tells which closed ones end late without looking at all of them.
type opened []struct {
	*conversation
	at int64 // when it ends, if it is closed
	// ends is when the last of a block of closed ones ends: of as many, up to this one, as the
	// lowest bit of its place, counted from 1, is worth (a Fenwick tree of maxima).
	ends int64
}

// open lists c, which is among those opened for k and ends at a time. The only one is not listed.
func (k *contact) open(c *conversation, ends int64) {
	if k.latest == c && c.previous == nil {
		return
	}
	o := &k.makeExtra().opened
	if len(*o) == 0 {
		other := k.latest
		if other == c {
			other = c.previous
		}
		ends := int64(math.MaxInt64) // of one that this very commit adds, whose log is to come
		if len(other.log) > 0 {
			ends = other.load().UpdatedAt.UnixMicro()
		}
		o.add(other, ends)
	}
	o.add(c, ends)
}

// opened are all that were opened for k.
func (k *contact) opened() opened {
	switch {
	case k.extra != nil && len(k.extra.opened) > 0:
		return k.extra.opened
	case k.latest == nil:
		return nil
	}
	return opened{{k.latest, math.MaxInt64, math.MaxInt64}}
}

// search is how many are before p.
func (o opened) search(p place) int {
	return sort.Search(len(o), func(i int) bool { return o[i].place().compare(p) >= 0 })
}

func (o *opened) add(c *conversation, ends int64) {
	i := o.search(c.place())
	*o = slices.Insert(*o, i, opened{{c, ends, ends}}...)
	o.count(i)
}

func (o *opened) remove(c *conversation) {
	if len(*o) > 0 {
		i := o.search(c.place())
		*o = slices.Delete(*o, i, i+1)
		o.count(i)
	}
}

// count finds the ends of all blocks from i on, which are new or have moved.
func (o opened) count(i int) {
	for n := i + 1; n <= len(o); n++ {
		b := &o[n-1]
		b.ends = b.at
		for of := n - 1; of > n-n&-n; of -= of & -of {
			b.ends = max(b.ends, o[of-1].ends)
		}
	}
}

// ended notes that c, if it is listed, is closed and ends at a time, which is no earlier than what
// was noted before.
func (o opened) ended(c *conversation, at int64) {
	n := o.search(c.place()) + 1
	for i := n; i <= len(o); i += i & -i {
		o[i-1].ends = max(o[i-1].ends, at)
	}
	if n <= len(o) {
		o[n-1].at = at
	}
}

// behind calls f with the first n that are closed and do not end before at.
func (o opened) behind(n int, at int64, f func(*conversation)) {
	for n > 0 {
		last := &o[n-1]
		if last.ends < at {
			n -= n & -n
			continue
		}
		if last.at >= at && !statuses[last.status].Active() {
			f(last.conversation)
		}
		n--
	}
}

// page collects the first events behind a cursor.
type page struct {
	after  convo.EventCursor
	limit  int
	events []convo.Event
}

// add adds the first events of a log, in which times never go back.
func (p *page) add(log []string, e convo.Event, owner string) {
	at, found := p.after.At.UnixMicro(), 0
	from := sort.Search(len(log), func(i int) bool { return firstAt(log[i]) >= at })
	for _, batch := range log[max(0, from-1):] {
		if !decode(batch, &e, owner, func(e *convo.Event) bool {
			if compareCursors(e.Cursor(), p.after) > 0 {
				p.events = append(p.events, taken(e))
				found++
			}
			return found < p.limit
		}) {
			return
		}
	}
}

func (p *page) addConversation(c *conversation) {
	p.add(c.log, convo.Event{Workspace: c.origin.of.name, Conversation: c.id}, c.origin.id)
}

// full reports whether nothing from at on can be on the page.
func (p *page) full(at int64) bool {
	if len(p.events) < p.limit {
		return false
	}
	p.cut()
	return p.events[p.limit-1].At.UnixMicro() < at
}

func (p *page) cut() {
	slices.SortFunc(p.events, func(a, b convo.Event) int {
		return compareCursors(a.Cursor(), b.Cursor())
	})
	p.events = p.events[:min(p.limit, len(p.events))]
}

// history is the events of a contact and its aliases behind f.After: of the conversations that span
// that time, and then of those that begin later, until the next one begins behind the page.
func (w *workspace) history(f *convo.EventFilter) []convo.Event {
	k := w.contacts[f.Contact]
	if k == nil {
		return nil
	}
	p := page{after: f.After, limit: f.Limit}
	at := f.After.At.UnixMicro()
	later := place{at, uuid.Max}
	for c := k.root.active; c != nil; c = c.nextLive {
		if c.place().compare(later) <= 0 {
			p.addConversation(c)
		}
	}
	family := k.root.aliases()
	next := make([]opened, 0, len(family)) // those that begin later
	for _, a := range family {
		if a.extra != nil {
			p.add(a.extra.log, convo.Event{Workspace: w.name}, a.id)
		}
		all := a.opened()
		n := all.search(later)
		all.behind(n, at, p.addConversation)
		if n < len(all) {
			next = append(next, all[n:])
		}
	}
	for len(next) > 0 {
		first := 0
		for i := range next {
			if next[i][0].place().compare(next[first][0].place()) < 0 {
				first = i
			}
		}
		c := next[first][0].conversation
		if p.full(c.createdAt) {
			break
		}
		p.addConversation(c)
		if next[first] = next[first][1:]; len(next[first]) == 0 {
			next = slices.Delete(next, first, first+1)
		}
	}
	p.cut()
	return slices.Clone(p.events)
}

func compareCursors(a, b convo.EventCursor) int {
	return cmp.Or(
		cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()),
		bytes.Compare(a.Conversation[:], b.Conversation[:]),
		cmp.Compare(a.Seq, b.Seq),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}

// keepCycle keeps the last cycle of a conversation that v is about to reopen.
func (w *workspace) keepCycle(v *convo.Conversation) {
	if v.Cycle.Number < 2 {
		return
	}
	c := w.conversations[v.ID]
	if c == nil || len(w.earlier[c]) >= v.Cycle.Number-1 {
		return
	}
	if last := c.load().Cycle; last.Number < v.Cycle.Number {
		w.keepEarlier(c, &last)
	}
}

// keepEarlier keeps a cycle before the last one in its place.
func (w *workspace) keepEarlier(c *conversation, cycle *convo.Cycle) {
	all := w.earlier[c]
	for len(all) < cycle.Number {
		all = append(all, convo.Cycle{})
	}
	all[cycle.Number-1] = *cycle
	w.earlier[c] = all
}
