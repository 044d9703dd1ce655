package dialect

import (
	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// ChangeClass is what a change writes, as far as a statement that writes all of it at once depends
// on it. The changes that most calls make have one: of one conversation, and perhaps of its
// contact.
type ChangeClass struct {
	message         bool // one message or note, with one key at most, and nothing else
	compared        bool // the contact is to be as it was loaded, and is not written
	contact         bool
	newContact      bool
	newConversation bool
	closed          bool // and its cycle is to be kept
	listing         convo.RowAction
	moves           moves
	events          int
	contactEvents   int
	addresses       int
	keys            int
	shared          int // it is of so many changes: see Dialect.Share
	// InTransaction says that the statement is for a transaction which goes on after it: it must
	// begin none of its own, and write nothing where none is.
	InTransaction bool
	// Noted says that the outbox is to have a note of the events.
	Noted bool
}

// maxListed bounds the events and keys of a class, so that there are not too many statements.
const maxListed = 8

// ClassOf is the class of a change, or false when it has none.
func ClassOf(ch *convo.Change) (class ChangeClass, ok bool) {
	c := &ch.Conversation
	if c.Action == convo.RowKept || c.Moved || ch.Other.Action != convo.RowKept ||
		len(ch.Earlier) > 0 || len(ch.Cycles) > 0 ||
		ch.Erase != nil || ch.MergeInto != "" || ch.UnmergeFrom != "" || len(ch.Redact) > 0 ||
		len(ch.Repointed) > 0 || len(ch.Unlinked) > 0 || c.LabelsBefore != c.Labels ||
		len(ch.Events) > maxListed || len(ch.Keys) > maxListed {
		return class, false
	}
	class = ChangeClass{
		compared: ch.Contact.Action == convo.RowCompared,
		contact: ch.Contact.Action == convo.RowAdded ||
			ch.Contact.Action == convo.RowUpdated,
		newContact:      ch.Contact.Action == convo.RowAdded,
		newConversation: c.Action == convo.RowAdded,
		closed:          c.CycleClosed,
		listing:         c.Listing,
		moves:           classOfMoves(c),
		addresses:       len(ch.Addresses),
		keys:            len(ch.Keys),
	}
	for i := range ch.Events {
		if ch.Events[i].Mentions() != nil {
			return class, false
		}
		switch ch.Events[i].Conversation {
		case c.ID:
			class.events++
		case uuid.Nil:
			class.contactEvents++
		default:
			return class, false
		}
	}
	if class.newConversation && !class.contact || class.newContact && !class.newConversation ||
		class.contactEvents > 0 && !class.contact {
		return class, false // not from a decision
	}
	if !class.contact && len(ch.Events) == 1 && len(ch.Keys) <= 1 && c.OnlyMessages &&
		IsMessage(&ch.Events[0]) {
		return ChangeClass{
			message: true, compared: class.compared, moves: class.moves, events: 1,
			keys: class.keys,
		}, true
	}
	return class, true
}

// LoadedConversationArgs are the last arguments of the statements that update a conversation: what
// the row there must be like.
func LoadedConversationArgs(d *Dialect, to []any, r *convo.ConversationRow) []any {
	return asLoadedArgs(append(to, r.Workspace, d.ID(r.ID)), r)
}

// loadedColumns are what a conversation that is updated is compared by: its version, and what
// timers, merges and their undoing change without one.
var loadedColumns = []listColumn{
	{"expected", bigInt}, {"deadline_before", bigInt}, {"due_before", bigInt},
	{"applied_before", plainText}, {"contact_before", text},
}

// asLoaded holds of a conversation that is as it was loaded, by the values of loadedColumns.
func asLoaded(alias string, value func(listColumn) string) string {
	v := loadedColumns
	return alias + "version = " + value(v[0]) + `
		AND COALESCE(` + alias + "deadline_at, " + noTime + ") = " + value(v[1]) + `
		AND COALESCE(` + alias + "due_at, " + noTime + ") = " + value(v[2]) + `
		AND COALESCE(` + alias + "applied, '') = " + value(v[3]) + `
		AND ` + alias + "contact = " + value(v[4])
}

// asLoadedArgs are the values of asLoaded as arguments.
func asLoadedArgs(to []any, r *convo.ConversationRow) []any {
	return append(to, r.Expected, r.PlacesBefore.Deadline.UnixMicro(), r.DueBefore.UnixMicro(),
		r.AppliedBefore, r.ContactBefore)
}

func placeholder(listColumn) string { return "?" }

func inListed(c listColumn) string { return "listed." + c.name }

// asLoaded appends them to the object of a conversation.
func (l *jsonRows) asLoaded(r *convo.ConversationRow) {
	l.number("expected", r.Expected)
	l.number("deadline_before", r.PlacesBefore.Deadline.UnixMicro())
	l.number("due_before", r.DueBefore.UnixMicro())
	l.member("applied_before", string(appendQuoted(nil, r.AppliedBefore)))
	l.member("contact_before", string(appendQuoted(nil, r.ContactBefore)))
}
