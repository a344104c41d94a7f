package view

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// modeMetrics returns the metrics by which modes are compared.
func modeMetrics() []metric.Metric {
	return []metric.Metric{
		metric.Throughput(), metric.PickP50(), metric.SwitchP50(), metric.CostP50(), metric.SwitchingTime(),
		metric.SliceP50(), metric.WaitMean(), metric.WaitP99(), metric.LongestWait(), metric.Fairness(),
		metric.Parallelism(), metric.Concurrency(),
		metric.CacheRefillCost(), metric.MemoryPSS(), metric.Creation(),
		metric.StartP50(), metric.RunP50(), metric.EndP50(),
	}
}

// modeSection compares processes with threads, or shows the only mode that ran. A trial is one
// sample, since its switches are not independent of each other.
func modeSection(r *report.Report) Section {
	modes, title := modes(r)
	s := Section{Title: title, Columns: []Column{textColumn("metric")}}
	for _, m := range modes {
		s.Columns = append(s.Columns, Column{Name: string(m)})
	}
	compared := len(modes) == 2
	if compared {
		s.Columns = append(s.Columns, columns("ratio", "p")...)
	}
	notes := map[string]bool{}
	for _, load := range metric.Loads(r) {
		g := groupOf(r, load)
		for _, m := range modeMetrics() {
			if row, ok := metricRow(r, load, m, modes, notes); ok {
				g.Rows = append(g.Rows, row)
			}
		}
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	s.Caption = figuresCaption(r)
	if r.Setup.Rounds > 1 || modes[0] != report.Command {
		s.Caption = roundsCaption(words.Choose(compared, "The ratio is processes ÷ threads", "")) + figuresCaption(r)
		s.Notes = tooFewRounds(r, notes)
	}
	return s
}

// modes returns the modes to be shown, and a title for them.
func modes(r *report.Report) ([]report.Mode, string) {
	ran := map[report.Mode]bool{}
	for i := range r.Trials {
		ran[r.Trials[i].Mode] = true
	}
	switch {
	case ran[report.Processes] && ran[report.Threads]:
		return []report.Mode{report.Processes, report.Threads}, "Processes or threads"
	case ran[report.Processes]:
		return []report.Mode{report.Processes}, "Work and waits"
	case ran[report.Threads]:
		return []report.Mode{report.Threads}, "Work and waits"
	}
	return []report.Mode{report.Command}, "The command as a whole"
}

// roundsCaption explains medians and, if it is given, the ratio.
func roundsCaption(ratio string) string {
	caption := "Medians over rounds, ± the wider side of the 95 % confidence interval; " +
		"the longest wait is that of all rounds. "
	if ratio != "" {
		caption += ratio + " within a round, not the ratio of the medians, " +
			"with its 95 % interval (± or its ends); " +
			"~ means that the rounds show no difference (signed-rank test, p > 0.05). "
	}
	return caption
}

func figuresCaption(r *report.Report) string {
	return tasksCaption(r) + "A Jain index of 1 means equal shares of CPU time."
}

func tasksCaption(r *report.Report) string {
	return "Wait is the time in which a task was runnable but not running. " +
		"Parallelism is how many " + workerOf(r) + "s ran at once, concurrency how many ran or waited. "
}

// metricRow summarises one metric over rounds in each mode. ok is false if no mode has it.
func metricRow(
	r *report.Report, load metric.Load, m metric.Metric, modes []report.Mode, notes map[string]bool,
) (row Row, ok bool) {
	row = Row{textCell(m.Name)}
	samples := make([]metric.Rounds, len(modes))
	for i, mode := range modes {
		samples[i] = metric.Sample(metric.TrialsOf(r, load, mode), m)
		row = append(row, medianCell(samples[i], notes))
		ok = ok || len(samples[i].Values) > 0
	}
	if len(modes) == 2 {
		row = append(row, compareCells(samples[0], samples[1], notes)...)
	}
	return row, ok
}
