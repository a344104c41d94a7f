package report

// modeSection compares processes with threads, or shows the one mode that ran.
// A trial is one sample: its switches are not independent of each other.
func (r *Report) modeSection() Section {
	modes, title := r.modes()
	s := Section{Title: title, Columns: []Column{textColumn("metric")}}
	for _, m := range modes {
		s.Columns = append(s.Columns, Column{Name: string(m)})
	}
	compared := len(modes) == 2
	if compared {
		s.Columns = append(s.Columns, columns("ratio", "p")...)
	}
	notes := map[string]bool{}
	for _, load := range r.loads() {
		g := load.group()
		for _, m := range metrics() {
			if row, ok := r.metricRow(load, m, modes, notes); ok {
				g.Rows = append(g.Rows, row)
			}
		}
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	s.Caption = figuresCaption
	if r.Setup.Rounds > 1 || modes[0] != Command {
		s.Caption = modeCaption(compared)
		s.Notes = r.roundNotes(notes)
	}
	return s
}

// modes returns the modes to show, and the title that fits them.
func (r *Report) modes() ([]Mode, string) {
	ran := map[Mode]bool{}
	for i := range r.Trials {
		ran[r.Trials[i].Mode] = true
	}
	switch {
	case ran[Processes] && ran[Threads]:
		return []Mode{Processes, Threads}, "Processes or threads"
	case ran[Processes]:
		return []Mode{Processes}, "Work and waits"
	case ran[Threads]:
		return []Mode{Threads}, "Work and waits"
	}
	return []Mode{Command}, "The command as a whole"
}

func modeCaption(compared bool) string {
	caption := "Medians over rounds, ± the wider side of the 95 % confidence interval; the longest wait is that of all rounds. "
	if compared {
		caption += "Ratio is processes ÷ threads of the same round, not the ratio of the medians, ± likewise or with the interval's ends; ~ where the signed-rank test sees no difference (p > 0.05). "
	}
	return caption + figuresCaption
}

const figuresCaption = "Wait is the time runnable but not running. Parallelism is how many workers ran at once, " +
	"concurrency how many ran or waited to. A Jain index of 1 is an even share of CPU time."

// metricRow summarizes one metric over rounds in each mode; ok is false where no mode has it.
func (r *Report) metricRow(load load, m metric, modes []Mode, notes map[string]bool) (row Row, ok bool) {
	row = Row{textCell(m.name)}
	samples := make([]rounds, len(modes))
	for i, mode := range modes {
		samples[i] = sampleRounds(r.trialsOf(load, mode), m)
		row = append(row, samples[i].cell(notes))
		ok = ok || len(samples[i].values) > 0
	}
	if len(modes) == 2 {
		row = append(row, compareCells(samples[0], samples[1], notes)...)
	}
	return row, ok
}
