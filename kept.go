package convo

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// DefaultKept is how many snapshots an Engine keeps when it is not told.
const DefaultKept = 1024

// keptSnapshots are what the last calls of one engine have left of conversations, so that the next
// call for one of them need not load it. It spares a trip and decides nothing: what is decided on
// one is written only where the versions in the store are the kept ones, and all else is decided
// again on what is loaded. It is safe for concurrent use; nil keeps nothing.
type keptSnapshots struct {
	mu  sync.Mutex
	max int
	all []keptSnapshot
	at  map[Ref]int  // by the Ref of the conversation
	led map[Ref]lead // where other Refs led: to twice as many at most
	// credit is how many trips they have spared lately, or would have. Below zero they are looked
	// at only to see whether they would spare some: where the calls for a contact come to any of
	// many processes, others have mostly been there.
	credit int
}

const (
	firstCredit = 20
	maxCredit   = 100
	staleCost   = 2 // trips: a commit that is refused, and the question what came of it
)

// keptSnapshot is of an active conversation.
type keptSnapshot struct {
	valid        bool
	contact      Contact
	conversation Conversation
}

// lead is to which active conversation a Ref led. That it still does, the version of the contact
// says: it changes when an address is linked or unlinked, and by merges, openings and moves.
type lead struct {
	conversation uuid.UUID
	contact      string
	version      int64
}

// seenVersions are what is compared in a snapshot.
type seenVersions struct {
	contact, conversation int64
	id                    uuid.UUID // of the conversation
	seen, due, deadline   time.Time
	applied               string
}

func (s *Snapshot) seenVersions() seenVersions {
	c := &s.Conversation
	return seenVersions{
		s.Contact.Version, c.Version, c.ID, s.Contact.SeenAt, c.DueAt, c.Deadline, c.Applied,
	}
}

func keptFor(s Store, n int) *keptSnapshots {
	if _, ok := s.(Locker); n == 0 || !ok {
		return nil // in memory a Load costs less
	}
	return &keptSnapshots{
		max: n, at: map[Ref]int{}, led: map[Ref]lead{}, credit: firstCredit,
	}
}

// take fills s with what is kept for to, and keeps it no longer: whoever has it gives back what the
// store has after it. pays says whether to decide on it.
func (k *keptSnapshots) take(to *Ref, s *Snapshot) (known, pays bool) {
	if k == nil {
		return false, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	of, l := *to, lead{}
	if to.Conversation == uuid.Nil {
		l = k.led[*to]
		of = ToConversation(to.Workspace, l.conversation)
	}
	i, known := k.at[of]
	if !known || !k.all[i].valid {
		return false, false
	}
	one := &k.all[i]
	if to.Conversation == uuid.Nil && l != one.leads() {
		return false, false
	}
	one.valid = false
	*s = Snapshot{
		Ref: *to, Contact: one.contact, Conversation: one.conversation, HasConversation: true,
	}
	if to.Address != (Address{}) {
		s.AddressOwner = s.Contact.ID
	}
	return true, k.credit >= 0
}

// forget has nothing in memory of a conversation, which an erasure has gone over.
func (k *keptSnapshots) forget(workspace string, id uuid.UUID) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	of := ToConversation(workspace, id)
	if i, known := k.at[of]; known {
		k.all[i] = keptSnapshot{}
		delete(k.at, of)
	}
	maps.DeleteFunc(k.led, func(_ Ref, l lead) bool { return l.conversation == id })
}

// leads is what a Ref that leads to it has.
func (o *keptSnapshot) leads() lead {
	return lead{o.conversation.ID, o.contact.ID, o.contact.Version}
}

// was counts a snapshot that was taken as one that the store had, or had not any more.
func (k *keptSnapshots) was(fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if fresh {
		k.credit = min(k.credit+1, maxCredit)
	} else {
		k.credit = max(k.credit-staleCost, -maxCredit)
	}
}

// keep keeps what the store has for s.Ref after ch, which was decided on s and was committed, in
// place of what it had before. When it is full, it takes the place of any other one, for to know
// which is needed least costs more than a trip now and then.
func (k *keptSnapshots) keep(s *Snapshot, ch *Change) {
	if k == nil {
		return
	}
	of := ToConversation(ch.Contact.Workspace, ch.Conversation.ID)
	k.mu.Lock()
	defer k.mu.Unlock()
	i, known := k.at[of]
	switch foreseen := s.foreseen(ch.Conversation.Moved); {
	case !foreseen && known:
		k.all[i].valid = false
		return
	case !foreseen:
		return
	case known:
	case len(k.all) < k.max:
		i = len(k.all)
		k.all = append(k.all, keptSnapshot{})
	default:
		i = rand.IntN(len(k.all))
		old := &k.all[i]
		delete(k.at, ToConversation(old.contact.Workspace, old.conversation.ID))
	}
	k.at[of] = i
	one := &k.all[i]
	*one = keptSnapshot{true, ch.Contact.Contact, ch.Conversation.Conversation}
	if s.Ref.Conversation == uuid.Nil {
		k.lead(&s.Ref, one.leads())
	}
}

// lead keeps where a Ref leads, in place of any other one when there are too many.
func (k *keptSnapshots) lead(to *Ref, l lead) {
	if len(k.led) >= 2*k.max {
		if _, known := k.led[*to]; !known {
			for other := range k.led {
				delete(k.led, other)
				break
			}
		}
	}
	k.led[*to] = l
}

// foreseen reports whether a Load of s.Ref would give the contact and the conversation of s, once
// that which moved s on is committed: a contact has no other active conversation in the lane.
func (s *Snapshot) foreseen(moved bool) bool {
	to, c := &s.Ref, &s.Conversation
	itself := c.ID == to.Conversation || to.Conversation == uuid.Nil && c.Lane == to.Lane
	linked := to.Address == (Address{}) || s.AddressOwner == s.Contact.ID
	return c.Status.Active() && itself && linked && !moved
}

// attempt loads, decides and commits once; when a call is tried first, on a kept snapshot if there
// is one. It returns the commands that it decided: those that were given, or that a DoFunc has
// returned. conflict says that err came about by what others did meanwhile.
func (e *Engine) attempt(
	ctx context.Context, c *call, given []Command,
) (_ []Command, _ bool, err error) {
	cmds, conflict, settled, err := e.onKept(ctx, c, given)
	if settled {
		return cmds, conflict, err
	}
	if c.snapshot, err = e.store.Load(ctx, c.to); err != nil {
		return given, isConflict(err), err
	}
	if c.known {
		c.known = false
		e.kept.was(c.was == c.snapshot.seenVersions())
	}
	return e.decideAndCommit(ctx, c, given)
}

// onKept decides and commits on what was kept for the Ref of a call, when that is tried first and
// pays. Not settled means that nothing was written, and that the call is to be decided on what is
// loaded: the kept snapshot may be of long ago, so it can neither refuse anything, nor say that
// there is nothing to do.
func (e *Engine) onKept(
	ctx context.Context, c *call, given []Command,
) (cmds []Command, conflict, settled bool, err error) {
	if c.tried {
		return given, false, false, nil
	}
	c.tried = true
	var pays bool
	if c.known, pays = e.kept.take(&c.to, &c.snapshot); c.known {
		c.was = c.snapshot.seenVersions()
	}
	if !pays {
		return given, false, false, nil
	}
	c.fromKept = true
	cmds, conflict, err = e.decideAndCommit(ctx, c, given)
	c.fromKept = false
	lost := conflict && !errors.Is(err, ErrDuplicate)
	if c.committing && !lost {
		if err == nil {
			e.kept.was(true)
		}
		return cmds, conflict, true, err
	}
	c.committing, c.refused, c.guarded = false, nil, nil
	return given, false, false, nil
}

// foreseeable reports whether cmds look at nothing but a snapshot as it is loaded. The others would
// be refused, and so be loaded, too.
func foreseeable(cmds []Command) bool {
	return len(cmds) > 0 && !slices.ContainsFunc(cmds, func(cmd Command) bool {
		switch cmd.(type) {
		case Edit, Retract, Identify, Move, Rate, UnlinkAddress:
			return true
		}
		return false
	})
}

// byVersions has ch, which was decided on a kept snapshot, be carried out only where the contact
// and the conversation are as they were kept. It is false when ch does not change the conversation,
// which would then be compared with nothing, or writes more than that.
func (ch *Change) byVersions() bool {
	c := &ch.Conversation
	if ch.Contact.Action != RowKept || ch.Other.Action != RowKept || c.Action != RowUpdated ||
		c.Moved || len(ch.Earlier)+len(ch.Cycles)+len(ch.Addresses)+len(ch.Unlinked)+
		len(ch.Repointed)+len(ch.Redact) > 0 {
		return false
	}
	ch.Contact.Action = RowCompared
	return true
}
