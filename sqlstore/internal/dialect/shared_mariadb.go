package dialect

import (
	"slices"
	"strconv"
	"strings"

	"github.com/chatlifecycle/convo"
)

// MariaDB reads a wide row of JSON more slowly than it is sent one. So there what callers share is
// a block of so many places, each with the statements of a message in it, and an argument for each
// value; a place that is left over has NULLs, and costs next to nothing. What only some messages
// have, their keys and their places in lists, comes as JSON, if there is any.

// mariadbAsked are the columns that are read to look for a key.
var mariadbAsked = askedKeys.Only(func(name string) bool {
	return name == "workspace" || name == "channel" || name == "id" || name == "erased"
}).listed()

// inBytes is how values are written and compared there.
var inBytes = Dialect{}

// mariadbPart is a message's part of a shared block.
type mariadbPart struct {
	found, contact []any // how it must find the conversation, and its contact
	writes         []any // the arguments of mariadbMessage
	note           []any // those of InsertNote, where there is an outbox
	lists          [mariadbLists][][]byte
}

// The lists of a shared block. Each of their objects has the number of its message.
const (
	mariadbNewKeys = iota
	mariadbNewPlaces
	mariadbMovedPlaces
	mariadbGonePlaces
	mariadbLists
)

var mariadbPlaces = map[convo.RowAction]int{
	convo.RowAdded: mariadbNewPlaces, convo.RowUpdated: mariadbMovedPlaces,
	convo.RowRemoved: mariadbGonePlaces,
}

func mariadbSharedPart(ch *convo.Change, noted bool) SharedPart {
	r := &ch.Conversation
	id := inBytes.ID(r.ID)
	p := &mariadbPart{
		found: asLoadedArgs([]any{id, r.Workspace}, r),
	}
	if c := &ch.Contact; c.Action == convo.RowCompared {
		p.contact = []any{c.ID, c.Workspace, c.Expected, c.SeenAt.UnixMicro()}
	}
	a := make([]any, 0, mariadbWrites)
	a = append(Conversations.ByMessages.Args(&inBytes, a, &r.Conversation), id, r.Workspace)
	a = EventArgs(MessageEvents, &inBytes, a, &ch.Events[0])
	a = append(a, r.Workspace, id, ch.Events[0].Seq)
	p.writes = a
	p.note = notesArgs(&inBytes, nil, ChangeClass{Noted: noted}, ch)
	size := 0
	for _, v := range p.writes {
		text, _ := v.(string)
		size += 16 + len(text)
	}
	list := func(i int, object []byte) {
		p.lists[i] = append(p.lists[i], object)
		size += len(object)
	}
	for _, k := range ch.Keys {
		list(mariadbNewKeys, askedKeys.appendObject(nil, &asJSON, &Key{r.Workspace, k}))
	}
	for _, m := range MovesOf(r) {
		if m.Action == convo.RowKept {
			continue
		}
		var o jsonRows
		o.move(r, &m)
		list(mariadbPlaces[m.Action], o.b[1:])
	}
	return SharedPart{block: p, Bytes: size}
}

// mariadbFound is how many values a conversation is found by, mariadbWrites how many arguments
// mariadbMessage has, and mariadbNotes how many InsertNote has.
var (
	mariadbFound  = 2 + len(loadedColumns)
	mariadbWrites = strings.Count(mariadbMessage, "?")
	mariadbNotes  = strings.Count(InsertNote, "?")
)

// mariadbPlacesFor is for how many messages there is a block that holds n.
func mariadbPlacesFor(n int) int {
	places := 2
	for places < n {
		places *= 2
	}
	return min(places, MaxShared)
}

func mariadbShare(parts []SharedPart, noted bool) (class ChangeClass, a []any) {
	places := mariadbPlacesFor(len(parts))
	a = make([]any, 0, mariadbLists+1+places*(mariadbFound+2+4+2+mariadbWrites+mariadbNotes))
	nulls := func(n int) {
		for range n {
			a = append(a, nil)
		}
	}
	rest := places - len(parts)
	for i := range mariadbLists {
		a = append(a, mariadbList(parts, i))
	}
	uncompared := int64(0)
	for i := range parts {
		if parts[i].block.contact == nil {
			uncompared |= 1 << i
		}
	}
	for i := range parts {
		a = append(a, parts[i].block.found...)
	}
	nulls(mariadbFound * rest)
	for i := range parts {
		a = append(a, parts[i].block.found[:2]...)
	}
	nulls(2 * rest)
	a = append(a, uncompared)
	for _, width := range [...]int{4, 2} {
		for i := range parts {
			if c := parts[i].block.contact; c != nil {
				a = append(a, c[:width]...)
			} else {
				nulls(width)
			}
		}
		nulls(width * rest)
	}
	for i := range parts {
		if a = append(a, parts[i].block.writes...); noted {
			a = append(a, parts[i].block.note...)
		}
	}
	if nulls(mariadbWrites * rest); noted {
		nulls(mariadbNotes * rest)
	}
	return ChangeClass{shared: places, Noted: noted}, a
}

// mariadbList is one of the lists of all parts, or NULL.
func mariadbList(parts []SharedPart, list int) any {
	var b []byte
	for i := range parts {
		for _, o := range parts[i].block.lists[list] {
			b = appendNumbered(b, i, o)
		}
	}
	if b == nil {
		return nil
	}
	b[0] = '['
	return string(append(b, ']'))
}

// mariadbMessage writes a message of a conversation that is held.
var mariadbMessage = byPrimaryKey(`UPDATE convo_conversations SET `+
	Conversations.ByMessages.assignments()+`
WHERE id = ? AND workspace = ?`) + `;
` + InsertMessageEvent + `;
` + InsertQueued + mariadbKeepQueued + `;
`

// mariadbShared is the block for so many messages.
func mariadbShared(places int, noted bool) string {
	message := mariadbMessage
	if noted {
		message += InsertNote + ";\n"
	}
	var b strings.Builder
	// bits are those of the places of which a row fulfils the condition
	bits := func(condition string) string {
		var b strings.Builder
		for i := range places {
			b.WriteString(" | IF(" + condition + ", " + bitOf(i) + ", 0)")
		}
		return "COALESCE(BIT_OR(" + b.String()[3:] + "), 0)"
	}
	anyOf := strings.Repeat(" OR id = ? AND workspace = ?", places)[4:]
	b.WriteString(`BEGIN NOT ATOMIC
	DECLARE new_keys, new_places, moved_places, gone_places LONGTEXT CHARACTER SET utf8mb4;
	DECLARE written BIGINT DEFAULT 0;
	DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
	SET new_keys = ?, new_places = ?, moved_places = ?, gone_places = ?;
	START TRANSACTION;
	SELECT ` + bits("id = ? AND workspace = ? AND "+asLoaded("", placeholder)) + ` INTO written
	FROM convo_conversations FORCE INDEX (PRIMARY) WHERE ` + anyOf + skipLocked + `;
	SELECT written & (? | ` + bits("id = ? AND workspace = ? AND version = ? AND seen_at <= ?") + `)
	INTO written
	FROM convo_contacts FORCE INDEX (PRIMARY) WHERE ` + anyOf + `;
	IF new_keys IS NOT NULL THEN
` + mariadbUnlessKey("id") + mariadbUnlessKey("erased") + `	END IF;
`)
	for i := range places {
		b.WriteString("	IF written & " + bitOf(i) + " THEN\n" + message + "	END IF;\n")
	}
	b.WriteString(mariadbLast + `	COMMIT;
	SELECT written;
END`)
	return b.String()
}

// mariadbUnlessKey leaves out the messages with a key whose id, or what an erasure leaves of it, is
// there.
func mariadbUnlessKey(id string) string {
	return `		SELECT written & ~COALESCE(BIT_OR(1 << listed.n), 0) INTO written
		FROM ` + inBlock("new_keys", mariadbAsked) + `
		STRAIGHT_JOIN convo_keys ky FORCE INDEX (PRIMARY)
		ON ky.workspace = listed.workspace AND ky.channel = listed.channel
			AND ky.id = listed.` + id + `;
`
}

func bitOf(place int) string { return strconv.FormatInt(1<<place, 10) }

// inBlock reads a list in a variable of the block as rows, each with the number of its message.
func inBlock(variable string, columns []listColumn) string {
	numbered := slices.Concat([]listColumn{{"n", count}}, columns)
	return strings.Replace(inBytes.list(numbered), "?", variable, 1)
}

const ofWritten = "written >> listed.n & 1"

// mariadbLast writes what is listed, for the messages that are written.
var mariadbLast = func() string {
	now := []listColumn{{"list_now", count}, {"at_now", bigInt}}
	place := "\n\t\tON " + inBytes.where("pl", placeKey) + " AND " + ofWritten
	var keys []string
	for _, c := range Keys.All.listed() {
		keys = append(keys, inBytes.listValue(c))
	}
	return `	IF new_keys IS NOT NULL THEN
		INSERT INTO convo_keys (` + Keys.All.Names() + `)
		SELECT ` + strings.Join(keys, ", ") + `
		FROM ` + inBlock("new_keys", Keys.All.listed()) + ` WHERE ` + ofWritten + `;
	END IF;
	IF gone_places IS NOT NULL THEN
		DELETE pl FROM ` + inBlock("gone_places", placeKey) + `
		STRAIGHT_JOIN convo_places pl FORCE INDEX (PRIMARY)` + place + `;
	END IF;
	IF moved_places IS NOT NULL THEN
		UPDATE ` + inBlock("moved_places", slices.Concat(placeKey, now)) + `
		STRAIGHT_JOIN convo_places pl FORCE INDEX (PRIMARY)` + place + `
		SET pl.list = listed.list_now, pl.at = listed.at_now;
	END IF;
	IF new_places IS NOT NULL THEN
		INSERT INTO convo_places (workspace, list, at, id)
		SELECT listed.workspace, listed.list_now, listed.at_now, ` +
		inBytes.listValue(listColumn{"id", id}) + `
		FROM ` + inBlock("new_places", slices.Concat(conversationKey, now)) + `
		WHERE ` + ofWritten + `;
	END IF;
`
}()
