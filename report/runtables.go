package report

import "strings"

// qualityTable has one row per figure of the trust block. lost is everything
// that is missing in the figures: the sum of unmatched, map_full, dropped_tasks
// and recursion_misses.
func (r *Report) qualityTable() Table {
	q := r.Quality
	clean := 0
	if ok, _ := q.Clean(); ok {
		clean = 1
	}
	return pairs("quality", []pair{
		{"clean", integer(clean)},
		{"switches", integer(q.Switches)},
		{"lost", integer(q.Lost.Total() + q.RecursionMisses)},
		{"unmatched", integer(q.Lost.Unmatched())},
		{"unmatched_pick", integer(q.Lost.UnmatchedPick)},
		{"unmatched_switch", integer(q.Lost.UnmatchedSwitch)},
		{"map_full", integer(q.Lost.MapFull)},
		{"dropped_tasks", integer(q.Lost.DroppedTasks)},
		{"recursion_misses", integer(q.RecursionMisses)},
		{"reconciled_workers", integer(q.ReconciledWorkers)},
		{"compared_workers", integer(q.ComparedWorkers)},
		{"workers", integer(q.Workers)},
		{"probe_floor_ns", known(q.ProbeFloorNS)},
		{"wall_ns", integer(q.WallNS)},
		{"self_ns", integer(q.SelfNS)},
		{"steal_ns", integer(q.StealNS)},
		{"accounting_error_ppm", integer(q.AccountingErrorPPM)},
		{"pick_hook", free(r.Capture.Pick)},
		{"switch_hook", free(r.Capture.Switch)},
		{"tick_hook", free(r.Capture.Tick)},
		{"unseen", integer(q.Lost.Unseen)},
	})
}

// hostTable has one row per part of the fingerprint.
func (r *Report) hostTable() Table {
	h := r.Host
	// A count of 0 was not read.
	positive := func(n int64) Field {
		if n <= 0 {
			return absent()
		}
		return integer(n)
	}
	return pairs("host", []pair{
		{"kernel", free(h.Kernel)},
		{"arch", free(h.Arch)},
		{"cpu_model", free(h.CPUModel)},
		{"cpus", positive(int64(h.CPUs))},
		{"smt", free(h.SMT)},
		{"hz", positive(int64(h.HZ))},
		{"preemption", free(h.Preemption)},
		{"scheduler", free(h.Scheduler)},
		{"base_slice_ns", known(h.BaseSliceNS)},
		{"pti", free(h.PTI)},
		{"mitigations", free(strings.Join(h.Mitigations, "; "))},
		{"clocksource", free(h.Clocksource)},
		{"hypervisor", free(h.Hypervisor)},
		{"governor", free(h.Governor)},
		{"memory_bytes", positive(h.MemoryBytes)},
		{"distribution", free(h.Distribution)},
	})
}

type pair struct {
	name  string
	value Field
}

func pairs(table string, list []pair) Table {
	t := Table{Name: table, Columns: names("name value")}
	for _, p := range list {
		t.Rows = append(t.Rows, []Field{{Text: p.name}, p.value})
	}
	return t
}
