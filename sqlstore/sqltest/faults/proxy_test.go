package faults_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cut is a way to lose a connection around one request. A client cannot tell them apart.
type cut string

const (
	none   cut = ""
	before cut = "before the request" // the server never sees it
	late   cut = "before the request, which arrives all the same, when the client has given up"
	sent   cut = "while the server works on it"
	after  cut = "between the server's answer and the client"
	within cut = "in the middle of the answer"
	away   cut = "while nobody got through"
)

var cuts = []cut{before, late, sent, after, within}

const (
	// A request that may commit is cut one time in …, any other one time in ….
	commits, others = 12, 300
	// After one cut in … nobody gets through for a while, so that reading back what came of a
	// commit fails, too.
	outages = 3
)

// proxy leads to a server, and cuts connections at random: above all around commits.
type proxy struct {
	listener net.Listener
	server   string
	calm     atomic.Bool  // nothing is cut anymore
	outage   atomic.Int64 // until when nobody gets through, in nanoseconds since 1970
	open     sync.WaitGroup

	mu     sync.Mutex
	counts map[cut]int
}

func startProxy(t *testing.T, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, server: server, counts: map[cut]int{}}
	p.open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.open.Go(func() { p.lead(client.(*net.TCPConn)) })
		}
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// stop returns when no request is on its way anymore. All clients must be gone.
func (p *proxy) stop() {
	_ = p.listener.Close()
	p.open.Wait()
}

// lead passes on what a client and the server say, until one of them has no more to say, or the
// first cut.
func (p *proxy) lead(client *net.TCPConn) {
	defer lose(client)
	if p.out() {
		return
	}
	conn, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer lose(server)

	var planned atomic.Pointer[cut] // what becomes of the next answer
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		defer lose(client)
		passOn(server, client, func(answer []byte) bool {
			switch c := planned.Load(); {
			case c == nil:
				return true
			case *c == within && len(answer) > 1:
				_, _ = client.Write(answer[:1+rand.N(len(answer)-1)])
			}
			return false
		})
	}()
	passOn(client, server, func(request []byte) bool {
		c := p.plan(request)
		switch c {
		case none:
			return true
		case late:
			lose(client)
			time.Sleep(rand.N(20 * time.Millisecond))
			fallthrough
		case sent, after, within:
			planned.Store(&c)
			_, _ = server.Write(request)
		}
		if c == sent {
			lose(client)
		}
		if c != before && c != away { // the server is to answer
			_ = server.SetReadDeadline(time.Now().Add(2 * time.Second))
			<-answers
		}
		return false
	})
	lose(server)
	<-answers
}

// passOn passes on what from says to to, as long as f agrees.
func passOn(from, to *net.TCPConn, f func([]byte) bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !f(buf[:n]) || err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// lose closes a connection, half of the time so that the other side sees an error and not an end.
func lose(c *net.TCPConn) {
	if rand.N(2) == 0 {
		_ = c.SetLinger(0)
	}
	_ = c.Close()
}

// plan says what becomes of a request.
func (p *proxy) plan(request []byte) cut {
	odds := others
	if mayCommit(request) {
		odds = commits
	}
	c := away
	if !p.out() {
		if p.calm.Load() || rand.N(odds) > 0 {
			return none
		}
		c = cuts[rand.N(len(cuts))]
		if rand.N(outages) == 0 {
			p.outage.Store(time.Now().Add(rand.N(10 * time.Millisecond)).UnixNano())
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[c]++
	return c
}

func (p *proxy) out() bool { return !p.calm.Load() && time.Now().UnixNano() < p.outage.Load() }

// mayCommit reports whether a request says so, or is long, as one is that carries all that a commit
// writes.
func mayCommit(request []byte) bool {
	return len(request) > 400 || len(request) < 100 &&
		bytes.Contains(bytes.ToLower(request), []byte("commit"))
}

// String says how many connections were cut, and how.
func (p *proxy) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(p.counts)) {
		n += p.counts[c]
		parts = append(parts, fmt.Sprintf("%d %s", p.counts[c], c))
	}
	return fmt.Sprintf("%d cuts (%s)", n, strings.Join(parts, "; "))
}
