package report

import "github.com/slicetrace/slicetrace/report/histogram"

// EndedBy is the reason why a slice ended.
type EndedBy string

// The reasons, in the order in which they are reported.
const (
	EndedByBlocked EndedBy = "blocked"
	EndedByExited  EndedBy = "exited"
	EndedByTick    EndedBy = "tick"
	EndedByWakeup  EndedBy = "wakeup"
	EndedByYield   EndedBy = "yield"
	EndedByOther   EndedBy = "other"
	// EndedByThrottled means that the task's control group had used up its CPU quota.
	EndedByThrottled EndedBy = "throttled"
)

// Causes returns all reasons in reporting order.
func Causes() []EndedBy {
	return []EndedBy{
		EndedByBlocked, EndedByExited, EndedByTick, EndedByWakeup, EndedByYield, EndedByOther, EndedByThrottled,
	}
}

// CauseCounts counts slices by the reason why they ended.
type CauseCounts struct {
	Blocked   uint64 `json:"blocked,omitempty"`
	Exited    uint64 `json:"exited,omitempty"`
	Tick      uint64 `json:"tick,omitempty"`
	Wakeup    uint64 `json:"wakeup,omitempty"`
	Yield     uint64 `json:"yield,omitempty"`
	Other     uint64 `json:"other,omitempty"`
	Throttled uint64 `json:"throttled,omitempty"`
}

// At returns the counter of one reason, nil for a reason that this version does not know.
func (c *CauseCounts) At(cause EndedBy) *uint64 {
	switch cause {
	case EndedByBlocked:
		return &c.Blocked
	case EndedByExited:
		return &c.Exited
	case EndedByTick:
		return &c.Tick
	case EndedByWakeup:
		return &c.Wakeup
	case EndedByYield:
		return &c.Yield
	case EndedByOther:
		return &c.Other
	case EndedByThrottled:
		return &c.Throttled
	}
	return nil
}

// Add adds the counts of o.
func (c *CauseCounts) Add(o CauseCounts) {
	for _, cause := range Causes() {
		*c.At(cause) += *o.At(cause)
	}
}

// SliceStats holds the lengths of workers' slices that ended for one reason.
type SliceStats struct {
	EndedBy EndedBy             `json:"ended_by"`
	Length  histogram.Histogram `json:"length"`
}
