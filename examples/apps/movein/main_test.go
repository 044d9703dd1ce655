package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const header = "case:concept:name,Activity,Resource,time:timestamp\n"

func Example() {
	log := strings.NewReader(`case:concept:name,Activity,Resource,time:timestamp
Case1,Insert ticket,Ana,2025-03-03 09:00:00+00:00
Case1,Take in charge ticket,Ben,2025-03-03 09:10:00+00:00
Case2,Insert ticket,Ana,2025-03-03 09:30:00+00:00
Case1,Wait,Ben,2025-03-03 10:00:00+00:00
Case1,Resolve ticket,Ben,2025-03-05 10:00:00+00:00
Case1,Closed,Ben,2025-03-05 11:00:00+00:00
Case1,Closed,,2025-03-05 12:00:00+00:00
Case2,Closed,Ana,2025-03-03 09:30:45.5+00:00
Case1,Wait,Ana,2025-03-07 09:00:00+00:00
`)
	run([]string{"-"}, log, os.Stdout, os.Stderr)
	// Output:
	// rows                       9
	//   applied                  8
	//   unchanged                0
	//   ignored closings         1
	// cases                      2
	// activities that the mapping does not name
	//   Resolve ticket           1
	// opened                     2
	// reopened                   1
	// closed                     2
	// pending                    2
	// still open                 0
	// still pending              1
	//
	// resolution time              mean         median            p90
	//   in all                    1d 1h          1d 1h         1d 21h
	//     in seconds           90022.75       90022.75      162004.55
	//   without pending           1h 0m          1h 0m         1h 48m
	//     in seconds            3622.75        3622.75        6484.55
	//
	// 2 opened, 1 reopened, 2 closed, 2 times pending; median resolution time 1d 1h.
}

// call runs the program on what standard input has.
func call(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(args, strings.NewReader(stdin), &out, &err)
	return status, out.String(), err.String()
}

func TestHelpIsNoError(t *testing.T) {
	status, stdout, stderr := call("", "--help")
	assert.Zero(t, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "Usage: movein [flags] FILE.csv")
	assert.Contains(t, stderr, "-print-mapping")
}

func TestAWrongCallIsStatus2(t *testing.T) {
	for _, args := range [][]string{{}, {"a.csv", "b.csv"}, {"-", "--json"},
		{"--no-such-flag", "-"}} {
		status, stdout, stderr := call(header, args...)
		assert.Equal(t, 2, status, args)
		assert.Empty(t, stdout, args)
		assert.NotEmpty(t, stderr, args)
	}
}

func TestWhatCannotBeReadIsStatus1(t *testing.T) {
	dir := t.TempDir()
	none := filepath.Join(dir, "none")
	mapping := filepath.Join(dir, "mapping.json")
	require.NoError(t, os.WriteFile(mapping, []byte(`{"colums": {}}`), 0o600))
	for _, c := range []struct {
		stdin, stderr string
		args          []string
	}{
		{"", "stdin is empty", []string{"-"}},
		{"", "none: no such file", []string{none}},
		{"", "is a directory (after line 0)", []string{dir}},
		{header, "none: no such file", []string{"--mapping", none, "-"}},
		{header, `mapping.json: json: unknown field "colums"`, []string{"--mapping", mapping, "-"}},
		{header + ",,,\n", "bad rows: 1; nothing was imported\nstdin:2: case:concept:name: must not be empty\n", []string{"-"}},
	} {
		status, stdout, stderr := call(c.stdin, c.args...)
		assert.Equal(t, 1, status, c.stderr)
		assert.Empty(t, stdout, c.stderr)
		assert.Contains(t, stderr, c.stderr)
	}
}

func TestALogWithoutRowsHasNoFigures(t *testing.T) {
	status, stdout, stderr := call(header, "-")
	assert.Zero(t, status)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "rows                       0\n")
	assert.NotContains(t, stdout, "resolution")
	assert.Contains(t, stdout, "\n0 opened, 0 reopened, 0 closed, 0 times pending.\n")
}

func TestThePrintedMappingIsTheDefault(t *testing.T) {
	status, mapping, _ := call("", "--print-mapping")
	require.Zero(t, status)
	file := filepath.Join(t.TempDir(), "mapping.json")
	require.NoError(t, os.WriteFile(file, []byte(mapping), 0o600))
	log := filepath.Join(t.TempDir(), "log.csv")
	require.NoError(t, os.WriteFile(log, []byte(header+`c,Insert ticket,ana,2025-03-03 09:00:00Z
c,Take in charge ticket,ana,2025-03-03 09:01:00Z
c,Wait,ana,2025-03-03 09:02:00Z
c,Closed,ana,2025-03-03 09:03:00Z
`), 0o600))

	_, byDefault, _ := call("", "--json", log)
	status, byFile, stderr := call("", "--json", "--mapping", file, log)
	require.Zero(t, status, stderr)
	assert.Equal(t, byDefault, byFile)
	assert.Contains(t, byFile, `"conversation_closed": 1`)
}

// F18: a typing error in the mapping is not imported without a word.
func TestAnActivityOfTheMappingThatNeverOccursIsAnError(t *testing.T) {
	mapping := filepath.Join(t.TempDir(), "mapping.json")
	_, text, _ := call("", "--print-mapping")
	text = strings.Replace(text, `"Closed"`, `"Clsoed"`, 1)
	require.NoError(t, os.WriteFile(mapping, []byte(text), 0o600))
	log := header + `c,Insert ticket,ana,2025-03-03 09:00:00Z
c,Take in charge ticket,ana,2025-03-03 09:01:00Z
c,Wait,ana,2025-03-03 09:02:00Z
c,Closed,ana,2025-03-03 09:03:00Z
c,Closed,ana,2025-03-03 09:04:00Z
c,Look,ana,2025-03-03 09:05:00Z
`
	status, stdout, stderr := call(log, "--mapping", mapping, "-")
	assert.Equal(t, 1, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr,
		`activities of the mapping never occur: ["Clsoed"]; the log has "Closed" (2), "Insert`)

	status, stdout, _ = call(log, "-")
	assert.Zero(t, status)
	assert.Contains(t, stdout,
		"activities that the mapping does not name\n  Look                     1\n")
}

func TestAFullDiskIsStatus1(t *testing.T) {
	for _, args := range [][]string{{"-"}, {"--json", "-"}, {"--print-mapping"}} {
		var stderr bytes.Buffer
		assert.Equal(t, 1, run(args, strings.NewReader(header), full{}, &stderr), args)
		assert.Equal(t, "movein: no space left\n", stderr.String(), args)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
