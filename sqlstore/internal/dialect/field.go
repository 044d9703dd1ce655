package dialect

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Field is a field of a row, in the type that says what its column holds. A driver may hand out
// any of its own types for the column: Scan takes them all, and NULL as zero.
type Field interface {
	sql.Scanner
	kind() kind
	spelled
	// arg is the field as an argument; with optional, NULL for an empty one. It shares no memory
	// with the row.
	arg(d *Dialect, optional bool) any
}

// spelled reads what a column holds out of a text, as Scan does, but needs no memory for that.
// An empty one is NULL.
type spelled interface{ read(text string) error }

type (
	// Text is an identifier or a word: at most 255 bytes, without control characters.
	Text string
	// KeyText is an external id or a key: as a Text, but of at most 998 bytes.
	KeyText string
	// FreeText is any text.
	FreeText string
	// PlainText is any text that has no control characters but ends of lines.
	PlainText string
	// Quoted is any text, kept as a string of JSON, which has no control characters.
	Quoted string
	// JSON is kept as text.
	JSON []byte
	// Int has 64 bits.
	Int int64
	// Count has 32 bits.
	Count int
	// Rank is a small number of 32 bits.
	Rank uint8
	// Flag is true or false.
	Flag bool
	// Micros is a time in microseconds since 1970, UTC.
	Micros time.Time
	// ID is a UUID.
	ID uuid.UUID
	// EventKind is kept by its name.
	EventKind convo.EventKind
	// Blob is any bytes.
	Blob []byte
)

type kind uint8

const (
	text kind = iota
	keyText
	freeText
	plainText
	jsonText
	bigInt
	count
	flag
	micros
	id
	eventKind
	blob
)

func (*Text) kind() kind      { return text }
func (*KeyText) kind() kind   { return keyText }
func (*FreeText) kind() kind  { return freeText }
func (*PlainText) kind() kind { return plainText }
func (*Quoted) kind() kind    { return plainText }
func (*JSON) kind() kind      { return jsonText }
func (*Int) kind() kind       { return bigInt }
func (*Count) kind() kind     { return count }
func (*Rank) kind() kind      { return count }
func (*Flag) kind() kind      { return flag }
func (*Micros) kind() kind    { return micros }
func (*ID) kind() kind        { return id }
func (*EventKind) kind() kind { return eventKind }
func (*Blob) kind() kind      { return blob }

func (t *Text) arg(_ *Dialect, optional bool) any {
	if optional && *t == "" {
		return nil
	}
	return string(*t)
}

func (t *KeyText) arg(d *Dialect, optional bool) any  { return (*Text)(t).arg(d, optional) }
func (t *FreeText) arg(d *Dialect, optional bool) any { return (*Text)(t).arg(d, optional) }

func (t *PlainText) arg(d *Dialect, optional bool) any { return (*Text)(t).arg(d, optional) }

func (q *Quoted) arg(_ *Dialect, optional bool) any {
	if optional && *q == "" {
		return nil
	}
	text, _ := json.Marshal(string(*q)) // which always can be
	return string(text)
}

func (j *JSON) arg(_ *Dialect, optional bool) any {
	if optional && len(*j) == 0 {
		return nil
	}
	return string(*j)
}

func (n *Int) arg(_ *Dialect, optional bool) any {
	if optional && *n == 0 {
		return nil
	}
	return int64(*n)
}

func (n *Count) arg(_ *Dialect, optional bool) any {
	if optional && *n == 0 {
		return nil
	}
	return int64(*n)
}

func (b *Flag) arg(_ *Dialect, optional bool) any {
	if optional && !bool(*b) {
		return nil
	}
	return bool(*b)
}

func (t *Micros) arg(_ *Dialect, optional bool) any {
	at := time.Time(*t)
	if optional && at.IsZero() {
		return nil
	}
	return at.UnixMicro()
}

func (u *ID) arg(d *Dialect, optional bool) any {
	if optional && uuid.UUID(*u) == uuid.Nil {
		return nil
	}
	return d.ID(uuid.UUID(*u))
}

func (k *EventKind) arg(*Dialect, bool) any { return convo.EventKind(*k).String() }

func (b *Blob) arg(_ *Dialect, optional bool) any {
	if optional && len(*b) == 0 {
		return nil
	}
	return []byte(*b)
}

// Scan implements sql.Scanner.
func (b *Blob) Scan(v any) error {
	var t Text
	err := t.Scan(v)
	_ = b.read(string(t))
	return err
}

func (b *Blob) read(text string) error {
	*b = Blob(text)
	return nil
}

// Scan implements sql.Scanner.
func (t *Text) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t = ""
	case string:
		*t = Text(v)
	case []byte:
		*t = Text(v)
	default:
		return unexpected(v)
	}
	return nil
}

// Scan implements sql.Scanner.
func (t *KeyText) Scan(v any) error { return (*Text)(t).Scan(v) }

// Scan implements sql.Scanner.
func (t *FreeText) Scan(v any) error { return (*Text)(t).Scan(v) }

// Scan implements sql.Scanner.
func (t *PlainText) Scan(v any) error { return (*Text)(t).Scan(v) }

func (t *Text) read(text string) error {
	*t = Text(text)
	return nil
}

func (t *KeyText) read(text string) error   { return (*Text)(t).read(text) }
func (t *FreeText) read(text string) error  { return (*Text)(t).read(text) }
func (t *PlainText) read(text string) error { return (*Text)(t).read(text) }

// Scan implements sql.Scanner.
func (q *Quoted) Scan(v any) error {
	var t Text
	if err := t.Scan(v); err != nil {
		return err
	}
	return q.read(string(t))
}

func (q *Quoted) read(text string) error {
	if *q = ""; text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), (*string)(q))
}

// arg and Scan of a Rank are those of a small number.
func (r *Rank) arg(_ *Dialect, optional bool) any {
	if optional && *r == 0 {
		return nil
	}
	return int64(*r)
}

// Scan implements sql.Scanner.
func (r *Rank) Scan(v any) error {
	var n Int
	err := n.Scan(v)
	*r = Rank(n) //nolint:gosec // it was written as one
	return err
}

func (r *Rank) read(text string) error {
	var n Int
	err := n.read(text)
	*r = Rank(n) //nolint:gosec // likewise
	return err
}

// Scan implements sql.Scanner. It takes a kind of a later version as 0.
func (k *EventKind) Scan(v any) error {
	var t Text
	err := t.Scan(v)
	_ = k.read(string(t))
	return err
}

func (k *EventKind) read(text string) error {
	*k = EventKind(convo.EventKindOf(text))
	return nil
}

// Scan implements sql.Scanner.
func (j *JSON) Scan(v any) error {
	var t Text
	err := t.Scan(v)
	_ = j.read(string(t))
	return err
}

func (j *JSON) read(text string) error {
	if *j = nil; text != "" {
		*j = JSON(text)
	}
	return nil
}

// Scan implements sql.Scanner.
func (n *Int) Scan(v any) (err error) {
	switch v := v.(type) {
	case nil:
		*n = 0
	case int64:
		*n = Int(v)
	case string:
		err = n.read(v)
	case []byte:
		err = n.read(string(v))
	default:
		return unexpected(v)
	}
	return err
}

func (n *Int) read(text string) (err error) {
	if *n = 0; text != "" {
		*(*int64)(n), err = strconv.ParseInt(text, 10, 64)
	}
	return err
}

// Scan implements sql.Scanner.
func (n *Count) Scan(v any) error {
	var i Int
	err := i.Scan(v)
	*n = Count(i)
	return err
}

func (n *Count) read(text string) error {
	var i Int
	err := i.read(text)
	*n = Count(i)
	return err
}

// Scan implements sql.Scanner.
func (b *Flag) Scan(v any) error {
	if v, ok := v.(bool); ok {
		*b = Flag(v)
		return nil
	}
	var i Int
	err := i.Scan(v)
	*b = i != 0
	return err
}

func (b *Flag) read(text string) error {
	if text == "t" || text == "f" { // as PostgreSQL prints it
		*b = text == "t"
		return nil
	}
	var i Int
	err := i.read(text)
	*b = i != 0
	return err
}

// Scan implements sql.Scanner.
func (t *Micros) Scan(v any) error {
	if v == nil {
		*t = Micros{}
		return nil
	}
	var i Int
	err := i.Scan(v)
	*t = Micros(time.UnixMicro(int64(i)).UTC())
	return err
}

func (t *Micros) read(text string) error {
	if *t = (Micros{}); text == "" {
		return nil
	}
	var i Int
	err := i.read(text)
	*t = Micros(time.UnixMicro(int64(i)).UTC())
	return err
}

// Scan implements sql.Scanner.
func (u *ID) Scan(v any) (err error) {
	var id uuid.UUID
	switch v := v.(type) {
	case nil:
	case string:
		id, err = uuid.Parse(v)
	case []byte:
		if len(v) == len(id) {
			copy(id[:], v)
		} else {
			id, err = uuid.ParseBytes(v)
		}
	case [16]byte:
		id = v
	default:
		return unexpected(v)
	}
	*u = ID(id)
	return err
}

func (u *ID) read(text string) error {
	if text == "" {
		*u = ID{}
		return nil
	}
	return u.Scan(text)
}

func unexpected(v any) error {
	return fmt.Errorf("sqlstore: the driver answers with a %T, which is not what the column holds",
		v)
}

// appendJSON appends an argument, as arg returns it, as JSON.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case string:
		return appendQuoted(b, v)
	}
	panic(fmt.Sprintf("sqlstore: a %T in a list of rows", v))
}

func appendQuoted(b []byte, s string) []byte {
	plain := func(c rune) bool { return c >= ' ' && c != '"' && c != '\\' && c != '\uFFFD' }
	if strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return append(append(append(b, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string cannot fail
	return append(b, quoted...)
}
