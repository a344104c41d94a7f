package compare

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
)

// workloadVersion returns the version of a bundled workload that ran. In reports that are older
// than versions it is the first.
func workloadVersion(s report.Setup, workload string) int {
	if v, ok := s.WorkloadVersions[workload]; ok {
		return v
	}
	return 1
}

// versionDifferences returns the workloads of both reports whose figures do not mean the same,
// since the reports have different versions of the workload.
func versionDifferences(old, other *report.Report) []Difference {
	var out []Difference
	ran := map[string]bool{}
	for _, name := range other.Setup.Workloads {
		ran[name] = true
	}
	for _, name := range old.Setup.Workloads {
		a, b := workloadVersion(old.Setup, name), workloadVersion(other.Setup, name)
		if ran[name] && a != b {
			version := func(n int) string { return fmt.Sprintf("version %d", n) }
			out = append(out, Difference{Name: "workload_" + name, Old: version(a), New: version(b)})
		}
	}
	return out
}
