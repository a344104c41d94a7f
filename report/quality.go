package report

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
)

// maxAccountingErrorPPM is how much a core's times may differ from its wall time before the report
// is not clean: 0.1 %.
const maxAccountingErrorPPM = 1000

// MaxTasks is the most tasks that a run can be asked to watch at once.
const MaxTasks = 1 << 20

// ComputeQuality computes the sums in Quality from the trials. It keeps ProbeFloorNS, PickFloorNS,
// RecursionMisses and MostTasks, which the collector sets.
func (r *Report) ComputeQuality() {
	q := Quality{
		ProbeFloorNS:    r.Quality.ProbeFloorNS,
		PickFloorNS:     r.Quality.PickFloorNS,
		RecursionMisses: r.Quality.RecursionMisses,
		MostTasks:       r.Quality.MostTasks,
		ToolSwitches:    new(uint64),
	}
	if len(r.Trials) == 0 {
		q.ToolSwitches = nil
	}
	var runtime runtimeCheck
	for i := range r.Trials {
		t := &r.Trials[i]
		runtime.add(t)
		q.Switches += t.Switches()
		q.Lost.add(t.Lost)
		for j := range t.Workers {
			q.addWorker(&t.Workers[j])
		}
		for j := range t.Cores {
			q.addCore(&t.Cores[j])
		}
		if q.ToolSwitches != nil && t.ToolSwitches != nil {
			*q.ToolSwitches += *t.ToolSwitches
		} else {
			q.ToolSwitches = nil
		}
		if c := t.Created; c != nil {
			q.CreatedTasks += c.Tasks
			q.ReconciledCreated += c.Reconciled
		}
	}
	if ppm, ok := runtime.errorPPM(); ok {
		q.OnCPUNS, q.RuntimeNS, q.RuntimeErrorPPM = runtime.onCPU, runtime.runtime, &ppm
	}
	r.Quality = q
}

func (q *Quality) addWorker(w *Worker) {
	q.Workers += w.Tasks()
	equal, known := w.Reconciled()
	if known {
		q.ComparedWorkers += w.Tasks()
	}
	if equal {
		q.ReconciledWorkers += w.Tasks()
	}
}

func (q *Quality) addCore(c *Core) {
	q.WallNS += c.WallNS
	q.SelfNS += c.SelfNS
	q.StealNS += c.StealNS
	if c.WallNS > 0 {
		ppm := math.Abs(float64(c.Total())-float64(c.WallNS)) / float64(c.WallNS) * 1e6
		q.AccountingErrorPPM = max(q.AccountingErrorPPM, int64(math.Round(ppm)))
	}
}

func (l *Lost) add(o Lost) {
	l.UnmatchedPick += o.UnmatchedPick
	l.UnmatchedSwitch += o.UnmatchedSwitch
	l.HiddenSwitches += o.HiddenSwitches
	l.Unwatched += o.Unwatched
	l.MapFull += o.MapFull
	l.UnplacedSlices += o.UnplacedSlices
	l.DroppedTasks += o.DroppedTasks
}

// Unmatched counts the phases, of either kind, that should have been timed but were not.
func (l Lost) Unmatched() uint64 { return l.UnmatchedPick + l.UnmatchedSwitch }

// Total counts everything that is missing. It does not include HiddenSwitches, which is corrected.
func (l Lost) Total() uint64 {
	return l.Unmatched() + l.Unwatched + l.MapFull + l.UnplacedSlices + l.DroppedTasks
}

// MoreRoom returns advice to raise --max-tasks to a number that would have been enough, between the
// texts before and after. It returns "" if there was enough room, or if no larger number is
// allowed. How many tasks the unwatched tasks created is not known, so the number is doubled.
func (q Quality) MoreRoom(before, after string) string {
	lacked := q.Lost.MapFull + q.Lost.DroppedTasks
	if lacked == 0 || q.MostTasks == 0 || q.MostTasks >= MaxTasks {
		return ""
	}
	enough := min(1<<bits.Len64(2*(uint64(q.MostTasks)+lacked)-1), MaxTasks)
	return fmt.Sprintf("%sgive --max-tasks %d%s", before, enough, after)
}

// SwitchFloor is the hook floor of the switch phase, in nanoseconds: the median time between the
// stamps of two programs. It is absent if the phase was not timed or the floor not measured.
func (q Quality) SwitchFloor() Quantity { return floorOf(q.ProbeFloorNS) }

// PickFloor is the hook floor of the pick phase.
func (q Quality) PickFloor() Quantity { return floorOf(cmp.Or(q.PickFloorNS, q.ProbeFloorNS)) }

func floorOf(ns *int64) Quantity {
	if ns == nil {
		return Quantity{Unit: Nanoseconds}
	}
	return Of(float64(*ns), Nanoseconds)
}

// Clean is Quality.Clean, and also reports whether the recording, if there is one, is complete.
func (r *Report) Clean() (clean bool, reasons []string) {
	_, reasons = r.Quality.Clean()
	if rec := r.Recording; rec != nil && rec.Lost > 0 {
		reasons = append(reasons, fmt.Sprintf("events that the recording lacks: %d", rec.Lost))
	}
	return len(reasons) == 0, reasons
}

// Clean reports whether the figures can be used as they are. If not, each reason says what is wrong
// and how often.
func (q Quality) Clean() (clean bool, reasons []string) {
	count := func(n uint64, format string) {
		if n > 0 {
			reasons = append(reasons, fmt.Sprintf(format, n))
		}
	}
	count(q.Lost.UnmatchedPick, "switches without their pick phase: %d")
	count(q.Lost.UnmatchedSwitch, "switches without their switch phase: %d")
	count(q.Lost.Unwatched, "switches on cores that came online later: %d")
	if n := q.Lost.UnplacedSlices; n > 0 {
		reasons = append(reasons, fmt.Sprintf("tasks without a place, because the task map was full: %d%s, with %d "+
			"slices, which are only in their cores' times", q.Lost.MapFull, q.MoreRoom(" (", ")"), n))
	} else {
		count(q.Lost.MapFull, "tasks not watched, nor the tasks that they created, because the task map was full: %d"+
			q.MoreRoom(" (", ")"))
	}
	count(q.Lost.DroppedTasks, "ended tasks whose row was lost: %d"+q.MoreRoom(" (", ")"))
	count(q.RecursionMisses, "calls of hooks that the kernel skipped: %d")
	if n := q.ComparedWorkers - q.ReconciledWorkers; n > 0 {
		reasons = append(reasons, fmt.Sprintf(
			"workers whose switch counts differ from the kernel's own: %d of %d compared", n, q.ComparedWorkers))
	}
	if n := q.CreatedTasks - q.ReconciledCreated; n > 0 {
		reasons = append(reasons, fmt.Sprintf(
			"created tasks whose switch counts differ from the kernel's own: %d of %d", n, q.CreatedTasks))
	}
	if q.AccountingErrorPPM > maxAccountingErrorPPM {
		reasons = append(reasons, fmt.Sprintf("difference between a core's times and its wall time: "+
			"%d parts per million, more than the %d that are allowed", q.AccountingErrorPPM, maxAccountingErrorPPM))
	}
	if ppm := q.RuntimeErrorPPM; ppm != nil && *ppm > maxRuntimeErrorPPM {
		reasons = append(reasons, fmt.Sprintf("difference between workers' time on cores and what the kernel's "+
			"sum_exec_runtime allows: %d parts per million, more than the %d that are allowed",
			*ppm, maxRuntimeErrorPPM))
	}
	return len(reasons) == 0, reasons
}
