package sqlstore

import (
	"context"
	"io/fs"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
)

// What the tests in sqltest, a module of their own, use of this package beside what it exports.
func init() {
	hook.Unguarded = func(store any) any {
		s := *store.(*Store)
		d := *s.d
		d.commit = nil
		texts := dialect.Unguarded(d.Dialect)
		for statement, text := range texts {
			texts[statement] = d.Text(text, s.prefix)
		}
		s.sharing = nil
		s.d = &d
		s.stmts = newStatements(&s)
		s.stmts.instead = texts
		return &s
	}
	hook.Shared = func(store any) any {
		s := *store.(*Store)
		d := *s.d
		d.commit = func(ctx context.Context, s *Store, ch *convo.Change) (bool, error) {
			if s.tx == nil && dialect.Shares(ch) {
				written, err := hook.SharedBy(ctx, s, []convo.Change{*ch})
				if err != nil || written == 1 {
					return true, err
				}
			}
			return store.(*Store).d.commit(ctx, s, ch)
		}
		s.d, s.sharing = &d, nil
		return &s
	}
	hook.SharedBy = func(ctx context.Context, store any, changes []convo.Change) (int64, error) {
		s := store.(*Store)
		var parts []dialect.SharedPart
		for i := range changes {
			parts = append(parts, s.d.SharedPart(&changes[i], s.outbox))
		}
		return s.sendShared(ctx, parts)
	}
	hook.Waiting = func(store any) int {
		if sh := store.(*Store).sharing; sh != nil {
			sh.mu.Lock()
			defer sh.mu.Unlock()
			return len(sh.waiting)
		}
		w := store.(*Store).writer
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.waiting)
	}
	hook.Patience = func(store any, d time.Duration) { store.(*Store).sharing.patience = d }
	hook.Remembered = func(store any) int { return len(store.(*Store).stmts.blocks.on) }
	hook.Alone = func(ctx context.Context, store any, workspace string, f func() error) error {
		hold := func(*Store, int64) error { return f() }
		return store.(*Store).holdRollups(ctx, workspace, hold)
	}
	hook.Treated = dialect.Treated
	hook.Open = func(ctx context.Context, config any, known int64) (any, int64, error) {
		s, err := config.(Config).open(ctx, build{version: known, oldest: known - 1})
		if err != nil {
			return nil, 0, err
		}
		return s, s.schema, nil
	}
	hook.Migrate = func(ctx context.Context, config any, version, known int64, more fs.FS) error {
		b := build{known, known - 1, append(thisBuild.files[:1:1], more)}
		return config.(Config).migrateTo(ctx, b, version, true)
	}
}
