package main

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// All that is compared does the job: what is faster because it leaves something out is no floor.
func TestFloorsDoTheJob(t *testing.T) {
	for _, x := range engines {
		t.Run(x.name, func(t *testing.T) {
			dsn := os.Getenv(x.variable)
			if x.variable != "" && dsn == "" {
				t.Skip(x.variable + " is not set")
			}
			ctx := t.Context()
			e, err := x.make(ctx, &options{dir: t.TempDir()}, dsn)
			if e != nil {
				t.Cleanup(func() { _ = e.drop() })
			}
			if err != nil {
				t.Fatal(err)
			}
			db, err := e.open(e.server)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if err := e.fill(ctx, db, 1000); err != nil {
				t.Fatal(err)
			}
			if err := createFloor(ctx, db, e.words...); err != nil {
				t.Fatal(err)
			}
			sides, err := e.sides(ctx, e.server, e.connections)
			defer func() { closeAll(sides) }()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sides {
				if s.desk != nil {
					t.Run(s.name, func(t *testing.T) { doesTheJob(t, s) })
				}
			}
		})
	}
}

func doesTheJob(t *testing.T, s *side) {
	ctx, contact := t.Context(), s.name+"-ann"
	number := func(query string) (n int) {
		t.Helper()
		if err := s.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			t.Fatal(query, err)
		}
		return n
	}
	where := " WHERE workspace = 'acme' AND contact = '" + contact + "'"
	is := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, not %d", what, got, want)
		}
	}
	var errs []error
	do := func(f func(context.Context, string, string) error, externalID string) {
		errs = append(errs, f(ctx, contact, externalID))
	}
	closing := func(ctx context.Context, contact, _ string) error { return s.Close(ctx, contact) }
	do(s.Receive, contact+"-1") // opens
	do(s.Receive, "")
	do(s.Receive, contact+"-2")
	do(closing, "")
	do(s.Receive, "") // opens another one
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	is("conversations", number("SELECT COUNT(*) FROM "+s.table+where), 2)
	is("closed ones", number("SELECT COUNT(*) FROM "+s.table+where+" AND status = 'closed'"), 1)
	is("messages", number("SELECT SUM(incoming) FROM "+s.table+where), 4)
	is("versions", number("SELECT SUM(version) FROM "+s.table+where), 5+2)
	if s.name != fairFloor {
		return
	}
	if err := s.Receive(ctx, contact, contact+"-1"); err != nil { // is there
		t.Fatal(err)
	}
	is("contacts", number("SELECT COUNT(*) FROM fair_contacts"+where), 1)
	is("events", number("SELECT COUNT(*) FROM fair_events"+where), 7)
	is("cycles", number("SELECT COUNT(*) FROM fair_cycles"+where+
		" AND incoming = 3 AND category = '"+category+"'"), 1)
	is("keys", number("SELECT COUNT(*) FROM fair_keys WHERE id LIKE '"+contact+"-%'"), 2)

	_, _, err := race(8, 400, time.Hour, func(n int64) error {
		return s.Receive(ctx, nth("raced", n/8), "")
	})
	if err == nil {
		err = s.check(ctx, "raced", 50)
	}
	if err != nil {
		t.Error(err)
	}
}
