package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// running is the program as a user runs it.
type running struct {
	url       string
	passwords map[string]string // of new accounts
	stop      func() (status int, rest string)
	log       *logs
}

func start(t *testing.T, args ...string) running {
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	r := running{passwords: map[string]string{}, log: &logs{}}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), stdout, r.log)
		stdout.Close()
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl+C") {
		if m := regexp.MustCompile(`^Visitors +(http://.*)/$`).FindStringSubmatch(lines.Text()); m != nil {
			r.url = m[1]
		}
		if m := regexp.MustCompile(`^  (\S+@\S+)  (\S+)$`).FindStringSubmatch(lines.Text()); m != nil {
			r.passwords[m[1]] = m[2]
		}
	}
	require.NotEmpty(t, r.url, r.log)
	rest := make(chan string, 1)
	go func() {
		var b strings.Builder
		for lines.Scan() {
			b.WriteString(lines.Text() + "\n")
		}
		rest <- b.String()
	}()
	r.stop = func() (int, string) {
		cancel()
		return <-ended, <-rest
	}
	t.Cleanup(cancel)
	return r
}

func TestTheProgramStartsServesAndEnds(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		dir := t.TempDir()
		db := testdb.Create(t, e).DSN
		if e == testdb.SQLite {
			db = filepath.Join(dir, "livechat.sqlite")
		}
		file := filepath.Join(dir, "secrets.json")
		first := start(t, "--db", db, "--secrets", file)
		require.Len(t, first.passwords, 2)
		w := &world{t: t, url: first.url, keep: readSecrets(t, file)}
		riya := w.visitor("kettles")
		riya.says("Hi")
		token := riya.cookie(visitorCookie)

		// A page that listens does not hold the end up.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		changes := riya.changes(ctx, "/events")
		<-changes
		status, rest := first.stop()
		require.Zero(t, status, first.log)
		for range changes {
			// until the end
		}
		require.Contains(t, rest, "1  conversations opened")
		require.Contains(t, rest, "1  messages from visitors")

		second := start(t, "--db", db, "--secrets", file)
		require.Empty(t, second.passwords, "they are printed once")
		again := &world{t: t, url: second.url}
		c := again.client()
		c.base = "/w/kettles"
		require.Contains(t, c.do(http.MethodGet, "/thread", nil, "Cookie",
			visitorCookie+"="+token).body, "Hi")
		status, _ = second.stop()
		require.Zero(t, status, second.log)
		for _, log := range []*logs{first.log, second.log} {
			require.NotContains(t, log.String(), token)
		}
		for _, p := range first.passwords {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NotContains(t, string(data), p, "only hashes are kept")
		}
	})
}

func readSecrets(t *testing.T, file string) *secrets {
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	s := &secrets{}
	require.NoError(t, json.Unmarshal(data, s))
	return s
}

func TestWrongCallsSayWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte("{"), 0o600))
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{0, "Usage: livechat", []string{"--help"}},
		{0, "A password that was lost", []string{"--help"}},
		{1, "there is no account", []string{"--secrets", "", "--db", "", "--reset", "max@kettles"}},
		{2, "flag provided but not defined", []string{"--nothing"}},
		{2, "takes flags only", []string{"kettles"}},
		{2, "--patience must be from 1s", []string{"--patience", "0"}},
		{2, "--patience must be from 1s", []string{"--patience", "721h"}},
		{2, "invalid value", []string{"--patience", "soon"}},
		{1, "NAME@WORKSPACE", []string{"--secrets", "", "--db", "", "--agent", "ana"}},
		{1, "NAME@WORKSPACE", []string{"--secrets", "", "--db", "", "--agent", "Ana@kettles"}},
		{1, "broken.json", []string{"--secrets", broken, "--db", ""}},
		{1, "no such file", []string{"--secrets", filepath.Join(dir, "none", "s.json"), "--db", "",
			"--listen", "127.0.0.1:0"}},
		{1, "livechat:", []string{"--secrets", "", "--db", filepath.Join(dir, "none", "a.sqlite")}},
		{1, "listen", []string{"--secrets", "", "--db", "", "--listen", "127.0.0.1:99999"}},
	} {
		var out, log strings.Builder
		require.Equal(t, c.status, run(t.Context(), c.args, &out, &log), c.args)
		require.Contains(t, log.String(), c.says, c.args)
	}
	// A start that fails shows no passwords, so it keeps no accounts.
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	file := filepath.Join(dir, "secrets.json")
	args := []string{"--secrets", file, "--db", "", "--listen", taken.Addr().String()}
	require.Equal(t, 1, run(t.Context(), args, io.Discard, io.Discard))
	require.NoFileExists(t, file)

	t.Setenv("CONVO_LIVECHAT_PASSWORD", "short")
	var out, log strings.Builder
	require.Equal(t, 1, run(t.Context(), []string{"--secrets", "", "--db", ""}, &out, &log))
	require.Contains(t, log.String(), "a password has 12 to 200 bytes")
	require.NotContains(t, log.String(), "short")
}

func TestTheFlowFollowsTheLog(t *testing.T) {
	id := uuid.New()
	event := func(kind convo.EventKind, by convo.Actor) convo.Event {
		r := convo.EventRow{Conversation: id, Kind: kind, By: by, Body: "text"}
		return r.Event()
	}
	opened, received := event(convo.ConversationOpened,
		convo.ByContact()), event(convo.MessageReceived, convo.ByContact())
	asked, answered := event(convo.MessageSent, flowBot), event(convo.MessageSent,
		convo.ByUser("ana"))
	restarted := event(convo.ConversationReopened, convo.ByContact())
	restarted.Payload = &convo.Opening{RestartFlow: true}
	reopened := event(convo.ConversationReopened, convo.ByUser("ana"))
	for name, c := range map[string]struct {
		events []convo.Event
		asked  int
		due    bool
	}{
		"nothing":            {nil, 0, false},
		"a new conversation": {[]convo.Event{opened, received}, 0, true},
		"asked":              {[]convo.Event{opened, received, asked}, 1, false},
		"answered":           {[]convo.Event{opened, received, asked, received}, 1, true},
		"a human": {[]convo.Event{opened, received, asked, answered, received}, 1,
			false},
		"restarted": {[]convo.Event{opened, received, asked, answered, restarted}, 0,
			true},
		"reopened by an agent": {[]convo.Event{opened, received, asked, answered, reopened,
			received}, 1, false},
		"done": {[]convo.Event{opened, received, asked, received, asked, received,
			asked, received}, 3, false},
		"begun out of sight": {[]convo.Event{received, received}, 0, false},
	} {
		p := follow(c.events)
		require.Equal(t, c.asked, p.asked, name)
		require.Equal(t, c.due, p.due, name)
	}
}
