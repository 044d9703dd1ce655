package convo_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// casesFile has a row for each case that convo is held to: its id, where it comes from, what is
// expected, a verdict, and the tests that assert it, or the reason why it is otherwise here.
const casesFile = "testdata/cases.tsv"

// howMany cases there are of each kind of id. None gets lost.
var howMany = map[string]int{
	"F": 24, "U": 25, "E": 21, "O": 12, // what was wrong, reported, seen in examples, met by a host
	"CW": 81, "FS": 9, "LD": 10, "LF": 14, "PC": 24, "QS": 17, "RC": 29, "RV": 10, "TD": 14,
	"TW": 9, "ZA": 23, // of other platforms
}

// verdicts are what convo does about a case.
var verdicts = []struct{ name, means string }{
	{"same", "it does what is expected by itself"},
	{"policy", "it does so by a policy"},
	{"composed", "it does so by several commands in one call, by a function of the host's, or by " +
		"several reads"},
	{"different", "it does something else on purpose, and why is said"},
	{"cannot", "it cannot"},
}

type caseRow struct{ id, from, expected, verdict, about string }

// tests are the names of those that assert the case.
func (r *caseRow) tests() []string {
	if r.verdict == "different" || r.verdict == "cannot" {
		return nil
	}
	return strings.Fields(r.about)
}

func readCases(t *testing.T) (rows []caseRow) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(read(t, casesFile), "\n"), "\n")
	require.Equal(t, "id\tfrom\tcase\tverdict\ttests or reason", lines[0])
	for i, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		require.Len(t, fields, 5, "%s:%d", casesFile, i+2)
		for _, field := range fields {
			require.NotEmpty(t, strings.TrimSpace(field), "%s:%d", casesFile, i+2)
		}
		rows = append(rows, caseRow{fields[0], fields[1], fields[2], fields[3], fields[4]})
	}
	return rows
}

var caseID = regexp.MustCompile(`^([A-Z]{1,2})([0-9]{1,3})\b`)

func TestEveryCaseHasItsPlace(t *testing.T) {
	counts, last := map[string]int{}, map[string]int{}
	known := []string{}
	for _, v := range verdicts {
		known = append(known, v.name)
	}
	for _, r := range readCases(t) {
		m := caseID.FindStringSubmatch(r.id)
		require.NotNil(t, m, r.id)
		number, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		assert.Greater(t, number, last[m[1]], "%s: each id once, in order", r.id)
		counts[m[1]]++
		last[m[1]] = number
		assert.Contains(t, known, r.verdict, r.id)
	}
	assert.Equal(t, howMany, counts)
	peers := 0
	for kind, n := range counts {
		if len(kind) == 2 {
			peers += n
		}
	}
	assert.Equal(t, 240, peers)
}

// testSource is where a test, or the cases of storetest, are.
type testSource struct {
	file     string
	literals []string // in it
}

type sources map[string]map[string]testSource // by the folder and the test

// find is the file of a test by its name, such as report.TestX or .TestX/subtest, and whether it and
// the subtest are there. A subtest may be named by its first word.

func (s sources) find(t *testing.T, name string) (file string, ok bool) {
	t.Helper()
	if demand, ok := strings.CutPrefix(name, "storetest/"); ok {
		found := s.of(t, "storetest")
		for _, key := range slices.Sorted(maps.Keys(found)) {
			if source := found[key]; source.says(demand) {
				return source.file, true
			}
		}
		return "", false
	}
	dir, rest, ok := strings.Cut(name, ".Test")
	if !ok {
		return "", false
	}
	test, sub, hasSub := strings.Cut("Test"+rest, "/")
	source, ok := s.of(t, cmp.Or(dir, "."))[test]
	if !ok || !hasSub {
		return source.file, ok
	}
	if test == "TestScenarios" {
		_, err := os.Stat(scenarioDir + sub)
		return scenarioDir + sub, err == nil
	}
	return source.file, source.says(sub)
}

// says reports whether one of the literals is the name, or begins with it as its first word.
// Spaces are underscores in a name, as they are for go test.
func (s testSource) says(name string) bool {
	return slices.ContainsFunc(s.literals, func(literal string) bool {
		literal = strings.ReplaceAll(literal, " ", "_")
		return literal == name || strings.HasPrefix(literal, name+"_")
	})
}

// of reads the tests of a folder; of storetest, its files.
func (s sources) of(t *testing.T, dir string) map[string]testSource {
	t.Helper()
	if found, ok := s[dir]; ok {
		return found
	}
	s[dir] = map[string]testSource{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		file = filepath.ToSlash(file)
		if !strings.HasSuffix(file, "_test.go") && dir != "storetest" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		if !strings.HasSuffix(file, "_test.go") {
			s[dir][file] = testSource{file, literalsIn(f)}
			continue
		}
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				s[dir][f.Name.Name] = testSource{file, literalsIn(f)}
			}
		}
	}
	return s[dir]
}

func literalsIn(n ast.Node) (all []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

// A case whose test was renamed, or taken away, is asserted by nobody.
func TestEveryCaseNamesTestsThatAreThere(t *testing.T) {
	s, named := sources{}, map[string]bool{}
	for _, r := range readCases(t) {
		tests := r.tests()
		if tests == nil {
			continue
		}
		require.NotEmpty(t, tests, r.id)
		for _, name := range tests {
			_, ok := s.find(t, name)
			assert.True(t, ok, "%s: there is no test %s", r.id, name)
			named[name] = true
		}
	}
	for test, source := range s.of(t, ".") {
		for _, literal := range source.literals {
			id := caseID.FindString(literal)
			ours := strings.HasPrefix(test, "TestPeers") || test == "TestReported"
			if ours && id != "" && strings.HasPrefix(literal, id+" ") {
				assert.True(t, named["."+test+"/"+id], "%s: the row of %s does not name it", test, id)
			}
		}
	}
}

// What people read is made from the table: run with -update to write it.
func TestDocsShowEveryCase(t *testing.T) {
	const file = "docs/cases.md"
	var b strings.Builder
	rows := readCases(t)
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.verdict]++
	}
	b.WriteString(`# Cases

What convo is held to, case by case: what was wrong in an earlier version, what users of chat
platforms report, and what the test suites and documents of other platforms expect, in our words.
Made from [the table](../testdata/cases.tsv) by ` + "`go test . -run TestDocs -update`" + `.

| verdict | cases | what it means |
|---|---|---|
`)
	for _, v := range verdicts {
		if counts[v.name] > 0 {
			fmt.Fprintf(&b, "| %s | %d | %s |\n", v.name, counts[v.name], v.means)
		}
	}
	b.WriteString(`
A test may be run by its name: ` + "`go test . -run TestPeersRiver/RV006`" + `. Those of storetest are
of every store: ` + "`go test ./memstore -run TestStoreConforms/Peers`" + `.
`)
	s, from := sources{}, ""
	for _, r := range rows {
		if r.from != from {
			from = r.from
			fmt.Fprintf(&b, "\n## %s\n\n| id | case | verdict | tests, or why |\n|---|---|---|---|\n", from)
		}
		about := r.about
		if tests := r.tests(); tests != nil {
			var links []string
			for _, name := range tests {
				file, _ := s.find(t, name)
				links = append(links, "["+shortName(name)+"](../"+file+")")
			}
			about = strings.Join(links, ", ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.id, strings.ReplaceAll(r.expected, "|", `\|`),
			r.verdict, strings.ReplaceAll(about, "|", `\|`))
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
		return
	}
	require.Equal(t, b.String(), read(t, file),
		"%s is not what %s says: go test . -run TestDocs -update", file, casesFile)
}

// shortName is how a test is named in a table: without its folder and its subtest's id.
func shortName(name string) string {
	if demand, ok := strings.CutPrefix(name, "storetest/"); ok {
		return "storetest: " + strings.ReplaceAll(demand, "_", " ")
	}
	_, rest, _ := strings.Cut(name, ".Test")
	test, sub, _ := strings.Cut(rest, "/")
	if strings.HasSuffix(sub, ".txt") {
		return path.Base(sub)
	}
	return test
}
