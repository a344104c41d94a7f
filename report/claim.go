package report

import "math"

// Claim is something that textbooks say of processes, threads, concurrency and
// time slices, and that a report can decide for one machine.
//
// A trial is one sample. "Exceeds by f" compares two loads or modes, round by round:
// supported if the whole 95 % interval of the ratio is at least f, contradicted if all
// of it is below. "At least" and "at most" bound a figure: supported if the whole
// interval of its median keeps the bound, contradicted if all of it breaks the bound,
// on one side. "Always" asks each round: one that breaks the bound contradicts. All
// else is inconclusive, as are fewer than six rounds that break nothing. Parts marked
// "each" make a family, contradicted only if all parts are; any other claim is
// contradicted by one part. Where other tasks took more than 10 % of core time
// in the trials of a claim's workloads, nothing contradicts it: it may be their
// doing. Each claim is tested alone: of twenty true equalities, one may look like
// a difference.
//
//	claim  parts
//	C1     workingset with the most workers: memory (PSS), private memory and page
//	       tables a worker of processes exceed threads' by 1.05
//	C2     spawn: the time to create, run and join a task of processes exceeds
//	       threads' by 1.05
//	C3     each of pipe, socket, futex, messaging: operations a second of threads
//	       exceed processes' by 1.05
//	C4     each of pipe, futex, yield: cost of a switch p50 (its switch phase where
//	       pick is not measured) of processes exceeds threads' by 1.05
//	C5     crash, of the workers but the one that dies, always: in processes all live
//	       on, in threads none; needs both modes
//	C6     each of messaging and scale with the most workers: operations a second
//	       of threads exceed processes' by 1.05; for the latter, memory (PSS) a
//	       worker of processes exceeds threads' by 1.05
//	C7     updates lost without synchronisation at least 1 in 1 000 000; with an
//	       atomic add, and with a lock, always none
//	C8     two of the kinds of work in "Processes or threads?" favour differently
//	C9     spin on one core: parallelism at most 1.05; concurrency at least 0.9 of
//	       the workers; always all workers advance
//	C10    many sleepers on one core: operations a second exceed one sleeper's by 1.5
//	C11    scale with as many workers as cores, or nearly: speed-up at least 0.75 of
//	       the workers; needs 2 cores
//	C12    spin on all cores ÷ on one: concurrency from 0.9 to 1.1, parallelism at
//	       least 1.5; needs 2 cores
//	C13    spin on one core: slices p50 at least 1 µs, p99 at most 100 ms
//	C14    Jain index at least 0.95: of CPU time of spin on one core, and of CPU time
//	       by weight under nice
//	C15    the interactive worker's longest wait always at most 100 ms; always all
//	       hogs advance
//	C16    spin on one core: slices ended by tick at least 50 %; a lone worker:
//	       slices ended by tick at most 5 % of the core's busy ticks
//	C17    spin on one core: a full rotation takes at most 100 ms
type Claim struct {
	// ID is C1 to C17.
	ID string
	// Title is the subject in a few words, and Statement the claim.
	Title     string
	Statement string
	// Workloads are those whose trials answer the claim.
	Workloads []string

	// holds and fails begin the finding's sentence.
	holds, fails string
	// family: each part is a case of the claim by itself.
	family bool
	// bothModes: the claim compares processes with threads.
	bothModes bool
	// decide collects the evidence and returns its facts as a clause.
	decide func(*evidence) string
}

// The thresholds of the table above.
const (
	dearerBy     = 1.05
	alone        = 1.05 // parallelism of what shares one core
	inProgress   = 0.9  // of the workers
	overlapBy    = 1.5
	efficient    = 0.75
	parallelBy   = 1.5
	fairIndex    = 0.95
	shortestNS   = 1e3
	noticeableNS = 100e6 // a pause that people notice: Miller 1968, Nielsen 1993
	mostlyTick   = 50.0  // percent
	seldomTick   = 5.0   // percent
	lostPPM      = 1.0
	busyShare    = 0.10
)

// unbounded is the upper bound of what has none.
func unbounded() float64 { return math.Inf(1) }

// Claims returns all claims in order.
func Claims() []Claim {
	return append(modeClaims(), scheduleClaims()...)
}

// modeClaims are about what sets processes and threads apart.
func modeClaims() []Claim {
	return []Claim{
		{ID: "C1", Title: "Memory of their own",
			Statement: "Each process has memory to itself; threads of one process use the same.",
			Workloads: []string{"workingset"},
			holds:     "Processes own memory, threads share it", fails: "Processes hold no more memory", bothModes: true, decide: owning},
		{ID: "C2", Title: "Cost of creation",
			Statement: "A process takes longer to create and to end than a thread.",
			Workloads: []string{"spawn"},
			holds:     "Processes are dearer to create", fails: "Processes are not dearer to create", bothModes: true, decide: creating},
		{ID: "C3", Title: "Cost of talking",
			Statement: "Workers hand messages over faster as threads than as processes.",
			Workloads: []string{"pipe", "socket", "futex", "messaging"},
			holds:     "Threads talk faster", fails: "Threads talk no faster", family: true, bothModes: true, decide: talking},
		{ID: "C4", Title: "Cost of a switch",
			Statement: "A switch between processes costs the kernel more time than one between threads of a process.",
			Workloads: []string{"pipe", "futex", "yield", "workingset"},
			holds:     "Process switches are dearer", fails: "Process switches are not dearer", family: true, bothModes: true, decide: switching},
		{ID: "C5", Title: "Isolation of crashes",
			Statement: "A process that crashes leaves the others alive; a thread that crashes ends them all.",
			Workloads: []string{"crash"},
			holds:     "A crash stays within its process", fails: "A crash did not stay within its process alone", bothModes: true, decide: crashing},
		{ID: "C6", Title: "Keeping many",
			Statement: "Many workers get more done, and take less memory, as threads than as processes.",
			Workloads: []string{"messaging", "scale"},
			holds:     "Many threads are cheaper to keep", fails: "Many threads are no cheaper to keep", family: true, bothModes: true, decide: keepingMany},
		{ID: "C7", Title: "Shared memory",
			Statement: "Unsynchronised changes to a shared word get lost; atomics and locks prevent it, at a price.",
			Workloads: []string{"counter"},
			holds:     "Sharing needs synchronising", fails: "Sharing did not behave as claimed", decide: sharing},
		{ID: "C8", Title: "The right choice",
			Statement: "Whether processes or threads serve better depends on the work.",
			Workloads: []string{"pipe", "spin"},
			holds:     "The choice depends on the work", fails: "The choice is the same for all work", bothModes: true, decide: choosing},
	}
}

// scheduleClaims are about how the workers of either mode share the cores.
func scheduleClaims() []Claim {
	return []Claim{
		{ID: "C9", Title: "One core, many tasks",
			Statement: "One core advances many tasks by turns: one runs at a time, all are in progress.",
			Workloads: []string{"spin"},
			holds:     "One core advances many tasks by turns", fails: "One core did not advance many tasks by turns", decide: interleaving},
		{ID: "C10", Title: "Overlapping waits",
			Statement: "Even on one core, work that mostly waits gains from having many in progress.",
			Workloads: []string{"sleep"},
			holds:     "Waits overlap on one core", fails: "Waits did not overlap on one core", decide: overlapping},
		{ID: "C11", Title: "Speed-up by cores",
			Statement: "Work that computes ends sooner on more cores.",
			Workloads: []string{"scale"},
			holds:     "More cores compute faster", fails: "More cores did not compute faster in proportion", decide: scaling},
		{ID: "C12", Title: "Concurrent or parallel",
			Statement: "To be in progress is not to run: the same workers run at once only on several cores.",
			Workloads: []string{"spin"},
			holds:     "Concurrency is not parallelism", fails: "Concurrency and parallelism went together", decide: running},
		{ID: "C13", Title: "Bounded slices",
			Statement: "A task that others wait behind keeps its core for micro- to milliseconds, then loses it.",
			Workloads: []string{"spin"},
			holds:     "Slices are bounded", fails: "Slices are not bounded as claimed", decide: slicing},
		{ID: "C14", Title: "Fair shares",
			Statement: "Tasks of one priority get equal shares of a core, others shares by their weight.",
			Workloads: []string{"spin"},
			holds:     "Shares are fair", fails: "Shares are not fair", decide: sharingCore},
		{ID: "C15", Title: "No monopoly",
			Statement: "No task keeps a core from another that wants it for longer than a person notices.",
			Workloads: []string{"interactive"},
			holds:     "No task monopolises the core", fails: "A task waited noticeably long", decide: monopoly},
		{ID: "C16", Title: "The timer's part",
			Statement: "Timer interrupts end the slices of tasks that compete, and leave a lone task on its core.",
			Workloads: []string{"spin"},
			holds:     "The timer ends slices", fails: "The timer does not end slices as claimed", decide: ticking},
		{ID: "C17", Title: "Seeming to run at once",
			Statement: "Turns come round so quickly that all tasks seem to run at once.",
			Workloads: []string{"spin"},
			holds:     "Turns come round unnoticed", fails: "Turns come round noticeably late", decide: rotating},
	}
}
