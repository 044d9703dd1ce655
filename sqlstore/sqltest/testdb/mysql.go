package testdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// onlyMySQL is a driver for a server of MariaDB's that refuses what MySQL's servers would not
// understand.
const onlyMySQL = "convo-only-mysql"

func init() { sql.Register(onlyMySQL, mysqlDriver{}) }

type mysqlDriver struct{ mysql.MySQLDriver }

func (d mysqlDriver) OpenConnector(dsn string) (driver.Connector, error) {
	c, err := d.MySQLDriver.OpenConnector(dsn)
	return mysqlConnector{c}, err
}

func (d mysqlDriver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

type mysqlConnector struct{ driver.Connector }

func (c mysqlConnector) Driver() driver.Driver { return mysqlDriver{} }

func (c mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return mysqlConn{conn.(connOfMySQL)}, nil
}

// connOfMySQL is all that database/sql asks of a connection of the driver.
type connOfMySQL interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type mysqlConn struct{ connOfMySQL }

func (c mysqlConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if err := understood(text); err != nil {
		return nil, err
	}
	return c.connOfMySQL.PrepareContext(ctx, text)
}

func (c mysqlConn) ExecContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Result, error) {
	if err := understood(text); err != nil {
		return nil, err
	}
	return c.connOfMySQL.ExecContext(ctx, text, args)
}

func (c mysqlConn) QueryContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Rows, error) {
	if err := understood(text); err != nil {
		return nil, err
	}
	return c.connOfMySQL.QueryContext(ctx, text, args)
}

var (
	onlyMariaDB = regexp.MustCompile(`\bNOT ATOMIC\b|\bRETURNING\b|@@in_transaction\b|` +
		`\bJSON_TABLE\b`) // of which MySQL has another one
	writes = regexp.MustCompile(`^\s*(?:UPDATE|DELETE FROM|DELETE \w+ FROM) (\w+)`)
)

// understood is an error if MySQL's servers would not understand a statement: one that changes a
// table must not read it in a subquery.
func understood(text string) error {
	if word := onlyMariaDB.FindString(text); word != "" {
		return fmt.Errorf("testdb: only MariaDB knows %s: %s", word, text)
	}
	m := writes.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	reads := regexp.MustCompile(`\b(?:FROM|JOIN) ` + m[1] + `\b`)
	if reads.MatchString(strings.TrimPrefix(text, m[0])) {
		return fmt.Errorf("testdb: MySQL does not read in a subquery what it changes: %s", text)
	}
	return nil
}
