package sqlstore

import (
	"strings"

	"github.com/chatlifecycle/convo/report"
	"github.com/chatlifecycle/convo/sqlstore/internal/dialect"
)

// source is the table that measures are taken from.
type source int

const (
	closedCycles  source = iota // convo_cycles cy
	runningCycles               // the active ones of convo_conversations cy
	messages                    // those of convo_events ev
	ownMessages                 // those of convo_contact_events ev: of contacts themselves
)

// sourcesOf are the sources that have what is measured by b.
func sourcesOf(b report.TimeBasis) []source {
	switch {
	case b.OfMessages():
		return []source{messages, ownMessages}
	case b == report.ByClosing:
		return []source{closedCycles}
	}
	return []source{closedCycles, runningCycles}
}

// pending says which closed cycles are read: all, those that wait for Rollup, or those that do not.
type pending int

const (
	allCycles pending = iota
	onlyPending
	notPending
)

// selection puts a SELECT over a source together, with no more tables than it needs.
type selection struct {
	d       *engine
	source  source
	pending pending

	distinct bool
	columns  []string
	dests    []any // of the columns
	where    string
	args     []any

	conversation bool // joined
}

// column is how a column of package report is called here.
func (q *selection) column(c report.Column) string {
	name := c.Name()
	switch c.Table() {
	case report.EventTable:
		return "ev." + name
	case report.ConversationTable:
		switch q.source {
		case runningCycles:
			return "cy." + name
		case ownMessages:
			return "NULL"
		}
		q.conversation = true
		return "cv." + name
	}
	switch {
	case name == "status" && q.source == closedCycles:
		return "'closed'"
	case name == "conversation" && q.source == runningCycles:
		return "cy.id"
	}
	return "cy." + name
}

// add selects a column, with the arguments of its placeholders. Columns are added before filter.
func (q *selection) add(column string, dest any, args ...any) {
	q.columns, q.dests = append(q.columns, column), append(q.dests, dest)
	q.args = append(q.args, args...)
}

// addGroup selects the value that a groups by.
func (q *selection) addGroup(a *report.Aggregation, value *dialect.Text) {
	if a.GroupBy == "" {
		q.add("''", value)
		return
	}
	q.add(a.GroupBy.SQL(a.TimeBasis(), q.column), value)
}

// addMeasure selects what st is read from: of each row, or, not each, of many together.
func (q *selection) addMeasure(m report.Expressions, each bool, st *report.Stat) {
	count, sum := (*dialect.Int)(&st.Count), (*dialect.Int)(&st.Sum)
	switch {
	case each && m.Micros != "" && m.One:
		q.add(m.Micros, (*asDuration)(st))
		return
	case each:
		q.add(m.Count, count)
	default:
		q.add("sum("+m.Count+")", count)
	}
	switch {
	case m.Micros == "":
	case each:
		q.add(m.Micros, sum)
	default:
		q.add("sum("+m.Micros+")", sum)
		q.add("min("+m.Micros+")", (*dialect.Int)(&st.Min))
		q.add("max("+m.Micros+")", (*dialect.Int)(&st.Max))
	}
}

// addCycle selects a whole cycle, which addMeasure's columns do not go with.
func (q *selection) addCycle(y *report.Cycle) {
	id, conversation, status := "cy.conversation", "cv.", "'closed'"
	if q.source == runningCycles {
		id, conversation, status = "cy.id", "cy.", "cy.status"
	}
	q.conversation = q.source != runningCycles
	q.columns = append(q.columns, "cy.workspace", id, conversation+"origin", "cy.channel",
		"cy.lane", conversation+"created_at", conversation+"new_contact", status,
		dialect.Cycle.Qualify("cy"))
	q.dests = dialect.Cycle.Dests(append(q.dests,
		(*dialect.Text)(&y.Workspace), (*dialect.ID)(&y.Conversation), (*dialect.Text)(&y.Contact),
		(*dialect.Text)(&y.Channel), (*dialect.Text)(&y.Lane), (*dialect.Micros)(&y.CreatedAt),
		(*dialect.Flag)(&y.NewContact), (*dialect.Text)(&y.Status)), &y.Cycle)
}

// filter narrows the selection down to what a is about between two times, also where there is no
// index of them.
func (q *selection) filter(a *report.Aggregation, from, to int64) {
	basis := a.TimeBasis()
	at := basis.SQL(q.column)
	q.where = q.alias() + ".workspace = ? AND " + at + " >= ? AND " + at + " < ?"
	q.args = append(q.args, a.Workspace, from, to)
	switch {
	case basis.OfMessages(): // as the index has it
		q.where += " AND ev.kind IN ('message_received', 'message_sent', " +
			"'message_duplicated')"
	case q.source == runningCycles:
		q.where += " AND cy.active = " + q.d.Boolean(true)
	case basis == report.ByResponse || basis == report.ByAssignment:
		q.where += " AND cy.opened_at < ? AND cy.closed_at >= ?"
		q.args = append(q.args, to, from)
	}
	for d, values := range a.Filter {
		if len(values) == 0 {
			continue
		}
		q.where += " AND " + d.SQL(basis,
			q.column) + " IN (" + dialect.Placeholders(len(values)) + ")"
		for _, v := range values {
			q.args = append(q.args, v)
		}
	}
}

func (q *selection) alias() string {
	if q.source == messages || q.source == ownMessages {
		return "ev"
	}
	return "cy"
}

// statement is the SELECT.
func (q *selection) statement() string {
	alias := q.alias()
	text := "SELECT "
	if q.distinct {
		text += "DISTINCT "
	}
	text += strings.Join(q.columns, ", ")
	switch q.source {
	case closedCycles:
		text += " FROM convo_cycles cy"
		if q.pending == onlyPending {
			text += q.d.PendingIndex
		}
	case runningCycles:
		text += " FROM convo_conversations cy"
	case messages:
		text += " FROM convo_events ev"
	case ownMessages:
		text += " FROM convo_contact_events ev"
	}
	if q.conversation {
		text += " JOIN convo_conversations cv ON cv.workspace = " + alias +
			".workspace AND cv.id = " + alias + ".conversation"
	}
	text += " WHERE " + q.where
	if q.source == closedCycles {
		text += [...]string{
			allCycles: "", onlyPending: " AND cy.rollup_pending = 1",
			notPending: " AND cy.rollup_pending IS NULL",
		}[q.pending]
	}
	return text
}

// asDuration is a Stat of one duration, or of none.
type asDuration report.Stat

func (d *asDuration) Scan(v any) error {
	var n dialect.Int
	err := n.Scan(v)
	*d = asDuration{}
	if v != nil {
		*d = asDuration{Count: 1, Sum: int64(n), Min: int64(n), Max: int64(n)}
	}
	return err
}
