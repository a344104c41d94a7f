// Package bpf is the kernel half of slicetrace: programs on the scheduler's
// and the timer's tracepoints, the maps that they count in, and Load, which
// brings into the kernel what this kernel supports.
//
//	sched_entry_tp ─ e0 ┐
//	sched_switch ─ s0 … s1 ┤→ st_cpus   counters and histograms, one element a core
//	sched_exit_tp ─ x0 ┘   → st_tasks  one element a watched task
//	sched_wakeup(_new)     → who was woken onto which core, since when a worker waits
//	sched_process_fork     → children of watched tasks are watched, from sched_wakeup_new
//	                         at the latest
//	sched_process_exec     → the tid that a thread takes over from another
//	sched_process_exit     → when a watched task ended
//	hrtimer_expire_entry, _exit → ticks, and which of them asked for a switch
//	an iterator over tasks → the address of a task that is to be watched
//
// Nothing is streamed but the records of watched tasks that ended. The layout
// of the maps stands in layout.h; the bindings are generated and committed.
//
// # Bounds
//
// Each bound, what happens where it is met, and the test of that:
//
//   - Cores, as many as the kernel can have: a switch on another is counted
//     (Globals.UnwatchedCore). TestCoreWithoutAPlace
//   - Options.Tasks watched at once: a task beyond is counted when it is born
//     (Globals.MapFull), or refused when it is to be watched. TestEveryPlaceCanBeUsed
//   - Cells of the index, four a task: tasks whose cell is taken stand in st_collisions,
//     which has room for all. TestTasksThatShareACell, TestEveryPlaceCanBeUsed
//   - A cell that is being given away cannot be had by others meanwhile: they stand in
//     st_collisions. TestCellIsBeingGivenAway
//   - A task whose end the kernel does not show keeps its place until another is
//     born at its address, and is counted (Globals.DroppedTasks). TestTaskWhoseEndWasNotSeen
//   - A place, or an entry of st_collisions, that the kernel does not take back is lost and
//     counted (Places.Lost). TestPlacesAreToldOf
//   - The ring, for records of tasks that ended: those that find no room stay in their
//     places until they are read. The oldest give way to a task that is born when no place
//     is free, and are counted (Globals.DroppedTasks). TestRecordsOfEndedTasksWhileTheRingIsFull
//   - The ring, for events of a recording: those that find no room are counted, and said
//     with the next that do. TestRecordingBlockFlushAndLoss, TestRecordingLossAtTheEnd
//   - 16 wakeups that come while a core's events are being sent by the reader: they wait;
//     more are counted as lost. TestWakeupWhileEventsAreSent
//   - The ring, for names: those that find no room are counted (Globals.LostNames); of a
//     task that renames itself more often than it switches only those are sent that an
//     event needs. TestNamesAreSentAsEventsNeedThem
//   - 64 entries in a core's log, 64 events on their way: then they are added to the sums,
//     or sent. TestLogFlushAt64Entries, TestRecordingBlockFlushAndLoss
//   - Buckets for phases of up to 8.4 ms, for slices and waits of up to 9 min: what is longer
//     counts in the last; sums and maxima are exact. TestFiguresBeyondTheirFields
//   - 32 bits for a phase: what is longer than 4.3 s counts as that long. TestFiguresBeyondTheirFields
//   - 32 bits for a bucket: it wraps, and its reader subtracts modulo 2^32 and comes in
//     time. TestBucketsThatWrap
//   - The last 8 woken onto a core: of more, the kernel's own stamps tell who joined the
//     queue within the slice. TestCauses
//   - The last 32 callbacks of timers that are no tick: of more, names are asked for anew.
//     TestMoreTimersThanAreRemembered
//   - 64 tasks looked for in one pass over all tasks: more take several. TestWatchingManyAtOnce
//   - 128 places made free at once when loading: more take several. TestManyPlacesAreMade
//   - 15 letters of a name: the kernel keeps no more.
//     TestNewTasksFirstSlice
//   - A program that would run while another runs on its core is skipped by the kernel,
//     which counts that; who is missed when it is born is seen to when it first becomes runnable.
//     TestNewTaskWithoutFork
package bpf
