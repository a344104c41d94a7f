package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// lacks says what a claim about these workloads, all for none, lacks because trials
// failed; "" if none did.
func lacks(r *report.Report, workloads []string) string {
	var all []string
	for _, f := range r.Failed {
		if len(workloads) > 0 && !slices.Contains(workloads, f.Workload) {
			continue
		}
		since := ""
		if f.LeftOut {
			since = " and later"
		}
		all = append(all, fmt.Sprintf("%s in %s failed in round %d%s", f.Title(), f.Mode, f.Round, since))
	}
	return strings.Join(all, ", ")
}
