// Package collector attaches the kernel half, watches tasks, and turns what it
// counted into the figures of a report.
//
//	c, err := collector.Open(collector.Options{Tasks: 64})
//	defer c.Close()
//	c.Watch(collector.Task{PID: pid, TID: tid})
//	before, err := c.Snapshot()
//	… the work …
//	after, err := c.Snapshot()
//	interval := after.Since(before)
//
// The kernel only ever counts up; a Snapshot is a copy of its counts, each
// core's taken on that core in one instant, and what happened in between is
// after minus before. The slice under way is part of a snapshot, so that a
// core's idle, workers', others' and own time add up to its wall time.
package collector
