package report

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Span is a duration that a report counts: a row of an export of spans. Its texts are what the
// conversation was when the duration ended. Times are UTC, in whole microseconds.
type Span struct {
	Measure Measure `json:"measure"`
	// At is the time by which reports count it, From to To is what it measures, Micros how much of
	// that counts.
	At           time.Time    `json:"at"`
	From         time.Time    `json:"from"`
	To           time.Time    `json:"to"`
	Micros       int64        `json:"micros"`
	User         string       `json:"user,omitempty"` // whom reports credit it to
	Workspace    string       `json:"workspace"`
	Conversation uuid.UUID    `json:"conversation"`
	Cycle        int          `json:"cycle"`
	Contact      string       `json:"contact"`
	Status       convo.Status `json:"status,omitempty"`
	Assignee     string       `json:"assignee,omitempty"`
	Team         string       `json:"team,omitempty"`
	Lane         string       `json:"lane,omitempty"`
	Channel      string       `json:"channel,omitempty"`
	Priority     string       `json:"priority,omitempty"`
	Labels       []string     `json:"labels,omitempty"`
}

// SpanColumns are those of WriteSpansCSV, which are the fields of [Span]. Times are RFC 3339 in
// UTC, labels are separated by spaces; what is not there is empty.
var SpanColumns = []string{
	"measure", "at", "from", "to", "micros", "user", "workspace", "conversation", "cycle",
	"contact", "status", "assignee", "team", "lane", "channel", "priority", "labels",
}

func (p *Span) row(text func(string) string) []string {
	at := func(t time.Time) string { return t.Format(time.RFC3339Nano) }
	return []string{
		string(p.Measure), at(p.At), at(p.From), at(p.To), strconv.FormatInt(p.Micros, 10),
		text(p.User), text(p.Workspace), p.Conversation.String(), strconv.Itoa(p.Cycle),
		text(p.Contact), string(p.Status), text(p.Assignee), text(p.Team), text(p.Lane),
		text(p.Channel), p.Priority, text(strings.Join(p.Labels, " ")),
	}
}

// EntriesQuery picks events of a workspace from From (inclusive) to To (exclusive), which are cut
// off to microseconds.
type EntriesQuery struct {
	Workspace string
	From, To  time.Time
}

// Validate reports an empty period with a *convo.ValidationError.
func (q *EntriesQuery) Validate() error {
	if q.From.UnixMicro() >= q.To.UnixMicro() {
		return invalid("to", "must be after from")
	}
	return nil
}

// Compare orders entries as Store.Entries yields them: by time, conversation and Seq.
func (q *EntriesQuery) Compare(y, z *Entry) int {
	return cmp.Or(y.At.Compare(z.At), bytes.Compare(y.Conversation[:], z.Conversation[:]),
		cmp.Compare(y.Seq, z.Seq))
}

// WriteSpansCSV writes each duration that ended in the period of e, by any measure but those in
// working time, one per row under a header of SpanColumns: so whoever has a tool of their own
// counts as reports do. They come by At. e.By does not count; all else is as with [WriteCSV].
func WriteSpansCSV(ctx context.Context, w io.Writer, s Store, e Export) error {
	out := csv.NewWriter(w)
	if err := out.Write(SpanColumns); err != nil {
		return err
	}
	text := e.text()
	err := eachSpan(ctx, s, e, func(p *Span) error { return out.Write(p.row(text)) })
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// WriteSpansNDJSON is WriteSpansCSV as JSON, one [Span] per line.
func WriteSpansNDJSON(ctx context.Context, w io.Writer, s Store, e Export) error {
	out := json.NewEncoder(w)
	return eachSpan(ctx, s, e, func(p *Span) error { return out.Encode(p) })
}

func eachSpan(ctx context.Context, s Store, e Export, f func(*Span) error) error {
	of, err := e.query()
	if err != nil {
		return err
	}
	q := EntriesQuery{Workspace: of.Workspace, From: of.From, To: of.To}
	return s.Entries(ctx, q, func(y *Entry) error {
		for i := range measureTable {
			m := &measureTable[i]
			if m.from == nil || m.workingOf != "" || !m.subject.has(y) {
				continue
			}
			n, micros := m.of(y, nil)
			if n == 0 {
				continue
			}
			if err := f(m.span(y, micros)); err != nil {
				return err
			}
		}
		return nil
	})
}

// span is a duration of m that an entry ends.
func (m *measure) span(y *Entry, micros int64) *Span {
	from, _ := m.from.of(y)
	to, _ := m.to.of(y)
	of := func(d Dimension) string { return d.Of(m.subject)(y) }
	return &Span{
		Measure: m.name, At: y.At.UTC(), From: time.UnixMicro(from).UTC(),
		To: time.UnixMicro(max(from, to)).UTC(), Micros: micros,
		User:      of(subjects[m.subject].user),
		Workspace: y.Workspace, Conversation: y.Conversation, Cycle: y.Cycle, Contact: y.Contact,
		Status: convo.Status(of(Status)), Assignee: of(Assignee), Team: of(Team), Lane: of(Lane),
		Channel: of(Channel), Priority: of(Priority), Labels: convo.Tokens(of(Label)).All(),
	}
}
