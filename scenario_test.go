package convo_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/scenario"
)

const scenarioDir = "testdata/scenarios/"

// TestScenarios runs the stories of testdata/scenarioDir and compares what comes of each step with
// what is written below it. Run with -update to write it.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob(scenarioDir + "*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			got, _, err := scenario.Run(string(text))
			require.NoError(t, err)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			require.Equal(t, string(text), got, "run with -update if that is right now")
		})
	}
}

// TestEveryRowOfTheTableHasAScenario holds that row-<command>.txt shows every branch of a command's
// row: each state with each outcome or error.
func TestEveryRowOfTheTableHasAScenario(t *testing.T) {
	type way struct {
		state   convo.State
		outcome convo.Outcome
		refusal string
	}
	shown := map[convo.CommandName]map[way]bool{}
	for _, tr := range convo.Transitions() {
		if shown[tr.Command] == nil {
			name := strings.ReplaceAll(string(tr.Command), "_", "-")
			text, err := os.ReadFile(scenarioDir + "row-" + name + ".txt")
			require.NoError(t, err)
			_, did, err := scenario.Run(string(text))
			require.NoError(t, err)
			shown[tr.Command] = map[way]bool{}
			for _, d := range did {
				var state *convo.StateError
				w := way{state: d.State, outcome: d.Outcome}
				if errors.As(d.Err, &state) {
					w.refusal = state.Err.Error()
				}
				if d.Command == tr.Command {
					shown[tr.Command][w] = true
				}
			}
		}
		w := way{state: tr.State, outcome: tr.Outcome}
		if tr.Err != nil {
			w.refusal = tr.Err.Error()
		}
		if (tr.Command == convo.CommandLinkAddress || tr.Command == convo.CommandUnlinkAddress) &&
			tr.State == convo.StateSuperseded {
			w.outcome = convo.OutcomeUnchanged // only a Ref without an address meets it
		}
		assert.True(t, shown[tr.Command][w], "%s in %s: %s", tr.Command, tr.State, tr)
	}
}

func TestAScenarioThatCannotBeReadSaysWhere(t *testing.T) {
	for _, text := range []string{"dance\n", "do carl\nclose by=user:ana by\n", "do #x\n",
		"policy {\n", "wait soon\n", "prune 24h\n", "prune soon 0s 0s\n"} {
		_, _, err := scenario.Run(text)
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), strings.SplitN(text, "\n", 2)[0])
	}
}

func TestAChangedWordInAScenarioIsNoticed(t *testing.T) {
	text, err := os.ReadFile(scenarioDir + "story-platform.txt")
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	output := false
	for i, line := range lines {
		if line == "----" || line == "" {
			output = line == "----"
			continue
		}
		if !output {
			continue
		}
		changed := append([]string{}, lines...)
		changed[i] = strings.Replace(line, "e", "x", 1)
		got, _, err := scenario.Run(strings.Join(changed, "\n"))
		require.NoError(t, err)
		require.Equal(t, string(text), got,
			"the output is what happens, whatever was written there")
		require.NotEqual(t, strings.Join(changed, "\n"), got, line)
	}
}

// TestAScriptRunsAgain holds that what a test writes down does the same again.
func TestAScriptRunsAgain(t *testing.T) {
	var s scenario.Script
	s.At(scenario.Morning)
	s.Policy(scenario.Workspace, convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}})
	riya := convo.ToAddress(scenario.Workspace, "sms", "+1")
	s.Do(riya, convo.Receive{ExternalID: "m 1", Body: "My \"order\"\n=broken"},
		convo.Note{By: agentAna, Attachments: []byte(`["a b"]`)})
	d := openDesk(t)
	r := d.do(riya, convo.Receive{Body: "hi"})
	s.Saw(r.Events)
	s.At(scenario.Morning.Add(90e9))
	s.Do(convo.ToConversation(scenario.Workspace, r.Conversation.ID),
		convo.SetPending{By: agentAna, Until: scenario.Morning.Add(3600e9)})
	s.Merge(convo.Merge{Workspace: scenario.Workspace, Primary: "a", Secondary: "b", By: agentAna})
	s.Tick()
	s.Erase(convo.Erase{Workspace: scenario.Workspace, Contact: "c", By: agentAna})
	s.Prune(convo.Retention{Texts: convo.MinRetention})
	out, did, err := scenario.Run(s.String())
	require.NoError(t, err, s.String())
	require.Len(t, did, 1)
	assert.Equal(t, convo.OutcomePending, did[0].Outcome)
	assert.Contains(t, out,
		`1.2 09:00:00 message_received by contact:contact-1 address=+1 body="My \"order\"\n=broken"`)
	assert.Contains(t, out, "until=\"2026-03-02 10:00:00\"")
	assert.Equal(t, 2, strings.Count(out, "refused, not_found"))
	assert.Contains(t, out, "\nprune 24h0m0s 0s 0s\n----\n0 texts, 0 conversations, 0 keys\n")
}
