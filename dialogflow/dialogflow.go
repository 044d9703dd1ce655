// Package dialogflow reads what a Dialogflow agent decides about a conversation out of its webhook requests: the parameter
// RB_MARKDONE, true to close the conversation and false to open one.
//
//	request, err := dialogflow.Parse(body)                         // ES and CX alike
//	if err != nil { … }                                            // a *convo.ValidationError: answer 400
//	if commands := request.Commands(); len(commands) > 0 {
//		_, err = engine.Do(ctx, contactOf(request.Session), commands...)
//	}
//
// That a request comes from Dialogflow is for the host to check (basic authentication, a header, or mutual TLS), and so is
// how long it may be, and which contact a session is of. Everything here is safe for concurrent use.
//
// In ES a parameter belongs to the intent that was matched. In CX it belongs to the session and stays, also after the
// conversation is closed: have the flow, or the webhook's response, set RB_MARKDONE back to null once it was handled, so that
// a later request does not say it again.
package dialogflow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/chatlifecycle/convo"
)

// The parameters that are read; others are the agent's own.
const (
	// ParameterMarkDone closes the conversation (true) or opens one (false). It is a boolean or one of the texts "true" and
	// "false" in any case, as the console of ES gives it. Null, or "" for what was not filled, is as good as none.
	ParameterMarkDone = "RB_MARKDONE"
	// ParameterCategory and ParameterSummary are those of the closing: texts. They count with RB_MARKDONE = true only.
	ParameterCategory = "RB_CATEGORY"
	ParameterSummary  = "RB_SUMMARY"
)

// Request is what a webhook request says about the conversation.
type Request struct {
	// ID is that of the response that Dialogflow is about to give, the same if the request is sent again.
	ID string
	// Session is the whole name, such as projects/shop/agent/sessions/riya-7. What follows the last slash is what the host,
	// or an integration, called it: see SessionID.
	Session string
	// Parameters are the three, as far as they are given.
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
func (r Request) SessionID() string { return r.Session[strings.LastIndexByte(r.Session, '/')+1:] }

// Commands are what r asks for: an Open, a Close, or nothing. They are by automation, named dialogflow, with the source
// dialogflow, and carry a key made of the request's ID, so that a request that is sent again does nothing twice.
func (r Request) Commands() []convo.Command {
	by := convo.ByAutomation("dialogflow")
	key := func(what string) string { return "dialogflow:" + what + ":" + r.ID }
	switch r.MarkDone {
	case MarkedOpen:
		return []convo.Command{convo.Open{By: by, Key: key("open"), Source: convo.SourceDialogflow}}
	case MarkedDone:
		return []convo.Command{convo.Close{
			By: by, Key: key("close"), Source: convo.SourceDialogflow, Category: r.Category, Summary: r.Summary,
		}}
	}
	return nil
}

// es and cx are the members that are read of either kind of request.
type es struct {
	ResponseID  string `json:"responseId"`
	Session     string `json:"session"`
	QueryResult *struct {
		Parameters json.RawMessage `json:"parameters"`
	} `json:"queryResult"`
}

type cx struct {
	ResponseID  string `json:"detectIntentResponseId"`
	SessionInfo *struct {
		Session    string          `json:"session"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"sessionInfo"`
}

// Parse reads the body of a webhook request of Dialogflow ES or CX. It fails with a *convo.ValidationError that names the
// member for all that is not such a request, or says something else than it may with one of the three parameters.
func Parse(body []byte) (Request, error) {
	var either struct {
		es
		cx
	}
	if !utf8.Valid(body) {
		return Request{}, invalid("body", "must be valid UTF-8")
	}
	if err := json.Unmarshal(body, &either); err != nil {
		return Request{}, invalid("body", "is no webhook request of Dialogflow: "+err.Error())
	}
	isES, isCX := either.QueryResult != nil, either.SessionInfo != nil
	switch {
	case isES == isCX:
		return Request{}, invalid("body", "must have either queryResult (Dialogflow ES) or sessionInfo (Dialogflow CX)")
	case isES:
		return read(
			Request{ID: either.es.ResponseID, Session: either.Session},
			[3]string{"responseId", "session", "queryResult.parameters"}, either.QueryResult.Parameters)
	}
	return read(
		Request{ID: either.cx.ResponseID, Session: either.SessionInfo.Session},
		[3]string{"detectIntentResponseId", "sessionInfo.session", "sessionInfo.parameters"}, either.SessionInfo.Parameters)
}

// maxID leaves room for the rest of the key.
const maxID = convo.MaxID - len("dialogflow:close:")

// read fills in r; names are what its members are called in its kind of request.
func read(r Request, names [3]string, parameters json.RawMessage) (Request, error) {
	if r.ID == "" || len(r.ID) > maxID {
		return Request{}, invalid(names[0], fmt.Sprintf("must have 1 to %d bytes", maxID))
	}
	if r.Session == "" {
		return Request{}, invalid(names[1], "must not be empty")
	}
	values := map[string]json.RawMessage{}
	if len(parameters) > 0 {
		if err := json.Unmarshal(parameters, &values); err != nil {
			return Request{}, invalid(names[2], "must be an object")
		}
	}
	var err error
	if r.MarkDone, err = mark(values[ParameterMarkDone]); err != nil {
		return Request{}, invalid(names[2]+"."+ParameterMarkDone, err.Error())
	}
	for _, text := range [...]struct {
		name string
		to   *string
	}{{ParameterCategory, &r.Category}, {ParameterSummary, &r.Summary}} {
		if v := values[text.name]; len(v) > 0 && json.Unmarshal(v, text.to) != nil {
			return Request{}, invalid(names[2]+"."+text.name, "must be a text")
		}
	}
	return r, nil
}

func mark(value json.RawMessage) (Mark, error) {
	var text string
	switch {
	case len(value) == 0 || bytes.Equal(value, []byte("null")):
		return NotMarked, nil
	case value[0] == '"':
		_ = json.Unmarshal(value, &text) // it was read as JSON before
	default:
		text = string(value)
	}
	switch strings.ToLower(text) {
	case "true":
		return MarkedDone, nil
	case "false":
		return MarkedOpen, nil
	case "":
		return NotMarked, nil
	}
	return NotMarked, fmt.Errorf("must be true or false")
}

func invalid(field, rule string) error { return &convo.ValidationError{Field: field, Rule: rule} }
