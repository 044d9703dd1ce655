package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A machine that does something else at the same time stretches the time that a call takes, and not
// much the processor time: that is what bounds how many calls a full machine carries out.

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

// serverTime is the processor time of servers so far: of the processes with these numbers, their
// threads and their children; 0 where /proc does not say it.
func serverTime(pids string) (sum time.Duration) {
	if pids == "" {
		return 0
	}
	var tasks []string
	for _, pid := range strings.Fields(pids) {
		own, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
		tasks = append(tasks, own...)
	}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range all {
		b, _ := os.ReadFile(stat)
		_, rest, _ := strings.Cut(string(b), ") ") // behind the name: state, parent, …
		f := strings.Fields(rest)
		if len(f) > 1 && slices.Contains(strings.Fields(pids), f[1]) {
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
