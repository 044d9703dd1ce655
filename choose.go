package convo

import (
	"bytes"
	"time"

	"github.com/google/uuid"
)

// chooseAction picks the branch that a command takes in a cell of the table with several.
func chooseAction(s *Snapshot, o *fields, at stateIndex, p *Policy) action {
	branches := table[o.kind].cells[at]
	if o.quiet {
		return records
	}
	if len(branches) == 1 {
		return branches[0].action
	}
	if o.kind == kindMove {
		switch {
		case !o.moves(s):
			return unchanged
		case s.Conversation.Status.Active() && s.Target.Active != uuid.Nil:
			return activeExists
		}
		return moves
	}
	if s.Message == nil && o.message != (MessageRef{}) {
		return notFound
	}
	conv, second := &s.Conversation, false
	switch o.kind {
	case kindOpen:
		return onClosed(conv, o.at, p.Open)
	case kindReceive:
		switch at {
		case stateClosed:
			return onClosed(conv, o.at, p.Receive)
		case statePending:
			second = conv.OnReceive == OnReceiveStay ||
				conv.OnReceive == OnReceivePolicy && p.StayPending
		}
	case kindEdit:
		m := s.Message
		second = !m.RetractedAt.IsZero() ||
			m.Body == o.text && bytes.Equal(m.Attachments, o.attachments)
	case kindRetract:
		m := s.Message
		second = !m.RetractedAt.IsZero() && (m.Redacted || !o.redact)
	case kindIdentify:
		second = s.Holder != nil && s.Holder.Event.ID == s.Message.Event.ID
	case kindSetPending:
		second = conv.PendingUntil.Equal(o.until) && conv.OnReceive == o.onReceive
	case kindRate:
		r := s.cycle(o.ratedCycle(conv)).Rating
		second = r != (Rating{}) && r.Score == o.score && r.Comment == o.text
	case kindAssign:
		second = conv.Assignee == o.assignee && conv.Team == o.team
	case kindAmendClosing:
		second = conv.Cycle.Closing.Category == o.category && conv.Cycle.Closing.Summary == o.text
	case kindLabel:
		second = conv.Labels == o.about.labels
	case kindPrioritize:
		second = conv.Priority == o.about.priority
	case kindDescribe:
		second = conv.Subject == o.about.called && conv.Attributes == o.about.attributes
	case kindSetProfile:
		k := &s.Contact
		second = k.Name == o.about.called && k.Attributes == o.about.attributes
	case kindBlock:
		second = s.Contact.Blocked && s.Contact.BlockedBy == ""
	case kindUnblock:
		second = !s.Contact.Blocked
	case kindLinkAddress:
		second = s.AddressOwner != "" || s.Ref.Address == Address{}
	case kindUnlinkAddress:
		second = s.AddressOwner == ""
	}
	if second {
		return branches[1].action
	}
	return branches[0].action
}

// onClosed is what a policy says about a closed conversation.
func onClosed(c *Conversation, at time.Time, r OnClosed) action {
	inWindow := r.Window == 0 || at.Sub(c.Cycle.Closing.At) <= time.Duration(r.Window)
	switch {
	case r.Mode == OnClosedReject:
		return rejects
	case r.Mode == OnClosedReopen && inWindow:
		return reopens
	}
	return opens
}
