package report

import "strconv"

// Table returns every figure of the comparison as a tidy table with one row
// for each. Estimates are in the row's unit, per_second for operations.
func (c *Comparison) Table() Table {
	t := Table{Name: "comparison", Columns: names(`old new workload variant mode core class metric unit
		old_median old_low old_high old_n new_median new_low new_high new_n
		change_percent change_low_percent change_high_percent p q outcome`)}
	for i := range c.Pairs {
		p := &c.Pairs[i]
		for _, list := range [][]Change{p.Changes, p.Switches} {
			for j := range list {
				row := []Field{free(c.Old.Name), free(p.New.Name)}
				t.Rows = append(t.Rows, append(row, list[j].fields()...))
			}
		}
	}
	return t
}

func (c *Change) fields() []Field {
	row := []Field{
		free(c.Workload), free(c.Variant), free(string(c.Mode)), known(c.Core), free(string(c.Class)), free(c.Metric), free(string(c.Unit)),
	}
	row = append(append(row, c.Old.fields()...), c.New.fields()...)
	p, q := absent(), absent()
	if c.Outcome != Untested {
		p, q = probability(c.P), probability(c.Q)
	}
	return append(row, optional(c.Percent), optional(c.PercentLow), optional(c.PercentHigh), p, q, free(string(c.Outcome)))
}

func (e Estimate) fields() []Field {
	return []Field{decimal(e.Median, true), optional(e.Low), optional(e.High), integer(e.N)}
}

// probability keeps the digits that matter of a small number.
func probability(p float64) Field { return Field{Text: strconv.FormatFloat(p, 'g', 6, 64)} }
