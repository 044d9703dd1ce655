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

// from yields the conversations downward from the last one, or from the one before p; ascending,
// upward from the first one, or from the one behind p.
func (l *timeline) from(p place, given, ascending bool) iter.Seq[*conversation] {
	return func(yield func(*conversation) bool) {
		i, step := len(l.items)-1, -1
		switch {
		case ascending:
			i, step = 0, 1
			if given {
				i = l.search(p)
				if i < len(l.items) && l.items[i].place() == p {
					i++
				}
			}
		case given:
			i = l.search(p) - 1
		}
		for ; i >= 0 && i < len(l.items); i += step {
			if !yield(l.items[i]) {
				return
			}
		}
	}
}
