package metric

import "github.com/slicetrace/slicetrace/report"

// ofCommand is a metric that only commands have.
func ofCommand(name string, unit report.Unit, f func(*report.Trial) (float64, bool)) Metric {
	return New(name, unit, func(t *report.Trial) (float64, bool) {
		if t.Mode != report.Command {
			return 0, false
		}
		return f(t)
	})
}

// CommandTime is how long a command took. Bundled work is timed, or has a fixed number of operations,
// so its rate tells the same.
func CommandTime() Metric {
	return ofCommand("wall time", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		return float64(t.DurationNS), true
	})
}

// CommandOutput is the figure that was read from the command's output.
func CommandOutput() Metric {
	return ofCommand("output", report.Ratio, func(t *report.Trial) (float64, bool) {
		if t.Output == nil {
			return 0, false
		}
		return *t.Output, true
	})
}

// CommandCPU is the CPU time that the command used by the kernel's account, which there is without the
// tracer too.
func CommandCPU() Metric {
	return ofCommand("CPU time", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if t.CPUNS == nil {
			return 0, false
		}
		return float64(*t.CPUNS), true
	})
}

// ofTasks adds up a figure of a command's tasks.
func ofTasks(name string, unit report.Unit, f func(*report.Worker) float64) Metric {
	return ofCommand(name, unit, func(t *report.Trial) (sum float64, ok bool) {
		for i := range t.Workers {
			sum += f(&t.Workers[i])
		}
		return sum, len(t.Workers) > 0
	})
}

// CommandTasks is how many tasks a command had, from its beginning to its end.
func CommandTasks() Metric {
	return ofTasks("tasks", report.Count, func(w *report.Worker) float64 { return float64(w.Tasks()) })
}

// CommandSwitches is how often its tasks left a core, as they wanted to or not.
func CommandSwitches() Metric {
	return ofTasks("switches", report.Count, func(w *report.Worker) float64 {
		return float64(w.Voluntary + w.Involuntary)
	})
}

// CommandInvoluntary is how often its tasks lost a core against their will.
func CommandInvoluntary() Metric {
	return ofTasks("involuntary switches", report.Count, func(w *report.Worker) float64 {
		return float64(w.Involuntary)
	})
}

// CommandWaiting is for how long its tasks were runnable and had no core, added up.
func CommandWaiting() Metric {
	return ofTasks("waiting for a core", report.Nanoseconds, func(w *report.Worker) float64 {
		return float64(w.WaitNS)
	})
}
