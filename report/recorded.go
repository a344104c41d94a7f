package report

import "fmt"

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

// digest says in a few words what was recorded, on that many cores.
func (r *Recording) digest(cores int) string {
	perSwitch := maybe(float64(r.Bytes)/float64(r.Switches), r.Switches > 0, Ratio)
	return fmt.Sprintf("Recorded: %s of %s switches and %s wakeups, %s events lost, in %s (%s bytes a switch); the tool used %s of core time.",
		ofCount(r.Switches), ofCount(r.Counted), ofCount(r.Wakeups), ofCount(r.Lost), Of(float64(r.Bytes), Bytes), perSwitch,
		percent(float64(r.ToolCPUNS), float64(r.WallNS)*float64(max(1, cores))))
}

// pairs are rows of the table quality, all absent without a recording.
func (r *Recording) pairs() []pair {
	value := func(of func() Field) Field {
		if r == nil {
			return absent()
		}
		return of()
	}
	return []pair{
		{"recorded_switches", value(func() Field { return integer(r.Switches) })},
		{"recorded_wakeups", value(func() Field { return integer(r.Wakeups) })},
		{"recorded_lost", value(func() Field { return integer(r.Lost) })},
		{"recorded_lost_tasks", value(func() Field { return integer(r.LostTasks) })},
		{"recorded_bytes", value(func() Field { return integer(r.Bytes) })},
		{"recorded_tool_cpu_ns", value(func() Field { return integer(r.ToolCPUNS) })},
	}
}
