package testdb

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/canonical/go-dqlite/app"
	"github.com/canonical/go-dqlite/client"
	dqlite "github.com/canonical/go-dqlite/driver"
)

// scripts/dqlite puts this file into a copy of package testdb: it needs cgo, and Debian's packages.

// nodeVariable holds what a process that is a node of dqlite is to do, as JSON of a node.
const nodeVariable = "CONVO_TEST_DQLITE_NODE"

// overDqlite is a driver whose DSN names the nodes, and a database: host:port,host:port/name.
const overDqlite = "convo-dqlite"

func init() {
	sql.Register(overDqlite, clusterDriver{})
	createDqlite = func(testing.TB) (Database, error) {
		c, err := sharedDqlite()
		if err != nil {
			return Database{}, err
		}
		return c.Create("convo_test_" + strings.ToLower(rand.Text())), nil
	}
}

// node is a process that stores, and carries statements out.
type node struct {
	Dir, Addr string
	Cluster   []string // of whom it asks to take part; none: it begins a cluster
}

// BeDqliteNode is what the test of the name TestBeANode does, in the process of a node. In an init
// the library's calls of Go would wait for its end.
func BeDqliteNode(t *testing.T) {
	text := os.Getenv(nodeVariable)
	if text == "" {
		t.Skip("it is for the processes that NewDqlite starts")
	}
	if err := beNode(text); err != nil {
		fmt.Fprintln(os.Stderr, "the node of dqlite:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// beNode is a node until the standard input ends, which it does with the process of the test.
func beNode(text string) error {
	var n node
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return err
	}
	a, err := app.New(n.Dir, app.WithAddress(n.Addr), app.WithCluster(n.Cluster),
		app.WithLogFunc(func(client.LogLevel, string, ...any) {}))
	if err != nil {
		return err
	}
	if err := a.Ready(context.Background()); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

const dqliteNodes = 3

// DqliteCluster is a cluster of three nodes, each a process of its own.
type DqliteCluster struct {
	t     testing.TB
	nodes []*Server
}

// NewDqlite starts a cluster, which is gone with the test.
func NewDqlite(t testing.TB) *DqliteCluster {
	t.Helper()
	c, err := startDqlite(t.TempDir())
	t.Cleanup(c.stop)
	if err != nil {
		t.Fatalf("testdb: dqlite: %v", err)
	}
	c.t = t
	return c
}

// sharedDqlite is a cluster for all tests of a process, and ends with it.
var sharedDqlite = sync.OnceValues(func() (*DqliteCluster, error) {
	dir, err := os.MkdirTemp("", "convo-dqlite")
	if err != nil {
		return nil, err
	}
	return startDqlite(dir)
})

func startDqlite(dir string) (*DqliteCluster, error) {
	c := &DqliteCluster{}
	for i := range dqliteNodes {
		port, err := freePort()
		if err != nil {
			return c, err
		}
		n := &Server{Engine: Dqlite, dir: filepath.Join(dir, strconv.Itoa(i)), port: port}
		c.nodes = append(c.nodes, n)
		if err := c.start(n); err != nil {
			return c, err
		}
	}
	return c, nil
}

// start starts a node, and returns when it takes part.
func (c *DqliteCluster) start(n *Server) error {
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return err
	}
	is := node{Dir: n.dir, Addr: n.Addr()}
	if n != c.nodes[0] {
		is.Cluster = []string{c.nodes[0].Addr()}
	}
	text, err := json.Marshal(is)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	process := exec.Command(program, "-test.run=^TestBeANode$", "-test.timeout=0")
	process.Env = append(os.Environ(), nodeVariable+"="+string(text))
	process.Stderr = os.Stderr
	if _, err := process.StdinPipe(); err != nil {
		return err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	n.process = process
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("a node said %q, and not that it is ready: %w", line, err)
	}
	return nil
}

func (c *DqliteCluster) stop() {
	for _, n := range c.nodes {
		if n.process != nil {
			_ = n.process.Process.Kill()
			_ = n.process.Wait()
		}
	}
}

func (c *DqliteCluster) addresses() (all []string) {
	for _, n := range c.nodes {
		all = append(all, n.Addr())
	}
	return all
}

// Create names a database, which comes to be when it is opened.
func (c *DqliteCluster) Create(name string) Database {
	return Database{
		Engine: Dqlite, Driver: overDqlite, DSN: strings.Join(c.addresses(), ",") + "/" + name,
	}
}

// Kill kills the process of the node that leads, and returns it.
func (c *DqliteCluster) Kill() *Server {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	leader, err := c.leader(ctx)
	if err != nil {
		c.t.Fatalf("testdb: the leader of dqlite: %v", err)
	}
	if err := leader.process.Process.Kill(); err != nil {
		c.t.Fatalf("testdb: %v", err)
	}
	_ = leader.process.Wait()
	leader.process = nil
	return leader
}

func (c *DqliteCluster) leader(ctx context.Context) (*Server, error) {
	store, err := storeOf(c.addresses())
	if err != nil {
		return nil, err
	}
	cli, err := client.FindLeader(ctx, store)
	if err != nil {
		return nil, err
	}
	defer cli.Close()
	info, err := cli.Leader(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range c.nodes {
		if n.Addr() == info.Address {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%q is none of %q", info.Address, c.addresses())
}

// Restart starts a node that was killed, and returns when it takes part again.
func (c *DqliteCluster) Restart(n *Server) {
	c.t.Helper()
	if err := c.start(n); err != nil {
		c.t.Fatalf("testdb: %v", err)
	}
}

func storeOf(addresses []string) (client.NodeStore, error) {
	var all []client.NodeInfo
	for i, a := range addresses {
		all = append(all, client.NodeInfo{ID: uint64(i + 1), Address: a})
	}
	store := client.NewInmemNodeStore()
	return store, store.Set(context.Background(), all)
}

type clusterDriver struct{}

func (clusterDriver) OpenConnector(dsn string) (driver.Connector, error) {
	addresses, name, ok := strings.Cut(dsn, "/")
	if !ok {
		return nil, fmt.Errorf("testdb: %q names no database of dqlite", dsn)
	}
	store, err := storeOf(strings.Split(addresses, ","))
	if err != nil {
		return nil, err
	}
	d, err := dqlite.New(store, dqlite.WithLogFunc(func(client.LogLevel, string, ...any) {}),
		dqlite.WithAttemptTimeout(5*time.Second))
	if err != nil {
		return nil, err
	}
	return d.OpenConnector(name)
}

func (d clusterDriver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}
