package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// line is one entry of a thread as a page shows it.
type line struct {
	ID      uuid.UUID
	Kind    string // contact, user, bot, note, notice, event: the classes of the stylesheet
	Who     string
	Text    string
	At      time.Time
	Until   time.Time
	Choices []string
	Marks   []string // what became of targets
}

// visitorLines are the messages, and the notices that are for the visitor: no notes, and nothing of
// how agents work.
func visitorLines(events []convo.Event, of visitor) []line {
	var lines []line
	for _, e := range events {
		audience := e.Notice().Audience
		switch {
		case e.Kind == convo.MessageReceived, e.Kind == convo.MessageSent,
			audience == convo.AudienceContact, audience == convo.AudienceBoth:
			l := agentLine(e)
			l.Marks = nil
			if l.Kind == "contact" {
				if l.Who = "You"; e.By != of.actor() { // by whom an agent has merged with them
					l.Who = "You, elsewhere"
				}
			}
			lines = append(lines, l)
		}
	}
	return lines
}

func agentLines(events []convo.Event) []line {
	lines := make([]line, 0, len(events))
	for _, e := range events {
		lines = append(lines, agentLine(e))
	}
	return lines
}

func agentLine(e convo.Event) line {
	m := e.Message()
	l := line{
		ID: e.ID, Kind: "event", Who: whoOf(e.By), Text: m.Body, At: e.At, Until: e.Pending().Until,
		Marks: marksOf(e),
	}
	switch e.Kind {
	case convo.MessageReceived:
		l.Kind = "contact"
	case convo.MessageSent:
		l.Kind = "user"
		if e.By.Type == convo.ActorAutomation {
			l.Kind = "bot"
		}
		if isAutomatic(e.By) {
			l.Kind, l.Who = "bot", "Automatic message"
		}
		var c choices
		if len(m.Attachments) > 0 && json.Unmarshal(m.Attachments, &c) == nil {
			l.Choices = c.Choices
		}
	case convo.NoteAdded:
		l.Kind = "note"
	case convo.NoticePosted:
		l.Kind, l.Who, l.Text = "notice", "", e.Notice().Code.Text()
	default:
		l.Text = happened(e)
	}
	return l
}

// happened says what an event that is no message did: its line begins with who did it.
func happened(e convo.Event) string {
	switch e.Kind {
	case convo.ConversationOpened:
		return "opened the conversation"
	case convo.ConversationReopened:
		if e.Source == convo.SourceRestart {
			return "restarted the conversation"
		}
		return "reopened the conversation"
	case convo.ConversationPending:
		return pended(e.Pending())
	case convo.ConversationResumed:
		return "resumed it"
	case convo.ConversationClosed:
		if e.Source == convo.SourceContactMerge {
			return "closed the conversation by merging its contact into another one"
		}
		return "closed the conversation" + about(e.ClosingNotes())
	case convo.ClosingAmended:
		return "changed the closing" + about(e.ClosingNotes())
	case convo.ConversationAssigned:
		assignee := e.Assignment().Assignee
		if assignee == "" {
			return "unassigned it"
		}
		return "assigned it to " + title(assignee)
	case convo.ConversationTransferred:
		return "moved the conversation here"
	case convo.ConversationMoved:
		return moved(e.Moving(), e.Contact)
	case convo.ConversationLabeled:
		return labeled(e.Labeling())
	case convo.ConversationPrioritized:
		return "changed the priority from " + e.Prioritizing().Before.String() + " to " +
			e.Prioritizing().Priority.String()
	case convo.ConversationRated:
		return rated(e.Rated())
	case convo.DeadlinePassed:
		return passed(e.Passing().Mark.Deadline)
	case convo.ProfileChanged:
		if name := plain(e.Profile().Name); name != "" {
			return "said that this is " + name
		}
		return "changed the profile"
	case convo.AddressLinked:
		return "gave the address " + plain(e.Address().Value)
	case convo.AddressUnlinked:
		if e.Address() == (convo.Address{}) {
			return "took off an address of a merged contact"
		}
		return "took off the address " + plain(e.Address().Value)
	case convo.ContactBlocked:
		return "blocked the contact"
	case convo.ContactUnblocked:
		return "ended the blocking of the contact"
	case convo.ContactMerged:
		return "merged this contact into another one"
	case convo.ContactUnmerged:
		return "separated this contact again"
	}
	return strings.ReplaceAll(e.Kind.String(), "_", " ")
}

// pended says what a conversation is pending for: a time follows, if there is one.
func pended(p convo.Pending) string {
	stays := p.OnReceive == convo.OnReceiveStay
	switch {
	case p.Until.IsZero() && stays:
		return "set it to pending until an agent resumes it"
	case p.Until.IsZero():
		return "set it to pending until the visitor writes"
	case stays:
		return "set it to pending, whatever the visitor writes, until"
	}
	return "set it to pending until"
}

func rated(r convo.Rated) string {
	text := fmt.Sprintf("rated the conversation %d of %d", r.Score, len(scores))
	if r.Comment != "" {
		text += ": " + r.Comment
	}
	return text
}

// moved says where a conversation went, in topic and contact.
func moved(m convo.Moving, to string) string {
	var parts []string
	if m.From != "" {
		parts = append(parts, "from "+nameOfID(m.From)+" to "+nameOfID(to))
	}
	if m.Lane != m.Before.Lane {
		parts = append(parts, "from "+topicName(m.Before.Lane)+" to "+topicName(m.Lane))
	}
	return "moved the conversation " + strings.Join(parts, ", and ")
}

func labeled(l convo.Labeling) string {
	var parts []string
	for _, label := range l.Labels.All() {
		if !l.Before.Has(label) {
			parts = append(parts, "added the label "+plain(label))
		}
	}
	for _, label := range l.Before.All() {
		if !l.Labels.Has(label) {
			parts = append(parts, "took off the label "+plain(label))
		}
	}
	return strings.Join(parts, ", ")
}

func about(notes convo.ClosingNotes) string {
	category, summary := notes.Category, notes.Summary
	switch {
	case category != "" && summary != "":
		return " as " + category + ": " + summary
	case category != "":
		return " as " + category
	case summary != "":
		return ": " + summary
	}
	return ""
}

func whoOf(a convo.Actor) string {
	switch a.Type {
	case convo.ActorContact:
		return "Visitor"
	case convo.ActorUser:
		return title(a.ID)
	case convo.ActorAutomation:
		return "Assistant"
	}
	return "Timer"
}

// visitorPage is what the widget shows. Status is empty before the first message.
type visitorPage struct {
	Workspace string
	Status    convo.Status
	Lines     []line
	More      bool // Lines are only those that the page has not yet
	Choices   []string
	Rating    *ratingForm // nil: there is nothing to rate
	MaxLength int
}
