package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
)

// Reading is a database that is only asked.
type Reading struct {
	Store
	db      *sql.DB
	dialect sqlstore.Dialect
	shown   string
}

// notThere ends what is said of a name that is most likely a typing error.
const notThere = "; name a database that a program with convo keeps"

// Read opens a database that is there already: it makes no file and no tables, and leaves alone
// what is not convo's, or has its schema in another version. Errors name it.
func Read(ctx context.Context, name string) (*Reading, error) {
	r := &Reading{dialect: dialectOf(name), shown: shown(name)}
	if err := r.open(ctx, name); err != nil {
		return nil, fmt.Errorf("%s: %w", r.shown, err)
	}
	return r, nil
}

func (r *Reading) open(ctx context.Context, name string) error {
	if r.dialect == sqlstore.SQLite {
		if err := lookInto(ctx, name); err != nil {
			return err
		}
	}
	var err error
	// query_only holds whatever is done with the store; servers have no such setting here.
	if r.db, err = connect(r.dialect, name, "query_only = ON"); err != nil {
		return err
	}
	if err = checkTables(ctx, r.db); err == nil {
		r.Store, err = sqlstore.Config{DB: r.db, Dialect: r.dialect}.Open(ctx)
	}
	if err != nil {
		_ = r.db.Close()
	}
	return err
}

// lookInto checks that there are convo's tables in a SQLite file. A file of others must not even
// get the settings of sqlstore.OpenSQLite, which are written into it.
func lookInto(ctx context.Context, name string) error {
	const header = "SQLite format 3\x00"
	f, err := os.Open(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return errors.New("there is no such file" + notThere)
	case err != nil:
		return errors.Unwrap(err) // which names the file once more
	}
	begin := make([]byte, len(header))
	_, _ = io.ReadFull(f, begin) // of what is shorter, or a folder, nothing is equal
	_ = f.Close()
	if string(begin) != header {
		return errors.New("it is no SQLite database" + notThere)
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: name}).EscapedPath()+
		"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	return errors.Join(checkTables(ctx, db), db.Close())
}

// checkTables tells a database without convo's tables from one that does not answer at all.
func checkTables(ctx context.Context, db *sql.DB) error {
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "SELECT version_id FROM "+sqlstore.DefaultPrefix+"schema")
	if err != nil {
		return fmt.Errorf("there are no tables of convo in it (%w)%s", err, notThere)
	}
	return nil
}

// Close gives back what r holds.
func (r *Reading) Close() error { return r.db.Close() }

// Lacks says why there is nothing to tell of a workspace, and which ones there are; it is empty
// when the workspace is there.
func (r *Reading) Lacks(ctx context.Context, workspace string) (why string, err error) {
	some, err := r.Contacts(ctx, convo.ContactFilter{Workspace: workspace, Limit: 1})
	if err != nil || len(some) > 0 {
		return "", err
	}
	const most = 5
	names, err := r.workspaces(ctx, most+1)
	if len(names) == 0 {
		return r.shown + " has no workspace at all: it is empty", err
	}
	list := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		list += " and more"
	}
	return fmt.Sprintf("%s has no workspace %q, but %s", r.shown, workspace, list), err
}

// workspaces are the first ones. Each is looked up in the index, however large the table is.
func (r *Reading) workspaces(ctx context.Context, most int) (all []string, err error) {
	mark := "?"
	if r.dialect == sqlstore.PostgreSQL {
		mark = "$1"
	}
	next := "SELECT COALESCE(MIN(workspace), '') FROM " + sqlstore.DefaultPrefix +
		"contacts WHERE workspace > " + mark
	last := ""
	for len(all) < most {
		if err := r.db.QueryRowContext(ctx, next, last).Scan(&last); err != nil {
			return nil, err
		}
		if last == "" {
			break
		}
		all = append(all, last)
	}
	return all, nil
}

// shown is a name without its password.
func shown(name string) string {
	switch dialectOf(name) {
	case sqlstore.PostgreSQL:
		if u, err := url.Parse(name); err == nil {
			return u.Redacted()
		}
		return "the PostgreSQL database"
	case sqlstore.MariaDB:
		if c, err := mysql.ParseDSN(name); err == nil {
			return c.User + "@" + c.Net + "(" + c.Addr + ")/" + c.DBName
		}
		return "the MariaDB database"
	}
	return name
}
