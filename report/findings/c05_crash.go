package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// crashing decides by how many workers survive when another one crashes. It needs both modes: that
// the other threads die is half of the claim.
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
	return fmt.Sprintf("when one of %d dies by SIGSEGV, "+
		"%s of the other processes and %s of the other threads survive%s",
		e.workerCount(l), live.Quantity(), dead.Quantity(), exceptions([]report.NamedFigure{live, dead}))
}
