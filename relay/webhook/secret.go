package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

const prefix = "whsec_"

// NewSecret returns a new random secret of 32 bytes.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // which never fails
	return prefix + base64.StdEncoding.EncodeToString(b)
}

func secretLength(secret string) (int, error) {
	text, ok := strings.CutPrefix(secret, prefix)
	if !ok {
		return 0, errors.New("no prefix")
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return len(b), err
}
