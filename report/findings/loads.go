package findings

import (
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// whole returns the load of a workload that has only one variant.
func whole(workload string) metric.Load { return metric.Load{Name: workload} }

// scaled returns the variant of scale with the most workers, but not more than the given number.
func scaled(r *report.Report, workers int) (l metric.Load, ok bool) {
	most := 0
	for _, candidate := range metric.Loads(r) {
		n, err := strconv.Atoi(candidate.Variant)
		if candidate.Name == "scale" && err == nil && n > most && n <= workers {
			l, most = candidate, n
		}
	}
	return l, most > 0
}

// oneCore is the load by which most claims about time slices are decided.
func oneCore() metric.Load { return metric.Load{Name: "spin", Variant: "one core"} }

// workerCount returns how many workers a load's trials had.
func (e *evidence) workerCount(l metric.Load) int {
	for i := range e.report.Trials {
		if t := &e.report.Trials[i]; t.Workload == l.Name && t.Variant == l.Variant {
			return len(t.Workers)
		}
	}
	return 0
}

// usableCores returns how many cores the workers could run on.
func usableCores(r *report.Report) int { return len(r.Setup.CPUs) }

// twoCores reports whether there are two cores. If not, it records why there is no evidence.
func (e *evidence) twoCores() bool {
	if usableCores(e.report) < 2 {
		e.missing = "needs two cores that workers may use"
		return false
	}
	return true
}
