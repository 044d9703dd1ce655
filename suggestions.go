package convo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Identity says whose the address is, in the same way on every channel: an e-mail address in lower
// case, or an international phone number as "+" and its digits. It is empty for anything else, such
// as the id that a channel gives a person, and for a phone number without "+", which may be another
// one in another country.
func (a Address) Identity() string {
	v := strings.TrimSpace(a.Value)
	if digits, ok := strings.CutPrefix(v, "+"); ok {
		return phone(v, digits)
	}
	local, domain, _ := strings.Cut(v, "@")
	if local == "" || !strings.Contains(strings.Trim(domain, "."), ".") ||
		strings.ContainsAny(v, " \t") || strings.Contains(domain, "@") {
		return ""
	}
	if v = strings.ToLower(v); len(v) > MaxID { // some letters are longer in lower case
		return ""
	}
	return v
}

// phone is a phone number without separators. ITU-T E.164 allows 15 digits, and seven are as few as
// any country has with its code.
func phone(v, digits string) string {
	digits = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()", r) {
			return -1
		}
		return r
	}, digits)
	if len(digits) < 7 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	if len(digits) == len(v)-1 {
		return v
	}
	return "+" + digits
}

// Suggestion is another contact that may be the same person, because it has an address with the
// same Identity.
type Suggestion struct {
	Contact string  `json:"contact"` // in its own right: not one that was merged
	Address Address `json:"address"` // the one that is shared
}

// IdentityIndex is a Store that finds addresses by their Identity.
type IdentityIndex interface {
	Store
	// AddressesByIdentity returns a page of the addresses of the workspace that have the Identity,
	// each with the root contact that it belongs to: those after the address after, by Channel and
	// then Value, compared byte for byte.
	AddressesByIdentity(
		ctx context.Context, workspace, identity string, after Address, limit int,
	) ([]Suggestion, error)
}

// Suggestions returns a page of the contacts that may be the same person as the one that to leads
// to: those that share an e-mail address or a phone number with it, on whatever channel
// ([Address.Identity]). A contact is listed once for each of its addresses that is shared; which of
// them to [Engine.Merge] is for a person to say. Blocked contacts are among them.
//
// Pass the Address of the last item as after to continue, until a page is shorter than the limit;
// limit 0 is DefaultPageSize. It fails with ErrNotFound for an unknown contact, and with
// errors.ErrUnsupported on a store that is no [IdentityIndex].
func (e *Engine) Suggestions(
	ctx context.Context, to Ref, after Address, limit int,
) ([]Suggestion, error) {
	if err := checkLimit(limit); err != nil {
		return nil, err
	}
	limit = cmp.Or(limit, DefaultPageSize)
	index, ok := e.store.(IdentityIndex)
	if !ok {
		return nil, fmt.Errorf("convo: suggestions of a %T: %w", e.store, errors.ErrUnsupported)
	}
	s, err := e.load(ctx, to)
	if err != nil {
		return nil, err
	}
	own, err := index.Addresses(ctx, to.Workspace, s.Contact.ID)
	if err != nil {
		return nil, err
	}
	var identities []string
	for _, a := range own {
		if id := a.Identity(); id != "" && id >= after.Identity() {
			identities = append(identities, id)
		}
	}
	slices.Sort(identities)
	var out []Suggestion
	for _, id := range slices.Compact(identities) {
		var from Address
		if id == after.Identity() {
			from = after
		}
		for more := true; more; {
			page, err := index.AddressesByIdentity(ctx, to.Workspace, id, from, limit)
			if err != nil {
				return nil, err
			}
			for _, other := range page {
				if from = other.Address; other.Contact == s.Contact.ID {
					continue
				}
				if out = append(out, other); len(out) == limit {
					return out, nil
				}
			}
			more = len(page) == limit
		}
	}
	return out, nil
}

// AllSuggestions is Suggestions page after page, from after on. An error ends it.
func (e *Engine) AllSuggestions(
	ctx context.Context, to Ref, after Address,
) iter.Seq2[Suggestion, error] {
	address := func(s Suggestion) Address { return s.Address }
	return pages(after, 0, address, func(after Address) ([]Suggestion, error) {
		return e.Suggestions(ctx, to, after, 0)
	})
}
