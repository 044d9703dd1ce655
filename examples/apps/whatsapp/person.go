package main

import (
	"context"
	"errors"
	"strings"

	"github.com/chatlifecycle/convo"
)

// profile is what Meta says of a person beside their messages.
type profile struct {
	Number  string `json:"wa_id"`
	UserID  string `json:"user_id"`
	Profile struct {
		Name string `json:"name"`
	} `json:"profile"`
}

// person is whom a message is from or to: somebody with a number, with a user id, or with both; or
// a group.
//
// The user id is Meta's business-scoped one, as US.13491208655302741918: who has a username need
// not show a number. It is an address as the number is, and both are linked to one contact as soon
// as they come together.
//
// A group is a contact of its own, with the address group:ID: what somebody says in a group is
// nothing that they said to the business alone. Who said it is in the attachments of the message.
type person struct{ phone, userID, group string }

const groupPrefix = "group:"

// newPerson has what is a number, and what is a user id. Meta leaves out what it does not tell, or
// sends it empty.
func newPerson(number, userID string) (p person) {
	number = strings.TrimPrefix(number, "+")
	if len(number) <= 15 && strings.Trim(number, "0123456789") == "" {
		p.phone = number
	}
	if strings.IndexFunc(userID, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') &&
			!strings.ContainsRune("._-", r)
	}) < 0 {
		p.userID = userID
	}
	return p
}

// addresses are all of p, the number first, which has a + in front as it has on other channels.
func (p person) addresses() (all []string) {
	if p.group != "" {
		return []string{groupPrefix + p.group}
	}
	if p.phone != "" {
		all = append(all, "+"+p.phone)
	}
	if p.userID != "" {
		all = append(all, p.userID)
	}
	return all
}

// address is what a message comes or goes by: the number if there is one, for Meta goes on to tell
// it to those who answer by it. It is empty for nobody.
func (p person) address() string {
	if all := p.addresses(); len(all) > 0 {
		return all[0]
	}
	return ""
}

// surest is the address by which p is looked up: the user id if there is one, for a number may be
// given to somebody else. It is always the same one for the same message, as keys demand.
func (p person) surest() string {
	if all := p.addresses(); len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// whose finds out whom a message is from, or an echo to. What the message does not tell may be in
// the profiles: the user id of a number, and everything when there is only one.
func whose(m *message, people []profile, echo bool) (p person, name string) {
	if p = newPerson(m.From, m.FromUserID); echo {
		p = newPerson(m.To, m.ToUserID)
	}
	if m.GroupID != "" {
		return person{group: m.GroupID}, "" // the profile is of somebody in it
	}
	nobody := p == person{}
	for _, known := range people {
		k := newPerson(known.Number, known.UserID)
		sameNumber := p.phone != "" && p.phone == k.phone
		sameID := p.userID != "" && p.userID == k.userID
		if !sameNumber && !sameID && (!nobody || len(people) > 1) {
			continue
		}
		name = known.Profile.Name
		if p.userID == "" {
			p.userID = k.userID
		}
		if p.phone == "" {
			p.phone = k.phone
		}
		break
	}
	return p, name
}

// to addresses the contact of a number, with a + in front, of a user id, or of a group.
func (h *host) to(address string) convo.Ref {
	return convo.ToAddress(h.workspace, channel, address)
}

// contactOf is the contact that an address belongs to; empty when it is nobody's.
func (h *host) contactOf(ctx context.Context, address string) (string, error) {
	c, err := h.engine.Contact(ctx, h.to(address))
	if errors.Is(err, convo.ErrNotFound) {
		return "", nil
	}
	return c.ID, err
}

// link gives a contact another address.
func (h *host) link(ctx context.Context, contact, address string) (convo.Outcome, error) {
	to := h.to(address)
	to.Contact = contact
	r, err := h.engine.Do(ctx, to, convo.LinkAddress{By: convo.ByContact()})
	return r.Outcome, err
}

// acquaint sees to it that a number and a user id that come together lead to one contact. later is
// the address to link once the contact is there, when nobody is known by either.
//
// It does not join two contacts. A number whose contact has another user id may belong to somebody
// else by now, who must not read what was said before: a person is to decide, so doubt is true, and
// the message goes by the user id. Two contacts can be merged later, and never taken apart.
func (h *host) acquaint(ctx context.Context, p person) (later string, doubt bool, err error) {
	all := p.addresses()
	if len(all) < 2 {
		return "", false, nil
	}
	number, userID := all[0], all[1]
	byNumber, err := h.contactOf(ctx, number)
	if err != nil {
		return "", false, err
	}
	byID, err := h.contactOf(ctx, userID)
	switch {
	case err != nil:
		return "", false, err
	case byNumber == "" && byID == "":
		return number, false, nil
	case byNumber == byID:
		return "", false, nil
	case byNumber == "":
		_, err = h.link(ctx, byID, number)
	case byID != "":
		return "", true, nil
	default:
		doubt, err = h.hasOtherID(ctx, byNumber, userID)
		if err == nil && !doubt {
			_, err = h.link(ctx, byNumber, userID)
		}
	}
	if errors.Is(err, convo.ErrAddressTaken) { // by another delivery, just now
		return "", true, nil
	}
	return "", doubt, err
}

// hasOtherID reports whether a contact has a user id that is not this one, which another delivery
// may have linked just now.
func (h *host) hasOtherID(ctx context.Context, contact, userID string) (bool, error) {
	all, err := h.engine.Addresses(ctx, convo.ToContact(h.workspace, contact))
	for _, a := range all {
		if a.Channel == channel && !strings.HasPrefix(a.Value, "+") && a.Value != userID {
			return true, err
		}
	}
	return false, err
}
