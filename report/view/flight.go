package view

import (
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// mostCases is how many of the cases that a flight recorder found are told one by one.
const mostCases = 5

// flightDigest says what a flight recorder on the given number of cores saved, and why.
func flightDigest(r *report.Recording, cores int) string {
	ns := func(ns int64) string { return report.Of(float64(ns), report.Nanoseconds).String() }
	used := fmt.Sprintf(" slicetrace used %s of core time.",
		percent(float64(r.ToolCPUNS), float64(r.WallNS)*float64(max(1, cores))))
	text := fmt.Sprintf("Flight recorder: it kept %s, to be saved when %s. ", ns(r.KeepNS), strings.Join(r.When, ", "))
	if len(r.Windows) == 0 {
		return text + "Nothing was saved." + used
	}
	text += fmt.Sprintf("Saved: %s, with %s of %s switches and %s wakeups, %s events lost, in %s.",
		words.Plural(len(r.Windows), "recording"), ofCount(r.Switches), ofCount(r.Counted), ofCount(r.Wakeups),
		ofCount(r.Lost), report.Of(float64(r.Bytes), report.Bytes))
	for i, w := range r.Windows[:min(len(r.Windows), mostCases)] {
		text += fmt.Sprintf(" %d: %s, %s into the recording", i+1, caseOf(&w), ns(w.AtNS))
		if w.More > 0 {
			text += fmt.Sprintf(", and %d more", w.More)
		}
		if w.Short {
			text += fmt.Sprintf("; the bound on memory left only %s", ns(w.SpanNS))
		}
		text += "."
	}
	if rest := len(r.Windows) - mostCases; rest > 0 {
		text += fmt.Sprintf(" And %d more, in the report's JSON.", rest)
	}
	return text + used
}

// caseOf names what made a flight recorder save.
func caseOf(w *report.RecordedWindow) string {
	if w.LengthNS == 0 {
		return w.Condition
	}
	kind, _, _ := strings.Cut(w.Condition, ">")
	return fmt.Sprintf("%s of %s, of %s (%d)", kind, report.Of(float64(w.LengthNS), report.Nanoseconds), w.Comm, w.TID)
}
