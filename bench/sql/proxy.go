package main

import (
	"net"
	"sync"
	"time"
)

// proxy stands in front of a server and counts round trips: how often a client speaks after the
// server has spoken. Each takes so much longer, as if the server stood further away.
type proxy struct {
	net.Listener
	server string
	delay  time.Duration

	mu       sync.Mutex
	trips    int
	answered map[net.Conn]bool // whether the server spoke last, by the client's connection
}

func newProxy(server string, delay time.Duration) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{Listener: l, server: server, delay: delay, answered: map[net.Conn]bool{}}
	go p.serve()
	return p, nil
}

// count is how many round trips there were since the last count.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.trips
	p.trips = 0
	return n
}

func (p *proxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.spoke(client, true)
		go p.pass(client, server, client, false)
		go p.pass(server, client, client, true)
	}
}

// pass hands on what one side says, until one of them hangs up.
func (p *proxy) pass(from, to, client net.Conn, answer bool) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if p.spoke(client, answer) && p.delay > 0 {
				time.Sleep(p.delay)
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// spoke reports whether a round trip has begun.
func (p *proxy) spoke(client net.Conn, answer bool) (trip bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if trip = !answer && p.answered[client]; trip {
		p.trips++
	}
	p.answered[client] = answer
	return trip
}
