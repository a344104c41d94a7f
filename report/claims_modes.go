package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// whole returns the load of a workload with one form.
func whole(workload string) load { return load{name: workload} }

// clauses joins what single cases say, as far as they were measured.
func clauses(list []string) string { return strings.Join(list, ", ") }

// faster lets the throughput of threads against processes decide for each load.
func (e *evidence) faster(loads []load) string {
	var said []string
	for _, l := range loads {
		threads, processes := e.samples(l, Threads, throughput()), e.samples(l, Processes, throughput())
		if f, ok := e.exceeds(l, "", "operations, threads ÷ processes", threads, processes, dearerBy); ok {
			said = append(said, l.title()+" "+f.Quantity().String())
		}
	}
	return "operations a second of threads ÷ processes: " + clauses(said)
}

func talking(e *evidence) string {
	return e.faster([]load{whole("pipe"), whole("socket"), whole("futex"), whole("messaging")})
}

func keepingMany(e *evidence) string {
	loads := []load{whole("messaging")}
	if most, ok := e.report.scaled(math.MaxInt); ok {
		loads = append(loads, most)
	}
	facts := e.faster(loads)
	if clause, ok := e.moreMemory(loads[len(loads)-1], memoryPSS()); ok {
		facts += "; a worker's " + clause
	}
	return facts
}

// scaled returns the variant of scale with the most workers, but at most that many.
func (r *Report) scaled(workers int) (l load, ok bool) {
	most := 0
	for _, candidate := range r.loads() {
		n, err := strconv.Atoi(candidate.variant)
		if candidate.name == "scale" && err == nil && n > most && n <= workers {
			l, most = candidate, n
		}
	}
	return l, most > 0
}

func switching(e *evidence) string {
	var said []string
	share := ""
	for _, l := range []load{whole("pipe"), whole("futex"), whole("yield")} {
		m := costP50()
		if len(e.samples(l, Threads, m).values) == 0 {
			m = switchP50() // a kernel without the hook at pick's start
		}
		processes, threads := e.samples(l, Processes, m), e.samples(l, Threads, m)
		f, ok := e.exceeds(l, "", m.name+", processes ÷ threads", processes, threads, dearerBy)
		if !ok {
			continue
		}
		both := e.record(l, m)
		said = append(said, fmt.Sprintf("%s %s against %s (%s ×)", l.title(), both[0].Quantity(), both[1].Quantity(), f.Quantity()))
		share = cmp.Or(share, e.phaseShare(l))
	}
	if e.report.Capture.Switch == "" {
		e.missing = "needs the switch phase, which was not timed: see Hooks under Trust"
	}
	return clauses(said) + share + e.colder()
}

// colder says what a switch costs after its end. It decides nothing: the claim is
// of kernel time.
func (e *evidence) colder() string {
	loads := e.report.workingsets()
	if len(loads) == 0 {
		return "; cold caches afterwards are not counted"
	}
	// Half a MiB of two tasks fits into most second-level caches, and not into a
	// first-level one.
	i := max(0, slices.IndexFunc(loads, func(l load) bool { return strings.HasPrefix(l.variant, "256 KiB") }))
	return fmt.Sprintf("; afterwards, colder caches and TLB cost %s for %s touched", quote(e.record(loads[i], aftermath())), loads[i].variant)
}

// workingsets returns the forms of the workload that looks at what follows a switch.
func (r *Report) workingsets() []load {
	return slices.DeleteFunc(r.loads(), func(l load) bool { return !ofWorkingset(l) })
}

func ofWorkingset(l load) bool { return l.name == "workingset" }

// owning lets the memory of the most workers on record decide.
func owning(e *evidence) string {
	loads := e.report.workingsets()
	if len(loads) == 0 {
		return ""
	}
	l := slices.MaxFunc(loads, func(a, b load) int { return cmp.Compare(e.workerCount(a), e.workerCount(b)) })
	var said []string
	for _, m := range []metric{memoryPSS(), memoryPrivate(), pageTables()} {
		if clause, ok := e.moreMemory(l, m); ok {
			said = append(said, clause)
		}
	}
	if len(said) == 0 {
		e.missing = "needs /proc/PID/smaps_rollup, which could not be read: run it as root"
		return ""
	}
	return fmt.Sprintf("each of %d has %s", e.workerCount(l), clauses(said))
}

func creating(e *evidence) string {
	l := whole("spawn")
	m := creation()
	f, ok := e.exceeds(l, "", m.name+", processes ÷ threads", e.samples(l, Processes, m), e.samples(l, Threads, m), dearerBy)
	if !ok {
		return ""
	}
	both := e.record(l, m)
	facts := fmt.Sprintf("to create, run and join one takes %s against %s (%s ×), of it from fork to first run %s, from exit to last switch %s",
		both[0].Quantity(), both[1].Quantity(), f.Quantity(), quote(e.record(l, startP50())), quote(e.record(l, endP50())))
	if executed := e.record(load{name: "spawn", variant: "exec"}, m); len(executed) > 0 {
		facts += fmt.Sprintf("; a fork that executes a program, %s", quote(executed))
	}
	facts += e.otherCreations()
	return facts
}

// crashing lets the fate of the workers beside the one that crashes decide, and
// needs both modes: that the others die is half of the claim.
func crashing(e *evidence) string {
	l, m := whole("crash"), outlived()
	processes, threads := e.samples(l, Processes, m), e.samples(l, Threads, m)
	if len(processes.values) == 0 || len(threads.values) == 0 {
		if e.workerCount(l) == 1 {
			e.missing = "needs two workers or more"
		}
		return ""
	}
	live, ok1 := e.inEach(l, Processes, m, 100, 100)
	dead, ok2 := e.inEach(l, Threads, m, 0, 0)
	if !ok1 || !ok2 {
		return ""
	}
	return fmt.Sprintf("when one of %d dies by SIGSEGV, %s of the other processes live on, and %s of the other threads%s",
		e.workerCount(l), live.Quantity(), dead.Quantity(), exceptions([]NamedFigure{live, dead}))
}

// moreMemory lets the memory of processes against threads decide.
func (e *evidence) moreMemory(l load, m metric) (clause string, ok bool) {
	f, ok := e.exceeds(l, "", m.name+", processes ÷ threads", e.samples(l, Processes, m), e.samples(l, Threads, m), dearerBy)
	if !ok {
		return "", false
	}
	both := e.record(l, m)
	return fmt.Sprintf("%s %s and %s (%s ×)", strings.TrimSuffix(m.name, " a worker"), both[0].Quantity(), both[1].Quantity(), f.Quantity()), true
}

// phaseShare says how much of the two modes' difference in cost arises in the
// switch phase, "" where that cannot be told.
func (e *evidence) phaseShare(l load) string {
	gap := func(m metric) (float64, bool) {
		p, t := e.samples(l, Processes, m), e.samples(l, Threads, m)
		if len(p.values) == 0 || len(t.values) == 0 {
			return 0, false
		}
		return p.summary().Center - t.summary().Center, true
	}
	pick, ok1 := gap(pickP50())
	change, ok2 := gap(switchP50())
	// Medians do not add up, and shares of a tiny or mixed gap mean nothing.
	if !ok1 || !ok2 || pick+change <= 0 || change < 0 {
		return ""
	}
	return fmt.Sprintf("; %s of the gap is in the switch phase (%s)", Of(min(100, 100*change/(pick+change)), Share), l.title())
}

// lostUpdates is the part of additions to a shared word that were overwritten.
func lostUpdates() metric {
	return figureOf("updates lost", PPM, func(t *Trial) (float64, bool) {
		counted, ok := t.figure("counted")
		if !ok || t.Operations == 0 {
			return 0, false
		}
		return 1e6 * float64(t.Operations-counted) / float64(t.Operations), true
	})
}

func sharing(e *evidence) string {
	bare, atomic, lock := load{name: "counter", variant: "unsynchronised"}, load{name: "counter", variant: "atomic"}, load{name: "counter", variant: "lock"}
	lost := e.within(bare, lostUpdates(), lostPPM, unbounded())
	kept := append(e.always(atomic, lostUpdates(), 0, 0), e.always(lock, lostUpdates(), 0, 0)...)
	facts := fmt.Sprintf("unsynchronised, %s of updates are lost", percentages(lost))
	if len(kept) > 0 {
		most := slices.MaxFunc(worst(kept), func(a, b NamedFigure) int { return cmp.Compare(a.Median, b.Median) })
		facts += fmt.Sprintf("; synchronised, %s%s", percentages([]NamedFigure{most}), exceptions(kept))
	}
	var price []string
	for _, l := range []load{atomic, lock} {
		var found []NamedFigure
		for _, mode := range e.report.bundledModes() {
			slower := compare(e.samples(bare, mode, throughput()), e.samples(l, mode, throughput()))
			if f, ok := e.noteRatio(l, mode, "operations, unsynchronised ÷ "+l.variant, slower); ok {
				found = append(found, f)
			}
		}
		if len(found) > 0 {
			price = append(price, l.variant+" "+quote(found))
		}
	}
	if len(price) > 0 {
		facts += "; speed without ÷ with: " + clauses(price)
	}
	return facts
}

// percentages quotes parts per million as percent, which readers know better.
func percentages(figures []NamedFigure) string {
	scaled := slices.Clone(figures)
	for i := range scaled {
		scaled[i].Median /= 1e4
		scaled[i].Unit = Percent
	}
	return quote(scaled)
}

func choosing(e *evidence) string {
	favours := e.report.favours()
	decided := map[Mode][]string{}
	var first *favour
	undecided := false
	for i := range favours {
		f := &favours[i]
		if !f.decided {
			undecided = true
			continue
		}
		if first == nil || first.mode == "" {
			first = f
		}
		decided[f.mode] = append(decided[f.mode], f.load.title())
	}
	if len(favours) < 2 || first == nil {
		if len(favours) > 0 {
			e.missing = "needs two kinds of work in both modes: slicetrace run pipe spin"
		}
		return ""
	}
	verdict := Contradicted
	switch {
	case len(decided) > 1:
		verdict = Supported
	case undecided:
		verdict = Inconclusive
	}
	if figure, ok := e.noteRatio(first.load, "", first.metric.name+", ratio of the modes", first.by); ok {
		e.decide(verdict, figure)
	}
	var said []string
	for _, m := range []Mode{Threads, Processes, ""} {
		name := string(m)
		if m == "" {
			name = "neither mode"
		}
		if len(decided[m]) > 0 {
			said = append(said, fmt.Sprintf("%s for %s", name, strings.Join(decided[m], ", ")))
		}
	}
	return strings.Join(said, "; ")
}
