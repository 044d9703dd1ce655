// Whatsapp is a small HTTP host of convo: it takes the webhooks of the WhatsApp Cloud API as Meta
// sends them today, and runs the Open and Close Conversation steps of a workflow for its contacts.
// See README.md beside it, also for welcome events of Facebook and Viber.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/chatlifecycle/convo/examples/apps/internal/database"
)

const usage = `Usage: whatsapp --demo [--db DATABASE]
       whatsapp --listen ADDRESS --phone-number-id ID [--workspace NAME] [--db DATABASE]

With --demo, plays deliveries of Meta and runs of the two steps, some of them repeated, forged or
wrong, and prints what the host answers and what the conversations are in the end.

With --listen, serves

  GET  /webhook                         the handshake, when the webhook is set up
  POST /webhook                         deliveries, with their signature
  POST /contacts/{address}/{open|close} runs a step for a number or a user id:
                                        {"id": "execution-1", "attributes": {"topic": "Support"}}
  GET  /set-aside                       what was delivered and not taken, for a person to look at

and takes from the environment, so that no list of processes shows them,

  WHATSAPP_APP_SECRET     what Meta signs deliveries with
  WHATSAPP_VERIFY_TOKEN   what Meta says in the handshake
  WHATSAPP_STEP_TOKEN     what whoever runs a step, or looks at what was set aside, says:
                          Authorization: Bearer ...

Flags:
`

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	db := flag.String("db", "", database.Usage)
	demo := flag.Bool("demo", false, "play the demo and end")
	listen := flag.String("listen", "", "serve on this `address`, such as localhost:8080")
	number := flag.String("phone-number-id", "",
		"take deliveries for this `id` of a WhatsApp number and no other")
	workspace := flag.String("workspace", "triochat", "keep everything in this `workspace`")
	flag.Parse()
	if flag.NArg() > 0 || *demo == (*listen != "") {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *demo {
		err = demoOn(ctx, os.Stdout, *db)
	} else {
		err = serve(ctx, *listen, *db, settings{
			workspace: *workspace, phoneNumberID: *number,
			appSecret:     os.Getenv("WHATSAPP_APP_SECRET"),
			verifyToken:   os.Getenv("WHATSAPP_VERIFY_TOKEN"),
			workflowToken: os.Getenv("WHATSAPP_STEP_TOKEN"),
		}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "whatsapp:", err)
		os.Exit(1)
	}
}

func demoOn(ctx context.Context, out io.Writer, db string) error {
	store, closeStore, err := database.Open(ctx, db)
	if err != nil {
		return err
	}
	return errors.Join(demo(ctx, out, store), closeStore())
}

// serve serves until ctx is done, and then finishes what it is at.
func serve(ctx context.Context, address, db string, s settings, log *slog.Logger) error {
	for name, value := range map[string]string{
		"--phone-number-id": s.phoneNumberID, "WHATSAPP_APP_SECRET": s.appSecret,
		"WHATSAPP_VERIFY_TOKEN": s.verifyToken,
		"WHATSAPP_STEP_TOKEN":   s.workflowToken,
	} {
		if value == "" { // an empty secret would be everybody's
			return fmt.Errorf("set %s (see --help)", name)
		}
	}
	store, closeStore, err := database.Open(ctx, db)
	if err != nil {
		return err
	}
	h, err := newHost(store, s, log)
	if err != nil {
		return errors.Join(err, closeStore())
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(err, closeStore())
	}
	server := &http.Server{
		Handler: h.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second,
		IdleTimeout:  2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Info("serving", "address", listener.Addr().String())
	select {
	case err = <-failed:
	case <-ctx.Done():
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = server.Shutdown(last)
	}
	return errors.Join(err, closeStore())
}
