package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
	"github.com/chatlifecycle/convo/storetest"
)

// Each text that a policy may allow, in each way of sending it: a raw error 1153 of the server, or
// a connection that it has reset, says nobody what to do.
func TestWhatIsTooLongForMariaDBsPacketIsRefusedByItsField(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e.Server() != testdb.MariaDB {
			return
		}
		for _, params := range [][]string{nil, {"interpolateParams=true"}} {
			for _, unprepared := range []bool{false, true} {
				t.Run(fmt.Sprint(params, unprepared), func(t *testing.T) {
					refusesWhatIsTooLong(t, testdb.Create(t, e, params...), unprepared)
				})
			}
		}
	})
}

func refusesWhatIsTooLong(t *testing.T, d testdb.Database, unprepared bool) {
	db := d.Open(t)
	config := sqlstore.Config{DB: db, Dialect: dialects[d.Engine], Unprepared: unprepared}
	require.NoError(t, config.Migrate(t.Context()))
	s, err := config.Open(t.Context())
	require.NoError(t, err)
	defer s.Close()
	e, err := convo.New(s, convo.WithPolicy(convo.Policy{
		MaxBody: convo.MaxTextLimit, MaxAttachments: convo.MaxTextLimit,
		MaxSummary: convo.MaxTextLimit,
	}))
	require.NoError(t, err)
	var packet int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT @@max_allowed_packet").Scan(&packet))
	require.LessOrEqual(t, packet, convo.MaxTextLimit, "else it takes all that a policy may allow")
	to := convo.ToContact(acme, "riya")
	_, err = e.Do(t.Context(), to, convo.Open{By: ana})
	require.NoError(t, err)
	long := strings.Repeat("x", packet-1000)
	quotes := strings.Repeat("'", packet-200_000) // which a text has twice
	for field, cmd := range map[string]convo.Command{
		"body":        convo.Receive{Body: long},
		"attachments": convo.Receive{Body: "hi", Attachments: []byte(`"` + long + `"`)},
		"summary":     convo.Close{By: ana, Summary: long},
		"reason":      convo.Block{By: ana, Reason: long},
	} {
		_, err := e.Do(t.Context(), to, cmd)
		requireTooLong(t, err, field)
		tx, terr := db.BeginTx(t.Context(), nil)
		require.NoError(t, terr)
		_, err = e.With(s.WithTx(tx)).Do(t.Context(), to, cmd)
		requireTooLong(t, err, field)
		_, err = e.With(s.WithTx(tx)).Do(t.Context(), to, convo.Note{By: ana, Body: "after it"})
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
	}
	if _, err = e.Do(t.Context(), to, convo.Receive{Body: quotes}); unprepared {
		requireTooLong(t, err, "body")
	} else {
		require.NoError(t, err)
	}
	_, err = e.Do(t.Context(), to, convo.Receive{Body: "small"})
	require.NoError(t, err)
	assert.Empty(t, storetest.CheckInvariants(t.Context(), s, acme))
}

func requireTooLong(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *convo.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, field, invalid.Field)
	require.Contains(t, invalid.Rule, "max_allowed_packet")
}

// The server's packet may become smaller after Open has looked at it. Here Open is told of a larger
// one: what the server says then must not come out bare.
func TestThatMariaDBsPacketHasBecomeSmallerIsSaidInWords(t *testing.T) {
	testdb.Each(t, func(t *testing.T, e testdb.Engine) {
		if e.Server() != testdb.MariaDB {
			return
		}
		d := testdb.Create(t, e)
		plain := d.Open(t)
		migrated(t, plain, e)
		db := sql.OpenDB(&rewriting{
			dsnConnector{plain.Driver(), d.DSN}, "@@max_allowed_packet", "1073741824",
		})
		defer db.Close()
		s, err := sqlstore.Config{DB: db, Dialect: dialects[e]}.Open(t.Context())
		require.NoError(t, err)
		defer s.Close()
		engine, err := convo.New(s, convo.WithPolicy(convo.Policy{MaxBody: convo.MaxTextLimit}))
		require.NoError(t, err)
		for range 20 { // the server may hang up before the driver has read why
			_, err = engine.Do(t.Context(), convo.ToContact(acme, "riya"),
				convo.Receive{Body: strings.Repeat("x", convo.MaxTextLimit)})
			if !errors.Is(err, convo.ErrCommitUnknown) {
				break
			}
		}
		requireTooLong(t, err, "body")
	})
}

// rewriting sends a part of a text in another way.
type rewriting struct {
	driver.Connector
	from, to string
}

func (c *rewriting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return &rewritingConn{conn, c}, err
}

type rewritingConn struct {
	driver.Conn
	c *rewriting
}

func (c *rewritingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *rewritingConn) QueryContext(
	ctx context.Context, q string, args []driver.NamedValue,
) (driver.Rows, error) {
	q = strings.Replace(q, c.c.from, c.c.to, 1)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
}
