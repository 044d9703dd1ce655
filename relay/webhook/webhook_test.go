package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/relay"
	"github.com/chatlifecycle/convo/relay/webhook"
)

const acme = "acme"

var hello = convo.Receive{Channel: "chat", Body: "Hello"}

// table is what a host would keep endpoints in.
type table struct {
	mu      sync.Mutex
	by      map[string]*webhook.Endpoint
	reports []webhook.Health
	down    error
}

func (t *table) Endpoints(_ context.Context, workspace string) (all []webhook.Endpoint, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if workspace != acme {
		return nil, nil
	}
	for _, e := range t.by {
		all = append(all, *e)
	}
	return all, nil
}

func (t *table) Report(_ context.Context, workspace, id string, h webhook.Health) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down != nil {
		return t.down
	}
	t.reports = append(t.reports, h)
	t.by[id].FailingSince, t.by[id].Disabled = h.FailingSince, h.Disabled
	return nil
}

// receiver is what a customer runs.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies [][]byte
	heads  []http.Header
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(
		func(w http.ResponseWriter, req *http.Request) {
			body, err := io.ReadAll(req.Body)
			assert.NoError(t, err)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.bodies, r.heads = append(r.bodies, body), append(r.heads, req.Header)
			if r.status/100 == 3 {
				w.Header().Set("location", "http://127.0.0.1:1/")
			}
			w.WriteHeader(r.status)
		}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) take() (bodies [][]byte, heads []http.Header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	bodies, heads, r.bodies, r.heads = r.bodies, r.heads, nil, nil
	return bodies, heads
}

// clock is moved by the tests.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type world struct {
	*testing.T
	engine *convo.Engine
	store  *memstore.Store
	relay  *relay.Relay
	clock  *clock
	table  *table
}

func newWorld(t *testing.T, endpoints []webhook.Endpoint, opts ...webhook.Option) *world {
	w := &world{
		T: t, store: memstore.New(memstore.WithOutbox()), clock: &clock{now: time.Now()},
		table: &table{by: map[string]*webhook.Endpoint{}},
	}
	for _, e := range endpoints {
		w.table.by[e.ID] = &e
	}
	hooks, err := webhook.New(w.table, append(opts, webhook.WithClock(w.clock))...)
	require.NoError(t, err)
	w.engine, err = convo.New(w.store, convo.WithClock(w.clock),
		convo.WithPolicy(convo.Policy{MaxBody: 2 << 20}))
	require.NoError(t, err)
	w.relay, err = relay.New(w.store, hooks.Targets, relay.WithClock(w.clock))
	require.NoError(t, err)
	return w
}

// newWorldOf has one endpoint.
func newWorldOf(t *testing.T, r *receiver) *world {
	return newWorld(t, []webhook.Endpoint{
		{ID: "1", URL: r.URL, Secrets: []string{webhook.NewSecret()}},
	}, local()...)
}

func (w *world) do(contact string, cmds ...convo.Command) []convo.Event {
	r, err := w.engine.Do(w.Context(), convo.ToContact(acme, contact), cmds...)
	require.NoError(w, err)
	return r.Events
}

func (w *world) once() relay.Stats {
	s, err := w.relay.Once(w.Context())
	require.NoError(w, err)
	return s
}

func (w *world) letters() []relay.DeadLetter {
	all, err := w.store.DeadLetters(w.Context(), relay.DeadLetterFilter{
		Workspace: acme, Limit: convo.MaxPageSize,
	})
	require.NoError(w, err)
	return all
}

// local allows what a server of a test needs.
func local() []webhook.Option {
	return []webhook.Option{webhook.WithPrivateAddresses(), webhook.WithInsecureURLs()}
}

func TestEventsAreSentSigned(t *testing.T) {
	r, secret := newReceiver(t), webhook.NewSecret()
	w := newWorld(t, []webhook.Endpoint{{ID: "1", URL: r.URL, Secrets: []string{secret}}}, local()...)
	events := w.do("bob", hello)
	assert.Equal(t, len(events), w.once().Sent)
	bodies, heads := r.take()
	require.Len(t, bodies, len(events))
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	for i, e := range events {
		require.NoError(t, verifier.Verify(bodies[i], heads[i]))
		assert.Equal(t, e.ID.String(), heads[i].Get("webhook-id"))
		assert.Equal(t, "application/json", heads[i].Get("content-type"))
		var got struct {
			Type      string
			Timestamp time.Time
			Data      convo.Event
		}
		require.NoError(t, json.Unmarshal(bodies[i], &got))
		assert.Equal(t, []any{e.Kind.String(), e.At}, []any{got.Type, got.Timestamp})
		assert.Equal(t, e, got.Data)
	}
}

// While a secret is rotated, either of the two verifies.
func TestBothSecretsSignWhileOneIsRotated(t *testing.T) {
	r, old, next := newReceiver(t), webhook.NewSecret(), webhook.NewSecret()
	w := newWorld(t, []webhook.Endpoint{
		{ID: "1", URL: r.URL, Secrets: []string{next, old}},
	}, local()...)
	w.do("bob", hello)
	w.once()
	bodies, heads := r.take()
	require.NotEmpty(t, bodies)
	for _, secret := range []string{old, next} {
		verifier, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		assert.NoError(t, verifier.Verify(bodies[0], heads[0]))
	}
	other, err := standardwebhooks.NewWebhook(webhook.NewSecret())
	require.NoError(t, err)
	assert.Error(t, other.Verify(bodies[0], heads[0]))
}

// The example of the specification: a fixed message, secret, time and signature.
func TestSignaturesAreThoseOfTheSpecification(t *testing.T) {
	signer, err := standardwebhooks.NewWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	signature, err := signer.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0),
		[]byte(`{"test": 2432232314}`))
	require.NoError(t, err)
	assert.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signature)
}

// A receiver in another language verifies with the library of its own, when it is there.
func TestNodeVerifiesWhatIsSent(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node to verify with")
	}
	if _, err := os.Stat("testdata/node_modules/standardwebhooks"); err != nil {
		t.Skip("npm's standardwebhooks is not installed: npm install in relay/webhook/testdata")
	}
	r, secret := newReceiver(t), webhook.NewSecret()
	w := newWorld(t, []webhook.Endpoint{{ID: "1", URL: r.URL, Secrets: []string{secret}}}, local()...)
	w.do("bob", hello, convo.Send{By: convo.ByUser("ana"), Body: "Größe “9” 😀"})
	w.once()
	bodies, heads := r.take()
	require.NotEmpty(t, bodies)
	for i := range bodies {
		headers, err := json.Marshal(map[string]string{
			"webhook-id":        heads[i].Get("webhook-id"),
			"webhook-timestamp": heads[i].Get("webhook-timestamp"),
			"webhook-signature": heads[i].Get("webhook-signature"),
		})
		require.NoError(t, err)
		verify := func(body string) (string, error) {
			cmd := exec.CommandContext(t.Context(), node, "testdata/verify.js", secret,
				string(headers))
			cmd.Stdin = strings.NewReader(body)
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		out, err := verify(string(bodies[i]))
		require.NoError(t, err, out)
		_, err = verify(string(bodies[i]) + " ")
		require.Error(t, err, "and refuses what was changed")
	}
}

// What fails is tried again with the same id, and one endpoint does not hold up the other one.
func TestWhatFailsIsSentAgain(t *testing.T) {
	good, bad := newReceiver(t), newReceiver(t)
	secrets := []string{webhook.NewSecret()}
	w := newWorld(t, []webhook.Endpoint{
		{ID: "good", URL: good.URL, Secrets: secrets}, {ID: "bad", URL: bad.URL, Secrets: secrets},
	}, local()...)
	for _, status := range []int{500, 404, 302, 429} {
		bad.answers(status)
		events := w.do("bob", hello)
		w.once()
		bodies, _ := good.take()
		assert.Len(t, bodies, len(events), "status %d", status)
		_, heads := bad.take()
		require.NotEmpty(t, heads, "status %d", status)
		w.clock.add(time.Hour)
		w.once()
		_, again := bad.take()
		assert.Equal(t, heads[0].Get("webhook-id"), again[0].Get("webhook-id"))
		bad.answers(204)
		w.clock.add(24 * time.Hour)
		w.once()
		bad.take()
	}
}

func TestAnEndpointThatFailsForDaysIsDisabledAndSaysSo(t *testing.T) {
	r := newReceiver(t)
	w := newWorldOf(t, r)
	r.answers(500)
	w.do("bob", hello)
	w.once()
	began := w.clock.Now().UTC()
	require.Len(t, w.table.reports, 1)
	assert.Equal(t, began, w.table.reports[0].FailingSince)
	assert.Equal(t, "webhook: status 500", w.table.reports[0].Error)
	for range 40 {
		w.clock.add(6 * time.Hour)
		w.do("eve", hello)
		w.once()
	}
	require.Len(t, w.table.reports, 2, "it says so once")
	assert.True(t, w.table.reports[1].Disabled)
	assert.Equal(t, began, w.table.reports[1].FailingSince)
	tried, _ := r.take()
	assert.Less(t, len(tried), 60)
	for range 40 {
		w.clock.add(time.Hour)
		w.once()
	}
	tried, _ = r.take()
	assert.Empty(t, tried)
	letters := w.letters()
	assert.NotEmpty(t, letters, "what waited for it can be revived")
}

// What cannot be sent to anybody says nothing of the endpoint, and two failures a week apart do not
// say that it has failed for a week.
func TestAnEndpointIsNotDisabledForWhatItHasNotDone(t *testing.T) {
	r := newReceiver(t)
	w := newWorldOf(t, r)
	for range 3 {
		w.do("bob", convo.Receive{Channel: "chat", Body: strings.Repeat("x", 1<<20)})
		for range 3 {
			w.once()
		}
		w.clock.add(6 * 24 * time.Hour)
	}
	assert.Empty(t, w.table.reports)
	assert.NotEmpty(t, w.letters())
	r.answers(500)
	for range 3 {
		w.do("eve", hello)
		w.once()
		w.clock.add(6 * 24 * time.Hour)
	}
	for _, h := range w.table.reports {
		assert.False(t, h.Disabled)
	}
}

// A host may hand out the same slice again and again, to several workers.
func TestTheHostsEndpointsAreNotTouched(t *testing.T) {
	r := newReceiver(t)
	r.answers(500)
	shared := &cached{all: []webhook.Endpoint{
		{ID: "1", URL: r.URL, Secrets: []string{webhook.NewSecret()}},
	}}
	hooks, err := webhook.New(shared, local()...)
	require.NoError(t, err)
	store := memstore.New(memstore.WithOutbox())
	engine, err := convo.New(store)
	require.NoError(t, err)
	workers, err := relay.New(store, hooks.Targets)
	require.NoError(t, err)
	for i := range 60 {
		to := convo.ToContact(acme, strings.Repeat("x", i+1))
		_, err := engine.Do(t.Context(), to, hello)
		require.NoError(t, err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, err := workers.Once(t.Context())
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Zero(t, shared.all[0].FailingSince)
}

// cached hands out the same slice.
type cached struct{ all []webhook.Endpoint }

func (c *cached) Endpoints(context.Context, string) ([]webhook.Endpoint, error) {
	return c.all, nil
}

func (c *cached) Report(context.Context, string, string, webhook.Health) error { return nil }

func TestAnEndpointThatWorksAgainSaysSo(t *testing.T) {
	r := newReceiver(t)
	w := newWorldOf(t, r)
	r.answers(500)
	w.do("bob", hello)
	w.once()
	r.answers(200)
	w.table.down = errors.New("the table cannot be written")
	w.clock.add(time.Hour)
	w.once()
	w.table.down = nil
	w.do("bob", hello)
	w.once()
	require.Len(t, w.table.reports, 2)
	assert.Zero(t, w.table.reports[1])
	bodies, _ := r.take()
	assert.Len(t, bodies, 4, "each once after the failure, whatever becomes of a report")
}

func TestAnEndpointThatIsGoneIsDisabledAtOnce(t *testing.T) {
	r := newReceiver(t)
	w := newWorldOf(t, r)
	r.answers(http.StatusGone)
	w.do("bob", hello)
	assert.Equal(t, 1, w.once().Dead)
	assert.True(t, w.table.by["1"].Disabled)
}

// A name that a customer gives may lead inside, also only by the time that it is connected to.
func TestAddressesThatAreNotPublicAreRefused(t *testing.T) {
	r := newReceiver(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(r.URL, "http://"), ":")
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "[::]",
	} {
		w := newWorld(t, []webhook.Endpoint{
			{ID: "1", URL: "http://" + host + ":" + port, Secrets: []string{webhook.NewSecret()}},
		}, webhook.WithInsecureURLs())
		w.do("bob", hello)
		assert.Equal(t, 1, w.once().Failed, host)
		require.Len(t, w.table.reports, 1)
		assert.Contains(t, w.table.reports[0].Error, "not public", host)
	}
	bodies, _ := r.take()
	assert.Empty(t, bodies)
}

func TestEndpointsThatCannotBeUsedSayWhyAndNeverTellASecret(t *testing.T) {
	secret := webhook.NewSecret()
	for why, e := range map[string]webhook.Endpoint{
		"must begin with https": {URL: "http://example.com", Secrets: []string{secret}},
		"must be absolute":      {URL: "/hook", Secrets: []string{secret}},
		"no user name":          {URL: "https://a:b@example.com", Secrets: []string{secret}},
		"1 to 5 secrets":        {URL: "https://example.com"},
		"secret 2 must be":      {URL: "https://example.com", Secrets: []string{secret, "whsec_c2hvcnQ="}},
		"secret 1 must be":      {URL: "https://example.com", Secrets: []string{strings.TrimPrefix(secret, "whsec_")}},
	} {
		e.ID = "1"
		w := newWorld(t, []webhook.Endpoint{e})
		w.do("bob", hello)
		assert.Equal(t, 1, w.once().Failed, why)
		for range 20 {
			w.clock.add(25 * time.Hour)
			w.once()
		}
		letters := w.letters()
		require.NotEmpty(t, letters, why)
		assert.Contains(t, letters[0].Error, why)
		for _, s := range e.Secrets {
			assert.NotContains(t, letters[0].Error, strings.TrimPrefix(s, "whsec_"))
		}
	}
}

func TestAnErrorDoesNotTellTheURL(t *testing.T) {
	w := newWorld(t, []webhook.Endpoint{{
		ID: "1", URL: "http://127.0.0.1:1/hook?token=canary", Secrets: []string{webhook.NewSecret()},
	}}, local()...)
	w.do("bob", hello)
	assert.Equal(t, 1, w.once().Failed)
	require.Len(t, w.table.reports, 1)
	assert.NotContains(t, w.table.reports[0].Error, "canary")
}
