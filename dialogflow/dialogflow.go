// Package dialogflow reads what a Dialogflow agent decides about a conversation: the parameter
// RB_MARKDONE, true to close the conversation and false to open one. ES and CX are read alike.
//
// A platform that calls detectIntent itself reads it from the response:
//
//	turn, err := dialogflow.ParseResponse(body)
//	if err != nil { … } // a *convo.ValidationError
//	if commands := turn.Commands(); len(commands) > 0 {
//		_, err = engine.Do(ctx, contact, commands...) // the one whose message it sent
//	}
//
// A webhook that Dialogflow calls reads it from the request, which names the session:
//
//	turn, err := dialogflow.Parse(body)
//	if err != nil { … } // answer 400
//	if commands := turn.Commands(); len(commands) > 0 {
//		_, err = engine.Do(ctx, contactOf(turn.Session), commands...)
//	}
//
// The host checks that a request comes from Dialogflow (basic authentication, a header, or mutual
// TLS), limits its length, and knows which contact a session is of. Everything here is safe for
// concurrent use.
//
// In ES a parameter belongs to the intent that was matched. What an output context keeps of it for
// later turns is not read. In CX it belongs to the session and stays, also after the conversation
// is closed, so that every later turn says it again and closes the next conversation. Set it back
// to null once it was handled: in the flow, in the webhook's response, or in the queryParams of the
// next detectIntent; or begin another session. Let the flow set it rather than an intent: Google
// documents intentInfo as of the intent that was matched last, which may be some turns ago.
package dialogflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chatlifecycle/convo"
)

// The parameters that are read; others are the agent's own. Their names count in any case. They may
// be plain JSON, as Google documents it, or protobuf's Struct and Value, as the Node client writes
// them: {"fields": {"RB_MARKDONE": {"stringValue": "true"}}}. In CX, a parameter of the intent
// (intentInfo of a request, match of a response) counts if the session has none of that name.
const (
	// ParameterMarkDone closes the conversation (true) or opens one (false). It is a boolean, the
	// number 1 or 0, or a text: "true", "false", "1" or "0", in any case and with space around it.
	// What was not filled is null or "", and as good as none. If the parameter is a list, all in it
	// must say the same. Anything else is an error, and so is RB_MARKDONE inside another parameter.
	ParameterMarkDone = "RB_MARKDONE"
	// ParameterCategory and ParameterSummary are those of the closing: texts, or lists of one text.
	// They count with RB_MARKDONE = true only.
	ParameterCategory = "RB_CATEGORY"
	ParameterSummary  = "RB_SUMMARY"
)

// Turn is what one turn of the dialog, a message and the agent's answer, says about the
// conversation.
type Turn struct {
	// ID is that of the response to the turn. A webhook request has it in advance, and again if it
	// is sent again.
	ID string
	// Session is the whole name, such as projects/shop/agent/sessions/riya-7. What follows the last
	// slash is what the host, or an integration, called it: see SessionID. It is empty if the turn
	// was read from a response, which does not have it.
	Session string
	// The three parameters, as far as they are given.
	MarkDone Mark
	Category string
	Summary  string
}

// Mark is what RB_MARKDONE says.
type Mark int

// The marks.
const (
	NotMarked Mark = iota // nothing: there is none
	MarkedOpen
	MarkedDone
)

// SessionID is the end of Session, which whoever began the session chose.
func (t Turn) SessionID() string { return t.Session[strings.LastIndexByte(t.Session, '/')+1:] }

// Commands are what t asks for: an Open, a Close, or nothing. They are by automation, named
// dialogflow, with the source dialogflow, and carry a key made of the turn's ID: a request that is
// sent again, or a response that is handled again, does nothing twice. The request and the response
// of a turn have the same ID, too; if a webhook changed the category or summary in between, the
// second Close is a convo.ErrKeyReused. detectIntent gives another ID each time it is called: to
// try again, keep the response and do not ask for another.
func (t Turn) Commands() []convo.Command {
	by := convo.ByAutomation("dialogflow")
	key := func(what string) string { return "dialogflow:" + what + ":" + t.ID }
	switch t.MarkDone {
	case MarkedOpen:
		return []convo.Command{convo.Open{By: by, Key: key("open"), Source: convo.SourceDialogflow}}
	case MarkedDone:
		return []convo.Command{convo.Close{
			By: by, Key: key("close"), Source: convo.SourceDialogflow,
			Category: t.Category, Summary: t.Summary,
		}}
	}
	return nil
}

// message has the members that are read of a webhook request or of a response, of ES or CX.
type message struct {
	ResponseID  string `json:"responseId"` // of all but requests of CX, and so is queryResult
	Session     string `json:"session"`    // of requests of ES
	QueryResult *struct {
		Parameters any `json:"parameters"`
		Match      struct {
			Parameters any `json:"parameters"`
		} `json:"match"` // of responses of CX
	} `json:"queryResult"`

	// The others are of requests of CX.
	DetectIntentResponseID string `json:"detectIntentResponseId"`
	SessionInfo            *struct {
		Session    string `json:"session"`
		Parameters any    `json:"parameters"`
	} `json:"sessionInfo"`
	IntentInfo struct {
		Parameters any `json:"parameters"`
	} `json:"intentInfo"`
}

// Parse reads the body of a webhook request of Dialogflow ES or CX. It fails with a
// *convo.ValidationError that names the member if the body is no such request, or if one of the
// three parameters has another value than it may have.
func Parse(body []byte) (Turn, error) {
	m, err := decode(body)
	if err != nil {
		return Turn{}, err
	}
	isES, isCX := m.QueryResult != nil, m.SessionInfo != nil
	switch {
	case isES == isCX:
		return Turn{}, invalid("body",
			"must have either queryResult (Dialogflow ES) or sessionInfo (Dialogflow CX)")
	case isES && m.Session == "":
		return Turn{}, invalid("session", "must not be empty (ParseResponse reads responses)")
	case isES:
		return read(Turn{ID: m.ResponseID, Session: m.Session}, "responseId",
			parameters{path: "queryResult.parameters", value: m.QueryResult.Parameters})
	case m.SessionInfo.Session == "":
		return Turn{}, invalid("sessionInfo.session", "must not be empty")
	}
	// CX sets the session's parameters from the intent's, and the flow may set them again: the
	// session's are the later ones. So it is in a response.
	return read(
		Turn{ID: m.DetectIntentResponseID, Session: m.SessionInfo.Session},
		"detectIntentResponseId",
		parameters{path: "sessionInfo.parameters", value: m.SessionInfo.Parameters},
		parameters{path: "intentInfo.parameters", value: m.IntentInfo.Parameters, ofIntent: true},
	)
}

// ParseResponse reads a DetectIntentResponse of Dialogflow ES or CX, which is what a platform gets
// that calls detectIntent: the body of the REST response, what protojson makes of the Go client's,
// or JSON.stringify of the Node client's. It fails as Parse does. The session is not in a response:
// the caller knows which contact it asked for.
func ParseResponse(body []byte) (Turn, error) {
	m, err := decode(body)
	if err != nil {
		return Turn{}, err
	}
	if m.QueryResult == nil {
		return Turn{}, invalid("queryResult", "must be given (Parse reads webhook requests)")
	}
	return read(Turn{ID: m.ResponseID}, "responseId",
		parameters{path: "queryResult.parameters", value: m.QueryResult.Parameters},
		parameters{path: "queryResult.match.parameters", value: m.QueryResult.Match.Parameters})
}

func decode(body []byte) (message, error) {
	if !utf8.Valid(body) {
		return message{}, invalid("body", "must be valid UTF-8")
	}
	var m message
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // a number too large for a float64 may be in a parameter that is not read
	err := d.Decode(&m)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return message{}, invalid(wrong.Field, "must not be of type "+wrong.Value)
	}
	if err != nil {
		return message{}, invalid("body", "must be a JSON object of Dialogflow: "+err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return message{}, invalid("body", "must be one JSON object and nothing behind it")
	}
	return m, nil
}

// maxID leaves room for the rest of the key.
const maxID = convo.MaxID - len("dialogflow:close:")

// read fills in t. idName is what its ID is called in the message. A parameter that is in several
// places is read in the first of them.
func read(t Turn, idName string, places ...parameters) (Turn, error) {
	if t.ID == "" || len(t.ID) > maxID {
		return Turn{}, invalid(idName, fmt.Sprintf("must have 1 to %d bytes", maxID))
	}
	path, value, err := lookup(ParameterMarkDone, places)
	if err != nil {
		return Turn{}, err
	}
	var ok bool
	if t.MarkDone, ok = mark(value); !ok {
		return Turn{}, invalid(path, "must be true or false")
	}
	for _, param := range [...]struct {
		name string
		to   *string
	}{{ParameterCategory, &t.Category}, {ParameterSummary, &t.Summary}} {
		if path, value, err = lookup(param.name, places); err != nil {
			return Turn{}, err
		}
		if *param.to, ok = text(value); !ok {
			return Turn{}, invalid(path, "must be a text")
		}
	}
	return t, nil
}

// parameters are those that a message has in one place.
type parameters struct {
	path     string // of the place
	value    any    // what is there
	ofIntent bool   // each has its value in resolvedValue, beside what the contact wrote
}

// lookup returns the path and the value of a parameter, both zero if it is in none of the places.
func lookup(name string, places []parameters) (path string, value any, err error) {
	for _, p := range places {
		if path, value, err = p.lookup(name); path != "" || err != nil {
			return path, value, err
		}
	}
	return "", nil, nil
}

func (p parameters) lookup(name string) (path string, value any, err error) {
	if p.value == nil {
		return "", nil, nil
	}
	members, ok := p.value.(map[string]any)
	if !ok {
		return "", nil, invalid(p.path, "must be an object")
	}
	path = p.path
	if fields, ok := members["fields"].(map[string]any); ok && len(members) == 1 {
		members, path = fields, path+".fields" // a protobuf Struct
	}
	var found []string
	for _, member := range slices.Sorted(maps.Keys(members)) {
		switch {
		case strings.EqualFold(member, name):
			found = append(found, member)
		case name == ParameterMarkDone && contains(members[member], name):
			return "", nil, invalid(path+"."+member, "must not have a member "+name)
		}
	}
	switch {
	case len(found) == 0:
		return "", nil, nil
	case len(found) > 1:
		return "", nil, invalid(path+"."+found[1], "must not be given beside "+found[0])
	}
	path, value = path+"."+found[0], members[found[0]]
	if p.ofIntent {
		object, _ := value.(map[string]any)
		if value, ok = object["resolvedValue"]; !ok {
			return "", nil, invalid(path, "must be an object with resolvedValue")
		}
		path += ".resolvedValue"
	}
	return path, value, nil
}

// contains reports whether a member of that name is anywhere in value.
func contains(value any, name string) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, func(element any) bool { return contains(element, name) })
	case map[string]any:
		for member, value := range v {
			if strings.EqualFold(member, name) || contains(value, name) {
				return true
			}
		}
	}
	return false
}

// mark returns what value says, and false if that is not clear.
func mark(value any) (Mark, bool) {
	switch v := plain(value).(type) {
	case nil:
		return NotMarked, true
	case bool:
		if v {
			return MarkedDone, true
		}
		return MarkedOpen, true
	case json.Number:
		switch f, _ := v.Float64(); f { // what is too large is infinite
		case 1:
			return MarkedDone, true
		case 0:
			return MarkedOpen, true
		}
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "1":
			return MarkedDone, true
		case "false", "0":
			return MarkedOpen, true
		case "":
			return NotMarked, true
		}
	case []any:
		all := NotMarked
		for i, element := range v {
			m, ok := mark(element)
			if !ok || i > 0 && m != all {
				return NotMarked, false
			}
			all = m
		}
		return all, true
	}
	return NotMarked, false
}

// text returns the text that value is, "" for none, and false if it is something else.
func text(value any) (string, bool) {
	switch v := plain(value).(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case []any:
		switch len(v) {
		case 0:
			return "", true
		case 1:
			return text(v[0])
		}
	}
	return "", false
}

// plain returns what is in a protobuf Value, and any other value as it is. A Value has one member,
// named after the type of what is in it; the Node client writes that name as kind, too.
func plain(value any) any {
	v, ok := value.(map[string]any)
	if !ok {
		return value
	}
	var inside any
	types := 0
	for member, value := range v {
		switch member {
		case "kind":
			continue
		case "nullValue":
		case "boolValue", "numberValue", "stringValue":
			inside = value
		case "listValue":
			list, ok := value.(map[string]any)
			elements, given := list["values"]
			if !ok || !given && len(list) > 0 {
				return v
			}
			inside = elements
		default:
			return v
		}
		types++
	}
	if types != 1 {
		return v
	}
	return inside
}

func invalid(field, rule string) error { return &convo.ValidationError{Field: field, Rule: rule} }
