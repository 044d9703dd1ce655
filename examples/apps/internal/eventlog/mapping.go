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

	"github.com/chatlifecycle/convo"
)

// DefaultMapping is that of a help desk, as JSON.
//
//go:embed mapping.json
var DefaultMapping []byte

// Mapping says what the columns and activities of a log mean.
type Mapping struct {
	Columns struct {
		Case     string `json:"case"`
		Activity string `json:"activity"`
		Resource string `json:"resource"` // empty: the log does not say who did it
		Time     string `json:"time"`
	} `json:"columns"`
	// TimeLayouts are tried in order, as time.Parse reads them. A time without a zone is UTC.
	TimeLayouts []string `json:"time_layouts"`
	// Activities that are not named here are notes.
	Activities map[string]convo.CommandName `json:"activities"`
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
	var m Mapping
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	if m.Columns.Case == "" || m.Columns.Activity == "" || m.Columns.Time == "" {
		return nil, fmt.Errorf("columns: name those of case, activity and time")
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
	return &m, nil
}

// command is what an activity stands for, and whether the mapping says so.
func (m *Mapping) command(activity string) (c convo.CommandName, mapped bool) {
	if c, ok := m.Activities[activity]; ok {
		return c, true
	}
	return convo.CommandNote, false
}

// check demands that each activity of the mapping occurs in a log that has rows: a typing error in
// a mapping would else import a log without its closings.
func (m *Mapping) check(rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	occurs := map[string]int{}
	for i := range rows {
		occurs[rows[i].activity]++
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
