package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

var _ report.Store = (*Store)(nil)

// Aggregate implements report.Store. What is in the rollups (see Rollup) is read from there, the
// rest from the events; both as they are at one moment.
func (s *Store) Aggregate(ctx context.Context, a report.Aggregation) ([]report.Cell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	c, err := report.NewCollector(a, func() report.Sketch { return newSketch() })
	if err != nil {
		return nil, err
	}
	err = s.snapshot(ctx, func(s *Store) error { return s.aggregate(ctx, a, c) })
	if err != nil {
		return nil, err
	}
	return c.Aggregate()
}

// aggregate adds up each measure of a in the quickest way that is right for it.
func (s *Store) aggregate(ctx context.Context, a report.Aggregation, c *report.Collector) error {
	var distinct, live, inRollups []report.Measure
	for _, m := range a.Measures {
		switch {
		case m.Working(): // only Go knows working time
			from, to := ends(a.Boundaries)
			return s.eachEntry(ctx, &a, allEvents, from, to, c.AddEntry)
		case m.CountsDistinct():
			distinct = append(distinct, m)
		case len(m.RollupTerms()) == 0:
			live = append(live, m)
		default:
			inRollups = append(inRollups, m)
		}
	}
	for _, m := range distinct {
		if err := s.distinctIDs(ctx, &a, c, m); err != nil {
			return err
		}
	}
	if len(live) > 0 {
		a.Measures = live
		from, to := ends(a.Boundaries)
		if err := s.aggregateRows(ctx, &a, c, allEvents, from, to); err != nil {
			return err
		}
	}
	if len(inRollups) > 0 {
		a.Measures = inRollups
		return s.aggregateRollups(ctx, &a, c)
	}
	return nil
}

// ends are the first and the last boundary, in microseconds.
func ends(boundaries []time.Time) (from, to int64) {
	return boundaries[0].UnixMicro(), boundaries[len(boundaries)-1].UnixMicro()
}

// AtOneMoment implements report.Store.
func (s *Store) AtOneMoment(ctx context.Context, f func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.within(ctx).snapshot(ctx, func(in *Store) error {
		return f(context.WithValue(ctx, txKey{s.stmts}, in.tx))
	})
}

// snapshot has f see the database as it is at one moment, or, in a host's transaction, as that sees
// it.
func (s *Store) snapshot(ctx context.Context, f func(*Store) error) error {
	if s.tx != nil {
		return f(s)
	}
	return s.snapshotBy(ctx, s.db, f)
}

// snapshotBy is snapshot by a connection, or by any one of the pool.
func (s *Store) snapshotBy(ctx context.Context, by interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}, f func(*Store) error) error {
	tx, err := by.BeginTx(ctx, &sql.TxOptions{Isolation: s.d.SnapshotIsolation, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	w := *s
	w.tx = &transaction{d: s.d, tx: tx, stmts: s.stmts, snapshot: true}
	return f(&w)
}

// read is rows for a statement that is put together for one aggregation: it is not kept prepared.
// It needs a transaction.
func (s *Store) read(
	ctx context.Context, statement string, args []any, f func(scan func(...any) error) error,
) error {
	rows, err := s.tx.tx.QueryContext(ctx, s.d.Text(statement, s.prefix), args...)
	return s.each(ctx, rows, err, f)
}

// aggregateRows reads the events of a between two times that pending lets through. Where
// percentiles are wanted, each duration or score is read; else sums by the widest slot that fits
// the boundaries.
func (s *Store) aggregateRows(
	ctx context.Context, a *report.Aggregation, c *report.Collector, pending pending, from,
	to int64,
) error {
	if a.Subject().Splits() {
		return s.eachEntry(ctx, a, pending, from, to, c.AddEntry)
	}
	each := a.Quantiles && slices.ContainsFunc(a.Measures, report.Measure.Valued)
	for _, source := range sourcesOf(a.Subject()) {
		if source == ownMessages && pending == notPending {
			continue // they are in no rollup: they are read with what is pending
		}
		if err := s.aggregateSource(ctx, a, c, source, each, pending, from, to); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) aggregateSource(
	ctx context.Context, a *report.Aggregation, c *report.Collector, source source, each bool,
	pending pending, from, to int64,
) error {
	q := &selection{d: s.d, source: source, pending: pending}
	var at dialect.Int
	var value, labels dialect.Text
	// Slots are counted from the first boundary, wherever the reading begins: so each is within one
	// bucket.
	first, width := a.Boundaries[0].UnixMicro(), slotWidth(a.Boundaries)
	if each {
		q.add("ev.at", &at)
	} else {
		q.add(s.d.Slot("ev.at"), &at, first, width)
	}
	q.addGroup(a, &value)
	q.addLabels(a, &labels)
	stats := make([]report.Stat, len(a.Measures))
	for i, m := range a.Measures {
		q.addMeasure(m.SQL(q.column), each, &stats[i])
	}
	q.filter(a, from, to)
	statement := q.statement()
	if !each {
		statement += " GROUP BY 1, 2, 3"
	}
	return s.read(ctx, statement, q.args, func(scan func(...any) error) error {
		if err := scan(q.dests...); err != nil || !c.Lets(string(labels)) {
			return err
		}
		when := int64(at)
		if !each {
			when = first + when*width
		}
		for i, m := range a.Measures {
			if stats[i].Count != 0 {
				c.Add(m, when, string(value), stats[i])
			}
		}
		return nil
	})
}

// slotWidth is the widest slot, in microseconds, of which each bucket has a whole number.
func slotWidth(boundaries []time.Time) int64 {
	a := boundaries[1].UnixMicro() - boundaries[0].UnixMicro() // Sub ends at 292 years
	for i := 2; i < len(boundaries); i++ {
		for b := boundaries[i].UnixMicro() - boundaries[i-1].UnixMicro(); b != 0; {
			a, b = b, a%b
		}
	}
	return a
}

// distinctIDs reads the different things that m counts.
func (s *Store) distinctIDs(
	ctx context.Context, a *report.Aggregation, c *report.Collector, m report.Measure,
) error {
	from, to := ends(a.Boundaries)
	width := slotWidth(a.Boundaries)
	for _, source := range sourcesOf(a.Subject()) {
		q := &selection{d: s.d, source: source, distinct: true}
		var at dialect.Int
		var value, labels dialect.Text
		var id sql.RawBytes
		q.add(s.d.Slot("ev.at"), &at, from, width)
		q.addGroup(a, &value)
		q.addLabels(a, &labels)
		q.add(m.SQL(q.column).DistinctOf, &id)
		q.filter(a, from, to)
		err := s.read(ctx, q.statement(), q.args, func(scan func(...any) error) error {
			if err := scan(q.dests...); err != nil {
				return err
			}
			if id != nil && c.Lets(string(labels)) { // else m does not count it
				c.AddDistinct(m, from+int64(at)*width, string(value), string(id))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachEntry reads whole entries, for what only Go can measure or filter by: those of a between two
// times that pending lets through. The entry is valid until f returns.
func (s *Store) eachEntry(
	ctx context.Context, a *report.Aggregation, pending pending, from, to int64,
	f func(*report.Entry),
) error {
	for _, source := range sourcesOf(a.Subject()) {
		q := &selection{d: s.d, source: source, pending: pending}
		var y report.Entry
		q.addEntry(&y, nil)
		q.filter(a, from, to)
		err := s.read(ctx, q.statement(), q.args, func(scan func(...any) error) error {
			y = report.Entry{}
			if err := scan(q.dests...); err != nil {
				return err
			}
			f(&y)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Active implements report.Store.
func (s *Store) Active(ctx context.Context, workspace string) ([]report.ActiveCount, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	statement := `SELECT cv.status, cv.assignee, cv.team, cv.lane, cv.channel, count(*),
	min(cv.opened_at), min(cv.waiting_since) FROM convo_active ac` +
		s.d.LookUp("convo_conversations", "cv", "cv.workspace = ac.workspace AND cv.id = ac.id") + `
	WHERE ac.workspace = ?
	GROUP BY cv.status, cv.assignee, cv.team, cv.lane, cv.channel`
	var out []report.ActiveCount
	err := s.rows(ctx, statement, []any{workspace}, func(scan func(...any) error) error {
		var a report.ActiveCount
		err := scan((*dialect.Text)(&a.Status), (*dialect.Text)(&a.Assignee),
			(*dialect.Text)(&a.Team), (*dialect.Text)(&a.Lane), (*dialect.Text)(&a.Channel),
			(*dialect.Int)(&a.Count), (*dialect.Micros)(&a.OpenedAt),
			(*dialect.Micros)(&a.WaitingSince))
		out = append(out, a)
		return err
	})
	return out, err
}
