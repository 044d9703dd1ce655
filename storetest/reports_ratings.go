package storetest

import (
	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/report"
)

// rated is what ratings come to: how many, and the sum of their scores.
func (s story) rated(count, sum int64, v report.Values) {
	got := v[report.Rating]
	s.Equal([]int64{count, sum}, []int64{got.Count, got.Sum})
}

func replacedRating(r *reports) {
	s := story{r}
	satisfaction := report.Query{Kind: report.Satisfaction, GroupBy: report.Score}
	s.at(at(2, 9, 0), "k", convo.Receive{Body: "hi"}, convo.Assign{By: ana, Assignee: "ana"},
		convo.Close{By: ana, Category: "Sales"})
	s.at(at(2, 10, 0), "k", convo.Rate{Score: 2})
	s.at(at(2, 9, 0), "l", convo.Receive{Body: "hi"}, convo.Close{By: ana})
	s.at(at(3, 9, 0), "l", convo.Rate{Score: 10})
	march := func(first int64, scores ...string) {
		s.asks(at(1, 0, 0), at(32, 0, 0), satisfaction, func(r *report.Report) {
			s.rated(2, first+10, r.Total)
			s.InDelta(1, r.Total.RatedShare(), 0)
			s.InDelta(float64(first+10)/2, r.Total[report.Rating].Mean, 0)
			s.Equal([]int64{first, 10}, []int64{
				r.Total[report.Rating].Min, r.Total[report.Rating].Max,
			})
			var got []string
			for _, g := range r.Groups {
				got = append(got, g.Value)
			}
			s.Equal(scores, got, "the distribution, the lowest score first")
		})
	}
	march(2, "2", "10")
	s.at(at(40, 9, 0), "k", convo.Label{By: ana, Add: []string{"late"}}, convo.Rate{Score: 5},
		convo.Rate{Score: 0})
	march(0, "0", "10")
	s.asks(at(32, 0, 0), at(62, 0, 0), satisfaction, func(r *report.Report) {
		s.rated(0, 0, r.Total)
	})
	// Also of a cycle before the last one, and while the conversation is open.
	s.at(at(41, 9, 0), "k", convo.Reopen{By: ben})
	s.at(at(42, 9, 0), "k", convo.Rate{Cycle: 1, Score: 9})
	march(9, "9", "10")
	var exported []convo.Rating
	for _, y := range r.exported(report.CyclesQuery{From: at(1, 0, 0), To: at(32, 0, 0)}) {
		exported = append(exported, y.Rating)
	}
	s.ElementsMatch([]convo.Rating{{At: at(2, 10, 0), Score: 9}, {At: at(3, 9, 0), Score: 10}},
		exported)
	for d, value := range map[report.Dimension]string{
		report.Closer: "ana", report.Category: "Sales", report.Label: "", report.Assignee: "ana",
	} {
		s.asks(at(1, 0, 0), at(32, 0, 0),
			report.Query{Kind: report.Satisfaction, Filter: report.Filter{
				d: {value}, report.Score: {"9"},
			}},
			func(r *report.Report) { s.rated(1, 9, r.Total) })
	}
}

func ratedAfterReopening(r *reports) {
	s := story{r}
	s.at(at(2, 9, 0), "k", convo.Receive{Body: "hi"}, convo.Assign{By: ben, Assignee: "ben"},
		convo.Close{By: ben})
	s.at(at(2, 10, 0), "k", convo.Reopen{By: ana}, convo.Assign{By: ana, Assignee: "ana"})
	s.at(at(2, 11, 0), "k", convo.Rate{Score: 4})
	s.at(at(2, 12, 0), "k", convo.Rate{Score: 9}) // of the running one
	s.at(at(2, 13, 0), "k", convo.Close{By: ana}, convo.Reopen{By: ana}, convo.Close{By: ana},
		convo.Rate{Cycle: 2, Score: 8}, convo.Rate{Cycle: 3, Score: 7})
	s.asks(at(1, 0, 0), at(3, 0, 0),
		report.Query{Kind: report.Satisfaction, GroupBy: report.Closer},
		func(r *report.Report) {
			s.rated(1, 4, s.group(r, "ben"))
			s.rated(1, 7, s.group(r, "ana"))
			s.rated(1, 8, s.group(r, "")) // nobody had closed it when it was rated
			s.InDelta(1, r.Total.RatedShare(), 0)
			s.InDelta(.5, s.group(r, "ana").RatedShare(), 0)
		})
	s.asks(at(1, 0, 0), at(3, 0, 0),
		report.Query{Kind: report.Satisfaction, GroupBy: report.Assignee},
		func(r *report.Report) {
			s.rated(1, 4, s.group(r, "ben"))
			s.rated(1, 8, s.group(r, "ana"))
			s.rated(1, 7, s.group(r, "")) // the closing before had taken ana off
		})
}
