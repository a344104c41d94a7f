package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// whole returns the load of a workload with one form.
func whole(workload string) metric.Load { return metric.Load{Name: workload} }

// clauses joins what single cases say, as far as they were measured.
func clauses(list []string) string { return strings.Join(list, ", ") }

// faster lets the throughput of threads against processes decide for each load.
func (e *evidence) faster(loads []metric.Load) string {
	var said []string
	for _, l := range loads {
		threads, processes := e.samples(l, report.Threads, metric.Throughput()), e.samples(l, report.Processes, metric.Throughput())
		if f, ok := e.exceeds(l, "", "operations, threads ÷ processes", threads, processes, dearerBy); ok {
			said = append(said, l.Title()+" "+span(f))
		}
	}
	return "operations a second of threads ÷ processes: " + clauses(said)
}

func talking(e *evidence) string {
	return e.faster([]metric.Load{whole("pipe"), whole("socket"), whole("futex"), whole("messaging")})
}

// slicesEach is how many slices a worker had, on average.
func slicesEach() metric.Metric {
	return metric.New("slices a worker", report.Ratio, func(t *report.Trial) (float64, bool) {
		var n uint64
		for i := range t.Workers {
			n += t.Workers[i].Slices
		}
		return float64(n) / float64(max(1, len(t.Workers))), len(t.Workers) > 0
	})
}

// longLived reports whether a load's workers had slices enough, in each mode, for their
// work to be more than their birth.
func (e *evidence) longLived(l metric.Load) bool {
	for _, mode := range []report.Mode{report.Processes, report.Threads} {
		s := e.samples(l, mode, slicesEach())
		if len(s.Values) == 0 || s.Summary().Center < fewSlices {
			return false
		}
	}
	return true
}

func keepingMany(e *evidence) string {
	loads := []metric.Load{whole("messaging")}
	if most, ok := scaled(e.report, math.MaxInt); ok {
		loads = append(loads, most)
	}
	var said []string
	e.group = "work"
	for _, l := range loads {
		d := metric.Compare(e.samples(l, report.Threads, metric.Throughput()), e.samples(l, report.Processes, metric.Throughput()))
		f, ok := e.noteRatio(l, "", "operations, threads ÷ processes", d)
		if !ok {
			continue
		}
		n, but := e.workerCount(l), ""
		switch {
		case n < many:
			but = ", not many"
		case !e.longLived(l):
			but = ", whose lives are mostly births"
		default:
			e.bound(f, dearerBy, unbounded())
		}
		said = append(said, fmt.Sprintf("%s %s (%s%s)", l.Name, span(f), words.Plural(n, "worker"), but))
	}
	if len(said) == 0 {
		return ""
	}
	e.need(len(e.parts) > 0, fmt.Sprintf("needs work of %d workers or more, of %d slices each", many, fewSlices))
	e.group = "memory"
	kind := furtherKinds()[0]
	s := func(m report.Mode) metric.Rounds { return further(e.report, m, kind.bytes) }
	_, ok := e.exceeds(metric.Load{Name: "scale"}, "", kind.name+" of each further worker, processes ÷ threads", s(report.Processes), s(report.Threads), dearerBy)
	e.need(ok, "needs the memory of scale's workers, in two forms or more")
	facts := "operations a second of threads ÷ processes: " + clauses(said)
	if taken := e.furtherMemory(); taken != "" {
		facts += "; each more takes " + taken + " (Go)"
	}
	return facts
}

// scaled returns the variant of scale with the most workers, but at most that many.
func scaled(r *report.Report, workers int) (l metric.Load, ok bool) {
	most := 0
	for _, candidate := range metric.Loads(r) {
		n, err := strconv.Atoi(candidate.Variant)
		if candidate.Name == "scale" && err == nil && n > most && n <= workers {
			l, most = candidate, n
		}
	}
	return l, most > 0
}

func switching(e *evidence) string {
	var said []string
	share := ""
	for _, l := range []metric.Load{whole("pipe"), whole("futex"), whole("yield")} {
		m, floors := metric.CostP50(), 2.0
		if len(e.samples(l, report.Threads, m).Values) == 0 {
			m, floors = metric.SwitchP50(), 1 // a kernel without the hook at pick's start
		}
		clause, ok := e.dearerSwitch(l, m, floors*e.report.Quality.HookFloor().Value)
		if !ok {
			continue
		}
		both := e.record(l, m)
		said = append(said, fmt.Sprintf("%s %s against %s, %s", l.Title(), both[0].Quantity(), both[1].Quantity(), clause))
		share = cmp.Or(share, e.phaseShare(l))
	}
	if e.report.Capture.Switch == "" {
		e.missing = "needs the switch phase, which was not timed: see Hooks under Trust"
	}
	return clauses(said) + share + e.colder()
}

// dearerSwitch lets the ratio of the modes' times of a switch decide, if it says the same
// as it stands and less what the hooks add to both; ok is false where there is none.
func (e *evidence) dearerSwitch(l metric.Load, m metric.Metric, floor float64) (clause string, ok bool) {
	processes, threads := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
	f, ok := e.noteRatio(l, "", m.Name+", processes ÷ threads", metric.Compare(processes, threads))
	if !ok {
		return "", false
	}
	verdict := e.judge(f, dearerBy, unbounded())
	var aside []string
	if interval := undecidedEnds(f); interval != "" {
		aside = append(aside, interval)
	}
	processes, threads = less(processes, floor), less(threads, floor)
	switch {
	case floor <= 0:
	case len(processes.Values) == 0 || len(threads.Values) == 0:
		verdict = report.Inconclusive
		aside = append(aside, "in some round not more than the hook floor")
	default:
		if bare, ok := e.noteRatio(l, "", m.Name+" less the hook floor, processes ÷ threads", metric.Compare(processes, threads)); ok {
			said := fmt.Sprintf("%s × less the hook floor", bare.Quantity())
			if e.judge(bare, dearerBy, unbounded()) != verdict {
				verdict, said = report.Inconclusive, said+", which does not say the same"
			}
			aside = append(aside, said)
		}
	}
	e.decide(verdict, f)
	clause = f.Quantity().String() + " ×"
	if len(aside) > 0 {
		clause += " (" + strings.Join(aside, "; ") + ")"
	}
	return clause, true
}

// less takes an amount from each value; nothing is left where one is not more than it.
func less(s metric.Rounds, amount float64) metric.Rounds {
	out := metric.Rounds{Unit: s.Unit, Round: s.Round}
	for _, v := range s.Values {
		if v <= amount {
			return metric.Rounds{}
		}
		out.Values = append(out.Values, v-amount)
	}
	return out
}

// colder says what a switch costs after its end. It decides nothing: the claim is
// of kernel time.
func (e *evidence) colder() string {
	loads := metric.WorkingSets(e.report)
	if len(loads) == 0 {
		return "; cold caches afterwards are not counted"
	}
	// Half a MiB of two tasks fits into most second-level caches, and not into a
	// first-level one.
	i := max(0, slices.IndexFunc(loads, func(l metric.Load) bool { return strings.HasPrefix(l.Variant, "256 KiB") }))
	figures := e.record(loads[i], metric.CacheRefillCost())
	unsure := func(f report.NamedFigure) bool { return f.Low == nil || *f.Low <= 0 }
	switch {
	case len(figures) == 0:
		return "; cold caches afterwards are not counted"
	case slices.ContainsFunc(figures, unsure):
		return fmt.Sprintf("; what colder caches and TLB cost afterwards, for %s touched, is not told from nothing", loads[i].Variant)
	}
	return fmt.Sprintf("; afterwards, colder caches and TLB cost %s for %s touched", quote(figures), loads[i].Variant)
}

// lifeMean is the mean of one phase of the lives of the tasks that workers created.
func lifeMean(name string, phase func(*report.Created) histogram.Histogram) metric.Metric {
	return metric.New(name, report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if t.Created == nil {
			return 0, false
		}
		return phase(t.Created).Mean()
	})
}

// lifeParts are the parts of a creation that are timed between the kernel's own events.
// They are means, which add up.
func lifeParts() []metric.Metric {
	return []metric.Metric{
		lifeMean("fork to first run mean", func(c *report.Created) histogram.Histogram { return c.Start }),
		lifeMean("first run to exit mean", func(c *report.Created) histogram.Histogram { return c.Run }),
		lifeMean("exit to last switch mean", func(c *report.Created) histogram.Histogram { return c.End }),
	}
}

// besides is what creating and joining a task takes besides its life, absent where the
// join did not wait for the end of that.
func besides() metric.Metric {
	return metric.New("create and join besides mean", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		rest := metric.Creation().Of(t)
		for _, m := range lifeParts() {
			part := m.Of(t)
			rest.Known = rest.Known && part.Known
			rest.Value -= part.Value
		}
		return rest.Value, rest.Known && rest.Value >= 0
	})
}

func creating(e *evidence) string {
	l := whole("spawn")
	m := metric.Creation()
	f, ok := e.exceeds(l, "", m.Name+", processes ÷ threads", e.samples(l, report.Processes, m), e.samples(l, report.Threads, m), dearerBy)
	if !ok {
		return ""
	}
	both := e.record(l, m)
	facts := fmt.Sprintf("to create, run and join one takes %s against %s (%s ×)", both[0].Quantity(), both[1].Quantity(), span(f))
	words := []string{"until it runs", "until its exit", "until its end"}
	var said []string
	for i, part := range lifeParts() {
		if figures := e.record(l, part); len(figures) > 0 {
			said = append(said, quote(figures)+" "+words[i])
		}
	}
	if rest := e.record(l, besides()); len(rest) > 0 && len(said) == len(words) {
		said = append(said, quote(rest)+" in the calls around")
	}
	if len(said) > 0 {
		facts += ", on average " + clauses(said)
	}
	if executed := e.record(metric.Load{Name: "spawn", Variant: "exec"}, m); len(executed) > 0 {
		facts += fmt.Sprintf("; if it executes a program, %s", quote(executed))
	}
	facts += e.otherCreations()
	return facts
}

// crashing lets the fate of the workers beside the one that crashes decide, and
// needs both modes: that the others die is half of the claim.
func crashing(e *evidence) string {
	l, m := whole("crash"), metric.Survivors()
	processes, threads := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
	if len(processes.Values) == 0 || len(threads.Values) == 0 {
		if e.workerCount(l) == 1 {
			e.missing = "needs two workers or more"
		}
		return ""
	}
	live, ok1 := e.inEach(l, report.Processes, m, 100, 100)
	dead, ok2 := e.inEach(l, report.Threads, m, 0, 0)
	if !ok1 || !ok2 {
		return ""
	}
	return fmt.Sprintf("when one of %d dies by SIGSEGV, %s of the other processes live on, and %s of the other threads%s",
		e.workerCount(l), live.Quantity(), dead.Quantity(), exceptions([]report.NamedFigure{live, dead}))
}

// phaseShare says how much of the two modes' difference in cost arises in the
// switch phase, "" where that cannot be told.
func (e *evidence) phaseShare(l metric.Load) string {
	gap := func(m metric.Metric) (float64, bool) {
		p, t := e.samples(l, report.Processes, m), e.samples(l, report.Threads, m)
		if len(p.Values) == 0 || len(t.Values) == 0 {
			return 0, false
		}
		return p.Summary().Center - t.Summary().Center, true
	}
	pick, ok1 := gap(metric.PickP50())
	change, ok2 := gap(metric.SwitchP50())
	// Medians do not add up, and shares of a tiny or mixed gap mean nothing.
	if !ok1 || !ok2 || pick+change <= 0 || change < 0 {
		return ""
	}
	return fmt.Sprintf("; %s of the gap is in the switch phase (%s)", report.Of(min(100, 100*change/(pick+change)), report.Share), l.Title())
}

// lostUpdates is the part of additions to a shared word that were overwritten.
func lostUpdates() metric.Metric {
	return metric.New("updates lost", report.PPM, func(t *report.Trial) (float64, bool) {
		counted, ok := metric.WorkloadFigure(t, "counted")
		if !ok || t.Operations == 0 {
			return 0, false
		}
		return 1e6 * float64(t.Operations-counted) / float64(t.Operations), true
	})
}

func sharing(e *evidence) string {
	bare, atomic, lock := metric.Load{Name: "counter", Variant: "unsynchronised"}, metric.Load{Name: "counter", Variant: "atomic"}, metric.Load{Name: "counter", Variant: "lock"}
	lost := e.within(bare, lostUpdates(), lostPPM, unbounded())
	kept := append(e.always(atomic, lostUpdates(), 0, 0), e.always(lock, lostUpdates(), 0, 0)...)
	if len(lost)+len(kept) == 0 {
		return ""
	}
	facts := fmt.Sprintf("unsynchronised, %s of updates are lost", percentages(lost))
	if len(kept) > 0 {
		most := slices.MaxFunc(worst(kept), func(a, b report.NamedFigure) int { return cmp.Compare(a.Median, b.Median) })
		facts += fmt.Sprintf("; synchronised, %s%s", percentages([]report.NamedFigure{most}), exceptions(kept))
	}
	e.need(len(lost) > 0 && len(kept) > 0, "needs counter in all its forms")
	var price []string
	for _, l := range []metric.Load{atomic, lock} {
		var found []report.NamedFigure
		e.group = "price of " + l.Variant
		for _, mode := range metric.BundledModes(e.report) {
			f, ok := e.exceeds(l, mode, "operations, unsynchronised ÷ "+l.Variant, e.samples(bare, mode, metric.Throughput()), e.samples(l, mode, metric.Throughput()), dearerBy)
			if ok {
				found = append(found, f)
			}
		}
		if len(found) > 0 {
			price = append(price, l.Variant+" "+quoteBy(found, span))
		}
	}
	if len(price) > 0 {
		facts += "; speed without ÷ with: " + clauses(price)
	}
	return facts
}

// percentages quotes parts per million as percent, which readers know better.
func percentages(figures []report.NamedFigure) string {
	scaled := slices.Clone(figures)
	for i := range scaled {
		scaled[i].Median /= 1e4
		scaled[i].Unit = report.Percent
	}
	return quote(scaled)
}
