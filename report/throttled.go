package report

import (
	"fmt"
	"strings"
)

// ThrottledNS is how long quotas of CPU time kept the trial's workers, and the tasks
// that they created, from running.
func (t *Trial) ThrottledNS() int64 {
	var ns int64
	for i := range t.Workers {
		ns += t.Workers[i].ThrottledNS
	}
	if t.Created != nil {
		ns += t.Created.ThrottledNS
	}
	return ns
}

// throttled is a sentence of what a quota of CPU time did, "" if none did anything.
func (r *Report) throttled() string {
	var times uint64
	var ns int64
	var where []string
	seen := make(map[string]bool)
	for i := range r.Trials {
		t := &r.Trials[i]
		var here uint64
		for j := range t.Workers {
			here += t.Workers[j].EndedBy.Throttled
		}
		held := t.ThrottledNS()
		times, ns = times+here, ns+held
		if (here > 0 || held > 0) && t.Mode != Command && !seen[t.Workload] {
			seen[t.Workload] = true
			where = append(where, t.Workload)
		}
	}
	if times == 0 && ns == 0 {
		return ""
	}
	of := "the program"
	if len(where) > 0 {
		of = strings.Join(where, ", ")
	}
	return fmt.Sprintf("a control group's quota of CPU time (cpu.max, cpu.cfs_quota_us) throttled tasks"+
		" of %s %s times and kept them from running for %s in all: that time is in no wait, but in durations and rates.",
		of, ofCount(times), Of(float64(ns), Nanoseconds))
}
