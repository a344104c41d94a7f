// Package bpf is the kernel half of slicetrace: programs for the tracepoints of the
// scheduler and of timers, the maps in which they count, and Load, which loads what this
// kernel supports.
//
//	sched_entry_tp ─ e0 ┐
//	sched_switch ─ s0 … s1 ┤→ st_cpus, st_sums  counters and histograms of each core
//	sched_exit_tp ─ x0 ┘   → st_tasks           a record for each watched task
//	sched_wakeup(_new)     → which task was woken onto which core, and since when it waits
//	sched_process_fork     → children of watched tasks are watched, from sched_wakeup_new
//	                         at the latest
//	sched_process_exec     → the tid that a thread takes over from another
//	sched_process_exit     → when a watched task ended
//	hrtimer_expire_entry, _exit → ticks, and which of them asked for a switch
//	an iterator over tasks → the address of a task that is to be watched
//
// Before Linux 6.15 other hooks are in place of sched_entry_tp and sched_exit_tp: see hooks.go.
//
// Only the records of watched tasks that ended are streamed, unless a recording is made.
// layout.h has the layout of the maps; the bindings are generated and committed.
//
// # The light way
//
// LoadLight loads programs that watch every task of a running machine, with times that the
// kernel has taken anyway:
//
//	sched_switch           → st_cpus, st_sums   as above
//	                       → st_tasks, st_facts, st_dists   counts, facts and distributions
//	                         of each task
//	                       → st_ended_even, st_ended_odd in turns   tasks that ended before a
//	                         reader saw them
//	task_rename, sched_process_exec → names and tids that change
//	hrtimer_expire_entry, _exit     → ticks
//	an iterator over tasks → users and control groups that change
//
// The hooks that bound phases are attached for moments. The README tells what differs.
//
// # Bounds
//
// Each bound, what happens where it is met, and its test:
//
//   - As many cores as the kernel can have. A switch on another core is counted
//     (Globals.UnwatchedCore). TestCoreWithoutAPlace
//   - Options.Tasks watched tasks at once. A task beyond that is counted when it is born
//     (Globals.MapFull), or refused when it is to be watched. TestEveryPlaceCanBeUsed
//   - Four index cells for each task. Tasks whose cell is taken are in st_collisions,
//     which has room for all. TestTasksThatShareACell, TestEveryPlaceCanBeUsed
//   - A cell that another core is filling. Other tasks that hash to it meanwhile go into
//     st_collisions. TestCellIsBeingGivenAway
//   - A task whose end the kernel does not show. It keeps its place until another task is
//     born at its address, and is counted (Globals.DroppedTasks). TestTaskWhoseEndWasNotSeen
//   - A place, or an entry of st_collisions, that the kernel does not take back. It is lost
//     and counted (Places.Lost). TestPlacesAreToldOf
//   - The ring, for records of tasks that ended. Those that find no room stay in their
//     places until they are read. The oldest give way to a task that is born when no place
//     is free, and are counted (Globals.DroppedTasks). TestRecordsOfEndedTasksWhileTheRingIsFull
//   - The ring, for events of a recording. Those that find no room are counted, and reported
//     with the next that do. TestRecordingBlockFlushAndLoss, TestRecordingLossAtTheEnd
//   - 16 wakeups that come while the reader sends a core's events. They wait; more than 16
//     are counted as lost. TestWakeupWhileEventsAreSent
//   - The ring, for names. Those that find no room are counted (Globals.LostNames). If a
//     task renames itself more often than it switches, only the names are sent that an
//     event needs. TestNamesAreSentAsEventsNeedThem
//   - 64 entries in a core's log, and 64 events in a block. Then they are added to the
//     sums, or sent. TestLogFlushAt64Entries, TestRecordingBlockFlushAndLoss
//   - Buckets for phases of up to 8.4 ms, and for slices and waits of up to 9 min. Longer
//     ones count in the last bucket; sums and maxima are exact. TestFiguresBeyondTheirFields
//   - 32 bits for a phase. One longer than 4.3 s counts as that long. TestFiguresBeyondTheirFields
//   - 32 bits for a bucket. It wraps; its reader subtracts modulo 2^32 and comes in time.
//     TestBucketsThatWrap
//   - The last 8 tasks that were woken onto a core. If there were more, the kernel's own
//     stamps tell which task joined the queue within the slice. TestCauses
//   - The last 32 callbacks of timers that are not the tick. If there are more, the names of
//     some are asked for again. TestMoreTimersThanAreRemembered
//   - 64 tasks looked for in one pass over all tasks. More take several passes.
//     TestWatchingManyAtOnce
//   - 128 slots made free at once when loading. More take several turns. TestManyPlacesAreMade
//   - 15 letters of a name. The kernel keeps no more. TestNewTasksFirstSlice
//   - LightOptions.Tasks tasks at once in the light way. A task beyond that counts at each of
//     its switch-ins (Globals.MapFull), and is found by Light.Visit; its time is still in its
//     core's account. TestLiveWithTooFewPlaces
//   - 4096 kinds of ended tasks in the light way. Those of other kinds are added up together.
//     TestLiveAddsUpMoreKindsThanItKeeps
//   - A task of the light way whose end the kernel does not show. It is given up, and counted,
//     when another task at its address takes a core. TestLiveTaskAtAnOldAddress
//   - 32 tries, a thousand times, to read a core between two of its switches. Then reading
//     fails. TestLiveReadsTheBusiestCore
//   - A program that would run while another runs on its core. The kernel skips it and
//     counts that. A new task that was missed is watched when it first becomes runnable.
//     TestNewTaskWithoutFork
package bpf
