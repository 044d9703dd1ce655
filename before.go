package convo

// before writes what an event of a kind keeps of c, as it is before it. An event has only what it
// ends, because each message pays for it.
func (c *Conversation) before(kind EventKind, b *Before) {
	b.Status, b.Assignee, b.Team = c.Status, c.Assignee, c.Team
	b.Lane, b.Channel = c.Lane, c.Channel
	b.Labels, b.Priority = c.Labels, c.Priority
	b.Cycle, b.OpenedSource = c.Cycle.Number, c.Cycle.OpenedSource
	switch kind {
	case MessageReceived:
		b.turn(c)
	case MessageSent:
		b.turn(c)
		if b.Turn == TurnContactWaiting {
			b.WaitingSince, b.HandedOverAt = c.Cycle.WaitingSince, c.Cycle.HandedOverAt
			b.Replies = c.Cycle.Responses
		}
	case ConversationPending, ConversationResumed:
		b.StatusSince = c.StatusSince
	case ConversationAssigned:
		b.assignment(c)
	case ConversationClosed:
		b.StatusSince = c.StatusSince
		b.assignment(c)
		b.turn(c)
		b.Replies, b.PendingMicros = c.Cycle.Responses, c.Cycle.PendingMicros
	case ConversationReopened:
		b.StatusSince, b.ClosedBy = c.StatusSince, c.Cycle.Closing.By
	}
}

func (b *Before) turn(c *Conversation) { b.Turn, b.TurnSince = c.turn(), c.Cycle.TurnSince }

// assignment keeps who had the running cycle, and since when: what was before it is not counted.
func (b *Before) assignment(c *Conversation) {
	if !c.Status.Active() {
		return
	}
	b.OpenedAt, b.WasAssigned = c.Cycle.OpenedAt, !c.Cycle.FirstAssignedAt.IsZero()
	if c.Assignee != "" {
		b.AssignedAt = maxTime(c.AssignedAt, c.Cycle.OpenedAt)
	}
}

// turns reports whether a message that is not quiet changes whose turn it is.
func (c *Conversation) turns(kind EventKind, response bool) bool {
	switch {
	case kind == MessageReceived:
		return c.turn() != TurnContactWaiting
	case kind == MessageSent && response:
		return c.turn() != TurnAwaitingContact
	}
	return false
}
