package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

var _ report.Store = (*Store)(nil)

// A fact is a measure in SQL: how often it is in a cycle y, and how long together. {c} is its conversation, o the contact that
// was opened for, {status} the status of the cycle.
type fact struct {
	when  string // optional
	count string // if not 1
	sum   string // optional
}

const (
	isNew      = `y.number = 1 AND {c}.created_at = o.created_at`
	resolution = `y.closed_at - y.opened_at`
)

var facts = map[report.Measure]fact{
	report.Opened:      {},
	report.OpenedNew:   {when: `y.number = 1`},
	report.Reopened:    {when: `y.number > 1`},
	report.NewContacts: {when: isNew},
	report.Returning:   {when: `NOT (` + isNew + `)`},
	report.Closed:      {},
	report.Resolution:  {sum: resolution},
	report.ActiveResolution: {
		sum: `CASE WHEN ` + resolution + ` > y.pending_micros THEN ` + resolution + ` - y.pending_micros ELSE 0 END`,
	},
	report.FirstResolution: {when: `y.number = 1`, sum: resolution},
	report.LastResolution:  {sum: `y.closed_at - {c}.created_at`},
	report.FirstResponse:   {sum: `y.first_response_at - y.opened_at`},
	report.Response:        {when: `y.responses > 0`, count: `y.responses`, sum: `y.response_micros`},
	report.Assignment:      {sum: `y.first_assigned_at - y.opened_at`},
}

// what a measure is by its Basis.
var times = [...]string{
	report.ByOpening: `y.opened_at`, report.ByClosing: `y.closed_at`, report.ByResponse: `y.first_response_at`,
	report.ByAssignment: `y.first_assigned_at`, report.ByMessage: `e.at`,
}

// Dimensions in SQL.
var values = map[report.Dimension]string{
	report.Channel:        `{c}.channel`,
	report.OpenedSource:   `y.opened_source`,
	report.ClosedSource:   `y.closed_source`,
	report.Category:       `y.category`,
	report.Team:           `y.last_team`,
	report.FirstResponder: `CASE WHEN y.first_responder_type = 'user' THEN y.first_responder_id ELSE '' END`,
	report.Closer:         `CASE WHEN y.closed_by_type = 'user' THEN y.closed_by_id ELSE '' END`,
	report.FirstAssignee:  `y.first_assignee`,
	report.LastAssignee:   `y.last_assignee`,
	report.ContactType:    `CASE WHEN ` + isNew + ` THEN 'new' ELSE 'returning' END`,
	report.Status:         `{status}`,
}

// Of messages e.
var messageValues = map[report.Dimension]string{
	report.Channel:     `c.channel`,
	report.ContactType: `CASE WHEN c.created_at = o.created_at THEN 'new' ELSE 'returning' END`,
	report.Author:      `CASE WHEN e.kind = 'message_sent' AND e.by_type = 'user' THEN e.by_id ELSE '' END`,
}

var messageFacts = map[report.Measure]string{
	report.Incoming:           `e.kind = 'message_received'`,
	report.OutgoingUser:       `e.kind = 'message_sent' AND e.by_type = 'user'`,
	report.OutgoingAutomation: `e.kind = 'message_sent' AND e.by_type = 'automation'`,
}

// Cells implements report.Store. What is in the rollups (see Rollup) is read from there, the rest from the cycles; both as they are
// at one moment.
func (s *Store) Cells(ctx context.Context, q report.Query) ([]report.Cell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	c := report.NewCollector(q, func() report.Sketch { return newSketch() })
	err := s.snapshot(ctx, func(s *Store) error {
		switch {
		case q.Measures[0].Basis() == report.ByMessage:
			return s.messages(ctx, &q, c)
		case q.Calendar != nil:
			return s.cyclesOf(ctx, &q, c)
		case q.Measures[0].Distinct():
			return s.things(ctx, &q, c)
		}
		return s.cells(ctx, &q, c)
	})
	if err != nil {
		return nil, err
	}
	return c.Cells()
}

// Which cycles are read: all of them, or those that are in the rollups, or those that are not.
const (
	allCycles      = ""
	rolledCycles   = " AND y.unrolled IS NULL"
	unrolledCycles = " AND y.unrolled = 1"
)

// anyRollup finds whether a workspace has rollups: any closed cycle has a resolution.
const anyRollup = `SELECT 1 FROM convo_rollups WHERE workspace = ? AND dimension = '' AND measure = 'resolution' LIMIT 1`

// cells reads the rollups as far as they have what q asks for, and the cycles for the rest.
func (s *Store) cells(ctx context.Context, q *report.Query, c *report.Collector) error {
	from, to := q.Borders[0].UnixMicro(), q.Borders[len(q.Borders)-1].UnixMicro()
	dimension, filter, ok := rolledBy(q)
	var slots []slots
	var edges [][2]int64
	if ok && !s.tx.savepoint { // a host's transaction may see the two as they are at two moments
		slots, edges, ok = cover(q.Borders, dimension == "")
	}
	if ok && len(slots) > 0 { // without rollups, the index by time is the better way
		var err error
		if ok, err = s.row(ctx, anyRollup, []any{q.Workspace}, []any{new(dialect.Int)}); err != nil {
			return err
		}
	}
	if !ok || len(slots) == 0 {
		return s.measured(ctx, q, c, allCycles, from, to)
	}
	for _, r := range slots {
		if err := s.rolled(ctx, q, c, dimension, filter, r); err != nil {
			return err
		}
	}
	for _, e := range edges {
		if err := s.measured(ctx, q, c, rolledCycles, e[0], e[1]); err != nil {
			return err
		}
	}
	return s.measured(ctx, q, c, unrolledCycles, from, to)
}

// snapshot has f see the database as it is at one moment, or, in a host's transaction, as that sees it.
func (s *Store) snapshot(ctx context.Context, f func(*Store) error) error {
	if s.tx != nil {
		return f(s)
	}
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.d.SnapshotIsolation, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	w := *s
	w.tx = &transaction{d: s.d, tx: tx, stmts: s.stmts}
	return f(&w)
}

// read is rows for a statement that is put together for one question: it is not kept prepared. It needs a transaction.
func (s *Store) read(ctx context.Context, statement string, args []any, f func(scan func(...any) error) error) error {
	rows, err := s.tx.tx.QueryContext(ctx, s.d.Text(statement, s.prefix), args...)
	return s.each(rows, err, f)
}

// rows of cycles y that are closed, and of those that run.
const (
	closedCycles  = `convo_cycles y`
	runningCycles = `convo_conversations y`

	joinConversation = ` JOIN convo_conversations c ON c.workspace = y.workspace AND c.id = y.conversation`
	joinContact      = ` JOIN convo_contacts o ON o.workspace = {c}.workspace AND o.id = {c}.origin`
)

// source is a statement with those tables that it needs beside cycles, and with what stands for {c} and {status}.
func source(running bool, text string) string {
	tables, c, status := "", "c", "'closed'"
	if strings.Contains(text, "o.created_at") {
		tables = joinContact
	}
	if running {
		c, status = "y", "y.status"
	} else if strings.Contains(tables+text, "{c}") {
		tables = joinConversation + tables
	}
	text = strings.Replace(text, " WHERE ", tables+" WHERE ", 1)
	return strings.NewReplacer("{c}", c, "{status}", status).Replace(text)
}

// where narrows cycles down to those of q between two times, also for bases that have no index of their own.
func (s *Store) where(q *report.Query, running bool, from, to int64) (text string, args []any) {
	basis := q.Measures[0].Basis()
	at := times[basis]
	text = " WHERE y.workspace = ? AND " + at + " >= ? AND " + at + " < ?"
	args = append(args, q.Workspace, from, to)
	switch {
	case running:
		text += " AND y.active = " + s.d.Boolean(true)
	case basis == report.ByResponse || basis == report.ByAssignment:
		text += " AND y.opened_at < ? AND y.closed_at >= ?"
		args = append(args, to, from)
	}
	for d, list := range q.Where {
		if len(list) == 0 {
			continue
		}
		text += " AND " + values[d] + " IN (" + dialect.Placeholders(len(list)) + ")"
		for _, value := range list {
			args = append(args, value)
		}
	}
	return text, args
}

// measured reads the cycles that q asks for between two times. Where percentiles are wanted, each duration is read; else, sums by
// the widest slot that fits the borders.
func (s *Store) measured(ctx context.Context, q *report.Query, c *report.Collector, also string, from, to int64) error {
	each := q.Quantiles && slices.ContainsFunc(q.Measures, report.Measure.Timed)
	err := s.measure(ctx, q, c, false, each, also, from, to)
	// Those that run are in no rollup; they are read with what is in none either.
	if err != nil || also == rolledCycles || q.Measures[0].Basis() == report.ByClosing {
		return err
	}
	return s.measure(ctx, q, c, true, each, "", from, to)
}

func (s *Store) measure(
	ctx context.Context, q *report.Query, c *report.Collector, running, each bool, also string, from, to int64,
) error {
	where, args := s.where(q, running, from, to)
	slot, group := times[q.Measures[0].Basis()], "''"
	if q.By != "" {
		group = values[q.By]
	}
	// Slots are counted from the first border, wherever the reading begins: so each is within one bucket.
	first, width := q.Borders[0].UnixMicro(), slotWidth(q.Borders)
	if !each {
		slot = s.d.Slot(slot)
		args = append([]any{first, width}, args...)
	}
	var at dialect.Int
	var value dialect.Text
	stats := make([]report.Stat, len(q.Measures))
	columns, dests := slot+", "+group, []any{&at, &value}
	for i, m := range q.Measures {
		more, into := facts[m].columns(each, &stats[i])
		columns, dests = columns+more, append(dests, into...)
	}
	table := closedCycles
	if also == unrolledCycles {
		table += s.d.PendingIndex
	}
	if running {
		table = runningCycles
	}
	statement := "SELECT " + columns + " FROM " + table + where + also
	if !each {
		statement += " GROUP BY 1, 2"
	}
	return s.read(ctx, source(running, statement), args, func(scan func(...any) error) error {
		if err := scan(dests...); err != nil {
			return err
		}
		when := int64(at)
		if !each {
			when = first + when*width
		}
		for i, m := range q.Measures {
			if stats[i].Count > 0 {
				c.Add(m, when, string(value), stats[i])
			}
		}
		return nil
	})
}

// columns are what st is read from: of each cycle, or, not each, of many together. What is only counted has no sum.
func (f fact) columns(each bool, st *report.Stat) (text string, dests []any) {
	count, sum := cmp.Or(f.count, "1"), f.sum
	if f.when != "" {
		count = "CASE WHEN " + f.when + " THEN " + count + " END"
		sum = "CASE WHEN " + f.when + " THEN " + sum + " END"
	}
	dests = []any{(*dialect.Int)(&st.Count), (*dialect.Int)(&st.Sum), (*dialect.Int)(&st.Min), (*dialect.Int)(&st.Max)}
	switch {
	case each && f.sum == "":
		return ", " + count, dests[:1]
	case each && f.count == "":
		return ", " + sum, []any{(*asDuration)(st)}
	case each:
		return ", " + count + ", " + sum, dests[:2]
	case f.sum == "":
		return ", sum(" + count + ")", dests[:1]
	}
	return ", sum(" + count + "), sum(" + sum + "), min(" + sum + "), max(" + sum + ")", dests
}

// asDuration is a Stat of one duration, or of none.
type asDuration report.Stat

func (d *asDuration) Scan(v any) error {
	var n dialect.Int
	err := n.Scan(v)
	*d = asDuration{}
	if v != nil {
		*d = asDuration{Count: 1, Sum: int64(n), Min: int64(n), Max: int64(n)}
	}
	return err
}

// slotWidth is the widest slot, in microseconds, of which each bucket has a whole number.
func slotWidth(borders []time.Time) int64 {
	a := borders[1].Sub(borders[0]).Microseconds()
	for i := 2; i < len(borders); i++ {
		for b := borders[i].Sub(borders[i-1]).Microseconds(); b != 0; {
			a, b = b, a%b
		}
	}
	return a
}

// things reads the different conversations and contacts.
func (s *Store) things(ctx context.Context, q *report.Query, c *report.Collector) error {
	from, to := q.Borders[0].UnixMicro(), q.Borders[len(q.Borders)-1].UnixMicro()
	where, args := s.where(q, false, from, to)
	group := "''"
	if q.By != "" {
		group = values[q.By]
	}
	width := slotWidth(q.Borders)
	slot := s.d.Slot(times[report.ByClosing])
	args = append([]any{from, width}, args...)
	for _, m := range q.Measures {
		thing := "y.conversation"
		if m == report.ClosedContacts {
			thing = "{c}.origin"
		}
		statement := "SELECT DISTINCT " + slot + ", " + group + ", " + thing + " FROM " + closedCycles + where
		var at dialect.Int
		var value, contact dialect.Text
		var conversation dialect.ID
		dest := any(&conversation)
		if m == report.ClosedContacts {
			dest = &contact
		}
		err := s.read(ctx, source(false, statement), args, func(scan func(...any) error) error {
			if err := scan(&at, &value, dest); err != nil {
				return err
			}
			one := string(contact)
			if m != report.ClosedContacts {
				one = string(conversation[:])
			}
			c.Distinct(m, from+int64(at)*width, string(value), one)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// messages counts messages.
func (s *Store) messages(ctx context.Context, q *report.Query, c *report.Collector) error {
	from, to := q.Borders[0].UnixMicro(), q.Borders[len(q.Borders)-1].UnixMicro()
	group, joins := "''", ""
	const join = ` JOIN convo_conversations c ON c.workspace = e.workspace AND c.id = e.conversation
		JOIN convo_contacts o ON o.workspace = c.workspace AND o.id = c.origin`
	args := []any{q.Workspace, from, to}
	where := " WHERE e.workspace = ? AND e.kind IN ('message_received', 'message_sent') AND e.at >= ? AND e.at < ?"
	for d, list := range q.Where {
		if len(list) > 0 {
			where, joins = where+" AND "+messageValues[d]+" IN ("+dialect.Placeholders(len(list))+")", join
			for _, v := range list {
				args = append(args, v)
			}
		}
	}
	if q.By != "" {
		group, joins = messageValues[q.By], join
	}
	width := slotWidth(q.Borders)
	columns := s.d.Slot("e.at") + ", " + group
	args = append([]any{from, width}, args...)
	for _, m := range q.Measures {
		columns += ", sum(CASE WHEN " + messageFacts[m] + " THEN 1 ELSE 0 END)"
	}
	var at dialect.Int
	var value dialect.Text
	counts := make([]dialect.Int, len(q.Measures))
	dests := []any{&at, &value}
	for i := range counts {
		dests = append(dests, &counts[i])
	}
	statement := "SELECT " + columns + " FROM convo_events e" + joins + where + " GROUP BY 1, 2"
	return s.read(ctx, statement, args, func(scan func(...any) error) error {
		if err := scan(dests...); err != nil {
			return err
		}
		for i, m := range q.Measures {
			if counts[i] > 0 {
				c.Add(m, from+int64(at)*width, string(value), report.Stat{Count: int64(counts[i])})
			}
		}
		return nil
	})
}

// reported are the columns of a report.Cycle, in the order of reportedDests.
const reported = `y.workspace, %s, {c}.origin, {c}.channel, {c}.created_at, o.created_at, {status}, `

func reportedColumns(running bool) string {
	id := "y.conversation"
	if running {
		id = "y.id"
	}
	return fmt.Sprintf(reported, id) + dialect.Cycle.Qualify("y")
}

func reportedDests(y *report.Cycle) []any {
	return dialect.Cycle.Dests([]any{
		(*dialect.Text)(&y.Workspace), (*dialect.ID)(&y.Conversation), (*dialect.Text)(&y.Contact),
		(*dialect.Text)(&y.Channel), (*dialect.Micros)(&y.CreatedAt),
		(*dialect.Micros)(&y.ContactSince), (*dialect.Text)(&y.Status),
	}, &y.Cycle)
}

// cyclesOf reads whole cycles, for what only Go can measure.
func (s *Store) cyclesOf(ctx context.Context, q *report.Query, c *report.Collector) error {
	from, to := q.Borders[0].UnixMicro(), q.Borders[len(q.Borders)-1].UnixMicro()
	for _, running := range []bool{false, true} {
		if running && q.Measures[0].Basis() == report.ByClosing {
			break
		}
		where, args := s.where(q, running, from, to)
		table := closedCycles
		if running {
			table = runningCycles
		}
		statement := source(running, "SELECT "+reportedColumns(running)+" FROM "+table+where)
		err := s.read(ctx, statement, args, func(scan func(...any) error) error {
			var y report.Cycle
			if err := scan(reportedDests(&y)...); err != nil {
				return err
			}
			c.Cycle(&y)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Cycles implements report.Store.
func (s *Store) Cycles(ctx context.Context, workspace string, from, to time.Time, f func(*report.Cycle) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s = s.within(ctx)
	at, id, number := from.UnixMicro(), uuid.Nil, 0
	for {
		page, more, err := s.cyclesPage(ctx, workspace, at, to.UnixMicro(), id, number)
		if err != nil {
			return err
		}
		for i := range page {
			if err := f(&page[i]); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		last := &page[len(page)-1]
		at, id, number = last.OpenedAt.UnixMicro(), last.Conversation, last.Number
	}
}

// cyclesPage is a page behind a place, of those that are closed and those that run.
func (s *Store) cyclesPage(
	ctx context.Context, workspace string, at, to int64, id uuid.UUID, number int,
) (page []report.Cycle, more bool, err error) {
	part := func(running bool) string {
		table, y, active := closedCycles, "y.conversation", ""
		if running {
			table, y, active = runningCycles, "y.id", " AND y.active = "+s.d.Boolean(true)
		}
		return source(running, "SELECT "+reportedColumns(running)+" FROM "+table+" WHERE y.workspace = ?"+active+
			" AND y.opened_at >= ? AND y.opened_at < ? AND (y.opened_at > ? OR "+y+" > ? OR "+y+" = ? AND y.number > ?)"+
			" ORDER BY y.opened_at, "+y+", y.number LIMIT ?")
	}
	args := []any{workspace, at, to, at, s.d.ID(id), s.d.ID(id), number, convo.MaxPageSize}
	// First those that run: one that is closed between the two is in both then, and not in none.
	for _, running := range []bool{true, false} {
		n := len(page)
		err := s.rows(ctx, part(running), args, func(scan func(...any) error) error {
			page = append(page, report.Cycle{})
			return scan(reportedDests(&page[len(page)-1])...)
		})
		if err != nil {
			return nil, false, err
		}
		more = more || len(page)-n == convo.MaxPageSize
	}
	slices.SortFunc(page, func(a, b report.Cycle) int {
		return cmp.Or(a.Compare(&b), cmp.Compare(a.Status, b.Status)) // closed comes first
	})
	page = slices.CompactFunc(page, func(a, b report.Cycle) bool { return a.Compare(&b) == 0 })
	if more {
		page = page[:min(len(page), convo.MaxPageSize)]
	}
	return page, more, nil
}

// Active implements report.Store.
func (s *Store) Active(ctx context.Context, workspace string) ([]report.ActiveCount, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	statement := "SELECT status, assignee, count(*), min(waiting_since) FROM convo_conversations WHERE workspace = ? AND active = " +
		s.d.Boolean(true) + " GROUP BY status, assignee"
	var out []report.ActiveCount
	err := s.rows(ctx, statement, []any{workspace}, func(scan func(...any) error) error {
		var a report.ActiveCount
		err := scan((*dialect.Text)(&a.Status), (*dialect.Text)(&a.Assignee), (*dialect.Int)(&a.Count), (*dialect.Micros)(&a.WaitingSince))
		out = append(out, a)
		return err
	})
	return out, err
}
