package view

import (
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// metric is one figure of a trial, absent where it was not measured.
type metric struct {
	// name is what a reader is shown.
	name string
	// of computes the figure of a trial.
	of func(*report.Trial) report.Quantity
	// longest says that of several trials the greatest is shown, not the median.
	longest bool
}

// figureOf makes a metric of a trial's method, which returns false where it was not measured;
// the value is in the unit.
func figureOf(name string, unit report.Unit, f func(*report.Trial) (float64, bool)) metric {
	return metric{name: name, of: func(t *report.Trial) report.Quantity {
		v, ok := f(t)
		return report.Maybe(v, ok, unit)
	}}
}

// phaseP50 is the median of one phase of the trial's own switches.
func phaseP50(name string, phase func(report.ClassStats) histogram.Histogram) metric {
	return metric{name: name, of: func(t *report.Trial) report.Quantity { return quantile(ownPhase(t, phase), 0.5) }}
}

// throughput is the operations a second of all workers together.
func throughput() metric {
	return figureOf("operations", report.PerSecond, (*report.Trial).OperationsPerSecond)
}

// pickP50 is the median pick phase of the trial's own switches, in nanoseconds.
func pickP50() metric {
	return phaseP50("pick phase p50", func(c report.ClassStats) histogram.Histogram { return c.Pick })
}

// switchP50 is the median switch phase of the trial's own switches, in nanoseconds.
func switchP50() metric {
	return phaseP50("switch phase p50", func(c report.ClassStats) histogram.Histogram { return c.Switch })
}

// costP50 is the median cost of the trial's own switches, pick and switch phase together, in
// nanoseconds.
func costP50() metric {
	return phaseP50("cost of a switch p50", func(c report.ClassStats) histogram.Histogram { return c.Cost })
}

// switchingTime is the percentage of core time that went into switches of any kind.
func switchingTime() metric {
	return figureOf("core time in switches", report.Percent, func(t *report.Trial) (float64, bool) {
		share, ok := t.SwitchingShare()
		return 100 * share, ok
	})
}

// sliceQuantile is a quantile, 0 to 1, of the lengths of the workers' slices, in nanoseconds.
func sliceQuantile(name string, q float64) metric {
	return metric{name: name, of: func(t *report.Trial) report.Quantity {
		length, _ := sliceLengths([]*report.Trial{t})
		return quantile(length, q)
	}}
}

// sliceP50 is the median length of the workers' slices, in nanoseconds.
func sliceP50() metric { return sliceQuantile("time slice p50", 0.5) }

// waitMean is the mean wait of workers for a core, in nanoseconds.
func waitMean() metric {
	return figureOf("wait mean", report.Nanoseconds, func(t *report.Trial) (float64, bool) { return t.Wait().Mean() })
}

// waitP99 is the 99th percentile of the workers' waits, in nanoseconds.
func waitP99() metric {
	return metric{name: "wait p99", of: func(t *report.Trial) report.Quantity { return quantile(t.Wait(), 0.99) }}
}

// longestWait is the longest wait of any worker, in nanoseconds.
func longestWait() metric {
	m := figureOf("longest wait", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		ns, ok := t.WaitMaxNS()
		return float64(ns), ok
	})
	m.longest = true
	return m
}

// fairness is Jain's index of the workers' time on cores: 1 for equal shares.
func fairness() metric {
	return figureOf("fairness (Jain index)", report.Index, (*report.Trial).JainIndex)
}

// parallelism is how many workers ran at once, on average.
func parallelism() metric {
	return figureOf("parallelism", report.Ratio, (*report.Trial).Parallelism)
}

// concurrency is how many workers ran or waited for a core at once, on average.
func concurrency() metric {
	return figureOf("concurrency", report.Ratio, (*report.Trial).Concurrency)
}

// aftermath is how much longer a worker took to go through its memory after a
// switch than without one, for caches and TLB were colder.
func aftermath() metric {
	return figureOf("colder memory a switch", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		after, alone, ok := walks(t)
		return after - alone, ok
	})
}

// creation is how long one worker took to create a task, let it run and join it.
func creation() metric {
	return figureOf("create, run and join", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if t.Created == nil || t.Operations == 0 {
			return 0, false
		}
		return float64(t.DurationNS) * float64(len(t.Workers)) / float64(t.Operations), true
	})
}

// lifeP50 is the median of one phase of the lives of the tasks that workers created.
func lifeP50(name string, phase func(*report.Created) histogram.Histogram) metric {
	return metric{name: name, of: func(t *report.Trial) report.Quantity {
		if t.Created == nil {
			return report.Quantity{Unit: report.Nanoseconds}
		}
		return quantile(phase(t.Created), 0.5)
	}}
}

// startP50 is the median time from the fork of a created task to its first run, in nanoseconds.
func startP50() metric {
	return lifeP50("fork to first run p50", func(c *report.Created) histogram.Histogram { return c.Start })
}

// runP50 is the median time from a created task's first run to its exit, in nanoseconds.
func runP50() metric {
	return lifeP50("first run to exit p50", func(c *report.Created) histogram.Histogram { return c.Run })
}

// endP50 is the median time from a created task's exit to its last switch, in nanoseconds.
func endP50() metric {
	return lifeP50("exit to last switch p50", func(c *report.Created) histogram.Histogram { return c.End })
}

// outlived is the part of the workers but the first, which crashes, that live on.
func outlived() metric {
	return figureOf("others that outlive a crash", report.Percent, func(t *report.Trial) (float64, bool) {
		if t.Mode == report.Command || len(t.Workers) < 2 || !t.Workers[0].Exited {
			return 0, false
		}
		alive := 0
		for _, w := range t.Workers[1:] {
			if !w.Exited {
				alive++
			}
		}
		return 100 * float64(alive) / float64(len(t.Workers)-1), true
	})
}

// figure returns what the workload itself counted under a name.
func figure(t *report.Trial, name string) (value int64, ok bool) {
	i := slices.IndexFunc(t.Figures, func(f report.Figure) bool { return f.Name == name })
	if i < 0 {
		return 0, false
	}
	return t.Figures[i].Value, true
}

// ofMemory is an amount of memory for each worker.
func ofMemory(name string, bytes func(*report.Memory) int64) metric {
	return figureOf(name+" a worker", report.Bytes, func(t *report.Trial) (float64, bool) {
		if t.Memory == nil || len(t.Workers) == 0 {
			return 0, false
		}
		return float64(bytes(t.Memory)) / float64(len(t.Workers)), true
	})
}

// memoryPSS is the proportional set size of the workers' processes, in bytes for each worker.
func memoryPSS() metric {
	return ofMemory("PSS", func(m *report.Memory) int64 { return m.PSSBytes })
}

// metrics returns what modes are compared by.
func metrics() []metric {
	return []metric{
		throughput(), pickP50(), switchP50(), costP50(), switchingTime(), sliceP50(),
		waitMean(), waitP99(), longestWait(), fairness(), parallelism(), concurrency(),
		aftermath(), memoryPSS(), creation(), startP50(), runP50(), endP50(),
	}
}

// isOwn says whether the trial's mode makes switches of a class: process switches of
// processes, thread switches of threads, all user switches of a command.
func isOwn(t *report.Trial, class report.Class) bool {
	switch t.Mode {
	case report.Processes:
		return class == report.ClassProcess
	case report.Threads:
		return class == report.ClassThread
	}
	return class == report.ClassThread || class == report.ClassProcess
}

// eachOwn calls f with the switches that the trial's mode makes, core by core.
func eachOwn(t *report.Trial, f func(report.ClassStats)) {
	for i := range t.Cores {
		for _, c := range t.Cores[i].Classes {
			if isOwn(t, c.Class) {
				f(c)
			}
		}
	}
}

// ownPhase returns one phase of them. The result may share memory with the trial.
func ownPhase(t *report.Trial, phase func(report.ClassStats) histogram.Histogram) histogram.Histogram {
	var pool histogram.Histogram
	eachOwn(t, func(c report.ClassStats) {
		if h := phase(c); pool.Count == 0 {
			pool = h // Merge leaves the memory of both alone
		} else {
			pool.Merge(h)
		}
	})
	return pool
}

// leastForQuantile is how many values any quantile takes.
const leastForQuantile = 10

// quantile returns a quantile of h in nanoseconds, absent where h has too few values for
// one: with fewer than 1/(1-q) of them it would be the longest, whatever its name.
func quantile(h histogram.Histogram, q float64) report.Quantity {
	if n := float64(h.Count); n < leastForQuantile || n*(1-q) < 1-1e-9 {
		return report.Quantity{Unit: report.Nanoseconds}
	}
	ns, ok := h.Quantile(q)
	return report.Maybe(ns, ok, report.Nanoseconds)
}
