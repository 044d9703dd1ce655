package main

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chatlifecycle/convo"
)

// plain is s without the characters that change the direction of what stands around them: in a name
// or an address, which are shown beside other texts, they would let their owner rewrite those.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069',
			r == '\u200e', r == '\u200f', r == '\u061c':
			return utf8.RuneError
		}
		return r
	}, s)
}

// emailOf is the e-mail address in a contact's profile, which the flow puts there.
func emailOf(k convo.Contact) string {
	if k.Attributes == "" {
		return ""
	}
	email, _ := k.Attributes.Map()[emailAttribute].(string)
	return email
}

// nameOf is what a contact is called here: by its name, by an address, or by the end of its id.
// It needs no more than a list has of each row.
func nameOf(k convo.Contact, by convo.Address) string {
	for _, name := range []string{k.Name, emailOf(k), by.Value} {
		if name = strings.TrimSpace(plain(name)); name != "" {
			return name
		}
	}
	return nameOfID(k.ID)
}

func nameOfID(contact string) string {
	return "Visitor " + strings.ToUpper(plain(contact[max(0, len(contact)-4):]))
}

// valuesOf are the addresses as a page shows them, each once.
func valuesOf(addresses []convo.Address) []string {
	var values []string
	for _, a := range addresses {
		values = append(values, plain(a.Value))
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// cut is the beginning of s, as much as a row has room for: a message may be long, and is sent to
// every page that shows the list.
func cut(s string, runes int) string {
	for i := range s {
		if runes--; runes < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
