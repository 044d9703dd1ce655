package eventlog

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

const header = "case:concept:name,Activity,Resource,time:timestamp\n"

func defaultColumns(t testing.TB) *Mapping {
	m, err := ReadMapping("")
	require.NoError(t, err)
	return m
}

// read is all rows of a log.
func read(name string, in io.Reader, m *Mapping) (rows []row, err error) {
	err = readRows(name, in, m, func(r row) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

const noon = "2025-03-03 12:00:00Z"

func TestABadRowIsNamedByItsLine(t *testing.T) {
	const good = "c,a,r," + noon + "\n"
	long := strings.Repeat("x", convo.MaxID+1)
	for _, c := range []struct{ name, log, problem string }{
		{"empty case", header + good + ",a,r," + noon,
			"log:3: case:concept:name: must not be empty"},
		{"empty activity", header + "c,,r," + noon, "log:2: Activity: must not be empty"},
		{"long case", header + long + ",a,r," + noon,
			"log:2: case:concept:name: must be at most 255 bytes, not 256"},
		{"long activity", header + "c," + long + ",r," + noon,
			"log:2: Activity: must be at most 255 bytes, not 256"},
		{"long resource", header + "c,a," + long + "," + noon,
			"log:2: Resource: must be at most 255 bytes, not 256"},
		{"not UTF-8", header + "c,a,\xff," + noon, "log:2: Resource: must be valid UTF-8"},
		{"NUL", header + "c\x00,a,r," + noon,
			"log:2: case:concept:name: must not contain control characters"},
		{"line break", header + good + "c,\"a\nb\",r," + noon,
			"log:3: Activity: must not contain control characters"},
		{"no time", header + "c,a,r,", `log:2: time:timestamp: "" fits none of the time layouts`},
		{"other time", header + "c,a,r,3 March", `log:2: time:timestamp: "3 March" fits none`},
		{"impossible time", header + "c,a,r,2025-02-29 00:00:00Z",
			`"2025-02-29 00:00:00Z" fits none`},
		{"the zero time", header + "c,a,r,0001-01-01 00:00:00Z",
			"time:timestamp: must be in the years 1900 to 2100"},
		{"the far future", header + "c,a,r,9999-12-31 23:59:59-23:00",
			"must be in the years 1900 to 2100"},
		{"too few fields", header + good + "c,a\n", "log:3: row: has 2 fields, the header has 4"},
		{"too many fields", header + "c,a,r," + noon + ",",
			"log:2: row: has 5 fields, the header has 4"},
		{"a quote inside", header + "c,a\"b,r," + noon, `log:2: row: bare " in non-quoted-field`},
		{"a quote left open", header + good + "c,\"a\n" + good,
			`log:3: row: extraneous or missing " in quoted-field`},
		{"after a blank line", header + good + "\n,a,r," + noon,
			"log:4: case:concept:name: must not be empty"},
		{"after CRLF", strings.ReplaceAll(header+good, "\n", "\r\n") + ",a,r," + noon,
			"log:3: case"},
		{"after a quoted line break",
			"case:concept:name,Activity,Resource,time:timestamp,x\nc,a,r," + noon + ",\"1\n2\n3\"\n" +
				",a,r," + noon + ",\n", "log:5: case:concept:name: must not be empty"},
		{"with a quoted line break before",
			"x,case:concept:name,Activity,Resource,time:timestamp\n\"1\n2\",,a,r," + noon,
			"log:2: case:concept:name: must not be empty"},
		{"a missing column", "case:concept:name,Activity,time:timestamp\nc,a," + noon,
			`log:1: header: no column "Resource" in "case:concept:name,Activity,time:timestamp"`},
		{"all columns missing", "a;b\n", `bad rows: 1; nothing was imported
log:1: header: no column "case:concept:name", no column "Activity", no column "Resource", no column "time:timestamp" in "a;b"`},
		{"a column twice", "Activity," + header,
			`log:1: header: two columns "Activity" in "Activity,case`},
		{"a bad header", "\n\"a\"b\n", `log:2: row: extraneous or missing " in quoted-field`},
		{"an endless row", header + good + "c,\"" + strings.Repeat("a\n", maxRecord),
			"log:2: row: the row behind this one is longer than"},
		{"an endless bad row", header + "c,a\"b" + strings.Repeat(" ", 2*maxRecord), `bad rows: 2; nothing was imported
log:2: row: bare " in non-quoted-field
log:2: row: the row behind this one is longer`},
		{"an endless header", strings.Repeat("a", 2*maxRecord),
			"log:0: row: the row behind this one is longer than"},
	} {
		rows, err := read("log", strings.NewReader(c.log), defaultColumns(t))
		assert.Empty(t, rows, c.name)
		var bad *BadRows
		if assert.ErrorAs(t, err, &bad, c.name) {
			assert.Contains(t, err.Error(), c.problem, c.name)
		}
	}
}

func TestAllBadRowsAreCountedAndTheFirstShown(t *testing.T) {
	_, err := read("log", strings.NewReader(header+strings.Repeat(",a,r,\n", 25)),
		defaultColumns(t))
	lines := strings.Split(err.Error(), "\n")
	assert.Len(t, lines, 22)
	assert.Equal(t, "bad rows: 25; nothing was imported", lines[0])
	assert.Equal(t, "log:2: case:concept:name: must not be empty", lines[1])
	assert.Equal(t, "log:21: case:concept:name: must not be empty", lines[20])
	assert.Equal(t, "... and 5 more", lines[21])
}

func TestCSVIsReadAsItIsWritten(t *testing.T) {
	m := defaultColumns(t)
	rows, err := read("log",
		strings.NewReader("\ufefftime:timestamp,Activity,\"Resource\",\"comment\",case:concept:name\r\n"+
			"2025-03-03 13:00:00.123456789+01:00,\"Take in charge ticket\",,"+
			"\"over\r\ntwo lines, with \"\"quotes\"\"\",Žluťoučký 1\r\n"+
			"\r\n"+
			"2025-03-03T12:00:00Z, Closed,Ana,\xff,Case 2"), m)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	a, b := rows[0], rows[1]
	assert.Equal(t, []any{2, "Žluťoučký 1", "Take in charge ticket", "", convo.CommandAssign},
		[]any{a.line, a.fields[columnCase], a.fields[columnActivity], a.fields[columnResource],
			m.commandOf(&a)})
	assert.Equal(t, []any{5, "Case 2", " Closed", "Ana", convo.CommandNote},
		[]any{b.line, b.fields[columnCase], b.fields[columnActivity], b.fields[columnResource],
			m.commandOf(&b)}, "names are taken byte for byte")
	assert.Equal(t, 123456789, a.at.Nanosecond())
	assert.Equal(t, a.at.Truncate(1e9).UTC(), b.at)
}

func TestALogMayNotSayWhoDidIt(t *testing.T) {
	m := defaultColumns(t)
	delete(m.Columns, "resource")
	rows, err := read("log",
		strings.NewReader("case:concept:name,Activity,time:timestamp\nc,a,"+noon), m)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, convo.ByAutomation(""), (&step{row: &rows[0]}).by())
}

func TestReadingThatFailsIsNoBadRow(t *testing.T) {
	broken := errors.New("broken")
	for log, problem := range map[string]string{
		"":                                 "broken (after line 0)",
		header:                             "broken (after line 1)",
		header + "c,a,r," + noon + "\nc,a": "broken (after line 2)",
	} {
		_, err := read("log", io.MultiReader(strings.NewReader(log), iotest.ErrReader(broken)),
			defaultColumns(t))
		assert.ErrorIs(t, err, broken)
		assert.EqualError(t, err, problem)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add(header)
	f.Add("\ufeff" + header + "c,Wait,r," + noon +
		"\r\nc,Wait,,2025-03-03 11:00:00.0000009-01:00\n")
	f.Add(header + "c,Closed,r," + noon + "\nc,Closed,r," + noon + "\nd,\"Insert ticket\",r," +
		noon + "\n")
	f.Add(header + "c,Take in charge ticket,r," + noon + "\nc,Take in charge ticket,r," + noon +
		"\nc,Wait,r," + noon)
	f.Add(header + "c,Wait,r,2189-12-31 23:59:59.999Z\n")
	f.Add("a,b\n\"")
	m := defaultColumns(f)
	lastDay := clock.NewMock() // no row is ahead of it: the engine refuses what is
	lastDay.Set(time.Date(2189, 12, 31, 23, 59, 59, 0, time.UTC))
	now = lastDay.Now
	f.Cleanup(func() { now = time.Now })
	f.Fuzz(func(t *testing.T, log string) {
		rows, err := read("log", strings.NewReader(log), m)
		if err != nil {
			require.Empty(t, rows)
			var bad *BadRows
			require.True(t, errors.As(err, &bad) || strings.Contains(err.Error(), "is empty"), err)
			return
		}
		for _, r := range rows {
			require.LessOrEqual(t, r.line, strings.Count(log, "\n")+1)
		}
		m := *m
		m.Activities = maps.Clone(m.Activities) // those that occur: the others would be an error
		maps.DeleteFunc(m.Activities, func(activity string, _ convo.CommandName) bool {
			return !slices.ContainsFunc(rows, func(r row) bool {
				return r.fields[columnActivity] == activity
			})
		})
		engine, err := convo.New(memstore.New(), convo.WithClock(lastDay))
		require.NoError(t, err)
		first, err := Import(t.Context(), engine, "log", "log", strings.NewReader(log), &m,
			io.Discard)
		require.NoError(t, err)
		require.Equal(t, len(rows), first.Applied+first.Unchanged+first.IgnoredClosings)
		require.Equal(t, first.Cases, first.Events[convo.ConversationOpened])

		active := convo.Filter{Workspace: "log", Status: []convo.Status{convo.StatusOpen,
			convo.StatusPending}, Limit: convo.MaxPageSize}
		before, err := engine.Conversations(t.Context(), active)
		require.NoError(t, err)
		require.Len(t, before, min(convo.MaxPageSize, first.Events[convo.ConversationOpened]+
			first.Events[convo.ConversationReopened]-first.Events[convo.ConversationClosed]))

		again, err := Import(t.Context(), engine, "log", "log", strings.NewReader(log), &m,
			io.Discard)
		require.NoError(t, err)
		require.Equal(t, len(rows), again.Repeated+again.Unchanged+again.IgnoredClosings)
		require.Empty(t, again.Events)
		after, err := engine.Conversations(t.Context(), active)
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
}
