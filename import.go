package convo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
)

// History is a finished conversation of another system, to be imported.
type History struct {
	// Key names the conversation there, for good, and for all of the history: it is imported once.
	// Imported again it is Known, whatever its commands and its contact are then; nothing takes
	// it back.
	Key string
	// To is the contact, an address of it, or both, in the workspace of the import, which need not
	// be named. Who is not known becomes so.
	To Ref
	// Commands are what happened, each with its At, in order. They open one conversation, by an
	// Open or a Receive, and leave it closed; quiet messages may come before, and also notes and
	// what else a closed one takes after it. There may be any number of them, and several cycles.
	// None has a Key, and no external id comes twice. Edit, Retract, Identify, Move, SetProfile,
	// Block, Unblock, LinkAddress and UnlinkAddress are no part of a history: do them by
	// [Engine.Do], later.
	Commands []Command
}

// ImportError says which history could not be imported.
type ImportError struct {
	Record int // from 0
	Key    string
	Err    error
}

func (e *ImportError) Error() string {
	return fmt.Sprintf("convo: history %d, %q: %v", e.Record, e.Key, e.Err)
}

// Unwrap is the reason.
func (e *ImportError) Unwrap() error { return e.Err }

// ImportResult says how far an import has come.
type ImportResult struct {
	Imported int // histories
	Known    int // histories that were there already
	Events   int // that were written
	// Batch is what became of each history of the last batch, in its order.
	Batch []ImportedHistory
}

// ImportedHistory is what became of a history.
type ImportedHistory struct {
	Key          string
	Conversation uuid.UUID
	// Events are those that were written with it: what the conversation has more has come since.
	// They are not commands: one may write several, or none.
	Events int
	// Known says that it was there already: imported earlier, or a command or a DoFunc with this
	// Key has begun it.
	Known bool
}

// DefaultImportBatch is how many histories are committed together.
const DefaultImportBatch = 200

// Import imports the histories of a workspace, in batches of DefaultImportBatch, each of which is
// one commit: so it may be stopped at any time and run again, and each history is imported once, by
// its Key; what a longer export has more is yours to add (docs/moving-in.md has the loop). What the
// contact has by now stays as it is: its active conversation, its latest one, and all numbers but
// those of the time when it happened. No policy of closings, notices and timers applies to the
// past; limits and what counts as a response do. Observers are not called, and an outbox gets no
// notes unless [WithPublishedImports] says so. None of that is so of what [Engine.Do] adds.
//
// progress, if not nil, is called after each batch, also one that ends in an error. The first
// history that cannot be imported ends it, with an *ImportError that names it; those before it are
// imported. An error of histories ends it, too.
func (e *Engine) Import(
	ctx context.Context, workspace string, histories iter.Seq2[History, error],
	progress func(ImportResult),
) (done ImportResult, err error) {
	if err := checkID("workspace", workspace); err != nil {
		return done, err
	}
	batch := make([]History, 0, DefaultImportBatch)
	read := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		n, err := e.importBatch(ctx, workspace, batch, read-len(batch))
		done.Imported, done.Known = done.Imported+n.Imported, done.Known+n.Known
		done.Events, done.Batch = done.Events+n.Events, n.Batch
		batch = batch[:0]
		if len(n.Batch) > 0 && progress != nil {
			progress(done)
		}
		return err
	}
	for h, err := range histories {
		switch {
		case err != nil:
		case ctx.Err() != nil:
			err = ctx.Err()
		case h.To.Workspace != "" && h.To.Workspace != workspace:
			err = &ImportError{read, h.Key, invalid("workspace",
				fmt.Sprintf("must be %q, or empty: an import is of one", workspace))}
		}
		if err != nil {
			return done, errors.Join(flush(), err)
		}
		h.To.Workspace = workspace
		batch = append(batch, h)
		if read++; len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return done, err
			}
		}
	}
	return done, flush()
}

// importBatch commits a batch whose first history has a number. What comes before a history that
// cannot be imported is imported.
func (e *Engine) importBatch(
	ctx context.Context, workspace string, batch []History, first int,
) (done ImportResult, err error) {
	for try := 0; ; {
		i, bad, err := e.decideImport(ctx, workspace, batch)
		if err == nil {
			err = e.commitImport(ctx, i)
		}
		switch {
		case err == nil && bad != nil:
			bad.Record += first
			return i.result, bad
		case err == nil:
			return i.result, nil
		case errors.Is(err, ErrDuplicate) && len(batch) > 1: // a message is there: find out whose
			return e.importEach(ctx, workspace, batch, first)
		case errors.Is(err, ErrDuplicate):
			keys, err := e.store.Keys(ctx, workspace, KeyID{ID: batch[0].Key})
			if err != nil {
				return done, err
			}
			if len(keys) == 0 { // else another import has it meanwhile
				return done, &ImportError{first, batch[0].Key, invalid("external_id",
					"a message of the contact or address has it already")}
			}
		case !isConflict(err):
			return done, err
		}
		if err := e.backoff(ctx, &try, err); err != nil {
			return done, err
		}
	}
}

// importEach imports a batch one by one.
func (e *Engine) importEach(
	ctx context.Context, workspace string, batch []History, first int,
) (done ImportResult, err error) {
	for n := range batch {
		one, err := e.importBatch(ctx, workspace, batch[n:n+1], first+n)
		done.Imported, done.Known = done.Imported+one.Imported, done.Known+one.Known
		done.Events, done.Batch = done.Events+one.Events, append(done.Batch, one.Batch...)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (e *Engine) commitImport(ctx context.Context, i *importing) error {
	if i.result.Imported == 0 {
		return nil
	}
	changes := make([]Change, 0, len(i.order))
	for _, k := range i.order {
		k.change.Unpublished = !e.publishImports
		changes = append(changes, k.change)
	}
	return e.store.Commit(ctx, changes...)
}

// importing is a batch as it is decided, contact by contact.
type importing struct {
	by     map[string]*importedContact // by the id of the root contact
	owners map[Address]string
	order  []*importedContact
	told   map[KeyID][]KeyID // external ids, by channel and id
	result ImportResult
}

type importedContact struct {
	snapshot Snapshot
	change   Change
	expected int64
}

// check reports what is wrong with a history by itself.
func (h *History) check() error {
	if h.Key == "" {
		return invalid("key", "must not be empty")
	}
	if err := checkKey("key", h.Key); err != nil {
		return err
	}
	if h.To.Conversation != uuid.Nil {
		return invalid("ref", "name a contact or an address")
	}
	return h.To.Validate()
}

// decideImport decides a batch up to the first history that cannot be imported.
func (e *Engine) decideImport(
	ctx context.Context, workspace string, batch []History,
) (i *importing, bad *ImportError, err error) {
	i = &importing{
		by: map[string]*importedContact{}, owners: map[Address]string{}, told: map[KeyID][]KeyID{},
	}
	ids, refs := make([]KeyID, 0, len(batch)), make([]Ref, 0, len(batch))
	for n := range batch {
		if err := batch[n].check(); err != nil {
			bad = &ImportError{n, batch[n].Key, err}
			batch = batch[:n]
			break
		}
		ids, refs = append(ids, KeyID{ID: batch[n].Key}), append(refs, batch[n].To)
	}
	if len(batch) == 0 {
		return i, bad, nil
	}
	keys, err := e.store.Keys(ctx, workspace, ids...)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]ImportedHistory{}
	for _, k := range keys {
		written := 0
		if k.LastSeq > 0 {
			written = int(k.LastSeq - k.FirstSeq + 1)
		}
		known[k.ID] = ImportedHistory{k.ID, k.Conversation, written, true}
	}
	snapshots, err := e.store.Snapshots(ctx, refs)
	if err != nil {
		return nil, nil, err
	}
	now, id := micros(e.clock.Now()), e.newID()
	for n := range batch {
		h, s := &batch[n], &snapshots[n]
		if k, ok := known[h.Key]; ok {
			i.result.Known++
			i.result.Batch = append(i.result.Batch, k)
			continue
		}
		p, err := e.importPolicy(ctx, workspace, h)
		if err != nil {
			return nil, nil, err
		}
		s.Next = id
		if err := i.add(s, now, p, h); err != nil {
			return i, &ImportError{n, h.Key, err}, nil
		}
		id = s.Next
		k := i.result.Batch[len(i.result.Batch)-1]
		k.Known = true // to another one of the batch with its key
		known[h.Key] = k
	}
	return i, bad, nil
}

// importPolicy is what of a policy applies to the past.
func (e *Engine) importPolicy(ctx context.Context, workspace string, h *History) (*Policy, error) {
	channel := h.To.Address.Channel
	if channel == "" && len(h.Commands) > 0 {
		var o fields
		_ = o.read(h.Commands[0])
		channel = o.channel
	}
	p, err := e.lookUpPolicy(ctx, Scope{workspace, h.To.Lane, channel})
	if err != nil {
		return nil, err
	}
	return &Policy{
		StayPending: p.StayPending, CountAutomation: p.CountAutomation, MaxSkew: p.MaxSkew,
		MaxBody: p.MaxBody, MaxAttachments: p.MaxAttachments, MaxSummary: p.MaxSummary,
		Ratings: p.Ratings,
	}, nil
}

// contactOf is the contact of a history, as the ones before it left it.
func (i *importing) contactOf(s *Snapshot) *importedContact {
	if owner := i.owners[s.Ref.Address]; owner != "" && s.Ref.Address != (Address{}) {
		s.AddressOwner = owner
		if s.Contact.ID == "" {
			s.Contact.ID = owner
		}
	}
	if k := i.by[s.Contact.ID]; k != nil && s.Contact.ID != "" {
		next, ref, owner := s.Next, s.Ref, s.AddressOwner
		*s = k.snapshot
		s.Next, s.Ref, s.AddressOwner = next, ref, owner
		return k
	}
	return &importedContact{snapshot: *s, expected: s.Contact.Version}
}

// add decides one history.
func (i *importing) add(s *Snapshot, now time.Time, p *Policy, h *History) error {
	k := i.contactOf(s)
	d, after, err := decideHistory(*s, now, p, h)
	if err != nil {
		return err
	}
	ch := &d.Change
	if err := i.tell(ch.Keys); err != nil {
		return err
	}
	if len(k.change.Events) == 0 {
		i.order = append(i.order, k)
	}
	i.by[ch.Contact.ID] = k
	for _, a := range ch.Addresses {
		i.owners[a.Address] = a.Contact
	}
	to := &k.change
	to.Contact = ch.Contact
	if to.Contact.Expected = k.expected; k.expected == 0 {
		to.Contact.Action = RowAdded
	}
	to.Earlier = append(to.Earlier, ch.Conversation)
	to.Cycles = append(to.Cycles, ch.Cycles...)
	to.Events = append(to.Events, ch.Events...)
	to.Keys = append(to.Keys, ch.Keys...)
	to.Addresses = append(to.Addresses, ch.Addresses...)
	k.snapshot = after
	s.Next = after.Next
	i.result.Imported++
	i.result.Events += len(ch.Events)
	i.result.Batch = append(i.result.Batch,
		ImportedHistory{h.Key, ch.Conversation.ID, len(ch.Events), false})
	return nil
}

// itself is the root of a contact as long as nobody looks.
func itself(contact string) string { return contact }

// tell keeps the external ids of a history, if no other one of the batch has one of them.
func (i *importing) tell(keys []Key) error {
	for n := range keys {
		k := keys[n].KeyID
		for _, other := range i.told[KeyID{Channel: k.Channel, ID: k.ID}] {
			if k.Channel != "" && k.Finds(other, "", itself) {
				return invalid("external_id", "another history has it for the contact or address")
			}
		}
	}
	for n := range keys {
		k := keys[n].KeyID
		name := KeyID{Channel: k.Channel, ID: k.ID}
		i.told[name] = append(i.told[name], k)
	}
	return nil
}

// checkOnce refuses a history that has a message twice: what is behind the second one would be left
// out with it.
func (h *History) checkOnce() error {
	seen := map[KeyID][]KeyID{}
	for _, cmd := range h.Commands {
		_, k := keysOf(cmd, h.To.Address)
		if k.ID == "" {
			continue
		}
		name := KeyID{Channel: k.Channel, ID: k.ID}
		k.Contact = "the same"
		for _, other := range seen[name] {
			if k.Finds(other, "", itself) {
				return invalid("external_id", fmt.Sprintf("%q comes twice in the history", k.ID))
			}
		}
		seen[name] = append(seen[name], k)
	}
	return nil
}

// decideHistory decides one history. It is pure.
func decideHistory(
	s Snapshot, now time.Time, p *Policy, h *History,
) (d Decision, after Snapshot, err error) {
	if len(h.Commands) == 0 {
		return d, s, invalid("commands", "name at least one")
	}
	for _, cmd := range h.Commands {
		var o fields
		if err := o.read(cmd); err != nil {
			return d, s, err
		}
		switch o.kind {
		case kindSetProfile, kindMove, kindBlock, kindUnblock, kindLinkAddress,
			kindUnlinkAddress, kindEdit, kindRetract, kindIdentify:
			return d, s, invalid("commands",
				fmt.Sprintf("%s is no part of a history", o.kind.name()))
		}
		if o.at.IsZero() {
			return d, s, invalid("at", "each command of a history needs its time")
		}
		if o.key != "" {
			return d, s, invalid("key", "a history has one key for all of it")
		}
	}
	if err := h.checkOnce(); err != nil {
		return d, s, err
	}
	loaded := s.Contact.Version
	blocked := s.Contact.Blocked
	s.Contact.Blocked = false // that bars nothing in the past
	s.Conversation, s.Active = Conversation{}, uuid.Nil
	w := decider{loaded: loadedVersions{contact: loaded}, outcome: OutcomeUnchanged}
	if err := w.decide(&s, now, p, h.Commands); err != nil {
		return d, s, err
	}
	c := &s.Conversation
	switch {
	case len(w.earlier) > 0:
		return d, s, invalid("commands",
			"a history is one conversation: give the next one a key of its own")
	case c.Status != StatusClosed:
		return d, s, invalid("commands",
			"a history leaves its conversation closed: end it with a Close")
	}
	s.Contact.Blocked = blocked
	k := Key{Conversation: c.ID, FirstSeq: 1, LastSeq: c.Version}
	w.keys = append(w.keys, k.ofHost(h.Key))
	w.result(&s, &d.Change)
	d.Outcome = w.outcome
	return d, s, nil
}
