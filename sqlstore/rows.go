package sqlstore

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// The columns of each table, in the order in which the functions below bind and scan them.
const (
	contactColumns = `workspace, id, version, created_at, updated_at, blocked, merged_into, latest_conversation`

	cycleColumns = `number, opened_at, opened_by_type, opened_by_id, opened_source,
		first_assigned_at, first_assignee, last_assignee, last_team, first_response_at, first_responder_type, first_responder_id,
		waiting_since, responses, response_micros, pending_micros, incoming, outgoing_user, outgoing_automation,
		closed_at, closed_by_type, closed_by_id, closed_source, category, summary`

	conversationColumns = `workspace, id, origin, channel, created_at,
		contact, status, version, updated_at, first_closed_at, assignee, team, pending_since, pending_until, awaiting_contact_since, due_at,
		active, active_slot, ` + cycleColumns

	eventColumns = `workspace, conversation, seq, id, contact, contact_seq, kind, at, by_type, by_id, source, channel,
		external_id, body, attachments, category, summary, until_at, assignee, team, response, restart_flow, notice, audience`

	contactEventColumns = `workspace, contact, seq, id, contact_seq, kind, at, by_type, by_id, source, channel,
		address, body, merged_into, latest_conversation`

	addressColumns = `workspace, channel, value, contact, identity`

	keyColumns = `workspace, channel, id, hash, conversation, first_seq, last_seq`
)

// fixed is how many columns of a conversation, those in front, a commit never changes. The contact is among them: only a merge
// gives another one, to all conversations at once and without a new version, so that nobody's older decision takes it back.
const fixed = 6

func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// optional is NULL for what is empty.
func optional[T ~string | ~[]byte](s T) any {
	if len(s) == 0 {
		return nil
	}
	return string(s)
}

func (d *dialect) optionalID(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return d.id(id)
}

func optionalInt(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func optionalFlag(b bool) any {
	if !b {
		return nil
	}
	return true
}

func (d *dialect) contactArgs(a []any, k *convo.Contact) []any {
	return append(a, k.Workspace, k.ID, k.Version, k.CreatedAt.UnixMicro(), micros(k.UpdatedAt), k.Blocked,
		optional(k.MergedInto), d.optionalID(k.LatestConversation))
}

func (d *dialect) conversationArgs(a []any, c *convo.Conversation) []any {
	active := c.Status.Active()
	var slot any
	if active {
		slot = c.Contact
	}
	a = append(a, c.Workspace, d.id(c.ID), c.Origin, c.Channel, c.CreatedAt.UnixMicro(),
		c.Contact, string(c.Status), c.Version, c.UpdatedAt.UnixMicro(), micros(c.FirstClosedAt), c.Assignee, c.Team,
		micros(c.PendingSince), micros(c.PendingUntil), micros(c.AwaitingContactSince), micros(c.DueAt), active, slot)
	return cycleArgs(a, &c.Cycle)
}

func cycleArgs(a []any, y *convo.Cycle) []any {
	return append(a, y.Number, y.OpenedAt.UnixMicro(), string(y.OpenedBy.Type), y.OpenedBy.ID, string(y.OpenedSource),
		micros(y.FirstAssignedAt), y.FirstAssignee, y.LastAssignee, y.LastTeam,
		micros(y.FirstResponseAt), string(y.FirstResponder.Type), y.FirstResponder.ID,
		micros(y.WaitingSince), y.Responses, y.ResponseMicros, y.PendingMicros, y.Incoming, y.OutgoingUser, y.OutgoingAutomation,
		micros(y.Closing.At), string(y.Closing.By.Type), y.Closing.By.ID, string(y.Closing.Source), y.Closing.Category,
		y.Closing.Summary)
}

// messageColumns are what messages and notes change of a conversation; none of them is in an index.
const messageColumns = `version, updated_at, awaiting_contact_since, first_response_at, first_responder_type, first_responder_id,
	waiting_since, responses, response_micros, incoming, outgoing_user, outgoing_automation`

func messageArgs(a []any, c *convo.Conversation) []any {
	y := &c.Cycle
	return append(a, c.Version, c.UpdatedAt.UnixMicro(), micros(c.AwaitingContactSince), micros(y.FirstResponseAt),
		string(y.FirstResponder.Type), y.FirstResponder.ID, micros(y.WaitingSince), y.Responses, y.ResponseMicros, y.Incoming,
		y.OutgoingUser, y.OutgoingAutomation)
}

func (d *dialect) eventArgs(a []any, event *convo.Event) []any {
	e := event.Row()
	return append(a, e.Workspace, d.id(e.Conversation), e.Seq, d.id(e.ID), e.Contact, optionalInt(e.ContactSeq), e.Kind.String(),
		e.At.UnixMicro(), string(e.By.Type), optional(e.By.ID), optional(e.Source), optional(e.Channel),
		optional(e.ExternalID), optional(e.Body), optional(e.Attachments), optional(e.Category), optional(e.Summary),
		micros(e.Until), optional(e.Assignee), optional(e.Team), optionalFlag(e.Response), optionalFlag(e.RestartFlow),
		optional(e.Notice), optional(e.Audience))
}

func (d *dialect) contactEventArgs(a []any, event *convo.Event) []any {
	e := event.Row()
	return append(a, e.Workspace, e.Contact, e.Seq, d.id(e.ID), optionalInt(e.ContactSeq), e.Kind.String(),
		e.At.UnixMicro(), string(e.By.Type), optional(e.By.ID), optional(e.Source), optional(e.Channel),
		optional(e.Address), optional(e.Body), optional(e.MergedInto), d.optionalID(e.LatestConversation))
}

func addressArgs(a []any, workspace string, r *convo.AddressRow) []any {
	return append(a, workspace, r.Channel, r.Value, r.Contact, optional(r.Identity()))
}

func (d *dialect) keyArgs(a []any, workspace string, k *convo.Key) []any {
	return append(a, workspace, k.Channel, k.ID, k.RequestHash, d.optionalID(k.Conversation), k.FirstSeq, k.LastSeq)
}

// The types that columns are scanned into. They take what any driver hands out for the column, and NULL as zero.
type (
	asText   string
	asInt    int64
	asCount  int
	asFlag   bool
	asMicros time.Time
	asID     uuid.UUID
	asJSON   json.RawMessage
)

func (t *asText) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*t = ""
	case string:
		*t = asText(v)
	case []byte:
		*t = asText(v)
	default:
		return unexpected(v)
	}
	return nil
}

// asKind takes a kind of a later version as 0.
type asKind convo.EventKind

func (k *asKind) Scan(v any) error {
	var t asText
	err := t.Scan(v)
	*k = asKind(convo.EventKindOf(string(t)))
	return err
}

func (j *asJSON) Scan(v any) error {
	var t asText
	err := t.Scan(v)
	if *j = nil; t != "" {
		*j = asJSON(t)
	}
	return err
}

func (n *asInt) Scan(v any) (err error) {
	switch v := v.(type) {
	case nil:
		*n = 0
	case int64:
		*n = asInt(v)
	case string:
		*n, err = parse(v)
	case []byte:
		*n, err = parse(string(v))
	default:
		return unexpected(v)
	}
	return err
}

func parse(s string) (asInt, error) {
	i, err := strconv.ParseInt(s, 10, 64)
	return asInt(i), err
}

func (n *asCount) Scan(v any) error {
	var i asInt
	err := i.Scan(v)
	*n = asCount(i)
	return err
}

func (b *asFlag) Scan(v any) error {
	if v, ok := v.(bool); ok {
		*b = asFlag(v)
		return nil
	}
	var i asInt
	err := i.Scan(v)
	*b = i != 0
	return err
}

func (t *asMicros) Scan(v any) error {
	if v == nil {
		*t = asMicros{}
		return nil
	}
	var i asInt
	err := i.Scan(v)
	*t = asMicros(time.UnixMicro(int64(i)).UTC())
	return err
}

func (u *asID) Scan(v any) (err error) {
	var id uuid.UUID
	switch v := v.(type) {
	case nil:
	case string:
		id, err = uuid.Parse(v)
	case []byte:
		if len(v) == len(id) {
			copy(id[:], v)
		} else {
			id, err = uuid.ParseBytes(v)
		}
	case [16]byte:
		id = v
	default:
		return unexpected(v)
	}
	*u = asID(id)
	return err
}

// packedBy is what no identifier may hold.
const packedBy = "\x1f"

// asPacked takes several columns out of one text.
type asPacked []any

func (p asPacked) Scan(v any) error {
	var t asText
	if err := t.Scan(v); err != nil {
		return err
	}
	rest := string(t)
	for i, to := range p {
		part := rest
		if i < len(p)-1 {
			part, rest, _ = strings.Cut(rest, packedBy)
		}
		var v any // NULL
		if part != "" {
			v = part
		}
		if err := to.(sql.Scanner).Scan(v); err != nil {
			return err
		}
	}
	return nil
}

func unexpected(v any) error {
	return fmt.Errorf("sqlstore: the driver answers with a %T, which is not what the column holds", v)
}

func contactDests(to []any, k *convo.Contact) []any {
	return append(to, (*asText)(&k.Workspace), (*asText)(&k.ID), (*asInt)(&k.Version), (*asMicros)(&k.CreatedAt),
		(*asMicros)(&k.UpdatedAt), (*asFlag)(&k.Blocked), (*asText)(&k.MergedInto), (*asID)(&k.LatestConversation))
}

// derived takes the columns of a conversation that the others determine.
type derived struct {
	active asFlag
	slot   asText
}

func conversationDests(to []any, c *convo.Conversation, x *derived) []any {
	to = append(to, (*asText)(&c.Workspace), (*asID)(&c.ID), (*asText)(&c.Origin), (*asText)(&c.Channel),
		(*asMicros)(&c.CreatedAt), (*asText)(&c.Contact), (*asText)(&c.Status), (*asInt)(&c.Version), (*asMicros)(&c.UpdatedAt),
		(*asMicros)(&c.FirstClosedAt), (*asText)(&c.Assignee), (*asText)(&c.Team), (*asMicros)(&c.PendingSince),
		(*asMicros)(&c.PendingUntil), (*asMicros)(&c.AwaitingContactSince), (*asMicros)(&c.DueAt), &x.active, &x.slot)
	return cycleDests(to, &c.Cycle)
}

func cycleDests(to []any, y *convo.Cycle) []any {
	return append(to, (*asCount)(&y.Number), (*asMicros)(&y.OpenedAt), (*asText)(&y.OpenedBy.Type), (*asText)(&y.OpenedBy.ID),
		(*asText)(&y.OpenedSource), (*asMicros)(&y.FirstAssignedAt), (*asText)(&y.FirstAssignee), (*asText)(&y.LastAssignee),
		(*asText)(&y.LastTeam), (*asMicros)(&y.FirstResponseAt), (*asText)(&y.FirstResponder.Type),
		(*asText)(&y.FirstResponder.ID), (*asMicros)(&y.WaitingSince), (*asCount)(&y.Responses), (*asInt)(&y.ResponseMicros),
		(*asInt)(&y.PendingMicros), (*asCount)(&y.Incoming), (*asCount)(&y.OutgoingUser), (*asCount)(&y.OutgoingAutomation),
		(*asMicros)(&y.Closing.At), (*asText)(&y.Closing.By.Type), (*asText)(&y.Closing.By.ID), (*asText)(&y.Closing.Source),
		(*asText)(&y.Closing.Category), (*asText)(&y.Closing.Summary))
}

func eventDests(to []any, e *convo.EventRow) []any {
	return append(to, (*asText)(&e.Workspace), (*asID)(&e.Conversation), (*asInt)(&e.Seq), (*asID)(&e.ID), (*asText)(&e.Contact),
		(*asInt)(&e.ContactSeq), (*asKind)(&e.Kind), (*asMicros)(&e.At), (*asText)(&e.By.Type), (*asText)(&e.By.ID),
		(*asText)(&e.Source), (*asText)(&e.Channel), (*asText)(&e.ExternalID), (*asText)(&e.Body), (*asJSON)(&e.Attachments),
		(*asText)(&e.Category), (*asText)(&e.Summary), (*asMicros)(&e.Until), (*asText)(&e.Assignee), (*asText)(&e.Team),
		(*asFlag)(&e.Response), (*asFlag)(&e.RestartFlow), (*asText)(&e.Notice), (*asText)(&e.Audience))
}

func contactEventDests(to []any, e *convo.EventRow) []any {
	return append(to, (*asText)(&e.Workspace), (*asText)(&e.Contact), (*asInt)(&e.Seq), (*asID)(&e.ID), (*asInt)(&e.ContactSeq),
		(*asKind)(&e.Kind), (*asMicros)(&e.At), (*asText)(&e.By.Type), (*asText)(&e.By.ID), (*asText)(&e.Source),
		(*asText)(&e.Channel), (*asText)(&e.Address), (*asText)(&e.Body), (*asText)(&e.MergedInto), (*asID)(&e.LatestConversation))
}

func keyDests(to []any, workspace *string, k *convo.Key) []any {
	return append(to, (*asText)(workspace), (*asText)(&k.Channel), (*asText)(&k.ID), (*asInt)(&k.RequestHash), (*asID)(&k.Conversation),
		(*asInt)(&k.FirstSeq), (*asInt)(&k.LastSeq))
}
