package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
)

func drawPolicy(t *rapid.T) *convo.Policy {
	reentry := func(label string, modes ...convo.OnClosedMode) convo.OnClosed {
		r := convo.OnClosed{Mode: Pick(t, label, modes...)}
		if r.Mode == convo.OnClosedReopen {
			r.Window = Pick(t, label+" window", 0, convo.Duration(time.Hour), 1)
		}
		return r
	}
	rules := []convo.Rule{convo.RuleOptional, convo.RuleOptional, convo.RuleRequired,
		convo.RuleDisabled}
	audiences := []convo.Audience{convo.AudienceNone, convo.AudienceContact, convo.AudienceUsers,
		convo.AudienceBoth}
	p := &convo.Policy{
		Open: reentry("open", convo.OnClosedOpenNew, convo.OnClosedReopen),
		Receive: reentry("receive", convo.OnClosedOpenNew, convo.OnClosedReopen,
			convo.OnClosedReject),
		StayPending:     rapid.Bool().Draw(t, "stay pending"),
		KeepBlocked:     rapid.Bool().Draw(t, "keep blocked"),
		Category:        Pick(t, "category", rules...),
		Summary:         Pick(t, "summary", rules...),
		UnassignOnClose: rapid.Bool().Draw(t, "unassign on close"),
		Notices: convo.Notices{
			Closed: Pick(t, "closed", audiences...), Reopened: Pick(t, "reopened", audiences...),
			Restarted: Pick(t, "restarted", audiences...),
		},
		RestartFlow:     rapid.Bool().Draw(t, "restart flow"),
		CountAutomation: rapid.Bool().Draw(t, "count automation"),
		Merge:           Pick(t, "merge", convo.MergeClose, convo.MergeTransfer),
	}
	if rapid.Bool().Draw(t, "categories") {
		p.Categories = []string{"Sales", "Support"}
	}
	if rapid.Bool().Draw(t, "auto close") {
		p.AutoClose = convo.AutoClose{
			After: convo.Duration(Pick(t, "after", time.Hour, time.Minute,
				time.Second+1500*time.Nanosecond)),
			Since:    Pick(t, "since", convo.Since(""), convo.SinceAnyEvent),
			Category: Pick(t, "auto category", "", "Unanswered"), Summary: Pick(t, "auto summary",
				"", "Silence."),
		}
	}
	if rapid.Bool().Draw(t, "deadlines") {
		p.Calendars = map[string]convo.Hours{"office": {Zone: "Europe/Berlin",
			Days: map[string][]convo.Interval{"monday": {{From: "08:00", To: "12:00"},
				{From: "14:00", To: "02:00"}}, "thursday": {{From: "00:00", To: "24:00"}}}}}
		for i := range rapid.IntRange(1, 4).Draw(t, "how many") {
			p.Deadlines = append(p.Deadlines, drawDeadline(t, fmt.Sprint("rule ", i)))
		}
	}
	if Rarely(t, "limits", 4) {
		p.MaxBody, p.MaxAttachments, p.MaxSummary = 4, 12, 8
	}
	require.NoError(t, p.Validate())
	return p
}

// drawRetention is for how long things are kept.
func drawRetention(t *rapid.T) convo.Retention {
	r := convo.Retention{Texts: convo.MinRetention}
	if rapid.Bool().Draw(t, "conversations are pruned") {
		r.Conversations = 2 * convo.MinRetention
	}
	return r
}

func drawDeadline(t *rapid.T, name string) convo.Deadline {
	d := convo.Deadline{
		Name: name,
		After: convo.Duration(Pick(t, "after", time.Minute, time.Hour, 90*time.Minute,
			time.Second)),
		Hours: Pick(t, "hours", "", "", "office"),
		Do: Pick(t, "do", convo.DoRemind, convo.DoClose, convo.DoPend, convo.DoResume,
			convo.DoUnassign),
	}
	if d.Do == convo.DoClose {
		d.Farewell = Pick(t, "farewell", "", "bye")
	}
	if rapid.Bool().Draw(t, "target") {
		if d.Do == convo.DoPend || d.Do == convo.DoResume {
			d.Do = convo.DoRemind
		}
		d.Target = Pick(t, "of", convo.TargetFirstResponse, convo.TargetNextResponse,
			convo.TargetResolution)
		d.Pause = rapid.Bool().Draw(t, "pause")
		return d
	}
	d.Since = Pick(t, "since", convo.SinceOpened, convo.SinceContactWaiting,
		convo.SinceAwaitingContact, convo.SinceAssigned, convo.SincePended,
		convo.SinceLastIncoming, convo.SinceAnyEvent)
	d.While = Pick(t, "while", convo.WhileOpen, convo.WhilePending, convo.WhileActive)
	switch {
	case d.Do == convo.DoPend:
		d.While, d.Since = convo.WhileOpen, convo.SinceOpened
	case d.Do == convo.DoResume || d.Since == convo.SincePended:
		d.While = convo.WhilePending
	}
	return d
}

// DrawRef draws whom a call is for.
func (w *World) DrawRef(t *rapid.T) convo.Ref {
	to := convo.Ref{Workspace: Pick(t, "workspace", Workspaces...)}
	switch kind := Pick(t, "to", "contact", "contact", "address", "both", "conversation",
		"nobody"); kind {
	case "nobody":
		if rapid.Bool().Draw(t, "invalid") {
			return to
		}
		to.Conversation = uuid.UUID{1}
	case "conversation":
		var all []uuid.UUID
		// also of the other workspace, where it must not be found
		for _, name := range Workspaces {
			for _, c := range w.last.Conversations[name] {
				all = append(all, c.ID)
			}
		}
		if len(all) > 0 {
			to.Conversation = rapid.SampledFrom(all).Draw(t, "conversation")
			return to
		}
		to.Contact = contacts[0]
	default:
		if kind != "address" {
			to.Contact = Pick(t, "contact", contacts...)
		}
		if kind != "contact" {
			to.Address = Pick(t, "address", addresses...)
		}
		if Rarely(t, "in a lane", 3) {
			to.Lane = Pick(t, "lane", "orders", "Orders")
		}
	}
	return to
}

// drawTime is mostly zero; else about now, in some zone and with a fraction of a microsecond.
func (w *World) drawTime(t *rapid.T, label string) time.Time {
	if !Rarely(t, label+" given", 4) {
		return time.Time{}
	}
	off := Pick(t, label, 0, time.Microsecond, -time.Microsecond, time.Hour, -time.Hour,
		300*time.Nanosecond, 1000*time.Hour)
	return w.now.Add(off).In(time.FixedZone("IST", 5*3600+1800))
}

// DrawCommand draws a command of any kind, and mostly one that can be.
func (w *World) DrawCommand(t *rapid.T) convo.Command {
	by := Pick(t, "by", convo.ByUser("ana"), convo.ByUser("ben"), convo.ByAutomation("bot"),
		convo.ByContact(), convo.BySystem())
	at := w.drawTime(t, "at")
	key := ""
	if Rarely(t, "keyed", 4) {
		key = fmt.Sprint("key-", rapid.IntRange(0, 20).Draw(t, "key"))
	}
	external := func() string {
		if Rarely(t, "external", 3) {
			return fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "external id"))
		}
		return ""
	}
	channel := func() string { return Pick(t, "channel", channels...) }
	spoken := func() string { return Pick(t, "address of the message", "", "", "", "+49", "+50") }
	body := func() string { return Pick(t, "body", "Hi", "Hello", "") }
	attachments := func() json.RawMessage {
		if Rarely(t, "attached", 4) {
			return json.RawMessage(Pick(t, "attachments", `{"n":1}`, `[ 1, "<" ]`, `{`))
		}
		return nil
	}
	source := func() convo.Source {
		return Pick(t, "source", "", convo.SourceWelcomeEvent, convo.SourceDialogflow,
			convo.SourceInactivity)
	}
	category := func() string { return Pick(t, "category", "", "Sales", "Other") }
	summary := func() string { return Pick(t, "summary", "", "Done.") }

	switch name := Pick(t, "command", CommandNames()...); name {
	case convo.CommandOpen:
		return convo.Open{By: by, At: at, Key: key, Channel: channel(), Source: source()}
	case convo.CommandReceive:
		if by.Type != convo.ActorContact {
			by = convo.Actor{}
		}
		return convo.Receive{
			By: by, At: at, Key: key, Channel: channel(), Address: spoken(), ExternalID: external(),
			SentAt: w.drawTime(t, "sent at"), Quiet: Rarely(t, "quiet", 4), Body: body(),
			Attachments: attachments(),
		}
	case convo.CommandSend:
		return convo.Send{
			By: by, At: at, Key: key, Channel: channel(), Address: spoken(), ExternalID: external(),
			SentAt: w.drawTime(t, "sent at"), Quiet: Rarely(t, "quiet", 4), Body: body(),
			Attachments: attachments(),
		}
	case convo.CommandNote:
		return convo.Note{By: by, At: at, Key: key, Body: body(), Attachments: attachments()}
	case convo.CommandEdit:
		message, id := w.drawMessage(t)
		return convo.Edit{By: by, At: at, Key: key, Message: message, Channel: channel(),
			Address: spoken(), ExternalID: id, Body: body(), Attachments: attachments()}
	case convo.CommandRetract:
		message, id := w.drawMessage(t)
		return convo.Retract{By: by, At: at, Key: key, Message: message, Channel: channel(),
			Address: spoken(), ExternalID: id, Redact: Rarely(t, "redact", 3)}
	case convo.CommandIdentify:
		message, _ := w.drawMessage(t)
		return convo.Identify{By: by, At: at, Key: key, Message: message, Channel: channel(),
			Address: spoken(), ExternalID: fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "id"))}
	case convo.CommandSetPending:
		c := convo.SetPending{By: by, At: at, Key: key, OnReceive: Pick(t, "on receive",
			convo.OnReceivePolicy, convo.OnReceiveResume, convo.OnReceiveStay, "never")}
		if rapid.Bool().Draw(t, "until given") {
			c.Until = w.now.Add(Pick(t, "until", time.Hour, time.Microsecond, 0, 30*time.Minute,
				2000*time.Hour))
		}
		return c
	case convo.CommandResume:
		return convo.Resume{By: by, At: at, Key: key, Source: source()}
	case convo.CommandClose:
		return convo.Close{By: by, At: at, Key: key, Category: category(), Summary: summary(),
			Source: source()}
	case convo.CommandReopen:
		return convo.Reopen{By: by, At: at, Key: key, Source: source()}
	case convo.CommandAssign:
		return convo.Assign{By: by, At: at, Key: key, Assignee: Pick(t, "user", "", "ana", "ben"),
			Team: Pick(t, "team", "", "sales")}
	case convo.CommandAmendClosing:
		return convo.AmendClosing{By: by, At: at, Key: key, Category: category(),
			Summary: summary()}
	case convo.CommandLabel:
		return convo.Label{By: by, At: at, Key: key,
			Add:    Pick(t, "add", nil, []string{"vip"}, []string{"b", "a", "b"}, []string{""}),
			Remove: Pick(t, "remove", nil, []string{"vip"}, []string{"a", "none"})}
	case convo.CommandPrioritize:
		return convo.Prioritize{By: by, At: at, Key: key, Priority: Pick(t, "priority",
			convo.PriorityNone, convo.PriorityHigh, convo.Priority(9))}
	case convo.CommandDescribe:
		return convo.Describe{By: by, At: at, Key: key, Subject: Pick(t, "subject", nil, new(""),
			new("Order 7")), Attributes: attributes(t)}
	case convo.CommandSetProfile:
		return convo.SetProfile{By: by, At: at, Key: key, Name: Pick(t, "name", nil, new(""),
			new("Susan")), Attributes: attributes(t)}
	case convo.CommandMove:
		return convo.Move{By: by, At: at, Key: key,
			Contact: Pick(t, "to contact", "", "susan", "guest", "stranger", "a\nb"),
			Lane:    Pick(t, "to lane", nil, nil, new(""), new("orders")),
			Channel: Pick(t, "to channel", nil, nil, new("email"))}
	case convo.CommandRate:
		if rapid.Bool().Draw(t, "by the contact") {
			by = convo.ByContact()
		}
		return convo.Rate{By: by, At: at, Key: key, Comment: summary(),
			Cycle: rapid.IntRange(-1, 3).Draw(t, "cycle"), Score: rapid.IntRange(0, 6).Draw(t,
				"score")}
	case convo.CommandBlock:
		return convo.Block{By: by, At: at, Key: key, Reason: summary()}
	case convo.CommandUnblock:
		return convo.Unblock{By: by, At: at, Key: key}
	case convo.CommandLinkAddress:
		return convo.LinkAddress{By: by, At: at, Key: key}
	case convo.CommandUnlinkAddress:
		return convo.UnlinkAddress{By: by, At: at, Key: key}
	default:
		t.Fatalf("no %s is drawn", name)
		return nil
	}
}

// attributes are a merge patch, mostly one that can be.
func attributes(t *rapid.T) json.RawMessage {
	return json.RawMessage(Pick(t, "attributes", "", "null", "{}", `{"a":1}`, `{"a":null,"b":"x"}`,
		`{"b":{"c":1.50}}`, `{"b":{"c":null}}`, `[1]`, `{"a":1,"a":2}`))
}

// drawMessage is the event of some message, or some external id.
func (w *World) drawMessage(t *rapid.T) (event uuid.UUID, externalID string) {
	var all []uuid.UUID
	for _, log := range w.last.Logs {
		for i := range log {
			all = append(all, log[i].ID)
		}
	}
	if len(all) == 0 || rapid.Bool().Draw(t, "by external id") {
		return uuid.Nil, fmt.Sprint("m-", rapid.IntRange(0, 20).Draw(t, "external id"))
	}
	slices.SortFunc(all, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return rapid.SampledFrom(all).Draw(t, "event"), ""
}

// looksForMore says that the engine adds a message to what Load gives.
func looksForMore(cmds []convo.Command) bool {
	switch cmds[0].(type) {
	case convo.Edit, convo.Retract, convo.Identify, convo.Move:
		return len(cmds) == 1
	}
	return false
}

// CommandNames are the commands of the transition table, in its order.
func CommandNames() (names []convo.CommandName) {
	for _, tr := range convo.Transitions() {
		if len(names) == 0 || names[len(names)-1] != tr.Command {
			names = append(names, tr.Command)
		}
	}
	return names
}
