package memstore

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

type field struct {
	name  string
	value reflect.Value
}

// fields are all fields of e, those of structs in it taken apart.
func fields(e *convo.EventRow) []field { return leaves(nil, "Event", reflect.ValueOf(e).Elem()) }

func leaves(all []field, name string, v reflect.Value) []field {
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return append(all, field{name, v})
	}
	for i := range v.NumField() {
		all = leaves(all, name+"."+v.Type().Field(i).Name, v.Field(i))
	}
	return all
}

// fill sets f to something that is not zero. It does not know every type, so that a new one is
// thought about.
func (f field) fill(t *testing.T) {
	name := f.name
	switch v := f.value.Addr().Interface().(type) {
	case *uuid.UUID:
		*v = uuid.New()
	case *time.Time:
		*v = time.UnixMicro(int64(len(name)) * 1e15).UTC()
	case *json.RawMessage:
		*v = json.RawMessage(fmt.Sprintf("%q", name))
	case *int:
		*v = len(name)
	case *int64:
		*v = int64(len(name)) << 40
	case *bool:
		*v = true
	case *convo.EventKind:
		*v = 255
	case *convo.Priority:
		*v = convo.Priority(len(name))
	default:
		require.Equal(t, reflect.String, f.value.Kind(), "how is %s, a %s, encoded?", name,
			f.value.Type())
		f.value.SetString("the value of " + name)
	}
	require.False(t, f.value.IsZero(), name)
}

// encodeRows is what encode does with the rows of events.
func encodeRows(owner string, rows []convo.EventRow) string {
	var b []byte
	for i := range rows {
		b = appendRow(b, owner, &rows[i], i > 0 && rows[i].ID == next(rows[i-1].ID))
	}
	return string(b)
}

// roundTrip is what is decoded of what is encoded.
func roundTrip(owner string, rows []convo.EventRow) (out []convo.EventRow) {
	r := reader(encodeRows(owner, rows))
	var last uuid.UUID
	for len(r) > 0 {
		e := convo.EventRow{Workspace: rows[0].Workspace, Conversation: rows[0].Conversation}
		r.row(&e, owner, last)
		last = e.ID
		out = append(out, e)
	}
	return out
}

// plain is an event with what every event has.
func plain() convo.EventRow {
	return convo.EventRow{
		ID: uuid.New(), Seq: 1, At: time.UnixMicro(1).UTC(), Contact: "riya", Kind: convo.NoteAdded,
		By: convo.ByContact(),
	}
}

func TestEveryFieldOfAnEventIsEncoded(t *testing.T) {
	full := plain()
	for i, f := range fields(&full) {
		f.fill(t)
		alone := plain()
		fields(&alone)[i].fill(t)
		for _, owner := range []string{"riya", "another"} {
			assert.Equal(t, []convo.EventRow{alone}, roundTrip(owner, []convo.EventRow{alone}),
				f.name)
		}
	}
	assert.Equal(t, []convo.EventRow{full}, roundTrip("riya", []convo.EventRow{full}))
	assert.Equal(t, []convo.EventRow{full}, roundTrip(full.Contact, []convo.EventRow{full}))
}

func TestEveryBatchDecodesToWhatWasEncoded(t *testing.T) { rapid.Check(t, decodesToWhatWasEncoded) }

func FuzzCodec(f *testing.F) { f.Fuzz(rapid.MakeFuzz(decodesToWhatWasEncoded)) }

func decodesToWhatWasEncoded(t *rapid.T) {
	text := rapid.OneOf(rapid.Just(""), rapid.Just("riya"), rapid.String(),
		rapid.StringOfN(rapid.RuneFrom([]rune("xé😀")), 0, 300, -1))
	at := rapid.Map(rapid.Int64Range(time.Time{}.UnixMicro(), 253402300799_999999),
		func(micros int64) time.Time {
			return time.UnixMicro(micros).UTC()
		})
	id := rapid.Custom(func(t *rapid.T) (id uuid.UUID) {
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		return id
	})
	number := rapid.OneOf(rapid.Int64Range(0, 1<<20), rapid.Int64())
	events := make([]convo.EventRow, rapid.IntRange(1, 6).Draw(t, "events"))
	for i := range events {
		e := &events[i]
		for _, f := range fields(e) {
			switch v := f.value.Addr().Interface().(type) {
			case *uuid.UUID:
				*v = id.Draw(t, f.name)
			case *time.Time:
				*v = at.Draw(t, f.name)
			case *json.RawMessage:
				if s := text.Draw(t, f.name); s != "" { // empty is none
					*v = json.RawMessage(s)
				}
			case *int:
				*v = int(number.Draw(t, f.name))
			case *int64:
				*v = number.Draw(t, f.name)
			case *convo.Priority:
				*v = convo.Priority(rapid.Byte().Draw(t, f.name))
			case *bool:
				*v = rapid.Bool().Draw(t, f.name)
			case *convo.EventKind:
				*v = convo.EventKind(rapid.Byte().Draw(t, f.name))
			default:
				f.value.SetString(text.Draw(t, f.name))
			}
		}
		// those of the log
		e.Workspace, e.Conversation = events[0].Workspace, events[0].Conversation
		if rapid.Bool().Draw(t, "known") {
			e.Kind, e.By.Type = rapid.SampledFrom(convo.EventKinds()).Draw(t,
				"kind"), rapid.SampledFrom(actors).Draw(t, "actor")
		}
		if i > 0 && rapid.Bool().Draw(t, "next") {
			e.ID = next(events[i-1].ID)
		}
		if e.Contact == "" {
			e.Contact = "riya" // an event has one
		}
	}
	require.Equal(t, events, roundTrip("riya", events))
	require.Equal(t, events[0].Seq, firstSeq(encodeRows("riya", events)))
}

func TestDecodingStopsWhenNoMoreIsWanted(t *testing.T) {
	rows := []convo.EventRow{plain(), plain(), plain()}
	n := 0
	all := decode(encodeRows("", rows), &convo.Event{}, "", func(*convo.Event) bool {
		n++
		return n < 2
	})
	assert.False(t, all)
	assert.Equal(t, 2, n)
}

func TestIdsThatCountUpTakeNoSpace(t *testing.T) {
	first, second := plain(), plain()
	apart := len(encodeRows("riya", []convo.EventRow{first, second}))
	second.ID = next(first.ID)
	assert.LessOrEqual(t, len(encodeRows("riya", []convo.EventRow{first, second})), apart-14)
	first.ID = uuid.Max // the last one of all
	second.ID = next(first.ID)
	assert.Equal(t, []convo.EventRow{first, second},
		roundTrip("riya", []convo.EventRow{first, second}))
}
