package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// longestSlice is the longest slice of a trial. It is absent if it exceeds the bound only because
// of the time that the hypervisor took from its core, and if it is within the bound but the trial
// was too short for a longer one.
func longestSlice() metric.Metric {
	m := metric.New("longest time slice", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		length, _ := metric.SliceLengths([]*report.Trial{t})
		var stolen int64
		for i := range t.Cores {
			for _, s := range t.Cores[i].Slices {
				if s.Length.MaxNS == length.MaxNS {
					stolen = max(stolen, t.Cores[i].StealNS)
				}
			}
		}
		longest := float64(length.MaxNS)
		if longest > longestTurnNS {
			return longest, longest-float64(stolen) > longestTurnNS && len(t.Workers) > 1
		}
		return longest, float64(t.DurationNS) >= 2*longestTurnNS && length.Count > 0 && len(t.Workers) > 1
	})
	m.Longest = true
	return m
}

func slicing(e *evidence) string {
	l := oneCore()
	typical := e.within(l, metric.SliceP50(), shortestNS, unbounded())
	long := e.always(l, longestSlice(), 0, longestTurnNS)
	if len(long) == 0 {
		e.parts, e.missing = nil, tooShort(e, l)
		return ""
	}
	e.need(len(typical) > 0, "needs ten slices a trial")
	return fmt.Sprintf("half of the slices last up to %s, the longest of all rounds %s%s",
		quote(typical), extreme(long, false).Quantity(), exceptions(long))
}
