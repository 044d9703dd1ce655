package convo_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

func TestThePresetsAreWhatTheirProductsDo(t *testing.T) {
	assert.Equal(t, convo.Policy{}, convo.InboxPolicy(), "the default")

	w := convo.WorkflowPolicy()
	assert.Equal(t, convo.OnClosedReopen, w.Open.Mode)
	assert.Equal(t, convo.OnClosedOpenNew, w.Receive.Mode)
	assert.Equal(t, []string{"General Inquiry", "Sales", "Support"}, w.Categories)

	l := convo.LiveChatPolicy()
	assert.Equal(t, convo.OnClosedReject, l.Receive.Mode)
	assert.True(t, l.RestartFlow)
	assert.Equal(t, convo.AudienceBoth, l.Notices.Closed,
		"for the agents in the thread and for the visitor")

	for _, p := range []convo.Policy{convo.InboxPolicy(), w, l} {
		assert.NoError(t, p.Validate())
	}
	w.Categories[0] = "Other"
	assert.Equal(t, "General Inquiry", convo.WorkflowPolicy().Categories[0],
		"a preset is the caller's to change")
}

func TestAPolicyIsValidated(t *testing.T) {
	hour := convo.Duration(time.Hour)
	for _, c := range []struct {
		field  string
		policy convo.Policy
	}{
		{"open.mode", convo.Policy{Open: convo.OnClosed{Mode: "new"}}},
		{"open.mode", convo.Policy{Open: convo.OnClosed{Mode: convo.OnClosedReject}}},
		{"receive.mode", convo.Policy{Receive: convo.OnClosed{Mode: "Reopen"}}},
		{"open.window", convo.Policy{Open: convo.OnClosed{Mode: convo.OnClosedReopen, Window: -1}}},
		{"receive.window", convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen,
			Window: -hour}}},
		{"open.window", convo.Policy{Open: convo.OnClosed{Window: hour}}},
		{"receive.window", convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReject,
			Window: hour}}},
		{"category", convo.Policy{Category: "optional"}},
		{"summary", convo.Policy{Summary: "Required"}},
		{"notices.conversation_closed", convo.Policy{Notices: convo.Notices{Closed: "agents"}}},
		{"notices.conversation_reopened", convo.Policy{Notices: convo.Notices{Reopened: "all"}}},
		{"notices.conversation_restarted", convo.Policy{Notices: convo.Notices{Restarted: " "}}},
		{"auto_close.after", convo.Policy{AutoClose: convo.AutoClose{After: -1}}},
		{"auto_close.after", convo.Policy{AutoClose: convo.AutoClose{
			After: convo.Duration(convo.MinDeadline) - 1}}},
		{"auto_close.after", convo.Policy{AutoClose: convo.AutoClose{
			After: convo.Duration(convo.MaxCalendar) + 1}}},
		{"auto_close.since", convo.Policy{AutoClose: convo.AutoClose{Since: "user_message"}}},
		{"merge", convo.Policy{Merge: "close"}},
		{"max_body", convo.Policy{MaxBody: -1}},
		{"max_body", convo.Policy{MaxBody: convo.MaxTextLimit + 1}},
		{"max_attachments", convo.Policy{MaxAttachments: -1}},
		{"max_attachments", convo.Policy{MaxAttachments: convo.MaxTextLimit + 1}},
		{"max_summary", convo.Policy{MaxSummary: -1}},
		{"max_summary", convo.Policy{MaxSummary: convo.MaxTextLimit + 1}},
		{"auto_close.category", convo.Policy{AutoClose: convo.AutoClose{Category: "a\n"}}},
		{"auto_close.summary", convo.Policy{AutoClose: convo.AutoClose{Summary: strings.Repeat("x",
			8<<10+1)}}},
		{"auto_close.summary",
			convo.Policy{MaxSummary: 3, AutoClose: convo.AutoClose{Summary: "four"}}},
		{"categories[0]", convo.Policy{Categories: []string{""}}},
		{"categories[1]", convo.Policy{Categories: []string{"Sales", strings.Repeat("x", 256)}}},
	} {
		requireInvalid(t, c.field, c.policy.Validate())
		_, err := convo.New(newStore(), convo.WithPolicy(c.policy))
		requireInvalid(t, c.field, err)
	}
	all := everything()
	assert.NoError(t, all.Validate())
	limits := convo.Policy{MaxBody: convo.MaxTextLimit, MaxAttachments: convo.MaxTextLimit,
		MaxSummary: convo.MaxTextLimit}
	assert.NoError(t, limits.Validate())
}

// everything is a policy with all of it on.
func everything() convo.Policy {
	reopen := convo.OnClosed{Mode: convo.OnClosedReopen, Window: convo.Duration(90 * time.Minute)}
	return convo.Policy{
		Open: reopen, Receive: reopen, StayPending: true,
		Category: convo.RuleRequired, Categories: []string{"Sales",
			"Support"}, Summary: convo.RuleRequired, UnassignOnClose: true,
		Notices: convo.Notices{Closed: convo.AudienceBoth, Reopened: convo.AudienceContact,
			Restarted: convo.AudienceUsers},
		RestartFlow: true, CountAutomation: true,
		AutoClose: convo.AutoClose{After: convo.Duration(2 * time.Hour), Since: convo.SinceAnyEvent,
			Category: "Gone", Summary: "no answer"},
		Merge:   convo.MergeTransfer,
		MaxBody: 1 << 10, MaxAttachments: 1 << 10, MaxSummary: 1 << 10,
	}
}

func TestAPolicyIsPlainJSON(t *testing.T) {
	p := everything()
	text, err := json.Marshal(p)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"window":"1h30m"`)
	var back convo.Policy
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, p, back)

	zero, err := json.Marshal(convo.Policy{})
	require.NoError(t, err)
	assert.JSONEq(t, `{}`, string(zero))
	assert.Error(t, json.Unmarshal([]byte(`{"open":{"window":"3 days"}}`), &back))
}

// TestTheRulesForClosingsHoldOnEveryPath tries each rule on a closing and on its amendment.
func TestTheRulesForClosingsHoldOnEveryPath(t *testing.T) {
	sales := []string{"Sales", "Support"}
	for _, c := range []struct {
		name              string
		policy            convo.Policy
		category, summary string
		field             string // that is refused; empty: none
	}{
		{"optional and left out", convo.Policy{}, "", "", ""},
		{"optional and given", convo.Policy{}, "Sales", "sold", ""},
		{"category required", convo.Policy{Category: convo.RuleRequired}, "", "sold", "category"},
		{"category required and given", convo.Policy{Category: convo.RuleRequired}, "Sales", "",
			""},
		{"category disabled", convo.Policy{Category: convo.RuleDisabled}, "Sales", "", "category"},
		{"category disabled and left out", convo.Policy{Category: convo.RuleDisabled}, "", "sold",
			""},
		{"summary required", convo.Policy{Summary: convo.RuleRequired}, "Sales", "", "summary"},
		{"summary required and given", convo.Policy{Summary: convo.RuleRequired}, "", "sold", ""},
		{"summary disabled", convo.Policy{Summary: convo.RuleDisabled}, "", "sold", "summary"},
		{"summary disabled and left out", convo.Policy{Summary: convo.RuleDisabled}, "Sales", "",
			""},
		{"one of the categories", convo.Policy{Categories: sales}, "Support", "", ""},
		{"none of the categories", convo.Policy{Categories: sales}, "support", "", "category"},
		{"optional beside a list", convo.Policy{Categories: sales}, "", "", ""},
		{"required from a list", convo.Policy{Categories: sales, Category: convo.RuleRequired}, "",
			"", "category"},
		{"an empty list allows any", convo.Policy{Categories: []string{}}, "Other", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			closed := threadIn(t, convo.StateClosed)
			for _, way := range []struct {
				thread convo.Snapshot
				cmd    convo.Command
			}{
				{threadIn(t, convo.StateOpen), convo.Close{By: agentAna, Category: c.category,
					Summary: c.summary}},
				{threadIn(t, convo.StatePending), convo.Close{By: flowBot, Category: c.category,
					Summary: c.summary}},
				{threadIn(t, convo.StateOpen), convo.Close{By: flowBot,
					Source: convo.SourceDialogflow, Category: c.category, Summary: c.summary}},
				{closed, convo.AmendClosing{By: agentAna, Category: c.category,
					Summary: c.summary}},
			} {
				_, err := convo.Decide(way.thread, morning, &c.policy, way.cmd)
				if c.field == "" {
					assert.NoError(t, err, "%#v", way.cmd)
				} else {
					requireInvalid(t, c.field, err)
				}
			}
			for _, source := range []convo.Source{convo.SourceContactMerge,
				convo.SourceInactivity} {
				_, err := convo.Decide(threadIn(t, convo.StateOpen), morning, &c.policy,
					convo.Close{By: convo.BySystem(), Source: source, Category: c.category,
						Summary: c.summary})
				assert.NoError(t, err, "automatic sources are exempt")
			}
		})
	}
}

func TestOnlyTheSystemIsExemptFromTheRulesForClosings(t *testing.T) {
	p := convo.Policy{Category: convo.RuleRequired}
	for _, by := range []convo.Actor{agentAna, flowBot, visitor} {
		for _, source := range []convo.Source{convo.SourceContactMerge, convo.SourceInactivity} {
			_, err := convo.Decide(threadIn(t, convo.StateOpen), morning, &p,
				convo.Close{By: by, Source: source})
			requireInvalid(t, "category", err)
		}
	}
	_, err := convo.Decide(threadIn(t, convo.StateOpen), morning, &p,
		convo.Close{By: convo.BySystem()})
	requireInvalid(t, "category", err)
}

func TestAmendingAnAutomaticClosingFollowsTheRules(t *testing.T) {
	p := convo.Policy{Category: convo.RuleRequired}
	k := newTalk(t, p)
	k.do(convo.Open{By: agentAna}, convo.Close{By: convo.BySystem(),
		Source: convo.SourceInactivity})
	requireInvalid(t, "category", k.refuses(convo.AmendClosing{By: agentAna, Summary: "gone"}))
	k.do(convo.AmendClosing{By: agentAna, Category: "Gone"})
	assert.Equal(t, convo.SourceInactivity, k.cycle().Closing.Source)
}

func TestAnExemptClosingIsStillValidated(t *testing.T) {
	_, err := convo.Decide(threadIn(t, convo.StateOpen), morning, nil,
		convo.Close{By: convo.BySystem(), Source: convo.SourceInactivity, Category: "a\n"})
	requireInvalid(t, "category", err)
}

func TestWhatTheCategoriesAreIsInTheError(t *testing.T) {
	p := convo.WorkflowPolicy()
	_, err := convo.Decide(threadIn(t, convo.StateOpen), morning, &p,
		convo.Close{By: agentAna, Category: "Spam"})
	for _, c := range p.Categories {
		assert.ErrorContains(t, err, c)
	}
}

func TestAPolicyChangeTakesHoldWithTheNextCommand(t *testing.T) {
	k := newTalk(t, convo.InboxPolicy())
	k.do(convo.Receive{Body: "hi"}, convo.Close{By: agentAna})
	k.policy = convo.LiveChatPolicy()
	assert.ErrorIs(t, k.refuses(convo.Receive{Body: "hi"}), convo.ErrClosed)
	k.policy = convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}}
	assert.Equal(t, convo.OutcomeReopened, k.do(convo.Receive{Body: "hi"}).Outcome)
}

func TestStatusesKnowWhichAreActive(t *testing.T) {
	var active []convo.Status
	for _, s := range []convo.Status{"", convo.StatusOpen, convo.StatusPending,
		convo.StatusClosed} {
		if s.Active() {
			active = append(active, s)
		}
	}
	assert.True(t, slices.Equal([]convo.Status{convo.StatusOpen, convo.StatusPending}, active))
}
