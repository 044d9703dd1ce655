package convo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Commands is a list of commands that encodes to JSON and back, for hosts that queue them: an array
// of objects, each with the name of its command beside its fields:
//
//	[{"command":"close","by":{"type":"user","id":"ana"},"category":"Sales"}]
//
// Decoding refuses unknown commands and unknown fields with a *ValidationError, so that a typing
// error loses nothing. (For what is no JSON at all, encoding/json has errors of its own.)
type Commands []Command

// MarshalJSON implements json.Marshaler.
func (cs Commands) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, c := range cs {
		var o fields
		if err := o.read(c); err != nil {
			return nil, err
		}
		fields, err := json.Marshal(canonical(c))
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

// canonical is c with its times in UTC and whole microseconds, and without attachments that are
// null, so that the same command is the same text.
func canonical(c Command) any {
	v := reflect.New(reflect.TypeOf(c)).Elem()
	v.Set(reflect.ValueOf(c))
	for i := range v.NumField() {
		switch f := v.Field(i).Interface().(type) {
		case time.Time:
			v.Field(i).Set(reflect.ValueOf(micros(f)))
		case json.RawMessage:
			if isNull(f) {
				v.Field(i).SetZero()
			}
		}
	}
	return v.Interface()
}

// UnmarshalJSON implements json.Unmarshaler.
func (cs *Commands) UnmarshalJSON(data []byte) error {
	if !utf8.Valid(data) {
		return invalid("commands", "must be valid UTF-8")
	}
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

// decodeCommand reads one command: its name says which type the other fields are of, strictly.
func decodeCommand(data []byte) (Command, error) {
	// Of all names this forbids only those that come twice.
	if err := checkNames(data, reflect.TypeFor[map[string]json.RawMessage](), nil); err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	var name CommandName
	if err := json.Unmarshal(fields["command"], &name); err != nil {
		return nil, fmt.Errorf(`needs the name of a command in its field "command"`)
	}
	kind := slices.IndexFunc(table[:], func(r row) bool { return r.name == name })
	if kind < 0 {
		return nil, fmt.Errorf("%q is not a command", name)
	}
	delete(fields, "command")
	rest, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	return table[kind].decode([]byte(unescape.Replace(string(rest))))
}

// unescape takes back what encoding/json writes in six bytes for the sake of HTML, so that
// attachments that were within the limit still are when they come out of a queue. An escaped
// backslash comes first, so that what stands behind it stays as it is.
var unescape = strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&",
	`\u2028`, "\u2028", `\u2029`, "\u2029")

func decode[C Command](data []byte) (Command, error) {
	var c C
	err := decodeStrictly(data, &c)
	return c, err
}

// MaxCommandsJSON is how many bytes [UntrustedCommands] reads.
const MaxCommandsJSON = 1 << 20

// hostFields are the fields of commands that are no client's business: who did it, when, through
// what and where it goes; and what is unique in the workspace.
var hostFields = []string{
	"by", "at", "source", "channel", "address", "external_id", "sent_at", "key",
}

// UntrustedCommands decodes commands from a client that the host has let in as an actor, such as an
// agent's browser: those that are allowed by name, at most MaxCommands in MaxCommandsJSON bytes,
// done by that actor now. By, At, Source, Channel, Address, ExternalID, SentAt and Key are the
// host's to set, and are refused, as is all that [Commands] refuses, with a *ValidationError. All
// other fields are the client's: allow a Retract, which may redact, and a Move, which may go to any
// contact, to whom that may. For an idempotency key of the client, give [Engine.DoFunc] one with
// the actor before it.
//
// Which contact or conversation they are for is the host's to check: see the Ref.
func UntrustedCommands(data []byte, by Actor, allowed ...CommandName) (Commands, error) {
	if len(data) > MaxCommandsJSON {
		return nil, invalid("commands", fmt.Sprintf("must be at most %d bytes", MaxCommandsJSON))
	}
	if !utf8.Valid(data) {
		return nil, invalid("commands", "must be valid UTF-8")
	}
	var raw []map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, invalid("commands", "must be a JSON array of commands: "+err.Error())
	}
	if len(raw) > MaxCommands {
		return nil, invalid("commands",
			fmt.Sprintf("at most %d in one call, not %d", MaxCommands, len(raw)))
	}
	for i, fields := range raw {
		for name := range fields {
			if slices.ContainsFunc(hostFields, func(f string) bool {
				return strings.EqualFold(f, name)
			}) {
				return nil, invalid(fmt.Sprintf("commands[%d].%s", i, name),
					"is not the client's to say")
			}
		}
	}
	var cmds Commands
	if err := cmds.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	for i, c := range cmds {
		var o fields
		_ = o.read(c)
		if !slices.Contains(allowed, o.kind.name()) {
			return nil, invalid(fmt.Sprintf("commands[%d]", i),
				fmt.Sprintf("%q is not one of %q", o.kind.name(), allowed))
		}
	}
	return cmds.As(by, time.Time{}), nil
}

// As is a copy of cs in which every command is by an actor, at a time; zero: now.
func (cs Commands) As(by Actor, at time.Time) Commands {
	out := make(Commands, len(cs))
	for i, c := range cs {
		var o fields
		if o.read(c) != nil { // no command, which whoever takes it refuses
			out[i] = c
			continue
		}
		v := reflect.New(reflect.TypeOf(c)).Elem()
		v.Set(reflect.ValueOf(c))
		v.FieldByName("By").Set(reflect.ValueOf(by))
		v.FieldByName("At").Set(reflect.ValueOf(at))
		out[i] = v.Interface().(Command)
	}
	return out
}
