package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// commandMetrics returns the metrics by which commands are compared.
func commandMetrics() []metric.Metric {
	return []metric.Metric{
		metric.CommandTime(), metric.CommandOutput(), metric.CommandCPU(), metric.CommandTasks(),
		metric.CommandSwitches(), metric.CommandInvoluntary(), metric.CommandWaiting(),
		metric.SwitchP50(), metric.CostP50(), metric.SwitchingTime(), metric.SliceP50(),
		metric.WaitMean(), metric.WaitP99(), metric.LongestWait(), metric.Parallelism(), metric.Concurrency(),
	}
}

// byRounds reports whether the report is of commands that were repeated by rounds.
func byRounds(r *report.Report) bool { return len(r.Setup.Commands) > 0 }

// commandTable compares commands that were run in turn: a row for each figure and a column for each command, with
// the ratio to the first below the figure.
type commandTable struct {
	report *report.Report
	loads  []metric.Load
	names  []string
	notes  map[string]bool
}

func newCommandTable(r *report.Report) *commandTable {
	t := &commandTable{report: r, notes: map[string]bool{}}
	for _, l := range metric.Loads(r) {
		if l.IsCommand() {
			t.loads = append(t.loads, l)
		}
	}
	for i, l := range t.loads {
		name := shortName(l.Name)
		if slices.Contains(t.names, name) {
			name = strconv.Itoa(i+1) + ": " + name
		}
		t.names = append(t.names, name)
	}
	return t
}

// longestName is how many characters of a command's name a heading can have.
const longestName = 24

// shortName cuts the middle of a long name, which is hostile input.
func shortName(name string) string {
	runes := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(name, "?")), " "))
	if half := longestName / 2; len(runes) > longestName {
		return string(runes[:half]) + "…" + string(runes[len(runes)-half+1:])
	}
	return string(runes)
}

// trialsOf are metric.TrialsOf or metric.UntracedOf.
type trialsOf func(*report.Report, metric.Load, report.Mode) []*report.Trial

func (t *commandTable) samples(m metric.Metric, of trialsOf) []metric.Rounds {
	out := make([]metric.Rounds, len(t.loads))
	for i, l := range t.loads {
		out[i] = metric.Sample(of(t.report, l, report.Command), m)
	}
	return out
}

// rows shows a metric and, if the rounds are enough, how each command compares with the first.
func (t *commandTable) rows(m metric.Metric, of trialsOf, compared bool) []Row {
	samples := t.samples(m, of)
	measured := func(s metric.Rounds) bool { return len(s.Values) > 0 }
	if !slices.ContainsFunc(samples, measured) {
		return nil
	}
	row := Row{textCell(t.nameOf(m))}
	ratios := Row{textCell("÷ " + t.names[0]), valueCell(report.Of(1, report.Ratio))}
	for i, s := range samples {
		row = append(row, medianCell(s, t.notes))
		if i > 0 {
			ratios = append(ratios, compareCells(s, samples[0], t.notes)[0])
		}
	}
	none := func(c Cell) bool { return c.Text == "" && !c.Value.Known }
	if !compared || !slices.ContainsFunc(ratios[2:], func(c Cell) bool { return !none(c) }) {
		return []Row{row}
	}
	return []Row{row, ratios}
}

// nameOf is the metric's name, with the unit if it was read from the output.
func (t *commandTable) nameOf(m metric.Metric) string {
	if o := t.report.Setup.Output; m.Name == metric.CommandOutput().Name && o != nil && o.Unit != "" {
		return m.Name + " (" + o.Unit + ")"
	}
	return m.Name
}

// commandSection shows commands that were repeated by rounds, side by side.
func commandSection(r *report.Report) Section {
	t := newCommandTable(r)
	if len(t.loads) == 0 {
		return Section{}
	}
	s := Section{Title: "The command, round by round", Columns: []Column{textColumn("figure")}}
	ratio := ""
	if len(t.loads) > 1 {
		s.Title = "Commands side by side"
		ratio = "Below it is the ratio to the first command"
	}
	s.Caption = roundsCaption(ratio) + "Switches and waits are those of the command's tasks. " + tasksCaption(r)
	s.Columns = append(s.Columns, columns(t.names...)...)
	var traced Group
	for _, m := range commandMetrics() {
		traced.Rows = append(traced.Rows, t.rows(m, metric.TrialsOf, true)...)
	}
	s.Groups = []Group{traced}
	if len(r.Untraced) > 0 {
		s.Groups[0].Name = "traced"
		s.Groups = append(s.Groups, t.untraced())
		s.Caption += "Without the tracer, the same commands ran in the same rounds."
	}
	if len(t.loads) > 1 {
		s.Notes = t.verdicts()
	}
	s.Notes = append(append(s.Notes, t.failures()...), tooFewRounds(r, t.notes)...)
	return s
}

// untraced shows what is known of the commands without the tracer, and what the tracer does to them.
func (t *commandTable) untraced() Group {
	g := Group{Name: "untraced"}
	for _, m := range []metric.Metric{metric.CommandTime(), metric.CommandOutput(), metric.CommandCPU()} {
		g.Rows = append(g.Rows, t.rows(m, metric.UntracedOf, t.untracedRounds() >= stats.LeastPairs)...)
	}
	traced := t.samples(metric.CommandTime(), metric.TrialsOf)
	untraced := t.samples(metric.CommandTime(), metric.UntracedOf)
	row := Row{textCell("wall time, traced ÷ untraced")}
	for i := range traced {
		row = append(row, compareCells(traced[i], untraced[i], map[string]bool{})[0])
	}
	if t.untracedRounds() >= stats.LeastPairs {
		g.Rows = append(g.Rows, row)
	}
	return g
}

// untracedRounds is in how many rounds commands ran without the tracer too.
func (t *commandTable) untracedRounds() int {
	seen := map[int]bool{}
	for i := range t.report.Untraced {
		seen[t.report.Untraced[i].Round] = true
	}
	return len(seen)
}

// verdicts say which command is best by the wall time, and by the output if there is one.
func (t *commandTable) verdicts() []string {
	out := []string{t.best(metric.CommandTime(), metric.TrialsOf, true)}
	o := t.report.Setup.Output
	if o != nil {
		out = append(out, t.best(metric.CommandOutput(), metric.TrialsOf, o.LessIsBetter))
	}
	switch n := t.untracedRounds(); {
	case n >= stats.LeastPairs:
		out = append(out, "Without the tracer: "+t.best(metric.CommandTime(), metric.UntracedOf, true))
		if o != nil {
			out = append(out, "Without the tracer: "+t.best(metric.CommandOutput(), metric.UntracedOf, o.LessIsBetter))
		}
	case n > 0:
		out = append(out, fmt.Sprintf("In %s the commands also ran without the tracer, too few to tell them apart.",
			words.Plural(n, "round")))
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// best says which command is better than every other by a metric, and by how much, or that none is.
func (t *commandTable) best(m metric.Metric, of trialsOf, less bool) string {
	samples := t.samples(m, of)
	at, medians := 0, make([]float64, len(samples))
	for i, s := range samples {
		if len(s.Values) == 0 {
			return ""
		}
		medians[i] = s.Summary().Center
		if medians[i] != medians[at] && medians[i] < medians[at] == less {
			at = i
		}
	}
	var by, undecided []string
	for i, s := range samples {
		if i == at {
			continue
		}
		d := metric.Compare(samples[at], s)
		switch better := d.Center < 1 == less; {
		case d.N < stats.LeastPairs:
			return fmt.Sprintf("No command is shown to be the best by %s: fewer than %d rounds decide nothing.",
				t.nameOf(m), stats.LeastPairs)
		case !d.Significant() || d.Known && !better:
			undecided = append(undecided, t.names[i])
		default:
			by = append(by, fmt.Sprintf("%s that of %s", ratioText(d), t.names[i]))
		}
	}
	if len(undecided) > 0 {
		return fmt.Sprintf("No command is shown to be the best by %s: the rounds show no difference between %s and %s.",
			t.nameOf(m), t.names[at], words.List(undecided, 4))
	}
	word := words.Choose(m.Name == metric.CommandTime().Name, "the fastest", "the best by "+t.nameOf(m))
	return fmt.Sprintf("%s is %s: its %s is %s.", t.names[at], word, m.Name, words.List(by, 4))
}

// ratioText is a ratio with its interval in words.
func ratioText(d metric.Difference) string {
	if !d.Known || !d.Bounded() {
		return "another than"
	}
	return fmt.Sprintf("%s (%s–%s) times", report.Of(d.Center, report.Ratio), report.Of(d.Low, report.Ratio),
		report.Of(d.High, report.Ratio))
}

// failures say which commands failed, which only --ignore-failure allows.
func (t *commandTable) failures() (out []string) {
	for i, l := range t.loads {
		runs, failed, status := 0, 0, 0
		for _, of := range []trialsOf{metric.TrialsOf, metric.UntracedOf} {
			for _, trial := range of(t.report, l, report.Command) {
				runs++
				if trial.ExitStatus != nil && *trial.ExitStatus != 0 {
					failed, status = failed+1, *trial.ExitStatus
				}
			}
		}
		if failed > 0 {
			out = append(out, fmt.Sprintf("%s failed in %d of %s, last with exit status %d.",
				t.names[i], failed, words.Plural(runs, "run"), status))
		}
	}
	return out
}

// headline is the most important sentence, and the median times.
func (t *commandTable) headline() (string, []Part) {
	var parts []Part
	for i, s := range t.samples(metric.CommandTime(), metric.TrialsOf) {
		parts = append(parts, Part{t.names[i] + ", wall time", medianCell(s, map[string]bool{}).Value})
	}
	parts = append(parts, Part{"switches counted", ofCount(t.report.Quality.Switches)})
	if len(t.loads) > 1 {
		return t.verdicts()[0], parts
	}
	return fmt.Sprintf("The command took %s in the median of %s.", parts[0].Value,
		words.Plural(len(t.report.Trials), "round")), parts
}
