package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Galera is a cluster of three nodes of MariaDB that a test has to itself. All clients go to one
// node, and to the next one when that is gone: several that write lose each other's updates.
type Galera struct {
	nodes  []*Server
	groups []string     // the addresses by which the nodes know each other
	at     atomic.Int64 // whom clients go to
}

const (
	galeraNodes    = 3
	galeraProvider = "/usr/lib/galera/libgalera_smm.so"
)

// NewGalera starts a cluster, and skips t where Galera or rsync, by which a node catches up, is not
// installed.
func NewGalera(t testing.TB) *Galera {
	t.Helper()
	if _, err := os.Stat(galeraProvider); err != nil {
		t.Skipf("Galera is not installed here: %v", err)
	}
	c := &Galera{}
	for range galeraNodes {
		node := prepare(t, MariaDB, nil, "rsync")
		c.nodes = append(c.nodes, node)
		c.groups = append(c.groups, "127.0.0.1:"+strconv.Itoa(aPort(t)))
	}
	for i, node := range c.nodes {
		joins := append(c.settings(i), "wsrep-node-name=node"+strconv.Itoa(i))
		node.settings = joins
		if i == 0 {
			node.settings = slices.Concat(joins, []string{"wsrep-new-cluster"})
		}
		private(node)
		node.settings = joins
	}
	c.whole()
	return c
}

func aPort(t testing.TB) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	return port
}

func (c *Galera) settings(i int) []string {
	t := c.nodes[i].t
	_, base, _ := strings.Cut(c.groups[i], ":")
	return []string{
		"wsrep-on=ON", "wsrep-provider=" + galeraProvider, "wsrep-cluster-name=convo",
		"wsrep-cluster-address=gcomm://" + strings.Join(c.groups, ","),
		"wsrep-node-address=" + c.groups[i],
		fmt.Sprintf("wsrep-provider-options=base_port=%s;ist.recv_addr=127.0.0.1:%d", base,
			aPort(t)),
		"wsrep-sst-method=rsync",
		"wsrep-sst-receive-address=127.0.0.1:" + strconv.Itoa(aPort(t)),
		"binlog-format=ROW", "innodb-autoinc-lock-mode=2",
		// what a node has not written when it is killed it gets from the others
		"innodb-flush-log-at-trx-commit=0",
	}
}

// whole waits until all nodes take part.
func (c *Galera) whole() {
	for _, node := range c.nodes {
		node.wait("the cluster", func(ctx context.Context, db *sql.DB) error {
			for name, want := range map[string]string{
				"wsrep_local_state_comment": "Synced",
				"wsrep_cluster_size":        strconv.Itoa(galeraNodes),
			} {
				var is string
				err := db.QueryRowContext(ctx, "SHOW STATUS WHERE Variable_name = ?", name).
					Scan(&name, &is)
				if err != nil {
					return err
				}
				if is != want {
					return fmt.Errorf("%s is %s", name, is)
				}
			}
			return nil
		})
	}
}

// Create makes a new empty database, whose DSN leads to the node that clients go to. A node waits
// with each answer until it has carried out what the others had done by then (wsrep_sync_wait), so
// that whoever changes the node misses nothing.
func (c *Galera) Create(name string) Database {
	d := c.nodes[0].Create(name)
	network := "galera" + c.groups[0]
	mysql.RegisterDialContext(network, c.dial)
	c.nodes[0].t.Cleanup(func() { mysql.DeregisterDialContext(network) })
	d = d.mariadb(func(m *mysql.Config) { m.Net, m.Addr = network, "cluster" })
	return d.With("wsrep_sync_wait=15")
}

func (c *Galera) dial(ctx context.Context, _ string) (net.Conn, error) {
	at := c.at.Load()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.nodes[at].Addr())
	if err != nil {
		c.at.CompareAndSwap(at, (at+1)%galeraNodes)
	}
	return conn, err
}

// Kill kills all processes of the node that clients go to, and returns it.
func (c *Galera) Kill() *Server {
	node := c.nodes[c.at.Load()]
	node.Kill()
	return node
}

// Restart starts a node that was killed, and returns when all nodes take part again.
func (c *Galera) Restart(node *Server) {
	node.Start()
	c.whole()
}
