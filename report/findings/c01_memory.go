package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// othersWords is how much of what the other workers wrote to a word a worker reads at the same
// virtual address.
func othersWords() metric.Metric {
	return metric.New("others' writes seen", report.Percent, func(t *report.Trial) (float64, bool) {
		ppm, ok := metric.WorkloadFigure(t, "others_words_seen_ppm")
		return float64(ppm) / 1e4, ok && len(t.Workers) > 1
	})
}

// owning decides by what workers read of each other's memory, and needs both modes. How much memory
// they take depends on the program, and decides nothing.
func owning(e *evidence) string {
	var own, shared []report.NamedFigure
	for _, l := range metric.Loads(e.report) {
		m := othersWords()
		processes, threads := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
		if l.Name != "counter" || len(processes.Values) == 0 || len(threads.Values) == 0 {
			continue
		}
		if f, ok := e.inEach(l, report.Processes, m, 0, 0); ok {
			own = append(own, f)
		}
		if f, ok := e.inEach(l, report.Threads, m, 100, 100); ok {
			shared = append(shared, f)
		}
	}
	if len(own) == 0 || len(shared) == 0 {
		if len(metric.BundledModes(e.report)) == 2 && ran(e.report, "counter") {
			e.missing = "needs figures on what workers read of each other's memory, which this report does not have: " +
				"run counter again, with two workers or more"
		}
		return ""
	}
	e.furtherMemory() // recorded as figures; they are quoted in the sentence of C6
	return fmt.Sprintf("of what other workers write to an address, processes read %s and threads %s%s",
		extreme(own, false).Quantity(), extreme(shared, true).Quantity(), exceptions(append(own, shared...)))
}

// ran reports whether there are trials of a workload.
func ran(r *report.Report, workload string) bool {
	for i := range r.Trials {
		if r.Trials[i].Workload == workload {
			return true
		}
	}
	return false
}
