package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// How many rows are read and written with a statement, and with how many bytes in them, but that
// one row may have more.
const (
	storedAtOnce  = 100
	writtenAtOnce = 50
	bytesAtOnce   = 256 << 10
)

// The arguments of a row: of its key within a workspace, and of all of it.
const (
	argsOfKey    = 5
	argsOfRollup = 11
)

// addRollups adds what is new to the rows that are there. Those it reads and writes many at a time.
func (s *Store) addRollups(ctx context.Context, workspace string, sums *rollupSums) error {
	sums.widen()
	var keys []rollupKey
	for k := range sums.rows {
		if k.width != halfHour {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, rollupKey.compare)
	stored := manyRows{s: s, atOnce: s.d.AtOnce(storedAtOnce, argsOfKey, 1), text: s.storedRollups}
	for some := range slices.Chunk(keys, stored.atOnce) {
		if err := stored.addTo(ctx, sums, workspace, some); err != nil {
			return err
		}
	}
	write := manyRows{
		s: s, atOnce: s.d.AtOnce(writtenAtOnce, argsOfRollup, 0), text: s.upsertRollups,
	}
	for _, k := range keys {
		r, err := sums.encode(k)
		if err != nil {
			return err
		}
		size := len(r.sums) + len(r.sketches) + len(r.halfHours) + len(r.halfHourSketches)
		if write.full(size) {
			if err := write.exec(ctx); err != nil {
				return err
			}
		}
		write.add(size, workspace, string(k.dimension), int64(k.subject), k.width, k.slot, k.value,
			rollupVersion, orNull(r.sums), orNull(r.sketches), orNull(r.halfHours),
			orNull(r.halfHourSketches))
	}
	return write.exec(ctx)
}

// orNull is NULL where there is nothing: dqlite's driver would write an empty blob, which a copy of
// the row is not.
func orNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// storedRollups finds so many rows by their keys.
func (s *Store) storedRollups(rows int) string {
	return s.d.StoredRollups("dimension, subject, slot_micros, "+rollupColumns, rows)
}

// upsertRollups writes so many rows.
func (s *Store) upsertRollups(rows int) string {
	const columns = "workspace, dimension, subject, slot_micros, slot_number, dimension_value, " +
		"version, sums, sketches, half_hours, half_hour_sketches"
	row := "(" + dialect.Placeholders(argsOfRollup) + ")"
	return "INSERT INTO convo_rollups (" + columns + ") VALUES " + row +
		strings.Repeat(", "+row, rows-1) + s.d.UpsertRollups
}

// manyRows sends a statement for many rows at once, again and again.
type manyRows struct {
	s      *Store
	atOnce int
	text   func(rows int) string
	most   *sql.Stmt // for atOnce, until the transaction ends

	args        []any
	rows, bytes int
}

// full reports whether a row of so many bytes is to go with the next statement.
func (m *manyRows) full(bytes int) bool {
	return m.rows == m.atOnce || m.rows > 0 && m.bytes+bytes > bytesAtOnce
}

func (m *manyRows) add(bytes int, args ...any) {
	m.args, m.rows, m.bytes = append(m.args, args...), m.rows+1, m.bytes+bytes
}

// prepared is the statement for all that was added, if there is as much as it mostly is; else its
// text.
func (m *manyRows) prepared(ctx context.Context) (st *sql.Stmt, text string, err error) {
	if m.rows < m.atOnce || m.s.stmts.unprepared {
		return nil, m.s.d.Text(m.text(m.rows), m.s.prefix), nil
	}
	if m.most == nil {
		m.most, err = m.s.tx.tx.PrepareContext(ctx, m.s.d.Text(m.text(m.rows), m.s.prefix))
	}
	return m.most, "", err
}

func (m *manyRows) exec(ctx context.Context) error {
	if m.rows == 0 {
		return nil
	}
	st, text, err := m.prepared(ctx)
	switch {
	case err != nil:
	case st != nil:
		_, err = st.ExecContext(ctx, m.args...)
	default:
		_, err = m.s.tx.tx.ExecContext(ctx, text, m.args...)
	}
	m.args, m.rows, m.bytes = m.args[:0], 0, 0
	return err
}

// addTo adds those rows that are stored to what is new.
func (m *manyRows) addTo(
	ctx context.Context, sums *rollupSums, workspace string, keys []rollupKey,
) error {
	m.args, m.rows = m.args[:0], 0
	for _, k := range keys {
		m.add(0, string(k.dimension), int64(k.subject), k.width, k.slot, k.value)
	}
	m.args = append(m.args, workspace)
	st, text, err := m.prepared(ctx)
	if err != nil {
		return err
	}
	var rows *sql.Rows
	if st != nil {
		rows, err = st.QueryContext(ctx, m.args...)
	} else {
		rows, err = m.s.tx.tx.QueryContext(ctx, text, m.args...)
	}
	var dimension dialect.Text
	var subject, width dialect.Int
	var row rollupRow
	dests := row.dests(&dimension, &subject, &width)
	return m.s.each(ctx, rows, err, func(scan func(...any) error) error {
		if err := scan(dests...); err != nil {
			return err
		}
		return sums.addStored(rollupKey{
			report.Dimension(dimension), report.Subject(subject), int64(width), int64(row.slot),
			string(row.value),
		}, &row)
	})
}
