package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/shardstore"
	"github.com/chatlifecycle/convo/sqlstore"
)

// registryTable is a Registry on a table of the host's:
//
//	CREATE TABLE places (
//		workspace VARCHAR(255) PRIMARY KEY,
//		shard VARCHAR(64) NOT NULL, other VARCHAR(64) NOT NULL, step VARCHAR(10) NOT NULL)
//
// A workspace that is not there is where the directory before it says.
type registryTable struct {
	db     *sql.DB
	before shardstore.Directory
}

func (r registryTable) Place(
	ctx context.Context, workspace string,
) (p shardstore.Place, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT shard, other, step FROM places WHERE workspace = ?",
		workspace).Scan(&p.Shard, &p.Other, &p.Step)
	if errors.Is(err, sql.ErrNoRows) {
		return r.before.Place(ctx, workspace)
	}
	return p, err
}

func (r registryTable) Replace(
	ctx context.Context, workspace string, was, is shardstore.Place,
) error {
	if at, err := r.Place(ctx, workspace); err != nil || at != was {
		return cmp.Or(err, convo.ErrConflict)
	}
	_, err := r.db.ExecContext(ctx, "INSERT INTO places (workspace, shard, other, step) "+
		"VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", workspace, was.Shard, was.Other, was.Step)
	if err != nil {
		return err
	}
	changed, err := r.db.ExecContext(ctx, "UPDATE places SET shard = ?, other = ?, step = ? "+
		"WHERE workspace = ? AND shard = ? AND other = ? AND step = ?",
		is.Shard, is.Other, is.Step, workspace, was.Shard, was.Other, was.Step)
	if err != nil {
		return err
	}
	if n, err := changed.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, convo.ErrConflict)
	}
	return nil
}

// together writes rows of the host's and of convo's in one transaction.
func together(
	ctx context.Context, store *shardstore.LockingStore, databases map[string]*sql.DB,
	stores map[string]*sqlstore.Store, engine *convo.Engine, workspace string,
	cmds ...convo.Command,
) error {
	place, err := store.Place(ctx, workspace)
	if err != nil {
		return err
	}
	tx, err := databases[place.Shard].BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	in, err := store.In(place.Shard, stores[place.Shard].WithTx(tx))
	if err != nil {
		return err
	}
	if _, err := engine.With(in).Do(ctx, convo.ToContact(workspace, "ann"), cmds...); err != nil {
		return err
	}
	return tx.Commit()
}

// move brings acme to db2.
func move(ctx context.Context, store *shardstore.LockingStore) error {
	moved, err := store.Move(ctx, "acme", "db2",
		func(ctx context.Context, copied convo.Store) error { return nil }) // or a look of yours
	if err != nil {
		return err
	}
	fmt.Println("rows:", moved.Rows > 0, "stopped:", moved.Stopped > 0)
	return nil
}

func overShards(ctx context.Context, first, second *sqlstore.Store) error {
	store, err := shardstore.NewLocking(shardstore.Rendezvous("db1", "db2"),
		map[string]*sqlstore.Store{"db1": first, "db2": second})
	if err != nil {
		return err
	}
	engine, err := convo.New(store)
	if err != nil {
		return err
	}
	_, err = engine.Do(ctx, convo.ToContact("globex", "bob"), convo.Receive{Body: "Hello"})
	return err
}

func Example_movingAWorkspace() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "convo")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	databases, stores := map[string]*sql.DB{}, map[string]*sqlstore.Store{}
	for _, name := range []string{"db1", "db2"} {
		db, err := sqlstore.OpenSQLite("sqlite", filepath.Join(dir, name))
		if err != nil {
			log.Fatal(err)
		}
		defer db.Close()
		config := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
		if err := config.Migrate(ctx); err != nil {
			log.Fatal(err)
		}
		databases[name] = db
		if stores[name], err = config.Open(ctx); err != nil {
			log.Fatal(err)
		}
	}
	_, err = databases["db1"].ExecContext(ctx, `CREATE TABLE places (
		workspace VARCHAR(255) PRIMARY KEY,
		shard VARCHAR(64) NOT NULL, other VARCHAR(64) NOT NULL, step VARCHAR(10) NOT NULL)`)
	if err != nil {
		log.Fatal(err)
	}
	registry := registryTable{databases["db1"], shardstore.Rendezvous("db1")}
	store, err := shardstore.NewLocking(registry, stores,
		shardstore.WithLease(50*time.Millisecond)) // longer where there is a network
	if err != nil {
		log.Fatal(err)
	}
	engine, err := convo.New(store)
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(
		together(ctx, store, databases, stores, engine, "acme", convo.Receive{Body: "Hello"}),
		move(ctx, store),
		together(ctx, store, databases, stores, engine, "acme", convo.Receive{Body: "Again"}),
		overShards(ctx, stores["db1"], stores["db2"]),
	)
	if err != nil {
		log.Fatal(err)
	}
	s, err := stores["db2"].Load(ctx, convo.ToContact("acme", "ann"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("messages:", s.Conversation.Cycle.Incoming)
	// Output:
	// rows: true stopped: true
	// messages: 2
}
