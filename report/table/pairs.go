package table

import "github.com/slicetrace/slicetrace/report"

// pairTable has one row per trial and pair. Who is not told apart has no pid and name.
func pairTable(r *report.Report) Table {
	columns := columnList(trialColumns + `kind:text pid process:text comm:text uid group_id group_name:text
		by_pid by_process:text by:text by_uid by_group_id by_group_name:text by_interrupt:boolean relation:text
		count wait_ns` + plainColumns)
	return Table{Name: "pairs", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range numberedTrials(r) {
			if trial.Why == nil {
				continue
			}
			groups := groupNames(trial.System)
			for i := range trial.Why.Pairs {
				p := &trial.Why.Pairs[i]
				row := append(trial.first(), FreeText(string(p.Kind)))
				row = append(row, sideFields(p.Task, groups)...)
				row = append(row, sideFields(p.By, groups)...)
				row = append(row, Truth(p.Interrupt), FreeText(string(p.Relation())), Whole(p.Count), Whole(p.WaitNS))
				if !yield(append(row, trial.last()...)) {
					return
				}
			}
		}
	}}
}

func sideFields(t *report.PairTask, groups map[uint64]string) []Field {
	if t == nil {
		return []Field{absent(), absent(), absent(), absent(), absent(), absent()}
	}
	return []Field{
		Whole(t.PID), FreeText(t.Process), FreeText(t.Comm), Whole(int64(t.UID)), Whole(t.Group),
		FreeText(groups[t.Group]),
	}
}
