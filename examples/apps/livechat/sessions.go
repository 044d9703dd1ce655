package main

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxSessions is how many an account may have; the one that ends first makes room.
const maxSessions = 50

// sessions are those of agents who are signed in. They are kept with the secrets, so that a restart
// of the server throws nobody out in the middle of a sentence.
type sessions struct {
	mu   sync.Mutex
	keep *secrets
}

// savedSession is a session as it is kept: without the token itself, which the file must not give
// away.
type savedSession struct {
	Token     []byte    `json:"token"` // its SHA-256
	Name      string    `json:"name"`
	Workspace string    `json:"workspace"`
	Expires   time.Time `json:"expires"`
}

func newSessions(keep *secrets) *sessions { return &sessions{keep: keep} }

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// begin begins a session, which holds also when it could not be kept.
func (s *sessions) begin(a *account, now time.Time) (token string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := func(n savedSession) bool { return n.Name == a.Name && n.Workspace == a.Workspace }
	all := slices.DeleteFunc(s.keep.Sessions, func(n savedSession) bool {
		return !now.Before(n.Expires)
	})
	count := 0
	for _, n := range all {
		if own(n) {
			count++
		}
	}
	if count >= maxSessions {
		slices.SortStableFunc(all, func(a, b savedSession) int {
			return cmp.Compare(a.Expires.UnixNano(), b.Expires.UnixNano())
		})
		i := slices.IndexFunc(all, own)
		all = slices.Delete(all, i, i+1)
	}
	token = rand.Text()
	all = append(all, savedSession{hashOf(token), a.Name, a.Workspace, now.Add(agentLife).UTC()})
	s.keep.Sessions = all
	return token, s.keep.write()
}

func (s *sessions) end(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, hash := len(s.keep.Sessions), hashOf(token)
	s.keep.Sessions = slices.DeleteFunc(s.keep.Sessions, func(n savedSession) bool {
		return slices.Equal(n.Token, hash)
	})
	if len(s.keep.Sessions) == before {
		return nil
	}
	return s.keep.write()
}

// of is whose session r belongs to, or nil.
func (s *sessions) of(r *http.Request) *account {
	c, err := r.Cookie(agentCookie)
	if err != nil {
		return nil
	}
	hash := hashOf(c.Value)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.keep.Sessions {
		if slices.Equal(n.Token, hash) && time.Now().Before(n.Expires) {
			return s.keep.find(n.Name, n.Workspace) // nil, if that is gone
		}
	}
	return nil
}
