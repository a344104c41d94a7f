package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// rotation is the time after which the worker with the fewest turns has its next one, on average:
// the duration of the trial divided by its slices. It is absent if the trial was too short to show
// that a turn comes too late.
func rotation() metric.Metric {
	return metric.New("rotation", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) < 2 || float64(t.DurationNS) < 1.5*noticeableNS {
			return 0, false
		}
		fewest := t.Workers[0].Slices
		for _, w := range t.Workers {
			fewest = min(fewest, w.Slices)
		}
		// A worker without any turn has waited for the whole trial.
		return float64(t.DurationNS) / float64(max(1, fewest)), true
	})
}

func rotating(e *evidence) string {
	l := oneCore()
	period := e.within(l, rotation(), 0, noticeableNS)
	if len(period) == 0 {
		e.missing = tooShort(e, l)
		return ""
	}
	return fmt.Sprintf("of %d workers on one core, each runs for %s every %s",
		e.workerCount(l), quote(e.record(l, metric.SliceP50())), quote(period))
}
