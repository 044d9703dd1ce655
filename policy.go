package convo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Policy is the rules of a workspace or a channel, as plain data. The zero value is the library's
// default behaviour, and what [InboxPolicy] returns. A policy that is changed takes hold with the
// next command of each conversation; its timers too, or earlier with [Engine.Rearm].
type Policy struct {
	// Open and Receive say what these commands do when the latest conversation is closed.
	Open    OnClosed `json:"open,omitzero"`
	Receive OnClosed `json:"receive,omitzero"`
	// StayPending keeps a pending conversation pending when the contact writes. Default: it is
	// resumed.
	StayPending bool `json:"stay_pending,omitempty"`

	// KeepBlocked keeps what a blocked contact writes as quiet messages. Default: they are refused
	// with ErrBlocked.
	KeepBlocked bool `json:"keep_blocked,omitempty"`

	// Category and Summary say whether a closing needs them; Categories are the allowed ones, empty
	// means any. Closings by the system with source contact_merge or inactivity are exempt, and so
	// is what a merge closes.
	Category   Rule     `json:"category,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Summary    Rule     `json:"summary,omitempty"`
	// UnassignOnClose takes assignee and team off a closed conversation; its cycle keeps them.
	UnassignOnClose bool `json:"unassign_on_close,omitempty"`

	// Notices are the transactional messages to write to the log, and for whom.
	Notices Notices `json:"notices,omitzero"`
	// RestartFlow marks a reopening by the contact with restart_flow.
	RestartFlow bool `json:"restart_flow,omitempty"`

	// CountAutomation lets messages of automation count as responses. Default: only those of users
	// do.
	CountAutomation bool `json:"count_automation,omitempty"`

	AutoClose AutoClose `json:"auto_close,omitzero"`
	// Deadlines are what is to happen by when, and Calendars the working hours that they name: a
	// map that is not changed once the policy is in use.
	Deadlines []Deadline       `json:"deadlines,omitempty"`
	Calendars map[string]Hours `json:"calendars,omitempty"`
	// Ratings is the scale of the scores that contacts give. Zero: 1 to 5.
	Ratings Scale `json:"ratings,omitzero"`
	// Merge says what becomes of the secondary's active conversation.
	Merge MergeMode `json:"merge,omitempty"`

	// MaxSkew is how far ahead of the clock a given time may be, because clocks differ. 0: 5
	// minutes.
	MaxSkew Duration `json:"max_skew,omitzero"`
	// Limits in bytes; 0 means the default: 64 KiB for bodies and for attachments, 8 KiB for
	// summaries.
	MaxBody        int `json:"max_body,omitempty"`
	MaxAttachments int `json:"max_attachments,omitempty"`
	MaxSummary     int `json:"max_summary,omitempty"`
}

// OnClosed says what happens when the latest conversation is closed.
type OnClosed struct {
	Mode OnClosedMode `json:"mode,omitempty"`
	// Window limits OnClosedReopen to so long after the closing; later, a new conversation is
	// opened. 0: no limit.
	Window Duration `json:"window,omitzero"`
}

// OnClosedMode is what to do when the latest conversation is closed.
type OnClosedMode string

// The modes of an OnClosed.
const (
	OnClosedOpenNew OnClosedMode = ""       // open a new conversation (default)
	OnClosedReopen  OnClosedMode = "reopen" // reopen the latest one
	OnClosedReject  OnClosedMode = "reject" // Receive only: fail with ErrClosed
)

// Rule says whether a closing has a field.
type Rule string

// The rules for a field of a closing.
const (
	RuleOptional Rule = "" // default
	RuleRequired Rule = "required"
	RuleDisabled Rule = "disabled" // giving one is an error
)

// NoticeCode names a transactional message; hosts translate by it.
type NoticeCode string

// The notices.
const (
	NoticeClosed    NoticeCode = "conversation_closed"
	NoticeReopened  NoticeCode = "conversation_reopened"
	NoticeRestarted NoticeCode = "conversation_restarted" // by the contact, with source restart
)

// Text is the default English text of the notice.
func (n NoticeCode) Text() string {
	switch n {
	case NoticeClosed:
		return "This conversation has been closed."
	case NoticeReopened:
		return "This conversation has been reopened."
	case NoticeRestarted:
		return "This conversation has been restarted."
	}
	return ""
}

// Audience is who is to see a notice.
type Audience string

// The audiences.
const (
	AudienceNone    Audience = "" // no notice is written
	AudienceContact Audience = "contact"
	AudienceUsers   Audience = "users"
	AudienceBoth    Audience = "both"
)

// Notices says who sees which notice.
type Notices struct {
	Closed    Audience `json:"conversation_closed,omitempty"`
	Reopened  Audience `json:"conversation_reopened,omitempty"`
	Restarted Audience `json:"conversation_restarted,omitempty"`
}

// AutoClose closes an open conversation after inactivity, by the system with source inactivity: it
// is short for a Deadline with DoClose, but that it writes no DeadlinePassed.
type AutoClose struct {
	// After is the inactivity to wait for: MinDeadline to MaxCalendar. 0: never.
	After Duration `json:"after,omitzero"`
	// Since is SinceAwaitingContact (default), which an answer of the contact cancels, or
	// SinceAnyEvent.
	Since    Since  `json:"since,omitempty"`
	Category string `json:"category,omitempty"`
	Summary  string `json:"summary,omitempty"`
}

func (a *AutoClose) checkAfter() error {
	if after := time.Duration(a.After); after != 0 && (after < MinDeadline || after > MaxCalendar) {
		return invalid("auto_close.after", fmt.Sprintf("must be 0 (never), or from %s to %s",
			Duration(MinDeadline), Duration(MaxCalendar)))
	}
	return nil
}

// Scale is from which score to which contacts rate: 0 to MaxScore.
type Scale struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// MaxScore is the highest score that a Scale may have.
const MaxScore = 100

// scale is p.Ratings with its default.
func (p *Policy) scale() Scale {
	if p.Ratings == (Scale{}) {
		return Scale{1, 5}
	}
	return p.Ratings
}

// MergeMode says what becomes of the secondary's active conversation in a merge.
type MergeMode string

// The merge modes.
const (
	// MergeClose closes it with source contact_merge (default).
	MergeClose MergeMode = ""
	// MergeTransfer moves it to the primary when that has no active one; else it is closed.
	MergeTransfer MergeMode = "transfer"
)

// Duration is a time.Duration that is text in JSON, as time.ParseDuration reads it: "72h".
type Duration time.Duration

// String is the shortest text: 72h, not 72h0m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("convo: %s, not %q", durationRule, text)
	}
	*d = Duration(v)
	return nil
}

const durationRule = `must be a duration such as "90m" or "72h"`

// InboxPolicy is IS-Messenger's way, and the default: a message after a closing opens a new
// conversation.
func InboxPolicy() Policy { return Policy{} }

// WorkflowPolicy is Triochat's way: the Open step reopens a closed conversation, and a closing
// takes one of the categories, which are the host's to change.
func WorkflowPolicy() Policy {
	return Policy{
		Open:       OnClosed{Mode: OnClosedReopen},
		Categories: []string{"General Inquiry", "Sales", "Support"},
	}
}

// LiveChatPolicy is Insent's way: a closed conversation takes no messages, the visitor may restart
// it, which replays the flow, and an agent may reopen it; everybody who is concerned is told.
func LiveChatPolicy() Policy {
	return Policy{
		Open:    OnClosed{Mode: OnClosedReopen},
		Receive: OnClosed{Mode: OnClosedReject},
		Notices: Notices{
			Closed:    AudienceBoth,
			Reopened:  AudienceBoth,
			Restarted: AudienceUsers,
		},
		RestartFlow: true,
	}
}

// The limits of a policy that sets none, and the most bytes that one may set.
const (
	DefaultMaxSkew        = 5 * time.Minute
	DefaultMaxBody        = 64 << 10
	DefaultMaxAttachments = 64 << 10
	DefaultMaxSummary     = 8 << 10
	MaxTextLimit          = 16 << 20
)

// UnmarshalJSON implements json.Unmarshaler. It refuses unknown fields with a *ValidationError, so
// that a typing error does not quietly leave a rule out. What was checked so and saved,
// [ReadPolicy] reads.
func (p *Policy) UnmarshalJSON(data []byte) error {
	type plain Policy
	if err := decodeStrictly(data, (*plain)(p)); err != nil {
		return invalid("policy", err.Error())
	}
	return nil
}

func (p *Policy) maxSkew() time.Duration {
	if p.MaxSkew == 0 {
		return DefaultMaxSkew
	}
	return time.Duration(p.MaxSkew)
}

// Validate reports what is wrong with p as a *ValidationError.
func (p *Policy) Validate() error {
	oneOf := func(field, v string, allowed ...string) error {
		if slices.Contains(allowed, v) {
			return nil
		}
		return invalid(field, fmt.Sprintf("%q is not one of %q", v, allowed))
	}
	audience := func(field string, a Audience) error {
		return oneOf(
			field,
			string(a),
			"",
			string(AudienceContact),
			string(AudienceUsers),
			string(AudienceBoth),
		)
	}
	rule := func(field string, r Rule) error {
		return oneOf(field, string(r), "", string(RuleRequired), string(RuleDisabled))
	}
	notNegative := func(field string, n int64) error {
		if n < 0 {
			return invalid(field, "must not be negative")
		}
		return nil
	}
	goesWithReopen := func(field string, r OnClosed) error {
		if r.Window != 0 && r.Mode != OnClosedReopen {
			return invalid(field, "goes with mode reopen")
		}
		return nil
	}
	limit := func(field string, n int) error {
		if n < 0 || n > MaxTextLimit {
			return invalid(
				field,
				fmt.Sprintf("must be from 0 (the default) to %d bytes", MaxTextLimit),
			)
		}
		return nil
	}
	for _, err := range []error{
		oneOf("open.mode", string(p.Open.Mode), "", string(OnClosedReopen)),
		oneOf("receive.mode", string(p.Receive.Mode), "", string(OnClosedReopen),
			string(OnClosedReject)),
		notNegative("open.window", int64(p.Open.Window)),
		notNegative("receive.window", int64(p.Receive.Window)),
		notNegative("max_skew", int64(p.MaxSkew)),
		goesWithReopen("open.window", p.Open),
		goesWithReopen("receive.window", p.Receive),
		rule("category", p.Category),
		rule("summary", p.Summary),
		audience("notices.conversation_closed", p.Notices.Closed),
		audience("notices.conversation_reopened", p.Notices.Reopened),
		audience("notices.conversation_restarted", p.Notices.Restarted),
		p.AutoClose.checkAfter(),
		oneOf("auto_close.since", string(p.AutoClose.Since), "", string(SinceAwaitingContact),
			string(SinceAnyEvent)),
		oneOf("merge", string(p.Merge), "", string(MergeTransfer)),
		limit("max_body", p.MaxBody),
		limit("max_attachments", p.MaxAttachments),
		limit("max_summary", p.MaxSummary),
		checkToken("auto_close.category", p.AutoClose.Category),
		checkText("auto_close.summary", p.AutoClose.Summary, p.MaxSummary, DefaultMaxSummary),
	} {
		if err != nil {
			return err
		}
	}
	if r := p.scale(); r.Min < 0 || r.Max > MaxScore || r.Min >= r.Max {
		return invalid("ratings",
			fmt.Sprintf("must be from 0 or more to more, at most %d", MaxScore))
	}
	if err := p.validateDeadlines(); err != nil {
		return err
	}
	for i, c := range p.Categories {
		if err := checkID(fmt.Sprintf("categories[%d]", i), c); err != nil {
			return err
		}
	}
	return nil
}

// checkClosing holds the policy's rules for closings on every path.
func (p *Policy) checkClosing(category, summary string, exempt bool) error {
	if err := checkToken("category", category); err != nil {
		return err
	}
	if err := checkText("summary", summary, p.MaxSummary, DefaultMaxSummary); err != nil {
		return err
	}
	if exempt {
		return nil
	}
	if err := p.Category.check("category", category); err != nil {
		return err
	}
	if err := p.Summary.check("summary", summary); err != nil {
		return err
	}
	if category != "" && len(p.Categories) > 0 && !slices.Contains(p.Categories, category) {
		return invalid(
			"category",
			fmt.Sprintf("%q is not one of the policy's categories %q", category, p.Categories),
		)
	}
	return nil
}

func (r Rule) check(field, value string) error {
	switch {
	case r == RuleRequired && value == "":
		return invalid(field, "is required by the policy")
	case r == RuleDisabled && value != "":
		return invalid(field, "is disabled by the policy: leave it out")
	}
	return nil
}
