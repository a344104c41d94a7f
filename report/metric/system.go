package metric

import "github.com/slicetrace/slicetrace/report"

// The metrics of this file are of an interval of a watched system, and absent for other trials.

// ofSystem makes such a metric.
func ofSystem(name string, of func(*report.Trial) report.Quantity) Metric {
	return Metric{Name: name, Of: func(t *report.Trial) report.Quantity {
		if t.System == nil {
			return report.Quantity{}
		}
		return of(t)
	}}
}

// Busy is the percentage of core time in which cores were not idle.
func Busy() Metric {
	return ofSystem("busy", func(t *report.Trial) report.Quantity {
		var busy, wall int64
		for i := range t.Cores {
			busy, wall = busy+t.Cores[i].WallNS-t.Cores[i].IdleNS, wall+t.Cores[i].WallNS
		}
		return TimeShare(busy, wall)
	})
}

// SwitchRate is how many switches of all classes all cores made together, a second.
func SwitchRate() Metric {
	return ofSystem("switches", func(t *report.Trial) report.Quantity { return Rate(t.Switches(), t.DurationNS) })
}

// ActivityRate is a rate of something that the watched tasks did.
func ActivityRate(name string, count func(*report.Activity) uint64) Metric {
	return ofSystem(name, func(t *report.Trial) report.Quantity {
		var n uint64
		for a := range t.System.Activities() {
			n += count(a)
		}
		return Rate(n, t.DurationNS)
	})
}

// InvoluntaryRate is how many involuntary switches the watched tasks made, a second.
func InvoluntaryRate() Metric {
	return ActivityRate("involuntary switches", (*report.Activity).Involuntary)
}

// MigrationRate is how often the watched tasks moved to another core, a second.
func MigrationRate() Metric {
	return ActivityRate("migrations", func(a *report.Activity) uint64 { return a.Migrations.Total() })
}

// QueueMean is the mean length of a core's run queue, the running task included.
func QueueMean() Metric {
	return ofSystem("run queue mean", func(t *report.Trial) report.Quantity {
		var all report.RunQueue
		for _, q := range t.System.Queues {
			all = addQueue(all, q)
		}
		return queueMean(all)
	})
}

// ThrottledShare is the time for which CPU quotas kept the watched tasks from running, in percent of
// the time that passed. With several tasks it can be more than 100 %.
func ThrottledShare() Metric {
	return ofSystem("throttled", func(t *report.Trial) report.Quantity {
		return TimeShare(t.ThrottledNS(), t.DurationNS)
	})
}

// ProgramShare is the percentage of core time that slicetrace's eBPF programs took, over those
// intervals in which the kernel measured some of it.
func ProgramShare(trials []*report.Trial) report.Quantity {
	return coreShare(trials, func(t *report.Trial) (int64, bool) {
		return t.System.ProgramNS, t.System.ProgramSampleNS > 0
	})
}

// ToolShare is the percentage of core time that slicetrace's own processes took.
func ToolShare(trials []*report.Trial) report.Quantity {
	return coreShare(trials, func(t *report.Trial) (int64, bool) {
		if t.ToolNS == nil {
			return 0, false
		}
		return *t.ToolNS, true
	})
}

// coreShare is a part of the core time of those intervals of a watch that have it.
func coreShare(trials []*report.Trial, part func(*report.Trial) (int64, bool)) report.Quantity {
	var all, wall int64
	for _, t := range trials {
		if ns, ok := part(t); ok {
			all += ns
			for i := range t.Cores {
				wall += t.Cores[i].WallNS
			}
		}
	}
	return TimeShare(all, wall)
}
