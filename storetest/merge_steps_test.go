package storetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// twoSteps is a store that finds a contact which was merged in two steps, and does not look whether
// the second one was merged meanwhile.
type twoSteps struct{ convo.Store }

func (t twoSteps) Load(ctx context.Context, to convo.Ref) (convo.Snapshot, error) {
	s, err := t.Store.Load(ctx, to)
	if err != nil || s.Contact.ID == to.Contact || ctx.Err() != nil {
		return s, ctx.Err()
	}
	now, err := t.Store.Load(ctx, convo.ToContact(to.Workspace, s.Contact.ID))
	if now.Contact.ID != s.Contact.ID { // as its row is by now
		s.Contact.MergedInto = now.Contact.ID
		s.Contact.Version++
	}
	return s, err
}

func TestRunFailsOnAStoreThatLoadsWhatWasMergedMeanwhile(t *testing.T) {
	red := 0
	for _, c := range mergeStepCases {
		r := &recorder{ctx: t.Context()}
		done := make(chan struct{})
		go func() { // which ends at the first failure
			defer close(done)
			c.on(r, twoSteps{memstore.New()})
		}()
		<-done
		if r.failed {
			red++
		}
	}
	assert.Positive(t, red, "of %d calls", len(mergeStepCases))
}
