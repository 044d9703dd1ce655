package convo_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

var update = flag.Bool("update", false,
	"write the transition table and the diagram into README.md and doc.go")

// The table and the diagram that people read are made from the table that decides: run with -update
// to write them.
func TestDocsShowTheTransitionTable(t *testing.T) {
	table := convo.TransitionTable()
	diagram := "```mermaid\n" + convo.StateDiagram() + "```\n"
	checkSection(t, "README.md", "<!-- transitions -->\n", "<!-- /transitions -->", table)
	checkSection(t, "README.md", "<!-- diagram -->\n", "<!-- /diagram -->", diagram)
	checkSection(t, "doc.go", "or the input picks one.\n", "package convo",
		goComment(convo.Transitions()))
}

func checkSection(t *testing.T, file, begin, end, want string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "%s has no line %q", file, begin)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no line %q", file, end)
	if *update && got != want {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+want+end+after), 0o644))
		return
	}
	require.Equal(t, want, got, "%s is not what the code does: go test . -run TestDocs -update",
		file)
}

// goComment lists the transitions as a code block of a Go comment: a block for each command, and in
// it a line for each branch, with the states that have the same branches together.
func goComment(all []convo.Transition) string {
	var b strings.Builder
	b.WriteString("//\n")
	for i := 0; i < len(all); {
		var states []string
		var branches [][]string
		j := i
		for ; j < len(all) && all[j].Command == all[i].Command; j++ {
			n := len(states)
			if n > 0 && states[n-1] == string(all[j].State) {
				branches[n-1] = append(branches[n-1], all[j].String())
				continue
			}
			states = append(states, string(all[j].State))
			branches = append(branches, []string{all[j].String()})
		}
		fmt.Fprintf(&b, "//\t%s\n", all[i].Command)
		for n := 0; n < len(states); {
			m := n
			for m < len(states) && slices.Equal(branches[m], branches[n]) {
				m++
			}
			for k, branch := range branches[n] {
				name := ""
				if k == 0 {
					name = strings.Join(states[n:m], ", ")
				}
				fmt.Fprintf(&b, "//\t  %-33s  %s\n", name, branch)
			}
			n = m
		}
		i = j
	}
	return b.String()
}

// What is said to show a feature is there, under its name.
func TestTheReadmeNamesOnlyTestsThatExist(t *testing.T) {
	there := map[string]bool{}
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".",
		func(path string, _ fs.DirEntry, err error) error {
			if !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Example)\w*)\(`).FindAllSubmatch(source, -1) {
				there[strings.TrimPrefix(filepath.Base(filepath.Dir(path))+"."+string(m[1]),
					"..")] = true
			}
			return err
		}))
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(readme), "<!-- systems -->")
	systems, _, ok := strings.Cut(rest, "<!-- /systems -->")
	require.True(t, ok)
	names := regexp.MustCompile("`((?:[a-z]+\\.)?(?:Test|Example)\\w*)`").FindAllStringSubmatch(systems, -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.True(t, there[name[1]], name[1])
	}
}

// The JSON that is shown is what the library reads, and the same as it writes.
func TestTheJSONOfPoliciesIsRead(t *testing.T) {
	var seen []string
	for i, text := range blocksOf(t, "docs/policies.md", "json") {
		var v any
		switch {
		case strings.HasPrefix(text, "["):
			v = &convo.Commands{}
		case strings.Contains(text, `"kind"`):
			v = &convo.Event{}
		default:
			v = &convo.Policy{}
		}
		require.NoError(t, json.Unmarshal([]byte(text), v), "block %d", i)
		if p, ok := v.(*convo.Policy); ok {
			require.NoError(t, p.Validate())
		}
		again, err := json.Marshal(v)
		require.NoError(t, err)
		require.JSONEq(t, text, string(again), "block %d", i)
		seen = append(seen, fmt.Sprintf("%T", v))
	}
	require.Equal(t, []string{"*convo.Policy", "*convo.Commands", "*convo.Policy",
		"*convo.Event"}, seen)
}
