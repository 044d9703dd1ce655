package convo_test

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	longestFile = 500 // lines, of the library
	widestLine  = 100 // columns; a tab is four
)

// goFiles are the Go files of all modules.
func goFiles(t *testing.T) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != ".":
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			files = append(files, path)
		}
		return nil
	}))
	require.Greater(t, len(files), 100)
	return files
}

func TestNoFileIsTooLongAndNoLineTooWide(t *testing.T) {
	for _, file := range goFiles(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		isTest := strings.HasSuffix(file, "_test.go")
		if !isTest {
			assert.LessOrEqual(t, len(lines), longestFile, "%s has too many lines", file)
		}
		texts := rawTexts(text) // what a test compares with may be as wide as it is
		for i, line := range lines {
			if isTest && (texts[i+1] || strings.ContainsAny(line, "`\"") || isOutput(line)) {
				continue
			}
			width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			assert.LessOrEqual(t, width, widestLine, "%s:%d is too wide", file, i+1)
		}
	}
}

// rawTexts are the lines of raw strings that have several.
func rawTexts(source []byte) map[int]bool {
	lines := map[int]bool{}
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	for s.Init(file, source, nil, 0); ; {
		at, kind, text := s.Scan()
		if kind == token.EOF {
			return lines
		}
		if kind == token.STRING {
			for i := range strings.Count(text, "\n") {
				lines[file.Line(at)+i], lines[file.Line(at)+i+1] = true, true
			}
		}
	}
}

// isOutput reports whether line may be of the output of an example.
func isOutput(line string) bool {
	return strings.HasPrefix(strings.TrimSpace(line), "// ")
}

// replaced are names of the first version that misled, and that a better word took the place of.
var replaced = strings.Fields(`
	UnansweredAt Thread Pend Pended ConversationPended OutcomePended CommandPend Amend CommandAmend
	Link CommandLink Reentry ReentryMode ReentryNew ReentryReopen ReentryReject Within Latest Into
	Past Loaded WritesContact WritesConversation First Last Hash Sharing Suggester
	Ask Question Answer Cells Figures Live Where Basis Distinct UpTo Borders
	WithPrefix MigrateTo`)

// oldWords are theirs in JSON, SQL, and the conditions of the transition table.
var oldWords = regexp.MustCompile(`\b(unanswered_at|conversation_pended|into_contact` +
	`|unrolled|half_sketches|halves|another until|nobody's address|figures` +
	`|"command":"(pend|amend|link)")\b|"within"`)

func TestTheOldNamesAreGone(t *testing.T) {
	old := map[string]bool{}
	for _, name := range replaced {
		old[name] = true
	}
	seen := 0
	for _, dir := range []string{
		".", "report", "memstore", "sqlstore", "shardstore", "storetest", "workflow", "dialogflow",
	} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, name := range exportedIn(t, file) {
				seen++
				assert.False(t, old[name], "%s exports %s, which has a better name now", file, name)
			}
		}
	}
	assert.Greater(t, seen, 500)
}

// exportedIn are the names that go doc shows of a file: of what is declared at the top, of fields,
// and of methods.
func exportedIn(t *testing.T, file string) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names = append(names, id.Name)
			}
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name != "MigrateTo" || d.Recv == nil { // a method of Config, no function
				add(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					add(spec.Names...)
				case *ast.TypeSpec:
					add(spec.Name)
					ast.Inspect(spec.Type, func(n ast.Node) bool {
						if field, ok := n.(*ast.Field); ok && spec.Name.IsExported() {
							add(field.Names...)
						}
						return true
					})
				}
			}
		}
	}
	return names
}

func TestTheOldWordsAreGone(t *testing.T) {
	files := []string{"README.md", "doc.go", "docs/policies.md", "docs/lists.md", "docs/contacts.md",
		"docs/inbox.md", "docs/bots.md", "docs/sla.md", "sqlstore/README.md"}
	for _, pattern := range []string{
		"sqlstore/migrations/*/*.sql", "testdata/scenarios/*.txt", "sqlstore/testdata/sql/*/*.sql",
	} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Empty(t, oldWords.FindString(string(text)), file)
	}
	walkJSONTypes(func(owner reflect.Type, field reflect.StructField) {
		assert.False(t, oldWords.MatchString(field.Tag.Get("json")), "%s.%s", owner, field.Name)
	})
}
