package convo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Command is something to do to a contact's conversation: one of the structs of this file, by value.
//
// Every command says By whom. At is when it happened, for imports: zero means now, and a time before the
// conversation's last event is ErrOutOfOrder. Key makes it idempotent: see [Engine.Do].
type Command interface{ command() }

// Open opens a conversation, or reopens the latest one when Policy.Open says so. An active one stays as it is; a
// pending one is resumed.
type Open struct {
	By      Actor     `json:"by"`
	At      time.Time `json:"at,omitzero"`
	Key     string    `json:"key,omitempty"`
	Channel string    `json:"channel,omitempty"` // default: the channel of the Ref's address
	Source  Source    `json:"source,omitempty"`  // default: the actor's type, or restart for a reopening by the contact
}

// Receive records a message from the contact, and opens, resumes or reopens a conversation for it, or is rejected with
// ErrClosed, as the policy says. With an ExternalID it is idempotent: (workspace, Channel, ExternalID) is unique.
type Receive struct {
	By          Actor           `json:"by,omitzero"` // default: the contact
	At          time.Time       `json:"at,omitzero"`
	Key         string          `json:"key,omitempty"`
	Channel     string          `json:"channel,omitempty"` // default: the channel of the Ref's address
	ExternalID  string          `json:"external_id,omitempty"`
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// Send records a message to the contact by a user or by automation. It needs an active conversation: to greet, compose
// Open and Send in one call.
type Send struct {
	By          Actor           `json:"by"`
	At          time.Time       `json:"at,omitzero"`
	Key         string          `json:"key,omitempty"`
	Channel     string          `json:"channel,omitempty"` // default: the channel of the Ref's address
	ExternalID  string          `json:"external_id,omitempty"`
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// Note records an internal comment, in any status.
type Note struct {
	By          Actor           `json:"by"`
	At          time.Time       `json:"at,omitzero"`
	Key         string          `json:"key,omitempty"`
	Body        string          `json:"body,omitempty"`
	Attachments json.RawMessage `json:"attachments,omitempty"`
}

// SetPending sets the conversation aside until the contact writes, a user resumes it, or, with Until, that time comes.
type SetPending struct {
	By    Actor     `json:"by"`
	At    time.Time `json:"at,omitzero"`
	Key   string    `json:"key,omitempty"`
	Until time.Time `json:"until,omitzero"` // after At; zero: no timer
}

// Resume takes a pending conversation up again.
type Resume struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at,omitzero"`
	Key    string    `json:"key,omitempty"`
	Source Source    `json:"source,omitempty"` // default: the actor's type
}

// Close closes the active conversation. What Category and Summary must be is the policy's.
type Close struct {
	By       Actor     `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Key      string    `json:"key,omitempty"`
	Category string    `json:"category,omitempty"`
	Summary  string    `json:"summary,omitempty"`
	Source   Source    `json:"source,omitempty"` // default: the actor's type
}

// Reopen starts a new cycle of the same conversation: the one that the Ref names, else the contact's latest. A restart
// by the visitor is a Reopen by the contact.
type Reopen struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at,omitzero"`
	Key    string    `json:"key,omitempty"`
	Source Source    `json:"source,omitempty"` // default: the actor's type, or restart for a reopening by the contact
}

// Assign gives the conversation to a user, a team, or both; empty fields mean nobody.
type Assign struct {
	By       Actor     `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Key      string    `json:"key,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	Team     string    `json:"team,omitempty"`
}

// AmendClosing replaces category and summary of the standing closing. The original stays in the log.
type AmendClosing struct {
	By       Actor     `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Key      string    `json:"key,omitempty"`
	Category string    `json:"category,omitempty"`
	Summary  string    `json:"summary,omitempty"`
}

// Block makes every command that would open, message or close fail with ErrBlocked. Timers go on.
type Block struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at,omitzero"`
	Key    string    `json:"key,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Unblock ends a blocking.
type Unblock struct {
	By  Actor     `json:"by"`
	At  time.Time `json:"at,omitzero"`
	Key string    `json:"key,omitempty"`
}

// LinkAddress links the Ref's address to the Ref's contact and does nothing else. Any other command addressed to both does
// so too.
type LinkAddress struct {
	By  Actor     `json:"by"`
	At  time.Time `json:"at,omitzero"`
	Key string    `json:"key,omitempty"`
}

func (Open) command()         {}
func (Receive) command()      {}
func (Send) command()         {}
func (Note) command()         {}
func (SetPending) command()   {}
func (Resume) command()       {}
func (Close) command()        {}
func (Reopen) command()       {}
func (Assign) command()       {}
func (AmendClosing) command() {}
func (Block) command()        {}
func (Unblock) command()      {}
func (LinkAddress) command()  {}

// CommandName names a kind of command, in JSON and in the transition table.
type CommandName string

// The names of the commands, in the order of the transition table.
const (
	CommandOpen         CommandName = "open"
	CommandReceive      CommandName = "receive"
	CommandSend         CommandName = "send"
	CommandNote         CommandName = "note"
	CommandSetPending   CommandName = "set_pending"
	CommandResume       CommandName = "resume"
	CommandClose        CommandName = "close"
	CommandReopen       CommandName = "reopen"
	CommandAssign       CommandName = "assign"
	CommandAmendClosing CommandName = "amend_closing"
	CommandBlock        CommandName = "block"
	CommandUnblock      CommandName = "unblock"
	CommandLinkAddress  CommandName = "link_address"
)

// order is any command, taken apart once; fields that a command does not have are zero.
type fields struct {
	kind        commandKind
	by          Actor
	at          time.Time
	key         string
	source      Source
	channel     string
	externalID  string // the external id of a message
	text        string // body, summary or reason
	attachments json.RawMessage
	category    string
	until       time.Time
	user, team  string
}

// read takes cmd apart with a type switch, not a method, so that commands need not live on the heap.
func (o *fields) read(cmd Command) error {
	switch c := cmd.(type) {
	case Open:
		*o = fields{kind: kindOpen, by: c.By, at: c.At, key: c.Key, source: c.Source, channel: c.Channel}
	case Receive:
		*o = fields{kind: kindReceive, by: c.By, at: c.At, key: c.Key, source: SourceIncomingMessage,
			channel: c.Channel, externalID: c.ExternalID, text: c.Body, attachments: c.Attachments}
		if o.by.Type == "" {
			o.by.Type = ActorContact
		}
	case Send:
		*o = fields{kind: kindSend, by: c.By, at: c.At, key: c.Key,
			channel: c.Channel, externalID: c.ExternalID, text: c.Body, attachments: c.Attachments}
	case Note:
		*o = fields{kind: kindNote, by: c.By, at: c.At, key: c.Key, text: c.Body, attachments: c.Attachments}
	case SetPending:
		*o = fields{kind: kindSetPending, by: c.By, at: c.At, key: c.Key, until: c.Until}
	case Resume:
		*o = fields{kind: kindResume, by: c.By, at: c.At, key: c.Key, source: c.Source}
	case Close:
		*o = fields{kind: kindClose, by: c.By, at: c.At, key: c.Key, source: c.Source, category: c.Category, text: c.Summary}
	case Reopen:
		*o = fields{kind: kindReopen, by: c.By, at: c.At, key: c.Key, source: c.Source}
	case Assign:
		*o = fields{kind: kindAssign, by: c.By, at: c.At, key: c.Key, user: c.Assignee, team: c.Team}
	case AmendClosing:
		*o = fields{kind: kindAmendClosing, by: c.By, at: c.At, key: c.Key, category: c.Category, text: c.Summary}
	case Block:
		*o = fields{kind: kindBlock, by: c.By, at: c.At, key: c.Key, text: c.Reason}
	case Unblock:
		*o = fields{kind: kindUnblock, by: c.By, at: c.At, key: c.Key}
	case LinkAddress:
		*o = fields{kind: kindLinkAddress, by: c.By, at: c.At, key: c.Key}
	default:
		return invalid("command", fmt.Sprintf("%T is none: pass one of the command structs by value", cmd))
	}
	if o.source == "" {
		o.source = Source(o.by.Type)
	}
	return nil
}

// inactivity reports whether o is the timer's closing, or an import of one.
func (o *fields) inactivity() bool {
	return o.kind == kindClose && o.by.Type == ActorSystem && o.source == SourceInactivity
}

// Commands is a list of commands that encodes to JSON and back, for hosts that queue them: an array of objects, each
// with the name of its command beside its fields:
//
//	[{"command":"close","by":{"type":"user","id":"ana"},"category":"Sales"}]
//
// Decoding refuses unknown commands and unknown fields with a *ValidationError, so that a typing error loses nothing. (For
// what is no JSON at all, encoding/json has errors of its own.)
type Commands []Command

// MarshalJSON implements json.Marshaler.
func (cs Commands) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, c := range cs {
		var o fields
		if err := o.read(c); err != nil {
			return nil, err
		}
		fields, err := json.Marshal(withCanonicalTimes(c))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `{"command":%q`, o.kind.name())
		if len(fields) > len("{}") {
			out = append(out, ',')
		}
		out = append(out, fields[1:]...)
	}
	return append(out, ']'), nil
}

// withCanonicalTimes is c with its times in UTC and whole microseconds, so that the same instant is the same text.
func withCanonicalTimes(c Command) any {
	v := reflect.New(reflect.TypeOf(c)).Elem()
	v.Set(reflect.ValueOf(c))
	for i := range v.NumField() {
		if t, ok := v.Field(i).Interface().(time.Time); ok {
			v.Field(i).Set(reflect.ValueOf(micros(t)))
		}
	}
	return v.Interface()
}

// UnmarshalJSON implements json.Unmarshaler.
func (cs *Commands) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return invalid("commands", "must be a JSON array of commands: "+err.Error())
	}
	out := make(Commands, 0, len(raw))
	for i, r := range raw {
		c, err := decodeCommand(r)
		if err != nil {
			return invalid(fmt.Sprintf("commands[%d]", i), err.Error())
		}
		out = append(out, c)
	}
	*cs = out
	return nil
}

// decoders decodes the fields of each command.
var decoders = map[CommandName]func([]byte) (Command, error){
	CommandOpen:         decode[Open],
	CommandReceive:      decode[Receive],
	CommandSend:         decode[Send],
	CommandNote:         decode[Note],
	CommandSetPending:   decode[SetPending],
	CommandResume:       decode[Resume],
	CommandClose:        decode[Close],
	CommandReopen:       decode[Reopen],
	CommandAssign:       decode[Assign],
	CommandAmendClosing: decode[AmendClosing],
	CommandBlock:        decode[Block],
	CommandUnblock:      decode[Unblock],
	CommandLinkAddress:  decode[LinkAddress],
}

func decodeCommand(data []byte) (Command, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	var name CommandName
	if err := json.Unmarshal(fields["command"], &name); err != nil {
		return nil, fmt.Errorf(`needs the name of a command in its field "command"`)
	}
	dec, ok := decoders[name]
	if !ok {
		return nil, fmt.Errorf("%q is not a command", name)
	}
	delete(fields, "command")
	rest, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	return dec([]byte(unescape.Replace(string(rest))))
}

// unescape takes back what encoding/json writes in six bytes for the sake of HTML, so that attachments that were within
// the limit still are when they come out of a queue.
var unescape = strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u2028`, "\u2028", `\u2029`, "\u2029")

func decode[C Command](data []byte) (Command, error) {
	var c C
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&c)
	return c, err
}
