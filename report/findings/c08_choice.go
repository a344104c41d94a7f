package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// leastKinds is how many kinds of work must be decided before all are said to be alike.
const leastKinds = 6

// decidingKinds are the loads without which the kinds of work on record say nothing of
// work in general: computing, waiting, creating.
func decidingKinds() []metric.Load {
	return []metric.Load{whole("spin"), {Name: "sleep", Variant: "many"}, whole("spawn")}
}

// choosing lets the kinds of work decide that are in "Processes or threads?", the one of
// outliving a crash among them.
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
		served[outlives.Mode] = append(served[outlives.Mode], "outliving a crash")
		decided = append(decided, outlives.Load)
	}
	if kinds < 2 {
		if kinds > 0 {
			e.missing = "needs two kinds of work in both modes: slicetrace run pipe spin"
		}
		return ""
	}
	e.noteFavours()
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

// noteFavours notes what favours a mode before what does not, so that the first figure
// says how much a choice can matter.
func (e *evidence) noteFavours() {
	favours := Preferences(e.report)
	slices.SortStableFunc(favours, func(a, b Preference) int { return rankOf(a) - rankOf(b) })
	for _, f := range favours {
		e.noteRatio(f.Load, "", f.Metric.Name+", ratio of the modes", f.By)
	}
	for _, m := range []report.Mode{report.Processes, report.Threads} {
		e.note(whole("crash"), m, metric.Survivors().Name, e.samples(whole("crash"), m, metric.Survivors()))
	}
}

// rankOf puts favours of a mode first and undecided ones last.
func rankOf(f Preference) int {
	switch {
	case f.Decided && f.Mode != "":
		return 0
	case f.Decided:
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

// servedWords says which work each mode serves better and, if asked, that one never serves
// worse: that is less than a choice, and more than no difference.
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
		facts += "; threads never lose here"
	case len(served[report.Threads]) == 0 && len(served[report.Processes]) > 0:
		facts += "; processes never lose here"
	}
	return facts
}
