package report_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
)

var update = flag.Bool("update", false, "write what pages of docs show of the code")

const (
	reportsPage  = "../docs/reports.md"
	movingInPage = "../docs/moving-in.md"
)

// The tables that people read are made from the declarations that count: run with -update to write
// them.
func TestDocsShowWhatIsMeasured(t *testing.T) {
	checkSection(t, "subjects", subjectRows(t))
	checkSection(t, "measures", measureRows())
	checkSection(t, "dimensions", dimensionRows(t))
}

// The picture is of what the measures are in one conversation.
func TestDocsShowOneConversation(t *testing.T) {
	entries, spans := told(t)
	checkSection(t, "timeline", gantt(spans))
	checkSection(t, "story", entries)
}

// What the page says of rollups is what is declared.
func TestDocsSayWhatIsInRollups(t *testing.T) {
	for _, m := range report.Measures() {
		notThere := m.Working() || m.CountsDistinct() || m.Scored()
		assert.Equal(t, notThere, len(m.RollupTerms()) == 0, m)
	}
	var slow []string
	for _, d := range report.Dimensions() {
		isSlow := func(s report.Subject) bool { return !d.InRollups(s) }
		if slices.ContainsFunc(subjectsOf(d), isSlow) {
			slow = append(slow, "`"+string(d)+"`")
		}
	}
	half := len(slow) / 2 // a line is not too wide then
	checkSection(t, "slow", strings.Join(slow[:half], ", ")+",\n"+
		strings.Join(slow[half:], ", ")+"\n")
}

func checkSection(t *testing.T, name, want string) {
	t.Helper()
	checkSectionOf(t, reportsPage, name, want)
}

func checkSectionOf(t *testing.T, page, name, want string) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "no line %q", begin)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "no line %q", end)
	if *update && got != want {
		require.NoError(t, os.WriteFile(page, []byte(before+begin+want+end+after), 0o644))
		return
	}
	require.Equal(t, want, got, "%s is not what the code does: "+
		"go test ./report -run TestDocs -update", page)
}

// subjectNames are the subjects as the page calls them, in order.
var subjectNames = [...]string{
	report.OfOpenings: "openings", report.OfClosings: "closings", report.OfReplies: "replies",
	report.OfAssignments: "assignments", report.OfHandling: "handling",
	report.OfStatuses: "statuses", report.OfTurns: "turns", report.OfMessages: "messages",
	report.OfEntering: "entering", report.OfLeaving: "leaving",
	report.OfDeadlines: "deadlines",
	report.OfRatings:   "ratings",
}

// measuresOf are the measures of a subject.
func measuresOf(s report.Subject) (all []report.Measure) {
	for _, m := range report.Measures() {
		if m.Subject() == s {
			all = append(all, m)
		}
	}
	return all
}

// creditedTo is by what a leaderboard of what s is groups: the user whose it is.
func creditedTo(t *testing.T, s report.Subject) report.Dimension {
	t.Helper()
	q := query(report.Leaderboard)
	q.Measure = measuresOf(s)[0]
	return ask(t, memstore.New(), q).GroupBy
}

// subjectsOf are the subjects that have a dimension.
func subjectsOf(d report.Dimension) (all []report.Subject) {
	for s := range subjectNames {
		if d.Fits(report.Subject(s)) {
			all = append(all, report.Subject(s))
		}
	}
	return all
}

// comments are what stands behind the constants of a file, by name.
func comments(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	all := map[string]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			s := s.(*ast.ValueSpec)
			name := s.Names[0].Name
			if len(s.Values) == 1 {
				if value, ok := s.Values[0].(*ast.BasicLit); ok {
					name = strings.Trim(value.Value, `"`)
				}
			}
			all[name] = strings.TrimSpace(s.Comment.Text())
		}
	}
	return all
}

func subjectRows(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| subject | what it is | of the events | credited to |\n|---|---|---|---|\n")
	said := comments(t, "subject.go")
	for s, name := range subjectNames {
		of := "Of" + strings.ToUpper(name[:1]) + name[1:]
		require.NotEmpty(t, said[of], of)
		var kinds []string
		for _, k := range report.Subject(s).Kinds() {
			kinds = append(kinds, "`"+k.String()+"`")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | `%s` |\n", name, said[of], strings.Join(kinds, ", "),
			creditedTo(t, report.Subject(s)))
	}
	return b.String()
}

func measureRows() string {
	var b strings.Builder
	b.WriteString("| measure | of | is a | what it counts, or from when to when | in working time |\n" +
		"|---|---|---|---|---|\n")
	working := map[report.Measure]report.Measure{}
	for _, m := range report.Measures() {
		if base, ok := strings.CutPrefix(string(m), "working_"); ok && m.Working() {
			working[report.Measure(base)] = m
		}
	}
	for _, m := range report.Measures() {
		is, also := "count", ""
		switch {
		case m.Working():
			continue
		case m.CountsDistinct():
			is = "count of different ones"
		case m.Timed():
			is = "duration"
		case m.Scored():
			is = "score"
		}
		if w := working[m]; w != "" {
			also = "`" + string(w) + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m, subjectNames[m.Subject()], is,
			m.Definition(), also)
	}
	return b.String()
}

func dimensionRows(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| dimension | what it is | " + strings.Join(subjectNames[:], " | ") + " |\n" +
		"|---|---|" + strings.Repeat(":-:|", len(subjectNames)) + "\n")
	said := comments(t, "measure.go")
	for _, d := range report.Dimensions() {
		require.NotEmpty(t, said[string(d)], d)
		fmt.Fprintf(&b, "| `%s` | %s |", d, said[string(d)])
		for s := range subjectNames {
			switch {
			case d.InRollups(report.Subject(s)):
				b.WriteString(" yes |")
			case d.Fits(report.Subject(s)):
				b.WriteString(" slow |")
			default:
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// span is a duration that an event ends.
type span struct {
	measure  report.Measure
	user     string
	from, to time.Time
}

// told plays one conversation and tells of each of its events what reports count.
func told(t *testing.T) (table string, spans []span) {
	t.Helper()
	store := memstore.New()
	c := &clock{}
	e, err := convo.New(store, convo.WithClock(c))
	require.NoError(t, err)
	eve, bot := convo.ByUser("eve"), convo.ByAutomation("router")
	var b strings.Builder
	b.WriteString("| at | what happens | what is counted then, with whose it is |\n|---|---|---|\n")
	for _, step := range []struct {
		after int
		says  string
		cmd   convo.Command
	}{
		{0, "a contact writes, for the first time", convo.Receive{Channel: "chat", Body: "Hello"}},
		{10, "automation assigns it to bo", convo.Assign{By: bot, Assignee: "bo"}},
		{25, "bo replies", convo.Send{By: bo, Body: "Yes?"}},
		{40, "the contact writes", convo.Receive{Channel: "chat", Body: "It is broken"}},
		{50, "bo gives it to eve", convo.Assign{By: bo, Assignee: "eve"}},
		{60, "eve replies", convo.Send{By: eve, Body: "I am looking"}},
		{65, "eve sets it pending", convo.SetPending{By: eve}},
		{110, "eve resumes it", convo.Resume{By: eve}},
		{115, "eve writes again", convo.Send{By: eve, Body: "It works"}},
		{130, "the contact writes", convo.Receive{Channel: "chat", Body: "Thank you"}},
		{135, "eve closes it", convo.Close{By: eve}},
	} {
		c.now = monday.Add(time.Duration(step.after) * time.Minute)
		_, err := e.Do(t.Context(), convo.ToContact("acme", "ann"), step.cmd)
		require.NoError(t, err)
		counted, ended := at(t, store, c.now)
		spans = append(spans, ended...)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.now.Format("15:04"), step.says,
			strings.Join(counted, "; "))
	}
	return b.String(), spans
}

// at is what reports count at one time, and the spans that end then.
func at(t *testing.T, store report.Store, when time.Time) (counted []string, ended []span) {
	t.Helper()
	for _, m := range report.Measures() {
		if m.Working() || m.CountsDistinct() {
			continue
		}
		cells, err := store.Aggregate(t.Context(), report.Aggregation{
			Workspace: "acme", Measures: []report.Measure{m}, GroupBy: creditedTo(t, m.Subject()),
			Boundaries: []time.Time{when, when.Add(time.Microsecond)},
		})
		require.NoError(t, err)
		slices.SortFunc(cells, func(x, y report.Cell) int { return cmp.Compare(x.Value, y.Value) })
		for _, cell := range cells {
			said := "`" + string(m) + "`"
			if m.Timed() {
				long := time.Duration(cell.Stat.Sum) * time.Microsecond
				require.EqualValues(t, 1, cell.Stat.Count)
				said += fmt.Sprintf(" %d min", int(long.Minutes()))
				ended = append(ended, span{m, cell.Value, when.Add(-long), when})
			}
			if cell.Value != "" {
				said += " (" + cell.Value + ")"
			}
			counted = append(counted, said)
		}
	}
	return counted, ended
}

// gantt draws spans with a section for each measure. What leaves out a part of the time, or is the
// same as another one in a first cycle, is not drawn.
func gantt(spans []span) string {
	var b strings.Builder
	b.WriteString("```mermaid\ngantt\n    dateFormat HH:mm\n    axisFormat %H:%M\n")
	for _, m := range []report.Measure{
		report.Resolution, report.OpenTime, report.PendingTime, report.Assignment, report.Handling,
		report.FirstResponse, report.HandoverFirstResponse, report.Response,
		report.ContactWaitingTime, report.AwaitingContactTime,
	} {
		fmt.Fprintf(&b, "    section %s\n", m)
		for _, s := range spans {
			if s.measure != m || s.from.Equal(s.to) {
				continue
			}
			fmt.Fprintf(&b, "    %s :%s, %s\n", cmp.Or(s.user, "nobody"), s.from.Format("15:04"),
				s.to.Format("15:04"))
		}
	}
	return b.String() + "```\n"
}
