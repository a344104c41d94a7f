package report

// Recording is what a run recorded beside what it counted.
type Recording struct {
	// ID is that of the recording's own header, by which they know each other, "" in a
	// report of an older version.
	ID string `json:"id,omitempty"`
	// Switches and Wakeups are what the file holds, in Bytes, and Counted the
	// switches that the counters saw over the same time.
	Switches uint64 `json:"switches"`
	Wakeups  uint64 `json:"wakeups"`
	Counted  uint64 `json:"counted"`
	Bytes    int64  `json:"bytes"`
	// Lost counts events that found no room on their way, and LostTasks names.
	Lost      uint64 `json:"lost"`
	LostTasks uint64 `json:"lost_tasks"`
	// ToolCPUNS is the processor time that the tool itself used, in WallNS.
	ToolCPUNS int64 `json:"tool_cpu_ns"`
	WallNS    int64 `json:"wall_ns"`
}
