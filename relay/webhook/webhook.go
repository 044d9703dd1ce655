package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/relay"
)

// Defaults.
const (
	DefaultTimeout      = 15 * time.Second
	DefaultDisableAfter = 5 * 24 * time.Hour
	// MaxBody bounds what is sent, in bytes: a larger event becomes a dead letter.
	MaxBody = 1 << 20
	// maxAnswer bounds what is read of an answer, so that the connection can be used again.
	maxAnswer = 64 << 10
)

// Webhooks sends events to endpoints. Use New. It is safe for concurrent use.
type Webhooks struct {
	endpoints Endpoints
	client    *http.Client
	clock     interface{ Now() time.Time }
	timeout   time.Duration
	disable   time.Duration
	private   bool
	insecure  bool

	mu       sync.Mutex
	failures map[[2]string]int // in a row, by workspace and endpoint
}

// Option configures Webhooks.
type Option func(*Webhooks)

// WithClock has Webhooks read the time from c.
func WithClock(c interface{ Now() time.Time }) Option { return func(w *Webhooks) { w.clock = c } }

// WithTimeout bounds one request, its connection included. Default: DefaultTimeout.
func WithTimeout(d time.Duration) Option { return func(w *Webhooks) { w.timeout = d } }

// WithDisableAfter says after how long without one success an endpoint that fails is disabled, if
// ten requests or more have failed. Default: DefaultDisableAfter.
func WithDisableAfter(d time.Duration) Option { return func(w *Webhooks) { w.disable = d } }

// WithPrivateAddresses allows addresses that are not public, which a customer could name to reach
// what only the host should. For tests, and for hosts whose endpoints are all their own.
func WithPrivateAddresses() Option { return func(w *Webhooks) { w.private = true } }

// WithInsecureURLs allows http.
func WithInsecureURLs() Option { return func(w *Webhooks) { w.insecure = true } }

// New returns Webhooks that send to endpoints.
func New(endpoints Endpoints, opts ...Option) (*Webhooks, error) {
	w := &Webhooks{
		endpoints: endpoints, clock: system{}, timeout: DefaultTimeout,
		disable: DefaultDisableAfter, failures: map[[2]string]int{},
	}
	for _, o := range opts {
		o(w)
	}
	switch {
	case endpoints == nil || w.clock == nil:
		return nil, errors.New("webhook: endpoints and a clock must not be nil")
	case w.timeout <= 0 || w.disable <= 0:
		return nil, errors.New("webhook: WithTimeout and WithDisableAfter must be positive")
	}
	dialer := &net.Dialer{Timeout: w.timeout, Control: w.control}
	w.client = &http.Client{
		Timeout: w.timeout,
		// A redirect could lead anywhere, and would be followed with what was signed.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{ // no proxy: it would resolve names by itself
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4,
			IdleConnTimeout: time.Minute, TLSHandshakeTimeout: w.timeout,
			MaxResponseHeaderBytes: maxAnswer,
		},
	}
	return w, nil
}

type system struct{}

func (system) Now() time.Time { return time.Now() }

// ErrPrivateAddress refuses an address that is not public.
var ErrPrivateAddress = errors.New("webhook: the address is not public")

// control sees the address that is connected to: what a name resolves to just now.
func (w *Webhooks) control(_, address string, _ syscall.RawConn) error {
	if w.private {
		return nil
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !public(at.Addr()) {
		return fmt.Errorf("%w: %s", ErrPrivateAddress, at.Addr())
	}
	return nil
}

// notPublic are what netip.Addr does not tell apart: the special-purpose address registries of IANA
// (RFC 6890), and prefixes that stand for an IPv4 address.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("168.63.129.16/32"), // what Azure serves virtual machines at
}

func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Targets implements relay.Targets: a target for each endpoint that is not disabled. One whose URL
// or secrets cannot be used is no reason to send nothing to the others: what it is to get fails
// with why. IDs that cannot name queues, or are there twice, fail the workspace.
func (w *Webhooks) Targets(ctx context.Context, workspace string) ([]relay.Target, error) {
	endpoints, err := w.endpoints.Endpoints(ctx, workspace)
	if err != nil {
		return nil, err
	}
	var all []relay.Target
	for i := range endpoints {
		e := endpoints[i] // the slice is the host's
		if e.Disabled {
			continue
		}
		signers, err := e.check(w.insecure)
		all = append(all, relay.Target{
			Name: "webhook " + e.ID, Kinds: e.Kinds,
			Publisher: &publisher{
				Webhooks: w, workspace: workspace, to: e, signers: signers, wrong: err,
			},
		})
	}
	return all, nil
}

// publisher sends to one endpoint.
type publisher struct {
	*Webhooks
	workspace string
	to        Endpoint
	signers   []*standardwebhooks.Webhook
	wrong     error      // with the endpoint
	mu        sync.Mutex // of to.FailingSince
}

// Publish implements relay.Publisher.
func (p *publisher) Publish(ctx context.Context, events []convo.Event) (int, error) {
	if p.wrong != nil {
		return 0, fmt.Errorf("webhook: endpoint %q: %w", p.to.ID, p.wrong)
	}
	for i := range events {
		err := p.send(ctx, &events[i])
		if ctx.Err() == nil && !errors.Is(err, errNotSent) {
			err = p.report(ctx, err)
		}
		if err != nil {
			return i, err
		}
	}
	return len(events), nil
}

// report tells the host when the endpoint begins to fail, works again, or is to be disabled. It
// returns why the event was not sent.
func (p *publisher) report(ctx context.Context, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := Health{FailingSince: p.to.FailingSince}
	now := p.clock.Now().UTC()
	inARow := p.counted(p.workspace, p.to.ID, err == nil)
	switch {
	case err == nil && h.FailingSince.IsZero():
		return nil
	case err == nil:
		h.FailingSince = time.Time{}
	default:
		gone := errors.Is(err, errGone)
		h.Error = err.Error()
		if h.FailingSince.IsZero() {
			h.FailingSince = now
		}
		h.Disabled = gone || now.Sub(h.FailingSince) >= p.disable && inARow >= disableAfter
		if !h.Disabled && h.FailingSince.Equal(p.to.FailingSince) {
			return err
		}
	}
	rerr := p.endpoints.Report(ctx, p.workspace, p.to.ID, h)
	if rerr == nil {
		p.to.FailingSince = h.FailingSince
	}
	if err != nil {
		return errors.Join(err, rerr)
	}
	return nil // it was sent; that it works is told once more
}

// disableAfter is how many failures in a row, seen by one process, an endpoint is disabled for: one
// that gets an event a week must not be by two of them.
const disableAfter = 10

// counted counts the failures of an endpoint in a row.
func (w *Webhooks) counted(workspace, id string, worked bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := [2]string{workspace, id}
	if worked {
		delete(w.failures, of)
		return 0
	}
	w.failures[of]++
	return w.failures[of]
}

// errNotSent is of an event that cannot be sent anywhere.
var errNotSent = errors.New("the event cannot be sent")

// errGone is of an endpoint that wants nothing any more.
var errGone = errors.New("the endpoint is gone (status 410)")

// envelope is what is sent.
type envelope struct {
	Type      convo.EventKind `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      *convo.Event    `json:"data"`
}

func (p *publisher) send(ctx context.Context, e *convo.Event) error {
	body, err := json.Marshal(envelope{e.Kind, e.At, e})
	switch {
	case err != nil:
		return relay.Permanent(fmt.Errorf("webhook: %w: %w", errNotSent, err))
	case len(body) > MaxBody:
		return relay.Permanent(fmt.Errorf("webhook: %w: it has %d bytes, and %d may be sent",
			errNotSent, len(body), MaxBody))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.to.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	now, id := p.clock.Now(), e.ID.String()
	var signatures []string
	for _, signer := range p.signers {
		signature, err := signer.Sign(id, now, body)
		if err != nil {
			return fmt.Errorf("webhook: signing: %w", err)
		}
		signatures = append(signatures, signature)
	}
	req.Header.Set("content-type", "application/json")
	req.Header.Set("user-agent", "convo-webhook")
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	answer, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("webhook: %w", withoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode == http.StatusGone:
		return relay.Permanent(fmt.Errorf("webhook: %w", errGone))
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return fmt.Errorf("webhook: status %d: redirects are not followed", answer.StatusCode)
	}
	return fmt.Errorf("webhook: status %d", answer.StatusCode)
}

// withoutURL is an error without the URL of its endpoint, which may have a secret in it: errors are
// kept and logged.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
