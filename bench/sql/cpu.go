package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A machine that does something else at the same time stretches the time that a call takes, and not
// much the processor time: that is what bounds how many calls a full machine carries out.

// own is the processor time of this process so far.
func own() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serverProcess is the process of a server on this machine, if it can be found.
func serverProcess(ctx context.Context, db *sql.DB, question string) (pid string, err error) {
	var answer string
	if err := db.QueryRowContext(ctx, question).Scan(&answer); err != nil {
		return "", err
	}
	if !strings.HasPrefix(answer, "/") {
		return answer, nil
	}
	b, err := os.ReadFile(answer)
	pid, _, _ = strings.Cut(string(b), "\n")
	return strings.TrimSpace(pid), err
}

// of is the processor time of a server's process so far, its threads and its children; 0 where
// /proc does not say it.
func of(pid string) (sum time.Duration) {
	if pid == "" {
		return 0
	}
	tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range all {
		b, _ := os.ReadFile(stat)
		_, rest, _ := strings.Cut(string(b), ") ") // behind the name: state, parent, …
		if f := strings.Fields(rest); len(f) > 1 && f[1] == pid {
			tasks = append(tasks, strings.TrimSuffix(stat, "stat")+"schedstat")
		}
	}
	for _, task := range tasks {
		b, _ := os.ReadFile(task) // it may have ended
		first, _, _ := strings.Cut(string(b), " ")
		n, _ := strconv.ParseInt(first, 10, 64)
		sum += time.Duration(n)
	}
	return sum
}

// cost is the processor time of an operation, of this process and of the server.
type cost struct{ client, server time.Duration }

func (c cost) all() float64 { return float64(c.client + c.server) }

func (c cost) String() string {
	if c.server == 0 {
		return fmt.Sprintf("%d", c.client.Microseconds())
	}
	return fmt.Sprintf("%d + %d", c.client.Microseconds(), c.server.Microseconds())
}
