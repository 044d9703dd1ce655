package sqlstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/chatlifecycle/convo"
)

// leastPacket holds what the default limits of a policy allow in a message. The server's own
// default is 16 MiB.
const leastPacket = 1 << 20

// packetRest is room for all that is not a text of any length: of a row, and of a statement.
const packetRest = 64 << 10

// fits demands that each row of changes, which a policy allowed, can be sent to the server: it ends
// the connection at anything larger than its max_allowed_packet. atOnce says that all can be sent
// together, even if the driver writes the values into the text.
func (s *Store) fits(changes []convo.Change) (atOnce bool, err error) {
	if s.packet == 0 {
		return true, nil
	}
	room, all := int(s.packet-packetRest), 0
	for i := range changes {
		ch := &changes[i]
		all += 2 * quoted(room, ch.Conversation.Cycle.Closing.Summary) // it is in the cycle, too
		for j := range ch.Events {
			r := ch.Events[j].Row()
			size, asText := lengthOf(&r), quoted(room, r.Body, string(r.Attachments), r.Summary)
			if s.stmts.unprepared {
				size = asText
			}
			if size > room {
				return false, s.tooLong(longestField(&r), fmt.Sprintf("%d bytes are", size))
			}
			all += asText
		}
	}
	return all <= room, nil
}

// quoted is how long texts are in a statement, where some bytes are written as two. Where there is
// room for two of all, it is their length.
func quoted(room int, texts ...string) (n int) {
	for _, t := range texts {
		n += len(t)
	}
	if 2*n <= room {
		return n
	}
	for _, t := range texts {
		for i := range len(t) {
			if strings.IndexByte("'\"\\\x00\n\r\x1a", t[i]) >= 0 {
				n++
			}
		}
	}
	return n
}

// lengthOf is how long the texts of an event are together that only a policy limits.
func lengthOf(r *convo.EventRow) int { return len(r.Body) + len(r.Attachments) + len(r.Summary) }

// longestField is what the longest text of an event is called in the command.
func longestField(r *convo.EventRow) string {
	switch {
	case len(r.Summary) > len(r.Body):
		return "summary"
	case len(r.Attachments) > len(r.Body):
		return "attachments"
	case r.Kind == convo.ContactBlocked:
		return "reason"
	}
	return "body"
}

func (s *Store) tooLong(field, what string) error {
	return &convo.ValidationError{Field: field, Rule: fmt.Sprintf("must, with its row, be shorter "+
		"than the max_allowed_packet of the server, which is %d bytes (%s too long): lower the "+
		"limits of the policy, or raise it on the server and in the DSN (maxAllowedPacket)",
		s.packet, what)}
}

// packetTooLarge is MariaDB's word ER_NET_PACKET_TOO_LARGE.
const packetTooLarge = "1153"

// inPacket is err, or, when it says that a statement was too long after all, what is to be done:
// the packet may have become smaller since Open.
func (s *Store) inPacket(err error, changes []convo.Change) error {
	if err == nil || s.packet == 0 ||
		errors.Is(err, convo.ErrCommitUnknown) || errors.Is(err, convo.ErrTransactionLost) ||
		codeOf(err) != packetTooLarge {
		return err
	}
	var longest convo.EventRow
	for i := range changes {
		for j := range changes[i].Events {
			if r := changes[i].Events[j].Row(); lengthOf(&r) >= lengthOf(&longest) {
				longest = r
			}
		}
	}
	return s.tooLong(longestField(&longest), err.Error()+": the statement is")
}
