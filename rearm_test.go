package convo_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// commitsOf is a store that keeps whom each commit was about, and fails the first that are about
// several, as if something had come in between.
type commitsOf struct {
	convo.Store
	contacts [][]string
	fail     int
}

func (s *commitsOf) Commit(ctx context.Context, changes ...convo.Change) error {
	var of []string
	for i := range changes {
		of = append(of, changes[i].Contact.ID)
	}
	s.contacts = append(s.contacts, of)
	if len(changes) > 1 && s.fail > 0 {
		s.fail--
		return convo.ErrConflict
	}
	return s.Store.Commit(ctx, changes...)
}

// The contract of Commit: what it carries out at once is of different contacts.
func TestRearmWritesManyAtOnceButNoContactTwice(t *testing.T) {
	for _, fail := range []int{0, 1} {
		var p convo.Policy
		s := &commitsOf{Store: newStore()}
		e, err := convo.New(s, policyOf(&p))
		require.NoError(t, err)
		for i := range 120 {
			for _, lane := range []string{"", "aside"} {
				_, err := e.Do(t.Context(), toContact(fmt.Sprint(i/2)).In(fmt.Sprint(i%2, lane)),
					convo.Receive{Body: "hi"})
				require.NoError(t, err)
			}
		}
		p = closeAfterAnyEvent(time.Hour)
		s.contacts, s.fail = nil, fail
		n, err := e.Rearm(t.Context(), tenant)
		require.NoError(t, err)
		assert.Equal(t, 240, n)
		all, most := 0, 0
		for _, of := range s.contacts {
			all, most = all+len(of), max(most, len(of))
			slices.Sort(of)
			assert.Len(t, slices.Compact(of), len(of), "no contact twice")
		}
		assert.LessOrEqual(t, most, 100)
		assert.Equal(t, fail > 0, all > 240, "what was refused is done one by one")
	}
}

func TestRearmGivesUpWhenTheStoreDoes(t *testing.T) {
	s := shake(newStore())
	p := convo.Policy{}
	d := openDeskOn(t, s, policyOf(&p))
	d.do(toContact("carl"), convo.Receive{Body: "hi"})
	p = closeAfterAnyEvent(time.Hour)
	s.before = func(string, int) error { return errPower }
	_, err := d.Rearm(t.Context(), tenant)
	require.ErrorIs(t, err, errPower)
	s.before = nil
	_, err = d.Rearm(t.Context(), "")
	requireInvalid(t, "workspace", err)
}
