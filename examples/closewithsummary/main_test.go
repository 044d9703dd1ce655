package main

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

func Example() {
	if err := run(context.Background(), os.Stdout, memstore.New()); err != nil {
		panic(err)
	}
	// Output:
	// Transcript
	//   Mon 17 Mar 10:05  riya         conversation_opened    through incoming_message
	//   Mon 17 Mar 10:05  riya         message_received       One of my kettles leaks.
	//   Mon 17 Mar 10:05  welcome-bot  message_sent           Hi Riya, an agent will be with you soon.
	//   Mon 17 Mar 10:09  meera        conversation_assigned  to meera
	//   Mon 17 Mar 10:09  meera        message_sent           I'm sorry! Could you send a photo?
	//   Mon 17 Mar 10:12  riya         message_received       Yes: https://example.com/kettle.jpg
	//   Mon 17 Mar 10:14  meera        message_sent           Thank you. A new one will be with you tomorrow.
	//   Mon 17 Mar 10:14  meera        conversation_pending   until the contact writes
	//   Tue 18 Mar 12:14  riya         message_received       It came, and it works. Thanks!
	//   Tue 18 Mar 12:14  riya         conversation_resumed   through incoming_message
	//   Tue 18 Mar 12:20  meera        message_sent           Enjoy your tea!
	//   Tue 18 Mar 12:20  meera        conversation_closed    Support: Issue resolved: Replaced defective item.
	//
	// History of riya
	//   Mon  3 Mar 10:00  conversation 1  opened
	//   Mon  3 Mar 10:05  conversation 1  closed  Sales: Customer inquired about bulk pricing.
	//   Mon 17 Mar 10:05  conversation 2  opened
	//   Tue 18 Mar 12:20  conversation 2  closed  Support: Issue resolved: Replaced defective item.
	//
	// Measures
	//   First response time  4m0s      by meera
	//   Response time        4m0s      mean of 3 replies
	//   Resolution time      26h15m0s  from opening to closing
	//   Pending              26h0m0s   15m0s of resolution without it
	//   Messages             7         3 incoming, 3 by users, 1 by automation
	//
	// Closed by meera on Tue 18 Mar 12:20
	//   Category  Support
	//   Summary   Issue resolved: Replaced defective item.
}

func TestWhatTheStoreOrTheOutputFailsWithIsReturned(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(cancelled, io.Discard, memstore.New()), context.Canceled)

	require.ErrorIs(t, run(t.Context(), full{}, memstore.New()), errFull)

	var invalid *convo.ValidationError
	require.ErrorAs(t, run(t.Context(), io.Discard, nil), &invalid)
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
