package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A visitor's token says who they are: workspace, contact and expiry, signed. It is all that a
// visitor's request can name, so there is no way to name somebody else's conversation.
const (
	visitorCookie = "livechat_visitor"
	visitorLife   = 180 * 24 * time.Hour
	agentCookie   = "livechat_agent"
	agentLife     = 12 * time.Hour
)

type visitor struct{ workspace, contact string }

func newVisitor(workspace string) visitor {
	return visitor{workspace, "visitor-" + strings.ToLower(rand.Text())}
}

func (s *secrets) sign(v visitor, expires time.Time) string {
	payload := v.workspace + "|" + v.contact + "|" + strconv.FormatInt(expires.Unix(), 10)
	text := base64.RawURLEncoding.EncodeToString
	return text([]byte(payload)) + "." + text(s.mac(payload))
}

// verify reads a token that was signed here for workspace and has not expired.
func (s *secrets) verify(token, workspace string, now time.Time) (visitor, bool) {
	encoded, signature, _ := strings.Cut(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	mac, macErr := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || macErr != nil || !hmac.Equal(mac, s.mac(string(payload))) {
		return visitor{}, false
	}
	parts := strings.Split(string(payload), "|")
	if len(parts) != 3 || parts[0] != workspace {
		return visitor{}, false
	}
	expires, err := strconv.ParseInt(parts[2], 10, 64)
	return visitor{parts[0], parts[1]}, err == nil && now.Unix() < expires
}

func (s *secrets) mac(payload string) []byte {
	h := hmac.New(sha256.New, s.Key)
	h.Write([]byte("livechat visitor\n" + payload))
	return h.Sum(nil)
}

func setCookie(w http.ResponseWriter, name, value, path string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: int(life.Seconds()), HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// sessions are those of agents who are signed in. They end with the process.
type sessions struct {
	mu      sync.Mutex
	byToken map[string]session
}

type session struct {
	account *account
	expires time.Time
}

func (s *sessions) begin(a *account, now time.Time) (token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, old := range s.byToken {
		if !now.Before(old.expires) {
			delete(s.byToken, t)
		}
	}
	if s.byToken == nil {
		s.byToken = map[string]session{}
	}
	token = rand.Text()
	s.byToken[token] = session{a, now.Add(agentLife)}
	return token
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byToken, token)
}

// of is whose session r belongs to, or nil.
func (s *sessions) of(r *http.Request) *account {
	c, err := r.Cookie(agentCookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.byToken[c.Value]; ok && time.Now().Before(found.expires) {
		return found.account
	}
	return nil
}
