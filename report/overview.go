package report

// Overview computes what a reader of the report wants to see first: of bundled
// work the figures that matter and what they mean. A command's is Summarize.
func (r *Report) Overview() *Summary {
	if len(r.bundledModes()) == 0 {
		return r.Summarize()
	}
	return r.summaryOf([]Section{
		r.switchSection(true), r.workSection(), r.costSection(), r.waitSection(),
		r.findingSection(true), r.choiceSection(), r.trustDigest(),
	})
}

// workSection shows what each workload got done.
func (r *Report) workSection() Section {
	b := r.newBrief("Work done", "Medians over rounds. Ratio: processes ÷ threads, ± the wider side of its 95 % interval; "+
		"~ where the Mann-Whitney test sees no difference (p > 0.05). Parallelism is how many workers ran at once.")
	b.compare("operations", throughput(), true)
	b.show("parallelism", parallelism())
	b.s.Notes = roundNotes(b.notes)
	return b.section()
}

// costSection shows what each workload's own switches cost, on all cores together.
func (r *Report) costSection() Section {
	b := r.newBrief("Switches of each workload", "On all cores together. Core time is the share of it that went into switches of any kind.")
	b.compare("switch phase p50", switchP50(), false)
	b.compare("cost p50", costP50(), false)
	b.show("core time", switchingTime())
	return b.section()
}

// waitSection shows how long workers kept a core and waited for it.
func (r *Report) waitSection() Section {
	b := r.newBrief("Time slices and waits", "Slice: switch-in to switch-out. Wait: runnable, not running. Concurrency: workers that ran or waited.")
	b.show("slice p50", sliceP50())
	b.column("mostly ended by", true, func(l load) Cell {
		var trials []*Trial
		for _, m := range l.modes {
			trials = append(trials, r.trialsOf(l, m)...)
		}
		_, causes := sliceLengths(trials)
		return causeCell(causes, 1)
	})
	b.show("longest wait", longestWait())
	b.show("concurrency", concurrency())
	return b.section()
}

// brief builds a table with a row for each load and columns for each metric and mode.
type brief struct {
	report *Report
	modes  []Mode
	loads  []load
	notes  map[string]bool
	s      Section
	cells  []Row
}

func (r *Report) newBrief(title, caption string) *brief {
	b := &brief{report: r, modes: r.bundledModes(), loads: r.loads(), notes: map[string]bool{}}
	b.s = Section{Title: title, Caption: caption}
	b.cells = make([]Row, len(b.loads))
	b.column("workload", true, func(l load) Cell { return textCell(l.title()) })
	return b
}

func (b *brief) column(name string, text bool, of func(load) Cell) {
	b.s.Columns = append(b.s.Columns, Column{Name: name, Text: text})
	for i, l := range b.loads {
		b.cells[i] = append(b.cells[i], of(l))
	}
}

// show adds a metric's median in each mode.
func (b *brief) show(name string, m metric) {
	for i, mode := range b.modes {
		heading := string(mode)
		if i == 0 {
			heading = name + "\n" + heading
		}
		b.column(heading, false, func(l load) Cell {
			c := sampleRounds(b.report.trialsOf(l, mode), m).cell(b.notes)
			c.Spread = Quantity{} // the ratio's says enough; Summarize has each
			return c
		})
	}
}

// compare adds a metric in each mode and, of two, their ratio, with its spread if asked.
func (b *brief) compare(name string, m metric, spread bool) {
	b.show(name, m)
	if len(b.modes) < 2 {
		return
	}
	b.column("ratio", false, func(l load) Cell {
		processes := sampleRounds(b.report.trialsOf(l, Processes), m)
		threads := sampleRounds(b.report.trialsOf(l, Threads), m)
		c := compareCells(processes, threads, b.notes)[0]
		if !spread {
			c.Spread = Quantity{}
		}
		return c
	})
}

func (b *brief) section() Section {
	b.s.Groups = []Group{{Rows: b.cells}}
	return b.s
}
