package compare

import (
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/metric"
)

// compared is a metric by which reports are compared, with the name that
// conditions and tables call it by.
type compared struct {
	key string
	metric.Metric
}

// EnoughSwitches is how many of its own switches a trial has at least whose median cost
// is a primary figure.
const EnoughSwitches = 100

// primary reports whether the metric is a primary figure of some trials: what work was
// done or how long a command took and, where there are enough switches, what one costs.
func (c compared) primary(trials []*report.Trial) bool {
	switch c.key {
	case "operations", "duration":
		return true
	case "cost_p50", "switch_p50":
		return !slices.ContainsFunc(trials, func(t *report.Trial) bool {
			return metric.OwnPhase(t, func(s report.ClassStats) histogram.Histogram { return s.Switch }).Count < EnoughSwitches
		})
	}
	return false
}

// comparedMetrics returns what trials as a whole are compared by: their own
// kind of switch, on all cores together.
func comparedMetrics() []compared {
	list := []compared{{"duration", commandDuration()}, {"operations", metric.Throughput()}}
	for _, p := range phases() {
		list = append(list, p.ofTrial(p50), p.ofTrial(p99))
	}
	return append(list,
		compared{"core_time", metric.SwitchingTime()},
		compared{"slice_p50", metric.SliceP50()}, compared{"slice_p99", metric.SliceQuantile("time slice p99", p99)},
		compared{"wait_p50", waitQuantile(p50)}, compared{"wait_p99", metric.WaitP99()},
		compared{"wait_mean", metric.WaitMean()}, compared{"wait_max", metric.LongestWait()},
		compared{"jain_index", metric.Fairness()}, compared{"parallelism", metric.Parallelism()}, compared{"concurrency", metric.Concurrency()},
		compared{"colder_memory", metric.CacheRefillCost()}, compared{"pss", metric.MemoryPSS()},
		compared{"creation", metric.Creation()}, compared{"start_p50", metric.StartP50()}, compared{"run_p50", metric.RunP50()}, compared{"end_p50", metric.EndP50()},
		compared{"outlived", metric.Survivors()},
	)
}

// MetricNames returns the names of the metrics that reports are compared by.
func MetricNames() []string {
	var out []string
	for _, m := range comparedMetrics() {
		out = append(out, m.key)
	}
	return out
}

// metricUnit returns what a metric is measured in.
func metricUnit(key string) report.Unit {
	switch key {
	case "operations":
		return report.PerSecond
	case "pss":
		return report.Bytes
	case "core_time", "outlived":
		return report.Percent
	case "jain_index":
		return report.Index
	case "parallelism", "concurrency":
		return report.Ratio
	}
	return report.Nanoseconds
}

const (
	p50 = 0.50
	p99 = 0.99
)

// phase is one part of a switch.
type phase struct {
	key string
	of  func(report.ClassStats) histogram.Histogram
}

func phases() []phase {
	return []phase{
		{"pick", func(c report.ClassStats) histogram.Histogram { return c.Pick }},
		{"switch", func(c report.ClassStats) histogram.Histogram { return c.Switch }},
		{"cost", func(c report.ClassStats) histogram.Histogram { return c.Cost }},
	}
}

func (p phase) name(q float64) string {
	if q == p50 {
		return p.key + "_p50"
	}
	return p.key + "_p99"
}

// ofTrial is a quantile of the phase of the trial's own switches.
func (p phase) ofTrial(q float64) compared {
	return compared{p.name(q), metric.Metric{Name: p.name(q), Of: func(t *report.Trial) report.Quantity { return metric.Quantile(metric.OwnPhase(t, p.of), q) }}}
}

// ofClass is a quantile of the phase of one class of switch, of a trial on one core.
func (p phase) ofClass(q float64, class report.Class) compared {
	return compared{p.name(q), metric.Metric{Name: p.name(q), Of: func(t *report.Trial) report.Quantity {
		for i := range t.Cores {
			for j := range t.Cores[i].Classes {
				if c := &t.Cores[i].Classes[j]; c.Class == class {
					return metric.Quantile(p.of(*c), q)
				}
			}
		}
		return report.Quantity{Unit: report.Nanoseconds}
	}}}
}

func waitQuantile(q float64) metric.Metric {
	return metric.Metric{Name: "wait", Of: func(t *report.Trial) report.Quantity { return metric.Quantile(t.Wait(), q) }}
}

// commandDuration is how long a command took. Bundled work is timed, or has a
// fixed number of operations, and its rate says the same.
func commandDuration() metric.Metric {
	return metric.New("duration", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		return float64(t.DurationNS), t.Mode == report.Command
	})
}

// pooled returns the trial as if all had happened on one core, so that many
// metrics of it need not each sum over the cores again.
func pooled(t *report.Trial) *report.Trial {
	var all report.Core
	length := map[report.EndedBy]histogram.Histogram{}
	for i := range t.Cores {
		c := &t.Cores[i]
		all.WallNS += c.WallNS
		for _, s := range c.Slices {
			h := length[s.EndedBy]
			h.Merge(s.Length)
			length[s.EndedBy] = h
		}
	}
	all.Wait = t.Wait()
	for _, class := range report.Classes() {
		if c := t.Class(class); c.Switches > 0 {
			all.Classes = append(all.Classes, c)
		}
	}
	for _, cause := range report.Causes() {
		if h, ok := length[cause]; ok {
			all.Slices = append(all.Slices, report.SliceStats{EndedBy: cause, Length: h})
		}
	}
	out := *t
	out.Cores = []report.Core{all}
	return &out
}
