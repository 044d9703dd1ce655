package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// What is kept prepared on a connection, at most; Config says the sum. A server keeps it for each
// connection: MariaDB up to max_prepared_stmt_count of all, PostgreSQL in memory. Listings and
// reports come in hundreds of statements, so they have a few places, apart from those of what each
// command needs.
const (
	maxFixed    = 55 // of the statements that are always the same
	maxComposed = 30 // of those that carry out a class of changes
	maxInside   = 10 // of those that are only for the inside of a transaction
	maxOutbox   = 25 // of those that move what an outbox notes
	maxOthers   = 11
)

// maxTexts bounds what is remembered of statements, whose number nothing else bounds.
const maxTexts = 512

// statements prepares each statement once, and keeps it until others of its kind were used more
// lately.
type statements struct {
	db         *sql.DB
	d          *engine
	prefix     string
	unprepared bool              // all go as texts
	instead    map[string]string // texts that tests want sent

	clock    atomic.Int64
	mu       sync.RWMutex // of the maps; never held while the database is asked
	texts    map[string]string
	by       map[string]*kept
	composed map[dialect.ChangeClass]string
	kinds    map[string]kind // of the statements in composed, and of others that are not fixed
	blocks   blocks

	wanted atomic.Pointer[string] // to be prepared, outside of a transaction
}

// kind is which of the bounds a statement counts against.
type kind int

const (
	fixed kind = iota
	composed
	inside
	ofOutbox
	other
)

var maxOf = [...]int{
	fixed: maxFixed, composed: maxComposed, inside: maxInside,
	ofOutbox: maxOutbox, other: maxOthers,
}

func newStatements(s *Store) *statements {
	c := &statements{db: s.db, d: s.d, prefix: s.prefix}
	c.kinds = c.known()
	return c
}

// known are the kinds of what is used inside of transactions, and is not prepared from the
// beginning.
func (c *statements) known() map[string]kind {
	kinds := map[string]kind{}
	for _, load := range c.d.LoadsInTransaction {
		kinds[load] = inside
	}
	for _, statement := range c.d.OutboxStatements(outboxPlaces[:]) {
		kinds[statement] = ofOutbox
	}
	return kinds
}

// kept is a prepared statement. The one who lets go of it last closes it: a closed one cannot be
// used, not even by whoever has just found it.
type kept struct {
	st    *sql.Stmt
	kind  kind
	used  atomic.Int64 // when, by the clock
	users atomic.Int64 // one of them is the map
}

func (k *kept) release() error {
	if k.users.Add(-1) > 0 {
		return nil
	}
	return k.st.Close()
}

// fixedStatements are those that are always the same, but for some that only reports use.
func (s *Store) fixedStatements() []string {
	active, _ := s.d.List(&convo.Filter{ // what a merge asks for
		Contact: "all", Status: []convo.Status{convo.StatusOpen, convo.StatusPending},
	})
	return append(s.inTransactions(), dialect.OneConversation, dialect.KeysFound,
		dialect.EventsOfOwnLog, dialect.EventsOfConversation, dialect.OwnLogsBehind, dialect.Later,
		s.d.EventOfContact(), s.d.ContactEventOfContact(),
		dialect.EventAt, dialect.ContactEventAt, dialect.CyclesOfConversation,
		s.d.Due(0), s.d.AddressesOfContact(), dialect.AddressesByIdentity, active)
}

// composed returns the statement for a class of changes, put together once.
func (s *Store) composed(class dialect.ChangeClass) string {
	c := s.stmts
	c.mu.RLock()
	text, ok := c.composed[class]
	c.mu.RUnlock()
	if ok {
		return text
	}
	text = s.d.Compose(class)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.composed == nil || len(c.composed) >= maxTexts {
		c.composed, c.kinds = map[dialect.ChangeClass]string{}, c.known()
	}
	c.composed[class], c.kinds[text] = text, composed
	if class.InTransaction {
		c.kinds[text] = inside
	}
	return text
}

// text is a statement as the engine takes it.
func (c *statements) text(statement string) string {
	if text, ok := c.instead[statement]; ok {
		return text
	}
	c.mu.RLock()
	text, ok := c.texts[statement]
	c.mu.RUnlock()
	if ok {
		return text
	}
	text = c.d.Text(statement, c.prefix)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts == nil || len(c.texts) >= maxTexts {
		c.texts = map[string]string{}
	}
	c.texts[statement] = text
	return text
}

// query sends a statement. Not for use inside a transaction: it takes a connection, and there may
// be only one.
func (c *statements) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	if c.unprepared {
		return c.db.QueryContext(ctx, c.text(statement), args...)
	}
	c.prepareWanted(ctx)
	k, err := c.get(ctx, statement, other)
	if err != nil {
		return nil, err
	}
	rows, err := k.st.QueryContext(ctx, args...)
	_ = k.release() // rows keep what they need; what cannot be closed goes with its connection
	return rows, err
}

// get returns a prepared statement, to release. It takes a connection as query does. What is
// prepared first as fixed stays.
func (c *statements) get(ctx context.Context, statement string, as kind) (*kept, error) {
	c.mu.RLock()
	k := c.by[statement]
	if k != nil {
		k.users.Add(1)
	}
	c.mu.RUnlock()
	if k != nil {
		k.used.Store(c.clock.Add(1))
		return k, nil
	}
	st, err := c.db.PrepareContext(ctx, c.text(statement))
	if err != nil {
		return nil, err
	}
	k = &kept{st: st, kind: as}
	k.users.Store(1)
	if out := c.keep(statement, k); out != nil {
		_ = out.release()
	}
	return k, nil
}

// keep puts a statement among those that are kept, and returns the one that has to go for it.
func (c *statements) keep(statement string, k *kept) (out *kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]*kept{}
	}
	if c.by[statement] != nil {
		return nil // somebody else was faster: it is closed after its use
	}
	if as, ok := c.kinds[statement]; ok {
		k.kind = as
	}
	n, oldest := 0, ""
	for s, o := range c.by {
		if o.kind != k.kind {
			continue
		}
		if n++; oldest == "" || o.used.Load() < c.by[oldest].used.Load() {
			oldest = s
		}
	}
	if n >= maxOf[k.kind] {
		out = c.by[oldest]
		delete(c.by, oldest)
	}
	k.used.Store(c.clock.Add(1))
	k.users.Add(1)
	c.by[statement] = k
	return out
}

// cached returns a prepared statement if there is one, else its text. It is for transactions: there
// sql.Tx prepares one anew that has been closed meanwhile. One of commits that is not there is
// wanted: preparing it takes a connection, which nobody may take inside of a transaction.
func (c *statements) cached(statement string) (*sql.Stmt, string) {
	c.mu.RLock()
	k := c.by[statement]
	_, wanted := c.kinds[statement]
	c.mu.RUnlock()
	switch {
	case k != nil:
		k.used.Store(c.clock.Add(1))
		return k.st, ""
	case wanted && !c.unprepared:
		c.wanted.Store(&statement)
	}
	return nil, c.text(statement)
}

// prepareWanted prepares the statement that was wanted last inside of a transaction. What goes
// wrong with that is nothing to who calls it: the statement will be wanted again.
func (c *statements) prepareWanted(ctx context.Context) {
	if statement := c.wanted.Swap(nil); statement != nil {
		if k, err := c.get(ctx, *statement, inside); err == nil {
			_ = k.release()
		}
	}
}

func (c *statements) close() error {
	c.mu.Lock()
	by := c.by
	c.by = nil
	c.mu.Unlock()
	var errs []error
	for _, k := range by {
		errs = append(errs, k.release())
	}
	return errors.Join(errs...)
}
