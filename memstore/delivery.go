package memstore

import (
	"context"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// receipt is what is known of the delivery of a message by an address.
type receipt struct {
	address  string
	status   convo.DeliveryStatus
	at       int64 // microseconds
	reason   string
	recorded int64 // microseconds; when the first one came
}

// Deliver implements convo.Store.
func (s *Store) Deliver(
	ctx context.Context, workspace string, now time.Time, ds []convo.Delivery,
) (unknown int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workspace(workspace)
	for i := range ds {
		d := &ds[i]
		name := keyName{w.word(d.Channel), strings.Clone(d.ExternalID)}
		if w.keys[name] == nil {
			unknown++
		}
		w.deliver(name, d, now.UnixMicro())
	}
	return unknown, nil
}

func (w *workspace) deliver(name keyName, d *convo.Delivery, now int64) {
	receipts := w.receipts[name]
	for i := range receipts {
		r := &receipts[i]
		if r.address == d.Address {
			if d.Status.Rank() > r.status.Rank() {
				r.status, r.at, r.reason = d.Status, d.At.UnixMicro(), strings.Clone(d.Reason)
			}
			return
		}
	}
	w.receipts[name] = append(receipts, receipt{
		strings.Clone(d.Address), d.Status, d.At.UnixMicro(), strings.Clone(d.Reason), now,
	})
}

// Deliveries implements convo.Store.
func (s *Store) Deliveries(
	ctx context.Context, workspace string, ids []convo.KeyID,
) (out []convo.Delivery, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workspaces[workspace]
	if w == nil {
		return nil, nil
	}
	for _, id := range ids {
		for _, r := range w.receipts[keyName{id.Channel, id.ID}] {
			out = append(out, convo.Delivery{
				Channel: id.Channel, Address: r.address, ExternalID: id.ID, Status: r.status,
				At: time.UnixMicro(r.at).UTC(), Reason: r.reason,
			})
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workspaces {
		for name, receipts := range w.receipts {
			if n >= limit {
				return n, nil
			}
			if w.keys[name] != nil {
				continue
			}
			kept := receipts[:0]
			for _, r := range receipts {
				if r.recorded >= before.UnixMicro() {
					kept = append(kept, r)
				} else {
					n++
				}
			}
			if w.receipts[name] = kept; len(kept) == 0 {
				delete(w.receipts, name)
			}
		}
	}
	return n, nil
}
