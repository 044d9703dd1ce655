package sqlstore_test

import (
	"context"
	"fmt"

	_ "modernc.org/sqlite"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore"
)

func Example() {
	ctx := context.Background()
	db, err := sqlstore.OpenSQLite("sqlite", ":memory:") // a path, to keep it
	if err != nil {
		panic(err)
	}
	defer db.Close()
	config := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	if err := config.Migrate(ctx); err != nil {
		panic(err)
	}
	store, err := config.Open(ctx)
	if err != nil {
		panic(err)
	}
	engine, err := convo.New(store)
	if err != nil {
		panic(err)
	}
	r, err := engine.Do(ctx, convo.ToContact("acme", "riya"),
		convo.Receive{Channel: "whatsapp", Body: "Hello?"})
	fmt.Println(r.Outcome, r.Conversation.Status, err)
	// Output: opened open <nil>
}

// The host's own row and the conversation are committed together.
func ExampleStore_WithTx() {
	ctx := context.Background()
	db, err := sqlstore.OpenSQLite("sqlite", ":memory:")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	config := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	if err := config.Migrate(ctx); err != nil {
		panic(err)
	}
	store, err := config.Open(ctx)
	if err != nil {
		panic(err)
	}
	engine, err := convo.New(store)
	if err != nil {
		panic(err)
	}
	if _, err := db.ExecContext(ctx,
		"CREATE TABLE orders (number INTEGER, conversation TEXT)"); err != nil {
		panic(err)
	}

	place := func(order int) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		r, err := engine.With(store.WithTx(tx)).Do(ctx, convo.ToContact("acme", "riya"),
			convo.Open{By: convo.ByAutomation("shop")},
			convo.Note{By: convo.ByAutomation("shop"), Body: fmt.Sprint("order ", order)})
		if err != nil {
			// A lost race is convo.ErrConflict or convo.ErrTransactionLost: try again, in a new
			// transaction.
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO orders VALUES (?, ?)", order,
			r.Conversation.ID.String())
		if err != nil {
			return err
		}
		return tx.Commit()
	}
	fmt.Println(place(1), place(2))

	var orders, conversations int
	err = db.QueryRowContext(ctx,
		"SELECT count(*), count(DISTINCT conversation) FROM orders").Scan(&orders, &conversations)
	fmt.Println(orders, "orders,", conversations, "conversation", err)
	// Output:
	// <nil> <nil>
	// 2 orders, 1 conversation <nil>
}
