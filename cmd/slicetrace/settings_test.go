package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/view"
)

// under returns the tool with a program of the user's before it.
func under(t *testing.T, prefix []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := tool(t, args...)
	if len(prefix) == 0 {
		return cmd
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath(prefix[0])
	if err != nil {
		t.Skipf("%v: install util-linux", err)
	}
	cmd.Path, cmd.Args = program, append(append(slices.Clone(prefix), self), args...)
	return cmd
}

// shortRun is a run of two trials.
func shortRun(more ...string) []string {
	return append([]string{"run", "pipe", "-q", "--rounds", "1", "--duration", "100ms", "-o", "r.json"}, more...)
}

func measured(t *testing.T, got invocation) *report.Report {
	t.Helper()
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The same machine and the same workload under another condition: compare names it.
func TestEachConditionIsNamed(t *testing.T) {
	bpftest.Require(t)
	plain := measured(t, finish(t, under(t, nil, shortRun()...)))
	for _, c := range []struct {
		name   string
		prefix []string
		more   []string
		before func(*testing.T, *exec.Cmd) // nil for nothing, as during
		during func(*testing.T, *exec.Cmd)
		want   string // the name of the difference
		value  string // a part of its new value
		note   string // a part of what the report itself says, "" where that is not asked for
	}{
		{"nice", []string{"nice", "-n", "19"}, nil, nil, nil, "nice", "19", ""},
		{"batch", []string{"chrt", "-b", "0"}, nil, nil, nil, "policy", "SCHED_BATCH", ""},
		{"idle", []string{"chrt", "-i", "0"}, nil, nil, nil, "policy", "SCHED_IDLE", ""},
		// The policy is kept, as nice levels and cores are: who puts chrt before the tool
		// asks how work fares under it, and a program after -- has to keep what its caller
		// gave it. So it is said, in the report and here.
		{"real time", []string{"chrt", "-r", "1"}, nil, nil, nil, "policy", "SCHED_RR 1", "the work was started under SCHED_RR 1"},
		{"real time, first come", []string{"chrt", "-f", "1"}, nil, nil, nil, "policy", "SCHED_FIFO 1", "the work was started under SCHED_FIFO 1"},
		{"one core", []string{"taskset", "-c", "0"}, nil, nil, nil, "affinity", "0", ""},
		{"recording", nil, []string{"--record", "r.rec"}, nil, nil, "recording", "on", ""},
		{"quota", nil, nil, inHalfACore, nil, "cpu_quota", "50ms of each 100ms", "the CPU quota of the cgroup (50ms of each 100ms) held tasks back"},
		{"statistics, for a moment", nil, []string{"--duration", "400ms"}, nil, statisticsForAMoment, "bpf_stats", "on", ""},
		{"another slicetrace", nil, nil, besideAnother, nil, "other_tracers", "another slicetrace", ""},
		{"workers are moved", nil, []string{"--duration", "400ms"}, nil, moveWorkers, "workers_affinity", "changed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := under(t, c.prefix, shortRun(c.more...)...)
			if c.before != nil {
				c.before(t, cmd)
			}
			var during []func()
			if c.during != nil {
				during = append(during, func() { c.during(t, cmd) })
			}
			r := measured(t, finish(t, cmd, during...))
			compared, err := compare.Reports([]compare.Named{{Name: "old", Report: plain}}, [][]compare.Named{{{Name: "new", Report: r}}}, compare.Options{})
			if err != nil {
				t.Fatal(err)
			}
			unlike := compared.Pairs[0].Differences
			if !slices.ContainsFunc(unlike, func(u compare.Unlike) bool { return u.Name == c.want && strings.Contains(u.New, c.value) }) {
				t.Errorf("%s with %q is not among the differences %v", c.want, c.value, unlike)
			}
			if said := strings.Join(view.Summarize(r).Warnings, "\n"); !strings.Contains(said, c.note) {
				t.Errorf("the report does not say %q: %s", c.note, said)
			}
		})
	}
}

// statisticsForAMoment has the kernel keep statistics of eBPF programs during a trial
// only, so that neither end of the run shows it.
func statisticsForAMoment(t *testing.T, cmd *exec.Cmd) {
	const file = "/proc/sys/kernel/bpf_stats_enabled"
	awaitWork(t, cmd, anyTrial)
	if err := os.WriteFile(file, []byte("1"), 0); err != nil {
		t.Skipf("switch statistics on: %v", err)
	}
	time.Sleep(200 * time.Millisecond)
	if err := os.WriteFile(file, []byte("0"), 0); err != nil {
		t.Fatal(err)
	}
}

// inHalfACore puts the tool and its workers into a group with a quota.
func inHalfACore(t *testing.T, cmd *exec.Cmd) {
	group := bpftest.NewGroup(t, "cpu")
	group.LimitTime(t, 50*time.Millisecond, 100*time.Millisecond)
	group.Hold(t, cmd)
}

// besideAnother runs a second tool for as long as the test takes.
func besideAnother(t *testing.T, _ *exec.Cmd) {
	other := tool(t, "run", "-q", "--", "sh", "-c", "touch traced; exec sleep 60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = other.Process.Signal(unix.SIGTERM)
		_ = other.Wait() // it was ended
	})
	for range 1000 {
		if _, err := os.Stat(filepath.Join(other.Dir, "traced")); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the other tool does not begin")
}

// moveWorkers binds the workers of the trial under way to core 0, as taskset does.
func moveWorkers(t *testing.T, cmd *exec.Cmd) {
	hosts := awaitWork(t, cmd, anyTrial)
	var first unix.CPUSet
	first.Set(0)
	for _, pid := range hosts {
		tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
		if err != nil {
			continue // its trial is over
		}
		for _, task := range tasks {
			if tid, err := strconv.Atoi(task.Name()); err == nil {
				_ = unix.SchedSetaffinity(tid, &first) // it may be gone
			}
		}
	}
}
