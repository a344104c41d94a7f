package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// paced returns a command that traces a program which starts tasks all the time, on every core.
// began waits for its start, and end makes it end.
func paced(t *testing.T, args ...string) (cmd *exec.Cmd, began, end func()) {
	t.Helper()
	const script = `: >began; while [ ! -e end ]; do sleep 0.01; done; rm began end`
	cmd = tool(t, slices.Concat([]string{"run"}, args, []string{"--", "sh", "-c", script})...)
	began = func() {
		await(t, "the program's start", func() bool {
			_, err := os.Stat(filepath.Join(cmd.Dir, "began"))
			return err == nil
		})
	}
	end = func() {
		if err := os.WriteFile(filepath.Join(cmd.Dir, "end"), nil, 0o644); err != nil {
			t.Error(err)
		}
	}
	return cmd, began, end
}

// checkHotplugSaid checks that the report and the text have one sentence about the core.
func checkHotplugSaid(t *testing.T, r *report.Report, text string, cpu sched.CPU) {
	t.Helper()
	want := fmt.Sprintf("core %d went offline or came online during the run", cpu)
	said := 0
	for _, w := range r.Warnings {
		if strings.HasPrefix(w, want) {
			said++
		}
	}
	if said != 1 || !strings.Contains(text, want) {
		t.Errorf("the report says %q, want %q once", r.Warnings, want)
	}
}

// coreOf returns a core of a trial, and the longest wall time of the cores.
func coreOf(t *testing.T, trial *report.Trial, cpu sched.CPU) (core report.Core, wall int64) {
	t.Helper()
	for _, c := range trial.Cores {
		wall = max(wall, c.WallNS)
		if c.CPU == cpu {
			core = c
		}
	}
	if core.WallNS < wall*99/100 {
		t.Errorf("core %d is accounted for during %d of %d ns", cpu, core.WallNS, wall)
	}
	return core, wall
}

// A core that goes offline and comes back counts as idle meanwhile, and nothing is lost.
func TestCoreThatGoesAndComesBack(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	cmd, began, end := paced(t)
	var away time.Duration
	got := finish(t, cmd, began, func() {
		defer end()
		plug(false)
		gone := time.Now()
		time.Sleep(200 * time.Millisecond)
		away = time.Since(gone)
		plug(true)
		time.Sleep(200 * time.Millisecond)
	})
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	checkHotplugSaid(t, r, strings.Join(strings.Fields(got.err), " "), cpu)
	if core, _ := coreOf(t, &r.Trials[0], cpu); core.IdleNS < away.Nanoseconds() {
		t.Errorf("core %d was idle for %d ns and away for %d", cpu, core.IdleNS, away)
	}
}

// What a core counted before it went offline is in the report, though it does not come back.
func TestCoreThatGoesForGood(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	cmd, began, end := paced(t)
	var away time.Duration
	got := finish(t, cmd, began, func() {
		defer end()
		time.Sleep(300 * time.Millisecond)
		plug(false)
		gone := time.Now()
		time.Sleep(200 * time.Millisecond)
		away = time.Since(gone)
	})
	plug(true)
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	checkHotplugSaid(t, r, strings.Join(strings.Fields(got.err), " "), cpu)
	core, _ := coreOf(t, &r.Trials[0], cpu)
	if core.IdleNS < away.Nanoseconds() || core.IdleNS == core.WallNS {
		t.Errorf("core %d was idle for %d of %d ns, and away for %d", cpu, core.IdleNS, core.WallNS, away)
	}
	if len(core.Classes) == 0 {
		t.Errorf("of core %d no switch is left", cpu)
	}
}

// A core that comes online later is counted like the others, as idle before.
func TestCoreThatComesLater(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	plug(false)
	cmd, began, end := paced(t)
	var away time.Duration
	got := finish(t, cmd, began, func() {
		defer end()
		gone := time.Now()
		time.Sleep(100 * time.Millisecond)
		away = time.Since(gone)
		plug(true)
		time.Sleep(300 * time.Millisecond)
	})
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	checkHotplugSaid(t, r, strings.Join(strings.Fields(got.err), " "), cpu)
	core, _ := coreOf(t, &r.Trials[0], cpu)
	if core.IdleNS < away.Nanoseconds() || core.IdleNS == core.WallNS || len(core.Classes) == 0 {
		t.Errorf("core %d was idle for %d of %d ns, and away for %d: its switches are %v",
			cpu, core.IdleNS, core.WallNS, away, core.Classes)
	}
}

// Workers that are pinned to the core go on elsewhere, and their counts still equal the kernel's.
func TestPinnedWorkersWhoseCoreGoes(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	cmd := tool(t, "run", "pipe", "--cores", fmt.Sprint(cpu), "--mode", "processes",
		"--rounds", "1", "--duration", "3s") // the core must come back before the end
	got := finish(t, cmd, func() {
		awaitWork(t, cmd, anyTrial)
		plug(false)
		time.Sleep(100 * time.Millisecond)
		plug(true)
	})
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	checkHotplugSaid(t, r, strings.Join(strings.Fields(got.out), " "), cpu)
	var elsewhere int64
	for _, core := range r.Trials[0].Cores {
		if core.CPU != cpu {
			elsewhere += core.WorkersNS
		}
	}
	if elsewhere == 0 {
		t.Errorf("workers had no core but %d, which was away", cpu)
	}
}

// No worker can be pinned to a core that is offline. What was measured before is kept.
func TestPinnedWorkersWithoutACore(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	cmd := tool(t, "run", "pipe", "--cores", fmt.Sprint(cpu), "--rounds", "1", "--duration", "700ms")
	got := finish(t, cmd, func() {
		awaitWork(t, cmd, anyTrial)
		plug(false)
	})
	r := got.saved(t)
	want := fmt.Sprintf("the run ended early: core %d is offline or this process may not run on it "+
		"(cpuset, taskset): name cores out of ", cpu)
	said := len(r.Warnings) > 0 && strings.HasPrefix(r.Warnings[len(r.Warnings)-1], want)
	if !said || len(r.Trials) != 1 || got.status != exitFailed {
		t.Errorf("status %d, %d trials, %q, want 1 and %q", got.status, len(r.Trials), r.Warnings, want)
	}
	checkNoWorkers(t, cmd)
}
