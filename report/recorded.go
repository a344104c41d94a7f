package report

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
}
