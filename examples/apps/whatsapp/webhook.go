package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

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

// delivery is what Meta posts: the members that are read of it. What may be wrong by itself is kept
// as it came, so that it costs nothing else.
type delivery struct {
	Object string            `json:"object"`
	Entry  []json.RawMessage `json:"entry"`
}

type entry struct {
	Changes []json.RawMessage `json:"changes"`
}

type change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

type value struct {
	Product  string `json:"messaging_product"`
	Metadata struct {
		PhoneNumberID string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []profile         `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	Echoes   []json.RawMessage `json:"message_echoes"`
	Statuses []json.RawMessage `json:"statuses"`
}

// incoming is one thing that a delivery tells. It has a problem, or exactly one of command, moved
// and receipts.
type incoming struct {
	raw     json.RawMessage // as it came, for a person to look at
	id      string          // Meta's, for the log
	problem string          // why it cannot be taken
	again   bool            // it was tried before

	who      person
	name     string // of the profile
	command  convo.Command
	moved    *moved
	receipts []convo.Delivery // the same one, by each address that its message may have gone to
}

// read takes a delivery apart. It fails when the whole is none; what is wrong with a part of it is
// the problem of that part.
//
// A webhook gets what happens to all numbers of its account. What is not for phoneNumberID is left
// alone: it is somebody else's.
func read(body []byte, phoneNumberID string, now time.Time) ([]incoming, error) {
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, errors.New("the body is no delivery in JSON")
	}
	if d.Object != "whatsapp_business_account" {
		return nil, errors.New("no delivery of a WhatsApp business account")
	}
	var all []incoming
	for _, data := range d.Entry {
		var e entry
		if err := json.Unmarshal(data, &e); err != nil {
			all = append(all, problem(data, err))
		}
		for _, data := range e.Changes {
			var c change
			if err := json.Unmarshal(data, &c); err != nil {
				all = append(all, problem(data, err))
			}
			switch c.Field {
			case "messages", "smb_message_echoes":
				all = append(all, readChange(c.Value, phoneNumberID, now)...)
			default: // templates, quality, and what else an app may subscribe to
			}
		}
	}
	return all, nil
}

func readChange(data json.RawMessage, phoneNumberID string, now time.Time) (all []incoming) {
	var v value
	err := json.Unmarshal(data, &v)
	switch {
	case err != nil && v.Metadata.PhoneNumberID == "": // nobody can tell whose it is
		return []incoming{problem(data, err)}
	case v.Metadata.PhoneNumberID != phoneNumberID:
		return nil
	case v.Product != "whatsapp":
		return []incoming{{raw: data, problem: "the change is not of messaging_product whatsapp"}}
	case err != nil: // what could be read of it is taken nevertheless
		all = append(all, problem(data, err))
	}
	add := func(in *incoming) {
		if in != nil {
			all = append(all, *in)
		}
	}
	for _, data := range v.Messages {
		add(readMessage(data, v.Contacts, false, now))
	}
	for _, data := range v.Echoes {
		add(readMessage(data, v.Contacts, true, now))
	}
	for _, data := range v.Statuses {
		add(readStatus(data, now))
	}
	return all
}

// problem is what cannot be read. It names the member that is wrong and nothing that was written in
// it, because it is logged.
func problem(data json.RawMessage, err error) incoming {
	in := incoming{raw: data, problem: "it is not as Meta documents it"}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field != "" {
		in.problem = fmt.Sprintf("its member %s is not as Meta documents it", wrong.Field)
	}
	return in
}
