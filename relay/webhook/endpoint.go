package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/chatlifecycle/convo"
)

// Endpoint is a URL that events of a workspace are sent to.
type Endpoint struct {
	// ID names its queue: 1 to 190 bytes, and never that of another endpoint of the workspace.
	ID  string
	URL string // https, or http where that is allowed
	// Secrets sign what is sent, each with "whsec_" and base64 of 24 to 64 bytes. With several,
	// each signs: so a secret is rotated by having the new and the old one here for a while.
	Secrets []string
	Kinds   []convo.EventKind // only these; nil: all
	// FailingSince is what Endpoints.Report said last; zero while it works.
	FailingSince time.Time
	Disabled     bool // it gets nothing
}

// Endpoints keeps the endpoints of workspaces: a table of the host's. It is safe for concurrent
// use.
type Endpoints interface {
	// Endpoints returns those of a workspace, also those that are disabled. It must fail rather
	// than return only some.
	Endpoints(ctx context.Context, workspace string) ([]Endpoint, error)
	// Report says that an endpoint began to fail, works again, or is to be disabled: it is asked to
	// keep FailingSince and Disabled, and to tell whoever should know. It is called when one of
	// them changes, by each process that finds out.
	Report(ctx context.Context, workspace, id string, h Health) error
}

// Health is how an endpoint does.
type Health struct {
	FailingSince time.Time // zero: it works
	Disabled     bool      // it has failed for too long, or said that it is gone (status 410)
	Error        string    // the last one
}

// Secrets have so many bytes, by the specification.
const (
	minSecret = 24
	maxSecret = 64
)

// check says what is wrong with an endpoint, and returns what signs.
func (e *Endpoint) check(insecure bool) ([]*standardwebhooks.Webhook, error) {
	u, err := url.Parse(e.URL)
	switch {
	case e.ID == "" || len(e.ID) > 190:
		return nil, errors.New("its ID must have 1 to 190 bytes")
	case err != nil || u.Host == "":
		return nil, errors.New("its URL must be absolute")
	case u.User != nil:
		return nil, errors.New("its URL must have no user name")
	case u.Scheme != "https" && (u.Scheme != "http" || !insecure):
		return nil, errors.New("its URL must begin with https")
	case len(e.Secrets) == 0 || len(e.Secrets) > 5:
		return nil, errors.New("it must have 1 to 5 secrets")
	}
	var signers []*standardwebhooks.Webhook
	for i, secret := range e.Secrets {
		n, err := secretLength(secret)
		if err != nil || n < minSecret || n > maxSecret { // the error would tell the secret
			return nil, fmt.Errorf("secret %d must be %q and base64 of %d to %d bytes", i+1,
				prefix, minSecret, maxSecret)
		}
		signer, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, fmt.Errorf("secret %d cannot be used", i+1)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}
