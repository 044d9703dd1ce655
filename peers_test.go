package convo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// The tests of TestPeers… are what the test suites and the documents of other platforms expect, in
// our words, on a store in memory. Each has its id in testdata/cases.tsv, of which docs/cases.md is
// made.

// office is worked from Monday to Friday, 09:00 to 17:00.
const office = "monday 09:00-17:00, tuesday 09:00-17:00, wednesday 09:00-17:00, " +
	"thursday 09:00-17:00, friday 09:00-17:00"

var errHost = errors.New("the host says no")

// decide is Do with what the host decides on what it finds.
func (d *desk) decide(
	to convo.Ref, f func(convo.Snapshot) ([]convo.Command, error),
) (convo.Result, error) {
	return d.DoFunc(d.t.Context(), to, "", f)
}

func (d *desk) list(f convo.Filter) (ids []uuid.UUID) {
	d.t.Helper()
	f.Workspace = tenant
	page, err := d.Conversations(d.t.Context(), f)
	require.NoError(d.t, err)
	for _, c := range page {
		ids = append(ids, c.ID)
	}
	return ids
}

func (d *desk) shown(id uuid.UUID) []convo.ShownMessage {
	d.t.Helper()
	return convo.Messages(d.log(id))
}

// bodies are the texts that people see of a conversation.
func (d *desk) bodies(id uuid.UUID) (all []string) {
	d.t.Helper()
	for _, m := range d.shown(id) {
		all = append(all, m.Body)
	}
	return all
}

// monthly is a query of the month that begins on the day of the morning.
func monthly(q report.Query) report.Query {
	q.Workspace, q.From = tenant, morning.Truncate(24*time.Hour)
	q.To = q.From.AddDate(0, 1, 0)
	return q
}

func (d *desk) report(q report.Query) *report.Report {
	d.t.Helper()
	r, err := report.Run(d.t.Context(), d.store.(report.Store), monthly(q))
	require.NoError(d.t, err)
	return r
}

// valuesOf are those of one group of a report.
func valuesOf(t testing.TB, r *report.Report, value string) report.Values {
	t.Helper()
	for _, g := range r.Groups {
		if g.Value == value {
			return g.Values
		}
	}
	require.Fail(t, "no such group", "%q in %v", value, r.Groups)
	return nil
}

// tells collects what observers are told, call by call.
func tells(calls *[][]convo.Event) convo.Option {
	return convo.WithObserver(func(_ context.Context, events []convo.Event) {
		*calls = append(*calls, events)
	})
}

// forbids has the host refuse what writes an event of which f is true.
func forbids(f func(convo.Snapshot, convo.Event) bool) convo.Option {
	return convo.WithGuard(func(_ context.Context, s convo.Snapshot, ch convo.Change) error {
		for _, e := range ch.Events {
			if f(s, e) {
				return errHost
			}
		}
		return nil
	})
}

func reopens(window time.Duration) convo.Option {
	return convo.WithPolicy(convo.Policy{Receive: convo.OnClosed{
		Mode: convo.OnClosedReopen, Window: convo.Duration(window),
	}})
}
