package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// crashing lets the fate of the workers beside the one that crashes decide, and
// needs both modes: that the others die is half of the claim.
func crashing(e *evidence) string {
	l, m := whole("crash"), metric.Survivors()
	processes, threads := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
	if len(processes.Values) == 0 || len(threads.Values) == 0 {
		if e.workerCount(l) == 1 {
			e.missing = "needs two workers or more"
		}
		return ""
	}
	live, ok1 := e.inEach(l, report.Processes, m, 100, 100)
	dead, ok2 := e.inEach(l, report.Threads, m, 0, 0)
	if !ok1 || !ok2 {
		return ""
	}
	return fmt.Sprintf("when one of %d dies by SIGSEGV, %s of the other processes live on, and %s of the other threads%s",
		e.workerCount(l), live.Quantity(), dead.Quantity(), exceptions([]report.NamedFigure{live, dead}))
}
