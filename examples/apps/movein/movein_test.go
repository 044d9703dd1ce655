package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/eventlog"
	"github.com/chatlifecycle/convo/memstore"
)

const noon = "2025-03-03 12:00:00Z"

func defaultColumns(t testing.TB) *eventlog.Mapping {
	m, err := eventlog.ReadMapping("")
	require.NoError(t, err)
	return m
}

// allCommands maps an activity for every command.
func allCommands(t testing.TB) *eventlog.Mapping {
	m := defaultColumns(t)
	m.Activities["Mail in"], m.Activities["Mail out"], m.Activities["Remark"] =
		convo.CommandReceive, convo.CommandSend, convo.CommandNote
	return m
}

func newEngine(t testing.TB) *convo.Engine {
	engine, err := convo.New(memstore.New())
	require.NoError(t, err)
	return engine
}

// importLog imports lines without header.
func importLog(t testing.TB, engine *convo.Engine, lines ...string) figures {
	t.Helper()
	log := header + strings.Join(lines, "\n")
	m := allCommands(t)
	maps.DeleteFunc(m.Activities, func(activity string, _ convo.CommandName) bool {
		return !strings.Contains(log, ","+activity+",")
	})
	counts, err := eventlog.Import(t.Context(), engine, defaultWorkspace, "log",
		strings.NewReader(log), m, io.Discard)
	require.NoError(t, err)
	f, err := measure(t.Context(), engine, defaultWorkspace, counts)
	require.NoError(t, err)
	return f
}

// events is the log of a case as the library has it: time, what happened, who did it.
func events(t testing.TB, engine *convo.Engine, caseID string) []string {
	t.Helper()
	history, err := engine.History(t.Context(), convo.ToContact(defaultWorkspace, caseID),
		convo.EventCursor{}, convo.MaxPageSize)
	require.NoError(t, err)
	var out []string
	for _, e := range history {
		s := e.At.Format("15:04 ") + e.Kind.String() + " " + string(e.By.Type)
		for _, more := range []string{e.By.ID, string(e.Source), e.Row().Assignee, e.Row().Body} {
			if more != "" {
				s += " " + more
			}
		}
		out = append(out, s)
	}
	return out
}

func TestTheRulesOfTheImport(t *testing.T) {
	for _, c := range []struct {
		name    string
		lines   []string
		events  []string
		applied int // the others are unchanged or ignored
	}{
		{"the first activity opens", []string{
			"c,Look,ana,2025-03-03 09:00:00Z",
		}, []string{
			"09:00 conversation_opened user ana import",
			"09:00 note_added user ana Look",
		}, 1},
		{"an opening is only that", []string{
			"c,Insert ticket,ana,2025-03-03 09:00:00Z",
			"c,Insert ticket,ana,2025-03-03 09:01:00Z",
		}, []string{
			"09:00 conversation_opened user ana import",
		}, 1},
		{"a case may begin with its closing", []string{
			"c,Closed,ana,2025-03-03 09:00:00Z",
		}, []string{
			"09:00 conversation_opened user ana import",
			"09:00 conversation_closed user ana import",
		}, 1},
		{"nobody is automation", []string{
			"c,Look,,2025-03-03 09:00:00Z",
		}, []string{
			"09:00 conversation_opened automation import",
			"09:00 note_added automation Look",
		}, 1},
		{"taking in charge assigns", []string{
			"c,Take in charge ticket,ana,2025-03-03 09:00:00Z",
			"c,Take in charge ticket,ana,2025-03-03 09:01:00Z",
			"c,Take in charge ticket,ben,2025-03-03 09:02:00Z",
			"c,Take in charge ticket,,2025-03-03 09:03:00Z",
		}, []string{
			"09:00 conversation_opened user ana import",
			"09:00 conversation_assigned user ana ana",
			"09:02 conversation_assigned user ben ben",
			"09:03 conversation_assigned automation",
		}, 3},
		{"what follows a waiting resumes", []string{
			"c,Insert ticket,ana,2025-03-03 09:00:00Z",
			"c,Wait,ana,2025-03-03 09:01:00Z",
			"c,Wait,ben,2025-03-03 09:02:00Z",
			"c,Look,ana,2025-03-03 09:03:00Z",
			"c,Wait,ana,2025-03-03 09:04:00Z",
			"c,Insert ticket,ana,2025-03-03 09:05:00Z",
			"c,Wait,ana,2025-03-03 09:06:00Z",
			"c,Closed,ana,2025-03-03 09:07:00Z",
		}, []string{
			"09:00 conversation_opened user ana import",
			"09:01 conversation_pending user ana",
			"09:03 conversation_resumed user ana import",
			"09:03 note_added user ana Look",
			"09:04 conversation_pending user ana",
			"09:05 conversation_resumed user ana import",
			"09:06 conversation_pending user ana",
			"09:07 conversation_resumed user ana import",
			"09:07 conversation_closed user ana import",
		}, 7},
		{"what follows a closing reopens, but no closing", []string{
			"c,Insert ticket,ana,2025-03-03 09:00:00Z",
			"c,Closed,ana,2025-03-03 09:01:00Z",
			"c,Closed,ana,2025-03-03 09:02:00Z",
			"c,Closed,ben,2025-03-03 09:03:00Z",
			"c,Wait,ben,2025-03-03 09:04:00Z",
			"c,Closed,ben,2025-03-03 09:05:00Z",
			"c,Insert ticket,ben,2025-03-03 09:06:00Z",
			"c,Closed,ben,2025-03-03 09:07:00Z",
			"c,Mail in,ben,2025-03-03 09:08:00Z",
		}, []string{
			"09:00 conversation_opened user ana import",
			"09:01 conversation_closed user ana import",
			"09:04 conversation_reopened user ben import",
			"09:04 conversation_pending user ben",
			"09:05 conversation_resumed user ben import",
			"09:05 conversation_closed user ben import",
			"09:06 conversation_reopened user ben import",
			"09:07 conversation_closed user ben import",
			"09:08 conversation_reopened contact c import",
			"09:08 message_received contact c Mail in",
		}, 7},
		{"messages and remarks", []string{
			"c,Mail in,ana,2025-03-03 09:00:00Z",
			"c,Mail out,ana,2025-03-03 09:01:00Z",
			"c,Mail out,,2025-03-03 09:02:00Z",
			"c,Remark,ana,2025-03-03 09:03:00Z",
		}, []string{
			"09:00 conversation_opened contact c import",
			"09:00 message_received contact c Mail in",
			"09:01 message_sent user ana Mail out",
			"09:02 message_sent automation Mail out",
			"09:03 note_added user ana Remark",
		}, 4},
		{"order is by time, then by the file", []string{
			"c,Third,ana,2025-03-03 09:01:00Z",
			"d,Closed,ana,2025-03-03 08:00:00Z",
			"c,Second,ana,2025-03-03 10:00:00+01:00",
			"c,Fourth,ana,2025-03-03 09:01:00Z",
			"c,First,ana,2025-03-03 08:59:59.9Z",
		}, []string{
			"08:59 conversation_opened user ana import",
			"08:59 note_added user ana First",
			"09:00 note_added user ana Second",
			"09:01 note_added user ana Third",
			"09:01 note_added user ana Fourth",
		}, 5},
	} {
		engine := newEngine(t)
		f := importLog(t, engine, c.lines...)
		assert.Equal(t, c.events, events(t, engine, "c"), c.name)
		assert.Equal(t, c.applied, f.Applied, c.name)
		assert.Equal(t, len(c.lines), f.Applied+f.Unchanged+f.IgnoredClosings, c.name)
	}
}

// story is the log of three cases with all that can happen, in order.
var story = []string{
	"a,Insert ticket,ana,2025-03-03 09:00:00Z",
	"b,Take in charge ticket,ben,2025-03-03 09:00:00Z",
	"a,Wait,ana,2025-03-03 09:05:00Z",
	"b,Closed,ben,2025-03-03 09:10:30Z",
	"a,Wait,ben,2025-03-03 09:15:00Z",
	"c,Mail in,,2025-03-03 09:17:00Z",
	"a,Closed,ana,2025-03-03 09:20:00Z",
	"b,Closed,ana,2025-03-03 09:25:00Z",
	"b,Look,ana,2025-03-03 09:30:00Z",
	"c,Wait,cleo,2025-03-03 09:40:00Z",
	"b,Closed,ana,2025-03-04 09:30:00Z",
}

func TestShuffledRowsGiveTheSameFigures(t *testing.T) {
	want := importLog(t, newEngine(t), story...)
	require.Equal(t, 1, want.IgnoredClosings)
	require.Equal(t, spread{29410, 1200, 69360}, want.Resolution, "of 630 s, 1200 s and 86400 s")
	rng := rand.New(rand.NewPCG(1, 2))
	shuffled := append([]string(nil), story...)
	for range 50 {
		rng.Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j],
				shuffled[i]
		})
		require.Equal(t, want, importLog(t, newEngine(t), shuffled...),
			strings.Join(shuffled, "\n"))
	}
}

func TestALogImportedInPartsIsImportedOnce(t *testing.T) {
	whole := newEngine(t)
	want := importLog(t, whole, story...)
	for n := range len(story) + 1 {
		engine := newEngine(t)
		first := importLog(t, engine, story[:n]...)
		f := importLog(t, engine, story...)
		require.Equal(t, first.Applied+first.Unchanged, f.Repeated, n)
		require.Equal(t, want.Applied+want.Unchanged, f.Repeated+f.Applied+f.Unchanged, n)
		for kind, events := range want.Events {
			require.Equal(t, events, first.Events[kind]+f.Events[kind], n)
		}
		for _, c := range []string{"a", "b", "c"} {
			require.Equal(t, events(t, whole, c), events(t, engine, c), n)
		}
	}
}

func TestACaseIDMayBeAsLongAsAnIDMayBe(t *testing.T) {
	engine := newEngine(t)
	long := strings.Repeat("ž", convo.MaxID/2)
	importLog(t, engine, long+",Closed,"+long+","+noon)
	assert.Len(t, events(t, engine, long), 2)
}

func TestWhatTheEngineRefusesIsReturnedWithTheLine(t *testing.T) {
	m := defaultColumns(t)
	m.Columns["body"] = "text"
	m.Activities = map[string]convo.CommandName{"Closed": convo.CommandClose}
	const columns = "case:concept:name,Activity,Resource,time:timestamp,text\n"
	short, err := convo.New(memstore.New(), convo.WithPolicy(convo.Policy{MaxBody: 10}))
	require.NoError(t, err)
	for rows, problem := range map[string]string{
		// A text is too long for all; for this engine, in a case that goes on, and in an ended one.
		"c,Closed,ana,2025-03-03 09:00:00Z,\nc,Look,ana,2025-03-03 09:01:00Z," +
			strings.Repeat("x", 64<<10+1): "\nline 3: case c: convo: body: must be at most 65536",
		"d,Closed,ana,2025-03-03 09:00:00Z,\nc,Look,ana,2025-03-03 09:01:00Z,more than ten": "log: " +
			"line 3: case c: convo: body: must be at most 10 bytes",
		"d,Look,ana,2025-03-03 09:00:00Z,\nc,Look,ana,2025-03-03 09:01:00Z,more than ten\n" +
			"c,Closed,ana,2025-03-03 09:02:00Z,": "log: line 3: case c: convo: body: must be",
	} {
		_, err := eventlog.Import(t.Context(), short, defaultWorkspace, "log",
			strings.NewReader(columns+rows), m, io.Discard)
		assert.ErrorContains(t, err, problem)
	}
}

func TestFiguresAreOfAllPages(t *testing.T) {
	var lines []string
	for i := range convo.MaxPageSize + 1 {
		lines = append(lines, fmt.Sprintf("Case%d,Look,ana,%s", i, noon))
	}
	assert.Equal(t, len(lines), importLog(t, newEngine(t), lines...).StillOpen)
}

func TestFiguresAreReadWholeOrNotAtAll(t *testing.T) {
	store := memstore.New()
	engine, err := convo.New(store)
	require.NoError(t, err)
	importLog(t, engine, story...)
	for _, s := range []convo.Store{failing{Store: store, list: errBroken},
		failing{Store: store, get: errBroken}} {
		engine, err := convo.New(s)
		require.NoError(t, err)
		f, err := measure(t.Context(), engine, defaultWorkspace, eventlog.Tally{Rows: 1})
		assert.ErrorIs(t, err, errBroken)
		assert.Zero(t, f)
	}
}

var errBroken = errors.New("broken")

// failing is a store that fails to list or to get conversations.
type failing struct {
	convo.Store
	list, get error
}

func (s failing) Conversations(ctx context.Context, f convo.Filter) ([]convo.Conversation, error) {
	if s.list != nil {
		return nil, s.list
	}
	return s.Store.Conversations(ctx, f)
}

func (s failing) Conversation(ctx context.Context, workspace string,
	id uuid.UUID) (convo.Conversation, error) {
	if s.get != nil {
		return convo.Conversation{}, s.get
	}
	return s.Store.Conversation(ctx, defaultWorkspace, id)
}

func TestDurationsAreShortForPeople(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0s", 0.999: "0s", 59.9: "59s", 60: "1m 0s", 3599: "59m 59s", 3600: "1h 0m",
		86399: "23h 59m", 86400: "1d 0h",
		40.99 * 86400: "40d 23h",
	} {
		assert.Equal(t, want, human(seconds))
	}
}
