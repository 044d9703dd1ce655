package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/google/uuid"

	"github.com/chatlifecycle/convo"
)

// Tally says what became of the rows, each counted once, and how many events of each kind they led
// to.
type Tally struct {
	Rows            int `json:"rows"`
	Applied         int `json:"applied"`
	Unchanged       int `json:"unchanged"`        // they said what was so already
	IgnoredClosings int `json:"ignored_closings"` // the case was closed already
	Repeated        int `json:"repeated"`         // applied by an earlier import
	NotImported     int `json:"not_imported"`     // see Left

	Cases int `json:"cases"`
	// Joined are the cases that went into the active conversation of their contact, which has one
	// at a time.
	Joined int                     `json:"joined"`
	Events map[convo.EventKind]int `json:"events"`
	// Unmapped counts the activities that the mapping does not name.
	Unmapped map[string]int `json:"unmapped"`
	// Left are the first cases whose end could not be imported, and why.
	Left []string `json:"left"`
}

// importing is an import as it goes on.
type importing struct {
	engine    *convo.Engine
	workspace string
	m         *Mapping
	spool     *spool
	tally     Tally
	batch     []*caseLog // given to the engine, and not yet committed
	failed    error      // of committed
	progress  func(rows int)
}

// Import brings a log into a workspace, with the times of the log: what has ended by
// [convo.Engine.Import], the rest row by row. Memory does not grow with the log. Importing the same
// log again, or a longer version of it, adds only what is new. Progress bars are written to out.
func Import(
	ctx context.Context, engine *convo.Engine, workspace, name string, in io.Reader, m *Mapping,
	out io.Writer,
) (t Tally, err error) {
	s, err := newSpool(ctx)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	reading := Bar(out, "reading", -1)
	err = readRows(name, in, m, func(r row) error {
		_ = reading.Add(1)
		return s.keep(ctx, r)
	})
	_ = reading.Finish()
	if err != nil {
		return t, err
	}
	if err := m.check(s.occurs); err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	bar := Bar(out, "importing", s.rows)
	defer func() { _ = bar.Finish() }()
	i := importing{
		engine: engine, workspace: workspace, m: m, spool: s,
		tally: Tally{
			Rows: s.rows, Events: map[convo.EventKind]int{}, Unmapped: map[string]int{},
		},
		progress: func(rows int) { _ = bar.Add(rows) },
	}
	for activity, n := range s.occurs {
		if _, mapped := m.Activities[activity]; !mapped {
			i.tally.Unmapped[activity] = n
		}
	}
	if err := i.run(ctx); err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return i.tally, nil
}

func (i *importing) run(ctx context.Context) error {
	_, err := i.engine.Import(ctx, i.workspace, i.histories(ctx), func(r convo.ImportResult) {
		i.failed = errors.Join(i.failed, i.committed(ctx, r.Batch))
	})
	var bad *convo.ImportError
	if errors.As(err, &bad) {
		for _, c := range i.batch {
			if key(c.id, 0) == bad.Key {
				err = fmt.Errorf("line %d: case %s: %w", c.steps[0].line, c.id, bad.Err)
			}
		}
	}
	if err = errors.Join(err, i.failed); err != nil {
		return err
	}
	return i.goOn(ctx)
}

// histories are the cases up to their last closings. Those that were never closed are put off.
func (i *importing) histories(ctx context.Context) iter.Seq2[convo.History, error] {
	return func(yield func(convo.History, error) bool) {
		for rows, err := range i.spool.cases(ctx) {
			var c *caseLog
			if err = errors.Join(err, i.failed); err == nil {
				c, err = readCase(ctx, i.m, rows)
			}
			if err == nil {
				if i.tally.Cases++; c.ended == 0 {
					err = i.putOff(ctx, c, 0, uuid.Nil)
				}
			}
			switch {
			case err != nil:
				yield(convo.History{}, err)
				return
			case c.ended == 0:
				continue
			}
			h := convo.History{Key: key(c.id, 0), To: convo.ToContact(i.workspace, c.contact)}
			for _, s := range c.steps[:c.ended] {
				h.Commands = append(h.Commands, s.commands...)
			}
			i.batch = append(i.batch, c)
			if !yield(h, nil) {
				return
			}
		}
	}
}

// committed counts what became of a batch, and puts off what its cases have more.
func (i *importing) committed(ctx context.Context, batch []convo.ImportedHistory) error {
	for _, b := range batch {
		c := i.batch[0]
		i.batch = i.batch[1:]
		n := c.ended
		if b.Known {
			n = c.upTo(b.Events)
		}
		for j := range c.steps[:n] {
			s := &c.steps[j]
			if !b.Known {
				for _, kind := range s.events {
					i.tally.Events[kind]++
				}
			}
			outcome := s.outcome
			if b.Known {
				outcome = convo.OutcomeDuplicate
			}
			i.count(s, outcome)
		}
		if err := i.putOff(ctx, c, n, b.Conversation); err != nil {
			return err
		}
	}
	return nil
}

// upTo is how many steps of a case wrote so many events.
func (c *caseLog) upTo(events int) (steps int) {
	for written := 0; steps < len(c.steps) && written < max(1, events); steps++ {
		written += len(c.steps[steps].events)
	}
	return steps
}

// putOff keeps the steps of a case from the n-th on, which are done one by one at the end.
func (i *importing) putOff(ctx context.Context, c *caseLog, n int, of uuid.UUID) error {
	for j := n; j < len(c.steps); j++ {
		s := &c.steps[j]
		if len(s.commands) == 0 {
			i.count(s, convo.OutcomeUnchanged)
			continue
		}
		r := rest{c.contact, c.id, s.line, of, c.keyed(j), s.told != ""}
		if err := i.spool.putOff(ctx, r, s.at); err != nil {
			return err
		}
	}
	return nil
}

// count counts a step, if it is a row.
func (i *importing) count(s *step, outcome convo.Outcome) {
	if s.told != "" {
		return
	}
	switch command := i.m.commandOf(s.row); {
	case len(s.commands) == 0 && command == convo.CommandClose:
		i.tally.IgnoredClosings++
	default:
		i.tally.add(outcome)
	}
	i.progress(1)
}

func (t *Tally) add(outcome convo.Outcome) {
	switch outcome {
	case convo.OutcomeUnchanged:
		t.Unchanged++
	case convo.OutcomeDuplicate:
		t.Repeated++
	default:
		t.Applied++
	}
}

// goOn does what was put off. Of a contact all is in order of time, whatever the case.
func (i *importing) goOn(ctx context.Context) error {
	contact, of, left := "", map[string]uuid.UUID{}, map[string]bool{}
	for r, err := range i.spool.rests(ctx) {
		if err != nil {
			return err
		}
		if r.contact != contact {
			contact, of, left = r.contact, map[string]uuid.UUID{}, map[string]bool{}
		}
		if !r.told {
			i.progress(1)
		}
		if r.conversation == uuid.Nil {
			r.conversation = of[r.caseID]
		}
		if !left[r.caseID] {
			of[r.caseID], err = i.do(ctx, r)
		}
		switch why := reason(err); {
		case err != nil && why == nil:
			return fmt.Errorf("line %d: case %s: %w", r.line, r.caseID, err)
		case err != nil:
			if left[r.caseID] = true; len(i.tally.Left) < maxShown {
				i.tally.Left = append(i.tally.Left,
					fmt.Sprintf("line %d: case %s: %v", r.line, r.caseID, why))
			}
		}
		if left[r.caseID] && !r.told {
			i.tally.NotImported++
		}
	}
	return nil
}

// do does one step, and tells the conversation of its case.
func (i *importing) do(ctx context.Context, r rest) (uuid.UUID, error) {
	to := convo.ToConversation(i.workspace, r.conversation)
	if r.conversation == uuid.Nil {
		to = convo.ToContact(i.workspace, r.contact)
	}
	result, err := i.engine.Do(ctx, to, r.commands...)
	if err != nil {
		return uuid.Nil, err
	}
	if !r.told {
		i.tally.add(result.Outcome)
	}
	if result.Outcome == convo.OutcomeDuplicate {
		return result.Conversation.ID, nil
	}
	opened := false
	for _, e := range result.Events {
		i.tally.Events[e.Kind]++
		opened = opened || e.Kind == convo.ConversationOpened
	}
	if r.conversation == uuid.Nil && !opened {
		i.tally.Joined++
	}
	return result.Conversation.ID, nil
}

// reason is why what is left of a case cannot be imported; nil when err is not about the case.
func reason(err error) error {
	var state *convo.StateError
	switch {
	case errors.Is(err, convo.ErrKeyReused):
		return errOtherwise
	case errors.As(err, &state):
		return err
	}
	return nil
}

// errOtherwise is of a case that went on in an earlier log, but not in this one.
var errOtherwise = errors.New("it is there as it is in another log, which has more of it, or has " +
	"it otherwise: import that one again")
