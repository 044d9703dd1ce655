package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore"
)

// query is something to ask, of convo and by hand.
type query struct {
	name string
	ask  func(ctx context.Context, s *sqlstore.Store) error
	raw  map[sqlstore.Dialect][]string
}

// ofMessages reports whether it is about their rows.
func (q query) ofMessages() bool {
	return strings.Contains(strings.Join(q.raw[sqlstore.SQLite], ""), "message_")
}

const (
	sqliteP90 = `SELECT who, avg(d), max(CASE WHEN n = (c * 9 + 9) / 10 THEN d END) FROM (
	SELECT closed_by_id AS who, closed_at - opened_at AS d,
		row_number() OVER (PARTITION BY closed_by_id ORDER BY closed_at - opened_at) AS n,
		count(*) OVER (PARTITION BY closed_by_id) AS c
	FROM convo_cycles WHERE workspace = 'acme' AND closed_at >= {from} AND closed_at < {to})
	GROUP BY who`
	sqliteDays = `SELECT day, avg(d), max(CASE WHEN n = (c * 5 + 9) / 10 THEN d END),
		max(CASE WHEN n = (c * 9 + 9) / 10 THEN d END) FROM (
	SELECT closed_at / 86400000000 AS day, closed_at - opened_at AS d,
		row_number() OVER (PARTITION BY closed_at / 86400000000
		ORDER BY closed_at - opened_at) AS n,
		count(*) OVER (PARTITION BY closed_at / 86400000000) AS c
	FROM convo_cycles WHERE workspace = 'acme' AND closed_at >= {from} AND closed_at < {to})
	GROUP BY day`
	postgresP90 = `SELECT closed_by_id, avg(closed_at - opened_at),
		percentile_cont(0.9) WITHIN GROUP (ORDER BY closed_at - opened_at)
	FROM convo_cycles WHERE workspace = 'acme' AND closed_at >= {from} AND closed_at < {to}
	GROUP BY 1`
	postgresDays = `SELECT closed_at / 86400000000, avg(closed_at - opened_at),
		percentile_cont(array[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY closed_at - opened_at)
	FROM convo_cycles WHERE workspace = 'acme' AND closed_at >= {from} AND closed_at < {to}
	GROUP BY 1`
	byDay = `SELECT {at} / 86400000000, count(*) FROM convo_cycles WHERE workspace = 'acme'
		AND {at} >= {from} AND {at} < {to} GROUP BY 1`
	now = `SELECT status, assignee, count(*), min(waiting_since) FROM convo_conversations
		WHERE workspace = 'acme' AND active{true} GROUP BY 1, 2`
)

func both(statements ...string) map[sqlstore.Dialect][]string {
	return map[sqlstore.Dialect][]string{sqlstore.SQLite: statements,
		sqlstore.PostgreSQL: statements}
}

// wholeReport is what a report of resolutions tells, by hand: of the year, its months and its
// users, count, mean, least, most and percentiles of four durations.
func wholeReport(d sqlstore.Dialect) (statements []string) {
	const from = ` FROM convo_cycles y JOIN convo_conversations c ON c.workspace = y.workspace
		AND c.id = y.conversation
	WHERE y.workspace = 'acme' AND y.closed_at >= {from} AND y.closed_at < {to}`
	durations := []string{
		"y.closed_at - y.opened_at", "y.closed_at - y.opened_at - y.pending_micros",
		"CASE WHEN y.number = 1 THEN y.closed_at - y.opened_at END",
		"y.closed_at - c.created_at",
	}
	if d == sqlstore.PostgreSQL {
		for _, group := range []string{"''",
			"date_trunc('month', to_timestamp(y.closed_at / 1000000) AT TIME ZONE 'UTC')",
			"y.closed_by_id"} {
			text := "SELECT " + group
			for _, d := range durations {
				text += strings.ReplaceAll(", count({d}), avg({d}), min({d}), max({d}), "+
					"percentile_cont(array[.5, .9, .95, .99]) WITHIN GROUP (ORDER BY {d})",
					"{d}", d)
			}
			statements = append(statements, text+from+" GROUP BY 1")
		}
		return statements
	}
	for _, group := range []string{"''", "strftime('%Y-%m', y.closed_at / 1000000, 'unixepoch')",
		"y.closed_by_id"} {
		for _, d := range durations {
			text := "SELECT g, count(d), avg(d), min(d), max(d)"
			for _, percent := range []int{50, 90, 95, 99} {
				text += fmt.Sprintf(", max(CASE WHEN n = (c * %d + 99) / 100 THEN d END)", percent)
			}
			statements = append(statements,
				text+" FROM (SELECT g, d, row_number() OVER (PARTITION BY g ORDER BY d) AS n, "+
					"count(*) OVER (PARTITION BY g) AS c"+
					" FROM (SELECT "+group+" AS g, "+d+" AS d"+from+") WHERE d IS NOT NULL) GROUP "+
					"BY g")
		}
	}
	return statements
}

func queries() []query {
	ask := func(q report.Query) func(context.Context, *sqlstore.Store) error {
		q.Workspace, q.From, q.To = workspace, year, year.AddDate(1, 0, 0)
		return func(ctx context.Context, s *sqlstore.Store) error {
			_, err := report.Run(ctx, s, q)
			return err
		}
	}
	cells := func(q report.Aggregation) func(context.Context, *sqlstore.Store) error {
		q.Workspace, q.Quantiles = workspace, true
		return func(ctx context.Context, s *sqlstore.Store) error {
			_, err := s.Aggregate(ctx, q)
			return err
		}
	}
	var days []time.Time
	for d := year; !d.After(year.AddDate(1, 0, 0)); d = d.AddDate(0, 0, 1) {
		days = append(days, d)
	}
	counts := both(strings.ReplaceAll(byDay, "{at}", "opened_at"),
		strings.ReplaceAll(byDay, "{at}", "closed_at"))
	return []query{
		{"dashboard", func(ctx context.Context, s *sqlstore.Store) error {
			_, err := report.Dashboard(ctx, s, workspace)
			return err
		}, map[sqlstore.Dialect][]string{
			sqlstore.SQLite: {strings.Replace(now, "{true}", " = 1",
				1)}, sqlstore.PostgreSQL: {strings.Replace(now, "{true}", "", 1)},
		}},
		{"opened and closed by day", ask(report.Query{Kind: report.Conversations,
			Bucket: report.Day}), counts},
		{"the same in Europe/Berlin", ask(report.Query{Kind: report.Conversations,
			Bucket: report.Day, Zone: "Europe/Berlin"}), counts},
		{
			"resolution by day, with percentiles",
			cells(report.Aggregation{Measures: []report.Measure{report.Resolution},
				Boundaries: days}),
			map[sqlstore.Dialect][]string{sqlstore.SQLite: {sqliteDays},
				sqlstore.PostgreSQL: {postgresDays}},
		},
		{
			"resolution by user, with p90",
			cells(report.Aggregation{
				Measures: []report.Measure{report.Resolution}, Boundaries: []time.Time{year,
					year.AddDate(1, 0, 0)}, GroupBy: report.Closer,
			}),
			map[sqlstore.Dialect][]string{sqlstore.SQLite: {sqliteP90},
				sqlstore.PostgreSQL: {postgresP90}},
		},
		{"a whole report of resolutions by user", ask(report.Query{Kind: report.Resolutions,
			Bucket: report.Month, GroupBy: report.Closer}),
			map[sqlstore.Dialect][]string{
				sqlstore.SQLite:     wholeReport(sqlstore.SQLite),
				sqlstore.PostgreSQL: wholeReport(sqlstore.PostgreSQL),
			}},
		{"messages by day", ask(report.Query{Kind: report.Messages, Bucket: report.Day}),
			both(`SELECT at / 86400000000, by_type, count(*)` + ofMessages + ` GROUP BY 1, 2`)},
		{"replies by author and month", ask(report.Query{Kind: report.Responses,
			Bucket: report.Month, GroupBy: report.Author}),
			both(`SELECT by_id, count(*), avg(at - waiting_since)`+ofMessages+
				` AND kind = 'message_sent' GROUP BY 1`,
				`SELECT at / 2592000000000, count(*), avg(at - waiting_since)`+ofMessages+
					` AND kind = 'message_sent' GROUP BY 1`)},
		{"assignments and handling by assignee", ask(report.Query{Kind: report.Assignments,
			Bucket: report.Month, GroupBy: report.Assignee}),
			both(`SELECT assignee, count(*)`+ofLifecycle+
				` AND kind = 'conversation_assigned' GROUP BY 1`,
				`SELECT assignee_before, count(*), avg(at - assigned_at)`+ofLifecycle+
					` AND kind = 'conversation_closed' GROUP BY 1`)},
		{"time in each status", ask(report.Query{Kind: report.Times, GroupBy: report.Status}),
			both(`SELECT status_before, count(*), avg(at - status_since)` + ofLifecycle +
				` AND kind IN ('conversation_closed', 'conversation_pending',
				'conversation_resumed') GROUP BY 1`)},
		{"backlog at the end of each day", ask(report.Query{Kind: report.Backlogs,
			Bucket: report.Day}),
			both(`SELECT at / 86400000000, sum(CASE kind WHEN 'conversation_closed' THEN -1 ELSE 1
				END)` + ofLifecycle + ` AND kind IN ('conversation_opened', 'conversation_reopened',
				'conversation_closed') GROUP BY 1`)},
		{"openings and closings by weekday and hour", ask(report.Query{
			Kind: report.Conversations, HeatMap: true}),
			both(`SELECT (at / 3600000000 + 72) % 168, kind, count(*)` + ofLifecycle + `
				AND kind IN ('conversation_opened', 'conversation_reopened',
				'conversation_closed') GROUP BY 1, 2`)},
		{"what each user did", ask(report.Query{Kind: report.Users}),
			both(`SELECT by_id, count(*), avg(at - waiting_since)`+ofMessages+
				` AND kind = 'message_sent' GROUP BY 1`,
				`SELECT by_id, count(*)`+ofLifecycle+` AND kind = 'conversation_closed' GROUP BY 1`,
				`SELECT assignee, count(*)`+ofLifecycle+
					` AND kind = 'conversation_assigned' GROUP BY 1`,
				`SELECT assignee_before, avg(at - assigned_at)`+ofLifecycle+
					` AND kind = 'conversation_closed' GROUP BY 1`)},
	}
}

// The events of the year, with the condition of the index by time; the rest is counts and means,
// where convo's reports have percentiles, bands and the period before, too.
const (
	ofMessages = ` FROM convo_events WHERE workspace = 'acme' AND at >= {from} AND at < {to}
		AND kind IN ('message_received', 'message_sent', 'message_duplicated')`
	ofLifecycle = ` FROM convo_events WHERE workspace = 'acme' AND at >= {from} AND at < {to}
		AND kind IN ('conversation_opened', 'conversation_reopened', 'conversation_pending',
		'conversation_resumed', 'conversation_closed', 'conversation_assigned',
		'conversation_moved', 'deadline_passed')`
)
