package report

import "fmt"

// Page is a report made ready to be looked at: a headline, and exhibits in the
// order in which they are shown. Its figures are those of Overview and Summarize.
type Page struct {
	// Headline says the most important result in a sentence.
	Headline string
	// Highlights are the figures that belong at the top.
	Highlights []Part
	// Summary has the alert, the fingerprint, the subject and the warnings, but
	// no sections: the exhibits are those.
	Summary  *Summary
	Exhibits []Exhibit
	// Distributions are shown with the exhibit "distributions".
	Distributions []LoadDistributions
	// More are the sections with every figure of every workload.
	More []Section
}

// Exhibit is a section with a name for links and the chart that shows it.
type Exhibit struct {
	Name string
	Section
	Chart *Chart
}

// Page computes a report's page.
func (r *Report) Page() *Page {
	p := &Page{Summary: r.summaryOf(nil), Distributions: r.distributions()}
	p.Headline, p.Highlights = r.headline()
	bundled := len(r.bundledModes()) > 0
	costs := r.switchSection(bundled)
	p.show("cost", costs, costChart(costs))
	p.show("distributions", r.distributionSection(), nil)
	if bundled {
		loads := r.newBrief("", "").loads
		p.show("work", r.workSection(), r.ratioChart(loads, throughput()))
		p.show("fairness", r.fairnessSection(), r.modesChart(loads, longestWait()))
		p.show("findings", r.findingSection(false), nil)
		p.show("choice", r.choiceSection(), nil)
		p.more(r.costSection(), r.aftermathSection(), r.waitSection(), r.switchSection(false), r.sliceSection(), r.modeSection())
	} else {
		p.show("slices", r.sliceSection(), nil)
		for _, load := range r.loads() {
			p.show("tasks", r.taskSection(load), nil)
		}
		p.show("whole", r.modeSection(), nil)
	}
	p.show("trust", r.trustSection(), nil)
	return p
}

// show adds a section that has something to show.
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

// headline says what a switch costs, or for a command what it did.
func (r *Report) headline() (string, []Part) {
	if len(r.bundledModes()) == 0 {
		return r.commandHeadline()
	}
	cost := func(class Class) Quantity {
		all := sum(pools(r.bundledTrials(class.mode()), class)).stats
		if all.Cost.Count > 0 {
			return quantile(all.Cost, 0.5)
		}
		return quantile(all.Switch, 0.5)
	}
	what := "A context switch costs"
	if r.Capture.Pick == "" {
		what = "The switch phase of a context switch takes"
	}
	threads, processes := cost(ClassThread), cost(ClassProcess)
	var parts []Part
	sentence := "What a context switch costs here is not known: the report has none that was timed"
	switch {
	case threads.Known && processes.Known:
		sentence = fmt.Sprintf("%s %s between threads and %s between processes", what, threads, processes)
	case threads.Known:
		sentence = fmt.Sprintf("%s %s between threads", what, threads)
	case processes.Known:
		sentence = fmt.Sprintf("%s %s between processes", what, processes)
	}
	if threads.Known {
		parts = append(parts, Part{"thread → thread, p50", threads})
	}
	if processes.Known {
		parts = append(parts, Part{"process → process, p50", processes})
	}
	for _, v := range []Verdict{Supported, Contradicted, Inconclusive} {
		n := 0
		for _, f := range r.Findings {
			if f.Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, Part{v.mark() + " claims " + string(v), ofCount(n)})
		}
	}
	return sentence + ".", append(parts, Part{"switches counted", ofCount(r.Quality.Switches)})
}

func (r *Report) commandHeadline() (string, []Part) {
	var t Trial // what all of the command's trials did
	for i := range r.Trials {
		t.DurationNS += r.Trials[i].DurationNS
		t.Cores = append(t.Cores, r.Trials[i].Cores...)
	}
	parts := []Part{{"ran", Of(float64(t.DurationNS), Nanoseconds)}}
	sentence := fmt.Sprintf("The command ran %s, and the cores switched %s times meanwhile.", parts[0].Value, ofCount(t.Switches()))
	for _, class := range []Class{ClassThread, ClassProcess} {
		if c := t.Class(class); c.Cost.Count > 0 {
			parts = append(parts, Part{class.label() + ", p50", quantile(c.Cost, 0.5)})
		}
	}
	if share, ok := t.SwitchingShare(); ok {
		parts = append(parts, Part{"of core time in switches", Of(100*share, Percent)})
	}
	return sentence, append(parts, Part{"switches counted", ofCount(r.Quality.Switches)})
}

// distributionSection only says what the distributions are.
func (r *Report) distributionSection() Section {
	s := Section{Title: "Distributions"}
	if len(r.Trials) > 0 {
		s.Notes = []string{"How a workload's times spread, over all rounds and cores: pick and switch are the two phases of its own switches, " +
			"a time slice is how long a worker kept a core, a wait how long it was ready to run and did not. " +
			fmt.Sprintf("Time is on a logarithmic axis; a step is a bin 6 %% wide, %d to a doubling. The view ends where values are rarer than 1 in 5000; the table has the longest.", BinsPerOctave)}
	}
	return s
}

// fairnessSection shows how evenly workers were served.
func (r *Report) fairnessSection() Section {
	b := r.newBrief("Fairness and waits", "Medians over rounds, but for the longest wait. A Jain index of 1 is an even share of CPU time; wait is the time runnable but not running.")
	b.show("Jain index", fairness())
	b.show("wait mean", waitMean())
	b.show("longest wait", longestWait())
	return b.section()
}
