package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// leastKinds is how many kinds of work must be decided before the claim can be contradicted.
const leastKinds = 6

// decidingKinds are the loads without which the measured kinds of work are not representative:
// computing, waiting, creating.
func decidingKinds() []metric.Load {
	return []metric.Load{whole("spin"), {Name: "sleep", Variant: "many"}, whole("spawn")}
}

// choosing decides by the kinds of work in the table "Processes or threads?", including surviving a
// crash.
func choosing(e *evidence) string {
	served := map[report.Mode][]string{}
	var decided []metric.Load
	kinds := 0
	for _, f := range Preferences(e.report) {
		kinds++
		if !f.Decided {
			continue
		}
		served[f.Mode] = append(served[f.Mode], f.Load.Title())
		decided = append(decided, f.Load)
	}
	outlives, crashed := CrashSurvival(e.report)
	if crashed {
		kinds++
	}
	if crashed && outlives.Decided {
		served[outlives.Mode] = append(served[outlives.Mode], "surviving a crash")
		decided = append(decided, outlives.Load)
	}
	if kinds < 2 {
		if kinds > 0 {
			e.missing = "needs two kinds of work in both modes: slicetrace run pipe spin"
		}
		return ""
	}
	e.notePreferences()
	verdict := report.Inconclusive
	switch {
	case len(served[report.Threads]) > 0 && len(served[report.Processes]) > 0:
		verdict = report.Supported
	case len(served) == 1 && len(decided) >= leastKinds && holdsAll(decided, decidingKinds()):
		verdict = report.Contradicted
	}
	if len(e.figures) == 0 {
		return ""
	}
	e.decide(verdict, e.figures[0])
	return servedWords(served, verdict == report.Inconclusive && len(decided) >= leastKinds)
}

// notePreferences records the kinds of work for which one mode is better before the others, so that
// the first figure shows how much a choice can matter.
func (e *evidence) notePreferences() {
	preferences := Preferences(e.report)
	slices.SortStableFunc(preferences, func(a, b Preference) int { return rankOf(a) - rankOf(b) })
	for _, p := range preferences {
		e.noteRatio(p.Load, "", p.Metric.Name+", processes ÷ threads", p.Ratio)
	}
	for _, m := range []report.Mode{report.Processes, report.Threads} {
		e.note(whole("crash"), m, metric.Survivors().Name, e.samples(whole("crash"), m, metric.Survivors()))
	}
}

// rankOf puts kinds of work for which one mode is better first and undecided ones last.
func rankOf(p Preference) int {
	switch {
	case p.Decided && p.Mode != "":
		return 0
	case p.Decided:
		return 1
	}
	return 2
}

func holdsAll(loads, wanted []metric.Load) bool {
	for _, w := range wanted {
		if !slices.ContainsFunc(loads, func(l metric.Load) bool { return l.Title() == w.Title() }) {
			return false
		}
	}
	return true
}

// servedWords lists the work for which each mode is better. If dominates is true it also says that
// one mode is never worse, which is more than no difference but still leaves a choice.
func servedWords(served map[report.Mode][]string, dominates bool) string {
	var said []string
	for _, m := range []report.Mode{report.Threads, report.Processes, ""} {
		name := string(m)
		if m == "" {
			name = "neither mode"
		}
		if len(served[m]) > 0 {
			said = append(said, fmt.Sprintf("%s for %s", name, strings.Join(served[m], ", ")))
		}
	}
	facts := strings.Join(said, "; ")
	switch {
	case facts == "":
		return "no kind of work is decided"
	case !dominates:
	case len(served[report.Processes]) == 0 && len(served[report.Threads]) > 0:
		facts += "; threads are never worse here"
	case len(served[report.Threads]) == 0 && len(served[report.Processes]) > 0:
		facts += "; processes are never worse here"
	}
	return facts
}
