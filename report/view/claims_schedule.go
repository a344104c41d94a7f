package view

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// oneCore is the load that most claims about time slices are answered by.
func oneCore() metric.Load { return metric.Load{Name: "spin", Variant: "one core"} }

// turns is how many slices the worker with the fewest had.
func turns() metric.Metric {
	return metric.New("fewest slices of a worker", report.Count, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) == 0 {
			return 0, false
		}
		fewest := t.Workers[0].Slices
		for _, w := range t.Workers {
			fewest = min(fewest, w.Slices)
		}
		return float64(fewest), longEnough(t)
	})
}

// longEnough reports whether the trial lasted for two rounds of all workers, with slices
// as long as they had, or with the longest that is still bounded: in a shorter
// trial, a worker without a turn may just not have had it yet.
func longEnough(t *report.Trial) bool {
	var ran float64
	var n uint64
	for i := range t.Workers {
		ran += float64(t.Workers[i].OnCPUNS)
		n += t.Workers[i].Slices
	}
	return n > 0 && float64(t.DurationNS) >= 2*float64(len(t.Workers))*min(ran/float64(n), longestTurnNS)
}

// advanced is the part of the workers that completed an operation.
func advanced() metric.Metric {
	return partOfWorkers("workers that advanced", 0, func(w *report.Worker) bool { return w.Operations > 0 })
}

// hogsRan is the part of the workers but the first that had a core. What they do there is
// no operation of theirs.
func hogsRan() metric.Metric {
	return partOfWorkers("hogs that ran", 1, func(w *report.Worker) bool { return w.OnCPUNS > 0 })
}

// partOfWorkers is the part, of the workers from the first on, of which something holds.
func partOfWorkers(name string, first int, holds func(*report.Worker) bool) metric.Metric {
	return metric.New(name, report.Percent, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) <= first || !longEnough(t) {
			return 0, false
		}
		n := 0
		for i := range t.Workers[first:] {
			if holds(&t.Workers[first+i]) {
				n++
			}
		}
		return 100 * float64(n) / float64(len(t.Workers)-first), true
	})
}

// workerCount quotes how many workers a load's trials had.
func (e *evidence) workerCount(l metric.Load) int {
	for i := range e.report.Trials {
		if t := &e.report.Trials[i]; t.Workload == l.Name && t.Variant == l.Variant {
			return len(t.Workers)
		}
	}
	return 0
}

// usableCores is how many cores the workers could run on.
func usableCores(r *report.Report) int { return len(r.Setup.CPUs) }

// starvedWords says in how many rounds a worker did not advance, "" for none.
func starvedWords(figures []report.NamedFigure, what string) string {
	if broken := exceptions(figures); broken != "" {
		return "; " + what + broken
	}
	return ""
}

// twoCores reports whether there are two cores, and else why there is no evidence.
func (e *evidence) twoCores() bool {
	if usableCores(e.report) < 2 {
		e.missing = "needs two cores that workers may use"
		return false
	}
	return true
}

// interleaving lets turns decide. That one worker ran at a time, and that all the others
// waited, follows from there being one core and from none ever blocking.
func interleaving(e *evidence) string {
	l := oneCore()
	all := e.always(l, advanced(), 100, 100)
	had := e.always(l, turns(), leastTurns, unbounded())
	if len(all)+len(had) == 0 {
		e.missing = tooShort(e, l)
		return ""
	}
	e.record(l, metric.Parallelism())
	e.record(l, metric.Concurrency())
	return fmt.Sprintf("each of %d workers had %s turns or more%s%s", e.workerCount(l), extreme(had, true).Quantity(),
		starvedWords(all, "all advanced"), starvedWords(had, "each had two turns"))
}

// tooShort is why a load that ran decides nothing, "" if it did not run.
func tooShort(e *evidence, l metric.Load) string {
	if e.workerCount(l) == 0 {
		return ""
	}
	return "the trials are too short to tell: ask for a longer --duration"
}

func overlapping(e *evidence) string {
	one, many := metric.Load{Name: "sleep", Variant: "one"}, metric.Load{Name: "sleep", Variant: "many"}
	var gain []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		f, ok := e.exceeds(many, mode, "operations, many ÷ one", e.samples(many, mode, metric.Throughput()), e.samples(one, mode, metric.Throughput()), overlapBy)
		if ok {
			gain = append(gain, f)
		}
	}
	e.record(many, metric.Parallelism())
	return fmt.Sprintf("%d sleepers got %s × the work of one done", e.workerCount(many), quoteBy(gain, span))
}

// scaling lets the speed of as many workers as cores, or nearly, decide against one
// worker's: any gain is one, whatever its proportion.
func scaling(e *evidence) string {
	if !e.twoCores() {
		return ""
	}
	one, some := scaled(e.report, 1)
	most, more := scaled(e.report, usableCores(e.report))
	if !some || !more || most.Variant == one.Variant {
		return ""
	}
	n := float64(e.workerCount(most))
	var speedup, part []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		ratio := metric.Compare(e.samples(most, mode, metric.Throughput()), e.samples(one, mode, metric.Throughput()))
		f, ok := e.noteRatio(most, mode, "speed-up over 1 worker", ratio)
		if !ok {
			continue
		}
		verdict := e.judge(f, dearerBy, unbounded())
		if f.Low != nil && *f.Low > 1 {
			verdict = report.Supported
		}
		e.decide(verdict, f)
		speedup = append(speedup, f)
		if n > 1 { // an altered report may say that nobody worked
			part = append(part, e.proportion(f, n))
		}
	}
	facts := fmt.Sprintf("%.0f workers on %d cores are %s × as fast as one", n, usableCores(e.report), quoteBy(speedup, span))
	if slices.ContainsFunc(part, func(f report.NamedFigure) bool { return f.Median < inProportion }) {
		facts += fmt.Sprintf(", which is %s of the proportion", quote(part))
	}
	if e.report.Host.SMT == "on" {
		facts += "; cores are logical ones, two or more of which share a physical core's units (SMT)"
	}
	return facts
}

// proportion notes what part of n a speed-up is, without letting it decide.
func (e *evidence) proportion(f report.NamedFigure, n float64) report.NamedFigure {
	scaled := func(x float64) *float64 { x *= 100 / n; return &x }
	f.Name, f.Unit, f.P, f.Median = "speed-up ÷ workers", report.Share, nil, *scaled(f.Median)
	if f.Low != nil {
		f.Low, f.High = scaled(*f.Low), scaled(*f.High)
	}
	e.figures = append(e.figures, f)
	return f
}

// running lets parallelism decide. All workers are in progress throughout, since none blocks.
func running(e *evidence) string {
	if !e.twoCores() {
		return ""
	}
	all, one := whole("spin"), oneCore()
	m := metric.Parallelism()
	var ran []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		d := metric.Compare(e.samples(all, mode, m), e.samples(one, mode, m))
		if f, ok := e.noteRatio(all, mode, m.Name+", all cores ÷ one core", d); ok {
			ran = append(ran, f)
			e.bound(f, parallelBy, unbounded())
		}
	}
	alone, together := e.record(one, m), e.record(all, m)
	e.record(one, metric.Concurrency())
	e.record(all, metric.Concurrency())
	return fmt.Sprintf("of %d workers on one core %s run at once, of %d on %d cores %s (%s ×)", e.workerCount(one), quote(alone),
		e.workerCount(all), usableCores(e.report), quote(together), quoteBy(ran, span))
}

// longestSlice is the longest of a trial's slices. It is absent where it is beyond the
// bound only by what the hypervisor took meanwhile of its core, and where it is within the
// bound and the trial was too short for one that is not.
func longestSlice() metric.Metric {
	m := metric.New("longest time slice", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		length, _ := metric.SliceLengths([]*report.Trial{t})
		var stolen int64
		for i := range t.Cores {
			for _, s := range t.Cores[i].Slices {
				if s.Length.MaxNS == length.MaxNS {
					stolen = max(stolen, t.Cores[i].StealNS)
				}
			}
		}
		longest := float64(length.MaxNS)
		if longest > longestTurnNS {
			return longest, longest-float64(stolen) > longestTurnNS && len(t.Workers) > 1
		}
		return longest, float64(t.DurationNS) >= 2*longestTurnNS && length.Count > 0 && len(t.Workers) > 1
	})
	m.Longest = true
	return m
}

func slicing(e *evidence) string {
	l := oneCore()
	typical := e.within(l, metric.SliceP50(), shortestNS, unbounded())
	long := e.always(l, longestSlice(), 0, longestTurnNS)
	if len(long) == 0 {
		e.parts, e.missing = nil, tooShort(e, l)
		return ""
	}
	e.need(len(typical) > 0, "needs ten slices a trial")
	return fmt.Sprintf("half of the slices last up to %s, the longest of all rounds %s%s", quote(typical), extreme(long, false).Quantity(), exceptions(long))
}

// firstsWait is the wait of worker 0: the longest, or the mean over its slices.
func firstsWait(name string, of func(w *report.Worker) (float64, bool)) metric.Metric {
	return metric.New(name, report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) == 0 {
			return 0, false
		}
		return of(&t.Workers[0])
	})
}

// sleepersWait is how long the interactive worker waited for its core, on average.
func sleepersWait() metric.Metric {
	return firstsWait("sleeper's wait mean", func(w *report.Worker) (float64, bool) {
		return float64(w.WaitNS) / float64(max(1, w.Slices)), w.Slices > 0
	})
}

func monopoly(e *evidence) string {
	l := whole("interactive")
	longest := e.always(l, firstsWait("sleeper's longest wait", func(w *report.Worker) (float64, bool) { return float64(w.WaitMaxNS), w.Slices > 0 }), -unbounded(), noticeableNS)
	all := e.always(l, hogsRan(), 100, 100)
	if len(longest)+len(all) == 0 {
		return ""
	}
	e.need(len(longest) > 0, "needs trials in which the sleeper wakes")
	e.need(len(all) > 0, "needs longer trials with a CPU hog beside the sleeper")
	return fmt.Sprintf("beside %d CPU hogs a sleeper waits %s on average, %s at the longest%s%s", e.workerCount(l)-1,
		quote(e.record(l, sleepersWait())), quote(worst(longest)), exceptions(longest), starvedWords(all, "all hogs advanced"))
}

// endedByTick is the part of workers' slices that the timer ended, without the last one
// of each worker, which its coming to the end gate ends: nothing else blocks it.
func endedByTick() metric.Metric {
	return metric.New("slices ended by tick", report.Percent, func(t *report.Trial) (float64, bool) {
		length, causes := metric.SliceLengths([]*report.Trial{t})
		n := length.Count - min(length.Count, causes.Blocked, uint64(len(t.Workers)))
		return 100 * float64(causes.Tick) / float64(max(1, n)), n >= metric.LeastForQuantile
	})
}

// switchedByTick is how many of the ticks that interrupted work on the workers'
// busiest core made a worker lose it.
func switchedByTick() metric.Metric {
	return metric.New("ticks that switched", report.Percent, func(t *report.Trial) (float64, bool) {
		c := busiest(t)
		if c == nil || c.BusyTicks == nil || *c.BusyTicks == 0 {
			return 0, false
		}
		_, causes := metric.SliceLengths([]*report.Trial{t})
		return 100 * float64(causes.Tick) / float64(*c.BusyTicks), true
	})
}

func tickRate() metric.Metric {
	return metric.New("busiest core's ticks", report.PerSecond, func(t *report.Trial) (float64, bool) {
		c := busiest(t)
		if c == nil || c.Ticks == nil {
			return 0, false
		}
		return 1e9 * float64(*c.Ticks) / float64(c.WallNS), c.WallNS > 0
	})
}

// busiest returns the core on which workers ran longest, nil if there is none.
func busiest(t *report.Trial) *report.Core {
	var best *report.Core
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
	lone := e.within(metric.Load{Name: "spin", Variant: "alone"}, switchedByTick(), 0, seldomTick)
	if len(ended)+len(lone) == 0 {
		e.missing = tooShort(e, l)
		return ""
	}
	e.need(len(ended) > 0, "needs spin one core, with ten slices a trial")
	e.need(len(lone) > 0, "needs spin alone")
	return fmt.Sprintf("the busy core ticks %s; %s of competing tasks' slices end by a tick; of a lone task's ticks %s end its slice", quote(e.record(l, tickRate())), quote(ended), quote(lone))
}

// rotation is after what time the worker with the fewest turns has its next, on average:
// the trial divided by its slices. It is absent where the trial was too short to see a turn
// come round too late.
func rotation() metric.Metric {
	return metric.New("rotation", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) < 2 || float64(t.DurationNS) < 1.5*noticeableNS {
			return 0, false
		}
		fewest := t.Workers[0].Slices
		for _, w := range t.Workers {
			fewest = min(fewest, w.Slices)
		}
		// A worker without any turn has waited for the whole trial.
		return float64(t.DurationNS) / float64(max(1, fewest)), true
	})
}

func rotating(e *evidence) string {
	l := oneCore()
	period := e.within(l, rotation(), 0, noticeableNS)
	if len(period) == 0 {
		e.missing = tooShort(e, l)
		return ""
	}
	return fmt.Sprintf("with %d workers on one core each has %s every %s", e.workerCount(l), quote(e.record(l, metric.SliceP50())), quote(period))
}
