package main

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chatlifecycle/convo"
)

// signed reports whether signature, the header X-Hub-Signature-256, is that of body by the app's
// secret. hmac.Equal takes as long for a wrong one as for the right one, so that nobody can guess
// it byte by byte.
func signed(secret string, body []byte, signature string) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return err == nil && strings.HasPrefix(signature, "sha256=") && hmac.Equal(given, mac.Sum(nil))
}

// delivery is what Meta posts: the members that are read of it.
type delivery struct {
	Object string `json:"object"`
	Entry  []struct {
		Changes []struct {
			Field string          `json:"field"`
			Value json.RawMessage `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

type value struct {
	Product  string `json:"messaging_product"`
	Metadata struct {
		PhoneNumberID string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []struct {
		WhatsAppID string `json:"wa_id"`
		Profile    struct {
			Name string `json:"name"`
		} `json:"profile"`
	} `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	// Statuses tell what became of messages that were sent. They are none of the conversation's
	// business.
}

// message has beside these a member that is named by its type.
type message struct {
	From string `json:"from"`
	ID   string `json:"id"`
	Type string `json:"type"`
}

// content is what there is to read in the member that is named by the type, whatever the type is.
type content struct {
	Body        string `json:"body"`    // of text
	Text        string `json:"text"`    // of button
	Caption     string `json:"caption"` // of image, video and document
	ButtonReply struct {
		Title string `json:"title"`
	} `json:"button_reply"` // of interactive, as the next one
	ListReply struct {
		Title string `json:"title"`
	} `json:"list_reply"`
}

// incoming is a message as the library takes it.
type incoming struct {
	from    string // the address: a phone number
	name    string // of the contact's profile
	command convo.Receive
}

var errUnknownNumber = errors.New("a phone_number_id that is not ours")

// read takes a delivery apart: all of it or, with an error, nothing.
func read(body []byte, phoneNumberID string) ([]incoming, error) {
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fmt.Errorf("no delivery: %w", err)
	}
	if d.Object != "whatsapp_business_account" {
		return nil, errors.New("no delivery of a WhatsApp business account")
	}
	var all []incoming
	for _, entry := range d.Entry {
		for _, change := range entry.Changes {
			if change.Field != "messages" {
				continue // templates, quality, and what else an app may subscribe to
			}
			messages, err := readChange(change.Value, phoneNumberID)
			if err != nil {
				return nil, err
			}
			all = append(all, messages...)
		}
	}
	return all, nil
}

func readChange(data []byte, phoneNumberID string) ([]incoming, error) {
	var v value
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("no value of a change: %w", err)
	}
	switch {
	case v.Product != "whatsapp":
		return nil, errors.New("no messaging_product whatsapp")
	case v.Metadata.PhoneNumberID != phoneNumberID:
		return nil, errUnknownNumber
	}
	names := map[string]string{}
	for _, c := range v.Contacts {
		names[c.WhatsAppID] = c.Profile.Name
	}
	var all []incoming
	for i, data := range v.Messages {
		in, err := readMessage(data)
		if err != nil {
			return nil, fmt.Errorf("messages[%d]: %w", i, err)
		}
		if in != nil {
			in.name = names[strings.TrimPrefix(in.from, "+")]
			all = append(all, *in)
		}
	}
	return all, nil
}

// readMessage reads a message; nil for what is none, though it comes as one.
func readMessage(data []byte) (*incoming, error) {
	var m message
	var members map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data, &m), json.Unmarshal(data, &members)); err != nil {
		return nil, err
	}
	switch {
	case m.ID == "": // without it, a repetition would be another message
		return nil, errors.New("no id")
	case m.From == "" || len(m.From) > 15 || strings.Trim(m.From, "0123456789") != "":
		return nil, errors.New("from is no phone number")
	case m.Type == "":
		return nil, errors.New("no type")
	case m.Type == "reaction" || m.Type == "system":
		// a heart, or a new number: nothing was said that should open a conversation
		return nil, nil
	}
	var c content
	if part, ok := members[m.Type]; ok && m.Type != "contacts" { // which are a list
		if err := json.Unmarshal(part, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Type, err)
		}
	}
	in := &incoming{from: "+" + m.From, command: convo.Receive{
		ExternalID: m.ID, Body: cmp.Or(c.Body, c.Text, c.Caption, c.ButtonReply.Title,
			c.ListReply.Title),
	}}
	if m.Type != "text" {
		// The whole of it, with the id to fetch a file by.
		attachment, err := json.Marshal(map[string]any{"type": m.Type, m.Type: members[m.Type]})
		if err != nil {
			return nil, err
		}
		in.command.Attachments = attachment
	}
	return in, nil
}
