//go:build linux

package workloads

import (
	"slices"
	"syscall"
	"time"
)

// Variant is a variant of a workload: it has a trial of its own in every round and mode.
type Variant struct {
	// Name is "" for the plain variant.
	Name string
	// Workers is the number of workers, or 0 if the plan or the workload sets it.
	Workers int

	// workers is the default number of workers, or 0 for the workload's.
	workers int
	// duration is how long a trial lasts if the plan does not set it, 0 for the
	// workload's duration.
	duration time.Duration
	// stretch multiplies the fixed work of a trial; 0 is 1.
	stretch int
	// modes are the modes in which the variant exists; nil for both.
	modes []Mode
	// firstCore keeps all workers on the first of the trial's cores.
	firstCore bool
	// apart puts each worker on a core of its own, those of a pair too.
	apart bool
	// nice holds nice levels, relative to the tool's, that workers take in turn.
	nice []int
	// buffer is how many bytes of memory each worker works on, a power of two; 0
	// if the workload needs none.
	buffer int
	// byPages makes a worker touch one line in each page of the buffer instead of every
	// line, and shared gives all workers the same buffer.
	byPages, shared bool
	// body replaces the workload's if it is not nil.
	body func(*worker) syscall.Errno
}

// Variants returns the variants that the workload has on that many cores, at
// least one, in running order.
func (w Workload) Variants(cores int) []Variant {
	if w.variants == nil {
		return []Variant{{}}
	}
	return w.variants(cores)
}

// Missing reports which variants the workload cannot have on that many cores of this
// machine, and why: one clause for each.
func (w Workload) Missing(cores int) []string {
	if w.missing == nil {
		return nil
	}
	return w.missing(cores)
}

// runsIn reports whether the variant exists in a mode.
func (v Variant) runsIn(mode Mode) bool { return v.modes == nil || slices.Contains(v.modes, mode) }

// niceOf returns the nice level of worker index.
func (v Variant) niceOf(index int) int {
	if len(v.nice) == 0 {
		return 0
	}
	return v.nice[index%len(v.nice)]
}

// placement returns the cores that worker index may run on, out of cpus.
func (w Workload) placement(v Variant, index int, cpus []CPU) []CPU {
	if v.firstCore {
		return cpus[:1]
	}
	if !w.pinned {
		return cpus
	}
	if w.paired && !v.apart {
		index /= 2
	}
	core := index % len(cpus)
	return cpus[core : core+1]
}
