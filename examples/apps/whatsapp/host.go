package main

import (
	"context"
	"crypto/hmac"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/workflow"
)

// The most that is read of a request, in bytes. A delivery of Meta has 3 MB at most.
const (
	maxDelivery  = 3 << 20
	maxExecution = 64 << 10
)

// settings are what the host knows of its number and its app at Meta.
type settings struct {
	workspace     string
	phoneNumberID string
	appSecret     string // signs deliveries
	verifyToken   string // for the handshake when the webhook is set up
	workflowToken string // for those who run steps
}

//go:embed steps/*.json
var stepFiles embed.FS

// host takes deliveries and runs steps.
type host struct {
	settings
	engine   *convo.Engine
	receipts deliverer
	steps    map[string]*workflow.Step
	log      *slog.Logger
	aside    aside

	mu sync.Mutex
	// of profiles, by contact; a real host has them in its own table of contacts
	names map[string]string
}

func newHost(store convo.Store, s settings, log *slog.Logger) (*host, error) {
	policy := convo.WorkflowPolicy()
	engine, err := convo.New(store, convo.WithPolicy(policy))
	if err != nil {
		return nil, err
	}
	h := &host{
		settings: s, engine: engine, receipts: engine, log: log,
		steps: map[string]*workflow.Step{}, names: map[string]string{},
	}
	for _, name := range []string{"open", "close"} {
		config, err := stepFiles.ReadFile("steps/" + name + ".json")
		if err != nil {
			return nil, err
		}
		if h.steps[name], err = workflow.Parse(config, &policy); err != nil {
			return nil, fmt.Errorf("step %s: %w", name, err)
		}
	}
	return h, nil
}

func (h *host) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /webhook", h.handshake)
	mux.HandleFunc("POST /webhook", h.deliver)
	mux.HandleFunc("POST /contacts/{address}/{step}", h.run)
	mux.HandleFunc("GET /set-aside", h.listAside)
	return mux
}

// refuse answers with an error, and logs it. reason holds nothing of what was sent, nor anything
// that is secret.
func (h *host) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	h.log.Warn("refused", "method", r.Method, "route", r.Pattern, "status", status, "reason",
		reason)
	http.Error(w, reason, status)
}

// read reads the body of a request within its limit; ok is false when it answered already.
func (h *host) read(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		h.refuse(w, r, http.StatusRequestEntityTooLarge,
			fmt.Sprintf("the body is longer than %d bytes", limit))
		return nil, false
	}
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, "the body could not be read")
		return nil, false
	}
	return body, true
}

// same compares secrets, in a time that tells nothing about the right one.
func same(given, want string) bool { return hmac.Equal([]byte(given), []byte(want)) }

// handshake answers Meta when the webhook is set up.
func (h *host) handshake(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("hub.mode") != "subscribe" || !same(q.Get("hub.verify_token"), h.verifyToken) {
		h.refuse(w, r, http.StatusForbidden, "not the verify token of this webhook")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprint(w, q.Get("hub.challenge"))
}

// deliver takes a delivery. Meta delivers again what was not answered with 200, for days, and now
// and then what was; so that is the answer unless the delivery is none, or another try may help.
// What is wrong with one message costs none of the others.
func (h *host) deliver(w http.ResponseWriter, r *http.Request) {
	body, ok := h.read(w, r, maxDelivery)
	if !ok {
		return
	}
	if !signed(h.appSecret, body, r.Header.Get("X-Hub-Signature-256")) {
		h.refuse(w, r, http.StatusUnauthorized,
			"the signature is not that of the body by the app's secret")
		return
	}
	all, err := read(body, h.phoneNumberID, time.Now())
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	counts, failed := map[string]int{}, false
	for i := 0; i < len(all); i++ {
		outcome, err := h.take(r.Context(), &all[i])
		if outcome == again { // an edit or a revoke that may stand before its message
			all[i].again = true
			all = append(all, all[i])
			continue
		}
		if err != nil { // the others are written nevertheless, and are duplicates the next time
			h.log.Error("not written", "id", clip(all[i].id), "error", err)
			failed = true
			if r.Context().Err() != nil {
				break
			}
			continue
		}
		counts[outcome]++
	}
	h.log.Info("delivered", "outcomes", counts)
	if failed {
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	h.answer(w, counts)
}

// again is the outcome of what is to be tried again behind all else of its delivery.
const again = "again"

// take does what one thing of a delivery tells. An error means that another try may help; what no
// try would make better is set aside.
func (h *host) take(ctx context.Context, in *incoming) (outcome string, err error) {
	switch {
	case in.problem != "":
		h.setAside(in, in.problem)
		return "set aside", nil
	case in.receipts != nil:
		outcome, err = h.confirm(ctx, in.receipts)
	case in.moved != nil:
		outcome, err = h.move(ctx, in.moved)
	default:
		outcome, err = h.write(ctx, in)
	}
	var state *convo.StateError
	var invalid *convo.ValidationError
	var reason string
	switch {
	case errors.Is(err, convo.ErrBlocked):
		h.log.Warn("not taken", "id", clip(in.id), "reason", convo.ErrBlocked)
		return "not taken", nil
	case errors.Is(err, convo.ErrNotFound) && !in.again:
		return again, nil
	case errors.Is(err, convo.ErrNotFound):
		reason = "the message that it is about is not here"
	case errors.Is(err, convo.ErrKeyReused):
		reason = "its id came with something else before"
	case errors.As(err, &state):
		reason = state.Err.Error()
	case errors.As(err, &invalid):
		reason = invalid.Field + ": " + invalid.Rule
	default:
		return outcome, err
	}
	h.setAside(in, reason)
	return "set aside", nil
}

// write carries a message, or what became of one, to the library.
func (h *host) write(ctx context.Context, in *incoming) (outcome string, err error) {
	later, doubt, err := h.acquaint(ctx, in.who)
	if err != nil {
		return "", err
	}
	to := h.to(in.who.surest())
	result, err := h.engine.Do(ctx, to, in.command)
	if send, ok := in.command.(convo.Send); ok && errors.Is(err, convo.ErrNotActive) {
		// Written in the app behind a closing, or to somebody who has not written yet: the
		// contact's answer opens a conversation, as after a campaign.
		send.Quiet = true
		result, err = h.engine.Do(ctx, to, send)
	}
	if err != nil {
		return "", err
	}
	if later != "" && result.Contact.ID != "" {
		_, err = h.link(ctx, result.Contact.ID, later)
		if doubt = errors.Is(err, convo.ErrAddressTaken); err != nil && !doubt {
			return "", err
		}
	}
	if doubt {
		h.doubt(in)
	}
	if in.name != "" && result.Contact.ID != "" {
		h.mu.Lock()
		h.names[result.Contact.ID] = in.name
		h.mu.Unlock()
	}
	return string(result.Outcome), nil
}

// move gives somebody's new number and user id to the contact that they are already, so that what
// they write goes on in the same conversation. The old ones stay theirs in the history.
func (h *host) move(ctx context.Context, m *moved) (outcome string, err error) {
	contact := ""
	for _, address := range m.from {
		if contact, err = h.contactOf(ctx, address); contact != "" || err != nil {
			break
		}
	}
	if contact == "" { // who never wrote is new by the new number, too
		return "ignored", err
	}
	outcome = string(convo.OutcomeUnchanged)
	for _, address := range m.to { // one that is somebody else's does not keep the other away
		o, failed := h.link(ctx, contact, address)
		err = errors.Join(err, failed)
		if failed == nil && o != convo.OutcomeUnchanged {
			outcome = string(o)
		}
	}
	return outcome, err
}

// permitted holds that a request has the token; ok is false when it answered already.
func (h *host) permitted(w http.ResponseWriter, r *http.Request) (ok bool) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || !same(token, h.workflowToken) {
		h.refuse(w, r, http.StatusUnauthorized, "not the token of those who run steps")
		return false
	}
	return true
}

// execution is what whoever runs a step says about it.
type execution struct {
	ID         string            `json:"id"` // the same for a repetition
	Attributes map[string]string `json:"attributes"`
}

// run runs a step for a contact. What it sends is in the result; a real host hands it to Meta's
// API, better from an outbox.
func (h *host) run(w http.ResponseWriter, r *http.Request) {
	if !h.permitted(w, r) {
		return
	}
	body, ok := h.read(w, r, maxExecution)
	if !ok {
		return
	}
	var x execution
	if err := json.Unmarshal(body, &x); err != nil || x.ID == "" {
		h.refuse(w, r, http.StatusBadRequest,
			"the body must be an object with the id of the execution")
		return
	}
	step := h.steps[r.PathValue("step")]
	if step == nil {
		h.refuse(w, r, http.StatusNotFound, "there are the steps open and close")
		return
	}
	contact, err := h.engine.Contact(r.Context(), h.to(r.PathValue("address")))
	var result convo.Result
	if err == nil {
		h.mu.Lock()
		name := h.names[contact.ID]
		h.mu.Unlock()
		result, err = step.Run(r.Context(), h.engine, convo.ToContact(h.workspace, contact.ID),
			workflow.Execution{
				Workflow: "orders", Key: x.ID, Name: name, Attributes: x.Attributes,
			})
	}
	var invalid *convo.ValidationError
	switch {
	case err == nil:
		h.answer(w, map[string]int{string(result.Outcome): 1})
	case errors.As(err, &invalid):
		h.refuse(w, r, http.StatusBadRequest,
			invalid.Field+" is not what the library or the policy takes")
	case errors.Is(err, convo.ErrNotFound):
		h.refuse(w, r, http.StatusNotFound, "nobody is known by this number or user id")
	case errors.Is(err, convo.ErrNotActive), errors.Is(err, convo.ErrActiveExists):
		h.refuse(w, r, http.StatusConflict, "there is no such conversation to close")
	case errors.Is(err, convo.ErrBlocked):
		h.refuse(w, r, http.StatusConflict, "the contact is blocked")
	default:
		h.log.Error("not run", "error", err)
		http.Error(w, "try again", http.StatusInternalServerError)
	}
}

func (h *host) answer(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(what); err != nil {
		h.log.Warn("not answered", "error", err)
	}
}
