package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

func newEngine(t require.TestingT) *convo.Engine {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	return engine
}

// importText imports a log into the workspace desk.
func importText(t require.TestingT, engine *convo.Engine, m *Mapping, log string) Tally {
	tally, err := Import(context.Background(), engine, "desk", "log", strings.NewReader(log), m,
		io.Discard)
	require.NoError(t, err)
	return tally
}

func mapping(t require.TestingT, text string) *Mapping {
	m, err := parseMapping([]byte(text))
	require.NoError(t, err)
	return m
}

// story is all that the workspace knows of a contact: a line for each event.
func story(t require.TestingT, engine *convo.Engine, contact string) []string {
	history, err := engine.History(context.Background(), convo.ToContact("desk", contact),
		convo.EventCursor{}, convo.MaxPageSize)
	if errors.Is(err, convo.ErrNotFound) {
		return nil
	}
	require.NoError(t, err)
	var lines []string
	for _, e := range history {
		r := e.Row()
		s := fmt.Sprint(e.At.Format("02 15:04 "), e.Kind, " ", e.By.Type)
		for _, more := range []string{e.By.ID, r.Channel, r.Assignee, r.Team, r.Category, r.Summary,
			r.ExternalID, r.Body} {
			if more != "" {
				s += " " + more
			}
		}
		lines = append(lines, s)
	}
	return lines
}

func TestATableOfTicketsIsMovedIn(t *testing.T) {
	m := mapping(t, `{
		"columns": {
			"case": "Ticket", "contact": "Kunde", "resource": "Von", "opened": "Eröffnet",
			"closed": "Erledigt", "channel": "Kanal", "team": "Gruppe", "assignee": "Bearbeiter",
			"category": "Art", "summary": "Lösung", "external_id": "Nr", "body": "Text"
		},
		"time_layouts": ["unix", "02.01.2006 15:04"], "zone": "Europe/Berlin",
		"delimiter": ";", "encoding": "windows-1252", "channel": "mail", "others": "receive"
	}`)
	log, err := charmap.Windows1252.NewEncoder().String(
		"Ticket;Kunde;Von;Eröffnet;Erledigt;Kanal;Gruppe;Bearbeiter;Art;Lösung;Nr;Text\r\n" +
			"7;Jürgen;;03.03.2025 10:00;1741082400;web;Hilfe;ana;Frage;\"Erklärt; fertig\";m7;" +
			"Wie geht’s?\r\n" +
			"8;Jürgen;ben;04.03.2025 12:00;;;;;;;m8;Schon wieder\r\n" +
			"9;Eva;ben;03.03.2025 10:00;03.03.2025 10:00;;;;;;;\r\n")
	require.NoError(t, err)
	engine := newEngine(t)
	tally := importText(t, engine, m, log)
	assert.Equal(t, []string{
		"03 09:00 conversation_opened contact Jürgen web",
		"03 09:00 conversation_assigned contact Jürgen ana Hilfe",
		"03 09:00 message_received contact Jürgen web m7 Wie geht’s?",
		"04 10:00 conversation_closed automation Frage Erklärt; fertig",
	}, story(t, engine, "Jürgen"))
	assert.Equal(t, []string{
		"03 09:00 conversation_opened user ben mail", "03 09:00 conversation_closed user ben",
	}, story(t, engine, "Eva"))
	assert.Equal(t, []int{3, 3, 2, 1}, []int{tally.Rows, tally.Cases, tally.Applied, tally.Open},
		"a ticket that has not ended will be another row")
	duplicate, err := engine.Do(t.Context(), convo.ToContact("desk", "Jürgen"),
		convo.Receive{Channel: "web", ExternalID: "m7", Body: "delivered again"})
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeDuplicate, duplicate.Outcome)
}

func TestTimesMayBeNumbers(t *testing.T) {
	m := defaultColumns(t)
	for _, c := range []struct{ layout, text, want string }{
		{"unix", "1741000000", "2025-03-03 11:06:40"},
		{"unix", "1741000000.25", "2025-03-03 11:06:40.25"},
		{"unix_ms", "1741000000250", "2025-03-03 11:06:40.25"},
		{"unix_us", "1741000000250001", "2025-03-03 11:06:40.250001"},
		{"unix", "-1.5", "1969-12-31 23:59:58.5"},
	} {
		m.TimeLayouts = []string{c.layout}
		at, problem := m.parseTime(c.text)
		assert.Empty(t, problem, c.text)
		assert.Equal(t, c.want, at.UTC().Format("2006-01-02 15:04:05.999999999"), c.text)
	}
	for _, text := range []string{"", "1h2", "1e9", "1741000000 ", "9999999999999999999", "1.2.3"} {
		m.TimeLayouts = []string{"unix", "unix_ms"}
		_, problem := m.parseTime(text)
		assert.Contains(t, problem, "fits none of the time layouts", text)
	}
}

// eventLog has a contact beside the case.
const eventLog = `{
	"columns": {"case": "case", "contact": "who", "activity": "what", "resource": "by",
		"time": "at", "closed": "done"},
	"time_layouts": ["2006-01-02 15:04"],
	"activities": {"mail": "receive", "end": "close", "take": "assign", "wait": "set_pending"},
	"channel": "mail"
}`

func TestCasesOfOneContactAreItsConversations(t *testing.T) {
	engine := newEngine(t)
	m := mapping(t, eventLog)
	const first = `case,who,what,by,at,done
1,x,mail,,2025-03-01 09:00,
1,x,end,ana,2025-03-01 10:00,
3,x,mail,,2025-03-03 09:00,
3,x,wait,ana,2025-03-03 10:00,
2,x,mail,,2025-03-02 09:00,
2,x,take,ben,2025-03-02 09:30,
2,x,end,ben,2025-03-02 10:00,
4,x,mail,,2025-03-03 09:30,
`
	tally := importText(t, engine, m, first)
	assert.Equal(t, []int{7, 1}, []int{tally.Applied, tally.NotImported})
	require.Len(t, tally.Left, 1)
	assert.Equal(t, "line 9: case 4: "+errOther.Error(), tally.Left[0])
	want := []string{
		"01 09:00 conversation_opened contact x mail",
		"01 09:00 message_received contact x mail mail",
		"01 10:00 conversation_closed user ana",
		"02 09:00 conversation_opened contact x mail",
		"02 09:00 message_received contact x mail mail",
		"02 09:30 conversation_assigned user ben ben", "02 10:00 conversation_closed user ben",
		"03 09:00 conversation_opened contact x mail",
		"03 09:00 message_received contact x mail mail", "03 10:00 conversation_pending user ana",
	}
	assert.Equal(t, want, story(t, engine, "x"))

	// Later there is more of 3; 1 was taken up again meanwhile; and 4 has ended.
	const more = `3,x,end,ana,2025-03-04 10:00,
1,x,mail,,2025-03-03 09:15,
4,x,end,ben,2025-03-05 10:00,
`
	tally = importText(t, engine, m, first+more)
	assert.Equal(t, []int{7, 3, 1}, []int{tally.Repeated, tally.Applied, tally.NotImported})
	require.Len(t, tally.Left, 1)
	assert.Contains(t, tally.Left[0], "line 11: case 1: ")
	assert.ElementsMatch(t, append(want, "04 10:00 conversation_resumed user ana",
		"04 10:00 conversation_closed user ana", "03 09:30 conversation_opened contact x mail",
		"03 09:30 message_received contact x mail mail", "05 10:00 conversation_closed user ben"),
		story(t, engine, "x"))
}

func TestAnOlderExportOfACaseChangesNothing(t *testing.T) {
	engine := newEngine(t)
	m := mapping(t, eventLog)
	clear(m.Activities)
	m.Activities["end"] = convo.CommandClose
	const first = "case,who,what,by,at,done\n2,,end,,2025-03-01 09:00,\n" +
		"1,k,mail,,2025-03-01 09:00,\n"
	importText(t, engine, m, first+"1,,end,,2025-03-01 10:00,\n")
	tally := importText(t, engine, m, first)
	assert.Equal(t, 1, tally.NotImported)
	assert.Equal(t, []string{"line 3: case 1: " + errOtherwise.Error()}, tally.Left)
	assert.Len(t, story(t, engine, "k"), 3)
}

// Rows that were changed in the other system are seen, wherever they are.
func TestWhatIsThereOtherwiseIsSaid(t *testing.T) {
	const table = `{
		"columns": {"case": "t", "contact": "k", "opened": "from", "closed": "to", "team": "team",
			"category": "what", "external_id": "id", "body": "text"},
		"time_layouts": ["2006-01-02"], "channel": "mail", "others": "receive"
	}`
	const head = "t,k,from,to,team,what,id,text\n"
	for name, c := range map[string]struct {
		mapping, first, second string
		left                   bool
	}{
		"ended since": {table, "1,k,2025-01-01,,A,,m1,x", "1,k,2025-01-01,2025-02-01,B,,m1,x", false},
		"another team": {table, "1,k,2025-01-01,2025-02-01,A,,m1,x",
			"1,k,2025-01-01,2025-02-01,B,,m1,x", true},
		"closed at another time": {table, "1,k,2025-01-01,2025-02-01,,,,x", "1,k,2025-01-01,2025-02-02,,,,x", true},
		"another contact":        {table, "1,k,2025-01-01,2025-02-01,,,,x", "1,j,2025-01-01,2025-02-01,,,,x", true},
		"another category":       {table, "1,k,2025-01-01,2025-02-01,,a,,x", "1,k,2025-01-01,2025-02-01,,b,,x", true},
		"another text":           {table, "1,k,2025-01-01,2025-02-01,,,,x", "1,k,2025-01-01,2025-02-01,,,,y", true},
		"another first row of an open case": {eventLog, "1,k,mail,,2025-01-01 09:00,\n" +
			"2,z,mail,,2025-01-01 09:00,\n2,z,end,ana,2025-01-01 12:00,",
			"1,k,look,ana,2025-01-01 09:00,\n2,z,mail,,2025-01-01 09:00,\n" +
				"2,z,end,ana,2025-01-01 12:00,", true},
		"a row put in before": {eventLog, "1,k,mail,,2025-01-01 09:00,\n1,k,mail,,2025-01-01 11:00,\n" +
			"1,k,end,ana,2025-01-01 12:00,", "1,k,mail,,2025-01-01 09:00,\n" +
			"1,k,look,ana,2025-01-01 10:00,\n1,k,mail,,2025-01-01 11:00,\n" +
			"1,k,end,ana,2025-01-01 12:00,", true},
	} {
		engine := newEngine(t)
		m, header := mapping(t, c.mapping), head
		if c.mapping == eventLog {
			delete(m.Activities, "take")
			delete(m.Activities, "wait")
			header = "case,who,what,by,at,done\n"
		}
		tally := importText(t, engine, m, header+c.first)
		require.Zero(t, tally.NotImported, name)
		before := story(t, engine, "k")
		tally = importText(t, engine, m, header+c.second)
		if !c.left {
			assert.Empty(t, tally.Left, name)
			continue
		}
		require.Len(t, tally.Left, 1, name)
		assert.Contains(t, tally.Left[0], "case 1: "+errOtherwise.Error(), name)
		assert.NotZero(t, tally.NotImported, name)
		assert.Empty(t, tally.Events, name)
		assert.Equal(t, before, story(t, engine, "k"), name)
	}
}

// withIDs is eventLog with external ids.
func withIDs(t require.TestingT, activities ...string) *Mapping {
	m := mapping(t, strings.Replace(eventLog, `"closed": "done"`, `"external_id": "id"`, 1))
	for activity := range m.Activities {
		if !slices.Contains(activities, activity) {
			delete(m.Activities, activity)
		}
	}
	return m
}

func TestAMessageIsOfOneCase(t *testing.T) {
	const head = "case,who,what,by,at,id\n"
	const ended = "A,k,mail,,2025-01-01 09:00,m1\nA,k,mail,,2025-01-02 09:00,m2\n" +
		"A,k,end,ana,2025-01-03 09:00,\n"
	const open = "B,k,mail,,2025-01-01 09:00,m1\nB,k,look,ana,2025-01-05 09:00,\n" +
		"B,k,mail,,2025-01-06 09:00,m7\n"
	m := withIDs(t, "mail", "end")
	engine := newEngine(t)
	_, err := Import(t.Context(), engine, "desk", "log", strings.NewReader(head+ended+open), m,
		io.Discard)
	require.ErrorContains(t, err, "nothing was imported\n"+
		`line 5: case B: line 2 has the external id "m1" for the same contact`)
	require.Nil(t, story(t, engine, "k"))

	// In another log it is found out as well.
	importText(t, engine, m, head+ended)
	before := story(t, engine, "k")
	tally := importText(t, engine, withIDs(t, "mail"), head+open)
	assert.Equal(t, []string{"line 2: case B: " + errOtherwise.Error()}, tally.Left)
	assert.Equal(t, 3, tally.NotImported)
	assert.Equal(t, before, story(t, engine, "k"))

	// Mended, it is imported.
	mended := strings.Replace(head+open, "m1", "m9", 1) + "B,k,end,ana,2025-01-07 09:00,\n"
	tally = importText(t, engine, m, mended)
	assert.Empty(t, tally.Left)
	assert.Equal(t, 4, tally.Applied)
	assert.Len(t, story(t, engine, "k"), len(before)+5)
}

// A case that has not ended may be older than one that has.
func TestWhatIsStillOpenMayBeOlder(t *testing.T) {
	m := mapping(t, eventLog)
	delete(m.Activities, "take")
	delete(m.Activities, "wait")
	const log = `case,who,what,by,at,done
2,x,mail,,2025-02-01 09:00,
2,x,end,ana,2025-02-02 09:00,
1,x,mail,,2025-01-01 09:00,
0,x,mail,,2024-01-01 09:00,
0,x,end,ana,2024-01-02 09:00,
`
	engine := newEngine(t)
	for range 2 {
		tally := importText(t, engine, m, log)
		assert.Empty(t, tally.Left)
		assert.Equal(t, 5, tally.Applied+tally.Repeated)
		active, err := engine.Active(t.Context(), convo.ToContact("desk", "x"))
		require.NoError(t, err)
		assert.Equal(t, time.Date(2025, 1, 1, 9, 0, 0, 0, time.UTC), active.CreatedAt)
		all, err := engine.Conversations(t.Context(), convo.Filter{Workspace: "desk", Contact: "x"})
		require.NoError(t, err)
		require.Len(t, all, 3)
		assert.True(t, all[2].NewContact, "the first one of all, as it was there")
		assert.False(t, all[0].NewContact || all[1].NewContact)
	}
}

// A contact has an open case in each lane, and each goes on where it is.
func TestCasesOfSeveralLanesAreOpenSideBySide(t *testing.T) {
	m := mapping(t, eventLog)
	m.Columns["lane"] = "inbox"
	delete(m.Activities, "take")
	delete(m.Activities, "wait")
	const head = "case,who,what,by,at,done,inbox\n"
	const log = head + `1,x,mail,,2025-01-01 09:00,,sales
2,x,mail,,2025-01-02 09:00,,
3,x,mail,,2025-01-03 09:00,,support
3,x,end,ana,2025-01-03 10:00,,support
`
	engine := newEngine(t)
	for range 2 {
		tally := importText(t, engine, m, log)
		assert.Empty(t, tally.Left)
	}
	x := convo.ToContact("desk", "x")
	for lane, day := range map[string]int{"sales": 1, "": 2} {
		active, err := engine.Active(t.Context(), x.In(lane))
		require.NoError(t, err)
		assert.Equal(t, day, active.CreatedAt.Day(), lane)
	}
	ended, err := engine.Conversation(t.Context(), x.In("support"))
	require.NoError(t, err)
	assert.Equal(t, convo.StatusClosed, ended.Status)

	tally := importText(t, engine, m, log+"1,x,end,ana,2025-01-09 09:00,,sales\n")
	assert.Equal(t, 1, tally.Applied)
	_, err = engine.Active(t.Context(), x.In("sales"))
	assert.ErrorIs(t, err, convo.ErrNotActive)
	_, err = Import(t.Context(), engine, "desk", "log", strings.NewReader(
		head+"9,y,mail,,2025-01-01 09:00,,a\n9,y,end,,2025-01-01 10:00,,b\n"), m, io.Discard)
	assert.ErrorContains(t, err, "case 9 is of the lane b, and in another line of a")
}

func TestTheFutureIsNotImported(t *testing.T) {
	m := mapping(t, eventLog)
	clear(m.Activities)
	_, err := Import(t.Context(), newEngine(t), "desk", "log", strings.NewReader(
		"case,who,what,by,at,done\n1,,a,,2025-01-01 09:00,2025-01-02 09:00\n"+
			"2,,a,,2025-01-01 09:00,2099-01-01 09:00\n"), m, io.Discard)
	assert.ErrorContains(t, err, "nothing was imported\nline 3: case 2: 2099-01-01 09:00:00")
}

// What is wrong with a case is known before anything is imported.
func TestBadCasesAreAllNamedAndNothingIsImported(t *testing.T) {
	m := mapping(t, eventLog)
	clear(m.Activities)
	var log strings.Builder
	log.WriteString("case,who,what,by,at,done\n0,,a,,2025-03-01 09:00,2025-03-01 10:00\n")
	for i := range 25 {
		fmt.Fprintf(&log, "%d,,a,,2025-03-01 09:00,2025-02-01 10:00\n", i+1)
	}
	engine := newEngine(t)
	_, err := Import(t.Context(), engine, "desk", "log", strings.NewReader(log.String()), m,
		io.Discard)
	require.ErrorContains(t, err, "log: bad cases: 25; nothing was imported\n"+
		"line 3: case 1 was closed before its first activity\n")
	assert.ErrorContains(t, err, "\n... and 5 more")
	assert.Len(t, strings.Split(err.Error(), "\n"), 22)
	_, err = engine.Contact(t.Context(), convo.ToContact("desk", "0"))
	assert.ErrorIs(t, err, convo.ErrNotFound)
}

func TestANoteAfterATimeOfClosingReopensNothing(t *testing.T) {
	engine := newEngine(t)
	m := mapping(t, eventLog)
	clear(m.Activities)
	importText(t, engine, m, `case,who,what,by,at,done
1,,look,ana,2025-03-01 09:00,2025-03-01 09:30
1,,file,ana,2025-03-01 10:00,2025-03-01 09:30
`)
	assert.Equal(t, []string{
		"01 09:00 conversation_opened user ana mail", "01 09:00 note_added user ana look",
		"01 09:30 conversation_closed user ana", "01 10:00 note_added user ana file",
	}, story(t, engine, "1"))
}

func TestACaseIsOfOneContact(t *testing.T) {
	m := mapping(t, eventLog)
	clear(m.Activities)
	_, err := Import(t.Context(), newEngine(t), "desk", "log", strings.NewReader(
		"case,who,what,by,at,done\n1,x,a,,2025-03-01 09:00,\n1,,a,,2025-03-01 09:01,\n"+
			"1,y,a,,2025-03-01 09:02,\n"), m, io.Discard)
	assert.ErrorContains(t, err, "\nline 4: case 1 is of the contact y, and in another line of x: "+
		"a case has one")
}

func TestATextIsNoActivity(t *testing.T) {
	var log strings.Builder
	log.WriteString(header)
	for i := range maxActivities + 1 {
		fmt.Fprintf(&log, "c,text %d,r,%s\n", i, noon)
	}
	_, err := read("log", strings.NewReader(log.String()), defaultColumns(t))
	assert.ErrorContains(t, err, "log:10002: Activity: there are more than 10000 different ones")
}

func TestACaseHasABound(t *testing.T) {
	m := defaultColumns(t)
	clear(m.Activities)
	log := header + strings.Repeat("c,a,r,"+noon+"\n", maxCase+1)
	_, err := Import(t.Context(), newEngine(t), "desk", "log", strings.NewReader(log), m,
		io.Discard)
	assert.EqualError(t, err,
		"log: case c has more than 100000 rows: perhaps it is no case")
}

var errKilled = errors.New("killed")

// killed is a store that fails after some commits.
type killed struct {
	convo.Store
	left int
}

func (s *killed) Commit(ctx context.Context, changes ...convo.Change) error {
	if s.left--; s.left < 0 {
		return errKilled
	}
	return s.Store.Commit(ctx, changes...)
}

// However often it is stopped, and whatever came in between, a log is there once in the end.
func TestAnImportMayBeStoppedAndTheLogMayGrow(t *testing.T) {
	m := mapping(t, eventLog)
	rapid.Check(t, func(rt *rapid.T) {
		const head = "case,who,what,by,at,done\n"
		var rows []string
		for range rapid.IntRange(1, 60).Draw(rt, "rows") {
			rows = append(rows, fmt.Sprintf("%d,,%s,%s,2025-03-01 %02d:%02d,",
				rapid.IntRange(1, 8).Draw(rt, "case"),
				rapid.SampledFrom([]string{
					"mail", "end", "end", "take", "wait", "look",
				}).Draw(rt, "what"),
				rapid.SampledFrom([]string{"", "ana"}).Draw(rt, "by"), len(rows)/60, len(rows)%60))
		}
		log := func(n int) string { return head + strings.Join(rows[:n], "\n") }
		m := *m
		m.Activities = map[string]convo.CommandName{}
		for activity, command := range mapping(rt, eventLog).Activities {
			if strings.Contains(log(len(rows)), ","+activity+",") {
				m.Activities[activity] = command
			}
		}
		whole, parts := newEngine(rt), memstore.New()
		importText(rt, whole, &m, log(len(rows)))
		n := 1
		for range rapid.IntRange(0, 5).Draw(rt, "times") {
			n = rapid.IntRange(n, len(rows)).Draw(rt, "up to")
			part := m
			part.Activities = map[string]convo.CommandName{}
			for activity, command := range m.Activities {
				if strings.Contains(log(n), ","+activity+",") {
					part.Activities[activity] = command
				}
			}
			if len(part.Activities) < len(m.Activities) {
				continue // the rows would mean something else
			}
			s := &killed{parts, rapid.IntRange(0, 20).Draw(rt, "commits")}
			engine, err := convo.New(s)
			require.NoError(rt, err)
			_, err = Import(context.Background(), engine, "desk", "log",
				strings.NewReader(log(n)), &part, io.Discard)
			if s.left < 0 {
				require.ErrorIs(rt, err, errKilled)
			} else {
				require.NoError(rt, err)
			}
		}
		engine, err := convo.New(parts)
		require.NoError(rt, err)
		for range 2 {
			require.Zero(rt, importText(rt, engine, &m, log(len(rows))).NotImported)
			for i := range 9 {
				if c := fmt.Sprint(i); strings.Contains(log(len(rows)), "\n"+c+",") {
					require.Equal(rt, story(rt, whole, c), story(rt, engine, c), c)
				}
			}
		}
	})
}

// gone is a store that keeps nothing, so that only the importer's own memory is seen.
type gone struct{ convo.Store }

func (gone) Commit(context.Context, ...convo.Change) error { return nil }

// generated is a log that is made while it is read.
func generated(cases int) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, header)
		at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := 0; i < 11*cases && err == nil; i++ {
			activity := "Look"
			if i/cases == 10 {
				activity = "Closed"
			}
			// the rows of a case are far apart
			_, err = fmt.Fprintf(w, "Case %d,%s,ana,%s\n", i%cases, activity,
				at.Add(time.Duration(i)*time.Second).Format("2006-01-02 15:04:05Z"))
		}
		_ = w.CloseWithError(err)
	}()
	return r
}

func TestMemoryDoesNotGrowWithTheLog(t *testing.T) {
	m := defaultColumns(t)
	m.Activities = map[string]convo.CommandName{"Closed": convo.CommandClose}
	engine, err := convo.New(gone{memstore.New()})
	require.NoError(t, err)
	heap := func(cases int) (most uint64) {
		s, err := newSpool(t.Context())
		require.NoError(t, err)
		require.NoError(t, readRows("log", generated(cases), m, func(r row) error {
			return s.keep(t.Context(), r)
		}))
		require.NoError(t, s.group(t.Context()))
		i := importing{engine: engine, workspace: "desk", m: m, spool: s, progress: func(int) {}}
		i.tally.Events = map[convo.EventKind]int{}
		n := 0
		i.progress = func(int) {
			if n++; n%5_000 == 0 {
				runtime.GC()
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
		require.NoError(t, i.run(t.Context()))
		require.Equal(t, 11*cases, i.tally.Applied)
		require.NoError(t, s.close())
		return most
	}
	cases := 1_000
	if testing.Short() {
		cases = 500
	}
	small := heap(cases)
	assert.Less(t, heap(10*cases), small*5/4, "ten times the log")
}

func BenchmarkImport(b *testing.B) {
	m := defaultColumns(b)
	m.Activities = map[string]convo.CommandName{"Closed": convo.CommandClose}
	engine, err := convo.New(gone{memstore.New()})
	require.NoError(b, err)
	for b.Loop() {
		_, err := Import(b.Context(), engine, "desk", "log", generated(1_000), m, io.Discard)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(11_000*b.N)/b.Elapsed().Seconds(), "rows/s")
}
