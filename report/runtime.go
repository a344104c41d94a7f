package report

import "math"

const (
	// maxRuntimeErrorPPM is how far workers' time on cores may be outside what the
	// kernel's own account allows before the report says so: 2 %.
	maxRuntimeErrorPPM = 20_000
	// statGrainNS is the step of the times in /proc/stat.
	statGrainNS = 10_000_000
	// lateNS bounds for how long a core that a wakeup brings out of idle is away yet,
	// while the kernel's account of the woken task runs already.
	lateNS = 100_000
)

// runtimeCheck holds workers' time on cores against the kernel's sum_exec_runtime,
// which is another clock's, read in other places of the kernel.
//
// The kernel's account begins and ends with the pick phase instead of after it, so
// over many slices the two differ by the tracer's own time, which is in no slice.
// Three things more can part them, and are allowed for:
//   - The kernel leaves out stolen time and, built with IRQ_TIME_ACCOUNTING,
//     interrupts; a slice contains both.
//   - A task that is woken is charged from the last time that the kernel read the
//     clock, which may be the wakeup itself; until it has the core it waits.
//   - /proc/stat tells the first two in steps, once for each core and trial.
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

// errorPPM is by how much time on cores is outside the bounds, of the kernel's
// account; ok is false where there is nothing to compare.
func (k *runtimeCheck) errorPPM() (ppm int64, ok bool) {
	if k.runtime <= 0 {
		return 0, false
	}
	// Differences of a rounded counter are wrong by less than a step each, and as
	// often too small as too large.
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
	// RuntimeNS is the scheduler's sum_exec_runtime, which leaves out stolen
	// and (where the kernel accounts it) interrupt time; -1 where unknown.
	RuntimeNS int64 `json:"runtime_ns"`
}

// Reconciled reports whether the tracer's switch counts equal the kernel's;
// known is false where the kernel's are not at hand.
func (w Worker) Reconciled() (equal, known bool) {
	if w.Kernel == nil {
		return false, false
	}
	return w.Voluntary == w.Kernel.Voluntary && w.Involuntary == w.Kernel.Involuntary, true
}
