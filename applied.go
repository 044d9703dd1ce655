package convo

import (
	"strconv"
	"strings"
	"time"
)

// Which rules a conversation is armed by, and since when: no deadline is due before its rule was
// first applied, or a policy that is switched on would close today what has been idle for months,
// and stamp it with a day of the past. A rule is known by a hash of when it is due, so that one
// that was shortened is a new one.

// apply keeps which rules c is armed by from now on.
func (r *ruler) apply(c *Conversation) {
	if !c.Status.Active() || len(r.rules) == 0 {
		c.Applied = ""
		return
	}
	all := true
	for i := range r.rules {
		_, known := appliedAt(c.Applied, r.rules[i].hash())
		all = all && known
	}
	if all && len(r.rules) == 1+strings.Count(c.Applied, ",") {
		return
	}
	var b strings.Builder
	for i := range r.rules {
		hash := r.rules[i].hash()
		at, known := appliedAt(c.Applied, hash)
		if !known && r.now.After(c.Cycle.OpenedAt) {
			at = strconv.FormatInt(r.now.UnixMicro(), 36)
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
	switch at, known := appliedAt(c.Applied, rule.hash()); {
	case !known:
		return r.now
	case at != "":
		micros, _ := strconv.ParseInt(at, 36, 64)
		return time.UnixMicro(micros).UTC()
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

// hash is that of all that says when r is due (FNV-1a): 8 digits, of which the first is a capital,
// so that nothing else in a text of them looks the same.
func (r *Deadline) hash() [8]byte {
	h := uint32(2166136261)
	add := func(text string) {
		for i := range len(text) {
			h = (h ^ uint32(text[i])) * 16777619
		}
		h = (h ^ 0xff) * 16777619
	}
	add(r.Name)
	add(r.Hours)
	add(string(r.Since))
	add(string(r.While))
	add(string(r.Target))
	for after := uint64(r.After); after > 0; after >>= 8 {
		h = (h ^ uint32(after&0xff)) * 16777619
	}
	if r.Pause {
		add("pause")
	}
	const digits = "0123456789abcdef"
	text := [8]byte{"GHIJKLMNOPQRSTUV"[h>>28]}
	for i := 1; i < len(text); i++ {
		text[i] = digits[h>>(28-4*i)&0xf]
	}
	return text
}
