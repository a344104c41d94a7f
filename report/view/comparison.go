package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// SummarizeComparison prepares the comparison for a reader: what changed or, if full is true, every
// figure.
func SummarizeComparison(c *compare.Comparison, full bool) *Summary {
	s := &Summary{Header: []string{"slicetrace", "comparison of reports"}}
	sides := []Item{sideItem(c.Old, "old")}
	for i := range c.Pairs {
		p := &c.Pairs[i]
		name, of := "new", ""
		if len(c.Pairs) > 1 {
			name = "new " + strconv.Itoa(i+1)
			of = ": " + p.New.Name
		}
		sides = append(sides, sideItem(p.New, name))
		s.Sections = append(s.Sections, differenceSection(p, of), digestSection(p, of), changeSection(p, of, full))
		if len(p.Groups) > 0 {
			s.Sections = append(s.Sections, groupChangeSection(p, of, full))
		}
		if len(p.Stacks) > 0 {
			s.Sections = append(s.Sections, stackChangeSection(p, of, full))
		}
		if full && len(p.Switches) > 0 {
			s.Sections = append(s.Sections, switchesSection(p, of))
		}
	}
	s.Sections = append([]Section{{Title: "Reports", Items: sides}}, s.Sections...)
	if len(c.Checked) > 0 {
		s.Sections = append(s.Sections, checkedSection(c))
	}
	return s
}

// checkedSection shows the results of conditions.
func checkedSection(c *compare.Comparison) Section {
	s := Section{Title: "Conditions"}
	for _, one := range c.Checked {
		mark := "?"
		switch {
		case len(one.Met) > 0:
			mark = "✗"
		case one.Undecided == 0:
			mark = "✓"
		}
		s.Items = append(s.Items, Item{Mark: mark, Text: one.Sentence() + "."})
	}
	return s
}

func sideItem(s compare.Side, role string) Item {
	parts := append([]string{s.Name}, header(s.Host)[1:]...) // the first one is "slicetrace"
	if n := len(s.Runs); n > 1 {
		parts = append(parts, words.Plural(n, "run"))
	}
	parts = append(parts, words.Plural(s.Trials, "trial"))
	if !s.Created.IsZero() {
		parts = append(parts, s.Created.UTC().Format(time.DateTime)+" UTC")
	}
	return Item{Mark: " ", Name: role, Text: strings.Join(parts, " · ")}
}

// differenceSection shows what might explain a change.
func differenceSection(p *compare.Pair, of string) Section {
	s := Section{Title: "What differs between the machines and runs" + of}
	for _, u := range p.Differences {
		s.Items = append(s.Items, Item{Mark: " ", Name: u.Name, Text: orDash(u.Old) + " → " + orDash(u.New)})
	}
	if len(p.Differences) == 0 {
		s.Caption = "Nothing: the same machine, kernel, hooks, set-up and settings."
	}
	for _, w := range p.Warnings {
		s.Notes = append(s.Notes, "Note: "+w)
	}
	s.Notes = append(s.Notes, missingNotes(p)...)
	return s
}

// orDash returns a text, or a dash if it is empty.
func orDash(s string) string {
	if s == "" {
		return report.Dash
	}
	return s
}

// missingNotes says what only one side has, in a sentence for each side and kind.
func missingNotes(p *compare.Pair) []string {
	var out []string
	for _, side := range []string{"old", "new", "some"} {
		var whole, metrics []string
		where := map[string][]string{}
		for _, m := range p.Missing {
			place := m.Place()
			switch {
			case m.OnlyIn != side:
				continue
			case m.Metric == "":
				whole = append(whole, place)
				continue
			case where[m.Metric] == nil:
				metrics = append(metrics, m.Metric)
			}
			where[m.Metric] = append(where[m.Metric], place)
		}
		in := onlyInWords(side)
		if len(whole) > 0 {
			out = append(out, fmt.Sprintf("Only in %s: %s.", in, strings.Join(bothModes(whole), ", ")))
		}
		if len(metrics) > 0 {
			out = append(out, fmt.Sprintf("Measured only in %s: %s.", in, strings.Join(byPlace(metrics, where), "; ")))
		}
	}
	return out
}

func onlyInWords(side string) string {
	if side == "some" {
		return "some of the runs"
	}
	return "the " + side + " report"
}

// bothModes names a workload only once if it is in the list for processes and then for threads.
func bothModes(places []string) []string {
	var out []string
	for _, place := range places {
		name, threads := strings.CutSuffix(place, " "+string(report.Threads))
		if n := len(out); threads && n > 0 && out[n-1] == name+" "+string(report.Processes) {
			out[n-1] = name
			continue
		}
		out = append(out, place)
	}
	return out
}

// byPlace joins consecutive metrics that are missing in the same places.
func byPlace(metrics []string, where map[string][]string) []string {
	var out []string
	for i := 0; i < len(metrics); {
		n := i + 1
		for n < len(metrics) && slices.Equal(where[metrics[n]], where[metrics[i]]) {
			n++
		}
		out = append(out, fmt.Sprintf("%s of %s", strings.Join(metrics[i:n], ", "), words.List(where[metrics[i]], 4)))
		i = n
	}
	return out
}

const changeCaption = "Medians over runs (over %s if a side has one run%s), " +
	"± the wider side of the 95 %% interval. Change is the new figure compared with the old one, with its 95 %% " +
	"interval. " +
	"~ means that it does not stand out from the variation between runs; " +
	"beside it (≥) is, for primary figures, the smallest rise that would be found nine times in ten. "

// changeSection shows the figures of whole trials.
func changeSection(p *compare.Pair, of string, full bool) Section {
	undecided := testedPrimary(p) == 0
	s := changeTable("Changes"+of, p.Changes, func(c *compare.Change) bool {
		return full || c.Outcome == compare.Changed || undecided && c.Primary
	})
	s.Caption = fmt.Sprintf(changeCaption, "rounds", "") + "Switches are those of the mode itself, on all cores."
	if ofSystem(p) {
		s.Caption = fmt.Sprintf(changeCaption, "intervals", ", which have no ±") +
			"Phases of switches are of those between user tasks, on all cores."
	}
	count, primary := map[compare.Outcome]int{}, 0
	for i := range p.Changes {
		count[p.Changes[i].Outcome]++
		if p.Changes[i].Primary {
			primary++
		}
	}
	if len(s.Groups) == 0 {
		s.Caption = ""
		s.Notes = append(s.Notes, "No change stands out from chance.")
	}
	tested := len(p.Changes) - count[compare.Untested]
	if tested > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("Of %d figures tested, %d changed, %d are not distinguishable (~)%s. "+
			"Primary figures (%d: %s, and the cost of a switch if there are %d switches) "+
			"are decided together: if the sides do not differ, "+
			"any of them is reported as changed in one comparison of twenty.",
			tested, count[compare.Changed], count[compare.Alike], words.Choose(full, "", "; --verbose shows them"),
			testedPrimary(p), words.Choose(ofSystem(p), "busy, switches, wait_mean", "operations, duration"),
			compare.EnoughSwitches))
	}
	if n := count[compare.Small]; n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s changed significantly, but by less than %d %%.",
			words.Plural(n, "figure"), compare.LeastChange))
	}
	if n := count[compare.Doubtful]; n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d more %s p ≤ 0.05 but may well be chance, "+
			"which is expected to give %.0f such figures among so many%s.",
			n, words.Choose(n == 1, "has", "have"), 0.05*float64(tested),
			words.Choose(full, "; a ? follows their p", "; --verbose shows them")))
	}
	if n := len(p.Changes) - primary; undecided && !full && n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("These are the primary figures; --verbose shows %d more.", n))
	}
	return s
}

// ofSystem reports whether the figures are of a watched system.
func ofSystem(p *compare.Pair) bool {
	return len(p.Changes) > 0 && p.Changes[0].Mode == report.SystemMode
}

// digestSection lists the primary figures that changed, the greatest change of each metric first,
// and says on what this is based.
func digestSection(p *compare.Pair, of string) Section {
	return Section{Title: "In short" + of, Notes: append(digest(p), p.Basis.Sentences()...)}
}

// testedPrimary returns how many primary figures were tested.
func testedPrimary(p *compare.Pair) int {
	n := 0
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Primary && c.Outcome != compare.Untested {
			n++
		}
	}
	return n
}

func digest(p *compare.Pair) []string {
	var metrics []string
	of := map[string][]*compare.Change{}
	for i := range p.Changes {
		c := &p.Changes[i]
		if !c.Primary || c.Outcome != compare.Changed {
			continue
		}
		if of[c.Metric] == nil {
			metrics = append(metrics, c.Metric)
		}
		of[c.Metric] = append(of[c.Metric], c)
	}
	var out []string
	for _, m := range metrics {
		bySize := func(a, b *compare.Change) int { return cmp.Compare(math.Abs(b.Size()), math.Abs(a.Size())) }
		slices.SortStableFunc(of[m], bySize)
		var places []string
		for _, c := range of[m] {
			places = append(places, c.Place()+" "+c.Difference().String())
		}
		out = append(out, fmt.Sprintf("Changed %s: %s.", m, words.List(places, 6)))
	}
	if len(out) == 0 && testedPrimary(p) > 0 {
		out = append(out, fmt.Sprintf("No primary figure (%s, cost of a switch) is reported as changed.",
			words.Choose(ofSystem(p), "busy, switches, mean wait", "work done, duration")))
	}
	return out
}

// switchesSection shows the switches of each core and class.
func switchesSection(p *compare.Pair, of string) Section {
	s := changeTable("Switches of each core and class"+of, p.Switches, func(*compare.Change) bool { return true })
	s.Caption = "As above, for every class of switch; a ? follows a p that may well be chance among so many."
	return s
}

// changeTable shows changes in a table with a group for each place.
func changeTable(title string, changes []compare.Change, show func(*compare.Change) bool) Section {
	s := Section{Title: title, Apart: true, Columns: changeColumns()}
	for i := range changes {
		c := &changes[i]
		if !show(c) {
			continue
		}
		if name, n := changePlace(c), len(s.Groups); n == 0 || s.Groups[n-1].Name != name {
			s.Groups = append(s.Groups, Group{Name: name})
		}
		g := &s.Groups[len(s.Groups)-1]
		g.Rows = append(g.Rows, changeRow(c))
	}
	return s
}

func changeColumns() []Column {
	return append([]Column{textColumn("metric")}, columns("old", "new", "change", "95 % interval", "p", "n")...)
}

// changePlace names the workload, mode, core and class of a figure.
func changePlace(c *compare.Change) string {
	parts := []string{report.WorkloadTitle(c.Workload, c.Variant), string(c.Mode)}
	if c.Mode == report.SystemMode {
		parts = []string{c.Place()}
	}
	if c.Core != nil {
		parts = append(parts, "core "+strconv.Itoa(int(*c.Core)), classLabel(c.Class))
	}
	return strings.Join(parts, " · ")
}

func changeRow(c *compare.Change) Row {
	change, interval, p := textCell("~"), Cell{}, Cell{}
	switch {
	case c.Outcome != compare.Alike && c.OnlyIn != "":
		change = textCell(words.Choose(c.OnlyIn == "new", "new", "gone"))
	case c.Outcome != compare.Alike:
		change = textCell(c.Difference().String())
	case c.Detectable != nil && *c.Detectable > 0:
		change = textCell("~ (≥ " + report.Magnitude(*c.Detectable) + ")")
	}
	if c.PercentLow != nil && c.PercentHigh != nil {
		interval = textCell(report.DifferenceRange(*c.PercentLow, *c.PercentHigh))
	}
	switch c.Outcome {
	case compare.Untested:
		p = textCell("untested")
	case compare.Doubtful:
		p = textCell(report.Of(c.P, report.Probability).String() + " ?")
	default:
		p = valueCell(report.Of(c.P, report.Probability))
	}
	n := strconv.Itoa(c.Old.N)
	if c.Old.N != c.New.N {
		n += "+" + strconv.Itoa(c.New.N)
	}
	return Row{
		textCell(c.Metric), estimateCell(c.Old, c.Unit), estimateCell(c.New, c.Unit), change, interval, p, textCell(n),
	}
}

func estimateCell(e compare.Estimate, unit report.Unit) Cell {
	c := valueCell(report.Of(e.Median, unit))
	if e.Low != nil && e.High != nil {
		c.Spread = spread(e.Median, *e.Low, *e.High)
	}
	return c
}
