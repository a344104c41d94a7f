package report

import (
	"fmt"
	"math"
	"slices"
)

// oneCore is the load that most claims about time slices are answered by.
func oneCore() load { return load{name: "spin", variant: "one core"} }

// ofWorkers is the concurrency for each worker: 1 when all were in progress all the time.
func ofWorkers() metric {
	return figureOf("concurrency ÷ workers", Ratio, func(t *Trial) (float64, bool) {
		n, ok := t.Concurrency()
		return n / float64(len(t.Workers)), ok && len(t.Workers) > 0
	})
}

// advanced is the part of the workers from the first on that completed an operation.
func advanced(first int) metric {
	return figureOf("workers that advanced", Percent, func(t *Trial) (float64, bool) {
		if len(t.Workers) <= first {
			return 0, false
		}
		n := 0
		for _, w := range t.Workers[first:] {
			if w.Operations > 0 {
				n++
			}
		}
		return 100 * float64(n) / float64(len(t.Workers)-first), true
	})
}

// workerCount quotes how many workers a load's trials had.
func (e *evidence) workerCount(l load) int {
	for i := range e.report.Trials {
		if t := &e.report.Trials[i]; t.Workload == l.name && t.Variant == l.variant {
			return len(t.Workers)
		}
	}
	return 0
}

// cores is how many cores the workers could run on.
func (r *Report) cores() int { return len(r.Setup.CPUs) }

// starved says in how many rounds a worker did not advance, "" for none.
func starved(figures []NamedFigure) string {
	if broken := exceptions(figures); broken != "" {
		return "; all advanced" + broken
	}
	return ""
}

// twoCores reports whether there are two cores, and else why there is no evidence.
func (e *evidence) twoCores() bool {
	if e.report.cores() < 2 {
		e.missing = "needs two cores that workers may use"
		return false
	}
	return true
}

func interleaving(e *evidence) string {
	l := oneCore()
	ran := e.within(l, parallelism(), 0, alone)
	e.within(l, ofWorkers(), inProgress, unbounded())
	all := e.always(l, advanced(0), 100, 100)
	return fmt.Sprintf("of %d workers %s ran at a time, %s were in progress%s", e.workerCount(l), quote(ran), quote(e.record(l, concurrency())), starved(all))
}

func overlapping(e *evidence) string {
	one, many := load{name: "sleep", variant: "one"}, load{name: "sleep", variant: "many"}
	var gain []NamedFigure
	for _, mode := range e.report.bundledModes() {
		f, ok := e.exceeds(many, mode, "operations, many ÷ one", e.samples(many, mode, throughput()), e.samples(one, mode, throughput()), overlapBy)
		if ok {
			gain = append(gain, f)
		}
	}
	return fmt.Sprintf("%d sleepers got %s × the work of one done, at a parallelism of %s", e.workerCount(many), quote(gain), quote(e.record(many, parallelism())))
}

func scaling(e *evidence) string {
	if !e.twoCores() {
		return ""
	}
	one, some := e.report.scaled(1)
	most, more := e.report.scaled(e.report.cores())
	if !some || !more || most.variant == one.variant {
		return ""
	}
	n := float64(e.workerCount(most))
	var speedup []NamedFigure
	for _, mode := range e.report.bundledModes() {
		ratio := compare(e.samples(most, mode, throughput()), e.samples(one, mode, throughput()))
		if f, ok := e.noteRatio(most, mode, "speed-up over 1 worker", ratio); ok {
			e.bound(f, efficient*n, unbounded())
			speedup = append(speedup, f)
		}
	}
	return fmt.Sprintf("%.0f workers on %d cores are %s × as fast as one", n, e.report.cores(), quote(speedup))
}

func running(e *evidence) string {
	if !e.twoCores() {
		return ""
	}
	all, one := whole("spin"), oneCore()
	ratio := func(m metric, least, most float64) (out []NamedFigure) {
		for _, mode := range e.report.bundledModes() {
			d := compare(e.samples(all, mode, m), e.samples(one, mode, m))
			if f, ok := e.noteRatio(all, mode, m.name+", all cores ÷ one core", d); ok {
				e.bound(f, least, most)
				out = append(out, f)
			}
		}
		return out
	}
	ran := ratio(parallelism(), parallelBy, unbounded())
	held := ratio(concurrency(), 0.9, 1.1)
	return fmt.Sprintf("%d workers on %d cores instead of one: parallelism %s ×, concurrency %s ×", e.workerCount(all), e.report.cores(), quote(ran), quote(held))
}

func slicing(e *evidence) string {
	l := oneCore()
	typical := e.within(l, sliceP50(), shortestNS, unbounded())
	long := e.within(l, sliceQuantile("time slice p99", 0.99), 0, noticeableNS)
	return fmt.Sprintf("half of the slices last up to %s, 99 %% up to %s", quote(typical), quote(long))
}

// weight is the kernel's share weight of a nice level: sched_prio_to_weight is
// this formula, rounded.
func weight(nice int) float64 { return 1024 / math.Pow(1.25, float64(nice)) }

// weightedFairness is Jain's index of CPU time divided by weight.
func weightedFairness() metric {
	return figureOf("fairness by weight (Jain index)", Index, func(t *Trial) (float64, bool) {
		weighted := Trial{Workers: slices.Clone(t.Workers)}
		for i := range weighted.Workers {
			w := &weighted.Workers[i]
			w.OnCPUNS = int64(float64(w.OnCPUNS) * weight(0) / weight(w.Nice))
		}
		return weighted.JainIndex()
	})
}

func sharingCore(e *evidence) string {
	even := e.within(oneCore(), fairness(), fairIndex, 1)
	weighted := e.within(load{name: "spin", variant: "nice"}, weightedFairness(), fairIndex, 1)
	return fmt.Sprintf("Jain index %s of equals, %s by weight under nice (1 is even)", quote(even), quote(weighted))
}

// firstsWait is the wait of worker 0: the longest, or the mean over its slices.
func firstsWait(name string, of func(w *Worker) (float64, bool)) metric {
	return figureOf(name, Nanoseconds, func(t *Trial) (float64, bool) {
		if len(t.Workers) == 0 {
			return 0, false
		}
		return of(&t.Workers[0])
	})
}

// sleepersWait is how long the interactive worker waited for its core, on average.
func sleepersWait() metric {
	return firstsWait("sleeper's wait mean", func(w *Worker) (float64, bool) {
		return float64(w.WaitNS) / float64(max(1, w.Slices)), w.Slices > 0
	})
}

func monopoly(e *evidence) string {
	l := whole("interactive")
	longest := e.always(l, firstsWait("sleeper's longest wait", func(w *Worker) (float64, bool) { return float64(w.WaitMaxNS), true }), -unbounded(), noticeableNS)
	all := e.always(l, advanced(1), 100, 100)
	return fmt.Sprintf("beside %d CPU hogs a sleeper waits %s on average, %s at the longest%s%s", e.workerCount(l)-1,
		quote(e.record(l, sleepersWait())), quote(worst(longest)), exceptions(longest), starved(all))
}

// endedByTick is the part of workers' slices that the timer ended.
func endedByTick() metric {
	return figureOf("slices ended by tick", Percent, func(t *Trial) (float64, bool) {
		length, causes := sliceLengths([]*Trial{t})
		return 100 * float64(causes.Tick) / float64(max(1, length.Count)), length.Count > 0
	})
}

// switchedByTick is how many of the ticks that interrupted work on the workers'
// busiest core made a worker lose it.
func switchedByTick() metric {
	return figureOf("ticks that switched", Percent, func(t *Trial) (float64, bool) {
		c := t.busiest()
		if c == nil || c.BusyTicks == nil || *c.BusyTicks == 0 {
			return 0, false
		}
		_, causes := sliceLengths([]*Trial{t})
		return 100 * float64(causes.Tick) / float64(*c.BusyTicks), true
	})
}

func tickRate() metric {
	return figureOf("busiest core's ticks", PerSecond, func(t *Trial) (float64, bool) {
		c := t.busiest()
		if c == nil || c.Ticks == nil {
			return 0, false
		}
		return perDuration(1e9*float64(*c.Ticks), c.WallNS)
	})
}

// busiest returns the core on which workers ran longest, nil if there is none.
func (t *Trial) busiest() *Core {
	var best *Core
	for i := range t.Cores {
		if c := &t.Cores[i]; best == nil || c.WorkersNS > best.WorkersNS {
			best = c
		}
	}
	return best
}

func ticking(e *evidence) string {
	if e.report.Capture.Tick == "" {
		e.missing = "needs the timer's tracepoint, which this kernel does not offer: slicetrace check"
		return ""
	}
	l := oneCore()
	ended := e.within(l, endedByTick(), mostlyTick, 100)
	lone := e.within(load{name: "spin", variant: "alone"}, switchedByTick(), 0, seldomTick)
	return fmt.Sprintf("the busy core ticks %s; %s of competing tasks' slices end by a tick; of a lone task's ticks %s end its slice", quote(e.record(l, tickRate())), quote(ended), quote(lone))
}

// rotation is how long it takes until a worker has its next turn: its wait and its slice.
func rotation() metric {
	return figureOf("rotation", Nanoseconds, func(t *Trial) (float64, bool) {
		wait, ok := t.Wait().Mean()
		length, _ := sliceLengths([]*Trial{t})
		slice, ok2 := length.Mean()
		return wait + slice, ok && ok2
	})
}

func rotating(e *evidence) string {
	l := oneCore()
	period := e.within(l, rotation(), 0, noticeableNS)
	return fmt.Sprintf("%d workers on one core have their turn every %s, for %s each", e.workerCount(l), quote(period), quote(e.record(l, sliceP50())))
}
