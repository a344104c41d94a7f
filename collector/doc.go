// Package collector attaches the kernel half, watches tasks, and turns what it
// counted into the figures of a report.
//
//	c, err := collector.Open(collector.Options{Tasks: 64})
//	defer c.Close()
//	c.Watch(collector.Task{PID: pid, TID: tid})
//	before, err := c.Snapshot()
//	… the work …
//	after, err := c.Snapshot()
//	interval, err := after.Since(before)
//
// The kernel only ever counts up. A Snapshot is a copy of its counts, each core's taken on
// that core between two of its switches, and what happened between two snapshots is after
// minus before. The slice in progress is part of a snapshot. So on each core idle time, the
// time of workers and of other tasks, and slicetrace's own time add up to wall time.
//
// # Times
//
// Stamps and counts are as the kernel side has them, uint64 nanoseconds of the kernel's
// CLOCK_MONOTONIC. What an Interval holds is int64 nanoseconds, as everywhere in package report.
// Only limits and offsets, which are no measurements, are time.Duration.
//
// # Bounds
//
// Each bound, what happens where it is met, and its test. Package bpf lists those of the
// kernel half.
//
//   - A row each for 4096 tasks that ended within one interval. Those beyond share a row
//     that says how many they are, except those from which something has to be subtracted.
//     TestEndedTasksBeyondTheRows, TestPlacesAreUsedAgain
//   - 20 minutes between two readings of the kernel's 32-bit buckets, which wrap after 71
//     minutes at a million switches a second. TestBucketsThatWrap
//   - The time that AwaitExits is given. It returns how many tasks have not ended by then.
//     TestPlacesAreToldOf
//   - 20 ms that AwaitExits waits for counted tasks that have not begun to exit. Those that
//     end later count in the next interval. TestPlacesAreToldOf
//   - Memory for what a recording has still to write. What comes meanwhile stays in the
//     ring, and is counted when that is full. TestWhatWaitsForTheDiskIsBounded,
//     TestLostEventsAreCounted
package collector
