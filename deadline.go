package convo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Deadline is a rule of a policy: something is to be done so long after something else, unless it
// is cancelled before. Each is armed when what it counts Since is set and While holds, cancelled
// when either ends, and fires once each time that it is armed: [Engine.Tick] does what it says and
// writes a DeadlinePassed event, stamped with the time when it was due.
//
// A rule that is new to a conversation, or is due otherwise than it was, be it by its calendar, is
// due no earlier than it was first applied to it, by a command, by [Engine.Rearm] or by a Tick. A
// closing ends all. Of several that are due at once, closings come last.
type Deadline struct {
	// Name is its own in the policy: it is what has fired, and what reports group by.
	Name string `json:"name"`
	// After is how long: MinDeadline to MaxCalendar, or, in the working time of Hours, to
	// MaxWorkingTime.
	After Duration `json:"after"`
	// Hours names one of Policy.Calendars; empty: all time counts.
	Hours string `json:"hours,omitempty"`
	// Since and While say when it is armed. With a Target, leave both out.
	Since Since `json:"since,omitempty"`
	While While `json:"while,omitempty"`
	// Do is what comes of it.
	Do Do `json:"do,omitempty"`
	// Category, Summary and Farewell go with DoClose. The category need not be one of the policy's.
	// The farewell is a quiet message of the system before the closing, for the host to deliver;
	// there is none to a contact who is blocked.
	Category string `json:"category,omitempty"`
	Summary  string `json:"summary,omitempty"`
	Farewell string `json:"farewell,omitempty"`
	// Target makes it one of a service level: the event that meets it says so, and so does
	// DeadlinePassed or what comes too late ([Event.Marks]).
	Target Target `json:"target,omitempty"`
	// Pause has a target stand still while the conversation is pending. It goes on with its After
	// as the policy says then, less what had run before, as that was counted at the time. Where a
	// policy that changes takes Pause out meanwhile, it goes on from when it was set pending.
	Pause bool `json:"pause,omitempty"`
}

// Since is what a deadline counts from.
type Since string

// What a deadline counts from.
const (
	SinceOpened          Since = "opened"           // Cycle.OpenedAt
	SinceContactWaiting  Since = "contact_waiting"  // Cycle.WaitingSince
	SinceAwaitingContact Since = "awaiting_contact" // Conversation.AwaitingContactSince
	SinceAssigned        Since = "assigned"         // Conversation.AssignedAt
	SincePended          Since = "pended"           // since when it is pending
	SinceLastIncoming    Since = "last_incoming"    // Conversation.LastIncomingAt
	SinceAnyEvent        Since = "any_event"        // Conversation.LastActivityAt
)

// While is the status in which a deadline is armed. It counts from no earlier than when that began.
type While string

// The times in which a deadline may be armed.
const (
	WhileDefault While = "" // pending, for SincePended and DoResume; else open
	WhileOpen    While = "open"
	WhilePending While = "pending"
	WhileActive  While = "active"
)

// Do is what comes of a deadline.
type Do string

// What may come of a deadline.
const (
	DoRemind Do = "" // the event, and nothing else: what it is for is the host's
	DoClose  Do = "close"
	DoPend   Do = "pend" // until the contact writes, or somebody resumes it
	DoResume Do = "resume"
	// DoUnassign takes the assignee off, and leaves the team. It is armed while there is one, and
	// counts from no earlier than when they got it; with a target, it is for whoever has it then.
	DoUnassign Do = "unassign"
)

// Target is what a service level is about.
type Target string

// The targets. Each counts from the contact's first message that is unanswered, but for the last.
const (
	TargetNone          Target = ""
	TargetFirstResponse Target = "first_response" // the first reply of a cycle
	TargetNextResponse  Target = "next_response"  // every later reply
	TargetResolution    Target = "resolution"     // from the opening of a cycle to its closing
)

// MaxDeadlines is how many deadlines a policy may have, and how many calendars.
const MaxDeadlines = 32

// MinDeadline is the least that a Deadline may wait, and MaxWorkingTime the most in working time,
// which is more than a year of it.
const (
	MinDeadline    = time.Second
	MaxWorkingTime = 3000 * time.Hour
)

// Names of timers that are none of Policy.Deadlines.
const (
	TimerWake      = "wake"       // a pending conversation comes back at PendingUntil
	TimerAutoClose = "auto_close" // Policy.AutoClose
)

// ReplyWindow reminds when the contact has not written for so long: on WhatsApp, messages are free
// for 24 hours after theirs.
func ReplyWindow(after time.Duration) Deadline {
	return Deadline{Name: "reply_window", After: Duration(after),
		Since: SinceLastIncoming, While: WhileActive}
}

// NudgeThenClose reminds when the contact does not answer for so long, and closes after as long
// again, with a farewell unless that is empty. Both do nothing while the conversation is pending,
// and count anew once it is open again; with While: WhileActive they go on.
func NudgeThenClose(after time.Duration, farewell string) []Deadline {
	return []Deadline{
		{Name: "nudge", After: Duration(after), Since: SinceAwaitingContact},
		{Name: "close", After: Duration(2 * after), Since: SinceAwaitingContact, Do: DoClose,
			Farewell: farewell},
	}
}

// TakeBack takes a conversation off an assignee who lets the contact wait for so long. It does
// nothing while it is pending, and counts anew then; with While: WhileActive it goes on.
func TakeBack(after time.Duration) Deadline {
	return Deadline{Name: "take_back", After: Duration(after), Since: SinceContactWaiting,
		Do: DoUnassign}
}

// ServiceLevel is a target for the first response, and one for the resolution that stands still
// while the conversation is pending; both in the working time of hours, unless that is empty.
func ServiceLevel(firstResponse, resolution time.Duration, hours string) []Deadline {
	return []Deadline{
		{Name: "first_response", After: Duration(firstResponse), Hours: hours,
			Target: TargetFirstResponse},
		{Name: "resolution", After: Duration(resolution), Hours: hours,
			Target: TargetResolution, Pause: true},
	}
}

// while is When with its default.
func (r *Deadline) while() While {
	switch {
	case r.Target != TargetNone:
		return WhileActive
	case r.While != WhileDefault:
		return r.While
	case r.Since == SincePended || r.Do == DoResume:
		return WhilePending
	}
	return WhileOpen
}

// lazy reports whether it is in no list, because every message would move it.
func (r *Deadline) lazy() bool {
	return r.Since == SinceLastIncoming || r.Since == SinceAnyEvent
}

// rule is AutoClose as a deadline.
func (a *AutoClose) rule() Deadline {
	return Deadline{
		Name: TimerAutoClose, After: a.After, Since: cmp.Or(a.Since, SinceAwaitingContact),
		Do: DoClose, Category: a.Category, Summary: a.Summary,
	}
}

// armedSince is since when r counts for c, or zero.
func (r *Deadline) armedSince(c *Conversation) time.Time {
	cycle := &c.Cycle
	if !c.Status.Active() {
		return time.Time{}
	}
	switch r.Target {
	case TargetFirstResponse:
		if cycle.FirstResponseAt.IsZero() {
			return cycle.WaitingSince
		}
		return time.Time{}
	case TargetNextResponse:
		if cycle.FirstResponseAt.IsZero() {
			return time.Time{}
		}
		return cycle.WaitingSince
	case TargetResolution:
		return cycle.OpenedAt
	}
	began := c.StatusSince
	switch while := r.while(); {
	case while == WhileActive:
		began = cycle.OpenedAt
	case string(while) != string(c.Status):
		return time.Time{}
	}
	var since time.Time
	switch r.Since {
	case SinceOpened:
		since = cycle.OpenedAt
	case SinceContactWaiting:
		since = cycle.WaitingSince
	case SinceAwaitingContact:
		since = c.AwaitingContactSince
	case SinceAssigned:
		since = c.AssignedAt
	case SincePended:
		since = c.StatusSince
	case SinceLastIncoming:
		since = c.LastIncomingAt
	case SinceAnyEvent:
		since = c.LastActivityAt
	}
	if since.IsZero() || r.Do == DoUnassign && c.AssignedAt.IsZero() {
		return time.Time{}
	}
	if r.Do == DoUnassign {
		began = maxTime(began, c.AssignedAt)
	}
	return maxTime(since, began)
}

// validate reports what is wrong with r.
func (r *Deadline) validate(field string, p *Policy) error {
	oneOf := func(name, v string, allowed ...string) error {
		if v == "" || slices.Contains(allowed, v) {
			return nil
		}
		return invalid(field+"."+name, fmt.Sprintf("%q is not one of %q", v, allowed))
	}
	for _, err := range []error{
		checkID(field+".name", r.Name),
		oneOf("since", string(r.Since), sinces...),
		oneOf("while", string(r.While), string(WhileOpen), string(WhilePending),
			string(WhileActive)),
		oneOf("do", string(r.Do), string(DoClose), string(DoPend), string(DoResume),
			string(DoUnassign)),
		oneOf("target", string(r.Target), string(TargetFirstResponse),
			string(TargetNextResponse), string(TargetResolution)),
		checkToken(field+".category", r.Category),
		checkText(field+".summary", r.Summary, p.MaxSummary, DefaultMaxSummary),
		checkText(field+".farewell", r.Farewell, p.MaxBody, DefaultMaxBody),
	} {
		if err != nil {
			return err
		}
	}
	_, known := p.Calendars[r.Hours]
	for _, rule := range [...]struct {
		name, rule string
		broken     bool
	}{
		{"name", "is the library's own", r.Name == TimerWake || r.Name == TimerAutoClose},
		{"after", fmt.Sprintf("must be at least %s", Duration(MinDeadline)),
			time.Duration(r.After) < MinDeadline},
		{"after", fmt.Sprintf("must be at most %s", Duration(MaxCalendar)),
			time.Duration(r.After) > MaxCalendar},
		{"after", fmt.Sprintf("must be at most %s of working time", Duration(MaxWorkingTime)),
			r.Hours != "" && time.Duration(r.After) > MaxWorkingTime},
		{"hours", fmt.Sprintf("%q is none of calendars", r.Hours), r.Hours != "" && !known},
		{"since", "must be left out: a target says it", r.Target != "" && r.Since != ""},
		{"while", "must be left out: a target says it", r.Target != "" && r.While != ""},
		{"since", "say what it counts from, or name a target", r.Target == "" && r.Since == ""},
		{"pause", "goes with a target", r.Pause && r.Target == ""},
		{"while", "must be pending: it counts since then",
			r.Since == SincePended && r.while() != WhilePending},
		{"while", "must be open: what is pending is not set pending",
			r.Do == DoPend && r.while() != WhileOpen},
		{"while", "must be pending: what is open is not resumed",
			r.Do == DoResume && r.while() != WhilePending},
		{"category", "goes with do: close", r.Category != "" && r.Do != DoClose},
		{"summary", "goes with do: close", r.Summary != "" && r.Do != DoClose},
		{"farewell", "goes with do: close", r.Farewell != "" && r.Do != DoClose},
	} {
		if rule.broken {
			return invalid(field+"."+rule.name, rule.rule)
		}
	}
	return nil
}

var sinces = []string{
	string(SinceOpened), string(SinceContactWaiting), string(SinceAwaitingContact),
	string(SinceAssigned), string(SincePended), string(SinceLastIncoming), string(SinceAnyEvent),
}

// validateDeadlines reports what is wrong with the deadlines of p, and with its calendars.
func (p *Policy) validateDeadlines() error {
	if n := len(p.Deadlines); n > MaxDeadlines {
		return invalid("deadlines", fmt.Sprintf("must be at most %d, not %d", MaxDeadlines, n))
	}
	if n := len(p.Calendars); n > MaxDeadlines {
		return invalid("calendars", fmt.Sprintf("must be at most %d, not %d", MaxDeadlines, n))
	}
	for name, hours := range p.Calendars {
		field := fmt.Sprintf("calendars[%q]", name)
		if err := checkID(field, name); err != nil {
			return err
		}
		if _, err := hours.Calendar(nil); err != nil {
			return within(field, err)
		}
	}
	for i := range p.Deadlines {
		r, field := &p.Deadlines[i], fmt.Sprintf("deadlines[%d]", i)
		if err := r.validate(field, p); err != nil {
			return err
		}
		for j := range i {
			if p.Deadlines[j].Name == r.Name {
				return invalid(field+".name", fmt.Sprintf("%q is there twice", r.Name))
			}
		}
	}
	return nil
}

// DeadlineTable is what p does by itself as a Markdown table: a row for each of its deadlines, for
// AutoClose, and for the waking of what is pending. p must be valid; nil is the default policy.
func DeadlineTable(p *Policy) string {
	if p == nil {
		p = &defaultPolicy
	}
	var b strings.Builder
	b.WriteString("| name | when | while | then |\n|---|---|---|---|\n")
	for i := range p.Deadlines {
		p.Deadlines[i].describe(&b)
	}
	if p.AutoClose.After > 0 {
		r := p.AutoClose.rule()
		r.describe(&b)
	}
	b.WriteString("| wake | the time that it is pending until | pending | resume |\n")
	return b.String()
}

func (r *Deadline) describe(b *strings.Builder) {
	after := r.After.String()
	if r.Hours != "" {
		after += " of " + r.Hours
	}
	then := cmp.Or(string(r.Do), "remind")
	switch {
	case r.Farewell != "":
		then = "say farewell, close"
	case r.Target != "":
		then = "missed, " + then
	}
	if r.Category != "" {
		then += " as " + r.Category
	}
	since, while := "since "+string(r.Since), string(r.while())
	if r.Target != "" {
		since = "for " + string(r.Target)
	}
	if r.Pause {
		while += ", still while pending"
	}
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	fmt.Fprintf(b, "| %s | %s %s | %s | %s |\n", cell.Replace(r.Name), cell.Replace(after),
		since, while, cell.Replace(then))
}
