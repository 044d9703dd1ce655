package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// statements prepares each statement once.
type statements struct {
	db     *sql.DB
	d      *engine
	prefix string

	preparing sync.Mutex   // one at a time; not to be asked for inside a transaction
	mu        sync.RWMutex // of the maps; never held while the database is asked
	texts     map[string]string
	by        map[string]*sql.Stmt
	composed  map[dialect.ChangeClass]string
	blocks    blocks
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
	if c.composed == nil {
		c.composed = map[dialect.ChangeClass]string{}
	}
	c.composed[class] = text
	return text
}

// text is a statement as the engine takes it.
func (c *statements) text(statement string) string {
	c.mu.RLock()
	text, ok := c.texts[statement]
	c.mu.RUnlock()
	if ok {
		return text
	}
	text = c.d.Text(statement, c.prefix)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts == nil {
		c.texts = map[string]string{}
	}
	c.texts[statement] = text
	return text
}

// get returns a prepared statement. Not for use inside a transaction: it takes a connection, and
// there may be only one.
func (c *statements) get(ctx context.Context, statement string) (*sql.Stmt, error) {
	st, text := c.cached(statement)
	if st != nil {
		return st, nil
	}
	c.preparing.Lock()
	defer c.preparing.Unlock()
	if st, _ = c.cached(statement); st != nil {
		return st, nil
	}
	st, err := c.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]*sql.Stmt{}
	}
	c.by[statement] = st
	return st, nil
}

// cached returns a prepared statement if there is one, else its text.
func (c *statements) cached(statement string) (*sql.Stmt, string) {
	c.mu.RLock()
	st := c.by[statement]
	c.mu.RUnlock()
	if st != nil {
		return st, ""
	}
	return nil, c.text(statement)
}

func (c *statements) close() error {
	c.mu.Lock()
	by := c.by
	c.by = nil
	c.mu.Unlock()
	var errs []error
	for _, st := range by {
		errs = append(errs, st.Close())
	}
	return errors.Join(errs...)
}
