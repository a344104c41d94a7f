package metric

import (
	"math"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// A busy program on the only core that workers use is seen among many idle ones; on a core
// that no worker uses it disturbs nobody. The tool's own time is nobody else's.
func TestOthersShareIsOfTheCoresInUse(t *testing.T) {
	const cores, wall = 64, 1000
	for _, row := range []struct {
		name       string
		busy, used int // core
		tool       int64
		want       float64
	}{
		{"beside the worker", 0, 0, 0, 0.5},
		{"elsewhere", 1, 0, 0, 0},
		{"the tool", 0, 0, 500, 0},
		{"half of it the tool's", 0, 0, 250, 0.25},
	} {
		trial := report.Trial{Workload: "spin", ToolNS: &row.tool}
		for cpu := range cores {
			c := report.Core{CPU: sched.CPU(cpu), WallNS: wall}
			if cpu == row.used {
				c.WorkersNS = 500
			}
			if cpu == row.busy {
				c.OthersNS = 500
			}
			trial.Cores = append(trial.Cores, c)
		}
		r := &report.Report{Trials: []report.Trial{trial, {Workload: "pipe"}}}
		if got := OthersShare(r, []string{"spin"}); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", row.name, got, row.want)
		}
	}
}
