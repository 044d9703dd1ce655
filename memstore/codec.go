package memstore

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// The log is kept encoded: an Event is some 400 bytes, of which most are empty, and a million of
// them as strings and pointers would keep the garbage collector busy. A batch is the events that
// one commit appended to one log; it is a string, so what is decoded from it shares memory that
// nobody can change.

var actors = []convo.ActorType{
	"",
	convo.ActorContact,
	convo.ActorUser,
	convo.ActorAutomation,
	convo.ActorSystem,
}

// textFields is how many optional text fields an event has; their flags are the last ones.
const textFields = 32

// texts are the optional text fields of an event, in the order of their flags.
func texts(e *convo.EventRow) [textFields]*string {
	return [...]*string{
		&e.By.ID, (*string)(&e.Source), &e.Channel, &e.ExternalID, &e.Body, &e.Category, &e.Summary,
		&e.Assignee, &e.Team, (*string)(&e.Notice), (*string)(&e.Audience), &e.Address,
		&e.MergedInto, (*string)(&e.StatusBefore), &e.AssigneeBefore, &e.TeamBefore, &e.Lane,
		&e.LaneBefore, &e.ChannelBefore, (*string)(&e.Labels), (*string)(&e.LabelsBefore),
		&e.Subject, &e.Name, (*string)(&e.Attributes), (*string)(&e.BlockedBy), &e.UnmergedFrom,
		(*string)(&e.OwnBlockedBy), &e.MovedFrom, (*string)(&e.OnReceive), (*string)(&e.Marks),
		(*string)(&e.OpenedSource), &e.Contact,
	}
}

const (
	flagNextID = 1 << iota // the id is the one before, plus one
	flagAttachments
	flagResponse
	flagRestartFlow
	flagQuiet
	flagNewContact
	flagMessage
	flagRedacted
	flagDuplicate
	flagUntil
	flagSentAt
	flagContactSeq
	flagBlocked
	flagPriority
	flagPriorityBefore
	flagOwnBlocked
	flagFromSeq
	flagRated
	flagReplaces
	flagBefore        // what reports count of it
	firstText  = iota // the flag of the first text
)

// encode appends the events of one batch to b.
func encode(b []byte, owner string, events []convo.Event) []byte {
	var last uuid.UUID
	for i := range events {
		r := events[i].Row()
		b = appendRow(b, owner, &r, i > 0 && r.ID == next(last))
		last = events[i].ID
	}
	return b
}

// appendRow appends an event. Its contact is left out where it is the log's own, and its id where
// it is the next one.
func appendRow(b []byte, owner string, e *convo.EventRow, nextID bool) []byte {
	fields := texts(e)
	var flags uint64
	for i, f := range fields {
		if *f != "" {
			flags |= 1 << (firstText + i)
		}
	}
	if e.Contact == owner {
		flags &^= 1 << (firstText + textFields - 1)
	}
	set := func(flag uint64, on bool) {
		if on {
			flags |= flag
		}
	}
	set(flagAttachments, len(e.Attachments) > 0)
	set(flagResponse, e.Response)
	set(flagRestartFlow, e.RestartFlow)
	set(flagQuiet, e.Quiet)
	set(flagNewContact, e.NewContact)
	set(flagUntil, !e.Until.IsZero())
	set(flagMessage, e.Message != uuid.Nil)
	set(flagDuplicate, e.Duplicate != uuid.Nil)
	set(flagRedacted, e.Redacted)
	set(flagSentAt, !e.SentAt.IsZero())
	set(flagContactSeq, e.ContactSeq != 0)
	set(flagNextID, nextID)
	set(flagBlocked, e.Blocked)
	set(flagOwnBlocked, e.OwnBlocked)
	set(flagFromSeq, e.FromSeq != 0)
	set(flagRated, e.Cycle != 0 || e.Score != 0)
	set(flagReplaces, e.Replaces)
	ended := endedBy(e)
	set(flagBefore, ended != 0 || e.Turn != "" || e.Replies != 0 || e.PendingMicros != 0 ||
		e.ClosedBy != convo.Actor{})
	set(flagPriority, e.Priority != 0)
	set(flagPriorityBefore, e.PriorityBefore != 0)

	b = binary.AppendUvarint(b, uint64(e.Seq))
	b = binary.AppendVarint(b, e.At.UnixMicro())
	b = binary.AppendUvarint(b, flags)
	b = append(b, byte(e.Kind))
	b = appendEnum(b, actors, e.By.Type)
	if !nextID {
		b = append(b, e.ID[:]...)
	}
	for i, f := range fields {
		if flags&(1<<(firstText+i)) != 0 {
			b = appendText(b, *f)
		}
	}
	if flags&flagAttachments != 0 {
		b = appendText(b, string(e.Attachments))
	}
	if flags&flagUntil != 0 {
		b = binary.AppendVarint(b, e.Until.UnixMicro())
	}
	if flags&flagMessage != 0 {
		b = append(b, e.Message[:]...)
	}
	if flags&flagDuplicate != 0 {
		b = append(b, e.Duplicate[:]...)
	}
	if flags&flagSentAt != 0 {
		b = binary.AppendVarint(b, e.SentAt.UnixMicro())
	}
	if flags&flagContactSeq != 0 {
		b = binary.AppendUvarint(b, uint64(e.ContactSeq))
	}
	if flags&flagFromSeq != 0 {
		b = binary.AppendUvarint(b, uint64(e.FromSeq))
	}
	if flags&flagRated != 0 {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.Cycle)), uint64(e.Score))
	}
	if flags&flagPriority != 0 {
		b = append(b, byte(e.Priority))
	}
	if flags&flagPriorityBefore != 0 {
		b = append(b, byte(e.PriorityBefore))
	}
	if flags&flagBefore != 0 {
		b = appendBefore(b, e, ended)
	}
	return b
}

// sinces are the times since when things were as they were before an event.
func sinces(e *convo.EventRow) [6]*time.Time {
	return [...]*time.Time{
		&e.StatusSince, &e.AssignedAt, &e.OpenedAt, &e.TurnSince, &e.WaitingSince, &e.HandedOverAt,
	}
}

var turns = []convo.Turn{
	"", convo.TurnNobody, convo.TurnContactWaiting, convo.TurnAwaitingContact,
}

const wasAssigned = 1 << 6 // behind the flags of sinces

// endedBy are the flags of the sinces that e has.
func endedBy(e *convo.EventRow) (flags byte) {
	for i, t := range sinces(e) {
		if !t.IsZero() {
			flags |= 1 << i
		}
	}
	if e.WasAssigned {
		flags |= wasAssigned
	}
	return flags
}

// appendBefore appends how long before the event each of its sinces was, and the rest.
func appendBefore(b []byte, e *convo.EventRow, flags byte) []byte {
	b = appendEnum(append(b, flags), turns, e.Turn)
	for i, t := range sinces(e) {
		if flags&(1<<i) != 0 {
			b = binary.AppendVarint(b, e.At.UnixMicro()-t.UnixMicro())
		}
	}
	b = binary.AppendUvarint(b, uint64(e.Replies))
	b = binary.AppendVarint(b, e.PendingMicros)
	return appendText(appendEnum(b, actors, e.ClosedBy.Type), e.ClosedBy.ID)
}

func (r *reader) before(e *convo.EventRow) {
	flags := r.take(1)[0]
	e.WasAssigned, e.Turn = flags&wasAssigned != 0, readEnum(r, turns)
	for i, t := range sinces(e) {
		if flags&(1<<i) != 0 {
			*t = time.UnixMicro(e.At.UnixMicro() - r.varint()).UTC()
		}
	}
	e.Replies, e.PendingMicros = int(r.uvarint()), r.varint()
	e.ClosedBy.Type = readEnum(r, actors)
	e.ClosedBy.ID = r.text()
}

// decode calls yield with the events of one batch until it returns false. The event, which gives
// their workspace and conversation, is overwritten by the next one, and so is its payload, unless
// the caller takes that away.
func decode(batch string, e *convo.Event, owner string, yield func(*convo.Event) bool) bool {
	r := reader(batch)
	workspace, conversation := e.Workspace, e.Conversation
	for len(r) > 0 {
		row := convo.EventRow{Workspace: workspace, Conversation: conversation}
		r.row(&row, owner, e.ID)
		row.To(e)
		if !yield(e) {
			return false
		}
	}
	return true
}

// row reads what appendRow has written, after the event with the id last.
func (r *reader) row(e *convo.EventRow, owner string, last uuid.UUID) {
	e.Seq = int64(r.uvarint())
	e.At = time.UnixMicro(r.varint()).UTC()
	flags := r.uvarint()
	e.Kind = convo.EventKind(r.take(1)[0])
	e.By.Type = readEnum(r, actors)
	if e.ID = next(last); flags&flagNextID == 0 {
		copy(e.ID[:], r.take(16))
	}
	for i, f := range texts(e) {
		if flags&(1<<(firstText+i)) != 0 {
			*f = r.text()
		}
	}
	if e.Contact == "" {
		e.Contact = owner
	}
	if flags&flagAttachments != 0 {
		e.Attachments = json.RawMessage(r.text())
	}
	e.Response, e.RestartFlow = flags&flagResponse != 0, flags&flagRestartFlow != 0
	e.Quiet, e.NewContact = flags&flagQuiet != 0, flags&flagNewContact != 0
	e.OwnBlocked = flags&flagOwnBlocked != 0
	e.Replaces = flags&flagReplaces != 0
	e.Redacted, e.Blocked = flags&flagRedacted != 0, flags&flagBlocked != 0
	if flags&flagUntil != 0 {
		e.Until = time.UnixMicro(r.varint()).UTC()
	}
	if flags&flagMessage != 0 {
		copy(e.Message[:], r.take(16))
	}
	if flags&flagDuplicate != 0 {
		copy(e.Duplicate[:], r.take(16))
	}
	if flags&flagSentAt != 0 {
		e.SentAt = time.UnixMicro(r.varint()).UTC()
	}
	if flags&flagContactSeq != 0 {
		e.ContactSeq = int64(r.uvarint())
	}
	if flags&flagFromSeq != 0 {
		e.FromSeq = int64(r.uvarint())
	}
	if flags&flagRated != 0 {
		e.Cycle = int(r.uvarint())
		e.Score = int(r.uvarint())
	}
	if flags&flagPriority != 0 {
		e.Priority = convo.Priority(r.take(1)[0])
	}
	if flags&flagPriorityBefore != 0 {
		e.PriorityBefore = convo.Priority(r.take(1)[0])
	}
	if flags&flagBefore != 0 {
		r.before(e)
	}
}

// firstSeq is the Seq of the first event of a batch.
func firstSeq(batch string) int64 {
	r := reader(batch)
	return int64(r.uvarint())
}

// firstAt is the time of the first event of a batch.
func firstAt(batch string) int64 {
	r := reader(batch)
	r.uvarint()
	return r.varint()
}

// next is the id that convo gives out after id.
func next(id uuid.UUID) uuid.UUID {
	lo := binary.BigEndian.Uint64(id[8:])
	binary.BigEndian.PutUint64(id[8:], lo+1)
	return id
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendEnum[T ~string](b []byte, known []T, v T) []byte {
	i := slices.Index(known, v)
	if i >= 0 && v != "" {
		return append(b, byte(i))
	}
	return appendText(append(b, 0), string(v))
}

type reader string

func (r *reader) take(n int) string {
	s := string((*r)[:n])
	*r = (*r)[n:]
	return s
}

func (r *reader) text() string { return r.take(int(r.uvarint())) }

func (r *reader) uvarint() uint64 {
	var v uint64
	for i := 0; ; i++ {
		c := (*r)[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			*r = (*r)[i+1:]
			return v
		}
	}
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func readEnum[T ~string](r *reader, known []T) T {
	if i := r.take(1)[0]; i > 0 {
		return known[i]
	}
	return T(r.text())
}
