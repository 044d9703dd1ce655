package faults_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// The model of one contact, small enough to be seen right: what a sequence of operations makes of
// it, one after the other, each exactly once.

// operation is what a client wants of a contact.
type operation struct {
	contact string
	command convo.CommandName // or one of the reads
	text    string            // its own: body of a message or note, or summary of a closing
}

// The reads, and a command that is not repeated.
const (
	readHead    convo.CommandName = "read the conversation"
	readHistory convo.CommandName = "read the history"
	sendOnce    convo.CommandName = "send without a key"
)

// anew says that a conversation of the contact that was closed stays closed, and another one is
// opened. Such contacts get no notes: a note is for the conversation that is the latest one when
// the engine looks, even if the next one is opened before it is written, so there is no moment at
// which it happens.
func (op operation) anew() bool { return strings.HasPrefix(op.contact, "anew") }

// hasKey says that it is repeated until there is an answer.
func (op operation) hasKey() bool {
	return op.command == convo.CommandReceive || op.command == convo.CommandSend ||
		op.command == convo.CommandOpen
}

func (op operation) reads() bool { return op.command == readHead || op.command == readHistory }

// answer is what the client got. An operation without an answer may have been carried out or not.
type answer struct {
	unknown bool
	refused bool
	version int64  // of the conversation after it; 0: it did not say
	history uint64 // of a readHistory: its digest
}

// state is what there is of a contact.
type state struct {
	status  convo.Status // of the latest conversation; empty: nobody is known
	version int64
	log     uint64 // digest of the latest conversation's events
	past    uint64 // of all other conversations
}

func (s state) history() uint64 { return s.past + s.log }

// with is the state after an event of the latest conversation.
func (s state) with(status convo.Status, kind convo.EventKind, text string) state {
	return state{status, s.version + 1, digest(s.log, kind, text), s.past}
}

// entered is the state after what enters a contact without an active conversation: a new one, or
// the latest one again.
func (s state) entered(op operation) state {
	if s.status == "" || op.anew() {
		return state{past: s.history()}.with(convo.StatusOpen, convo.ConversationOpened, "")
	}
	return s.with(convo.StatusOpen, convo.ConversationReopened, "")
}

// carryOut is what op makes of s, when it is not refused.
func (s state) carryOut(op operation) (_ state, ok bool) {
	active := s.status == convo.StatusOpen
	switch op.command {
	case convo.CommandReceive:
		if !active {
			s = s.entered(op)
		}
		return s.with(s.status, convo.MessageReceived, op.text), true
	case convo.CommandOpen:
		if !active {
			s = s.entered(op)
		}
		return s, true
	case convo.CommandSend, sendOnce:
		return s.with(s.status, convo.MessageSent, op.text), active
	case convo.CommandNote:
		return s.with(s.status, convo.NoteAdded, op.text), s.status != ""
	case convo.CommandClose:
		return s.with(convo.StatusClosed, convo.ConversationClosed, op.text), active
	case convo.CommandReopen:
		if s.status == convo.StatusClosed {
			s = s.with(convo.StatusOpen, convo.ConversationReopened, "")
		}
		return s, s.status != ""
	case readHead:
		return s, active
	case readHistory:
		return s, s.status != ""
	}
	panic(op.command)
}

// step says whether a can be the answer to op in s, and what comes of it.
func (s state) step(op operation, a answer) (bool, state) {
	next, ok := s.carryOut(op)
	switch {
	case !ok:
		return a.unknown || a.refused, s
	case a.unknown:
		return true, next // not carried out is the same as carried out after all others
	}
	return !a.refused && (a.version == 0 || a.version == next.version) &&
		(op.command != readHistory || a.history == next.history()), next
}

var model = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(s, op, a any) (bool, any) {
		ok, next := s.(state).step(op.(operation), a.(answer))
		return ok, next
	},
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		by := map[string]int{}
		for _, o := range history {
			contact := o.Input.(operation).contact
			if _, ok := by[contact]; !ok {
				by[contact] = len(parts)
				parts = append(parts, nil)
			}
			parts[by[contact]] = append(parts[by[contact]], o)
		}
		return parts
	},
	Hash: func(s any) uint64 { return s.(state).history() },
}

// digest is that of a log with one more event.
func digest(log uint64, kind convo.EventKind, text string) uint64 {
	h := fnv.New64a()
	_ = binary.Write(h, binary.BigEndian, log)
	_, _ = h.Write([]byte(kind.String()))
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}

// digestOf is that of a contact's history, in which conversations may overlap.
func digestOf(events []convo.Event) uint64 {
	logs := map[uuid.UUID]uint64{}
	var all uint64
	for _, e := range events {
		all -= logs[e.Conversation]
		logs[e.Conversation] = digest(logs[e.Conversation], e.Kind, e.Row().Body+e.Row().Summary)
		all += logs[e.Conversation]
	}
	return all
}

// explain prints the end of the longest history that can be, and what cannot follow it.
func explain(history []porcupine.Operation) (text string) {
	for _, part := range model.Partition(history) {
		one := model
		one.Partition = nil
		result, info := porcupine.CheckOperationsVerbose(one, part, time.Minute)
		if result == porcupine.Ok {
			continue
		}
		var longest []porcupine.Operation
		for _, p := range info.PartialLinearizationsOperations()[0] {
			if len(p) > len(longest) {
				longest = p
			}
		}
		var s state
		for i, o := range longest {
			_, s = s.step(o.Input.(operation), o.Output.(answer))
			if i >= len(longest)-5 {
				text += fmt.Sprintf("%+v %+v %d-%d then %+v %d\n", o.Input, o.Output, o.Call,
					o.Return, s, s.history())
			}
		}
		text += "cannot be followed by any of\n"
		rest := slices.DeleteFunc(slices.Clone(part),
			func(o porcupine.Operation) bool { return slices.Contains(longest, o) })
		first := slices.MinFunc(rest,
			func(a, b porcupine.Operation) int { return cmp.Compare(a.Return, b.Return) })
		for _, o := range rest {
			if o.Call <= first.Return { // then it can be the next
				text += fmt.Sprintf("%+v %+v %d-%d\n", o.Input, o.Output, o.Call, o.Return)
			}
		}
		return text
	}
	return ""
}
