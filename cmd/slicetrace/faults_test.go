package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// checkHonest checks what no fault may change in a report: the counts equal the kernel's, the
// times add up, and no figure exceeds the wall time.
func checkHonest(t *testing.T, r *report.Report) {
	t.Helper()
	q := r.Quality
	if q.ComparedWorkers == 0 || q.ReconciledWorkers != q.ComparedWorkers || q.ReconciledCreated != q.CreatedTasks {
		t.Errorf("%d of %d compared workers and %d of %d created tasks are reconciled",
			q.ReconciledWorkers, q.ComparedWorkers, q.ReconciledCreated, q.CreatedTasks)
	}
	if q.AccountingErrorPPM > 1000 || q.RecursionMisses != 0 || q.Lost.Unmatched() != 0 {
		t.Errorf("the account is wrong: %+v", q)
	}
	for _, trial := range r.Trials {
		wall := int64(0)
		for _, c := range trial.Cores {
			wall = max(wall, c.WallNS)
			if min(c.IdleNS, c.WorkersNS, c.OthersNS, c.SelfNS) < 0 {
				t.Errorf("core %d has negative times: %+v", c.CPU, c)
			}
		}
		if trial.DurationNS <= 0 || trial.DurationNS > wall {
			t.Errorf("a trial of %d ns within %d ns", trial.DurationNS, wall)
		}
		for _, w := range trial.Workers {
			if equal, known := w.Reconciled(); known && !equal {
				t.Errorf("unreconciled: %+v, the kernel has %+v", w, *w.Kernel)
			}
			fits := w.OnCPUNS >= 0 && w.WaitNS >= 0 && w.OnCPUNS+w.WaitNS <= wall+wall/1000 && w.WaitMaxNS <= wall
			if w.Merged == 0 && !fits {
				t.Errorf("within %d ns task %d has %d ns on the CPU and %d ns of waiting, at most %d ns",
					wall, w.TID, w.OnCPUNS, w.WaitNS, w.WaitMaxNS)
			}
		}
	}
}

// markVariable marks a tool and what inherits its environment.
const markVariable = "SLICETRACE_TEST_MARK"

// checkAllEnded waits until the tool, everything that was started under a mark and the tool's
// worker hosts have ended. The tool must not have been waited for, so that its pid is not
// used again.
func checkAllEnded(t *testing.T, tool *exec.Cmd, mark string) {
	t.Helper()
	awaitState(t, tool.Process.Pid, 'Z')
	marked, hosts := []byte(markVariable+"="+mark+"\x00"), fmt.Appendf(nil, "\"Parent\":%d}", tool.Process.Pid)
	var alive []string
	defer func() {
		if len(alive) > 0 {
			t.Logf("still there: %s", strings.Join(alive, "; "))
		}
	}()
	await(t, "an end of all that was started", func() bool {
		environments, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil {
			t.Fatal(err)
		}
		alive = nil
		for _, name := range environments {
			text, err := os.ReadFile(name)
			if err == nil && (bytes.Contains(text, marked) || bytes.Contains(text, hosts)) {
				stat, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "stat"))
				alive = append(alive, string(stat))
			}
		}
		return len(alive) == 0
	})
}

// SIGKILL at any moment of a run, from its start to its saving, leaves nothing in the kernel, no
// process and no half-written report, and does not disturb the next run.
func TestKilledAtAnyMoment(t *testing.T) {
	bpftest.Require(t)
	kills := 100
	if testing.Short() {
		kills = 20
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	before := bpftest.Programs(t)
	for name, args := range map[string][]string{
		"bundled": {"run", "pipe", "--rounds", "1", "--duration", "10ms", "-o", "r.json"},
		"command": {"run", "-o", "r.json", "--record", "r.rec", "--", "sh", "-c", "sleep 0.02 & sleep 0.01; wait"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			start := func(mark string) *exec.Cmd {
				cmd := toolCommand(args...)
				cmd.Dir = dir
				cmd.Env = append(cmd.Env, markVariable+"="+mark)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				return cmd
			}
			began := time.Now()
			if err := start("whole").Wait(); err != nil {
				t.Fatal(err)
			}
			whole := time.Since(began)
			finished := 0
			for n := range kills / 2 {
				mark := fmt.Sprintf("%d-%s-%d", seed, name, n)
				cmd := start(mark)
				moment := time.Duration(random.Int64N(int64(whole)))
				time.Sleep(moment)
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				checkAllEnded(t, cmd, mark)
				if cmd.Wait() == nil {
					finished++
					whole = min(whole, moment) // the first may have been slow
				}
				if r, err := report.ReadFile(filepath.Join(dir, "r.json")); err != nil || r.Trials == nil {
					t.Errorf("after kill %d the report is %+v, %v", n, r, err)
				}
			}
			bpftest.CheckGone(t, before)
			t.Logf("a run takes up to %v; %d of %d were faster than the signal", whole, finished, kills/2)
			if finished > kills/4 {
				t.Errorf("%d of %d runs were over before they were killed: the test shows little", finished, kills/2)
			}
			if err := start("last").Wait(); err != nil {
				t.Errorf("the run after them: %v", err)
			}
			// While a file replaces another, it has a temporary name for some microseconds.
			if left := strays(t, dir); len(left) > 1 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// strays returns the temporary files in a directory.
func strays(t *testing.T, dir string) []string {
	t.Helper()
	isNamed := func(name string) bool { return !strings.HasPrefix(name, ".") }
	return slices.DeleteFunc((invocation{dir: dir}).files(t), isNamed)
}
