package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
	"github.com/chatlifecycle/convo/report"
)

// The formats of a report, and of an export.
const (
	formatTable       = "table"
	formatJSON        = "json"
	formatCSV         = "csv"
	formatNDJSON      = "ndjson"
	formatTranscripts = "transcripts"
	formatSpans       = "spans"
)

// What of a cycle is in the period of an export.
const (
	byOpening = "opening"
	byClosing = "closing"
)

// call is what the command line asks for.
type call struct {
	db, importFile, mapping string
	quiet, demo             bool
	seed                    uint64

	query    report.Query
	location *time.Location
	format   string
	live     bool
	export   string
	by       string
	formulas bool
	behind   string
	html     string
}

// wrongError is a mistake of the caller.
type wrongError struct{ err error }

func (e *wrongError) Error() string { return e.err.Error() }
func (e *wrongError) Unwrap() error { return e.err }

func wrong(format string, args ...any) error { return &wrongError{fmt.Errorf(format, args...)} }

// Flags that go with one thing to do. All others go with everything.
var goesWith = map[string][]string{
	"a report": {"kind", "from", "to", "compare", "compare-from", "zone", "bucket", "week-start",
		"group-by", "filter", "exclude", "measure", "top", "count-distinct", "hours", "format",
		"formulas", "heat-map", "behind"},
	"--live":   {"format", "formulas"},
	"--export": {"from", "to", "zone", "by", "formulas"},
	"--html": {"from", "to", "compare", "compare-from", "zone", "bucket", "week-start", "group-by",
		"filter", "exclude", "hours"},
}

func parse(args []string, stderr io.Writer) (*call, error) {
	c := &call{}
	q := &c.query
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // after an error it would say all that there is to say
	flags.StringVar(&c.db, "db", "", "ask this `database`: "+database.Kinds+
		"; only --import makes it or brings it up to date, and --demo makes a SQLite file "+
		"(default: in memory, gone at the end)")
	flags.BoolVar(&c.demo, "demo", false, "first play some weeks of invented conversations")
	flags.Uint64Var(&c.seed, "seed", 1, "a `number`: --demo plays the same for the same one")
	flags.StringVar(&c.importFile, "import", "",
		"first import the event log in this CSV `file`, or - for standard input")
	flags.StringVar(&c.mapping, "mapping", "",
		"read from this JSON `file` what the log's columns and activities mean")
	flags.BoolVar(&c.quiet, "quiet", false, "show no progress")
	flags.StringVar(&q.Workspace, "workspace", "helpdesk",
		"the `workspace` to import into, and to ask about")

	kind := flags.String("kind", string(report.Conversations),
		"the `kind` of report: "+list(kinds))
	from := flags.String("from", "",
		"the `day` the period begins with, as 2026-03-01, or a time, as 2026-03-01T09:00:00Z")
	to := flags.String("to", "", "the `day` or time before which it ends")
	flags.StringVar((*string)(&q.Compare), "compare", "",
		"compare with this `period`: previous (the default) or year_before")
	compare := flags.String("compare-from", "",
		"the `day` or time where the period to compare with begins, instead")
	flags.StringVar(&q.Zone, "zone", "UTC",
		"the IANA time `zone` of days and buckets, as Europe/Berlin")
	bucket := flags.String("bucket", "",
		"also by this `width`: hour, day, week, month, quarter or year (--html: month)")
	flags.TextVar(&q.WeekStart, "week-start", report.Monday,
		"the first `day` of a week, monday to sunday")
	groupBy := flags.String("group-by", "",
		"also by this `dimension`, of the measures that have it: "+list(groupedBy())+
			" (--html: closer)")
	flags.Func("filter", "only what is one of these, as `dimension=value,...`; repeat it for more "+
		"dimensions, and quote a value that has a comma; measures without the dimension are "+
		"left out of a report that has others",
		func(text string) error { return addFilter(&q.Filter, text) })
	flags.Func("exclude", "all but what is one of these, as `dimension=value,...`, like --filter",
		func(text string) error { return addFilter(&q.Exclude, text) })
	measure := flags.String("measure", "",
		"the `measure` that a leaderboard is sorted by: "+list(leading()))
	flags.IntVar(&q.Top, "top", 0, "how many rows a leaderboard has (default 10)")
	flags.BoolVar(&q.CountDistinct, "count-distinct", false,
		"also count distinct conversations and contacts, in a report of conversations")
	flags.BoolVar(&q.HeatMap, "heat-map", false, "also by weekday and hour")
	flags.StringVar(&c.behind, "behind", "",
		"list the conversations that this `measure` of the report counts, instead: in the period, "+
			"of what the filters let through")
	hours := flags.String("hours", "",
		"also measure in working time, by the calendar in this JSON `file`, as "+hoursExample)
	flags.StringVar(&c.format, "format", formatTable,
		"the `format` of a report: table, json or csv (durations in microseconds)")
	flags.BoolVar(&c.live, "live", false, "show how things stand right now")
	flags.StringVar(&c.export, "export", "",
		"print the cycles of the period as csv or ndjson, or the durations that ended in it, as "+
			"CSV, as spans, or the conversations created in it as transcripts: the `format`")
	flags.StringVar(&c.by, "by", byOpening,
		"the `time` by which the period has a cycle that is exported: opening or closing")
	flags.BoolVar(&c.formulas, "formulas", false,
		"write texts into CSV as they are; else one that a spreadsheet would take for a formula, "+
			"as =1+1 or +49100, gets an apostrophe in front")
	flags.StringVar(&c.html, "html", "",
		"write a page with charts to this `file`; it needs no network")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, wrong("%w: --help tells more", err)
	case flags.NArg() > 0:
		return nil, wrong("%q is not a flag: --help tells more", flags.Arg(0))
	}
	q.Kind, q.Bucket = report.Kind(*kind), report.Bucket(*bucket)
	q.GroupBy, q.Measure = report.Dimension(*groupBy), report.Measure(*measure)
	if err := c.check(flags); err != nil {
		return nil, err
	}
	return c, c.complete(*from, *to, *compare, *hours)
}

const hoursExample = `{"zone": "Europe/Berlin", ` +
	`"days": {"monday": [{"from": "09:00", "to": "17:30"}]}, "holidays": ["2026-12-24"]}`

// list is names for people.
func list[T ~string](names []T) string {
	var all []string
	for _, name := range names {
		all = append(all, string(name))
	}
	return strings.Join(all, ", ")
}

// groupedBy are the dimensions that a report may be grouped by.
func groupedBy() []report.Dimension {
	return slices.DeleteFunc(report.Dimensions(), report.Dimension.OnlyFilters)
}

// leading are the measures that a leaderboard may be sorted by.
func leading() []report.Measure {
	return slices.DeleteFunc(report.Measures(),
		func(m report.Measure) bool { return m.CountsDistinct() || m.Working() })
}

// kinds are those of reports, as --kind names them.
var kinds = []report.Kind{
	report.Conversations, report.Responses, report.Resolutions, report.Messages, report.Contacts,
	report.Assignments, report.Times, report.Backlogs, report.Deadlines, report.Satisfaction,
	report.Users, report.Leaderboard,
}

// addFilter adds values, which are written as a row of CSV is: a name may have a comma.
func addFilter(f *report.Filter, text string) error {
	dimension, values, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("must be dimension=value, as channel=web or channel=web,email")
	}
	all := []string{values}
	if values != "" { // which would be no row
		rows := csv.NewReader(strings.NewReader(values))
		rows.LazyQuotes = true
		var err error
		if all, err = rows.Read(); err != nil {
			return err
		}
		if _, err := rows.Read(); err != io.EOF {
			return errors.New("must be in one line")
		}
	}
	if *f == nil {
		*f = report.Filter{}
	}
	d := report.Dimension(dimension)
	(*f)[d] = append((*f)[d], all...)
	return nil
}

// check checks that the flags go together.
func (c *call) check(flags *flag.FlagSet) error {
	var todo []string
	for _, one := range [...]struct {
		name  string
		asked bool
	}{{"--live", c.live}, {"--export", c.export != ""}, {"--html", c.html != ""}} {
		if one.asked {
			todo = append(todo, one.name)
		}
	}
	switch {
	case len(todo) > 1:
		return wrong("%s do not go together", strings.Join(todo, " and "))
	case len(todo) == 0:
		todo = []string{"a report"}
	}
	switch {
	case c.demo && c.importFile != "":
		return wrong("--demo and --import do not go together")
	case c.demo && !database.IsFile(c.db):
		return wrong("--demo goes with a SQLite file")
	case c.db == "" && c.importFile == "" && !c.demo:
		return wrong("there is nothing to ask: name a database with --db, or a log with " +
			"--import, or play one with --demo")
	}
	if c.mapping != "" && c.importFile == "" {
		return wrong("--mapping goes with --import")
	}
	if !slices.Contains([]string{formatTable, formatJSON, formatCSV}, c.format) {
		return wrong("--format: %q is not one of table, json, csv", c.format)
	}
	if !slices.Contains([]string{"", formatCSV, formatNDJSON, formatSpans, formatTranscripts},
		c.export) {
		return wrong("--export: %q is not one of csv, ndjson, spans, transcripts", c.export)
	}
	if !slices.Contains([]string{byOpening, byClosing}, c.by) {
		return wrong("--by: %q is not one of opening, closing", c.by)
	}
	asCSV := c.export == formatCSV || c.export == formatSpans ||
		c.export == "" && c.html == "" && c.format == formatCSV
	if c.formulas && !asCSV {
		return wrong("--formulas goes with --format csv, --export csv and --export spans")
	}
	if q := c.query; q.Kind == report.Leaderboard && !slices.Contains(leading(), q.Measure) {
		return wrong("--measure: %q is not one of %s", q.Measure, list(leading()))
	}
	var err error
	all := slices.Concat(slices.Collect(maps.Values(goesWith))...)
	flags.Visit(func(f *flag.Flag) {
		switch {
		case err != nil:
		case f.Name == "seed" && !c.demo:
			err = wrong("--seed goes with --demo")
		case slices.Contains(all, f.Name) && !slices.Contains(goesWith[todo[0]], f.Name):
			err = wrong("--%s does not go with %s", f.Name, todo[0])
		case f.Name == "by" && (c.export == formatTranscripts || c.export == formatSpans):
			err = wrong("--by does not go with --export %s, which are of no cycle", c.export)
		}
	})
	return err
}

// complete reads times and the calendar. Whether they make sense, report says.
func (c *call) complete(from, to, compare, hours string) (err error) {
	q := &c.query
	if c.location, err = time.LoadLocation(q.Zone); err != nil || q.Zone == "" {
		return wrong("--zone: %q is not the name of an IANA time zone, such as Europe/Berlin",
			q.Zone)
	}
	if c.demo && !c.live && from == "" && to == "" {
		from, to = demoFrom, demoTo
	}
	if !c.live && (from == "" || to == "") {
		return wrong("name the period with --from and --to, as --from 2026-03-01 --to 2026-04-01")
	}
	for _, t := range [...]struct {
		name, text string
		at         *time.Time
	}{{"from", from, &q.From}, {"to", to, &q.To}, {"compare-from", compare, &q.CompareFrom}} {
		if t.text == "" {
			continue
		}
		if *t.at, err = time.ParseInLocation(time.DateOnly, t.text, c.location); err == nil {
			continue
		}
		if *t.at, err = time.Parse(time.RFC3339, t.text); err != nil {
			return wrong("--%s: %q is neither a day, as 2026-03-01, nor a time, as "+
				"2026-03-01T09:00:00Z", t.name, t.text)
		}
	}
	if !c.live && !q.From.Before(q.To) {
		return wrong("--to: %s must be after --from, which is %s", to, from)
	}
	if hours == "" {
		return nil
	}
	calendar, err := readHours(hours)
	if err != nil {
		return wrong("--hours: %w", err)
	}
	q.Calendar = calendar
	return nil
}

// readHours is strict: a typing error must not make a week of holidays.
func readHours(file string) (convo.Calendar, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var config convo.Hours
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&config); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s: something follows the JSON object", file)
	}
	calendar, err := config.Calendar(nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return calendar, nil
}
