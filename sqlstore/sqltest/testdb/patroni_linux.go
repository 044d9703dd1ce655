package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Patroni is a cluster of three nodes of PostgreSQL that a test has to itself. Patroni runs on each
// node, and they agree by etcd on who leads: who takes writes, and waits with each commit for a
// node that has it, too. No other one takes over.
type Patroni struct {
	nodes []*Server
}

// patroniNodes are as many as can lose one and still have a leader that waits for somebody.
const patroniNodes = 3

// NewPatroni starts a cluster, and skips t where Patroni or etcd is not installed: see
// scripts/engines.
func NewPatroni(t testing.TB) *Patroni {
	t.Helper()
	etcd := prepare(t, PostgreSQL, nil, "etcd")
	peers, err := freePort()
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	clients, peer := "http://"+etcd.Addr(), "http://127.0.0.1:"+strconv.Itoa(peers)
	etcd.start("etcd", "--name=etcd", "--data-dir="+etcd.data(), "--listen-client-urls="+clients,
		"--advertise-client-urls="+clients, "--listen-peer-urls="+peer,
		"--initial-advertise-peer-urls="+peer, "--initial-cluster=etcd="+peer)
	c := &Patroni{}
	for i := range patroniNodes {
		node := prepare(t, PostgreSQL, nil, "patroni", "pg_rewind")
		t.Cleanup(func() { killPostmaster(node) })
		api, err := freePort()
		programs, linkErr := filepath.EvalSymlinks(node.programs["postgres"])
		if err = errors.Join(err, linkErr); err == nil {
			settings := patroniSettings(node, i, api, etcd.Addr(), filepath.Dir(programs))
			err = os.WriteFile(filepath.Join(node.dir, "patroni.yml"), []byte(settings), 0o644)
		}
		if err != nil {
			t.Fatalf("testdb: %v", err)
		}
		c.nodes = append(c.nodes, node)
		startPatroni(node)
	}
	c.Leader()
	return c
}

// patroniSettings have a leader that is gone found out after 20 seconds, the least that Patroni
// allows.
func patroniSettings(node *Server, i, api int, etcd, programs string) string {
	return fmt.Sprintf(`scope: convo
name: node%[1]d
restapi: {listen: "127.0.0.1:%[2]d", connect_address: "127.0.0.1:%[2]d"}
etcd3: {host: "%[3]s"}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters: {max_connections: 60}
  initdb: [{encoding: UTF8}, {locale: C.UTF-8}, data-checksums, no-sync]
postgresql:
  listen: "%[4]s"
  connect_address: "%[4]s"
  data_dir: %[5]q
  bin_dir: %[6]q
  pgpass: %[7]q
  remove_data_directory_on_diverged_timelines: true
  pg_hba: [host all all 127.0.0.1/32 trust, host replication all 127.0.0.1/32 trust]
  authentication: {superuser: {username: postgres}, replication: {username: replicator}}
  parameters: {unix_socket_directories: ""}
`, i, api, etcd, node.Addr(), node.data(), programs,
		filepath.Join(node.dir, "pgpass"))
}

func startPatroni(node *Server) {
	node.t.Helper()
	node.start("patroni", filepath.Join(node.dir, "patroni.yml"))
}

// Leader waits until a node leads and has another one that takes part in each commit.
func (c *Patroni) Leader() *Server {
	var leader *Server
	first := c.nodes[0]
	first.t.Helper()
	first.wait("a leader that is followed", func(ctx context.Context, _ *sql.DB) (err error) {
		for _, node := range c.nodes {
			if err = node.leads(ctx); err == nil {
				leader = node
				return nil
			}
		}
		return err
	})
	return leader
}

// leads is nil of a leader that is followed.
func (s *Server) leads(ctx context.Context) error {
	d := s.database("")
	db, err := sql.Open(d.Driver, d.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	var n int
	return db.QueryRowContext(ctx, `SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'
		AND NOT pg_is_in_recovery() AND EXISTS
			(SELECT 1 FROM pg_stat_replication WHERE sync_state <> 'sync')`).Scan(&n)
}

// Kill kills all processes of the node that leads, and returns it.
func (c *Patroni) Kill() *Server {
	node := c.Leader()
	node.Kill()
	killPostmaster(node)
	return node
}

// killPostmaster kills the server that Patroni has started: not as a child of its own.
func killPostmaster(node *Server) {
	text, err := os.ReadFile(filepath.Join(node.data(), "postmaster.pid"))
	if err != nil {
		return
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err == nil && strings.Contains(string(command), node.data()) {
		node.gone(kill(pid))
	}
	node.freeMemory()
}

// Restart starts a node that was killed, and returns when it follows the leader of now.
func (c *Patroni) Restart(node *Server) {
	startPatroni(node)
	c.Leader()
}

// Create makes a new empty database, whose DSN leads to whoever takes writes.
func (c *Patroni) Create(name string) Database {
	d := c.Leader().Create(name)
	var all []string
	for _, node := range c.nodes {
		// A driver that asks for the one that takes writes ends at one that has no such database.
		node.wait("the database", func(ctx context.Context, db *sql.DB) error {
			var n int
			return db.QueryRowContext(ctx, "SELECT 1 FROM pg_database WHERE datname = $1",
				name).Scan(&n)
		})
		all = append(all, node.Addr())
	}
	return d.Via(strings.Join(all, ",")).With("target_session_attrs=read-write")
}
