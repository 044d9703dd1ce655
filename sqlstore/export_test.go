package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Unguarded is s without what keeps races from doing harm, as one would write it first: no version is compared, no slot looked
// at, and of two rows in one place the last one wins. What is left is the unique slot, which is the schema's: see DropSlot.
func (s *Store) Unguarded() *Store {
	d := *s.d
	d.commit = nil
	blind := func(statement string) string {
		return strings.Replace(statement, "AND version = ?", "AND version <> 0 - ?", 1)
	}
	texts := map[string]string{
		updateContact:    blind(updateContact),
		updateByMessages: blind(updateByMessages),
		updateConversation: strings.Replace(blind(updateConversation),
			"NOT EXISTS ("+otherActive+")", "(version > 0 OR NOT EXISTS ("+otherActive+"))", 1),
		insertContact + d.insertOnce: insertContact + d.overwrite("workspace, id", contactColumns),
		insertEvent + d.insertOnce:   insertEvent + d.overwrite("workspace, conversation, seq", eventColumns),
		actives:                      actives + " LIMIT 1",
	}
	for statement, text := range texts {
		if text == statement {
			panic("the guard is no longer where it was: " + statement)
		}
		texts[statement] = d.text(text, s.prefix)
	}
	u := *s
	u.d = &d
	u.stmts = &statements{db: s.db, d: &d, prefix: s.prefix, texts: texts}
	return &u
}

// overwrite has an INSERT take the place of the row with the same key.
func (d *dialect) overwrite(key, columns string) string {
	clause, value := " ON CONFLICT ("+key+") DO UPDATE SET ", "excluded.?"
	if d.insertOnce == "" {
		clause, value = " ON DUPLICATE KEY UPDATE ", "VALUES(?)"
	}
	var sets []string
	for c := range strings.SplitSeq(strings.Join(strings.Fields(columns), " "), ", ") {
		sets = append(sets, c+" = "+strings.Replace(value, "?", c, 1))
	}
	return clause + strings.Join(sets, ", ")
}

// DropSlot drops the index that keeps the active conversation of a contact single.
func (s *Store) DropSlot(ctx context.Context) error {
	drop := "DROP INDEX convo_conversations_active_slot"
	if s.d == &mariadb {
		drop += " ON convo_conversations"
	}
	_, err := s.db.ExecContext(ctx, s.d.text(drop, s.prefix))
	return err
}

// Kept are the closed cycles of a conversation as the table of cycles has them.
func (s *Store) Kept(ctx context.Context, workspace string, conversation uuid.UUID) (kept []convo.Cycle, err error) {
	err = s.rows(ctx, "SELECT "+cycleColumns+" FROM convo_cycles WHERE workspace = ? AND conversation = ? ORDER BY number",
		[]any{workspace, s.d.id(conversation)}, func(scan func(...any) error) error {
			kept = append(kept, convo.Cycle{})
			return scan(cycleDests(nil, &kept[len(kept)-1])...)
		})
	return kept, err
}

// Waiting is how many wait for their turn to write to a SQLite file.
func (s *Store) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.waiting)
}

// Remembered is of how many connections the prepared blocks are kept.
func (s *Store) Remembered() int { return len(s.stmts.blocks.on) }

// Alone runs f while no other call rolls up a workspace.
func (s *Store) Alone(ctx context.Context, workspace string, f func() error) error {
	return s.holdRollups(ctx, workspace, func(*Store, int64) error { return f() })
}

// RollupVersion is that of the rollups which this package writes, and RolledUp lists what they have
// rows of.
const RollupVersion = rollupVersion

// RolledUp is a line for each measure that rollups have rows of, with the dimensions by which.
func RolledUp() (lines []string) {
	for _, m := range rollupMeasures {
		lines = append(lines, fmt.Sprint(m, " ", rollupDimensions[m.TimeBasis()]))
	}
	return lines
}
