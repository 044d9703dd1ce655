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
	Aggregate(ctx context.Context, a Aggregation) ([]Cell, error)
	// Cycles calls f for each cycle that q picks, ordered by q.Compare, until f fails, and returns
	// that error; f may use the store. A database keeps no more than a page of them in memory: what
	// happens meanwhile may be among them or not, but none is there twice, and none is missing that
	// was there before. It fails as [CyclesQuery.Validate] does.
	Cycles(ctx context.Context, q CyclesQuery, f func(*Cycle) error) error
	// Active returns how the active conversations are spread over statuses and assignees, in any
	// order.
	Active(ctx context.Context, workspace string) ([]ActiveCount, error)
}

// Aggregation is what a store is asked to count and add up.
type Aggregation struct {
	Workspace  string
	Measures   []Measure   // at least one, all of one TimeBasis
	Boundaries []time.Time // ascending; bucket i is from Boundaries[i] to Boundaries[i+1]
	GroupBy    Dimension   // optional
	Filter     Filter
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

// TimeBasis is that of the measures.
func (a *Aggregation) TimeBasis() TimeBasis { return a.Measures[0].TimeBasis() }

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
		case m.TimeBasis() != a.TimeBasis():
			return invalid("measures",
				fmt.Sprintf("%s and %s belong to a period by different times",
					a.Measures[0], m))
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
	if a.GroupBy != "" {
		if err := a.checkDimension("group_by", a.GroupBy); err != nil {
			return err
		}
	}
	for d := range a.Filter {
		if err := a.checkDimension("filter", d); err != nil {
			return err
		}
	}
	return nil
}

func (a *Aggregation) checkDimension(field string, d Dimension) error {
	switch {
	case !d.Known():
		return invalid(field, fmt.Sprintf("%q is not one of %s", d, join(Dimensions())))
	case !d.Fits(a.TimeBasis()) && a.TimeBasis().OfMessages():
		return invalid(field, fmt.Sprintf("messages have no %s", d))
	case !d.Fits(a.TimeBasis()):
		return invalid(field, fmt.Sprintf("cycles have no %s", d))
	}
	return nil
}

func invalid(field, rule string) error { return &convo.ValidationError{Field: field, Rule: rule} }
