package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// channel is that of all addresses here.
const channel = "whatsapp"

// app is the user that whatever is written in the WhatsApp Business app is by: Meta does not tell
// which of its owners wrote it. It is a person, so it counts as an answer.
const app = "whatsapp-business-app"

// message has beside these a member that is named by its type.
type message struct {
	From       string          `json:"from"`
	FromUserID string          `json:"from_user_id"`
	To         string          `json:"to"` // of an echo, as the next one
	ToUserID   string          `json:"to_user_id"`
	GroupID    string          `json:"group_id"`
	ID         string          `json:"id"`
	Timestamp  json.RawMessage `json:"timestamp"` // UNIX seconds, mostly as a string
	Type       string          `json:"type"`
}

// content is what there is to read in the member that is named by the type, whatever the type is.
type content struct {
	Body        string `json:"body"`    // of text
	Text        string `json:"text"`    // of button and order
	Caption     string `json:"caption"` // of image, video and document
	ButtonReply struct {
		Title string `json:"title"`
	} `json:"button_reply"` // of interactive, as the next two
	ListReply struct {
		Title string `json:"title"`
	} `json:"list_reply"`
	FlowReply struct {
		Body string `json:"body"`
	} `json:"nfm_reply"`
}

// moved says that somebody has another number, or another user id, from now on.
type moved struct {
	from, to []string // addresses; those of from the surest first
}

// readMessage reads a message of a contact, or the echo of one that was written to a contact in the
// WhatsApp Business app. It is nil for what nothing is to be done about.
func readMessage(data json.RawMessage, people []profile, echo bool, now time.Time) *incoming {
	var m message
	var members map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data, &m), json.Unmarshal(data, &members)); err != nil {
		in := problem(data, err)
		in.id = m.ID
		return &in
	}
	in := &incoming{raw: data, id: m.ID}
	in.who, in.name = whose(&m, people, echo)
	var err error
	switch {
	case m.ID == "": // without it, a repetition would be another message
		err = errors.New("it has no id")
	case m.Type == "":
		err = errors.New("it has no type")
	case m.Type == "reaction": // a heart: nothing was said
		return nil
	case m.Type == "system":
		if in.moved, err = readSystem(&m, members["system"]); in.moved == nil && err == nil {
			return nil // no other change of a person matters here
		}
	case in.who.address() == "":
		err = errors.New("it names neither a phone number nor a user id")
	default:
		in.command, err = commandOf(&m, members, in.who, echo, now)
	}
	if err != nil {
		in.problem, in.command, in.moved = err.Error(), nil, nil
	}
	return in
}

// commandOf is what the library is told of a message.
//
// The key of what is no message is the webhook's own id, so that it is applied once. An edit and a
// revoke name the message without an address, because somebody who wrote by a number may edit
// without one: then the message is looked for among all of the contact.
func commandOf(
	m *message, members map[string]json.RawMessage, who person, echo bool, now time.Time,
) (convo.Command, error) {
	by := convo.ByContact()
	if echo {
		by = convo.ByUser(app)
	}
	key := channel + ":" + m.Type + ":" + m.ID
	switch m.Type {
	case "request_welcome": // the chat was opened, and nothing was said yet
		return convo.Open{
			By: by, Source: convo.SourceWelcomeEvent, Channel: channel, Key: key,
		}, nil
	case "edit":
		var edit struct {
			Original string                     `json:"original_message_id"`
			Message  map[string]json.RawMessage `json:"message"`
		}
		if json.Unmarshal(members["edit"], &edit) != nil || edit.Original == "" {
			return nil, errors.New("its edit has no original_message_id, or no message")
		}
		var typ string
		_ = json.Unmarshal(edit.Message["type"], &typ)
		if part := string(edit.Message[typ]); part == "" || part == "null" {
			return nil, errors.New("the message of its edit has nothing of its type")
		}
		if who.group != "" { // who edits
			for _, name := range append(envelope[2:], "group_id") {
				if members[name] != nil {
					edit.Message[name] = members[name]
				}
			}
		}
		body, attachments, err := contentOf(edit.Message, who.group != "")
		return convo.Edit{
			By: by, Channel: channel, ExternalID: edit.Original, Key: key, Body: body,
			Attachments: attachments,
		}, err
	case "revoke":
		var revoke struct {
			Original string `json:"original_message_id"`
		}
		if json.Unmarshal(members["revoke"], &revoke) != nil || revoke.Original == "" {
			return nil, errors.New("its revoke has no original_message_id")
		}
		// Not shown any more, but in the log; a host that must forget it says Redact.
		return convo.Retract{
			By: by, Channel: channel, ExternalID: revoke.Original, Key: key,
		}, nil
	}
	body, attachments, err := contentOf(members, who.group != "")
	// Meta could not tell what was written: kept for the history, but nobody can answer it.
	quiet := m.Type == "unsupported" || m.Type == "unknown"
	if echo {
		return convo.Send{
			By: by, Channel: channel, Address: who.address(), ExternalID: m.ID,
			SentAt: seconds(m.Timestamp, now), Quiet: quiet, Body: body, Attachments: attachments,
		}, err
	}
	return convo.Receive{
		Channel: channel, Address: who.address(), ExternalID: m.ID,
		SentAt: seconds(m.Timestamp, now), Quiet: quiet, Body: body, Attachments: attachments,
	}, err
}

// envelope are the members that are kept elsewhere; the first two are in the message's own fields,
// and the others are its address, except in a group.
var envelope = []string{"id", "timestamp", "from", "from_user_id", "from_parent_user_id", "to",
	"to_user_id", "to_parent_user_id"}

// contentOf is what there is to read in a message, and all the rest of it: the id to fetch a file
// by, the message that it answers (context), the advertisement that it came by (referral). In a
// group the rest also says who wrote.
func contentOf(
	members map[string]json.RawMessage, group bool,
) (body string, attachments json.RawMessage, err error) {
	var typ string
	_ = json.Unmarshal(members["type"], &typ) // without one there is nothing to read
	var c content
	if part, ok := members[typ]; ok {
		// Of other types whatever can be read is, and all is kept. Contacts are a list, even.
		if err := json.Unmarshal(part, &c); err != nil && typ == "text" {
			return "", nil, errors.New("its text is not as Meta documents it")
		}
	}
	body = cmp.Or(c.Body, c.Text, c.Caption, c.ButtonReply.Title, c.ListReply.Title,
		c.FlowReply.Body)
	rest := map[string]json.RawMessage{}
	for name, member := range members {
		rest[name] = member
	}
	for i, name := range envelope {
		if i < 2 || !group {
			delete(rest, name)
		}
	}
	if typ == "text" {
		delete(rest, "text")
		if len(rest) == 1 { // the type
			return body, nil, nil
		}
	}
	attachments, err = json.Marshal(rest)
	return body, attachments, err
}

// firstYear is when WhatsApp began: what is older is no time of Meta's.
var firstYear = time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC)

// seconds is a time of Meta's. What is none, or in the future, is zero: the message counts from
// when it came, because a wrong clock is no reason to lose it.
func seconds(data json.RawMessage, now time.Time) time.Time {
	n, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if t := time.Unix(n, 0); err == nil && !t.Before(firstYear) && !t.After(now) {
		return t.UTC()
	}
	return time.Time{}
}

// readSystem reads what changed of a person; nil for what does not matter here.
func readSystem(m *message, data json.RawMessage) (*moved, error) {
	var s struct {
		Type           string `json:"type"`
		Number         string `json:"wa_id"`
		UserID         string `json:"user_id"`
		PreviousUserID string `json:"previous_user_id"`
	}
	if json.Unmarshal(data, &s) != nil {
		return nil, errors.New("its system is not as Meta documents it")
	}
	if s.Type != "user_changed_number" && s.Type != "user_changed_user_id" {
		return nil, nil
	}
	to := newPerson(s.Number, s.UserID).addresses()
	var from []string
	for _, p := range []person{newPerson("", s.PreviousUserID), newPerson("", m.FromUserID),
		newPerson(m.From, "")} {
		// from_user_id may be the new one already.
		if a := p.address(); a != "" && a != newPerson("", s.UserID).address() {
			from = append(from, a)
		}
	}
	if len(from) == 0 || len(to) == 0 {
		return nil, errors.New("its system does not say who has which number or user id now")
	}
	return &moved{from, to}, nil
}
