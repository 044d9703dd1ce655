package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chatlifecycle/convo"
)

func (r *runner) erase(ctx context.Context, rest string) (string, error) {
	x := convo.Erase{By: convo.ByUser("ana")}
	contact, by, _ := strings.Cut(rest, " by=")
	if by != "" {
		x.By = actor(by)
	}
	x.Workspace, x.Contact = workspaceOf(contact)
	res, err := r.engine.Erase(ctx, x)
	if err != nil {
		return r.refusal(err), nil
	}
	return fmt.Sprintf("%s %s\n", res.Outcome, r.flat("", res.Removed)) + r.events(res.Events), nil
}

func (r *runner) prune(ctx context.Context, rest string) (string, error) {
	var keep [3]time.Duration
	words := strings.Fields(rest)
	if len(words) != len(keep) {
		return "", errors.New("a pruning needs three durations")
	}
	for i, word := range words {
		var err error
		if keep[i], err = time.ParseDuration(word); err != nil {
			return "", err
		}
	}
	var all convo.Pruned
	for {
		p, err := r.engine.Prune(ctx,
			convo.Retention{Texts: keep[0], Conversations: keep[1], Keys: keep[2]}, all.Next, 0)
		if err != nil {
			return r.refusal(err), nil
		}
		all.Texts, all.Keys = all.Texts+p.Texts, all.Keys+p.Keys
		all.Conversations, all.Next = all.Conversations+p.Conversations, p.Next
		if !p.More() {
			break
		}
	}
	return fmt.Sprintf("%d texts, %d conversations, %d keys\n", all.Texts, all.Conversations,
		all.Keys), nil
}
