package report

import "github.com/slicetrace/slicetrace/report/sched"

// Recording describes what a run recorded besides its counters.
type Recording struct {
	// ID is the ID in the header of the recording, which connects the two files. It is "" in
	// reports of older versions.
	ID string `json:"id,omitempty"`
	// Switches and Wakeups are the numbers of events in the file, whose size is Bytes. Counted is
	// how many switches the counters counted over the same time.
	Switches uint64 `json:"switches"`
	Wakeups  uint64 `json:"wakeups"`
	Counted  uint64 `json:"counted"`
	Bytes    int64  `json:"bytes"`
	// Lost counts events that found no room in the ring buffer, and LostTasks names of tasks.
	Lost      uint64 `json:"lost"`
	LostTasks uint64 `json:"lost_tasks"`
	// ToolCPUNS is the CPU time that slicetrace itself used during WallNS.
	ToolCPUNS int64 `json:"tool_cpu_ns"`
	WallNS    int64 `json:"wall_ns"`
	// KeepNS is set if a flight recorder kept only the last KeepNS in memory. When are the conditions
	// on which it saved them, and Windows are what it saved, each as a file. Then the numbers above
	// are sums over the files.
	KeepNS  int64            `json:"keep_ns,omitempty"`
	When    []string         `json:"when,omitempty"`
	Windows []RecordedWindow `json:"windows,omitempty"`
}

// RecordedWindow is a window that a flight recorder saved, and the case that made it do so.
type RecordedWindow struct {
	// Condition is the one of Recording.When that was met, or "SIGUSR1". TID, TGID and Comm are the
	// task that met it, absent for a signal. Comm is hostile input.
	Condition string    `json:"condition"`
	TID       sched.TID `json:"tid,omitempty"`
	TGID      sched.PID `json:"tgid,omitempty"`
	Comm      string    `json:"comm,omitempty"`
	// AtNS is when it was met, since the recording began, and LengthNS the time that was too long.
	AtNS     int64 `json:"at_ns"`
	LengthNS int64 `json:"length_ns,omitempty"`
	// SpanNS is how long the window is. Short says that it begins late, since the memory for it was
	// used up. More counts further cases in it.
	SpanNS int64  `json:"span_ns"`
	Short  bool   `json:"short,omitempty"`
	More   uint64 `json:"more,omitempty"`
}
