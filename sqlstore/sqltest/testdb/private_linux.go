package testdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a server that a test has to itself, to kill it and to start it again. It listens on a
// loopback address of its own, and is gone, with all that it stored, with the test.
type Server struct {
	Engine Engine

	t        testing.TB
	programs map[string]string // their paths
	as       *syscall.Credential
	dir      string
	port     int
	settings []string
	process  *exec.Cmd // nil: it does not run
}

// Private starts a server of e, with further settings in the way of its command line:
// "synchronous_commit=off" or "innodb-flush-log-at-trx-commit=0". It skips t where e is not
// installed: see scripts/engines.
func Private(t testing.TB, e Engine, settings ...string) *Server {
	t.Helper()
	return private(prepare(t, e, settings))
}

// private makes the data of a server, and starts it.
func private(s *Server) *Server {
	s.t.Helper()
	var err error
	switch s.Engine {
	case PostgreSQL:
		err = s.run("initdb", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-U", "postgres",
			"--no-sync", "-D", s.data())
	case MariaDB:
		err = s.run("mariadb-install-db", "--no-defaults", "--datadir="+s.data(), "--tmpdir="+s.dir,
			"--skip-test-db", "--skip-name-resolve",
			"--auth-root-authentication-method=normal")
	}
	if err != nil {
		s.t.Fatalf("testdb: %v", err)
	}
	s.Start()
	return s
}

// PrivateWithStandby starts a server of PostgreSQL, and another one that repeats what it does, for
// which it waits with every commit.
func PrivateWithStandby(t testing.TB) (primary, standby *Server) {
	t.Helper()
	const copies = "pg_basebackup"
	primary = private(prepare(t, PostgreSQL, nil, copies))
	standby = prepare(t, PostgreSQL, nil, copies)
	standby.follow(primary)
	return primary, standby
}

func (b *Server) follow(s *Server) {
	s.t.Helper()
	const name = "standby"
	if err := b.run("pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U",
		"postgres", "-D", b.data(),
		"--checkpoint=fast", "--no-sync", "--write-recovery-conf", "-d",
		"application_name="+name); err != nil {
		s.t.Fatalf("testdb: %v", err)
	}
	b.Start()
	s.exec("ALTER SYSTEM SET synchronous_standby_names = '" + name + "'")
	s.exec("SELECT pg_reload_conf()")
	s.wait("the standby to follow", func(ctx context.Context, db *sql.DB) error {
		var n int
		return db.QueryRowContext(ctx,
			"SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&n)
	})
}

// Promote makes of a standby a server that takes writes.
func (s *Server) Promote() {
	s.t.Helper()
	if err := s.run("pg_ctl", "promote", "-w", "-D", s.data()); err != nil {
		s.t.Fatalf("testdb: %v", err)
	}
}

// Create makes a new empty database.
func (s *Server) Create(name string) Database {
	s.t.Helper()
	statement := "CREATE DATABASE " + name
	if s.Engine == MariaDB {
		statement += " CHARACTER SET utf8mb4"
	}
	s.exec(statement)
	return s.database(name)
}

// Addr is the server's host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

func (s *Server) database(name string) Database {
	d := Database{Engine: s.Engine, Addr: s.Addr()}
	if s.Engine == PostgreSQL {
		d.Driver, d.DSN = "pgx", "postgres://postgres@"+d.Addr+"/"+cmp.Or(name,
			"postgres")+"?sslmode=disable"
	} else {
		d.Driver, d.DSN = "mysql", "root@tcp("+d.Addr+")/"+name
	}
	return d
}

// Start starts a server that was killed, and returns when it has recovered and takes connections.
func (s *Server) Start() {
	s.t.Helper()
	var args []string
	var program string
	switch s.Engine {
	case PostgreSQL:
		program = "postgres"
		args = []string{
			"-D", s.data(), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-c",
			"unix_socket_directories=", "-c", "max_connections=50",
		}
		for _, set := range s.settings {
			args = append(args, "-c", set)
		}
	case MariaDB:
		program = "mariadbd"
		args = []string{
			"--no-defaults", "--datadir=" + s.data(), "--port=" + strconv.Itoa(s.port),
			"--bind-address=127.0.0.1",
			"--skip-name-resolve", "--character-set-server=utf8mb4",
			"--socket=" + filepath.Join(s.dir, "socket"),
			"--pid-file=" + filepath.Join(s.dir, "pid"),
			// in a shared one, each server that starts deletes the temporary tables of the others
			"--tmpdir=" + s.dir,
		}
		for _, set := range s.settings {
			args = append(args, "--"+set)
		}
	}
	s.start(program, args...)
	s.wait("the server to start",
		func(ctx context.Context, db *sql.DB) error { return db.PingContext(ctx) })
}

// start starts the server's first process.
func (s *Server) start(program string, args ...string) {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatalf("testdb: %v", err)
	}
	defer log.Close()
	s.process = s.command(program, args...)
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("testdb: %v", err)
	}
}

// Kill kills all processes of the server with SIGKILL, and returns when they are gone.
func (s *Server) Kill() {
	s.t.Helper()
	if s.process == nil {
		return
	}
	all := kill(s.process.Process.Pid)
	_ = s.process.Wait() // its error is that it was killed
	s.process = nil
	s.gone(all)
}

// kill kills a process and its children.
func kill(first int) (all []int) {
	_ = syscall.Kill(first, syscall.SIGSTOP) // so that it has no further children
	for end := time.Now().Add(patience); time.Now().Before(end) && running(first); {
		time.Sleep(time.Millisecond) // a fork that it is amid ends before it stops
	}
	all = append(children(first), first)
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return all
}

// gone returns when processes that were killed are gone.
func (s *Server) gone(all []int) {
	s.t.Helper()
	for end := time.Now().Add(patience); slices.ContainsFunc(all,
		alive); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("testdb: processes of the server survived SIGKILL: %v", all)
		}
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// freeMemory removes the shared memory that a killed server of PostgreSQL leaves to the one that is
// started next.
func (s *Server) freeMemory() {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if lines := strings.Split(string(text), "\n"); err == nil && len(lines) > 6 {
		if f := strings.Fields(lines[6]); len(f) == 2 {
			_ = exec.Command("ipcrm", "-m", f[1]).Run()
		}
	}
}

// prepare finds the programs, the engine's and more, and makes a folder for all files of a server.
func prepare(t testing.TB, e Engine, settings []string, more ...string) *Server {
	t.Helper()
	s := &Server{Engine: e, t: t, programs: map[string]string{}, settings: settings}
	names, owner := []string{"postgres", "initdb", "pg_ctl"}, "postgres"
	if e == MariaDB {
		names, owner = []string{"mariadbd", "mariadb-install-db"}, "mysql"
	}
	names = append(names, more...)
	dir := otherPostgres(e, names)
	for _, name := range names {
		if s.programs[name] = find(dir, name); s.programs[name] == "" {
			t.Skipf("%s is not installed here: no %s", e, name)
		}
	}
	var err error
	if s.dir, err = os.MkdirTemp("", "convo"); err == nil {
		t.Cleanup(func() {
			if err := os.RemoveAll(s.dir); err != nil {
				t.Errorf("testdb: %v", err)
			}
		})
		err = s.own(owner)
	}
	if err == nil {
		s.port, err = freePort()
	}
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	t.Cleanup(func() {
		s.Kill()
		s.freeMemory()
	})
	return s
}

// own gives the folder to owner when the test is run by root, as whom a server refuses to run.
func (s *Server) own(owner string) error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup(owner)
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

// command is one that ends with the test, however that ends.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(s.programs[program], args...)
	c.Dir = s.dir
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGKILL}
	return c
}

func (s *Server) run(program string, args ...string) error {
	if out, err := s.command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

func (s *Server) exec(statement string) {
	s.t.Helper()
	s.wait("the server to obey", func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
}

// wait tries again and again until f succeeds, with new connections.
func (s *Server) wait(what string, f func(context.Context, *sql.DB) error) {
	s.t.Helper()
	d := s.database("")
	db, err := sql.Open(d.Driver, d.DSN)
	if err != nil {
		s.t.Fatalf("testdb: %v", err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if err = f(ctx, db); err == nil {
			return
		}
		if ctx.Err() != nil || !alive(s.process.Process.Pid) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("testdb: waiting for %s: %v\n%s", what, err, log[max(0, len(log)-2000):])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// otherPostgres is the folder of another PostgreSQL than the system's, if there should be one and
// it has all these programs: see scripts/postgres.
func otherPostgres(e Engine, names []string) string {
	dir := os.Getenv("CONVO_POSTGRES_BIN")
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); e != PostgreSQL || err != nil {
			return ""
		}
	}
	return dir
}

// find is the path of a program in dir, or of the system's, which Debian may keep out of PATH.
func find(dir, program string) string {
	if dir != "" {
		return filepath.Join(dir, program)
	}
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	more, _ := filepath.Glob("/usr/sbin/" + program)
	if paths = append(paths, more...); len(paths) == 0 {
		return ""
	}
	return paths[len(paths)-1]
}

// freePort is one that nobody listens on now, and that nobody gets who asks for any, while the
// server is down.
func freePort() (port int, err error) {
	for range 100 {
		port = 10000 + rand.N(20000)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1",
			strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// children are the processes that pid has started.
func children(pid int) (found []int) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, f := range folders {
		if _, parent := stat(f); parent == pid {
			if child, err := strconv.Atoi(filepath.Base(f)); err == nil {
				found = append(found, child)
			}
		}
	}
	return found
}

func alive(pid int) bool {
	state, _ := stat("/proc/" + strconv.Itoa(pid))
	return state != "" && state != "Z"
}

// running reports whether a process is neither stopped nor gone.
func running(pid int) bool {
	state, _ := stat("/proc/" + strconv.Itoa(pid))
	return state != "" && state != "Z" && state != "T"
}

// stat is the state and the parent of a process; empty when there is none.
func stat(folder string) (state string, parent int) {
	text, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return "", 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before it may have spaces
	if _, err := fmt.Sscan(rest, &state, &parent); err != nil && !errors.Is(err, io.EOF) {
		return "", 0
	}
	return state, parent
}
