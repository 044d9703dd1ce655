package memstore

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
	"sort"

	"github.com/google/uuid"
)

// timeline lists conversations by their place. Adding near the end, where live traffic adds, is
// cheap; an import far out of order costs one sort at the next listing.
type timeline struct {
	items    []*conversation
	unsorted bool
}

// near is how far from the end a conversation is inserted in its place at once.
const near = 1024

// place orders conversations: by opening, then id.
type place struct {
	at int64
	id uuid.UUID
}

func (p place) compare(q place) int {
	if c := cmp.Compare(p.at, q.at); c != 0 {
		return c
	}
	return bytes.Compare(p.id[:], q.id[:])
}

func (c *conversation) place() place { return place{c.createdAt, c.id} }

func (l *timeline) add(c *conversation) {
	n := len(l.items)
	if l.unsorted || n == 0 || l.items[n-1].place().compare(c.place()) < 0 {
		l.items = append(l.items, c)
		return
	}
	i := l.search(c.place())
	if n-i > near {
		l.items, l.unsorted = append(l.items, c), true
		return
	}
	l.items = slices.Insert(l.items, i, c)
}

// search is the index of the first conversation that is not before p.
func (l *timeline) search(p place) int {
	return sort.Search(len(l.items), func(i int) bool { return l.items[i].place().compare(p) >= 0 })
}

func (l *timeline) sort() {
	if l.unsorted {
		slices.SortFunc(
			l.items,
			func(a, b *conversation) int { return a.place().compare(b.place()) },
		)
		l.unsorted = false
	}
}

// before yields the conversations from the last one down, or from the one before p.
func (l *timeline) before(p place, given bool) iter.Seq[*conversation] {
	return func(yield func(*conversation) bool) {
		n := len(l.items)
		if given {
			n = l.search(p)
		}
		for i := n - 1; i >= 0; i-- {
			if !yield(l.items[i]) {
				return
			}
		}
	}
}
