package dialect

import (
	"hash/fnv"

	"github.com/chatlifecycle/convo"
)

// The lists of active conversations: the numbers are those in convo_places. Negative ones are of
// closed conversations: see spanList.
const (
	listActivity = 1
	listWaiting  = 2
	listDeadline = 3
	listPriority = 10 // and the priority
)

// Place is a row of convo_places, without its workspace and conversation.
type Place struct {
	List int
	At   int64
}

// Places are the columns of convo_places.
var Places = table(
	required("workspace", immutable, func(p *Placed) Field { return (*Text)(&p.Workspace) }),
	required("list", immutable, func(p *Placed) Field { return (*Count)(&p.List) }),
	required("at", immutable, func(p *Placed) Field { return (*Int)(&p.At) }),
	required("id", immutable, func(p *Placed) Field { return (*ID)(&p.ID) }),
)

// Placed is a row of convo_places.
type Placed struct {
	convo.Conversation
	Place
}

// kindsOfLists is how many lists a conversation can be in at once.
const kindsOfLists = 5

// moves say, of each kind of list, what becomes of the place in it.
type moves [kindsOfLists]convo.RowAction

// placesOf are the places in each kind of list; one in no list is none.
func placesOf(p convo.Places, c *convo.Conversation) (all [kindsOfLists]Place) {
	if p.Span > 0 {
		all[4] = Place{spanList(p.Origin, p.Span), c.CreatedAt.UnixMicro()}
	}
	if !p.Active {
		return all
	}
	all[0] = Place{listActivity, p.Activity}
	if !p.Waiting.IsZero() {
		all[1] = Place{listWaiting, p.Waiting.UnixMicro()}
	}
	if !p.Deadline.IsZero() {
		all[2] = Place{listDeadline, p.Deadline.UnixMicro()}
	}
	if p.Priority > 0 {
		all[3] = Place{listPriority + int(p.Priority), c.CreatedAt.UnixMicro()}
	}
	return all
}

// spanList is the list of the closed conversations that were opened for a contact and span as much.
// It is a hash of the contact, so a few of others may be in it. Merging contacts changes nothing.
func spanList(origin string, span int) int {
	h := fnv.New32a()
	h.Write([]byte(origin))
	return -int(h.Sum32()>>4<<3 | uint32(span))
}

// Move is what a commit does with the place of a conversation in a list.
type Move struct {
	Action  convo.RowAction
	Was, Is Place
}

// MovesOf are those that a row of a conversation demands, by kind of list.
func MovesOf(r *convo.ConversationRow) (all [kindsOfLists]Move) {
	is := convo.PlacesOf(&r.Conversation)
	if is == r.PlacesBefore {
		return all
	}
	from, to := placesOf(r.PlacesBefore, &r.Conversation), placesOf(is, &r.Conversation)
	for i := range all {
		all[i] = Move{convo.RowKept, from[i], to[i]}
		switch none := (Place{}); {
		case from[i] == to[i]:
		case from[i] == none:
			all[i].Action = convo.RowAdded
		case to[i] == none:
			all[i].Action = convo.RowRemoved
		default:
			all[i].Action = convo.RowUpdated
		}
	}
	return all
}

func classOfMoves(r *convo.ConversationRow) (of moves) {
	for i, m := range MovesOf(r) {
		of[i] = m.Action
	}
	return of
}

// The statements of places.
const (
	InsertPlace = `INSERT INTO convo_places (workspace, list, at, id)
	VALUES (?, ?, ?, ?)`
	MovePlace = `UPDATE convo_places SET list = ?, at = ?
	WHERE workspace = ? AND list = ? AND at = ? AND id = ?`
	DeletePlace = `DELETE FROM convo_places
	WHERE workspace = ? AND list = ? AND at = ? AND id = ?`
)

// Step is a statement of those that have a row of a conversation stand where it belongs in lists.
// One that inserts may find its key taken.
type Step struct {
	Statement string
	Inserts   bool
	Args      []any
}

// ListingSteps are those that a row of a conversation demands.
func ListingSteps(d *Dialect, r *convo.ConversationRow) (all []Step) {
	active, of := activeStatements[r.Listing], MovesOf(r)
	switch args := activeArgs(d, nil, r); {
	case r.Listing == convo.RowKept:
	case r.Listing == convo.RowUpdated && r.Moved:
		id := d.ID(r.ID)
		args = append(args[:len(args)-2], r.Contact, r.Workspace, id)
		if d.InsertOnce == "" {
			all = append(all, Step{moveActive, true, args})
		} else {
			args = append(args, r.Workspace, r.Contact, r.Lane, id)
			all = append(all, Step{MoveActive, false, args})
		}
	default:
		all = append(all, Step{active, r.Listing == convo.RowAdded, args})
	}
	for i := range of {
		if m := &of[i]; m.Action != convo.RowKept {
			all = append(all, Step{
				placeStatements[m.Action], m.Action == convo.RowAdded,
				m.args(d, nil, &r.Conversation),
			})
		}
	}
	return all
}

// placesStatements are the statements of ListingSteps that move a class in lists.
func placesStatements(class ChangeClass) (all []string) {
	for _, action := range class.moves {
		if action != convo.RowKept {
			all = append(all, placeStatements[action])
		}
	}
	return all
}

// listingArgs are the arguments of ListingSteps.
func listingArgs(d *Dialect, to []any, r *convo.ConversationRow) []any {
	return placesArgs(d, activeArgs(d, to, r), r)
}

func placesArgs(d *Dialect, to []any, r *convo.ConversationRow) []any {
	of := MovesOf(r)
	for i := range of {
		if of[i].Action != convo.RowKept {
			to = of[i].args(d, to, &r.Conversation)
		}
	}
	return to
}

var activeStatements = map[convo.RowAction]string{
	convo.RowAdded: InsertActive, convo.RowUpdated: UpdateActive, convo.RowRemoved: DeleteActive,
}

var placeStatements = map[convo.RowAction]string{
	convo.RowAdded: InsertPlace, convo.RowUpdated: MovePlace, convo.RowRemoved: DeletePlace,
}

func activeArgs(d *Dialect, to []any, r *convo.ConversationRow) []any {
	switch r.Listing {
	case convo.RowKept:
		return to
	case convo.RowAdded:
		return Actives.All.Args(d, to, &r.Conversation)
	case convo.RowUpdated:
		to = Actives.Mutable.Args(d, to, &r.Conversation)
	}
	return append(to, r.Workspace, d.ID(r.ID))
}

// args appends the arguments of the statement of a move.
func (m *Move) args(d *Dialect, to []any, c *convo.Conversation) []any {
	where := m.Was
	switch m.Action {
	case convo.RowAdded:
		where = m.Is
	case convo.RowUpdated:
		to = append(to, int64(m.Is.List), m.Is.At)
	}
	return append(to, c.Workspace, int64(where.List), where.At, d.ID(c.ID))
}
