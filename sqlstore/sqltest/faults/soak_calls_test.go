package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/chatlifecycle/convo"
)

// soakCaller calls one thing after the other.
type soakCaller struct {
	*soaker
	number int
	rand   *rand.Rand
	n      int // messages
	last   struct {
		to convo.Ref
		id string // external
	}
}

func (c *soakCaller) pace() time.Duration {
	return time.Duration(c.rand.Int64N(2 * int64(soakPace)))
}

// whom is a contact of now, and of which workspace: two of three are perishable.
func (c *soakCaller) whom() convo.Ref {
	to := convo.Ref{Workspace: workspace}
	if c.rand.IntN(3) > 0 {
		to.Workspace = perishable
	}
	to.Contact = c.contact(to.Workspace)
	to.Address = convo.Address{Channel: "sms", Value: to.Contact}
	return to
}

func (c *soakCaller) contact(of string) string {
	return fmt.Sprint(of, " ", time.Now().UnixNano()/int64(soakSpell), ".", c.rand.IntN(6))
}

// call is a message, or anything else, as often.
func (c *soakCaller) call() {
	to := c.whom()
	if c.rand.IntN(2) == 0 {
		c.message(to)
		return
	}
	if c.rand.IntN(3) == 0 {
		c.seldom(to)
		return
	}
	to.Address = convo.Address{}
	e, ctx := c.engine[to.Workspace], context.Background()
	lane, other := "sales", c.contact(to.Workspace)
	cmds := [...]convo.Commands{
		{convo.Close{By: ana, Summary: "done"}}, {convo.Close{By: ana}}, {convo.Close{By: ana}},
		{convo.Reopen{By: ana}}, {convo.Open{By: ana}}, {convo.Note{By: ana, Body: "note"}},
		{convo.SetPending{By: ana, Until: time.Now().Add(50 * time.Millisecond)}},
		{convo.SetPending{By: ana}}, {convo.Resume{By: ana}},
		{convo.Assign{By: ana, Assignee: "ben", Team: "one"}}, {convo.Assign{By: ana}},
		{convo.Label{By: ana, Add: []string{"new"}}, convo.Prioritize{By: ana, Priority: 1}},
		{convo.Label{By: ana, Remove: []string{"new"}}},
		{convo.Block{By: ana}, convo.Unblock{By: ana}},
		{convo.Move{By: ana, Lane: &lane}}, {convo.Move{By: ana, Contact: other}},
		{convo.Rate{Score: 4}},
	}
	chosen := cmds[c.rand.IntN(len(cmds))]
	if c.rand.IntN(4) == 0 && c.last.id != "" {
		to = c.last.to
		edit := convo.Edit{By: ana, ExternalID: c.last.id, Body: "better"}
		retract := convo.Retract{By: ana, ExternalID: c.last.id, Redact: c.rand.IntN(2) == 0}
		chosen = [...]convo.Commands{{edit}, {edit}, {retract}}[c.rand.IntN(3)]
		e = c.engine[to.Workspace]
	}
	r, err := e.Do(ctx, to, chosen...)
	c.counted(fmt.Sprintf("%T", chosen[0])[len("convo."):], r.Outcome, err)
}

// message repeats a message until it has an answer, and writes down that it has.
func (c *soakCaller) message(to convo.Ref) {
	c.n++
	id := fmt.Sprintf("%s/%d.%d.%d.%d", to.Workspace, c.Number, c.Life, c.number, c.n)
	var cmd convo.Command = convo.Receive{ExternalID: id, Body: id}
	if c.rand.IntN(4) == 0 {
		cmd = convo.Send{By: ana, ExternalID: id, Body: id}
	}
	e, ctx := c.engine[to.Workspace], context.Background()
	for time.Now().Before(c.Until) {
		r, err := e.Do(ctx, to, cmd)
		if !c.counted("message", r.Outcome, err) {
			<-time.After(c.pace())
			continue
		}
		if err != nil {
			return
		}
		if _, err := c.acks.WriteString(id + "\n"); err != nil {
			panic(err)
		}
		c.last.to, c.last.id = to, id
		break
	}
	if c.last.id != id || c.rand.IntN(10) > 0 {
		return
	}
	r, err := e.Do(ctx, to, cmd) // delivered twice
	answered := c.counted("again", r.Outcome, err)
	if answered && to.Workspace == workspace && r.Outcome != convo.OutcomeDuplicate {
		c.fault("message "+id, fmt.Errorf("written twice: %q", r.Outcome))
	}
}

// seldom is what is no command.
func (c *soakCaller) seldom(to convo.Ref) {
	e, ctx := c.engine[to.Workspace], context.Background()
	var outcome convo.Outcome
	var err error
	name := [...]string{
		"merge", "merge", "merge", "unmerge", "unmerge", "receipt", "list", "counts", "history",
		"erase", "erase",
	}[c.rand.IntN(11)]
	switch name {
	case "merge":
		var r convo.MergeResult
		r, err = e.Merge(ctx, convo.Merge{
			Workspace: to.Workspace, Primary: to.Contact, Secondary: c.contact(to.Workspace),
			By: ana,
		})
		outcome = r.Outcome
	case "unmerge":
		var r convo.UnmergeResult
		r, err = e.Unmerge(ctx, convo.Unmerge{
			Workspace: to.Workspace, Contact: to.Contact, By: ana,
		})
		outcome = r.Outcome
	case "receipt":
		if c.last.id != "" {
			_, err = c.engine[c.last.to.Workspace].Deliver(ctx, c.last.to.Workspace,
				convo.Delivery{
					Channel: "sms", Address: c.last.to.Address.Value, ExternalID: c.last.id,
					Status: convo.DeliveryRead,
				})
		}
	case "list":
		_, err = e.List(ctx, convo.Filter{Workspace: to.Workspace})
	case "counts":
		_, err = e.Counts(ctx, to.Workspace)
	case "history":
		_, err = e.History(ctx, convo.ToContact(to.Workspace, to.Contact), convo.EventCursor{}, 0)
	case "erase":
		if to.Workspace == perishable {
			var r convo.EraseResult
			r, err = e.Erase(ctx, convo.Erase{
				Workspace: to.Workspace, Contact: to.Contact, By: ana,
			})
			outcome = r.Outcome
		}
	}
	c.counted(name, outcome, err)
}
