package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/internal/housekeeping"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Deliver implements convo.Store, by one statement, or by two: then the first one has kept the
// receipts, whatever becomes of the second.
func (s *Store) Deliver(
	ctx context.Context, workspace string, now time.Time, ds []convo.Delivery,
) (unknown int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	deliver := func(s *Store) error {
		unknown = 0 // it may be another try
		for some := range slices.Chunk(ds, s.d.AtOnce(len(ds), argsOfDelivery, 0)) {
			n, err := s.deliver(ctx, workspace, now, some)
			if unknown += n; err != nil {
				return err
			}
		}
		return nil
	}
	if s = s.within(ctx); s.tx == nil && s.d.oneWriter {
		err = s.inTransaction(ctx, deliver)
	} else {
		err = deliver(s)
	}
	return unknown, err
}

// argsOfDelivery are the arguments of a receipt: its columns but for one, and four more.
var argsOfDelivery = len(dialect.Deliveries.All) + 3

func (s *Store) deliver(
	ctx context.Context, workspace string, now time.Time, ds []convo.Delivery,
) (unknown int, err error) {
	args := make([]any, 0, argsOfDelivery*len(ds))
	for i := range ds {
		row := dialect.Delivery{Workspace: workspace, Delivery: ds[i], Rank: ds[i].Status.Rank()}
		args = dialect.Deliveries.All.Args(s.d.Dialect, args, &row)
		args = append(args[:len(args)-1], workspace, row.Channel, row.ExternalID, now.UnixMicro())
	}
	statement := s.d.InsertDeliveries(len(ds))
	count := func(scan func(...any) error) error {
		var since dialect.Micros
		err := scan(&since)
		if !time.Time(since).IsZero() {
			unknown++
		}
		return err
	}
	if s.d.NoReturning {
		if _, err := s.exec(ctx, statement, args...); err != nil {
			return 0, err
		}
		statement, args = s.d.UnknownAmong(len(ds)), args[:0]
		for i := range ds {
			args = append(args, workspace, ds[i].Channel, ds[i].ExternalID, ds[i].Address)
		}
	}
	err = s.rows(ctx, statement, args, count)
	return unknown, err
}

// exec carries out a statement by itself, and reports whether it changed a row.
func (s *Store) exec(ctx context.Context, statement string, args ...any) (changed bool, err error) {
	if s.tx != nil {
		changed, err = s.tx.update(ctx, statement, args...)
		return changed, s.readError(ctx, err)
	}
	if s.d.oneWriter {
		err = s.write(ctx, func(t *transaction) error {
			var err error
			changed, err = t.update(ctx, statement, args...)
			return err
		})
		return changed, err
	}
	result, err := s.db.ExecContext(ctx, s.d.Text(statement, s.prefix), args...)
	if err != nil {
		return false, s.refusal(err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// Deliveries implements convo.Store.
func (s *Store) Deliveries(
	ctx context.Context, workspace string, ids []convo.KeyID,
) (out []convo.Delivery, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s = s.within(ctx)
	var row dialect.Delivery
	dests := dialect.Deliveries.Read.Dests(nil, &row)
	for _, id := range ids {
		args := []any{workspace, id.Channel, id.ID}
		err := s.rows(ctx, dialect.DeliveriesOf, args, func(scan func(...any) error) error {
			err := scan(dests...)
			row.Status = convo.DeliveryStatusOf(row.Rank)
			out = append(out, row.Delivery)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ForgetDeliveries implements convo.Store.
func (s *Store) ForgetDeliveries(
	ctx context.Context, before time.Time, limit int,
) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s = s.within(ctx)
	var found [][]any
	args := []any{before.UnixMicro(), limit}
	err = s.rows(ctx, dialect.UnknownDeliveries, args, func(scan func(...any) error) error {
		var workspace, channel, id, address dialect.Text
		err := scan(&workspace, &channel, &id, &address)
		found = append(found,
			[]any{string(workspace), string(channel), string(id), string(address)})
		return err
	})
	for _, place := range found {
		if err != nil {
			return n, err
		}
		err = housekeeping.Do(ctx, place[0].(string), func(ctx context.Context) error {
			forgotten, err := s.exec(ctx, dialect.ForgetDelivery, place...)
			if err == nil && !forgotten { // its message came in between
				_, err = s.exec(ctx, dialect.DeliveryKnown, place...)
			}
			n++
			return err
		})
	}
	return n, err
}
