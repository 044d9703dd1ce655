package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// Store is a convo.Store on a database. It is safe for concurrent use, unless it works in a
// transaction: see WithTx. Open one by a Config.
type Store struct {
	d       *engine
	db      *sql.DB
	prefix  string
	schema  int64 // the version that it goes by: it does without what came later
	stmts   *statements
	writer  *writer  // of SQLite
	sharing *sharing // of the others
	turn    *rollupTurn
	tx      *transaction // in which all is done; nil: each call has its own
	outbox  bool         // notes its events for package relay
	feed    bool         // which adds them to a feed, too
	packet  int64        // the most that the server takes at once, in bytes; 0: anything
}

var (
	_ convo.Store         = (*Store)(nil)
	_ convo.Locker        = (*Store)(nil)
	_ convo.DueLocker     = (*Store)(nil)
	_ convo.IdentityIndex = (*Store)(nil)
)

// inTransactions are the statements that are used inside transactions.
func (s *Store) inTransactions() []string {
	all := []string{
		dialect.UpdateContact, dialect.UpdateConversation, dialect.UpdateByMessages,
		dialect.ContactAsLoaded, dialect.OtherActive, dialect.InsertCycle + s.d.UpsertCycle,
		dialect.InsertQueued + s.d.KeepQueued,
		dialect.RepointKey, dialect.RedactEvent, dialect.RedactContactEvent,
		s.d.MergeContacts(), dialect.ActiveTwice, dialect.MergeConversations,
		s.d.MergeActives(),
		dialect.UpdateActive, dialect.DeleteActive, dialect.MovePlace, dialect.DeletePlace,
	}
	for _, statement := range [...]string{
		dialect.InsertContact, dialect.InsertConversation, dialect.InsertEvent,
		dialect.InsertMessageEvent,
		dialect.InsertContactEvent, dialect.InsertAddress, dialect.InsertActive,
		dialect.InsertPlace, dialect.InsertMention,
	} {
		all = append(all, statement+s.d.InsertOnce)
	}
	if s.outbox {
		all = append(all, dialect.InsertNote)
	}
	if !s.d.oneWriter {
		all = append(all, s.d.HoldContact())
	}
	if s.d.InsertUnknownKey != "" {
		all = append(all, s.d.InsertUnknownKey+s.d.InsertOnce)
	} else {
		all = append(all, dialect.KnownKey, dialect.InsertKey)
	}
	for _, statement := range [...]string{
		dialect.LoadContact, dialect.LoadAddress, dialect.LoadConversation,
		dialect.LoadContactAndOwner,
	} {
		all = append(all, statement)
		if s.d.Lock != "" {
			all = append(all, s.d.ForUpdate(statement))
		}
	}
	return all
}

// Close gives back the prepared statements. It leaves the database open, for it is the caller's.
func (s *Store) Close() error { return s.stmts.close() }

// WithTx returns a store that does everything in the host's transaction, so that what it writes is
// committed, or rolled back, together with the host's own rows:
//
//	policy, err := engine.Policy(ctx, convo.Scope{Workspace: to.Workspace, Channel: "webchat"})
//	tx, err := db.BeginTx(ctx, nil)
//	_, err = tx.ExecContext(ctx, `INSERT INTO tickets …`)
//	_, err = engine.With(store.WithTx(tx), policy).Do(ctx, to, cmds...)
//	err = tx.Commit()
//
// The policy is looked up before tx begins, because a policy function that needs a connection could
// wait for the one that tx holds. The engine does not repeat a call that lost a race: on
// convo.ErrConflict or convo.ErrTransactionLost roll tx back, and begin again.
//
// The store never begins or commits tx. A refusal (ErrConflict, ErrDuplicate, ErrActiveExists)
// leaves tx as it was, so that the host may also go on without. ErrTransactionLost says that tx
// cannot go on: MariaDB ends it at a deadlock, PostgreSQL at a deadlock, at a lock that came too
// late, and when another transaction writes the same key or opens a conversation of the same
// contact at the same instant; and a call that was given up or killed in the middle may have ended
// it. tx.Commit fails then, instead of committing nothing. After any other error roll tx back.
//
// A call takes the same two round trips as without tx, once its statements are prepared, which the
// next call outside of tx does. Not so in a transaction of PostgreSQL's that is REPEATABLE READ or
// SERIALIZABLE, and for what changes several conversations: there a savepoint is around single
// statements. Savepoints are called convo; on MariaDB, one of the host's of that name is gone then.
//
// As tx, the store is for one goroutine at a time, and tx must be one of the database of its
// Config.
func (s *Store) WithTx(tx *sql.Tx) *Store {
	w := *s
	w.tx = &transaction{d: s.d, tx: tx, stmts: s.stmts, outbox: s.outbox, hosts: true}
	return &w
}

// Locked implements convo.Locker: under the context that f is given, this store works in one
// transaction, in which Load holds what it loads until the end.
func (s *Store) Locked(
	ctx context.Context, _ string, f func(ctx context.Context) error,
) error {
	if s.within(ctx).tx != nil {
		return f(ctx)
	}
	work := func(t *transaction) error {
		t.lock, t.failed = true, nil
		if err := f(context.WithValue(ctx, txKey{s.stmts}, t)); err != nil {
			return err
		}
		return t.failed // what was refused must not be committed in part
	}
	if s.writer != nil {
		return s.write(ctx, work)
	}
	s.stmts.prepareWanted(ctx)
	return s.transact(ctx, work)
}

// txKey finds a store's transaction in a context. The copies of a store share its statements.
type txKey struct{ of *statements }

// within is the store in the transaction that ctx carries for it, if it does.
func (s *Store) within(ctx context.Context) *Store {
	if s.tx != nil {
		return s
	}
	t, ok := ctx.Value(txKey{s.stmts}).(*transaction)
	if !ok {
		return s
	}
	w := *s
	w.tx = t
	return &w
}

// LockFirst implements convo.Locker: in SQLite one writes at a time anyway.
func (s *Store) LockFirst() bool { return s.writer != nil && s.tx == nil }

// IsLocked implements convo.Locker. A store of WithTx always is.
func (s *Store) IsLocked(ctx context.Context) bool { return s.within(ctx).tx != nil }

// inTransaction has f work in a transaction of its own, or, all or nothing, in the one that s has.
func (s *Store) inTransaction(ctx context.Context, f func(s *Store) error) error {
	run := func(t *transaction) error {
		w := *s
		w.tx = t
		return f(&w)
	}
	switch {
	case s.tx != nil:
		return s.refusal(s.tx.within(ctx, run))
	case s.writer != nil:
		return s.write(ctx, run)
	}
	return s.transact(ctx, run)
}

// transact runs f in a transaction of its own.
func (s *Store) transact(ctx context.Context, f func(*transaction) error) error {
	b, err := s.begin(ctx)
	if err != nil {
		return s.refusal(err)
	}
	return b.run(ctx, f)
}

// discard closes a connection in an unknown state, so that nobody else gets it. Not SQLite's: there
// may be only one, with all the data in its memory, and nobody kills its statements.
func (s *Store) discard(conn *sql.Conn) {
	if !s.d.InProcess() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// refusal turns the engine's word that somebody else was faster into ErrConflict, and explains what
// comes of a pooler.
func (s *Store) refusal(err error) error {
	if err != nil && s.d.conflict(err) && !errors.Is(err, convo.ErrConflict) &&
		!errors.Is(err, convo.ErrTransactionLost) {
		return fmt.Errorf("sqlstore: %w: %w", convo.ErrConflict, err)
	}
	return s.explained(err)
}

// resolveTimeout bounds how long it is tried to find out what came of a commit.
const resolveTimeout = 5 * time.Second

// resolveUnknownCommit finds out by reading back whether a commit that failed with err, or was
// refused, was carried out after all: the connection may have been lost on the way back, or the
// driver may have repeated it. It returns nil if it was, err when it was not, and ErrCommitUnknown
// when that cannot be told.
func (s *Store) resolveUnknownCommit(ctx context.Context, witnesses []witness, err error) error {
	known := isRefusal(err) || s.d.settled(err) // then what is not there will not come either
	if known && len(witnesses) == 0 {
		return s.refusal(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
	defer cancel()
	for _, w := range witnesses {
		if known && w.key != nil { // of a repetition, which wrote no event, the same one is there
			continue
		}
		there, other, perr := s.find(ctx, w)
		switch {
		// without the conflict, if it is one: the driver may have met it by repeating what was
		// carried out
		case perr != nil:
			return fmt.Errorf("sqlstore: %w: %s; asking what came of it: %w",
				convo.ErrCommitUnknown, err.Error(), perr)
		case perr == nil && there:
			return nil
		case perr == nil && other && !known:
			return fmt.Errorf("sqlstore: %w: %w", convo.ErrConflict, err)
		}
	}
	if known || s.d.InProcess() {
		return s.refusal(err)
	}
	return fmt.Errorf("sqlstore: %w: %w", convo.ErrCommitUnknown, err)
}

func isRefusal(err error) bool {
	return errors.Is(err, convo.ErrConflict) || errors.Is(err, convo.ErrDuplicate) ||
		errors.Is(err, convo.ErrActiveExists)
}

// find looks for what a commit has written, or for what somebody else has written in its place.
func (s *Store) find(ctx context.Context, w witness) (there, other bool, err error) {
	if w.key != nil {
		keys, err := s.Keys(ctx, w.workspace, w.key.KeyID)
		there = slices.Contains(keys, *w.key)
		return there, len(keys) > 0 && !there, err
	}
	q, of := dialect.ContactEventAt, any(w.contact)
	if w.conversation != uuid.Nil {
		q, of = dialect.EventAt, s.d.ID(w.conversation)
	}
	var id dialect.ID
	var contact dialect.Text
	found, err := s.row(ctx, q, []any{w.workspace, of, w.seq}, []any{&id, &contact})
	there = found && uuid.UUID(id) == w.id && string(contact) == w.contact
	return there, found && !there, err
}

// Commit implements convo.Store.
func (s *Store) Commit(ctx context.Context, changes ...convo.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	s = s.within(ctx)
	if s.writer != nil && s.tx == nil {
		return s.write(ctx, func(t *transaction) error { return t.carryOut(ctx, changes) })
	}
	atOnce, err := s.fits(changes)
	if err != nil {
		return err
	}
	commit := func() error { return s.inPacket(s.commit(ctx, changes, atOnce), changes) }
	if atOnce && s.sharing != nil && s.tx == nil && len(changes) == 1 &&
		dialect.Shares(&changes[0]) {
		return s.share(ctx, &changes[0], commit)
	}
	return commit()
}

// commit carries out changes: at once, where that can be.
func (s *Store) commit(ctx context.Context, changes []convo.Change, atOnce bool) error {
	if s.tx != nil && s.tx.hosts && s.tx.broken {
		return s.tx.lost(errBroken)
	}
	if atOnce && s.d.commit != nil && len(changes) < manyUpdates && s.eachAtOnce(changes) {
		for i := range changes {
			if _, err := s.d.commit(ctx, s, &changes[i]); err != nil {
				return s.finish(ctx, changes, err)
			}
		}
		return s.finish(ctx, changes, nil)
	}
	if s.tx != nil {
		return s.refusal(s.tx.commit(ctx, changes))
	}
	return s.transact(ctx, func(t *transaction) error { return t.carryOut(ctx, changes) })
}

// eachAtOnce says that each of the changes is one statement. Several need a transaction around
// them, or, in the host's own, a savepoint.
func (s *Store) eachAtOnce(changes []convo.Change) bool {
	hosts := s.tx != nil && s.tx.hosts
	if len(changes) > 1 && (s.tx == nil || hosts) ||
		hosts && s.d.LoadsInTransaction != nil && s.tx.mark == 0 {
		return false
	}
	for i := range changes {
		if _, ok := dialect.ClassOf(&changes[i]); !ok {
			return false
		}
	}
	return true
}

// finish says what came of a commit in one statement.
func (s *Store) finish(ctx context.Context, changes []convo.Change, err error) error {
	var witnesses []witness
	if w, ok := witnessOf(changes); ok {
		witnesses = append(witnesses, w)
	}
	switch {
	case s.tx != nil && s.tx.hosts:
		return s.leftOfHosts(ctx, witnesses, err)
	case s.tx != nil:
		s.tx.witnesses = append(s.tx.witnesses, witnesses...)
		s.tx.failed = s.refusal(err)
		return s.tx.failed
	case err != nil:
		return s.resolveUnknownCommit(ctx, witnesses, s.refusal(err))
	}
	return nil
}
