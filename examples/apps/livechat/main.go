// Livechat is a website's live chat on convo: a widget for visitors and an inbox for agents, in one
// small server.
//
//	go run ./examples/apps/livechat
//
// A visitor's first message opens a conversation, and a flow of questions greets them. Agents
// reply, leave notes, assign, set aside until a time, and close with a category and a summary. A
// closed conversation takes no messages: the visitor sees a notice and may restart it, which plays
// the flow again from its beginning, or an agent reopens it, and the visitor is told. All of that
// is convo.LiveChatPolicy, and the numbers of the agents' dashboard are package report's; this
// program adds pages, accounts, and live updates, which come out of the feed of package relay. What
// nudges visitors watches the events of its own engine: run one process for one database.
//
// Agents see lists by last activity or by who has waited longest, page by page, find contacts by
// name or address, and see what is new to them. They take conversations, label, prioritize and move
// them, merge contacts and undo that, and block who must not write. What is half written stays in
// their browser.
//
// Nobody is forgotten: a visitor who does not answer is nudged, and the conversation closed with a
// farewell; an agent who does not answer loses it again; first responses and resolutions have times
// that they are due by. Agents list what runs out next. Those are convo's deadlines, and --patience
// says how long they are. Once a conversation is closed, its visitor may rate it.
//
// It speaks plain HTTP, on the loopback interface unless told otherwise. Before others may reach
// it, put TLS in front, on the same machine, and mark its cookies Secure. What is in front must add
// who its client is to X-Forwarded-For: limits of signing in are by client.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/examples/apps/internal/database"
	"github.com/chatlifecycle/convo/relay"
)

const usage = `Usage: livechat [--listen HOST:PORT] [--db DATABASE] [--secrets FILE]
                [--patience DURATION]
                [--agent NAME@WORKSPACE]... [--reset NAME@WORKSPACE]...

Serves a website with a chat widget, and the agents' inbox, until it is interrupted. The first start
makes the agents' accounts, prints their passwords once, and keeps only hashes of them, together
with the key that signs the visitors' tokens, in the file of --secrets. Set CONVO_LIVECHAT_PASSWORD
to choose the password of accounts that are made.

Agents see the visitors of their own workspace and nobody else's.

A password that was lost cannot be shown again. End the server, and start it once with
--reset NAME@WORKSPACE: that account gets another password, which is printed, and its sessions end.

Flags:
`

const databaseUsage = "keep conversations in this `database`: the path of a SQLite file, " +
	"postgres://user@host/db, or user@tcp(host:port)/db for MariaDB; it is created or brought up " +
	"to date as needed; empty: in memory, gone at the end"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

type options struct {
	listen, db, secrets string
	agents, resets      []string
	password            string // of accounts that are made; empty: a random one each
	patience            time.Duration
}

// run returns the exit status: 1 when it failed, 2 when it was called wrongly.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("livechat", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080",
		"listen on this `address`; port 0 takes a free one")
	flags.StringVar(&o.db, "db", "livechat.sqlite", databaseUsage)
	flags.StringVar(&o.secrets, "secrets", "livechat.secrets.json",
		"keep password hashes and the signing key in this `file`; "+
			"empty: in memory, gone at the end")
	flags.DurationVar(&o.patience, "patience", usualPatience,
		"after this `duration` an answer is due, and a visitor who does not answer is nudged; "+
			"after twice as long, an agent loses the conversation, and a visitor's is closed; "+
			"after 12 times as long, all is to be done")
	flags.Func("agent", "make an account for `NAME@WORKSPACE` if there is none; may be repeated "+
		"(default: ana@kettles and ben@kettles, when there are no accounts)", func(s string) error {
		o.agents = append(o.agents, s)
		return nil
	})
	flags.Func("reset", "give the account `NAME@WORKSPACE` another password, and print it; may be "+
		"repeated", func(s string) error {
		o.resets = append(o.resets, s)
		return nil
	})
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintln(stderr, "livechat: takes flags only; --help tells more")
		return 2
	}
	if o.patience < leastPatience || o.patience > mostPatience {
		fmt.Fprintf(stderr, "livechat: --patience must be from %v to %v\n", leastPatience,
			mostPatience)
		return 2
	}
	o.password = os.Getenv("CONVO_LIVECHAT_PASSWORD")
	if err := serve(ctx, o, stdout, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		fmt.Fprintln(stderr, "livechat:", err)
		return 1
	}
	return 0
}

// serve runs the server until ctx is done, and then ends it in order: no new requests, the running
// ones finished, timers stopped, the store closed, and the summary printed.
func serve(ctx context.Context, o options, out io.Writer, log *slog.Logger) (err error) {
	keep, made, err := openSecrets(o.secrets, o.agents, o.password)
	if err != nil {
		return err
	}
	for _, agent := range o.resets {
		a, err := keep.reset(agent, o.password)
		if err != nil {
			return err
		}
		made = append(made, a)
	}
	store, closeStore, err := database.OpenFeeding(ctx, o.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	feed, err := relay.NewFeed(store, relay.WithFeedLogger(log))
	if err != nil {
		return err
	}
	// All that it does is to fill the feed.
	filler, err := relay.New(store, relay.NoTargets, relay.WithFeed(feed), relay.WithLogger(log))
	if err != nil {
		return err
	}
	live, counts := newHub(feed, log), &tally{}
	nudge := &nudges{now: time.Now, log: log}
	engine, err := convo.New(store, convo.WithPolicy(policy(o.patience)), convo.WithLogger(log),
		convo.WithObserver(func(context.Context, []convo.Event) { filler.Wake() }),
		convo.WithObserver(counts.observe), convo.WithObserver(nudge.observe))
	if err != nil {
		return err
	}
	nudge.engine = engine
	for _, workspace := range keep.workspaces() { // --patience may be another one now
		if _, err := engine.Rearm(ctx, workspace); err != nil {
			return err
		}
	}

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           newServer(engine, store, time.Now, keep, live, log),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(live.close) // event streams would else hold the shutdown up
	if len(made) > 0 {
		if err := keep.write(); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	hello(out, "http://"+listener.Addr().String(), made)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { _ = engine.Run(ctx, 0) }) // until ctx ends; it logs what fails
	running.Go(func() { _ = filler.Run(ctx) })    // as well
	jobs := relay.Runner{Jobs: []relay.Job{relay.PruneFeedJob(store, kept)}, Logger: log}
	running.Go(func() { _ = jobs.Run(ctx) }) // as well
	running.Go(func() { rollUp(ctx, store, time.Tick(time.Minute), log) })
	failed := make(chan error, 1)
	running.Go(func() { failed <- server.Serve(listener) })
	select {
	case err = <-failed:
	case <-ctx.Done():
		patience, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		err = server.Shutdown(patience)
		done()
	}
	cancel()
	running.Wait()
	counts.print(out)
	return err
}

// policy is Insent's way. A closing must say what the conversation was about.
func policy(patience time.Duration) convo.Policy {
	p := convo.LiveChatPolicy()
	p.Category, p.Categories = convo.RuleRequired, categories
	p.MaxBody, p.MaxSummary = maxBody, maxSummary
	p.Deadlines = deadlines(patience)
	return p
}

var categories = []string{"General Inquiry", "Sales", "Support"}

// rollUp keeps reports quick, where the store has something to do for that: at once, and then in
// turns.
func rollUp(ctx context.Context, store convo.Store, turns <-chan time.Time, log *slog.Logger) {
	s, ok := store.(interface {
		Rollup(ctx context.Context, limit int) (n int, more bool, err error)
	})
	if !ok {
		return
	}
	for {
		_, more, err := s.Rollup(ctx, 0)
		if err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "rollups", "error", err)
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-turns:
		}
	}
}

// kept is how long the feed goes back: a page that was away for longer fetches all.
const kept = time.Hour

func hello(out io.Writer, url string, made []account) {
	fmt.Fprintf(out, "Visitors  %s/\nAgents    %s/inbox\n", url, url)
	if len(made) > 0 {
		fmt.Fprintln(out, "\nNew passwords, which are shown only now:")
		for _, a := range made {
			fmt.Fprintf(out, "  %s@%s  %s\n", a.Name, a.Workspace, a.password)
		}
	}
	fmt.Fprintln(out, "\nCtrl+C ends it.")
}

// tally counts what happened while the server ran.
type tally struct {
	mu     sync.Mutex
	counts map[convo.EventKind]int
}

func (t *tally) observe(_ context.Context, events []convo.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[convo.EventKind]int{}
	}
	for _, e := range events {
		t.counts[e.Kind]++
	}
}

func (t *tally) print(out io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, line := range []struct {
		kind convo.EventKind
		text string
	}{
		{convo.ConversationOpened, "conversations opened"},
		{convo.ConversationClosed, "closed"},
		{convo.ConversationReopened, "reopened or restarted"},
		{convo.MessageReceived, "messages from visitors"},
		{convo.MessageSent, "messages to visitors"},
		{convo.DeadlinePassed, "deadlines that passed"},
		{convo.ConversationRated, "ratings"},
		{convo.ContactMerged, "contacts merged"},
	} {
		fmt.Fprintf(&b, "  %4d  %s\n", t.counts[line.kind], line.text)
	}
	fmt.Fprintf(out, "\nSince the start\n%s", b.String())
}
