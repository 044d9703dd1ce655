package eventlog

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/chatlifecycle/convo"
)

// DefaultMapping is that of a help desk, as JSON.
//
//go:embed mapping.json
var DefaultMapping []byte

// column is what a column of a log means.
type column int

const (
	columnCase column = iota
	columnContact
	columnActivity
	columnResource
	columnTime
	columnOpened
	columnClosed
	columnChannel
	columnLane
	columnTeam
	columnAssignee
	columnCategory
	columnSummary
	columnExternalID
	columnBody
	columns // how many there are
)

// columnNames are the names of the columns in a mapping, and what they mean.
var columnNames = [columns]struct{ name, meaning string }{
	{"case", "the case: its rows are one conversation"},
	{"contact", "whose conversation it is (default: each case is a contact's)"},
	{"activity", "what happened: see activities"},
	{"resource", "who did it (empty: automation)"},
	{"time", "when it happened"},
	{"opened", "when the case was opened"},
	{"closed", "when it was closed (empty: it is not)"},
	{"channel", "by which channel"},
	{"lane", "what keeps a contact's open conversations apart, such as an inbox"},
	{"team", "the team that has it from then on"},
	{"assignee", "who has it from then on (of assign, default: the resource)"},
	{"category", "of the closing"},
	{"summary", "of the closing"},
	{"external_id", "the id of a message on its channel"},
	{"body", "the text of a message or note (default: the activity)"},
}

// unixUnits are the layouts of times that are numbers, and what they count since 1970.
var unixUnits = map[string]string{"unix": "s", "unix_ms": "ms", "unix_us": "us"}

// Mapping says what the columns and activities of a log mean.
type Mapping struct {
	// Columns are the names of columns, by what they mean. A log needs the case, and either the
	// time of each activity, or, where a row is a case, when it was opened.
	Columns map[string]string `json:"columns"`
	// TimeLayouts are tried in order, as time.Parse reads them; also unix, unix_ms and unix_us.
	TimeLayouts []string `json:"time_layouts"`
	// Zone is that of times without one, as Europe/Rome; by default they are UTC.
	Zone string `json:"zone,omitempty"`
	// Delimiter parts the fields; by default it is a comma.
	Delimiter string `json:"delimiter,omitempty"`
	// Encoding is by default utf-8, or another of https://encoding.spec.whatwg.org.
	Encoding string `json:"encoding,omitempty"`
	// Channel is that of rows without one.
	Channel string `json:"channel,omitempty"`
	// Activities that are not named here, and texts of rows without an activity, are Others: by
	// default notes.
	Activities map[string]convo.CommandName `json:"activities,omitempty"`
	Others     convo.CommandName            `json:"others,omitempty"`

	zone      *time.Location
	encoding  encoding.Encoding // nil: UTF-8
	delimiter rune
}

// mappable are the commands that an activity can stand for.
var mappable = []convo.CommandName{
	convo.CommandOpen, convo.CommandClose, convo.CommandSetPending, convo.CommandAssign,
	convo.CommandSend,
	convo.CommandReceive, convo.CommandNote,
}

// ReadMapping reads a mapping from a file; without a name it is the default one.
func ReadMapping(file string) (*Mapping, error) {
	if file == "" {
		return parseMapping(DefaultMapping)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	m, err := parseMapping(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// parseMapping is strict: a typing error must not turn closings into notes.
func parseMapping(data []byte) (*Mapping, error) {
	m := &Mapping{Delimiter: ",", Others: convo.CommandNote}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	if err := m.checkColumns(); err != nil {
		return nil, err
	}
	if len(m.TimeLayouts) == 0 || slices.Contains(m.TimeLayouts, "") {
		return nil, fmt.Errorf("time_layouts: name at least one, and no empty one")
	}
	for _, activity := range slices.Sorted(maps.Keys(m.Activities)) {
		if command := m.Activities[activity]; !slices.Contains(mappable, command) {
			return nil, fmt.Errorf("activities: %q: %q is not one of %q", activity, command,
				mappable)
		}
	}
	if !slices.Contains(mappable, m.Others) {
		return nil, fmt.Errorf("others: %q is not one of %q", m.Others, mappable)
	}
	return m, m.readForm()
}

// readForm reads how the file is written.
func (m *Mapping) readForm() (err error) {
	if m.zone, err = time.LoadLocation(m.Zone); err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	var size int
	m.delimiter, size = utf8.DecodeRuneInString(m.Delimiter)
	if m.Delimiter == "" || size != len(m.Delimiter) ||
		strings.ContainsAny(m.Delimiter, "\"\r\n\x00\ufffd\ufeff") {
		return fmt.Errorf("delimiter: %q must be one character, and no quote or line break",
			m.Delimiter)
	}
	if m.Encoding != "" {
		if m.encoding, err = htmlindex.Get(m.Encoding); err != nil {
			return fmt.Errorf("encoding: %q: %w", m.Encoding, err)
		}
	}
	return nil
}

func (m *Mapping) checkColumns() error {
	left := maps.Clone(m.Columns)
	for c := range columns {
		if name, ok := left[columnNames[c].name]; ok && name == "" {
			return fmt.Errorf("columns: %s: must not be empty: leave it out", columnNames[c].name)
		}
		delete(left, columnNames[c].name)
	}
	if len(left) > 0 {
		known := make([]string, columns)
		for c := range columns {
			known[c] = columnNames[c].name
		}
		return fmt.Errorf("columns: %q are none of %q", slices.Sorted(maps.Keys(left)), known)
	}
	switch {
	case !m.has(columnCase):
		return fmt.Errorf("columns: name that of the case")
	case m.has(columnActivity) && !m.has(columnTime):
		return fmt.Errorf("columns: name that of the time of each activity")
	case !m.has(columnTime) && !m.has(columnOpened):
		return fmt.Errorf("columns: name those of activity and time, or that of opened")
	case !m.has(columnActivity) && len(m.Activities) > 0:
		return fmt.Errorf("columns: name that of the activity")
	case m.has(columnExternalID) && !m.has(columnChannel) && m.Channel == "":
		return fmt.Errorf("columns: an external_id needs a channel: name its column, " +
			"or one for all")
	}
	return nil
}

// name is that of a column in the log; empty when there is none.
func (m *Mapping) name(c column) string { return m.Columns[columnNames[c].name] }

func (m *Mapping) has(c column) bool { return m.name(c) != "" }

// command is what an activity stands for.
func (m *Mapping) command(activity string) convo.CommandName {
	if c, ok := m.Activities[activity]; ok {
		return c
	}
	return m.Others
}

// check demands that each activity of the mapping occurs in a log that has rows: a typing error in
// a mapping would else import a log without its closings.
func (m *Mapping) check(occurs map[string]int) error {
	if len(occurs) == 0 {
		return nil
	}
	var missing []string
	for _, activity := range slices.Sorted(maps.Keys(m.Activities)) {
		if occurs[activity] == 0 {
			missing = append(missing, activity)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var there []string
	for _, activity := range slices.Sorted(maps.Keys(occurs)) {
		there = append(there, fmt.Sprintf("%q (%d)", activity, occurs[activity]))
	}
	return fmt.Errorf("activities of the mapping never occur: %q; the log has %s: correct the "+
		"mapping, "+
		"or leave them out of it", missing, strings.Join(there, ", "))
}
