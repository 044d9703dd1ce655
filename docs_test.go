package convo_test

import (
	"encoding/json"
	"go/ast"
	"go/doc/comment"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/scenario"
)

// documents are the texts that these tests hold to the code.
var documents = []string{
	"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/design.md", "docs/moving-in.md",
	"docs/reports.md", "docs/events-out.md", "docs/operations.md", "docs/upgrades.md",
	"docs/scale.md", "docs/shards.md", "docs/inbox.md", "docs/bots.md", "docs/sla.md",
	"docs/sqlite-to-postgresql.md", "docs/policies.md", "docs/lists.md", "docs/contacts.md",
	"docs/engines.md", "docs/performance.md", "docs/erasure.md", "docs/cases.md",
	"docs/versions.md", "SECURITY.md", "sqlstore/README.md",
}

// named is a place in the code as the documents write it, `file.go: Func` or
// `file.go: Type.Method`.
var named = regexp.MustCompile("`([\\w./-]+\\.go): ([\\w.]+)`")

// A page about the code that nothing holds to it is wrong after a few changes, and worse than none.
func TestTheDesignIsTrue(t *testing.T) {
	for _, file := range documents {
		text := read(t, file)
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			assert.NotEmpty(t, declaration(t, m[1], m[2]), "%s: %s", file, m[0])
		}
	}
	text := read(t, "docs/design.md")
	paths := regexp.MustCompile("`([\\w./-]+/[\\w./-]+|\\w+\\.(?:go|md|txt))`").
		FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, paths)
	for _, m := range paths {
		if m[1] == "row-flag.txt" { // of the command that is only an example
			continue
		}
		_, err := os.Stat(m[1])
		require.NoError(t, err, "docs/design.md names it")
	}
}

// What is quoted is in what was named last before it, line by line; … stands for lines left out.
func TestWhatTheDesignQuotesIsThere(t *testing.T) {
	sqlFile := regexp.MustCompile("`([\\w./-]+\\.sql)`")
	text := read(t, "docs/design.md")
	quotes := 0
	for _, language := range []string{"go", "sql"} {
		for _, at := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").
			FindAllStringSubmatchIndex(text, -1) {
			quotes++
			before, quoted := text[:at[0]], text[at[2]:at[3]]
			var source string
			if language == "go" {
				all := named.FindAllStringSubmatch(before, -1)
				require.NotEmpty(t, all)
				last := all[len(all)-1]
				source = declaration(t, last[1], last[2])
			} else {
				all := sqlFile.FindAllStringSubmatch(before, -1)
				require.NotEmpty(t, all)
				source = read(t, all[len(all)-1][1])
			}
			lines := strings.Split(source, "\n")
			next := 0
			for _, line := range strings.Split(strings.TrimSpace(quoted), "\n") {
				if line == "…" {
					continue
				}
				for next < len(lines) && strings.TrimSpace(lines[next]) != strings.TrimSpace(line) {
					next++
				}
				require.Less(t, next, len(lines), "not there, or not in this order: %s", line)
				next++
			}
		}
	}
	require.GreaterOrEqual(t, quotes, 10)
}

// blocksOf are the blocks of a document in a language.
func blocksOf(t *testing.T, file, language string) (blocks []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").
		FindAllStringSubmatch(read(t, file), -1) {
		if m[1] == language {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

// The code of these pages runs, as an example or in a test.
func TestTheCodeOfPagesRuns(t *testing.T) {
	flat := func(code string) string {
		return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(code, "")
	}
	for page, source := range map[string]string{
		"docs/inbox.md":                "example_inbox_test.go",
		"docs/moving-in.md":            "example_movein_test.go",
		"docs/bots.md":                 "example_bots_test.go",
		"docs/sla.md":                  "example_sla_test.go",
		"docs/erasure.md":              "sqlstore/sqltest/erase_example_test.go",
		"docs/shards.md":               "sqlstore/sqltest/shards_example_test.go",
		"docs/sqlite-to-postgresql.md": "sqlstore/sqltest/sqlite_to_postgresql_test.go",
	} {
		runs := flat(read(t, source))
		blocks := blocksOf(t, page, "go")
		require.NotEmpty(t, blocks, page)
		for _, block := range blocks {
			assert.Contains(t, runs, flat(block), "%s, in %s", page, source)
		}
	}
}

// Whoever copies the first program of the README sees what the README says.
func TestTheFirstProgramRuns(t *testing.T) {
	program := blocksOf(t, "README.md", "go")[0]
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(program), 0o600))
	out, err := exec.Command("go", "run", file).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, blocksOf(t, "README.md", "")[0], string(out))
}

// The tour tells what happens: this is its message, and the event and the plan that come of it.
func TestTheTourOfTheDesignIsWhatHappens(t *testing.T) {
	text := read(t, "docs/design.md")
	_, rest, ok := strings.Cut(text, "```json\n")
	require.True(t, ok)
	told, _, _ := strings.Cut(rest, "```")

	noon := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	hello := convo.Receive{Channel: "chat", Body: "Hello"}
	s := convo.Snapshot{Ref: convo.ToContact("acme", "ann")}
	s.Contact.Workspace, s.Contact.ID = "acme", "ann"
	s.Next = uuid.MustParse("01942219-5000-7000-8000-000000000000")
	first, err := convo.Decide(s, noon, nil, hello)
	require.NoError(t, err)
	s = first.Change.After(s)
	assert.Equal(t, int64(1), s.Contact.Version)
	assert.Equal(t, int64(2), s.Conversation.Version)
	assert.Equal(t, 1, s.Conversation.Cycle.Incoming)
	s.Next = uuid.MustParse("01942219-6000-7000-8000-000000000000")
	second, err := convo.Decide(s, noon, nil, hello)
	require.NoError(t, err)

	ch := second.Change
	assert.Equal(t, convo.OutcomeRecorded, second.Outcome)
	event, err := json.Marshal(ch.Events[0])
	require.NoError(t, err)
	assert.JSONEq(t, told, string(event))
	assert.Equal(t, convo.RowKept, ch.Contact.Action)
	assert.Equal(t, convo.RowUpdated, ch.Conversation.Action)
	assert.Equal(t, int64(2), ch.Conversation.Expected)
	assert.True(t, ch.Conversation.OnlyMessages)
	assert.Equal(t, noon, ch.Conversation.Cycle.WaitingSince)
	assert.Contains(t, text, "waiting_since 1735732800000000")
	assert.Equal(t, int64(1735732800000000), noon.UnixMicro())
}

// The diagram of the schema names columns that the migrations make.
func TestTheDiagramOfTheSchemaIsTrue(t *testing.T) {
	migrations := read(t, "sqlstore/migrations/postgres/00001_convo.sql") +
		read(t, "sqlstore/migrations/postgres/00002_reports.sql")
	made := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)CREATE TABLE (\w+) \(\n(.*?)\n\)`).
		FindAllStringSubmatch(migrations, -1) {
		made[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN (.*);`).
		FindAllStringSubmatch(migrations, -1) {
		made[m[1]] += "\n    " + m[2]
	}
	tables := regexp.MustCompile(`(?s)    (convo_\w+) \{\n(.*?)    \}`).
		FindAllStringSubmatch(read(t, "sqlstore/README.md"), -1)
	assert.Len(t, tables, len(made))
	for _, table := range tables {
		column := regexp.MustCompile(`(?m)^        \w+ (\w+)`)
		for _, c := range column.FindAllStringSubmatch(table[2], -1) {
			assert.Regexp(t, `(?m)^    `+c[1]+` `, made[table[1]], table[1])
		}
	}
}

// The scenario that CONTRIBUTING.md shows is one.
func TestTheScenarioThatIsShownIsOne(t *testing.T) {
	_, shown, ok := strings.Cut(read(t, "CONTRIBUTING.md"), "```\n# ")
	require.True(t, ok)
	shown, _, _ = strings.Cut(shown, "```")
	got, _, err := scenario.Run("# " + shown)
	require.NoError(t, err)
	assert.Equal(t, "# "+shown, got)
}

func TestDocsNameEveryFieldOfAPolicy(t *testing.T) {
	_, policies, ok := strings.Cut(read(t, "docs/policies.md"), "\n## Fields\n")
	require.True(t, ok)
	policies, _, _ = strings.Cut(policies, "\n## ")
	policy := reflect.TypeFor[convo.Policy]()
	for i := range policy.NumField() {
		name, _, _ := strings.Cut(policy.Field(i).Tag.Get("json"), ",")
		assert.Regexp(t, `(?m)^\|.*`+"`"+name+`[.`+"`]", policies, "in docs/policies.md")
	}
}

// A line that is longer than this is read twice. Tables, code and links cannot be broken.
func TestDocumentsAreOf100Columns(t *testing.T) {
	for _, file := range documents {
		code := false
		for i, line := range strings.Split(read(t, file), "\n") {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if code || strings.HasPrefix(line, "|") || strings.Contains(line, "](") {
				continue
			}
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 100, "%s:%d", file, i+1)
		}
	}
}

// logged is what is logged: the level, the message, and the rest of the statement.
var logged = regexp.MustCompile(`(?s)\.(Debug|Info|Warn|Error)(?:Context)?\((?:ctx, )?"(convo: [^"]+)"` +
	`(.*?)\)\n`)

// What operators search their logs for is written down, with its level and its fields.
func TestDocsShowWhatIsLogged(t *testing.T) {
	text := read(t, "docs/operations.md")
	var rows []string
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "examples") {
			continue
		}
		for _, m := range logged.FindAllStringSubmatch(read(t, file), -1) {
			var fields []string
			for _, field := range regexp.MustCompile(`"(\w+)",`).FindAllStringSubmatch(m[3], -1) {
				fields = append(fields, "`"+field[1]+"`")
			}
			rows = append(rows, "| `"+m[2]+"` | "+strings.ToLower(m[1])+" | "+
				strings.Join(fields, ", ")+" |")
			assert.Contains(t, text, rows[len(rows)-1], file)
		}
	}
	assert.Len(t, rows, strings.Count(text, "\n| `convo: "), "no other one is written down")
}

// The samples of the documents and of the packages' comments compile.
func TestSamplesCompile(t *testing.T) {
	samples := map[string]string{}
	for _, file := range []string{
		"README.md", "docs/policies.md", "docs/lists.md", "docs/contacts.md", "docs/reports.md",
		"sqlstore/README.md",
	} {
		for _, block := range blocksOf(t, file, "go") {
			if !strings.HasPrefix(block, "package main") { // which runs
				samples[file+": "+block] = block
			}
		}
	}
	for _, file := range []string{
		"doc.go", "sqlstore/doc.go", "report/doc.go", "sqlstore/store.go", "storetest/storetest.go",
	} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, group := range f.Comments {
			for _, block := range new(comment.Parser).Parse(group.Text()).Content {
				code, ok := block.(*comment.Code)
				if ok && strings.Contains(code.Text, ":=") {
					samples[file+": "+code.Text] = code.Text
				}
			}
		}
	}
	require.GreaterOrEqual(t, len(samples), 8)
	imports := exported(t)
	for name, sample := range samples {
		t.Run(strings.SplitN(name, "\n", 2)[0], func(t *testing.T) {
			for _, err := range compile(t, imports, sample) {
				t.Errorf("%v, in\n%s", err, sample)
			}
		})
	}
}

// prelude declares what samples use and do not declare.
const prelude = `package samples

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/storetest"
)

var (
	ctx          context.Context
	db           *sql.DB
	dsn          string
	engine       *convo.Engine
	store        *sqlstore.Store
	riya, to     convo.Ref
	cmds         []convo.Command
	march, april time.Time
	mystore      struct{ New func(*sql.DB) (convo.Store, error) }
	_            = errors.Is
	_            = fmt.Println
	_            = slog.Error
	_            = memstore.New
	_            = report.Run
	_            = storetest.Run
)

func openEmptyDatabase(*testing.T) *sql.DB { return nil }

`

// compile type-checks a sample: declarations, or statements of a function that returns an error.
func compile(t *testing.T, imports types.Importer, sample string) []error {
	t.Helper()
	set := token.NewFileSet()
	sample = regexp.MustCompile(`(?m)^import .*$`).ReplaceAllString(sample, "")
	f, err := parser.ParseFile(set, "sample.go", prelude+sample, 0)
	if err != nil {
		statements := strings.ReplaceAll(sample, "\t…\n", "")
		statements = strings.ReplaceAll(statements, "\n…\n", "\n")
		f, err = parser.ParseFile(set, "sample.go",
			prelude+"func _() (err error) {\n{\n"+statements+"\n}\nreturn nil\n}\n", 0)
		require.NoError(t, err, sample)
	}
	var errs []error
	c := types.Config{Importer: imports, Error: func(err error) {
		if e, ok := err.(types.Error); !ok || !e.Soft { // soft: declared and not used
			errs = append(errs, err)
		}
	}}
	_, _ = c.Check("samples", set, []*ast.File{f}, nil)
	return errs
}

// exported reads what the packages export from what the compiler has kept of them.
func exported(t *testing.T) types.Importer {
	t.Helper()
	packages := []string{
		".", "./memstore", "./report", "./sqlstore", "./storetest",
		"context", "database/sql", "errors", "fmt", "log/slog", "testing", "time",
	}
	list := exec.Command("go", append([]string{
		"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}",
	}, packages...)...)
	out, err := list.Output()
	require.NoError(t, err)
	files := map[string]string{}
	for _, line := range strings.Split(string(out), "\n") {
		path, file, _ := strings.Cut(line, "\t")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	require.NoError(t, err)
	return string(text)
}

// declaration is the source of a function, method, type, constant or variable of a file.
func declaration(t *testing.T, file, name string) string {
	t.Helper()
	text := read(t, file)
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, text, 0)
	require.NoError(t, err)
	source := func(n ast.Node) string {
		return text[set.Position(n.Pos()).Offset:set.Position(n.End()).Offset]
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			full := d.Name.Name
			if d.Recv != nil {
				full = strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*") + "." + full
			}
			if full == name {
				return source(d)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.Name == name {
						return source(s)
					}
				case *ast.ValueSpec:
					for _, id := range s.Names {
						if id.Name == name {
							return source(s)
						}
					}
				}
			}
		}
	}
	return ""
}
