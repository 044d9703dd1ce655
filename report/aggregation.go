package report

import (
	"context"
	"fmt"
	"time"

	"github.com/chatlifecycle/convo"
)

// Store is what reports need from a store. The stores of this module implement it, and
// storetest.RunReports proves one. Implementations are safe for concurrent use.
type Store interface {
	// Aggregate returns a cell for each bucket, value and measure of a that has anything, in any
	// order, all as of one moment. It fails as [Aggregation.Validate] does.
	//
	// What was removed by its age (convo.Retention.Conversations) it counts as before where the
	// measures have RollupTerms, are not grouped, and the boundaries are whole half hours of UTC;
	// or where they are grouped or filtered by one dimension that is InRollups, and the boundaries
	// are whole days of UTC. Else, and in what else is here, a store may leave it out.
	Aggregate(ctx context.Context, a Aggregation) ([]Cell, error)
	// AtOneMoment calls f with a context in which all that these methods read is as of one moment,
	// also through what wraps the store. f must not write, nor call other methods. It costs a
	// database a read-only transaction for as long as f runs; in memory, what writes waits for f.
	// Within another one the moment is that of the outer one.
	AtOneMoment(ctx context.Context, f func(ctx context.Context) error) error
	// Counted returns the conversations that a figure counts, in the order of their ids. It fails
	// as [CountedQuery.Validate] does.
	Counted(ctx context.Context, q CountedQuery) ([]Counted, error)
	// Cycles calls f for each cycle that q picks, ordered by q.Compare, until f fails, and returns
	// that error; f may use the store. A database keeps no more than a page of them in memory: what
	// happens meanwhile may be among them or not, but none is there twice, and none is missing that
	// was there before. It fails as [CyclesQuery.Validate] does.
	Cycles(ctx context.Context, q CyclesQuery, f func(*Cycle) error) error
	// Entries calls f for the events of conversations that q picks and reports count, of
	// MessageKinds and LifecycleKinds, in the order of their time, conversation and Seq, until f
	// fails, and returns that error; f may use the store, and the entry is valid until it returns.
	// A database keeps no more than a page of them in memory, and none is missing or there twice
	// that was there before. It fails as [EntriesQuery.Validate] does.
	Entries(ctx context.Context, q EntriesQuery, f func(*Entry) error) error
	// Active returns how the active conversations are spread over statuses, assignees, teams, lanes
	// and channels, in any order.
	Active(ctx context.Context, workspace string) ([]ActiveCount, error)
}

// Aggregation is what a store is asked to count and add up.
type Aggregation struct {
	Workspace  string
	Measures   []Measure   // at least one, all of one Subject
	Boundaries []time.Time // ascending; bucket i is from Boundaries[i] to Boundaries[i+1]
	GroupBy    Dimension   // optional
	Filter     Filter
	Exclude    Filter
	Quantiles  bool           // percentiles and bands are wanted; else a store may leave them out
	Calendar   convo.Calendar // required for measures in working time
}

// Cell is what one measure comes to, in one bucket and for one value of the dimension.
type Cell struct {
	Bucket  int
	Value   string // of Aggregation.GroupBy
	Measure Measure
	Stat    Stat
}

// Subject is that of the measures.
func (a *Aggregation) Subject() Subject { return a.Measures[0].Subject() }

// Validate reports with a *convo.ValidationError what no store can answer: measures or dimensions
// that are not declared, or that do not go together, and boundaries that do not ascend. Workspace
// and the values of Filter are taken as they are.
func (a *Aggregation) Validate() error {
	if len(a.Measures) == 0 {
		return invalid("measures", "must be at least one")
	}
	for _, m := range a.Measures {
		switch {
		case !m.Known():
			return invalid("measures", fmt.Sprintf("%q is not one of %s", m, join(Measures())))
		case m.Subject() != a.Subject():
			return invalid("measures",
				fmt.Sprintf("%s and %s are not of the same subject", a.Measures[0], m))
		case m.Working() && a.Calendar == nil:
			return invalid("calendar", fmt.Sprintf("is required for %s", m))
		}
	}
	if len(a.Boundaries) < 2 {
		return invalid("boundaries", "must be at least two")
	}
	for i, b := range a.Boundaries[1:] {
		if !a.Boundaries[i].Before(b) {
			return invalid("boundaries", "must ascend")
		}
	}
	if a.GroupBy.OnlyFilters() {
		return invalid("group_by", fmt.Sprintf("%s only filters", a.GroupBy))
	}
	if a.GroupBy != "" {
		if err := a.checkDimension("group_by", a.GroupBy); err != nil {
			return err
		}
	}
	for field, f := range map[string]Filter{"filter": a.Filter, "exclude": a.Exclude} {
		for d, values := range f {
			if len(values) == 0 && d.Known() {
				continue // it does not count
			}
			if err := a.checkDimension(field, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Aggregation) checkDimension(field string, d Dimension) error {
	switch {
	case !d.Known():
		return invalid(field, fmt.Sprintf("%q is not one of %s", d, join(Dimensions())))
	case !d.Fits(a.Subject()):
		return invalid(field, fmt.Sprintf("%s has no %s", a.Measures[0], d))
	}
	return nil
}

func invalid(field, rule string) error { return &convo.ValidationError{Field: field, Rule: rule} }
