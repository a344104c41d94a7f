package table

import (
	"github.com/slicetrace/slicetrace/report/compare"
)

// Comparison returns every figure of the comparison as a tidy table, with one row for each.
// Estimates are in the row's unit, for example per_second for operations.
func Comparison(c *compare.Comparison) Table {
	columns := columnList(`old:text new:text workload:text variant:text mode:text core class:text metric:text unit:text
		old_median:decimal old_low:decimal old_high:decimal old_n
		new_median:decimal new_low:decimal new_high:decimal new_n
		change_percent:decimal change_low_percent:decimal change_high_percent:decimal p:decimal q:decimal outcome:text
		primary:boolean detectable_percent:decimal old_runs new_runs like_runs basis:text
		state:text stack:text only_in:text`)
	return Table{Name: "comparison", Columns: columns, Rows: func(yield func([]Field) bool) {
		for i := range c.Pairs {
			p := &c.Pairs[i]
			for _, list := range [][]compare.Change{p.Changes, p.Switches, p.Groups, p.Stacks} {
				for j := range list {
					row := append([]Field{FreeText(c.Old.Name), FreeText(p.New.Name)}, changeFields(&list[j])...)
					b := p.Basis
					row = append(row, Whole(b.OldRuns), Whole(b.NewRuns), Whole(b.LikeRuns), FreeText(string(b.Kind)),
						FreeText(string(list[j].State)), FreeText(list[j].Stack), FreeText(list[j].OnlyIn))
					if !yield(row) {
						return
					}
				}
			}
		}
	}}
}

func changeFields(c *compare.Change) []Field {
	row := []Field{
		FreeText(c.Workload), FreeText(c.Variant), FreeText(string(c.Mode)), known(c.Core), FreeText(string(c.Class)),
		FreeText(c.Metric), FreeText(string(c.Unit)),
	}
	row = append(append(row, estimateFields(c.Old)...), estimateFields(c.New)...)
	p, q := absent(), absent()
	if c.Outcome != compare.Untested {
		p, q = probability(c.P), probability(c.Q)
	}
	return append(row, optional(c.Percent), optional(c.PercentLow), optional(c.PercentHigh), p, q,
		FreeText(string(c.Outcome)), Truth(c.Primary), optional(c.Detectable))
}

func estimateFields(e compare.Estimate) []Field {
	return []Field{decimal(e.Median, true), optional(e.Low), optional(e.High), Whole(e.N)}
}
