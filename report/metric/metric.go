package metric

import (
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// Metric is one figure of a trial, absent if it was not measured.
type Metric struct {
	// Name is the name that is shown.
	Name string
	// Of computes the figure of a trial.
	Of func(*report.Trial) report.Quantity
	// Longest is true if the greatest value of several trials is shown, not the median.
	Longest bool
}

// New makes a metric from a function that returns a value in the unit, and false if it was not
// measured.
func New(name string, unit report.Unit, f func(*report.Trial) (float64, bool)) Metric {
	return Metric{Name: name, Of: func(t *report.Trial) report.Quantity {
		v, ok := f(t)
		return report.Maybe(v, ok, unit)
	}}
}

// phaseP50 is the median of one phase of the trial's own switches.
func phaseP50(name string, phase func(report.ClassStats) histogram.Histogram) Metric {
	return Metric{Name: name, Of: func(t *report.Trial) report.Quantity {
		return Quantile(OwnPhase(t, phase), 0.5)
	}}
}

// Throughput is the operations a second of all workers together.
func Throughput() Metric {
	return New("operations", report.PerSecond, (*report.Trial).OperationsPerSecond)
}

// PickP50 is the median pick phase of the trial's own switches, in nanoseconds.
func PickP50() Metric {
	return phaseP50("pick phase p50", func(c report.ClassStats) histogram.Histogram { return c.Pick })
}

// SwitchP50 is the median switch phase of the trial's own switches, in nanoseconds.
func SwitchP50() Metric {
	return phaseP50("switch phase p50", func(c report.ClassStats) histogram.Histogram { return c.Switch })
}

// CostP50 is the median cost of the trial's own switches, pick and switch phase together, in
// nanoseconds.
func CostP50() Metric {
	return phaseP50("cost of a switch p50", func(c report.ClassStats) histogram.Histogram { return c.Cost })
}

// SwitchingTime is the percentage of core time that switches of any kind took. In a watched system,
// where not all switches are timed, it is estimated.
func SwitchingTime() Metric {
	return Metric{Name: "core time in switches", Of: func(t *report.Trial) report.Quantity {
		if t.System != nil {
			all, _ := SumCores([]*report.Trial{t})
			return all.SwitchingShare()
		}
		share, ok := t.SwitchingShare()
		return report.Maybe(100*share, ok, report.Percent)
	}}
}

// SliceQuantile is a quantile, 0 to 1, of the lengths of the workers' slices, in nanoseconds.
func SliceQuantile(name string, q float64) Metric {
	return Metric{Name: name, Of: func(t *report.Trial) report.Quantity {
		length, _ := SliceLengths([]*report.Trial{t})
		return Quantile(length, q)
	}}
}

// SliceP50 is the median length of the workers' slices, in nanoseconds.
func SliceP50() Metric { return SliceQuantile("time slice p50", 0.5) }

// WaitMean is the mean wait of workers for a core, or of the tasks of a watched system, in
// nanoseconds.
func WaitMean() Metric {
	return New("wait mean", report.Nanoseconds, func(t *report.Trial) (float64, bool) { return t.Wait().Mean() })
}

// WaitP99 is the 99th percentile of the workers' waits, in nanoseconds.
func WaitP99() Metric {
	return Metric{Name: "wait p99", Of: func(t *report.Trial) report.Quantity { return Quantile(t.Wait(), 0.99) }}
}

// LongestWait is the longest wait of any worker, in nanoseconds.
func LongestWait() Metric {
	m := New("longest wait", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		ns, ok := t.WaitMaxNS()
		return float64(ns), ok
	})
	m.Longest = true
	return m
}

// Fairness is Jain's index of the workers' time on cores: 1 for equal shares.
func Fairness() Metric {
	return New("fairness (Jain index)", report.Index, (*report.Trial).JainIndex)
}

// Parallelism is how many workers ran at once, on average.
func Parallelism() Metric {
	return New("parallelism", report.Ratio, (*report.Trial).Parallelism)
}

// Concurrency is how many workers ran or waited for a core at once, on average.
func Concurrency() Metric {
	return New("concurrency", report.Ratio, (*report.Trial).Concurrency)
}

// Creation is how long one worker took to create a task, let it run and join it.
func Creation() Metric {
	return New("create, run and join", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if t.Created == nil || t.Operations == 0 {
			return 0, false
		}
		return float64(t.DurationNS) * float64(len(t.Workers)) / float64(t.Operations), true
	})
}

// lifeP50 is the median of one phase of the lives of the tasks that workers created.
func lifeP50(name string, phase func(*report.Created) histogram.Histogram) Metric {
	return Metric{Name: name, Of: func(t *report.Trial) report.Quantity {
		if t.Created == nil {
			return report.Quantity{Unit: report.Nanoseconds}
		}
		return Quantile(phase(t.Created), 0.5)
	}}
}

// StartP50 is the median time from the fork of a created task to its first run, in nanoseconds.
func StartP50() Metric {
	return lifeP50("fork to first run p50", func(c *report.Created) histogram.Histogram { return c.Start })
}

// RunP50 is the median time from a created task's first run to its exit, in nanoseconds.
func RunP50() Metric {
	return lifeP50("first run to exit p50", func(c *report.Created) histogram.Histogram { return c.Run })
}

// EndP50 is the median time from a created task's exit to its last switch, in nanoseconds.
func EndP50() Metric {
	return lifeP50("exit to last switch p50", func(c *report.Created) histogram.Histogram { return c.End })
}

// Survivors is the percentage of the workers other than the first, which crashes, that survive.
func Survivors() Metric {
	return New("other workers that survive a crash", report.Percent, func(t *report.Trial) (float64, bool) {
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

// WorkloadFigure returns a figure that the workload itself measured, by its name.
func WorkloadFigure(t *report.Trial, name string) (value int64, ok bool) {
	i := slices.IndexFunc(t.Figures, func(f report.Figure) bool { return f.Name == name })
	if i < 0 {
		return 0, false
	}
	return t.Figures[i].Value, true
}

// ofMemory is an amount of memory per worker.
func ofMemory(name string, bytes func(*report.Memory) int64) Metric {
	return New(name+" a worker", report.Bytes, func(t *report.Trial) (float64, bool) {
		if t.Memory == nil || len(t.Workers) == 0 {
			return 0, false
		}
		return float64(bytes(t.Memory)) / float64(len(t.Workers)), true
	})
}

// MemoryPSS is the proportional set size of the workers' processes, in bytes per worker.
func MemoryPSS() Metric {
	return ofMemory("PSS", func(m *report.Memory) int64 { return m.PSSBytes })
}
