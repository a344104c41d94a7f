package main

import (
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report"
)

// soakTop returns top for half of the soak, and how many intervals it shows.
func soakTop(t *testing.T, length time.Duration) (top *exec.Cmd, intervals int) {
	t.Helper()
	intervals = max(3, int(length/2/time.Second))
	return tool(t, "top", "--format", "jsonl", "--interval", "1s", "--count", strconv.Itoa(intervals)), intervals
}

// checkSoakTop checks that what top said adds up in each interval, and that it held no more in the end.
func checkSoakTop(t *testing.T, got invocation, intervals int, held []holding) {
	t.Helper()
	if got.status != exitDone || got.err != "" {
		t.Errorf("top: status %d: %s", got.status, got.err)
	}
	said := intervalsOf(t, got.out)
	if len(said) != intervals {
		t.Errorf("top: %d intervals, want %d", len(said), intervals)
	}
	if len(held) < intervals {
		t.Errorf("top was looked at %d times only", len(held))
	}
	// Before that, it began. The files of two more control groups may come; a leak in each interval is more.
	checkGrowth(t, "top", held[len(held)/3:], 4)
	var between soakTotals
	for i := range said {
		between.add(t, &said[i])
	}
	t.Logf("top: %d intervals, %d switches of cores, %d of tasks", len(said), between.cores, between.tasks)
}

// soakTotals are the sums of all intervals so far, by cores and by tasks. Tasks are read some ms after
// cores, so an interval's sums differ by what came between, which does not add up.
type soakTotals struct {
	cores, tasks     uint64 // switches away from tasks
	coresNS, tasksNS int64
}

func (s *soakTotals) add(t *testing.T, interval *report.Trial) {
	t.Helper()
	lost := interval.Lost
	hidden := lost.HiddenSwitches
	lost.HiddenSwitches = 0 // switches that this kernel hides, which the account makes up for
	if lost.Total() != 0 || interval.System.Reconciled != interval.System.Compared {
		t.Errorf("interval %d: lost %+v; of %d tasks that ended, %d have the kernel's counts", interval.Round, lost,
			interval.System.Compared, interval.System.Reconciled)
	}
	var all uint64
	var wall int64
	for _, c := range interval.Cores {
		var away, slices uint64
		for _, class := range c.Classes {
			if class.Class != report.ClassIdleOut {
				away += class.Switches
			}
		}
		for _, cause := range c.Slices {
			slices += cause.Length.Count
		}
		// The distributions are copied just after the counts.
		if slack := away/100 + 100 + hidden; slices > away+slack || away > slices+slack {
			t.Errorf("interval %d, core %d: %d switches away from tasks, %d slices", interval.Round, c.CPU, away,
				slices)
		}
		if c.Total() != c.WallNS {
			t.Errorf("interval %d, core %d: %d ns of %d", interval.Round, c.CPU, c.Total(), c.WallNS)
		}
		all, wall = all+away, wall+c.WallNS
		s.coresNS += c.WorkersNS
	}
	s.cores += all
	for a := range interval.System.Activities() {
		s.tasks, s.tasksNS = s.tasks+a.Switches(), s.tasksNS+a.OnCPUNS
	}
	// A fifth of an interval is longer than a reading ever takes.
	if slack := all/5 + hidden; s.tasks > s.cores+slack || s.cores > s.tasks+slack {
		t.Errorf("up to interval %d, cores made %d switches away from tasks, tasks %d", interval.Round, s.cores,
			s.tasks)
	}
	if off := s.tasksNS - s.coresNS; max(off, -off) > wall/5 {
		t.Errorf("up to interval %d, cores had tasks for %d ns, tasks had cores for %d", interval.Round, s.coresNS,
			s.tasksNS)
	}
}
