package report

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/chatlifecycle/convo"
)

// Columns are those of WriteCSV. Times are RFC 3339 in UTC, durations microseconds; what is not
// there is empty.
//   - workspace, conversation, number: which cycle
//   - contact: the conversation was opened for it; contact_type: new or returning
//   - channel, lane: those of the conversation, when the cycle ended; status: of the cycle
//   - created_at: first opening of the conversation
//   - opened_at, opened_by_type, opened_by_id, opened_source: the opening
//   - first_assigned_at, first_assignee, last_assignee, last_team: assignments
//   - first_response_at, first_responder_type, first_responder_id: the first reply
//   - closed_at, closed_by_type, closed_by_id, closed_source, category, summary: the closing, as
//     amended
//   - first_response_micros, assignment_micros, resolution_micros, active_resolution_micros,
//     pending_micros: durations
//   - responses, response_micros: replies, and their times together
//   - incoming, outgoing_user, outgoing_automation: messages
//   - score, comment, rated_at: the rating, with the time of the first one of the cycle
var Columns = []string{
	"workspace", "conversation", "number", "contact", "contact_type", "channel", "lane", "status",
	"created_at",
	"opened_at", "opened_by_type", "opened_by_id", "opened_source",
	"first_assigned_at", "first_assignee", "last_assignee", "last_team",
	"first_response_at", "first_responder_type", "first_responder_id",
	"closed_at", "closed_by_type", "closed_by_id", "closed_source", "category", "summary",
	"first_response_micros", "assignment_micros", "resolution_micros",
	"active_resolution_micros", "pending_micros",
	"responses", "response_micros", "incoming", "outgoing_user", "outgoing_automation",
	"score", "comment", "rated_at",
}

// row is y by Columns; its texts, which others have written, are as text makes them.
func (y *Cycle) row(text func(string) string) []string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	micros := func(d time.Duration, ok bool) string {
		if !ok {
			return ""
		}
		return strconv.FormatInt(d.Microseconds(), 10)
	}
	closing, score := &y.Closing, ""
	if !y.Rating.At.IsZero() {
		score = strconv.Itoa(y.Rating.Score)
	}
	return []string{
		text(y.Workspace), y.Conversation.String(), strconv.Itoa(y.Number), text(y.Contact),
		y.contactType(), text(y.Channel), text(y.Lane), string(y.Status),
		at(y.CreatedAt), at(y.OpenedAt), string(y.OpenedBy.Type), text(y.OpenedBy.ID),
		text(string(y.OpenedSource)),
		at(y.FirstAssignedAt), text(y.FirstAssignee), text(y.LastAssignee), text(y.LastTeam),
		at(y.FirstResponseAt), string(y.FirstResponder.Type), text(y.FirstResponder.ID),
		at(closing.At), string(closing.By.Type), text(closing.By.ID),
		text(string(closing.Source)), text(closing.Category), text(closing.Summary),
		micros(y.FirstResponseTime()), micros(y.AssignmentTime()),
		micros(y.ResolutionTime()), micros(y.ActiveResolutionTime()),
		strconv.FormatInt(y.PendingMicros, 10), strconv.Itoa(y.Responses),
		strconv.FormatInt(y.ResponseMicros, 10),
		strconv.Itoa(y.Incoming), strconv.Itoa(y.OutgoingUser), strconv.Itoa(y.OutgoingAutomation),
		score, text(y.Rating.Comment), at(y.Rating.At),
	}
}

// Export says which cycles WriteCSV and WriteNDJSON write.
type Export struct {
	Workspace string
	// From (inclusive) and To (exclusive) are the period, cut off to microseconds.
	From, To time.Time
	// By says what is in the period, and orders the cycles: ByOpening (default), or ByClosing. What
	// was opened in March and closed in April is exported by opening with March, by closing with
	// April. What runs is only exported by opening.
	By TimeBasis
	// Spreadsheet has WriteCSV write texts as NoFormula makes them, for people who open the file in
	// a spreadsheet: contacts write what is in it. Default: texts are written as they are, for
	// programs. WriteNDJSON ignores it.
	Spreadsheet bool
}

// NoFormula is a text for a cell of a spreadsheet. One that a spreadsheet would take for a formula,
// which may run a program or send the sheet to somebody, gets an apostrophe in front: it begins
// with one of = + - @ or their full-width forms, perhaps behind spaces and what is not printed, or
// with a tab or the end of a line. So does a phone number as +49100. The cell must be read as one:
// in a file with commas that is opened as one with semicolons, a cell begins at each semicolon.
func NoFormula(text string) string {
	begins := strings.TrimLeftFunc(text, func(r rune) bool {
		return r == ' ' || !unicode.IsPrint(r)
	})
	if strings.IndexAny(text, "\t\r\n") == 0 || strings.IndexAny(begins, "=+-@＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}

// text is how texts of others are written into CSV.
func (e *Export) text() func(string) string {
	if e.Spreadsheet {
		return NoFormula
	}
	return func(text string) string { return text }
}

// query checks what an export is asked for.
func (e *Export) query() (CyclesQuery, error) {
	q := CyclesQuery{Workspace: e.Workspace, From: e.From, To: e.To, By: e.By}
	f := convo.Filter{Workspace: e.Workspace, From: e.From, To: e.To}
	if err := f.Validate(); err != nil {
		return q, err
	}
	if e.From.IsZero() || e.To.IsZero() {
		return q, invalid("from", "from and to are required")
	}
	return q, q.Validate()
}

// WriteCSV writes the cycles of e, one per row, under a header of Columns. It holds a page of them
// in memory, however many there are. Unless e.Spreadsheet is set, a spreadsheet may take a summary
// that begins with an equals sign for a formula. What is wrong with e is a *convo.ValidationError;
// errors of s and w are returned as they are.
func WriteCSV(ctx context.Context, w io.Writer, s Store, e Export) error {
	q, err := e.query()
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(Columns); err != nil {
		return err
	}
	text := e.text()
	write := func(y *Cycle) error { return out.Write(y.row(text)) }
	if err := s.Cycles(ctx, q, write); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// WriteNDJSON is WriteCSV as JSON, one [Cycle] per line.
func WriteNDJSON(ctx context.Context, w io.Writer, s Store, e Export) error {
	q, err := e.query()
	if err != nil {
		return err
	}
	out := json.NewEncoder(w)
	return s.Cycles(ctx, q, func(y *Cycle) error { return out.Encode(y) })
}

// WriteTranscripts writes all events of the conversations that f picks, one [convo.Event] as JSON
// per line: conversation by conversation, the last opened first, each from its beginning. f.After
// and f.Limit are ignored. It holds a page of each in memory, however many there are.
func WriteTranscripts(ctx context.Context, w io.Writer, s convo.Store, f convo.Filter) error {
	f.After, f.Limit = convo.Cursor{}, convo.DefaultPageSize
	if err := f.Validate(); err != nil {
		return err
	}
	out := json.NewEncoder(w)
	for {
		page, err := s.Conversations(ctx, f)
		if err != nil {
			return err
		}
		for i := range page {
			if err := writeTranscript(ctx, out, s, &page[i]); err != nil {
				return err
			}
		}
		if len(page) < f.Limit {
			return nil
		}
		f.After = f.Cursor(page[len(page)-1])
	}
}

func writeTranscript(
	ctx context.Context, out *json.Encoder, s convo.Store, c *convo.Conversation,
) error {
	f := convo.EventFilter{Workspace: c.Workspace, Conversation: c.ID, Limit: convo.DefaultPageSize}
	for {
		page, err := s.Events(ctx, f)
		if err != nil {
			return err
		}
		for i := range page {
			if err := out.Encode(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < f.Limit {
			return nil
		}
		f.After = page[len(page)-1].Cursor()
	}
}
