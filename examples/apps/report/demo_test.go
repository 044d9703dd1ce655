package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// README's first command, as somebody runs it who has just cloned the repository.
func TestTheFirstCommandOfTheREADMEDrawsAPage(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	const program = "go run ./examples/apps/report "
	_, args, ok := strings.Cut(string(readme), "\n"+program)
	require.True(t, ok)
	args, _, _ = strings.Cut(args, "\n```")
	require.DirExists(t, filepath.Join("../../..", strings.Fields(program)[2]))
	t.Chdir(t.TempDir())
	status, _, stderr := command(t, "", strings.Fields(strings.ReplaceAll(args, "\\\n", " "))...)
	require.Zero(t, status, stderr)
	assert.Contains(t, stderr, "wrote report.html: 14 charts")
	page, err := os.ReadFile("report.html")
	require.NoError(t, err)
	assert.Contains(t, string(page), "2026-03-02 to 2026-03-30")
	assert.Contains(t, string(page), `aria-label="Deadlines"`)
	assert.Contains(t, string(page), `<th scope="row">share of targets met</th>`)
	assert.Contains(t, usage, "\n  report "+args+"\n", "--help has it too")
}

// What a reader would want to find in it: all that the engine does for a help desk.
func TestTheDemoHasAllThatHappensAtAHelpDesk(t *testing.T) {
	status, out, stderr := command(t, "", "--demo", "--from", "2026-02-02", "--to", "2026-03-30",
		"--export", "transcripts")
	require.Zero(t, status, stderr)
	for _, kind := range []convo.EventKind{convo.ConversationReopened, convo.ConversationPending,
		convo.ConversationResumed, convo.ConversationClosed, convo.MessageReceived,
		convo.ConversationRated} {
		assert.Greater(t, strings.Count(out, `"kind":"`+kind.String()+`"`), 20, kind)
	}
	for _, text := range []string{`"assignee":"ana"`, `"assignee":"dario"`, `"channel":"email"`,
		`"channel":"webchat"`, `"channel":"whatsapp"`, `"source":"inactivity"`,
		`"category":"delivery"`, `"category":"no answer"`} {
		assert.Greater(t, strings.Count(out, text), 10, text)
	}
	for _, rule := range demoPolicy().Deadlines {
		passed := regexp.MustCompile(`"kind":"deadline_passed"[^\n]*"` + rule.Name + `"`)
		assert.NotEmpty(t, passed.FindString(out), rule.Name)
	}
	status, _, summary := command(t, "", "--demo", "--export", "csv")
	assert.Zero(t, status)
	assert.Regexp(t, `exported [2-9]\d\d cycles by opening of helpdesk, 2026-03-02 to 2026-03-30`,
		summary)
}

func TestTheDemoIsTheSameForTheSameSeedWhereverItIsPlayed(t *testing.T) {
	play := func(args ...string) string {
		status, out, stderr := command(t, "", append([]string{"--demo"}, args...)...)
		require.Zero(t, status, stderr)
		return out
	}
	db := filepath.Join(t.TempDir(), "demo.sqlite")
	first := play("--export", "csv") // which has ids
	assert.True(t, first == play("--export", "csv", "--db", db, "--seed", "1"))
	second := play("--live", "--seed", "2")
	assert.Equal(t, second, play("--live", "--seed", "2"))
	assert.NotEqual(t, second, play("--live", "--seed", "18446744073709551615"))

	// What is there is asked, not played into.
	before := folder(t, filepath.Dir(db))
	status, _, stderr := command(t, "", "--demo", "--db", db)
	assert.Equal(t, 2, status)
	assert.Contains(t, stderr, db+" is there already: without --demo it is asked")
	status, out, stderr := command(t, "", "--db", db, "--from", demoFrom, "--to", demoTo,
		"--export", "csv")
	assert.Zero(t, status, stderr)
	assert.True(t, first == out)
	assert.True(t, assert.ObjectsAreEqual(before, folder(t, filepath.Dir(db))))
}
