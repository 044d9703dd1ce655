package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/sqlstore"
)

const soakVariable = "CONVO_TEST_SOAKER" // a soaker, as JSON

// perishable is the workspace in which everything happens a day ago, less a moment: so it is pruned
// a moment later. There, contacts are erased as well. In the other workspace nothing ever goes.
const perishable = "perishable"

const (
	soakProcesses = 8
	soakPace      = 100 * time.Millisecond // of a caller, between two calls
	soakSpell     = 5 * time.Second        // for so long, calls are about the same contacts
	soakMoment    = 2 * time.Second
	soakLease     = 5 * time.Second // of relays: for so long waits what a killed one had in hand
	// soakPatience is a pragma of SQLite, which lets a new one go before those that wait.
	soakPatience = "busy_timeout = 60000"
)

// soakRetention is for how long what is perishable is kept.
var soakRetention = convo.Retention{
	Texts: convo.MinRetention, Conversations: convo.MinRetention + soakMoment/2,
	Keys: convo.MinRetention + soakMoment/2,
}

// soaker is one of the processes that do everything at once.
type soaker struct {
	relaying
	Folder string // of what it tells
	Number int    // which of the processes it is
	Life   int    // how often it was started before
	Seed   uint64
	Until  time.Time

	store            *sqlstore.Store
	engine           map[string]*convo.Engine // by workspace
	out, acks        *os.File
	mu               sync.Mutex
	report           soakReport
	today, yesterday *convo.Engine
}

// soakReport is what a process has come to, and what it takes. It is a line of its file.
type soakReport struct {
	Calls             map[string]int // by outcome, or by code of error
	Pruned            convo.Pruned
	Heap              uint64 // bytes, after a collection
	Goroutines, Files int
	// Fault is an error that nobody can explain, at a time.
	Fault string    `json:",omitempty"`
	At    time.Time `json:",omitzero"`
}

// behind is a clock.
type behind time.Duration

func (b behind) Now() time.Time { return time.Now().Add(-time.Duration(b)) }

// soakEngine has a policy with work for Tick. What is perishable is closed by it, too.
func soakEngine(s convo.Store, clock behind) (*convo.Engine, error) {
	second := convo.Duration(time.Second)
	kept := convo.Policy{
		Merge: convo.MergeTransfer, Receive: convo.OnClosed{Mode: convo.OnClosedReopen},
		Deadlines: append(convo.ServiceLevel(time.Second, 2*time.Second, ""),
			convo.Deadline{Name: "nudge", After: second, Since: convo.SinceContactWaiting}),
	}
	gone := convo.Policy{
		AutoClose: convo.AutoClose{After: second, Since: convo.SinceAnyEvent},
	}
	return convo.New(s, convo.WithClock(clock), convo.WithRetries(1000),
		convo.WithPolicies(func(_ context.Context, of convo.Scope) (*convo.Policy, error) {
			if of.Workspace == perishable {
				return &gone, nil
			}
			return &kept, nil
		}))
}

// soakAsProcess does everything at once until its time is over or it is killed. It does not return.
func soakAsProcess(text string) {
	var s soaker
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = s.soak()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the soaking process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// file is a new one of this life: only its last line may be cut off.
func (s *soaker) file(kind string) (*os.File, error) {
	return os.OpenFile(filepath.Join(s.Folder, fmt.Sprintf("%s-%d-%d", kind, s.Number, s.Life)),
		os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
}

func (s *soaker) soak() (err error) {
	if s.out, err = s.file("reports"); err != nil {
		return err
	}
	if s.acks, err = s.file("acks"); err != nil {
		return err
	}
	if err = s.open(); err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.Background(), s.Until)
	defer cancel()
	var group sync.WaitGroup
	for n := range callers {
		group.Go(func() {
			c := soakCaller{
				soaker: s, number: n,
				rand: rand.New(rand.NewPCG(s.Seed, uint64(s.Number<<32+s.Life<<8+n))),
			}
			every(ctx, c.pace, c.call)
		})
	}
	jobs, err := s.jobs()
	if err != nil {
		return err
	}
	runner := relay.Runner{Jobs: jobs, Grace: 30 * time.Second, Observe: func(r relay.JobRun) {
		// Another one was faster, or the relay was slow, and had to leave off for its lease.
		slow := errors.Is(r.Err, convo.ErrConflict) || r.Job == "relay" && r.Took > soakLease/8
		late := ctx.Err() != nil && errors.Is(r.Err, context.Canceled) // SQLite waits for long
		if r.Err != nil && !slow && !late {
			s.fault("job "+r.Job, r.Err)
		}
	}}
	if err = runner.Run(ctx); errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	group.Wait()
	s.tell()
	return err
}

// open opens the store as soon as the server lets it.
func (s *soaker) open() error {
	db, err := openChild(s.From, soakPatience)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(2 * callers)
	db.SetConnMaxIdleTime(time.Second) // so that those to a server that was killed are soon gone
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	every(ctx, func() time.Duration { return 10 * time.Millisecond }, func() {
		config := sqlstore.Config{DB: db, Dialect: dialects[s.From.Engine], Outbox: true}
		if s.store, err = config.Open(ctx); err == nil {
			cancel()
		}
	})
	if err != nil {
		return err
	}
	if s.today, err = soakEngine(s.store, 0); err == nil {
		s.yesterday, err = soakEngine(s.store, behind(convo.MinRetention-soakMoment/2))
	}
	s.engine = map[string]*convo.Engine{workspace: s.today, perishable: s.yesterday}
	s.report.Calls = map[string]int{}
	return err
}

// every calls f until ctx ends, after each wait.
func every(ctx context.Context, wait func() time.Duration, f func()) {
	for timer := time.NewTimer(wait()); ; timer.Reset(wait()) {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			f()
		}
	}
}

// jobs are what a process does in the background: all of them tick, and tell what they take.
func (s *soaker) jobs() ([]relay.Job, error) {
	job := func(name string, every time.Duration, do func(context.Context) error) relay.Job {
		return relay.Job{Name: name, Every: every,
			Do: func(ctx context.Context) (bool, error) { return false, do(ctx) }}
	}
	older := relay.TickJob(s.yesterday)
	older.Name = "tick yesterday"
	jobs := []relay.Job{
		relay.TickJob(s.today), older,
		job("tell", time.Second, func(context.Context) error { s.tell(); return nil }),
	}
	does := func(numbers ...int) bool { // the one that is never killed does all
		return s.Number == 0 || slices.Contains(numbers, s.Number)
	}
	if does(1, 2) {
		of, err := relay.New(s.store, relay.To("file", &s.relaying), relay.WithLease(soakLease),
			relay.WithEvery(50*time.Millisecond))
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, of.Job())
	}
	if does(3) {
		jobs = append(jobs, job("prune", 200*time.Millisecond, s.prune))
	}
	if does(4) {
		jobs = append(jobs, relay.RollupJob(s.store, 200*time.Millisecond))
	}
	if does(5) {
		jobs = append(jobs, job("rearm", 2*time.Second, func(ctx context.Context) error {
			_, err := s.today.Rearm(ctx, workspace)
			return err
		}))
	}
	if does(6) {
		jobs = append(jobs, job("report", time.Second, func(ctx context.Context) error {
			_, err := closings(ctx, s.store)
			return err
		}))
	}
	return jobs, nil
}

// prune goes over all once.
func (s *soaker) prune(ctx context.Context) error {
	p, err := pruneAll(ctx, s.today)
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.report.Pruned, p)
	return err
}

func pruneAll(ctx context.Context, e *convo.Engine) (all convo.Pruned, err error) {
	for {
		p, err := e.Prune(ctx, soakRetention, all.Next, 0)
		add(&all, p)
		if all.Next = p.Next; err != nil || !p.More() {
			return all, err
		}
	}
}

func add(to *convo.Pruned, p convo.Pruned) {
	to.Texts += p.Texts
	to.Conversations += p.Conversations
	to.Keys += p.Keys
	to.HeldBack += p.HeldBack
}

// tell writes down what the process has come to.
func (s *soaker) tell() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Heap, s.report.Goroutines = m.HeapAlloc, runtime.NumGoroutine()
	s.report.Files = len(files)
	s.line(&s.report)
}

func (s *soaker) fault(what string, err error) {
	s.line(&soakReport{Fault: what + ": " + err.Error(), At: time.Now()})
}

// line writes a line in one piece. Who cannot must not go on.
func (s *soaker) line(r *soakReport) {
	text, err := json.Marshal(r)
	if err == nil {
		_, err = s.out.Write(append(text, '\n'))
	}
	if err != nil {
		panic(err)
	}
}

// counted counts a call by what came of it, and says whether that is an answer: else it is to be
// called again. Only the parent knows when its server was away.
func (s *soaker) counted(name string, r convo.Outcome, err error) bool {
	code := convo.Code(err)
	s.mu.Lock()
	if err == nil {
		s.report.Calls[name+" "+string(r)]++
	} else {
		s.report.Calls[code]++
	}
	s.mu.Unlock()
	switch code {
	case "other", "conflict", "commit_unknown", "transaction_lost", "deadline_exceeded":
		s.fault(name, err)
		return false
	}
	return true
}
