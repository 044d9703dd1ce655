package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/chatlifecycle/convo"
)

//go:embed deliveries/*.json
var deliveries embed.FS

var demoSettings = settings{
	workspace: "triochat", phoneNumberID: "106540352242922", appSecret: "demo-secret",
	verifyToken:   "demo-verify",
	workflowToken: "demo-steps",
}

// request is one that the demo makes.
type request struct {
	what     string
	method   string
	path     string
	delivery string // a file; or
	body     string
	secret   string // to sign with
}

var story = []request{
	{"Meta sets the webhook up", "GET",
		"/webhook?hub.mode=subscribe&hub.verify_token=demo-verify&hub.challenge=1158201444", "", "",
		""},
	{"three messages of two contacts", "POST", "/webhook", "several", "", "demo-secret"},
	{"the same, delivered again", "POST", "/webhook", "several", "", "demo-secret"},
	{"what became of messages sent", "POST", "/webhook", "statuses", "", "demo-secret"},
	{"a forged delivery", "POST", "/webhook", "answer", "", "guessed"},
	{"the Close step", "POST", "/contacts/+919876543210/close", "",
		`{"id":"returns-1","attributes":{"topic":"Support",` +
			`"result":"Issue resolved, replaced defective item."}}`, ""},
	{"the same execution again", "POST", "/contacts/+919876543210/close", "", `{"id":"returns-1"}`,
		""},
	{"the Open step: an order is ready", "POST", "/contacts/+919876543210/open", "",
		`{"id":"orders-1"}`, ""},
	{"an edit, and another number", "POST", "/webhook", "changes", "", "demo-secret"},
	{"the customer's answer, and a heart", "POST", "/webhook", "answer", "", "demo-secret"},
	{"the first messages once more", "POST", "/webhook", "several", "", "demo-secret"},
	{"the Close step for a stranger", "POST", "/contacts/+10000000/close", "", `{"id":"orders-2"}`,
		""},
	{"the Close step", "POST", "/contacts/+919876543210/close", "",
		`{"id":"orders-1","attributes":{"topic":"Sales","result":"order delivered."}}`, ""},
}

// response takes what a handler answers.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *response) Header() http.Header         { return r.header }
func (r *response) WriteHeader(status int)      { r.status = status }
func (r *response) Write(p []byte) (int, error) { return r.body.Write(p) }

// signature is what Meta would send for a body.
func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// demo plays the story and prints what came of it.
func demo(ctx context.Context, out io.Writer, store convo.Store) error {
	h, err := newHost(store, demoSettings, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Requests")
	for _, r := range story {
		body := []byte(r.body)
		if r.delivery != "" {
			if body, err = deliveries.ReadFile("deliveries/" + r.delivery + ".json"); err != nil {
				return err
			}
		}
		req, err := http.NewRequestWithContext(ctx, r.method, r.path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+demoSettings.workflowToken)
		if r.secret != "" {
			req.Header.Set("X-Hub-Signature-256", signature(r.secret, body))
		}
		answer := &response{header: http.Header{}, status: http.StatusOK}
		h.handler().ServeHTTP(answer, req)
		fmt.Fprintf(w, "  %s\t%d\t%s\n", r.what, answer.status,
			strings.TrimSpace(answer.body.String()))
		if answer.status >= http.StatusInternalServerError {
			return fmt.Errorf("%s: %d", r.what, answer.status)
		}
	}
	for _, c := range [...]struct{ name, phone string }{{"Riya", "+919876543210"},
		{"Susan", "+4915550102030"}} {
		events, err := h.engine.History(ctx, h.to(c.phone), convo.EventCursor{}, convo.MaxPageSize)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%s, %s\n", c.name, c.phone)
		for _, e := range events {
			by := e.By.ID
			if e.By.Type == convo.ActorContact {
				by = c.name
			}
			text := e.Message().Body
			switch e.Kind {
			case convo.ConversationOpened, convo.ConversationReopened:
				text = "through " + string(e.Source)
			case convo.ConversationClosed:
				text = e.ClosingNotes().Category + ": " + e.ClosingNotes().Summary
			case convo.MessageEdited:
				text = e.Edited().Body
			case convo.AddressLinked:
				text = e.Address().Channel + " " + e.Address().Value
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\n", by, e.Kind, text)
		}
	}
	return w.Flush()
}
