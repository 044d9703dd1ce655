package convo

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
)

// What is remembered of failures is bounded, and makes room for others when nobody asks for it.
func TestWhatIsPutOffIsBounded(t *testing.T) {
	var p putOff
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	of := func(i int) failing {
		return failing{Scope{Workspace: "acme"}, uuid.UUID{byte(i >> 16), byte(i >> 8), byte(i)}}
	}
	for i := range maxPutOff + 10 {
		p.failed(of(i), at)
		p.failed(of(i), at)
	}
	assert.Len(t, p.by, maxPutOff)
	assert.True(t, p.waits(of(0), at))
	assert.False(t, p.waits(of(maxPutOff+1), at), "which is tried again")
	at = at.Add(time.Hour)
	p.failed(of(maxPutOff+1), at)
	assert.Len(t, p.by, 1)
}
