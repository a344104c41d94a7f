package report

import "github.com/slicetrace/slicetrace/report/histogram"

// Parallelism returns how many workers, and tasks that they created, or tasks of a running system,
// ran at once on average: their on-CPU time divided by the trial's duration. ok is false if the duration is unknown.
func (t *Trial) Parallelism() (n float64, ok bool) {
	onCPU, _ := t.workerTimes()
	return perDuration(onCPU, t.DurationNS)
}

// Concurrency returns how many of these tasks were in progress at once on average: their on-CPU and
// waiting time divided by the trial's duration. ok is false if the duration is unknown.
func (t *Trial) Concurrency() (n float64, ok bool) {
	onCPU, wait := t.workerTimes()
	return perDuration(onCPU+wait, t.DurationNS)
}

// JainIndex returns the fairness of workers' on-CPU times x: (Σx)² ÷ (n·Σx²), from 1/n (one worker
// had all the time) to 1 (all had the same); Jain, Chiu and Hawe 1984. ok is false without workers,
// without on-CPU time, and if a row is the sum of several tasks, whose individual shares are not
// known.
func (t *Trial) JainIndex() (index float64, ok bool) {
	var sum, squares float64
	for i := range t.Workers {
		if t.Workers[i].Merged > 0 {
			return 0, false
		}
		x := float64(t.Workers[i].OnCPUNS)
		sum += x
		squares += x * x
	}
	if squares == 0 {
		return 0, false
	}
	return sum * sum / (float64(len(t.Workers)) * squares), true
}

// OperationsPerSecond returns the trial's throughput. ok is false for a command and a running system,
// and if the duration is unknown.
func (t *Trial) OperationsPerSecond() (rate float64, ok bool) {
	if t.Mode == Command || t.Mode == SystemMode || t.Operations == 0 {
		return 0, false
	}
	return perDuration(1e9*float64(t.Operations), t.DurationNS)
}

// Switches counts the trial's switches on all watched cores.
func (t *Trial) Switches() uint64 {
	var n uint64
	for i := range t.Cores {
		for _, c := range t.Cores[i].Classes {
			n += c.Switches
		}
	}
	return n
}

// Wait returns the run-queue latency of the trial's workers on all cores.
func (t *Trial) Wait() histogram.Histogram {
	var h histogram.Histogram
	for i := range t.Cores {
		h.Merge(t.Cores[i].Wait)
	}
	return h
}

// WaitMaxNS returns the longest wait of any worker, or of any task of a running system, in
// nanoseconds. ok is false if there are none.
func (t *Trial) WaitMaxNS() (ns int64, ok bool) {
	if t.System != nil {
		return t.System.waitMaxNS()
	}
	for i := range t.Workers {
		ns = max(ns, t.Workers[i].WaitMaxNS)
	}
	return ns, len(t.Workers) > 0
}

// Class returns the switches of one class, added up over the trial's cores.
func (t *Trial) Class(class Class) ClassStats {
	sum := ClassStats{Class: class}
	for i := range t.Cores {
		for _, c := range t.Cores[i].Classes {
			if c.Class == class {
				sum.Add(c)
			}
		}
	}
	return sum
}

// SwitchingShare returns the part, 0 to 1, of watched core time that switches of all classes took.
// ok is false if the cost of switches was not measured.
func (t *Trial) SwitchingShare() (share float64, ok bool) {
	var count, cost, wall float64
	for i := range t.Cores {
		wall += float64(t.Cores[i].WallNS)
		for _, c := range t.Cores[i].Classes {
			count += float64(c.Cost.Count)
			cost += float64(c.Cost.SumNS)
		}
	}
	if wall == 0 || count == 0 {
		return 0, false
	}
	return cost / wall, true
}

// Add adds the switches of the same class on another core or in another trial.
func (c *ClassStats) Add(o ClassStats) {
	c.Switches += o.Switches
	c.Pick.Merge(o.Pick)
	c.Switch.Merge(o.Switch)
	c.Cost.Merge(o.Cost)
}

// Total returns the time of the core that is accounted for: idle + workers + others + self, in
// nanoseconds.
func (c *Core) Total() int64 {
	return c.IdleNS + c.WorkersNS + c.OthersNS + c.SelfNS
}

// Tasks returns how many tasks the row counts.
func (w *Worker) Tasks() int { return max(1, w.Merged) }

func (t *Trial) workerTimes() (onCPU, wait float64) {
	for a := range t.System.Activities() {
		onCPU, wait = onCPU+float64(a.OnCPUNS), wait+float64(a.WaitNS)
	}
	for i := range t.Workers {
		onCPU += float64(t.Workers[i].OnCPUNS)
		wait += float64(t.Workers[i].WaitNS)
	}
	if c := t.Created; c != nil {
		onCPU, wait = onCPU+float64(c.OnCPUNS), wait+float64(c.WaitNS)
	}
	return onCPU, wait
}

func perDuration(x float64, durationNS int64) (float64, bool) {
	if durationNS <= 0 {
		return 0, false
	}
	return x / float64(durationNS), true
}
