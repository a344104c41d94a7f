package view

import (
	"fmt"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// Page is a report prepared to be looked at: a headline, and exhibits in the order in which they
// are shown. Its figures are those of Overview and Summarize.
type Page struct {
	// Headline states the most important result in a sentence.
	Headline string
	// Highlights are the figures at the top.
	Highlights []Part
	// Summary has the alert, the machine, the subject and the warnings, but no sections, since the
	// exhibits are the sections.
	Summary  *Summary
	Exhibits []Exhibit
	// Distributions are shown with the exhibit "distributions".
	Distributions []LoadDistributions
	// Flames are shown with the exhibit "stacks"; nil for none.
	Flames *FlameGraphs
	// More are the sections with every figure of every workload.
	More []Section
}

// Exhibit is a section with a name for links, and its chart.
type Exhibit struct {
	Name string
	Section
	Chart *Chart
}

// PageOf computes the page of a report.
func PageOf(r *report.Report) *Page {
	p := &Page{Distributions: distributions(r), Flames: flameGraphs(r)}
	if isWatch(r) {
		w := newWatch(r, true)
		p.Summary = summaryOf(r, w.subject(), nil)
		p.Headline, p.Highlights = w.headline()
		w.page(p)
		p.show("trust", trustSection(r), nil)
		return p
	}
	p.Summary = summaryOf(r, subject(r), nil)
	p.Headline, p.Highlights = headline(r)
	bundled := len(metric.BundledModes(r)) > 0
	if bundled {
		p.show("answer", answerSection(r), nil)
	}
	if byRounds(r) {
		p.show("commands", commandSection(r), nil)
	}
	costs := newSwitchTable(r, bundled)
	p.show("cost", costs.section(), costs.chart())
	p.show("distributions", distributionSection(r), nil)
	if bundled {
		loads := newOverviewTable(r, "", "").loads
		p.show("work", workSection(r), ratioChart(r, loads, metric.Throughput()))
		p.show("fairness", fairnessSection(r), modesChart(r, loads, metric.LongestWait()))
		p.show("findings", findingSection(r, false), nil)
		p.show("choice", choiceSection(r), nil)
		p.more(costSection(r), cacheRefillSection(r), waitSection(r),
			newSwitchTable(r, false).section(), sliceSection(r), modeSection(r))
	} else {
		p.show("slices", sliceSection(r), nil)
		for i, load := range metric.Loads(r) {
			name := "tasks"
			if i > 0 {
				name += strconv.Itoa(i + 1)
			}
			p.show(name, taskSection(r, load), nil)
		}
	}
	p.show("stacks", stackSection(r, false), nil)
	newPairs(r, false).exhibits(p)
	if !bundled && !byRounds(r) {
		p.show("whole", modeSection(r), nil)
	}
	p.show("trust", trustSection(r), nil)
	return p
}

// show adds a section, unless it is empty.
func (p *Page) show(name string, s Section, c *Chart) {
	if !s.empty() {
		p.Exhibits = append(p.Exhibits, Exhibit{name, s, c})
	}
}

func (p *Page) more(sections ...Section) {
	for _, s := range sections {
		if !s.empty() {
			p.More = append(p.More, s)
		}
	}
}

// headline states the cost of a switch or, for a command, what it did.
func headline(r *report.Report) (string, []Part) {
	if t := newCommandTable(r); byRounds(r) && len(t.loads) > 0 {
		return t.headline()
	}
	if len(metric.BundledModes(r)) == 0 {
		return commandHeadline(r)
	}
	load, processes, threads, phase := typicalCosts(r)
	what := words.Choose(phase, "The switch phase of a context switch takes", "A context switch costs")
	var parts []Part
	sentence := "The cost of a context switch is not known: no switch in the report was timed"
	switch {
	case threads.Known && processes.Known:
		sentence = fmt.Sprintf("%s %s between threads and %s between processes", what, threads, processes)
	case threads.Known:
		sentence = fmt.Sprintf("%s %s between threads", what, threads)
	case processes.Known:
		sentence = fmt.Sprintf("%s %s between processes", what, processes)
	}
	if threads.Known {
		parts = append(parts, Part{"between threads, p50", threads})
	}
	if processes.Known {
		parts = append(parts, Part{"between processes, p50", processes})
	}
	for _, v := range []report.Verdict{report.Supported, report.Contradicted, report.Inconclusive} {
		n := 0
		for _, f := range r.Findings {
			if f.Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, Part{mark(v) + " claims " + string(v), ofCount(n)})
		}
	}
	if threads.Known || processes.Known {
		sentence += fmt.Sprintf(" (%s)", load.Title())
	}
	return sentence + ".", append(parts, Part{"switches counted", ofCount(r.Quality.Switches)})
}

func commandHeadline(r *report.Report) (string, []Part) {
	var t report.Trial // the sum of the command's trials
	for i := range r.Trials {
		t.DurationNS += r.Trials[i].DurationNS
		t.Cores = append(t.Cores, r.Trials[i].Cores...)
	}
	parts := []Part{{"ran", report.Of(float64(t.DurationNS), report.Nanoseconds)}}
	sentence := fmt.Sprintf("The command ran %s, during which the cores switched %s times.",
		parts[0].Value, ofCount(t.Switches()))
	for _, class := range []report.Class{report.ClassThread, report.ClassProcess} {
		if c := t.Class(class); c.Cost.Count > 0 {
			parts = append(parts, Part{classLabel(class) + ", p50", metric.Quantile(c.Cost, 0.5)})
		}
	}
	if share, ok := t.SwitchingShare(); ok {
		parts = append(parts, Part{"of core time in switches", report.Of(100*share, report.Percent)})
	}
	return sentence, append(parts, Part{"switches counted", ofCount(r.Quality.Switches)})
}

// distributionSection explains the distributions.
func distributionSection(r *report.Report) Section {
	s := Section{Title: "Distributions"}
	if len(r.Trials) > 0 {
		whose, over := "a workload", "all rounds and cores"
		if isWatch(r) {
			whose, over = "the system", "all intervals and cores"
		}
		text := fmt.Sprintf("The distribution of %s's times over %s. "+
			"Pick and switch are the two phases of its own switches, a time slice is how long a %s kept a core, "+
			"a wait how long it was runnable but not running. The axis is logarithmic; each step is a bin 6 %% wide, "+
			"%d to a doubling. The plot ends where values are rarer than 1 in 5000; the table has the longest.",
			whose, over, workerOf(r), BinsPerOctave)
		s.Notes = []string{text}
	}
	return s
}

// fairnessSection shows how evenly workers shared the cores.
func fairnessSection(r *report.Report) Section {
	t := newOverviewTable(r, "Fairness and waits", "Medians over rounds, and the longest wait of all rounds. "+
		"A Jain index of 1 means equal shares of CPU time; "+
		"wait is the time in which a task was runnable but not running.")
	t.show("Jain index", metric.Fairness())
	t.show("wait mean", metric.WaitMean())
	t.show("longest wait", metric.LongestWait())
	return t.section()
}
