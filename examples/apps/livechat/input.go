package main

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Limits of what is taken from outside, in bytes. A page's fields hold fewer characters, so that
// only a hand-made request meets them.
const (
	maxRequest = 64 << 10
	maxBody    = 16 << 10
	maxSummary = 4 << 10
	maxKey     = 64
)

// keyed is what every request that changes something has: a key of the page's own making, which it
// repeats when it repeats the request.
type keyed struct {
	Key string `json:"key"`
}

func (k keyed) key() string { return k.Key }

// scoped makes k unique to whoever uses it, so that nobody meets another one's.
func (k keyed) scoped(who string) string { return who + "/" + k.Key }

// read decodes the JSON of a request into T, strictly.
func read[T interface{ key() string }](w http.ResponseWriter, r *http.Request) (in T, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil ||
		kind != "application/json" {
		return in, refusal{http.StatusUnsupportedMediaType, "media_type", "Send application/json."}
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	err = d.Decode(&in)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) { // another value, or what is none
			err = errors.New("more than one value")
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return in, refusal{http.StatusRequestEntityTooLarge, "too_large",
			"That is too long."}
	case errors.Is(err, io.EOF):
		return in, refusal{http.StatusBadRequest, "malformed", "The request is empty."}
	case err != nil: // its text may quote the input
		return in, refusal{http.StatusBadRequest, "malformed",
			"The request is not what is expected here. Load the page again."}
	}
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"
	if k := in.key(); k == "" || len(k) > maxKey || strings.Trim(k, letters) != "" {
		return in, refusal{http.StatusUnprocessableEntity, "invalid",
			"The request has no key that is expected here. Load the page again."}
	}
	return in, nil
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // fails when the client has gone
	return nil
}
