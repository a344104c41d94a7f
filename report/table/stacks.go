package table

import "github.com/slicetrace/slicetrace/report"

// stackTable has one row per trial and sum of absences from cores: of one thread name, process and group,
// at one stack, in one state, ended by one waker. samples is how many stacks were taken, and times how many
// returns they stand for. Stacks are folded: names joined by semicolons, the outermost first.
func stackTable(r *report.Report) Table {
	columns := columnList(trialColumns + `pid process:text comm:text uid group_id group_name:text
		state:text iowait:boolean waker_pid waker:text waker_interrupt:boolean samples times:decimal
		blocked_ns wait_ns throttled_ns longest_ns stack:text waker_stack:text` + plainColumns)
	return Table{Name: "stacks", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range numberedTrials(r) {
			if trial.Why == nil {
				continue
			}
			groups := groupNames(trial.System)
			for i := range trial.Why.Waits {
				w := &trial.Why.Waits[i]
				row := append(trial.first(), Whole(w.PID), FreeText(w.Process), FreeText(w.Comm), Whole(int64(w.UID)),
					Whole(w.Group), FreeText(groups[w.Group]), FreeText(string(w.State)), Truth(w.IOWait))
				row = append(row, wakerFields(w.Waker)...)
				row = append(row, Whole(w.Samples), Fraction(w.Times), Whole(w.BlockedNS), Whole(w.WaitNS),
					Whole(w.ThrottledNS), Whole(w.LongestNS), FreeText(r.Folded(w.Stack)), wakerStack(r, w.Waker))
				if !yield(append(row, trial.last()...)) {
					return
				}
			}
		}
	}}
}

// wakerFields are all absent if the waker is not known. An interrupt has no pid and name.
func wakerFields(w *report.Waker) []Field {
	switch {
	case w == nil:
		return []Field{absent(), absent(), absent()}
	case w.Interrupt:
		return []Field{absent(), absent(), Truth(true)}
	}
	return []Field{Whole(w.PID), FreeText(w.Comm), Truth(false)}
}

func wakerStack(r *report.Report, w *report.Waker) Field {
	if w == nil {
		return absent()
	}
	return FreeText(r.Folded(w.Stack))
}
