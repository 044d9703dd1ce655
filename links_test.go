package convo_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// markdownFiles are those of the repository.
func markdownFiles(t *testing.T) (files []string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (file != "." && strings.HasPrefix(d.Name(), ".") ||
			d.Name() == "node_modules"):
			return fs.SkipDir
		case strings.HasSuffix(file, ".md"):
			files = append(files, file)
		}
		return nil
	}))
	require.Greater(t, len(files), 10)
	return files
}

var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```")
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	title  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

// anchors are the names that GitHub gives to the headings of a text.
func anchors(text string) map[string]bool {
	names, times := map[string]bool{}, map[string]int{}
	for _, m := range title.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		shown := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(m[1], "$1")
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsNumber(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, shown)
		if n := times[name]; n > 0 {
			names[name+"-"+strconv.Itoa(n)] = true
		} else {
			names[name] = true
		}
		times[name]++
	}
	return names
}

// deadLinks are the links of a text, in a file, that lead nowhere.
func deadLinks(file, text string) (dead []string) {
	for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
			continue
		}
		target, anchor, _ := strings.Cut(m[1], "#")
		there := text
		if target != "" {
			name := path.Join(path.Dir(file), target)
			if _, err := os.Stat(name); err != nil {
				dead = append(dead, m[1])
				continue
			}
			read, _ := os.ReadFile(name) // of a folder: nothing
			there = string(read)
		}
		if anchor != "" && !anchors(there)[anchor] {
			dead = append(dead, m[1])
		}
	}
	return dead
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, file := range markdownFiles(t) {
		assert.Empty(t, deadLinks(file, read(t, file)), file)
	}
}

func TestDeadLinksAreFound(t *testing.T) {
	const text = "# A `b`, c\n## Twice\n## Twice\n[1](#a-b-c) [2](#twice-1)\n[3](#twice-2) [4](nowhere.md)" +
		" [5](../README.md#nowhere) [6](../README.md#why) [7](https://example.com) [8](../docs)\n" +
		"```\n# Code\n[9](nowhere)\n```\n[10](#code)\n"
	assert.Equal(t, []string{"#twice-2", "nowhere.md", "../README.md#nowhere", "#code"},
		deadLinks("docs/none.md", text))
}

// GitHub draws these; of a block that begins otherwise it shows an error.
var diagrams = regexp.MustCompile(
	`^(flowchart (LR|TD|TB|RL|BT)|stateDiagram-v2|sequenceDiagram|erDiagram|gantt|classDiagram)\n`)

func TestDiagramsAreOfAKnownKind(t *testing.T) {
	seen := 0
	for _, file := range markdownFiles(t) {
		for _, block := range blocksOf(t, file, "mermaid") {
			seen++
			assert.Regexp(t, diagrams, block, file)
		}
	}
	assert.Greater(t, seen, 15)
}
