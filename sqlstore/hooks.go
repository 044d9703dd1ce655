package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/hook"
)

// What the tests in sqltest, a module of their own, use of this package beside what it exports.
func init() {
	hook.Statements = map[string]string{
		"updateContact": updateContact, "updateByMessages": updateByMessages,
		"updateConversation": updateConversation, "insertContact": insertContact,
		"insertEvent": insertEvent, "actives": actives, "otherActive": otherActive,
		"contactColumns": contactColumns, "eventColumns": eventColumns,
	}
	hook.InsertOnce = func(store any) string { return store.(*Store).d.insertOnce }
	hook.Reworded = func(store any, other map[string]string) any {
		s := *store.(*Store)
		d := *s.d
		d.commit = nil
		texts := make(map[string]string, len(other))
		for statement, text := range other {
			texts[statement] = d.text(text, s.prefix)
		}
		s.d, s.stmts = &d, &statements{db: s.db, d: &d, prefix: s.prefix, texts: texts}
		return &s
	}
	hook.Cycles = func(
		ctx context.Context, store any, workspace string, id uuid.UUID,
	) (all []convo.Cycle, err error) {
		s := store.(*Store)
		err = s.rows(ctx, "SELECT "+cycleColumns+` FROM convo_cycles
	WHERE workspace = ? AND conversation = ? ORDER BY number`,
			[]any{workspace, s.d.id(id)}, func(scan func(...any) error) error {
				all = append(all, convo.Cycle{})
				return scan(cycleDests(nil, &all[len(all)-1])...)
			})
		return all, err
	}
	hook.Waiting = func(store any) int {
		w := store.(*Store).writer
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.waiting)
	}
	hook.Remembered = func(store any) int { return len(store.(*Store).stmts.blocks.on) }
	hook.Alone = func(ctx context.Context, store any, workspace string, f func() error) error {
		hold := func(*Store, int64) error { return f() }
		return store.(*Store).holdRollups(ctx, workspace, hold)
	}
}
