package profile

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/printable"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// What stands for a thread without a name, and for a stack without functions.
const (
	unknown = "[unknown]"
	noStack = "[no stack]"
)

// In reports whether a report has stacks.
func In(r *report.Report) bool {
	for i := range r.Trials {
		if r.Trials[i].Why != nil {
			return true
		}
	}
	return false
}

// clean makes a name safe to show, and cuts it if nobody could read it.
func clean(name string) string { return printable.Text(words.Short(name)) }

// functionName is the function's name, or that of its module in brackets, as pprof and perf write it.
func functionName(f *report.Frame) string { return clean(f.Label()) }

// processName is the process's name, or its number if the name is unknown.
func processName(w *report.StackWait) string {
	if w.Process == "" {
		return fmt.Sprintf("[pid %d]", w.PID)
	}
	return clean(w.Process)
}

// threadName is the name that the task gave itself.
func threadName(w *report.StackWait) string {
	if strings.TrimSpace(w.Comm) == "" {
		return unknown
	}
	return clean(w.Comm)
}
