package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

// A visitor's token says who they are: workspace, contact and expiry, signed. It is all that a
// visitor's request can name, so there is no way to name somebody else's conversation.
const (
	visitorCookie = "livechat_visitor"
	visitorLife   = 180 * 24 * time.Hour
	agentCookie   = "livechat_agent"
	agentLife     = 12 * time.Hour
	knownCookie   = "livechat_known" // says who has signed in from here: see gates
	knownLife     = 180 * 24 * time.Hour
)

type visitor struct{ workspace, contact string }

// actor tells a visitor's messages from those of others that agents have merged with them.
func (v visitor) actor() convo.Actor { return convo.Actor{Type: convo.ActorContact, ID: v.contact} }

func newVisitor(workspace string) visitor {
	return visitor{workspace, "visitor-" + strings.ToLower(rand.Text())}
}

func (s *secrets) sign(v visitor, expires time.Time) string {
	return s.signed("visitor", v.workspace, v.contact, expires)
}

// signed is a token for a purpose, which no token for another one can stand for.
func (s *secrets) signed(purpose, workspace, name string, expires time.Time) string {
	payload := workspace + "|" + name + "|" + strconv.FormatInt(expires.Unix(), 10)
	text := base64.RawURLEncoding.EncodeToString
	return text([]byte(payload)) + "." + text(s.mac(purpose, payload))
}

// verify reads a token that was signed here for workspace and has not expired.
func (s *secrets) verify(token, workspace string, now time.Time) (visitor, bool) {
	contact, ok := s.verified("visitor", token, workspace, now)
	return visitor{workspace, contact}, ok
}

func (s *secrets) verified(purpose, token, workspace string, now time.Time) (name string, ok bool) {
	encoded, signature, _ := strings.Cut(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	mac, macErr := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || macErr != nil || !hmac.Equal(mac, s.mac(purpose, string(payload))) {
		return "", false
	}
	parts := strings.Split(string(payload), "|")
	if len(parts) != 3 || parts[0] != workspace {
		return "", false
	}
	expires, err := strconv.ParseInt(parts[2], 10, 64)
	return parts[1], err == nil && now.Unix() < expires
}

func (s *secrets) mac(purpose, payload string) []byte {
	h := hmac.New(sha256.New, s.Key)
	h.Write([]byte("livechat " + purpose + "\n" + payload))
	return h.Sum(nil)
}

func setCookie(w http.ResponseWriter, name, value, path string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: int(life.Seconds()), HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}
