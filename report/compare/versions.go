package compare

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
)

// workloadVersion returns which version of a bundled workload ran; reports of the time before
// versions were told have the first.
func workloadVersion(s report.Setup, workload string) int {
	if v, ok := s.WorkloadVersions[workload]; ok {
		return v
	}
	return 1
}

// unlikeVersions names the workloads of both reports whose figures do not mean the same,
// for the tool that made one of them had another version of the workload.
func unlikeVersions(old, other *report.Report) []Unlike {
	var out []Unlike
	ran := map[string]bool{}
	for _, name := range other.Setup.Workloads {
		ran[name] = true
	}
	for _, name := range old.Setup.Workloads {
		a, b := workloadVersion(old.Setup, name), workloadVersion(other.Setup, name)
		if ran[name] && a != b {
			version := func(n int) string { return fmt.Sprintf("version %d", n) }
			out = append(out, Unlike{Name: "workload_" + name, Old: version(a), New: version(b)})
		}
	}
	return out
}
