package findings

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
// contradicted by one part, and supported only if all its parts could be measured.
// Trials that were too short to show the opposite of a part are left out of it. Where
// tasks of others took more than 10 % of core time in the trials of a claim's workloads,
// nothing contradicts it, and nothing supports a bound in time (C13, C15, C17): it may be
// their doing. The tool's own processes are not others where the report tells of them.
// Each claim is tested alone: of twenty true equalities, one may look like a difference.
//
//	claim  parts
//	C1     each form of counter: of what others wrote to a word at the same virtual
//	       address, workers read always nothing in processes, always all in threads;
//	       needs both modes. Memory decides nothing: it is the program's
//	C2     spawn: the time to create, run and join a task of processes exceeds
//	       threads' by 1.05
//	C3     each of pipe, socket, futex, messaging: operations a second of threads
//	       exceed processes' by 1.05
//	C4     each of pipe, futex, yield: cost of a switch p50 (its switch phase where
//	       pick is not measured) of processes exceeds threads' by 1.05; decided where
//	       that is so or not so both with the hook floor in the times and without
//	C5     crash, of the workers but the one that dies, always: in processes all live
//	       on, in threads none; needs both modes
//	C6     each of messaging and scale with the most workers, if these are 16 or more
//	       and had 10 slices each: operations a second of threads exceed processes' by
//	       1.05; and memory (PSS) of each further worker of scale, the slope of the line
//	       through its forms, of processes exceeds threads' by 1.05
//	C7     updates lost without synchronisation at least 1 in 1 000 000; with an
//	       atomic add, and with a lock, always none; operations a second without exceed
//	       those with an atomic add by 1.05, and those with a lock; each of the two in
//	       either mode
//	C8     of the kinds of work in "Processes or threads?", outliving a crash among
//	       them, one favours threads and one processes; contradicted if six or more are
//	       decided, computing, waiting and creating among them, and all alike
//	C9     spin on one core, in trials of two rotations or more: always all workers
//	       advance, and have two slices or more
//	C10    many sleepers on one core: operations a second exceed one sleeper's by 1.5
//	C11    scale with as many workers as cores, or nearly: operations a second exceed
//	       one worker's; contradicted if all of the interval is below 1.05 and some of it
//	       not above 1; needs 2 cores
//	C12    spin on all cores ÷ on one: parallelism at least 1.5; needs 2 cores
//	C13    spin on one core, in trials of 60 ms or more: slices p50 at least 1 µs; the
//	       longest always at most 30 ms, stolen time not counted: three ticks of the
//	       slowest clock that kernels have, and still a matter of milliseconds
//	C14    in trials with 8 slices a worker: of CPU time of spin on one core, smallest
//	       share ÷ largest at least 0.8; under nice, the ratio of shares within 15 % of
//	       the ratio of weights
//	C15    the interactive worker's longest wait always at most 100 ms; always all
//	       hogs advance
//	C16    spin on one core: slices ended by tick at least 50 %, not counting the one
//	       in which a worker comes to its end; a lone worker: slices ended by tick at most
//	       5 % of the core's busy ticks
//	C17    spin on one core, in trials of 150 ms or more: duration ÷ slices, of the worker
//	       with the fewest, at most 100 ms
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
	// absolute: the claim bounds a time, which others' work makes shorter or longer.
	absolute bool
	// bothModes: the claim compares processes with threads.
	bothModes bool
	// decide collects the evidence and returns its facts as a clause.
	decide func(*evidence) string
}

// The thresholds of the table above.
const (
	dearerBy         = 1.05
	many             = 16 // workers
	fewSlices        = 10 // in a life that is mostly birth
	leastTurns       = 2
	overlapBy        = 1.5
	parallelBy       = 1.5
	inProportion     = 90.0 // percent
	fairShare        = 0.8
	niceWithin       = 1.15
	leastShareSlices = 8 // of which one is 12 % of the share
	shortestNS       = 1e3
	longestTurnNS    = 30e6
	noticeableNS     = 100e6 // a pause that people notice: Miller 1968, Nielsen 1993
	mostlyTick       = 50.0  // percent
	seldomTick       = 5.0   // percent
	lostPPM          = 1.0
)

// BusyShare is the part of core time, 0 to 1, above which a figure may be the work of other
// programs: nothing is contradicted then, and no bound on a time supported.
const BusyShare = 0.10

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
			Workloads: []string{"counter"},
			holds:     "Processes own memory, threads share it", fails: "Memory was not owned or shared as claimed", bothModes: true, decide: owning},
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
			holds:     "Many threads are cheaper to keep", fails: "Many threads are no cheaper to keep", bothModes: true, decide: keepingMany},
		{ID: "C7", Title: "Shared memory",
			Statement: "Unsynchronised changes to a shared word get lost; atomics and locks prevent it, at a price.",
			Workloads: []string{"counter"},
			holds:     "Sharing needs synchronising", fails: "Sharing did not behave as claimed", decide: sharing},
		{ID: "C8", Title: "The right choice",
			Statement: "Whether processes or threads serve better depends on the work.",
			Workloads: []string{"pipe", "futex", "messaging", "spin", "spawn", "sleep", "crash"},
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
			holds:     "More cores compute faster", fails: "More cores did not compute faster", decide: scaling},
		{ID: "C12", Title: "Concurrent or parallel",
			Statement: "To be in progress is not to run: the same workers run at once only on several cores.",
			Workloads: []string{"spin"},
			holds:     "Concurrency is not parallelism", fails: "Concurrency and parallelism went together", decide: running},
		{ID: "C13", Title: "Bounded slices",
			Statement: "A task that others wait behind keeps its core for micro- to milliseconds, then loses it.",
			Workloads: []string{"spin"},
			holds:     "Slices are bounded", fails: "Slices are not bounded as claimed", absolute: true, decide: slicing},
		{ID: "C14", Title: "Fair shares",
			Statement: "Tasks of one priority get equal shares of a core, others shares by their weight.",
			Workloads: []string{"spin"},
			holds:     "Shares are fair", fails: "Shares are not fair", decide: sharingCore},
		{ID: "C15", Title: "No monopoly",
			Statement: "No task keeps a core from another that wants it for longer than a person notices.",
			Workloads: []string{"interactive"},
			holds:     "No task monopolises the core", fails: "A task waited noticeably long", absolute: true, decide: monopoly},
		{ID: "C16", Title: "The timer's part",
			Statement: "Timer interrupts end the slices of tasks that compete, and leave a lone task on its core.",
			Workloads: []string{"spin"},
			holds:     "The timer ends slices", fails: "The timer does not end slices as claimed", decide: ticking},
		{ID: "C17", Title: "Seeming to run at once",
			Statement: "Turns come round so quickly that all tasks seem to run at once.",
			Workloads: []string{"spin"},
			holds:     "Turns come round unnoticed", fails: "Turns come round noticeably late", absolute: true, decide: rotating},
	}
}
