package convo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// again does a call a second time and requires that it is answered with the first result and writes
// nothing.
func (d *desk) again(first convo.Result, to convo.Ref, cmds ...convo.Command) convo.Result {
	d.t.Helper()
	before := dumpOf(d.t, d.store, tenant)
	r := d.do(to, cmds...)
	require.Equal(d.t, convo.OutcomeDuplicate, r.Outcome)
	require.Equal(d.t, before, dumpOf(d.t, d.store, tenant), "a repetition writes nothing")
	require.Equal(d.t, first.Conversation.ID, r.Conversation.ID)
	require.Equal(d.t, d.get(r.Conversation.ID), r.Conversation, "as it stands now")
	var want []convo.Event
	for _, e := range first.Events {
		if e.Conversation == first.Conversation.ID {
			want = append(want, e)
		}
	}
	require.Equal(d.t, want, r.Events, "the events of the first time")
	return r
}

func TestAMessageIsReceivedOnceWhateverHappenedInBetween(t *testing.T) {
	hi := convo.Receive{Channel: "whatsapp", ExternalID: "m-1", Body: "hi"}
	for _, c := range []struct {
		name    string
		policy  convo.Policy
		between func(d *desk)
	}{
		{"nothing", convo.Policy{}, func(*desk) {}},
		{"other messages", convo.Policy{}, func(d *desk) {
			d.do(toContact("carl"), convo.Send{By: agentAna, Body: "hello"},
				convo.Receive{Body: "more"})
		}},
		{"a closing, after which a message opens", convo.InboxPolicy(),
			func(d *desk) { d.do(toContact("carl"), convo.Close{By: agentAna}) }},
		{"a closing, after which a message reopens",
			convo.Policy{Receive: convo.OnClosed{Mode: convo.OnClosedReopen}}, func(d *desk) {
				d.do(toContact("carl"), convo.Close{By: agentAna})
			}},
		{"a closing, after which a message is rejected", convo.LiveChatPolicy(),
			func(d *desk) { d.do(toContact("carl"), convo.Close{By: agentAna}) }},
		{"a new conversation", convo.Policy{}, func(d *desk) {
			d.do(toContact("carl"), convo.Close{By: agentAna}, convo.Open{By: agentBen})
		}},
		{"pending", convo.Policy{}, func(d *desk) {
			d.do(toContact("carl"),
				convo.SetPending{By: agentAna})
		}},
		{"a blocking", convo.Policy{}, func(d *desk) {
			d.do(toContact("carl"),
				convo.Block{By: agentAna})
		}},
		{"a merge", convo.Policy{}, func(d *desk) {
			d.do(toContact("dora"), convo.Open{By: agentAna})
			d.merge("dora", "carl")
		}},
		{"a merge that moves it", convo.Policy{Merge: convo.MergeTransfer}, func(d *desk) {
			d.do(toContact("dora"), convo.Open{By: agentAna}, convo.Close{By: agentAna})
			d.merge("dora", "carl")
		}},
		{"a merge with a blocked contact", convo.Policy{}, func(d *desk) {
			d.do(toContact("dora"), convo.Open{By: agentAna})
			d.merge("dora", "carl")
			d.do(toContact("dora"), convo.Block{By: agentAna})
		}},
		{"a month", convo.Policy{}, func(d *desk) { d.wait(30 * 24 * time.Hour) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDesk(t, convo.WithPolicy(c.policy))
			first := d.do(toContact("carl"), hi)
			d.wait(time.Minute)
			c.between(d)
			d.again(first, toContact("carl"), hi)
			d.again(first, toContact("carl"), hi) // as often as one likes
		})
	}
}

func TestAnExternalIDIsUniqueInItsChannelAndWorkspace(t *testing.T) {
	d := openDesk(t)
	first := d.do(toContact("carl"), convo.Receive{Channel: "whatsapp", ExternalID: "1", Body: "a"})
	for _, cmd := range []convo.Command{
		convo.Receive{Channel: "viber", ExternalID: "1", Body: "b"},
		convo.Receive{Channel: "Whatsapp", ExternalID: "1", Body: "c"},
		convo.Receive{Channel: "whatsapp", ExternalID: "1 ", Body: "d"},
		convo.Receive{Channel: "whatsapp", ExternalID: "01", Body: "e"},
		convo.Receive{Channel: "whatsapp", Key: "1", Body: "f"}, // a key is no external id
		convo.Send{By: agentAna, Key: "whatsapp", Body: "g"},
	} {
		assert.Equal(t, convo.OutcomeRecorded, d.do(toContact("carl"), cmd).Outcome, "%#v", cmd)
	}
	r, err := d.Do(t.Context(), convo.ToContact("other", "carl"),
		convo.Receive{Channel: "whatsapp", ExternalID: "1", Body: "h"})
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeOpened, r.Outcome)

	// Whatever is said to be in it: a contact has one message with this id on a channel.
	d.again(first, toContact("carl"), convo.Receive{Channel: "whatsapp", ExternalID: "1",
		Body: "edited"})
	d.again(first, toContact("carl"), convo.Send{By: agentAna, Channel: "whatsapp", ExternalID: "1",
		Body: "an echo"})
	assert.Equal(t, convo.OutcomeOpened, d.do(toContact("dora"), convo.Receive{
		Channel: "whatsapp", ExternalID: "1", Body: "of somebody else"}).Outcome)
}

func TestTheChannelOfAnExternalIDMayBeThatOfTheAddress(t *testing.T) {
	d := openDesk(t)
	to := toAddress("whatsapp", "+49")
	first := d.do(to, convo.Receive{ExternalID: "1", Body: "hi"})
	d.again(first, to, convo.Receive{ExternalID: "1", Body: "hi"})
	d.again(first, toContact(first.Contact.ID), convo.Receive{Channel: "whatsapp", ExternalID: "1",
		Body: "hi"})
	d.again(first, toContact(first.Contact.ID), convo.Receive{Channel: "whatsapp", Address: "+49",
		ExternalID: "1", Body: "hi"})
	assert.Equal(t, convo.OutcomeRecorded, d.do(to, convo.Receive{Channel: "sms", ExternalID: "1",
		Body: "hi"}).Outcome)
	id := convo.KeyID{
		Channel: "whatsapp", Address: "+49", Contact: first.Contact.ID, ID: "1",
	}
	keys, err := d.store.Keys(t.Context(), tenant, convo.KeyID{
		Channel: "whatsapp", Address: "+49", ID: "1",
	})
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.Equal(t, convo.Key{KeyID: id, Conversation: first.Conversation.ID, FirstSeq: 1,
		LastSeq: 2}, keys[0])
}

func TestEveryCommandTakesAKey(t *testing.T) {
	for name, cmd := range sample {
		t.Run(string(name), func(t *testing.T) {
			d := openDesk(t)
			to := toContact("carl")
			if name != convo.CommandOpen && name != convo.CommandReceive {
				d.do(to, convo.Open{By: agentAna})
			}
			switch name {
			case convo.CommandReopen, convo.CommandAmendClosing:
				d.do(to, convo.Close{By: agentAna})
			case convo.CommandResume:
				d.do(to, convo.SetPending{By: agentAna})
			case convo.CommandUnblock:
				d.do(to, convo.Block{By: agentAna})
			case convo.CommandEdit, convo.CommandRetract:
				d.do(to, convo.Receive{Channel: "webchat", ExternalID: "1", Body: "at 5"})
			case convo.CommandIdentify:
				sent := d.do(to, convo.Send{By: agentAna, Body: "hi"})
				cmd = withField(cmd, "Message", sent.Events[0].ID)
			case convo.CommandMove: // not away from the contact, who would be told nothing of it
				cmd = withField(cmd, "Contact", "")
			case convo.CommandLinkAddress:
				to.Address = convo.Address{Channel: "email", Value: "c"}
			case convo.CommandUnlinkAddress:
				to.Address = convo.Address{Channel: "email", Value: "c"}
				d.do(to, convo.LinkAddress{By: agentAna})
			}
			keyed := withKey(cmd, "k-1")
			first := d.do(to, keyed)
			assert.NotEqual(t, convo.OutcomeUnchanged, first.Outcome)
			d.again(first, to, keyed)
			d.wait(24 * time.Hour) // also when it could not be done any more
			d.do(toContact("carl"), convo.Unblock{By: agentAna}, convo.Open{By: agentAna})
			d.again(first, to, keyed)
			d.do(toContact("carl"), convo.Close{By: agentAna}, convo.Block{By: agentAna})
			d.again(first, to, keyed)
		})
	}
}

// withKey gives cmd an idempotency key.
func withKey(cmd convo.Command, key string) convo.Command { return withField(cmd, "Key", key) }

func TestACommandThatChangedNothingIsRememberedByItsKey(t *testing.T) {
	d := openDesk(t)
	opened := d.do(toContact("carl"), convo.Open{By: agentAna}).Conversation
	first := d.do(toContact("carl"), convo.Open{By: flowBot, Key: "k-1"})
	assert.Equal(t, convo.OutcomeUnchanged, first.Outcome)
	assert.Equal(t, opened, first.Conversation, "only the key was written")

	d.do(toContact("carl"), convo.Close{By: agentAna})
	r := d.again(first, toContact("carl"), convo.Open{By: flowBot, Key: "k-1"})
	assert.Empty(t, r.Events)
	assert.Equal(t, convo.StatusClosed, r.Conversation.Status,
		"it opens no conversation today because it was late")
	assert.Equal(t, convo.OutcomeOpened, d.do(toContact("carl"),
		convo.Open{By: flowBot, Key: "k-2"}).Outcome)
}

func TestARefusedCommandLeavesItsKeyFree(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("carl"), convo.Open{By: agentAna}, convo.Close{By: agentAna})
	send := convo.Send{By: agentAna, Key: "k-1", Channel: "sms", ExternalID: "1", Body: "hi"}
	assert.ErrorIs(t, d.refuses(toContact("carl"), send), convo.ErrNotActive)
	requireInvalid(t, "body", d.refuses(toContact("carl"), convo.Open{By: agentAna, Key: "k-2"},
		convo.Send{By: agentAna}))
	d.do(toContact("carl"), convo.Open{By: agentAna, Key: "k-2"})
	assert.Equal(t, convo.OutcomeRecorded, d.do(toContact("carl"), send).Outcome)
}

func TestAKeyIsForOneRequest(t *testing.T) {
	for name, c := range map[string]struct {
		to  convo.Ref
		cmd []convo.Command
	}{
		"another body": {toContact("carl"),
			[]convo.Command{convo.Send{By: agentAna, Key: "k", Body: "ho"}}},
		"another actor": {toContact("carl"),
			[]convo.Command{convo.Send{By: agentBen, Key: "k", Body: "hi"}}},
		"another time": {toContact("carl"),
			[]convo.Command{convo.Send{By: agentAna, Key: "k", Body: "hi",
				At: morning.Add(time.Hour)}}},
		"another command": {toContact("carl"),
			[]convo.Command{convo.Close{By: agentAna, Key: "k"}}},
		"a command that fails": {toContact("carl"),
			[]convo.Command{convo.AmendClosing{By: agentAna, Key: "k"}}},
		"an invalid command": {toContact("carl"),
			[]convo.Command{convo.Send{By: agentAna, Key: "k", Body: "\xff"}}},
		"more commands": {toContact("carl"),
			[]convo.Command{convo.Send{By: agentAna, Key: "k", Body: "hi"},
				convo.Close{By: agentAna}}},
		"another contact": {toContact("dora"),
			[]convo.Command{convo.Send{By: agentAna, Key: "k", Body: "hi"}}},
		"an unknown contact": {toContact("emil"),
			[]convo.Command{convo.Send{By: agentAna, Key: "k", Body: "hi"}}},
		"beside a new one": {toContact("carl"), []convo.Command{
			convo.Note{By: agentAna, Key: "k2", Body: "n"}, convo.Send{By: agentAna, Key: "k",
				Body: "ho"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDesk(t)
			d.do(toContact("carl"), convo.Open{By: agentAna})
			d.do(toContact("dora"), convo.Open{By: agentAna})
			d.do(toContact("carl"), convo.Send{By: agentAna, Key: "k", Body: "hi"})
			assert.ErrorIs(t, d.refuses(c.to, c.cmd...), convo.ErrKeyReused)
		})
	}
	// In another workspace it is another key.
	d := openDesk(t)
	d.do(toContact("carl"), convo.Open{By: agentAna, Key: "k"})
	r, err := d.Do(t.Context(), convo.ToContact("other", "carl"),
		convo.Open{By: agentBen, Key: "k"})
	require.NoError(t, err)
	assert.Equal(t, convo.OutcomeOpened, r.Outcome)
}

func TestAKeyReusedInTheSameCallIsAnError(t *testing.T) {
	d := openDesk(t)
	assert.ErrorIs(t, d.refuses(toContact("carl"), convo.Open{By: agentAna, Key: "k"},
		convo.Send{By: agentAna, Key: "k", Body: "hi"}),
		convo.ErrKeyReused)
}

func TestAnIdThatComesTwiceInOneCallIsDecidedOnce(t *testing.T) {
	d := openDesk(t)
	r := d.do(toContact("carl"), carlWrites, carlWrites)
	assert.Equal(t, 1, r.Conversation.Cycle.Incoming)
	d.again(r, toContact("carl"), carlWrites, carlWrites)

	note := convo.Note{By: agentAna, Key: "k", Body: "n"}
	r = d.do(toContact("carl"), note, note, note)
	assert.Len(t, r.Events, 1)
	r2 := d.do(toContact("carl"), note, convo.Note{By: agentAna, Key: "k2", Body: "n"}, note)
	assert.Len(t, r2.Events, 1)
}

func TestWhatIsKnownIsLeftOutOfACall(t *testing.T) {
	message := func(i int) convo.Command {
		return convo.Receive{Channel: "whatsapp", ExternalID: fmt.Sprint(i),
			Body: fmt.Sprint("message ", i)}
	}
	bodies := func(events []convo.Event) (out []string) {
		for _, e := range events {
			if e.Row().Body != "" {
				out = append(out, e.Row().Body)
			}
		}
		return out
	}
	d := openDesk(t)
	d.do(toContact("carl"), message(1), message(2))
	// a webhook with all that is unacknowledged
	r := d.do(toContact("carl"), message(1), message(2), message(3))
	assert.Equal(t, convo.OutcomeRecorded, r.Outcome)
	assert.Equal(t, []string{"message 3"}, bodies(r.Events))
	r = d.do(toContact("carl"), message(4), message(2), message(5))
	assert.Equal(t, []string{"message 4", "message 5"}, bodies(r.Events))
	assert.Equal(t, 5, r.Conversation.Cycle.Incoming)

	d.do(toContact("carl"), convo.Close{By: agentAna})
	r = d.do(toContact("carl"), message(5), message(6))
	assert.Equal(t, convo.OutcomeOpened, r.Outcome, "the new one is decided as if it came alone")
	d.do(toContact("carl"), convo.Close{By: agentAna})
	err := d.refuses(toContact("carl"), message(6), convo.Send{By: agentAna, Key: "k", Body: "hi"})
	assert.ErrorIs(t, err, convo.ErrNotActive)
}

func TestCommandsWithoutAKeyBelongToTheKeyedOneBeforeThem(t *testing.T) {
	d := openDesk(t)
	open := []convo.Command{
		convo.Open{By: flowBot, Key: "step-1"}, convo.Send{By: flowBot,
			Body: "welcome"}, convo.Assign{By: flowBot, Assignee: "ana"},
	}
	second := []convo.Command{convo.Note{By: flowBot, Key: "step-2", Body: "n"},
		convo.SetPending{By: flowBot}}
	first := d.do(toContact("carl"), open...)
	assert.Len(t, first.Events, 3)
	d.again(first, toContact("carl"), open...)

	r := d.do(toContact("carl"), append(open, second...)...)
	assert.Equal(t, []convo.EventKind{convo.NoteAdded, convo.ConversationPending},
		kindsOf(r.Events))
	both := d.do(toContact("carl"), append(open, second...)...)
	assert.Equal(t, convo.OutcomeDuplicate, both.Outcome)
	assert.Equal(t, r.Events, both.Events, "of the last one")
}

func TestCommandsBeforeTheFirstKeyBelongToIt(t *testing.T) {
	d := openDesk(t)
	cmds := []convo.Command{convo.Open{By: agentAna}, convo.Note{By: agentAna, Body: "n"},
		convo.Send{By: agentAna, Key: "k", Body: "hi"}}
	first := d.do(toContact("carl"), cmds...)
	d.do(toContact("carl"), convo.Close{By: agentAna})
	d.again(first, toContact("carl"), cmds...)
	assert.ErrorIs(t, d.refuses(toContact("carl"), cmds[2]), convo.ErrKeyReused,
		"without them it is another request")
}

func TestAMessageMayHaveAKeyAndAnExternalID(t *testing.T) {
	d := openDesk(t)
	hi := convo.Receive{Channel: "whatsapp", ExternalID: "1", Key: "k", Body: "hi"}
	first := d.do(toContact("carl"), hi)
	d.again(first, toContact("carl"), hi)
	byID, byKey := hi, hi
	byID.Key = "another"
	d.again(first, toContact("carl"), byID)
	byKey.ExternalID = ""
	assert.ErrorIs(t, d.refuses(toContact("carl"), byKey), convo.ErrKeyReused)
}

func TestADuplicateIsAnsweredWithWhereTheFirstCallEnded(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("carl"), convo.Open{By: agentAna})
	again := []convo.Command{convo.Close{By: agentAna, Key: "k"}, convo.Open{By: agentAna},
		convo.Note{By: agentAna, Body: "n"}}
	first := d.do(toContact("carl"), again...)
	assert.Len(t, first.Events, 3)
	d.do(toContact("carl"), convo.Close{By: agentAna}, convo.Open{By: agentAna})
	r := d.again(first, toContact("carl"), again...)
	assert.Equal(t, []convo.EventKind{convo.ConversationOpened, convo.NoteAdded}, kindsOf(r.Events))
	assert.Equal(t, "carl", r.Contact.ID)
}

func TestAKeyedCallIsRepeatedSafelyThroughEachNameOfTheConversation(t *testing.T) {
	d := openDesk(t)
	id := d.do(toContact("carl"), convo.Open{By: agentAna}).Conversation.ID
	first := d.do(toConversation(id), convo.Close{By: agentAna, Key: "k"})
	d.do(toContact("carl"), convo.Open{By: agentAna})
	d.again(first, toConversation(id), convo.Close{By: agentAna, Key: "k"})
	assert.ErrorIs(t, d.refuses(toConversation(uuid.New()), convo.Close{By: agentAna, Key: "k"}),
		convo.ErrKeyReused,
		"a known key is looked at even if the conversation is not known")
}

func TestKeysAreComparedByteForByte(t *testing.T) {
	d := openDesk(t)
	d.do(toContact("carl"), convo.Open{By: agentAna, Key: "Alice"})
	for _, key := range []string{"alice", "Alice ", "Älice", "Alice\u0301"} {
		assert.Equal(t, convo.OutcomeRecorded, d.do(toContact("carl"),
			convo.Note{By: agentAna, Key: key, Body: "n"}).Outcome)
	}
}

// A key is for one request, also where a call has it for two and one of them was applied before.
func TestAKeyOfTwoRequestsIsReusedWhateverWasAppliedBefore(t *testing.T) {
	d := openDesk(t)
	known := convo.Receive{Channel: "web", ExternalID: "m1", Key: "k", Body: "hi"}
	first := known
	first.Key = ""
	sent := d.do(toContact("carl"), first).Events
	_, err := d.Do(t.Context(), toContact("carl"), convo.Unblock{By: agentAna, Key: "k"}, known,
		convo.Edit{By: agentAna, Message: sent[len(sent)-1].ID, Body: "edited"})
	require.ErrorIs(t, err, convo.ErrKeyReused)
}
