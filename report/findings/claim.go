package findings

import "math"

// Claim is a statement of textbooks about processes, threads, concurrency and time slices, which a
// report can support or contradict for one machine.
//
// A trial is one sample. "Exceeds by f" compares two loads or modes, round by round: the part is
// supported if the whole 95 % interval of the ratio is at least f, and contradicted if all of it is
// below. "At least" and "at most" bound a figure: the part is supported if the whole interval of
// its median is within the bound, and contradicted if all of it is outside, on one side. "Always"
// applies to each round: a single round that breaks the bound contradicts. Everything else is
// inconclusive, and so are fewer than six rounds that break nothing. Parts marked "each" make a
// family, which is contradicted only if all its parts are. Any other claim is contradicted by one
// part, and supported only if all its parts could be measured. Trials that were too short to show
// the opposite of a part are left out of it. If other programs took more than 10 % of core time in
// the trials of a claim's workloads, the claim is not contradicted, and no bound on a time (C13,
// C15, C17) is supported, since they may be the reason. slicetrace's own processes do not count as
// other programs, if the report has their time. Each claim is tested alone: of twenty figures that
// do not really differ, one may seem to.
//
//	claim  parts
//	C1     each variant of counter: of what the other workers wrote to a word at the same
//	       virtual address, workers read always nothing in processes, always all in
//	       threads; needs both modes. Memory decides nothing: it depends on the program
//	C2     spawn: the time to create, run and join a task of processes exceeds
//	       threads' by 1.05
//	C3     each of pipe, socket, futex, messaging: operations a second of threads
//	       exceed processes' by 1.05
//	C4     each of pipe, futex, yield: cost of a switch p50 (its switch phase where
//	       pick is not measured) of processes exceeds threads' by 1.05; decided if the
//	       verdict is the same with the hook floor in the times and without it
//	C5     crash, of the workers other than the one that dies, always: in processes all
//	       survive, in threads none; needs both modes
//	C6     each of messaging and scale with the most workers, if these are 16 or more
//	       and had 10 slices each: operations a second of threads exceed processes' by
//	       1.05; and memory (PSS) of each further worker of scale, the slope of the line
//	       through its variants, of processes exceeds threads' by 1.05
//	C7     updates lost without synchronisation at least 1 in 1 000 000; with an
//	       atomic add, and with a lock, always none; operations a second without
//	       synchronisation exceed those with an atomic add by 1.05, and those with a
//	       lock; each of the two in either mode
//	C8     of the kinds of work in "Processes or threads?", including surviving a crash,
//	       threads are better for one and processes for another; contradicted if six or
//	       more are decided, computing, waiting and creating among them, with one result
//	C9     spin on one core, in trials of two rotations or more: always all workers
//	       make progress, and have two slices or more
//	C10    many sleepers on one core: operations a second exceed one sleeper's by 1.5
//	C11    scale with as many workers as cores, or nearly: operations a second exceed
//	       one worker's; contradicted if all of the interval is below 1.05 and it is not
//	       wholly above 1; needs 2 cores
//	C12    spin on all cores ÷ on one: parallelism at least 1.5; needs 2 cores
//	C13    spin on one core, in trials of 60 ms or more: slices p50 at least 1 µs; the
//	       longest always at most 30 ms, stolen time not counted: three ticks of the
//	       slowest tick rate of kernels, which is still a matter of milliseconds
//	C14    in trials with 8 slices a worker: of CPU time of spin on one core, smallest
//	       share ÷ largest at least 0.8; under nice, the ratio of shares within 15 % of
//	       the ratio of weights
//	C15    the interactive worker's longest wait always at most 100 ms; always all
//	       CPU-bound workers run
//	C16    spin on one core: slices ended by tick at least 50 %, without the last slice
//	       of each worker; a lone worker: slices ended by tick at most 5 % of the core's
//	       busy ticks
//	C17    spin on one core, in trials of 150 ms or more: duration ÷ slices, of the worker
//	       with the fewest, at most 100 ms
type Claim struct {
	// ID is C1 to C17.
	ID string
	// Title is the subject in a few words, and Statement the claim itself.
	Title     string
	Statement string
	// Workloads are those whose trials decide the claim.
	Workloads []string

	// holds and fails are beginnings of the finding's sentence.
	holds, fails string
	// family is true if each part is a case of the claim by itself.
	family bool
	// absolute is true if the claim bounds a time, which other programs can change.
	absolute bool
	// bothModes is true if the claim compares processes with threads.
	bothModes bool
	// decide collects the evidence and returns the facts as a clause.
	decide func(*evidence) string
}

// The thresholds of the table above.
const (
	clearlyMore      = 1.05
	many             = 16 // workers
	fewSlices        = 10 // with fewer, a worker's creation outweighs its work
	leastTurns       = 2
	overlapBy        = 1.5
	parallelBy       = 1.5
	inProportion     = 90.0 // percent
	fairShare        = 0.8
	niceWithin       = 1.15
	leastShareSlices = 8 // one slice more or less is 12 % of the share
	shortestNS       = 1e3
	longestTurnNS    = 30e6
	noticeableNS     = 100e6 // a pause that people notice: Miller 1968, Nielsen 1993
	mostlyTick       = 50.0  // percent
	seldomTick       = 5.0   // percent
	lostPPM          = 1.0
)

// BusyShare is the part of core time, 0 to 1, above which other programs may have caused a figure:
// then nothing is contradicted, and no bound on a time is supported.
const BusyShare = 0.10

// unbounded is the upper bound of a figure that has none.
func unbounded() float64 { return math.Inf(1) }

// Claims returns all claims in order.
func Claims() []Claim {
	return append(modeClaims(), scheduleClaims()...)
}

// modeClaims are about the differences between processes and threads.
func modeClaims() []Claim {
	return []Claim{
		{ID: "C1", Title: "Memory of their own",
			Statement: "Each process has its own memory; the threads of a process share it.",
			Workloads: []string{"counter"},
			holds:     "Processes have memory of their own, threads share it",
			fails:     "Memory was not separate or shared as claimed",
			bothModes: true, decide: owning},
		{ID: "C2", Title: "Cost of creation",
			Statement: "A process takes longer to create and to end than a thread.",
			Workloads: []string{"spawn"},
			holds:     "Processes cost more to create",
			fails:     "Processes do not cost more to create",
			bothModes: true, decide: creating},
		{ID: "C3", Title: "Cost of communication",
			Statement: "Workers pass messages faster as threads than as processes.",
			Workloads: []string{"pipe", "socket", "futex", "messaging"},
			holds:     "Threads communicate faster",
			fails:     "Threads do not communicate faster",
			family:    true, bothModes: true, decide: talking},
		{ID: "C4", Title: "Cost of a switch",
			Statement: "A switch between processes costs the kernel more time than one between threads of a process.",
			Workloads: []string{"pipe", "futex", "yield", "workingset"},
			holds:     "Process switches cost more",
			fails:     "Process switches do not cost more",
			family:    true, bothModes: true, decide: switching},
		{ID: "C5", Title: "Isolation of crashes",
			Statement: "A process that crashes leaves the others alive; a thread that crashes ends its whole process.",
			Workloads: []string{"crash"},
			holds:     "A crash stays within its process",
			fails:     "A crash did not end its own process only",
			bothModes: true, decide: crashing},
		{ID: "C6", Title: "Many workers",
			Statement: "Many workers get more done, and take less memory, as threads than as processes.",
			Workloads: []string{"messaging", "scale"},
			holds:     "Many threads cost less",
			fails:     "Many threads do not cost less",
			bothModes: true, decide: keepingMany},
		{ID: "C7", Title: "Shared memory",
			Statement: "Unsynchronised changes to a shared word get lost; atomics and locks prevent this, at a price.",
			Workloads: []string{"counter"},
			holds:     "Shared memory needs synchronisation",
			fails:     "Shared memory did not behave as claimed",
			decide:    sharing},
		{ID: "C8", Title: "The right choice",
			Statement: "Whether processes or threads are better depends on the work.",
			Workloads: []string{"pipe", "futex", "messaging", "spin", "spawn", "sleep", "crash"},
			holds:     "The choice depends on the work", fails: "The choice is the same for all work",
			bothModes: true, decide: choosing},
	}
}

// scheduleClaims are about how workers of either mode share the cores.
func scheduleClaims() []Claim {
	return []Claim{
		{ID: "C9", Title: "One core, many tasks",
			Statement: "On one core many tasks make progress in turns: one runs at a time, all are in progress.",
			Workloads: []string{"spin"},
			holds:     "Many tasks make progress on one core in turns",
			fails:     "Many tasks did not make progress on one core in turns",
			decide:    interleaving},
		{ID: "C10", Title: "Overlapping waits",
			Statement: "Even on one core, work that mostly waits gains from having many tasks in progress.",
			Workloads: []string{"sleep"},
			holds:     "Waits overlap on one core", fails: "Waits did not overlap on one core", decide: overlapping},
		{ID: "C11", Title: "Speed-up by cores",
			Statement: "Work that computes is done sooner on more cores.",
			Workloads: []string{"scale"},
			holds:     "More cores compute faster", fails: "More cores did not compute faster", decide: scaling},
		{ID: "C12", Title: "Concurrent or parallel",
			Statement: "To be in progress is not to run: the same workers run at once only on several cores.",
			Workloads: []string{"spin"},
			holds:     "Concurrency is not parallelism",
			fails:     "Concurrency and parallelism did not differ",
			decide:    running},
		{ID: "C13", Title: "Bounded slices",
			Statement: "A task for which others wait keeps its core for micro- to milliseconds, then loses it.",
			Workloads: []string{"spin"},
			holds:     "Slices are bounded",
			fails:     "Slices are not bounded as claimed",
			absolute:  true, decide: slicing},
		{ID: "C14", Title: "Fair shares",
			Statement: "Tasks of the same priority get equal shares of a core, others get shares by their weight.",
			Workloads: []string{"spin"},
			holds:     "Shares are fair", fails: "Shares are not fair", decide: sharingCore},
		{ID: "C15", Title: "No monopoly",
			Statement: "No task keeps a core from another that needs it for longer than a person notices.",
			Workloads: []string{"interactive"},
			holds:     "No task monopolises the core", fails: "A task waited noticeably long",
			absolute: true, decide: monopoly},
		{ID: "C16", Title: "The timer's role",
			Statement: "Timer interrupts end the slices of tasks that compete, and leave a lone task on its core.",
			Workloads: []string{"spin"},
			holds:     "The timer ends slices", fails: "The timer does not end slices as claimed", decide: ticking},
		{ID: "C17", Title: "Seeming to run at once",
			Statement: "Turns come so often that all tasks seem to run at once.",
			Workloads: []string{"spin"},
			holds:     "Tasks seem to run at once", fails: "Turns come noticeably late",
			absolute: true, decide: rotating},
	}
}
