package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

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
	Open            int `json:"open"`             // of tickets that have not ended, in a table

	Cases  int                     `json:"cases"`
	Events map[convo.EventKind]int `json:"events"`
	// Unmapped counts the activities that the mapping does not name.
	Unmapped map[string]int `json:"unmapped"`
	// Left are the first cases that could not be imported to their ends, and why.
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
	if err := s.group(ctx); err != nil {
		return t, err
	}
	if err := check(ctx, m, s, name, out); err != nil {
		return t, err
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
		return t, fmt.Errorf("%s: %w\nWhat comes before it is imported. "+
			"Mend it, and run this again", name, err)
	}
	return i.tally, nil
}

// check tries all cases, so that what is wrong with them is known before anything is imported.
func check(ctx context.Context, m *Mapping, s *spool, name string, out io.Writer) error {
	bar := Bar(out, "checking", s.rows)
	defer func() { _ = bar.Finish() }()
	var bad []string
	count := 0
	for rows, err := range s.cases(ctx, false) {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c, err := readCase(ctx, m, rows)
		if err == nil {
			err = c.checkAgainst(ctx, s)
		}
		if err != nil {
			if count++; count <= maxShown {
				bad = append(bad, "\n"+err.Error())
			}
		}
		_ = bar.Add(len(rows))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if count > len(bad) {
		bad = append(bad, fmt.Sprintf("\n... and %d more", count-len(bad)))
	}
	if count > 0 {
		return fmt.Errorf("%s: bad cases: %d; nothing was imported%s", name, count,
			strings.Join(bad, ""))
	}
	return nil
}

// now is the clock that says what is in the future.
var now = time.Now

// checkAgainst holds that nothing of a case is in the future, and that no other one has a message
// of it.
func (c *caseLog) checkAgainst(ctx context.Context, s *spool) error {
	for i := range c.steps {
		st := &c.steps[i]
		if st.at.After(now().Add(convo.DefaultMaxSkew)) {
			return fmt.Errorf("line %d: case %s: %s is in the future", st.line, c.id, st.at)
		}
		for j := range st.events {
			m := st.events[j].Message()
			if m.ExternalID == "" {
				continue
			}
			before, err := s.told(ctx, c.contact, m.Channel, m.ExternalID, st.line)
			if err == nil && before > 0 {
				err = fmt.Errorf("line %d: case %s: line %d has the external id %.80q for the "+
					"same contact", st.line, c.id, before, m.ExternalID)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// run imports what has ended up to each contact's first case that has not, then what has not, then
// the rest: so what came first is there first.
func (i *importing) run(ctx context.Context) error {
	for _, held := range []bool{false, true} {
		if err := i.importEnded(ctx, held); err != nil {
			return err
		}
		if err := i.goOn(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (i *importing) importEnded(ctx context.Context, held bool) error {
	histories := i.histories(ctx, held)
	_, err := i.engine.Import(ctx, i.workspace, histories, func(r convo.ImportResult) {
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
	return errors.Join(err, i.failed)
}

// histories are the cases up to their last closings. Those that were never closed are put off, and
// what of their contacts comes after them is held.
func (i *importing) histories(ctx context.Context, held bool) iter.Seq2[convo.History, error] {
	return func(yield func(convo.History, error) bool) {
		open := "" // the contact of the last case that was never closed
		for rows, err := range i.spool.cases(ctx, held) {
			var c *caseLog
			if err = errors.Join(err, i.failed); err == nil {
				c, err = readCase(ctx, i.m, rows)
			}
			if err == nil && !held {
				i.tally.Cases++
			}
			switch {
			case err != nil:
			case c.ended == 0 && !i.m.has(columnTime):
				i.tally.Open += len(rows) // which will be others when it has ended
				i.progress(len(rows))
				continue
			case c.ended == 0:
				open = c.contact
				err = i.putOff(ctx, c, 0, uuid.Nil)
			case open == c.contact && !held:
				err = i.spool.hold(ctx, c.id)
			}
			if err != nil {
				yield(convo.History{}, err)
				return
			}
			if c.ended == 0 || open == c.contact && !held {
				continue
			}
			to := convo.ToContact(i.workspace, c.contact).In(c.lane)
			h := convo.History{Key: key(c.id, 0), To: to}
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
			var same bool
			var err error
			if n, same, err = i.compare(ctx, c, b); err != nil {
				return err
			}
			if !same {
				i.leave(c.steps[0].line, c.id, errOtherwise)
				i.notImported(c)
				continue
			}
		}
		for j := range c.steps[:n] {
			s := &c.steps[j]
			outcome := s.outcome
			if b.Known {
				outcome = convo.OutcomeDuplicate
			} else {
				i.written(s.events)
			}
			i.count(s, outcome)
		}
		if err := i.putOff(ctx, c, n, b.Conversation); err != nil {
			return err
		}
	}
	return nil
}

// compare is how many steps of a case are there already, and whether they are there as they are in
// this log.
func (i *importing) compare(
	ctx context.Context, c *caseLog, b convo.ImportedHistory,
) (steps int, same bool, err error) {
	var want, got []convo.Event
	for steps < len(c.steps) && len(want) < b.Events {
		want = append(want, c.steps[steps].events...)
		steps++
	}
	if len(want) != b.Events {
		return 0, false, nil
	}
	conversation := convo.ToConversation(i.workspace, b.Conversation)
	for e, err := range i.engine.AllTranscript(ctx, conversation, convo.EventCursor{}) {
		if err != nil {
			return 0, false, err
		}
		if got = append(got, e); len(got) == b.Events {
			break
		}
	}
	if len(got) == 0 || traces(want) != traces(got) {
		return 0, false, nil
	}
	if got[0].Contact == c.contact {
		return steps, true, nil
	}
	k, err := i.engine.Contact(ctx, convo.ToContact(i.workspace, c.contact)) // merged, perhaps
	if errors.Is(err, convo.ErrNotFound) {
		return 0, false, nil
	}
	now, nowErr := i.engine.Conversation(ctx, conversation)
	return steps, k.ID == now.Contact, errors.Join(err, nowErr)
}

// leave tells of a case that could not be imported to its end.
func (i *importing) leave(line int, caseID string, why error) {
	if len(i.tally.Left) < maxShown {
		i.tally.Left = append(i.tally.Left, fmt.Sprintf("line %d: case %s: %v", line, caseID, why))
	}
}

func (i *importing) notImported(c *caseLog) {
	for j := range c.steps {
		if c.steps[j].told == "" {
			i.tally.NotImported++
			i.progress(1)
		}
	}
}

func (i *importing) written(events []convo.Event) {
	for j := range events {
		i.tally.Events[events[j].Kind]++
	}
}

// putOff keeps the steps of a case from the n-th on, which are done one by one at the end.
func (i *importing) putOff(ctx context.Context, c *caseLog, n int, of uuid.UUID) error {
	for j := n; j < len(c.steps); j++ {
		s := &c.steps[j]
		if len(s.commands) == 0 {
			i.count(s, convo.OutcomeUnchanged)
			continue
		}
		r := rest{
			c.contact, c.lane, c.id, s.line, of, c.keyed(j), traces(s.events), j == 0, s.told != "",
		}
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
		switch {
		case err != nil && !aboutCase(err):
			return fmt.Errorf("line %d: case %s: %w", r.line, r.caseID, err)
		case err != nil:
			left[r.caseID] = true
			i.leave(r.line, r.caseID, err)
		}
		if left[r.caseID] && !r.told {
			i.tally.NotImported++
		}
	}
	return i.spool.forgetRests(ctx)
}

// do does one step, and tells the conversation of its case.
func (i *importing) do(ctx context.Context, r rest) (uuid.UUID, error) {
	var result convo.Result
	var err error
	if r.first { // which opens a conversation, or nothing
		asked := false
		// A key of its own, so that the case's is not taken by what is another case's.
		k := key(r.caseID, -1)
		result, err = i.engine.DoFunc(ctx, convo.ToContact(i.workspace, r.contact).In(r.lane), k,
			func(s convo.Snapshot) ([]convo.Command, error) {
				asked = true
				if s.Conversation.Status.Active() || s.Active != uuid.Nil {
					return nil, errOther
				}
				return r.commands, nil
			})
		if err == nil && asked && result.Outcome == convo.OutcomeDuplicate {
			err = errOtherwise // by an external id, so it is another case's
		}
	} else {
		result, err = i.engine.Do(ctx, convo.ToConversation(i.workspace, r.conversation),
			r.commands...)
	}
	switch {
	case errors.Is(err, convo.ErrKeyReused):
		return uuid.Nil, errOtherwise
	case errors.Is(err, convo.ErrOutOfOrder), errors.Is(err, convo.ErrActiveExists):
		return uuid.Nil, errOther
	case err != nil:
		return uuid.Nil, err
	case result.Outcome == convo.OutcomeDuplicate && (traces(result.Events) != r.traces ||
		!r.first && result.Conversation.ID != r.conversation):
		return uuid.Nil, errOtherwise
	case result.Outcome != convo.OutcomeDuplicate:
		i.written(result.Events)
	}
	if !r.told {
		i.tally.add(result.Outcome)
	}
	return result.Conversation.ID, nil
}

// aboutCase reports whether err is about one case, so that the others can be imported.
func aboutCase(err error) bool {
	var state *convo.StateError
	return errors.Is(err, errOther) || errors.Is(err, errOtherwise) || errors.As(err, &state)
}

var (
	// errOther keeps a case from going on in another one's conversation, or before it.
	errOther = errors.New("it has not ended, and another conversation of the contact is active, " +
		"or went on after it: it comes with a later log, when it has ended")
	// errOtherwise is of a case that is there, but not as it is in this log.
	errOtherwise = errors.New("it is there otherwise: a row was changed, or put in before " +
		"others, or has the external id of another case, or the log is an older one. " +
		"Nothing was changed")
)
