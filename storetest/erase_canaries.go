package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Canary is in each text, id and address of the contacts that [WriteCanaries] writes to.
const Canary = "canary"

// grouped are those fields of commands that reports and lists go by, so that an erasure keeps them,
// and those that say no more than which command it is.
var grouped = map[string]bool{
	"channel": true, "lane": true, "category": true, "assignee": true, "team": true,
	"add": true, "remove": true, "source": true, "by": true, "on_receive": true,
}

// canaries are commands that fill each of their fields, those of a contact's address.
func canaries() []convo.Command {
	text := func(of string) string { return Canary + " " + of + "\n" }
	list := json.RawMessage(`[{"canary": "canary"}]`)
	object := json.RawMessage(`{"canary": "canary"}`)
	subject, name := Canary+" subject", Canary+" name"
	by := convo.Actor{Type: convo.ActorContact, ID: Canary + " actor"}
	key := func(of string) string { return "key of " + Canary + " " + of }
	return []convo.Command{
		convo.Open{By: by, Key: key("open")},
		convo.Receive{
			By: by, Key: key("receive"), Channel: "sms", Address: Canary + "+1",
			ExternalID: Canary + " in", Body: text("received"), Attachments: list,
		},
		convo.Note{By: ana, Key: key("note"), Body: text("noted"), Attachments: list},
		convo.Send{
			By: ana, Key: key("send"), Channel: "sms", Address: Canary + "+1",
			ExternalID: Canary + " out", Body: text("sent"), Attachments: list,
		},
		convo.Edit{
			By: ana, Key: key("edit"), Channel: "sms", Address: Canary + "+1",
			ExternalID: Canary + " out", Body: text("edited"), Attachments: list,
		},
		convo.Describe{By: ana, Key: key("describe"), Subject: &subject, Attributes: object},
		convo.SetProfile{By: ana, Key: key("profile"), Name: &name, Attributes: object},
		convo.Label{By: ana, Key: key("label"), Add: []string{"vip", "new"}},
		convo.Label{By: ana, Remove: []string{"new"}},
		convo.Prioritize{By: ana, Key: key("prioritize"), Priority: convo.PriorityHigh},
		convo.Assign{By: ana, Key: key("assign"), Assignee: "ana", Team: "support"},
		convo.SetPending{By: ana, Key: key("pending")},
		convo.Resume{By: by, Key: key("resume")},
		convo.Close{By: by, Key: key("close"), Category: "Sales", Summary: text("closed")},
		convo.Rate{By: by, Key: key("rate"), Score: 4, Comment: text("rated")},
		convo.AmendClosing{
			By: ana, Key: key("amend"), Category: "Support", Summary: text("amended"),
		},
		convo.Reopen{By: by, Key: key("reopen")},
		convo.Send{By: ana, Channel: "sms", Address: Canary + "+2", Body: text("of a message")},
		convo.Block{By: by, Key: key("block"), Reason: text("blocked")},
		convo.Unblock{By: by, Key: key("unblock")},
		convo.LinkAddress{By: by, Key: key("link")},
	}
}

// alone are commands that stand alone in a call.
func alone(message uuid.UUID) []convo.Command {
	return []convo.Command{
		convo.Identify{
			By: ana, Key: "key of " + Canary + " identify", Message: message, Channel: "sms",
			Address: Canary + "+2", ExternalID: Canary + " told",
		},
		convo.Retract{
			By: ana, Key: "key of " + Canary + " retract", Channel: "sms", Address: Canary + "+2",
			ExternalID: Canary + " told",
		},
	}
}

// unsaid are the texts of the fields of a command that are neither a canary in one of the samples,
// nor grouped.
func unsaid(samples []convo.Command) (fields []string) {
	said, all := map[string]bool{}, map[string]bool{}
	for _, cmd := range samples {
		v := reflect.ValueOf(cmd)
		for i := range v.NumField() {
			tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			f := v.Field(i)
			if f.Kind() == reflect.Pointer && !f.IsNil() {
				f = f.Elem()
			}
			raw, isJSON := f.Interface().(json.RawMessage)
			isText := f.Kind() == reflect.String || f.Kind() == reflect.Pointer
			if grouped[tag] || !isJSON && !isText {
				continue
			}
			name := v.Type().Name() + "." + tag
			all[name] = true
			said[name] = said[name] || strings.Contains(string(raw), Canary) ||
				f.Kind() == reflect.String && strings.Contains(f.String(), Canary)
		}
	}
	for name := range all {
		if !said[name] {
			fields = append(fields, name)
		}
	}
	return fields
}

// WriteCanaries has a contact of a workspace, whose id it returns, and others that are merged into
// it, do all that there is to do, with Canary in each text, id and address.
func WriteCanaries(t testingT, store convo.Store, workspace string) (contact string) {
	s := newSuite(t, store, eraseRule)
	s.canaries(workspace)
	return Canary + " id"
}

func (s *suite) canaries(workspace string) {
	person := func(contact, channel, value string) convo.Ref {
		to := convo.ToContact(workspace, contact)
		if channel != "" {
			to.Address = convo.Address{Channel: channel, Value: value}
		}
		return to
	}
	id, peer := Canary+" id", person("peer", "", "")
	a := person(id, "sms", Canary+"+1")
	do := func(to convo.Ref, cmd convo.Command) convo.Result {
		s.clock.add(1234 * time.Millisecond)
		return s.do(to, cmd)
	}
	var last convo.Result
	for _, cmd := range canaries() {
		if r := do(a, cmd); r.Outcome == convo.OutcomeRecorded {
			last = r
		}
	}
	for _, cmd := range alone(last.Events[0].ID) {
		do(person(id, "", ""), cmd)
	}
	for i, channel := range []string{"sms", "mail"} {
		b := person(fmt.Sprint(Canary, " merged ", i), channel,
			fmt.Sprint(Canary, " address ", i))
		do(b, convo.Receive{Quiet: true, ExternalID: Canary + " quiet", Body: Canary + " quiet"})
		do(b, convo.Receive{ExternalID: Canary + " in", Body: Canary + " of b"})
		do(b, convo.Block{By: ana, Reason: Canary})
		s.clock.add(2 * time.Hour)
		s.merge(s.engine, workspace, id, b.Contact)
		do(b, convo.Unblock{By: ana})
	}
	receipts := []convo.Delivery{
		{ExternalID: Canary + " out", Status: convo.DeliveryRead},
		{
			ExternalID: Canary + " unknown", Status: convo.DeliveryFailed,
			Reason: Canary + " reason",
		},
	}
	for i := range receipts {
		receipts[i].Channel, receipts[i].Address = "sms", Canary+"+1"
	}
	_, err := s.engine.Deliver(s.ctx, workspace, receipts...)
	s.NoError(err)

	// What was the contact's, and is not any more; and what never was, but names it.
	do(a, convo.UnlinkAddress{By: ana, Key: "key of " + Canary + " unlink"})
	do(peer, convo.Receive{Body: "mine"})
	do(peer, convo.Close{By: convo.Actor{Type: convo.ActorContact, ID: id}})
	do(peer, convo.Reopen{By: ana})
	do(person(id, "", "").In("wrong"), convo.Receive{
		Channel: "sms", Address: Canary + "+3", ExternalID: Canary + " moved", Body: "of the peer",
	})
	moved := s.load(person(id, "", "").In("wrong")).Conversation
	lane := "right"
	do(convo.ToConversation(workspace, moved.ID), convo.Move{
		By: ana, Key: "key of " + Canary + " move", Contact: "peer", Lane: &lane,
	})
	once := person("once", "", "").In("own")
	do(once, convo.Receive{Body: "mine"})
	moving := s.with(convo.WithPolicy(convo.Policy{Merge: convo.MergeTransfer}))
	s.merge(moving, workspace, id, "once")
	do(once, convo.Receive{Body: "meanwhile"})
	_, err = s.engine.Unmerge(s.ctx, convo.Unmerge{Workspace: workspace, Contact: "once", By: ana})
	s.NoError(err)
	do(a, convo.Receive{ExternalID: Canary + " last", Body: Canary + " again"})
}
