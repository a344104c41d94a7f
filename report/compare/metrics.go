package compare

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/metric"
)

// compared is a metric by which reports are compared, with its name in conditions and tables.
type compared struct {
	key string
	metric.Metric
}

// EnoughSwitches is the least number of switches of its own mode that a trial must have for the
// median cost to be a primary figure.
const EnoughSwitches = 100

// primary reports whether the metric is a primary figure of some trials: the work done, a command's
// duration, how busy a watched system was, how often its cores switched and how long its tasks waited
// and, if enough switches were timed, the cost of a switch.
func (c compared) primary(trials []*report.Trial) bool {
	switch c.key {
	case "operations", "duration", "output":
		return true
	case "busy", "switches", "wait_mean":
		return len(trials) > 0 && trials[0].System != nil
	case "cost_p50", "switch_p50":
		return enoughTimed(trials)
	}
	return false
}

// enoughTimed reports whether each trial has EnoughSwitches. Of a watched system, these are the
// intervals in which switches were timed; there must be one.
func enoughTimed(trials []*report.Trial) bool {
	timed := 0
	for _, t := range trials {
		phase := func(s report.ClassStats) histogram.Histogram { return s.Switch }
		n := metric.OwnPhase(t, phase).Count
		if t.System != nil && n == 0 {
			continue
		}
		if timed++; n < EnoughSwitches {
			return false
		}
	}
	return timed > 0 || len(trials) == 0
}

// comparedMetrics returns the metrics of whole trials: switches are those of the trial's own mode,
// on all cores together.
func comparedMetrics() []compared {
	list := []compared{
		{"duration", metric.CommandTime()}, {"operations", metric.Throughput()}, {"output", metric.CommandOutput()},
	}
	for _, p := range phases() {
		list = append(list, p.ofTrial(p50), p.ofTrial(p99))
	}
	return append(list,
		compared{"core_time", metric.SwitchingTime()},
		compared{"slice_p50", metric.SliceP50()},
		compared{"slice_p99", metric.SliceQuantile("time slice p99", p99)},
		compared{"wait_p50", waitQuantile(p50)}, compared{"wait_p99", metric.WaitP99()},
		compared{"wait_mean", metric.WaitMean()}, compared{"wait_max", metric.LongestWait()},
		compared{"jain_index", metric.Fairness()},
		compared{"parallelism", metric.Parallelism()}, compared{"concurrency", metric.Concurrency()},
		compared{"colder_memory", metric.CacheRefillCost()}, compared{"pss", metric.MemoryPSS()},
		compared{"creation", metric.Creation()}, compared{"start_p50", metric.StartP50()},
		compared{"run_p50", metric.RunP50()}, compared{"end_p50", metric.EndP50()},
		compared{"outlived", metric.Survivors()},
		compared{"busy", metric.Busy()}, compared{"switches", metric.SwitchRate()},
		compared{"involuntary", metric.InvoluntaryRate()}, compared{"migrations", metric.MigrationRate()},
		compared{"queue_mean", metric.QueueMean()}, compared{"throttled", metric.ThrottledShare()},
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

// metricUnit returns the unit of a metric.
func metricUnit(key string) report.Unit {
	switch key {
	case "operations", "switches", "involuntary", "migrations":
		return report.PerSecond
	case "pss":
		return report.Bytes
	case "core_time", "outlived", "busy", "throttled":
		return report.Percent
	case "jain_index":
		return report.Index
	case "parallelism", "concurrency", "queue_mean", "output":
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

// ofTrial is a quantile of the phase, over the switches of the trial's own mode.
func (p phase) ofTrial(q float64) compared {
	return compared{p.name(q), metric.Metric{Name: p.name(q), Of: func(t *report.Trial) report.Quantity {
		return metric.Quantile(metric.OwnPhase(t, p.of), q)
	}}}
}

// ofClass is a quantile of the phase over the switches of one class, for a trial on one core.
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
	return metric.Metric{Name: "wait", Of: func(t *report.Trial) report.Quantity {
		return metric.Quantile(t.Wait(), q)
	}}
}

// pooled returns the trial as if everything had happened on one core, so that each metric need not
// add up the cores again.
func pooled(t *report.Trial) *report.Trial {
	var all report.Core
	length := map[report.EndedBy]histogram.Histogram{}
	for i := range t.Cores {
		c := &t.Cores[i]
		all.WallNS += c.WallNS
		all.IdleNS += c.IdleNS
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
