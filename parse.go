package convo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// fields is any command, taken apart once; fields that a command does not have are zero.
type fields struct {
	kind        commandKind
	by          Actor
	at          time.Time
	key         string
	source      Source
	channel     string
	address     string // the value on channel
	externalID  string // the external id of a message
	sentAt      time.Time
	quiet       bool
	text        string // body, summary, comment or reason
	attachments json.RawMessage
	category    string
	message     MessageRef // that is edited or taken back
	redact      bool
	until       time.Time
	onReceive   OnReceive
	cycle       int
	score       int
	assignee    string
	team        string
	about       *description // of the commands that describe something
	to          *destination // of a Move
}

// read takes cmd apart with a type switch, not a method, so that commands need not live on the
// heap.
func (o *fields) read(cmd Command) error {
	switch c := cmd.(type) {
	case Open:
		*o = fields{
			kind:    kindOpen,
			by:      c.By,
			at:      c.At,
			key:     c.Key,
			source:  c.Source,
			channel: c.Channel,
		}
	case Receive:
		*o = fields{
			kind:        kindReceive,
			by:          c.By,
			at:          c.At,
			key:         c.Key,
			source:      SourceIncomingMessage,
			channel:     c.Channel,
			address:     c.Address,
			externalID:  c.ExternalID,
			sentAt:      c.SentAt,
			quiet:       c.Quiet,
			text:        c.Body,
			attachments: c.Attachments,
		}
		if o.by.Type == "" {
			o.by.Type = ActorContact
		}
	case Send:
		*o = fields{kind: kindSend, by: c.By, at: c.At, key: c.Key,
			channel: c.Channel, address: c.Address, externalID: c.ExternalID, sentAt: c.SentAt,
			quiet: c.Quiet,
			text:  c.Body, attachments: c.Attachments}
	case Note:
		*o = fields{
			kind:        kindNote,
			by:          c.By,
			at:          c.At,
			key:         c.Key,
			text:        c.Body,
			attachments: c.Attachments,
		}
	case Edit:
		*o = fields{
			kind:        kindEdit,
			by:          c.By,
			at:          c.At,
			key:         c.Key,
			message:     MessageRef{c.Message, c.Channel, c.Address, c.ExternalID},
			text:        c.Body,
			attachments: c.Attachments,
		}
	case Retract:
		*o = fields{
			kind:    kindRetract,
			by:      c.By,
			at:      c.At,
			key:     c.Key,
			message: MessageRef{c.Message, c.Channel, c.Address, c.ExternalID},
			redact:  c.Redact,
		}
	case Identify:
		*o = fields{
			kind:    kindIdentify,
			by:      c.By,
			at:      c.At,
			key:     c.Key,
			message: MessageRef{c.Message, c.Channel, c.Address, c.ExternalID},
		}
	case SetPending:
		*o = fields{kind: kindSetPending, by: c.By, at: c.At, key: c.Key, until: c.Until,
			onReceive: c.OnReceive}
	case Resume:
		*o = fields{kind: kindResume, by: c.By, at: c.At, key: c.Key, source: c.Source}
	case Close:
		*o = fields{
			kind:     kindClose,
			by:       c.By,
			at:       c.At,
			key:      c.Key,
			source:   c.Source,
			category: c.Category,
			text:     c.Summary,
		}
	case Reopen:
		*o = fields{kind: kindReopen, by: c.By, at: c.At, key: c.Key, source: c.Source}
	case Assign:
		*o = fields{
			kind:     kindAssign,
			by:       c.By,
			at:       c.At,
			key:      c.Key,
			assignee: c.Assignee,
			team:     c.Team,
		}
	case AmendClosing:
		*o = fields{
			kind:     kindAmendClosing,
			by:       c.By,
			at:       c.At,
			key:      c.Key,
			category: c.Category,
			text:     c.Summary,
		}
	case Label:
		*o = fields{kind: kindLabel, by: c.By, at: c.At, key: c.Key,
			about: &description{add: c.Add, remove: c.Remove}}
	case Prioritize:
		*o = fields{kind: kindPrioritize, by: c.By, at: c.At, key: c.Key,
			about: &description{priority: c.Priority}}
	case Describe:
		*o = fields{kind: kindDescribe, by: c.By, at: c.At, key: c.Key,
			about: &description{name: c.Subject, patch: c.Attributes}}
	case SetProfile:
		*o = fields{kind: kindSetProfile, by: c.By, at: c.At, key: c.Key,
			about: &description{name: c.Name, patch: c.Attributes}}
	case Move:
		*o = fields{kind: kindMove, by: c.By, at: c.At, key: c.Key,
			to: &destination{c.Contact, c.Lane, c.Channel}}
	case Rate:
		*o = fields{kind: kindRate, by: c.By, at: c.At, key: c.Key, cycle: c.Cycle,
			score: c.Score, text: c.Comment}
		if o.by.Type == "" {
			o.by.Type = ActorContact
		}
	case Block:
		*o = fields{kind: kindBlock, by: c.By, at: c.At, key: c.Key, text: c.Reason}
	case Unblock:
		*o = fields{kind: kindUnblock, by: c.By, at: c.At, key: c.Key}
	case LinkAddress:
		*o = fields{kind: kindLinkAddress, by: c.By, at: c.At, key: c.Key}
	case UnlinkAddress:
		*o = fields{kind: kindUnlinkAddress, by: c.By, at: c.At, key: c.Key}
	default:
		return invalid(
			"command",
			fmt.Sprintf("%T is none: pass one of the command structs by value", cmd),
		)
	}
	if o.source == "" {
		o.source = Source(o.by.Type)
	}
	if isNull(o.attachments) {
		o.attachments = nil
	}
	if o.about != nil && isNull(o.about.patch) {
		o.about.patch = nil
	}
	return nil
}

// isNull reports whether a is what other languages write for none.
func isNull(a json.RawMessage) bool {
	return len(a) >= len("null") && string(bytes.TrimSpace(a)) == "null"
}

// inactivity reports whether o is the timer's closing, or an import of one.
func (o *fields) inactivity() bool {
	return o.kind == kindClose && o.by.Type == ActorSystem && o.source == SourceInactivity
}
