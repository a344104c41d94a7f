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
	return e.faster(loads)
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
	return clauses(said) + share + "; cold caches afterwards are not counted"
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
		i := slices.IndexFunc(t.Figures, func(f Figure) bool { return f.Name == "counted" })
		if i < 0 || t.Operations == 0 {
			return 0, false
		}
		return 1e6 * float64(t.Operations-t.Figures[i].Value) / float64(t.Operations), true
	})
}

func sharing(e *evidence) string {
	bare, atomic, lock := load{name: "counter", variant: "unsynchronised"}, load{name: "counter", variant: "atomic"}, load{name: "counter", variant: "lock"}
	lost := e.within(bare, lostUpdates(), lostPPM, unbounded())
	kept := append(e.within(atomic, lostUpdates(), 0, 0), e.within(lock, lostUpdates(), 0, 0)...)
	facts := fmt.Sprintf("unsynchronised, %s of updates are lost", percentages(lost))
	if len(kept) > 0 {
		worst := slices.MaxFunc(kept, func(a, b NamedFigure) int { return cmp.Compare(a.Median, b.Median) })
		facts += fmt.Sprintf("; synchronised, %s", percentages([]NamedFigure{worst}))
	}
	var price []string
	for _, l := range []load{atomic, lock} {
		var found []NamedFigure
		for _, mode := range e.report.bundledModes() {
			slower := e.samples(bare, mode, throughput()).over(e.samples(l, mode, throughput()))
			if f, ok := e.note(l, mode, "operations, unsynchronised ÷ "+l.variant, slower); ok {
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
	if figure, ok := e.note(first.load, "", first.metric.name+", ratio of the modes", first.ratios); ok {
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
