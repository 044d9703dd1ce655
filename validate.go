package convo

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxID is the longest id, channel, address or token, in bytes; MaxKey the longest external id of a
// message, which is the most that a Message-ID of e-mail may have (RFC 5322, 2.1.1), and the
// longest idempotency key.
const (
	MaxID  = 255
	MaxKey = 998
)

// MaxCommands is the most commands that one call carries.
const MaxCommands = 100

// checkID holds the rule for ids, channels, addresses and tokens; they are compared byte for byte.
func checkID(field, s string) error {
	if s == "" {
		return invalid(field, "must not be empty")
	}
	return checkToken(field, s)
}

// checkToken is checkID for a field that may be empty.
func checkToken(field, s string) error {
	if s == "" {
		return nil // here, so that it is no call
	}
	return checkBytes(field, s, MaxID)
}

// checkKey holds the rule for external ids and keys, which may be empty.
func checkKey(field, s string) error {
	if s == "" {
		return nil
	}
	return checkBytes(field, s, MaxKey)
}

func checkBytes(field, s string, limit int) error {
	if len(s) > limit {
		return invalid(field, fmt.Sprintf("must be at most %d bytes, not %d", limit, len(s)))
	}
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			return invalid(field, "must not contain control characters")
		}
		ascii = ascii && s[i] < utf8.RuneSelf
	}
	if ascii {
		return nil
	}
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return invalid(field, "must be valid UTF-8")
			}
		}
		if r >= 0x80 && r < 0xa0 {
			return invalid(field, "must not contain control characters")
		}
	}
	return nil
}

// checkText holds the rule for bodies and summaries: at most limit bytes (or byDefault when that is
// 0) of valid UTF-8 without NUL, which PostgreSQL refuses.
func checkText(field, s string, limit, byDefault int) error {
	if limit == 0 {
		limit = byDefault
	}
	if len(s) > limit {
		return invalid(field, fmt.Sprintf("must be at most %d bytes, not %d", limit, len(s)))
	}
	if !utf8.ValidString(s) {
		return invalid(field, "must be valid UTF-8")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return invalid(field, "must not contain NUL")
	}
	return nil
}

func checkActor(a Actor) error {
	switch a.Type {
	case ActorContact, ActorAutomation, ActorSystem:
	case ActorUser:
		if a.ID == "" {
			return invalid("by.id", "a user needs an id")
		}
	case "":
		return invalid("by", "say who does it: ByUser, ByAutomation, ByContact or BySystem")
	default:
		return invalid(
			"by.type",
			fmt.Sprintf("%q is not one of contact, user, automation, system", a.Type),
		)
	}
	return checkToken("by.id", a.ID)
}

// Times are so near to one another that every duration between two fits a time.Duration (292
// years).
var (
	earliestTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	latestTime   = time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC)
)

func checkTime(field string, t time.Time) error {
	if !t.IsZero() && (t.Before(earliestTime) || !t.Before(latestTime)) {
		return invalid(field, "must be in the years 1900 to 2189")
	}
	return nil
}

func (o *fields) checkText(p *Policy) error {
	if o.text == "" && len(o.attachments) == 0 {
		return invalid("body", "a message needs a body or attachments")
	}
	if err := checkText("body", o.text, p.MaxBody, DefaultMaxBody); err != nil {
		return err
	}
	return checkAttachments(p, o.attachments)
}

func (o *fields) checkMessage(p *Policy) error {
	if err := o.checkText(p); err != nil {
		return err
	}
	if err := checkTime("sent_at", o.sentAt); err != nil {
		return err
	}
	if err := checkToken("address", o.address); err != nil {
		return err
	}
	switch {
	case o.channel != "":
	case o.address != "":
		return invalid("address", "is on a channel: name the channel too")
	case o.externalID != "":
		return invalid("external_id", "is unique within a channel: name the channel too")
	}
	return checkKey("external_id", o.externalID)
}

func checkAttachments(p *Policy, a json.RawMessage) error {
	if len(a) == 0 {
		return nil
	}
	limit := p.MaxAttachments
	if limit == 0 {
		limit = DefaultMaxAttachments
	}
	if len(a) > limit {
		return invalid(
			"attachments",
			fmt.Sprintf("must be at most %d bytes, not %d", limit, len(a)),
		)
	}
	if !json.Valid(a) || !utf8.Valid(a) {
		return invalid("attachments", "must be valid JSON")
	}
	return nil
}

func (o *fields) checkRating(p *Policy) error {
	if o.by.Type != ActorContact {
		return invalid("by.type", "it is the contact who rates")
	}
	if o.cycle < 0 {
		return invalid("cycle", "must not be negative")
	}
	if r := p.scale(); o.score < r.Min || o.score > r.Max {
		return invalid("score", fmt.Sprintf("must be from %d to %d", r.Min, r.Max))
	}
	return checkText("comment", o.text, p.MaxSummary, DefaultMaxSummary)
}

// check reports what is wrong with a command by itself, before anybody looks at the state.
func (o *fields) check(p *Policy) error {
	if err := checkActor(o.by); err != nil {
		return err
	}
	if err := checkTime("at", o.at); err != nil {
		return err
	}
	if err := checkKey("key", o.key); err != nil {
		return err
	}
	if err := checkToken("channel", o.channel); err != nil {
		return err
	}
	if err := checkToken("source", string(o.source)); err != nil {
		return err
	}
	switch o.kind {
	case kindReceive:
		if o.by.Type != ActorContact {
			return invalid(
				"by.type",
				"a message is received from the contact: use Send for the others",
			)
		}
		return o.checkMessage(p)
	case kindSend:
		if o.by.Type != ActorUser && o.by.Type != ActorAutomation {
			return invalid("by.type", "a message is sent by a user or by automation")
		}
		return o.checkMessage(p)
	case kindNote:
		return o.checkMessage(p)
	case kindEdit:
		if err := o.message.check(); err != nil {
			return err
		}
		return o.checkText(p)
	case kindRetract:
		return o.message.check()
	case kindIdentify:
		return o.message.checkIdentity()
	case kindSetPending:
		switch o.onReceive {
		case OnReceivePolicy, OnReceiveResume, OnReceiveStay:
			return checkTime("until", o.until)
		}
		return invalid("on_receive",
			fmt.Sprintf("%q is not one of resume, stay, or empty", o.onReceive))
	case kindRate:
		return o.checkRating(p)
	case kindClose:
		exempt := o.inactivity() || o.by.Type == ActorSystem && o.source == SourceContactMerge
		return p.checkClosing(o.category, o.text, exempt)
	case kindAssign:
		if err := checkToken("assignee", o.assignee); err != nil {
			return err
		}
		return checkToken("team", o.team)
	case kindAmendClosing:
		return p.checkClosing(o.category, o.text, false)
	case kindLabel, kindPrioritize, kindDescribe, kindSetProfile:
		return o.about.check(o.kind)
	case kindMove:
		return o.to.check()
	case kindBlock:
		return checkText("reason", o.text, p.MaxSummary, DefaultMaxSummary)
	}
	return nil
}
