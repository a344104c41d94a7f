package view

import "github.com/slicetrace/slicetrace/report"

// walks returns how long a worker took to go through its memory after a switch, and how
// long it takes without one: in nanoseconds, of a walk through dependent loads their
// medians, without a switch as one worker alone has it that walks through all workers'
// buffers. Reports of an earlier version have means, of touches that did not depend on
// each other, and as time without a switch that of a second pass after the first.
func walks(t *report.Trial) (after, alone float64, ok bool) {
	switched, ok1 := figure(t, "walk_switched_p50_ns") // a sum over workers
	single, ok2 := figure(t, "walk_alone_p50_ns")
	if ok1 && ok2 && len(t.Workers) > 0 {
		return float64(switched) / float64(len(t.Workers)), float64(single), true
	}
	first, ok1 := figure(t, "first_pass_ns")
	second, ok2 := figure(t, "second_pass_ns")
	if !ok1 || !ok2 || t.Operations == 0 {
		return 0, 0, false
	}
	turns := float64(t.Operations)
	return float64(first) / turns, float64(second) / turns, true
}

// walkAfter is how long a worker takes to go through its memory after a switch, in nanoseconds.
func walkAfter() metric {
	return figureOf("going through memory after a switch", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		after, _, ok := walks(t)
		return after, ok
	})
}

// walkAlone is the same without a switch, in nanoseconds.
func walkAlone() metric {
	return figureOf("going through memory without a switch", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		_, alone, ok := walks(t)
		return alone, ok
	})
}

// aftermathSection shows what a switch costs after its end. With and without a switch
// are of the same trial, and compared round by round: ~ where they are alike.
func aftermathSection(r *report.Report) Section {
	b := newBrief(r, "After a switch", "How long a worker takes to go through its memory without a switch, and how many times as long after one "+
		"(colder caches, TLB) in the same round; ~ where alike. Two workers unless said.")
	b.of(workingsets(r))
	b.s.Columns[0].Name = "workingset"
	for i, l := range b.loads {
		b.cells[i][0] = textCell(l.variant)
	}
	b.show("without a switch", walkAlone())
	for i, mode := range b.modes {
		heading := string(mode)
		if i == 0 {
			heading = "after one\n" + heading
		}
		b.column(heading, false, func(l load) Cell {
			trials := trialsOf(r, l, mode)
			return compareCells(sampleRounds(trials, walkAfter()), sampleRounds(trials, walkAlone()), b.notes)[0]
		})
	}
	b.show("longer by", aftermath())
	return b.section()
}
