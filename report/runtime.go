package report

import "math"

const (
	// maxRuntimeErrorPPM is how far workers' time on cores may be outside the range that the
	// kernel's own account allows before the report is not clean: 2 %.
	maxRuntimeErrorPPM = 20_000
	// statGrainNS is the step of the times in /proc/stat.
	statGrainNS = 10_000_000
	// lateNS is an upper bound for how long a core that a wakeup takes out of idle needs to switch,
	// while the kernel already charges the woken task.
	lateNS = 100_000
)

// runtimeCheck compares workers' time on cores with the kernel's sum_exec_runtime, which is
// measured with another clock and at other places in the kernel.
//
// The kernel charges a task from the pick phase of one switch to that of the next, slicetrace from
// the end of the pick phase. So over many slices the two differ by slicetrace's own time, which is
// in no slice. Three more things can make them differ, and are allowed for:
//   - The kernel leaves out stolen time and, if built with IRQ_TIME_ACCOUNTING, interrupts;
//     a slice contains both.
//   - A woken task is charged from the last time at which the kernel read the clock, which may
//     be the wakeup itself; until it has the core it still waits.
//   - /proc/stat gives stolen time and interrupts in steps, which add an error for each core
//     and trial.
type runtimeCheck struct {
	onCPU, runtime         int64
	self, late, steal, irq int64
	spans                  int // cores × trials
}

func (k *runtimeCheck) add(t *Trial) {
	compared := false
	for i := range t.Workers {
		w := &t.Workers[i]
		if w.Kernel == nil || w.Kernel.RuntimeNS < 0 {
			continue
		}
		compared = true
		k.onCPU += w.OnCPUNS
		k.runtime += w.Kernel.RuntimeNS
		k.late += min(w.WaitNS, int64(min(w.EndedBy.Blocked, math.MaxInt64/lateNS))*lateNS)
	}
	if !compared {
		return
	}
	for i := range t.Cores {
		c := &t.Cores[i]
		k.self += c.SelfNS
		k.steal += c.StealNS
		k.irq += c.InterruptNS
	}
	k.spans += len(t.Cores)
}

// errorPPM is by how much time on cores is outside the range, in parts per million of the kernel's
// account. ok is false if there is nothing to compare.
func (k *runtimeCheck) errorPPM() (ppm int64, ok bool) {
	if k.runtime <= 0 {
		return 0, false
	}
	// Differences of a rounded counter are wrong by less than one step each, and are too small as
	// often as too large.
	n := float64(k.spans)
	grain := statGrainNS * min(n, 2.5*math.Sqrt(n))
	low := float64(k.runtime) - float64(k.self) - float64(k.late)
	high := float64(k.runtime) + float64(k.steal) + float64(k.irq) + grain
	outside := max(low-float64(k.onCPU), float64(k.onCPU)-high, 0)
	return int64(math.Round(min(1e6*outside/float64(k.runtime), 1e12))), true
}

// KernelCounters are the kernel's own account of a task.
type KernelCounters struct {
	// Voluntary and Involuntary are nvcsw and nivcsw.
	Voluntary   uint64 `json:"voluntary"`
	Involuntary uint64 `json:"involuntary"`
	// RuntimeNS is the scheduler's sum_exec_runtime, which leaves out stolen time and, if the
	// kernel accounts for it, interrupt time; -1 if unknown.
	RuntimeNS int64 `json:"runtime_ns"`
}

// Reconciled reports whether slicetrace's switch counts equal the kernel's. known is false if the
// kernel's are not available.
func (w Worker) Reconciled() (equal, known bool) {
	if w.Kernel == nil {
		return false, false
	}
	return w.Voluntary == w.Kernel.Voluntary && w.Involuntary == w.Kernel.Involuntary, true
}
