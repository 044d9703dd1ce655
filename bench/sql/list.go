package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

const pageSize = 50

// byHand lists by hand: the same page of the same tables in statements of its own, into the same
// struct.
type byHand struct {
	active, category *sql.Stmt
}

const listed = `SELECT workspace, id, origin, channel, created_at, contact, new_contact, status,
	version, updated_at, last_activity_at, first_closed_at, assignee, team,
	status_since, last_incoming_at, assigned_at, pending_until, awaiting_contact_since,
	deadline_at, address_channel, address, due_at,
	number, opened_at, opened_by_type,
	opened_by_id, opened_source,
	first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
	first_response_sent_at, first_responder_type,
	first_responder_id, first_waiting_since, waiting_since, no_wait_before, responses,
	response_micros, pending_micros, incoming,
	outgoing_user,
	outgoing_automation, closed_at, closed_by_type, closed_by_id, closed_source, category, summary
	FROM (SELECT workspace, id FROM {narrow}
		ORDER BY created_at DESC, id DESC LIMIT {limit}) narrow
	JOIN convo_conversations USING (workspace, id) ORDER BY created_at DESC, id DESC`

func newByHand(ctx context.Context, db *sql.DB, mark func(string) string) (*byHand, error) {
	h := &byHand{}
	page := func(narrow string) string {
		return mark(strings.NewReplacer("{narrow}", narrow, "{limit}", strconv.Itoa(pageSize)).
			Replace(listed))
	}
	return h, prepare(ctx, db, map[**sql.Stmt]string{
		&h.active: page("convo_active WHERE workspace = ?"),
		// 5 is the category; what is still in the queue of rollups is left out.
		&h.category: page("convo_closed WHERE workspace = ? AND what = 5 AND value = ?"),
	})
}

func (h *byHand) Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation, error) {
	st, args := h.active, []any{f.Workspace}
	if f.Category != "" {
		st, args = h.category, []any{f.Workspace, f.Category}
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	page := make([]convo.Conversation, 0, pageSize)
	for rows.Next() {
		var c convo.Conversation
		y := &c.Cycle
		if err := rows.Scan(&c.Workspace, &c.ID, &c.Origin, &c.Channel, (*micros)(&c.CreatedAt),
			&c.Contact, &c.NewContact, &c.Status, &c.Version, (*micros)(&c.UpdatedAt),
			(*micros)(&c.LastActivityAt), (*micros)(&c.FirstClosedAt), &c.Assignee, &c.Team,
			(*micros)(&c.StatusSince), (*micros)(&c.LastIncomingAt), (*micros)(&c.AssignedAt),
			(*micros)(&c.PendingUntil), (*micros)(&c.AwaitingContactSince),
			(*micros)(&c.Deadline),
			&c.Address.Channel, &c.Address.Value, (*micros)(&c.DueAt),
			&y.Number, (*micros)(&y.OpenedAt),
			&y.OpenedBy.Type, &y.OpenedBy.ID, &y.OpenedSource, (*micros)(&y.FirstAssignedAt),
			&y.FirstAssignee,
			&y.LastAssignee, &y.LastTeam, (*micros)(&y.FirstResponseAt),
			(*micros)(&y.FirstResponseSentAt), &y.FirstResponder.Type,
			&y.FirstResponder.ID,
			(*micros)(&y.FirstWaitingSince), (*micros)(&y.WaitingSince),
			(*micros)(&y.NoWaitBefore), &y.Responses, &y.ResponseMicros, &y.PendingMicros,
			&y.Incoming, &y.OutgoingUser,
			&y.OutgoingAutomation, (*micros)(&y.Closing.At), &y.Closing.By.Type, &y.Closing.By.ID,
			&y.Closing.Source,
			&y.Closing.Category, &y.Closing.Summary); err != nil {
			return nil, err
		}
		page = append(page, c)
	}
	return page, rows.Err()
}

// micros scans a time, which may be NULL.
type micros time.Time

func (t *micros) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t = micros{}
	case int64:
		*t = micros(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("a time is a %T", v)
	}
	return nil
}
