package main

import (
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
	engine *convo.Engine
	steps  map[string]*workflow.Step
	log    *slog.Logger

	mu sync.Mutex
	// of profiles, by address; a real host has them in its own table of contacts
	names map[string]string
}

func newHost(store convo.Store, s settings, log *slog.Logger) (*host, error) {
	policy := convo.WorkflowPolicy()
	engine, err := convo.New(store, convo.WithPolicy(policy))
	if err != nil {
		return nil, err
	}
	h := &host{settings: s, engine: engine, log: log, steps: map[string]*workflow.Step{},
		names: map[string]string{}}
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
	mux.HandleFunc("POST /contacts/{phone}/{step}", h.run)
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
// and then what was; so that is the answer unless the delivery is wrong, or another try may help.
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
	messages, err := read(body, h.phoneNumberID)
	if err == nil {
		err = h.check(messages)
	}
	switch {
	case errors.Is(err, errUnknownNumber):
		h.refuse(w, r, http.StatusNotFound, err.Error())
		return
	case err != nil:
		h.refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	counts := map[convo.Outcome]int{}
	for _, m := range messages {
		result, err := h.engine.Do(r.Context(), h.to(m.from), m.command)
		var state *convo.StateError
		switch {
		case errors.As(err, &state): // blocked, say: no repetition would change that
			h.log.Warn("not taken", "reason", state.Err)
			counts["not taken"]++
			continue
		case err != nil: // the others are there, and are duplicates the next time
			h.log.Error("not written", "error", err)
			http.Error(w, "try again", http.StatusInternalServerError)
			return
		}
		counts[result.Outcome]++
		if m.name != "" {
			h.mu.Lock()
			h.names[m.from] = m.name
			h.mu.Unlock()
		}
	}
	h.log.Info("delivered", "messages", len(messages), "outcomes", counts)
	h.answer(w, counts)
}

// check has the library look at all messages before any of them is written.
func (h *host) check(messages []incoming) error {
	for i, m := range messages {
		if _, err := convo.Decide(convo.Snapshot{Ref: h.to(m.from)}, time.Now(), nil,
			m.command); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

// to addresses the contact of a phone number.
func (h *host) to(phone string) convo.Ref { return convo.ToAddress(h.workspace, "whatsapp", phone) }

// execution is what whoever runs a step says about it.
type execution struct {
	ID         string            `json:"id"` // the same for a repetition
	Attributes map[string]string `json:"attributes"`
}

// run runs a step for a contact. What it sends is in the result; a real host hands it to Meta's
// API, better from an outbox.
func (h *host) run(w http.ResponseWriter, r *http.Request) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || !same(token, h.workflowToken) {
		h.refuse(w, r, http.StatusUnauthorized, "not the token for running steps")
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
	phone, step := r.PathValue("phone"), h.steps[r.PathValue("step")]
	if step == nil {
		h.refuse(w, r, http.StatusNotFound, "there are the steps open and close")
		return
	}
	contact, err := h.engine.Contact(r.Context(), h.to(phone))
	var result convo.Result
	if err == nil {
		h.mu.Lock()
		name := h.names[phone]
		h.mu.Unlock()
		result, err = step.Run(r.Context(), h.engine, convo.ToContact(h.workspace, contact.ID),
			workflow.Execution{
				Workflow: "orders", Key: x.ID, Name: name, Attributes: x.Attributes,
			})
	}
	var invalid *convo.ValidationError
	switch {
	case err == nil:
		h.answer(w, map[convo.Outcome]int{result.Outcome: 1})
	case errors.As(err, &invalid):
		h.refuse(w, r, http.StatusBadRequest,
			invalid.Field+" is not what the library or the policy takes")
	case errors.Is(err, convo.ErrNotFound):
		h.refuse(w, r, http.StatusNotFound, "nobody is known by this number")
	case errors.Is(err, convo.ErrNotActive), errors.Is(err, convo.ErrActiveExists):
		h.refuse(w, r, http.StatusConflict, "there is no such conversation to close")
	case errors.Is(err, convo.ErrBlocked):
		h.refuse(w, r, http.StatusConflict, "the contact is blocked")
	default:
		h.log.Error("not run", "error", err)
		http.Error(w, "try again", http.StatusInternalServerError)
	}
}

func (h *host) answer(w http.ResponseWriter, outcomes map[convo.Outcome]int) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(outcomes); err != nil {
		h.log.Warn("not answered", "error", err)
	}
}
