package metric

import (
	"slices"

	"github.com/slicetrace/slicetrace/report"
)

// OthersShare is the part, 0 to 1, of core time that other programs took in the trials of some
// workloads, or of all if none are given. It includes neither workers nor, if the report has it,
// the time of slicetrace itself. Each core is weighted by how long workers ran on it, so that a
// busy program on the only core that is used does not disappear among idle cores.
func OthersShare(r *report.Report, workloads []string) float64 {
	var onUsed, used, others, wall float64
	for i := range r.Trials {
		t := &r.Trials[i]
		if len(workloads) > 0 && !slices.Contains(workloads, t.Workload) {
			continue
		}
		var seen, theirs float64
		for _, c := range t.Cores {
			seen += float64(c.OthersNS)
		}
		if theirs = seen; t.ToolNS != nil {
			theirs = max(0, seen-float64(*t.ToolNS))
		}
		for _, c := range t.Cores {
			if c.WallNS <= 0 || seen == 0 {
				continue
			}
			onUsed += float64(c.WorkersNS) * float64(c.OthersNS) / float64(c.WallNS) * theirs / seen
		}
		for _, c := range t.Cores {
			used += float64(c.WorkersNS)
			wall += float64(c.WallNS)
		}
		others += theirs
	}
	switch {
	case used > 0:
		return onUsed / used
	case wall > 0:
		return others / wall
	}
	return 0
}
