// Command report measures reports over synthetic conversations of one cycle and a few events each:
// with rollups, without them, and as raw SQL that one would write by hand for exactly this query,
// from a table of cycles, in one run and in turns. It prints a Markdown table. Absolute numbers are
// this machine's.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/chatlifecycle/convo/sqlstore"
)

const usage = `usage: go run ./report [flags]

Measures reports, from rollups and from events, beside SQL by hand, on SQLite and,
if CONVO_POSTGRES_DSN names a server on which databases may be created, on PostgreSQL:

	scripts/engines run -- sh -c 'cd bench && go run ./report -n 1000000'
`

const workspace = "acme"

var year = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func main() {
	n := flag.Int("n", 1_000_000, "how many conversations, of one cycle each, there are in a year")
	lean := flag.Bool("lean", false,
		"leave out the rows of messages, and what is asked of them: for ten million cycles")
	messages := flag.Int("messages", 2, "how many messages a conversation has, from 2 to 11")
	rounds := flag.Int("rounds", 5,
		"how often each is measured, with rollups 5 times at least; the median is printed")
	engines := flag.String("engines", "sqlite,postgresql", "what to measure on")
	dir := flag.String("dir", os.TempDir(), "where the file of SQLite is to be")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage, "\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *n < 1000 || *rounds < 1 || *messages < 2 || *messages > 11 || *lean && *messages > 2 ||
		flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, size{*n, *messages, *lean}, *rounds, *engines, *dir)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// size is how much there is to report on.
type size struct {
	conversations int
	messages      int  // of each
	lean          bool // without their rows
}

func (n size) String() string {
	if n.lean {
		return fmt.Sprint(n.conversations, " cycles of one year and workspace, without the rows ",
			"of messages")
	}
	return fmt.Sprint(n.conversations, " cycles of one year and workspace, of ", n.messages,
		" messages each")
}

func run(ctx context.Context, n size, rounds int, engines, dir string) error {
	fmt.Printf("%s %s/%s, %d processors; %s; medians of %d\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), n, rounds)
	fmt.Println("| engine | query | raw SQL | without rollups | raw ÷ that " +
		"| with rollups | raw ÷ that |")
	fmt.Println("|---|---|--:|--:|--:|--:|--:|")
	var notes []string
	for name := range strings.SplitSeq(engines, ",") {
		b, err := open(ctx, name, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if b == nil {
			notes = append(notes, "skipped: CONVO_POSTGRES_DSN is not set")
			continue
		}
		note, err := b.measure(ctx, n, rounds)
		if err := errors.Join(err, b.drop()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		notes = append(notes, note)
	}
	fmt.Println()
	for _, note := range notes {
		fmt.Println("- " + note)
	}
	return nil
}

// bench is a database to measure on.
type bench struct {
	name    string
	dialect sqlstore.Dialect
	db      *sql.DB
	drop    func() error
}

func open(ctx context.Context, name, dir string) (*bench, error) {
	switch name {
	case "sqlite":
		folder, err := os.MkdirTemp(dir, "convo-report-")
		if err != nil {
			return nil, err
		}
		db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(folder, "report.sqlite"))
		drop := func() error { return errors.Join(db.Close(), os.RemoveAll(folder)) }
		return &bench{name: "SQLite", dialect: sqlstore.SQLite, db: db, drop: drop}, err
	case "postgresql":
		dsn := os.Getenv("CONVO_POSTGRES_DSN")
		if dsn == "" {
			return nil, nil
		}
		const database = "convo_bench_report"
		admin, err := sql.Open("pgx", dsn)
		if err != nil {
			return nil, err
		}
		if _, err = admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+database); err == nil {
			_, err = admin.ExecContext(ctx, "CREATE DATABASE "+database)
		}
		if err != nil {
			return nil, err
		}
		db, err := sql.Open("pgx", strings.Replace(dsn, "/postgres?", "/"+database+"?", 1))
		drop := func() error {
			_ = db.Close()
			_, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+database)
			return errors.Join(err, admin.Close())
		}
		return &bench{name: "PostgreSQL", dialect: sqlstore.PostgreSQL, db: db, drop: drop}, err
	}
	return nil, fmt.Errorf("no such engine; there are sqlite and postgresql")
}

// rows are conversations of 10,000 contacts and 50 users, opened evenly over the year, assigned,
// answered and closed after a minute to a day; the first thousand are active. The numbers are
// spread evenly by primes, the same in each run.
const (
	contacts = `INSERT INTO convo_contacts (workspace, id, version, created_at, seen_at, blocked)
	SELECT 'acme', CONCAT('contact-', i), 1, {start}, {start}, FALSE FROM {numbers}`

	conversations = `INSERT INTO convo_conversations (workspace, id, origin, channel, lane,
		created_at, contact, new_contact, status, status_since, version, updated_at,
		last_activity_at, address_channel, address, assignee, team, assigned_at, priority, active,
		active_slot, number, opened_at, opened_by_type, opened_by_id, opened_source,
		first_assigned_at, first_assignee, last_assignee, last_team, first_response_at,
		first_responder_type, first_responder_id, turn_since, responses, response_micros,
		pending_micros, incoming, outgoing_user, outgoing_automation, closed_at, closed_by_type,
		closed_by_id, closed_source, category, summary, score)
	SELECT 'acme', id, contact, 'whatsapp', '', at, contact, i < 10000,
		CASE WHEN active THEN 'open' ELSE 'closed' END,
		CASE WHEN active THEN at ELSE at + took END, CASE WHEN active THEN 4 ELSE 5 END, at, at, '',
		'', agent, team, at + took / 20, 0, active, CASE WHEN active THEN contact END, 1, at,
		'contact', contact, 'incoming_message', at + took / 20, agent, agent, team,
		at + took / 10, 'user', agent, at + took / 10, {replies}, {replies} * (took / 10), 0,
		{received}, {replies}, 0, CASE WHEN NOT active THEN at + took END,
		CASE WHEN active THEN '' ELSE 'user' END,
		CASE WHEN active THEN '' ELSE agent END, CASE WHEN active THEN '' ELSE 'user' END,
		CASE WHEN active THEN '' ELSE 'Support' END, CASE WHEN active THEN '' ELSE 'Done.' END, 0
	FROM {rows} v`

	actives = `INSERT INTO convo_active (workspace, id, status, channel, lane, created_at,
		assignee, team, priority)
	SELECT 'acme', id, 'open', 'whatsapp', '', at, agent, team, 0 FROM {rows} v WHERE active`

	cycles = `INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
		opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee,
		last_assignee, last_team, first_response_at, first_response_sent_at, first_responder_type,
		first_responder_id, first_waiting_since, turn_since, responses, response_micros,
		pending_micros, incoming, outgoing_user, outgoing_automation, closed_at, closed_by_type,
		closed_by_id, closed_source, category, summary, score)
	SELECT 'acme', id, 'whatsapp', '', 1, at, 'contact', contact, 'incoming_message',
		at + took / 20, agent, agent, team, at + took / 10, at + took / 10, 'user', agent, at,
		at + took / 10, {replies}, {replies} * (took / 10), 0, {received}, {replies}, 0,
		at + took, 'user', agent, 'user', 'Support', 'Done.', 0
	FROM {rows} v WHERE NOT active`

	// Each event has what reports need of what was before it, as the library writes it: an opening
	// (1), a message (2), an assignment (3), a reply (4), further messages and replies in turns,
	// evenly over the time, and, unless it is active, a closing, the last.
	events = `INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq,
		kind, at, by_type, by_id, source, channel, lane, body, category, summary, assignee, team,
		response, new_contact, status_before, assignee_before, team_before, lane_before,
		channel_before, cycle, opened_source, status_since, assigned_at, was_assigned, opened_at,
		turn, turn_since, waiting_since, replies)
	SELECT 'acme', id, e, {event}, contact, CASE WHEN e = 1 THEN 1 END, kind, now,
		CASE WHEN kind IN ('conversation_opened', 'message_received') THEN 'contact' ELSE 'user'
			END,
		CASE WHEN kind IN ('conversation_opened', 'message_received') THEN contact ELSE agent END,
		CASE e WHEN 1 THEN 'incoming_message' WHEN {last} THEN 'user' END,
		CASE WHEN e = 1 OR message THEN 'whatsapp' END, CASE WHEN e = 1 THEN '' END,
		CASE WHEN message THEN CONCAT('About my order ', i) END,
		CASE WHEN e = {last} THEN 'Support' END, CASE WHEN e = {last} THEN 'Done.' END,
		CASE WHEN e = 3 THEN agent END, CASE WHEN e = 3 THEN team END,
		CASE WHEN kind = 'message_sent' THEN TRUE END, CASE WHEN e = 1 AND i < 10000 THEN TRUE END,
		CASE WHEN e > 1 THEN 'open' END, CASE WHEN e > 3 THEN agent END,
		CASE WHEN e > 3 THEN team END, CASE WHEN e > 1 THEN '' END,
		CASE WHEN e > 1 THEN 'whatsapp' END, CASE WHEN e > 1 THEN 1 END,
		CASE WHEN e > 1 THEN 'incoming_message' END, CASE WHEN e = {last} THEN at END,
		CASE WHEN e = {last} THEN at + took / 20 END, CASE WHEN e = {last} THEN TRUE END,
		CASE WHEN e IN (3, {last}) THEN at END,
		CASE WHEN e = 2 THEN 'nobody' WHEN e = {last} THEN '{turn}' WHEN kind = 'message_sent'
			THEN 'contact_waiting' WHEN message THEN 'awaiting_contact' END,
		CASE WHEN e IN (2, 4) THEN at WHEN message THEN now - took / {parts}
			WHEN e = {last} THEN at + took / 10 + ({last} - 5) * (took / {parts}) END,
		CASE e WHEN 4 THEN at WHEN {last} THEN {waiting}
			ELSE CASE WHEN kind = 'message_sent' THEN now - took / {parts} END END,
		CASE WHEN e = {last} THEN {replies} END
	FROM (SELECT v.*, e, e IN (2, 4) OR e > 4 AND e < {last} AS message,
		CASE WHEN e = 1 THEN 'conversation_opened' WHEN e = 3 THEN 'conversation_assigned'
			WHEN e = {last} THEN 'conversation_closed' WHEN e = 2 OR e % 2 = 1 THEN
			'message_received' ELSE 'message_sent' END AS kind,
		CASE WHEN e = 3 THEN at + took / 20 WHEN e = {last} THEN at + took WHEN e > 3 THEN
			at + took / 10 + (e - 4) * (took / {parts}) ELSE at END AS now
		FROM {rows} v CROSS JOIN {each}) v
	WHERE (e < {last} OR NOT active) {lean}`

	queue = `INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
	SELECT 'acme', id, 1 FROM {rows} v`
)

func (b *bench) fill(ctx context.Context, n size) error {
	// of lists, which are not asked for
	for _, index := range []string{"contact", "assignee", "channel", "team", "category"} {
		if _, err := b.db.ExecContext(ctx, "DROP INDEX convo_conversations_"+index); err != nil {
			return err
		}
	}
	for _, t := range []struct {
		text string
		rows int
	}{
		{contacts, 10_000}, {conversations, n.conversations}, {actives, 1000},
		{cycles, n.conversations}, {events, n.conversations}, {queue, n.conversations},
	} {
		for from := 0; from < t.rows; from += 100_000 {
			if _, err := b.db.ExecContext(ctx, b.text(t.text, n, from,
				min(t.rows, from+100_000))); err != nil {
				return err
			}
		}
	}
	_, err := b.db.ExecContext(ctx, map[sqlstore.Dialect]string{sqlstore.SQLite: "ANALYZE",
		sqlstore.PostgreSQL: "VACUUM ANALYZE"}[b.dialect])
	return err
}

func (b *bench) text(statement string, n size, from, to int) string {
	id, event := "unhex(printf('%032x', i))", "unhex(printf('e%031x', i * 16 + e))"
	if b.dialect == sqlstore.PostgreSQL {
		id = "lpad(to_hex(i), 32, '0')::uuid"
		event = "('e' || lpad(to_hex(i * 16 + e), 31, '0'))::uuid"
	}
	start := fmt.Sprint(year.UnixMicro())
	step := fmt.Sprint(365 * 24 * time.Hour.Microseconds() / int64(n.conversations))
	left := ""
	if n.lean {
		left = "AND NOT message"
	}
	turn, waiting := "awaiting_contact", "NULL"
	if n.messages%2 == 1 { // the last one is the contact's
		turn, waiting = "contact_waiting", "at + took / 10 + ({last} - 5) * (took / {parts})"
	}
	statement = strings.ReplaceAll(statement, "{rows}", `(SELECT i, `+id+` AS id,
		`+start+` + i * `+step+` AS at,
		CONCAT('contact-', i % 10000) AS contact, CONCAT('agent-', a % 50) AS agent, CONCAT('team-',
		a % 5) AS team,
		60000000 + b * b * 860 AS took, i < 1000 AS active FROM (
		SELECT i, i * 7919 % 10007 AS a, i * 104729 % 10009 AS b FROM {numbers}) n)`)
	statement = strings.ReplaceAll(statement, "{waiting}", waiting)
	last := n.messages + 3
	return strings.NewReplacer("{lean}", left, "{numbers}", b.numbers("i", from, to),
		"{each}", b.numbers("e", 1, last+1), "{last}", fmt.Sprint(last), "{parts}",
		fmt.Sprint(n.messages+1), "{replies}", fmt.Sprint(n.messages/2),
		"{received}", fmt.Sprint((n.messages+1)/2), "{turn}", turn, "{start}", start,
		"{event}", event).Replace(statement)
}

// numbers is a table of those from a number up to before another one, in a column.
func (b *bench) numbers(column string, from, to int) string {
	if b.dialect == sqlstore.PostgreSQL {
		return fmt.Sprintf("generate_series(%d::bigint, %d) AS %s(%s)", from, to-1, column, column)
	}
	return fmt.Sprintf("(WITH RECURSIVE r(%s) AS (SELECT %d UNION ALL SELECT %s + 1 FROM r "+
		"WHERE %s < %d) SELECT %s FROM r) r", column, from, column, column, to-1, column)
}

func (b *bench) byHand(ctx context.Context, statements []string) error {
	for _, text := range statements {
		text = strings.NewReplacer("{from}", fmt.Sprint(year.UnixMicro()), "{to}",
			fmt.Sprint(year.AddDate(1, 0, 0).UnixMicro())).Replace(text)
		rows, err := b.db.QueryContext(ctx, text)
		if err != nil {
			return err
		}
		for rows.Next() { // reading it is the work
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measure(ctx context.Context, n size, rounds int) (note string, err error) {
	config := sqlstore.Config{DB: b.db, Dialect: b.dialect}
	if err := config.Migrate(ctx); err != nil {
		return "", err
	}
	began := time.Now()
	if err := b.fill(ctx, n); err != nil {
		return "", err
	}
	filled := time.Since(began)
	s, err := config.Open(ctx)
	if err != nil {
		return "", err
	}
	all := slices.DeleteFunc(queries(), func(q query) bool { return n.lean && q.ofMessages() })
	took := make([][3][]time.Duration, len(all)) // raw, without, with
	turn := func(which, rounds int) error {
		for range rounds {
			for i, q := range all {
				for j, f := range []func() error{
					func() error { return b.byHand(ctx, q.raw[b.dialect]) },
					func() error { return q.ask(ctx, s) },
				} {
					if which == 2 && j == 0 {
						continue
					}
					began := time.Now()
					if err := f(); err != nil {
						return fmt.Errorf("%s: %w", q.name, err)
					}
					k := j * which
					took[i][k] = append(took[i][k], time.Since(began))
				}
			}
		}
		return nil
	}
	if err := turn(1, rounds); err != nil {
		return "", err
	}
	began = time.Now()
	for done, more := 0, true; more; {
		var m int
		if m, more, err = s.Rollup(ctx, 100_000); err != nil {
			return "", err
		}
		done += m
		fmt.Fprintf(os.Stderr, "\r%s: %d of %d conversations rolled up", b.name, done,
			n.conversations)
	}
	fmt.Fprintln(os.Stderr)
	rolled := time.Since(began)
	if b.dialect == sqlstore.PostgreSQL {
		if _, err := b.db.ExecContext(ctx, "VACUUM ANALYZE"); err != nil {
			return "", err
		}
	}
	if err := turn(2, max(rounds, 5)); err != nil {
		return "", err
	}
	for i, q := range all {
		m := func(k int) float64 {
			slices.Sort(took[i][k])
			return float64(took[i][k][len(took[i][k])/2].Microseconds()) / 1000
		}
		fmt.Printf("| %s | %s | %.1f ms | %.1f ms | %.2f | %.1f ms | %.1f |\n", b.name, q.name,
			m(0), m(1), m(0)/m(1), m(2), m(0)/m(2))
	}
	var rows, bytes float64
	if err := b.db.QueryRowContext(ctx, `SELECT count(*), sum(coalesce(length(sums), 0) +
		coalesce(length(sketches), 0) + coalesce(length(half_hours), 0) +
		coalesce(length(half_hour_sketches), 0)) FROM convo_rollups`).Scan(
		&rows, &bytes); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: filled in %v, rolled up in %v (%.0f conversations a second); the "+
		"rollups are %.0f rows of %.0f bytes on average", b.name, filled.Round(time.Second),
		rolled.Round(time.Second), float64(n.conversations)/rolled.Seconds(), rows, bytes/rows), nil
}
