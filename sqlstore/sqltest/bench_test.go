package sqlstore_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

// What a call costs on SQLite in memory, where no disk and no network hide it.

func benchmark(b *testing.B, f func(e *convo.Engine, i int) error) {
	s, _ := open(b, testdb.SQLite)
	e, err := convo.New(s)
	require.NoError(b, err)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		require.NoError(b, f(e, i))
	}
}

func BenchmarkReceive(b *testing.B) {
	to := convo.ToContact("acme", "ann")
	benchmark(b, func(e *convo.Engine, i int) error {
		_, err := e.Do(context.Background(), to,
			convo.Receive{Channel: "chat", ExternalID: strconv.Itoa(i),
				Body: "Hello, are you there?"})
		return err
	})
}

func BenchmarkOpenAndClose(b *testing.B) {
	benchmark(b, func(e *convo.Engine, i int) error {
		to := convo.ToContact("acme", strconv.Itoa(i))
		if _, err := e.Do(context.Background(), to,
			convo.Receive{Channel: "chat", Body: "Hi"}); err != nil {
			return err
		}
		_, err := e.Do(context.Background(), to, convo.Close{By: convo.ByUser("bob"),
			Category: "Sales", Summary: "Sold."})
		return err
	})
}

func BenchmarkLoad(b *testing.B) {
	to := convo.ToContact("acme", "ann")
	benchmark(b, func(e *convo.Engine, i int) error {
		if i == 1 {
			_, err := e.Do(context.Background(), to, convo.Receive{Channel: "chat", Body: "Hi"})
			return err
		}
		_, err := e.Contact(context.Background(), to)
		return err
	})
}

func BenchmarkTranscript(b *testing.B) {
	to := convo.ToContact("acme", "ann")
	benchmark(b, func(e *convo.Engine, i int) error {
		if i <= 50 {
			_, err := e.Do(context.Background(), to, convo.Receive{Channel: "chat", Body: "Hi"})
			return err
		}
		_, err := e.Transcript(context.Background(), to, convo.EventCursor{}, 50)
		return err
	})
}
