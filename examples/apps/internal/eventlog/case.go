package eventlog

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
)

// caseLog is a case, step by step, as it comes out on a store of its own. So what is wrong with it
// is known by its line, and how far it ends in a closing, before anything is written.
type caseLog struct {
	id, contact, lane string
	steps             []step
	ended             int // the steps up to the last closing; 0: it was never closed
}

// step is one row, or the opening or closing that a row tells by the way.
type step struct {
	*row
	at       time.Time
	told     convo.CommandName // open or close, when it is no row
	commands convo.Commands    // none: it says what was so already
	outcome  convo.Outcome     // on that store
	events   []convo.Event
}

// traces are what events say, whatever ids and contact they have.
func traces(events []convo.Event) string {
	var s strings.Builder
	enc := json.NewEncoder(&s)
	for i := range events {
		r := events[i].Row()
		r.ID, r.Workspace, r.Contact, r.Conversation = uuid.Nil, "", "", uuid.Nil
		r.Seq, r.ContactSeq, r.NewContact = 0, 0, false
		if r.By.Type == convo.ActorContact {
			r.By.ID = ""
		}
		_ = enc.Encode(r) // which holds nothing that JSON has not
	}
	return s.String()
}

// key is the same whenever the i-th step of a case is imported. It is a hash because a case id may
// be as long as a key may be.
func key(caseID string, i int) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", caseID, i)).String()
}

// later is the clock of the store of one case: whether a row is in the future is seen by the other.
type later struct{}

func (later) Now() time.Time { return time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC) }

// readCase makes a case of its rows, which are in order of time and, at the same time, of the file.
func readCase(ctx context.Context, m *Mapping, rows []row) (*caseLog, error) {
	c := &caseLog{id: rows[0].fields[columnCase]}
	for i := range rows {
		for _, f := range []struct {
			what  string
			of    column
			known *string
		}{{"contact", columnContact, &c.contact}, {"lane", columnLane, &c.lane}} {
			switch said := rows[i].fields[f.of]; {
			case *f.known == "":
				*f.known = said
			case said != "" && said != *f.known:
				return nil, fmt.Errorf("line %d: case %s is of the %s %s, and in another line of "+
					"%s: a case has one", rows[i].line, c.id, f.what, said, *f.known)
			}
		}
	}
	if c.contact == "" {
		c.contact = c.id
	}
	if err := c.order(rows); err != nil {
		return nil, err
	}
	engine, err := convo.New(memstore.New(), convo.WithClock(later{}))
	if err != nil {
		return nil, err
	}
	said := running{m: m}
	for i := range c.steps {
		s := &c.steps[i]
		s.commands = said.commands(s)
		s.outcome = convo.OutcomeUnchanged
		if len(s.commands) == 0 {
			continue
		}
		r, err := engine.Do(ctx, convo.ToContact("case", c.contact).In(c.lane), s.commands...)
		if err != nil {
			return nil, fmt.Errorf("line %d: case %s: %w", s.line, c.id, err)
		}
		said.conversation, s.outcome = r.Conversation, r.Outcome
		if r.Outcome == convo.OutcomeDuplicate { // the log has the message twice
			s.commands, s.outcome = nil, convo.OutcomeUnchanged
			continue
		}
		s.events = r.Events
		if said.conversation.Status == convo.StatusClosed &&
			slices.ContainsFunc(r.Events, isClosing) {
			c.ended = i + 1
		}
	}
	return c, nil
}

func isClosing(e convo.Event) bool { return e.Kind == convo.ConversationClosed }

// order makes steps of rows, with the opening and the closing that they tell where they belong.
func (c *caseLog) order(rows []row) error {
	var opened, closed *row
	for i := range rows {
		r := &rows[i]
		if !r.openedAt.IsZero() && (opened == nil || r.openedAt.Before(opened.openedAt)) {
			opened = r
		}
		if !r.closedAt.IsZero() && (closed == nil || !r.closedAt.Before(closed.closedAt)) {
			closed = r
		}
		c.steps = append(c.steps, step{row: r, at: r.time()})
	}
	if closed != nil && closed.closedAt.Before(c.steps[0].at) &&
		(opened == nil || closed.closedAt.Before(opened.openedAt)) {
		return fmt.Errorf("line %d: case %s was closed before its first activity", closed.line,
			c.id)
	}
	if opened != nil && opened.openedAt.Before(c.steps[0].at) {
		c.steps = slices.Insert(c.steps, 0,
			step{row: opened, at: opened.openedAt, told: convo.CommandOpen})
	}
	if closed != nil {
		i := len(c.steps)
		for i > 0 && c.steps[i-1].at.After(closed.closedAt) {
			i--
		}
		c.steps = slices.Insert(c.steps, i,
			step{row: closed, at: closed.closedAt, told: convo.CommandClose})
	}
	return nil
}

// time is when a row happened; where a row is a case, when that was opened.
func (r *row) time() time.Time {
	if r.at.IsZero() {
		return r.openedAt
	}
	return r.at
}

// running is what the steps of a case have said so far.
type running struct {
	m                          *Mapping
	conversation               convo.Conversation
	channel, category, summary string
	toldClosed                 bool
}

// commands are what a step comes to: whatever opens, reopens or resumes the conversation first,
// then whose it is, then the row's own command. The closing of a closed case comes to nothing.
func (s *running) commands(of *step) convo.Commands {
	for _, f := range []struct {
		last *string
		said string
	}{
		{&s.channel, of.fields[columnChannel]}, {&s.category, of.fields[columnCategory]},
		{&s.summary, of.fields[columnSummary]},
	} {
		if f.said != "" {
			*f.last = f.said
		}
	}
	if s.channel == "" {
		s.channel = s.m.Channel
	}
	command, by, status := of.told, of.by(), s.conversation.Status
	if of.told == "" {
		command = s.m.commandOf(of.row)
	}
	if command == convo.CommandReceive {
		by = convo.ByContact()
	}
	s.toldClosed = s.toldClosed || of.told == convo.CommandClose
	var cmds convo.Commands
	switch {
	case status == "":
		cmds = append(cmds, convo.Open{
			By: by, At: of.at, Source: convo.SourceImport, Channel: s.channel,
		})
	case status == convo.StatusPending && command != convo.CommandSetPending && command != "":
		cmds = append(cmds, convo.Resume{By: by, At: of.at, Source: convo.SourceImport})
	case status == convo.StatusClosed && (command == convo.CommandClose || command == ""):
		return nil
	case status == convo.StatusClosed && command == convo.CommandNote && s.toldClosed:
		return append(cmds, s.own(of, command, by)) // the case says itself that it is over
	case status == convo.StatusClosed:
		cmds = append(cmds, convo.Reopen{By: by, At: of.at, Source: convo.SourceImport})
	}
	if of.told == "" {
		if a, changed := s.assign(of, command, by); changed {
			cmds = append(cmds, a)
		}
	}
	switch command {
	case "", convo.CommandAssign:
		return cmds
	}
	return append(cmds, s.own(of, command, by))
}

// assign is whose the conversation is from a row on, and whether the row says so.
func (s *running) assign(
	of *step, command convo.CommandName, by convo.Actor,
) (a convo.Assign, said bool) {
	a = convo.Assign{
		By: by, At: of.at, Assignee: s.conversation.Assignee, Team: s.conversation.Team,
	}
	if team := of.fields[columnTeam]; team != "" {
		a.Team = team
	}
	if assignee := of.fields[columnAssignee]; assignee != "" {
		a.Assignee = assignee
	} else if command == convo.CommandAssign {
		a.Assignee = of.fields[columnResource]
	}
	return a, command == convo.CommandAssign ||
		a.Assignee != s.conversation.Assignee || a.Team != s.conversation.Team
}

func (s *running) own(of *step, command convo.CommandName, by convo.Actor) convo.Command {
	body := of.fields[columnBody]
	if body == "" {
		body = of.fields[columnActivity]
	}
	id := of.fields[columnExternalID]
	switch command {
	case convo.CommandOpen:
		return convo.Open{By: by, At: of.at, Source: convo.SourceImport, Channel: s.channel}
	case convo.CommandClose:
		return convo.Close{
			By: by, At: of.at, Source: convo.SourceImport, Category: s.category, Summary: s.summary,
		}
	case convo.CommandSetPending:
		return convo.SetPending{By: by, At: of.at}
	case convo.CommandSend:
		return convo.Send{By: by, At: of.at, Channel: s.channel, ExternalID: id, Body: body}
	case convo.CommandReceive:
		return convo.Receive{
			By: by, At: of.at, Channel: s.channel, ExternalID: id, Body: body,
		}
	}
	return convo.Note{By: by, At: of.at, Body: body}
}

// commandOf is a row's own command; none when it is a case without a text.
func (m *Mapping) commandOf(r *row) convo.CommandName {
	if !m.has(columnActivity) && r.fields[columnBody] == "" {
		return ""
	}
	return m.command(r.fields[columnActivity])
}

// by is who did what a row says.
func (s *step) by() convo.Actor {
	if s.fields[columnResource] == "" {
		return convo.ByAutomation("")
	}
	return convo.ByUser(s.fields[columnResource])
}

// keyed are the commands of the i-th step, the last of them with a key, which covers those before
// it too.
func (c *caseLog) keyed(i int) convo.Commands {
	cmds := slices.Clone(c.steps[i].commands)
	cmds[len(cmds)-1] = withKey(cmds[len(cmds)-1], key(c.id, i))
	return cmds
}

// withKey is a command with a key: every command has one.
func withKey(cmd convo.Command, key string) convo.Command {
	c := reflect.New(reflect.TypeOf(cmd)).Elem()
	c.Set(reflect.ValueOf(cmd))
	c.FieldByName("Key").SetString(key)
	return c.Interface().(convo.Command)
}
