package convo

import (
	"strconv"
	"strings"
	"time"
)

// Which rules a conversation is armed by, and since when: no deadline is due before its rule was
// first applied, or a policy that is switched on would close today what has been idle for months,
// and stamp it with a day of the past. A rule is known by a hash of all that says when it is due,
// so that one that was shortened is a new one, and one whose calendar got another holiday.

// apply keeps which rules c is armed by from now on.
func (r *ruler) apply(c *Conversation) {
	if !c.Status.Active() || len(r.rules) == 0 {
		c.Applied = ""
		return
	}
	all := true
	for i := range r.rules {
		_, known := appliedAt(c.Applied, r.hash(&r.rules[i]))
		all = all && known
	}
	if all && len(r.rules) == 1+strings.Count(c.Applied, ",") {
		return
	}
	var b strings.Builder
	for i := range r.rules {
		hash := r.hash(&r.rules[i])
		at, known := appliedAt(c.Applied, hash)
		if !known && r.now.After(c.Cycle.OpenedAt) {
			at = appliedText(r.now)
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.Write(hash[:])
		if at != "" {
			b.WriteString("@" + at)
		}
	}
	c.Applied = b.String()
}

// applied is when a rule was first applied to c.
func (r *ruler) applied(c *Conversation, rule *Deadline) time.Time {
	switch at, known := appliedAt(c.Applied, r.hash(rule)); {
	case !known:
		return r.now
	case at != "":
		return appliedTime(at)
	}
	return c.Cycle.OpenedAt
}

// appliedAt is when the rule with a hash was applied; empty: when the cycle was opened.
func appliedAt(applied string, hash [8]byte) (at string, known bool) {
	i := strings.Index(applied, string(hash[:]))
	if i < 0 {
		return "", false
	}
	at, _, _ = strings.Cut(applied[i+len(hash):], ",")
	return strings.TrimPrefix(at, "@"), true
}

// notAhead has now stand for what is later: a clock that ran ahead for a while would keep a rule
// from being due until then.
func (c *Conversation) notAhead(now time.Time) {
	for rest := c.Applied; rest != ""; {
		var one string
		one, rest, _ = strings.Cut(rest, ",")
		if hash, at, _ := strings.Cut(one, "@"); at != "" && appliedTime(at).After(now) {
			c.Applied = strings.Replace(c.Applied, one, hash+"@"+appliedText(now), 1)
		}
	}
}

func appliedText(at time.Time) string { return strconv.FormatInt(at.UnixMicro(), 36) }

func appliedTime(text string) time.Time {
	micros, _ := strconv.ParseInt(text, 36, 64)
	return time.UnixMicro(micros).UTC()
}

// hash is that of all that says when a rule is due: 8 digits, of which the first is a capital, so
// that nothing else in a text of them looks the same. Of its calendar it has what is in it, not the
// name, and of its Do what that changes: while when it is armed, and since when.
func (r *ruler) hash(rule *Deadline) [8]byte {
	h := hashed(hashBegins, rule.Name)
	if hours := r.kept(rule.Hours); hours != nil {
		h = (h ^ hours.hash) * hashPrime
	}
	h = hashed(h, string(rule.Since))
	h = hashed(h, string(rule.while()))
	h = hashed(h, string(rule.Target))
	for after := uint64(rule.After); after > 0; after >>= 8 {
		h = (h ^ uint32(after&0xff)) * hashPrime
	}
	if rule.Pause {
		h = hashed(h, "pause")
	}
	if rule.Do == DoUnassign && rule.Target == TargetNone {
		h = hashed(h, "assigned")
	}
	const digits = "0123456789abcdef"
	text := [8]byte{"GHIJKLMNOPQRSTUV"[h>>28]}
	for i := 1; i < len(text); i++ {
		text[i] = digits[h>>(28-4*i)&0xf]
	}
	return text
}

const hashBegins, hashPrime = 2166136261, 16777619

// hashed is h with a text more (FNV-1a).
func hashed(h uint32, text string) uint32 {
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * hashPrime
	}
	return (h ^ 0xff) * hashPrime
}
