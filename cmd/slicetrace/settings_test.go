package main

import (
	"fmt"
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

// under returns a command that runs the tool through another program, such as nice.
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
		bpftest.Unavailable(t, err.Error()+": install util-linux")
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

// If two runs of the same workload on the same machine differ in a condition, compare names it.
func TestEachConditionIsNamed(t *testing.T) {
	bpftest.Require(t)
	plain := measured(t, finish(t, under(t, nil, shortRun()...)))
	longer := []string{"--duration", "400ms"}
	for _, c := range []struct {
		name   string
		prefix []string
		more   []string
		before func(*testing.T, *exec.Cmd) // nil for nothing, like during
		during func(*testing.T, *exec.Cmd)
		want   string // the name of the difference
		value  string // a part of its new value
		note   string // a part of the report's own notes, "" if the report need not mention it
	}{
		{name: "nice", prefix: []string{"nice", "-n", "19"}, want: "nice", value: "19"},
		{name: "batch", prefix: []string{"chrt", "-b", "0"}, want: "policy", value: "SCHED_BATCH"},
		{name: "idle", prefix: []string{"chrt", "-i", "0"}, want: "policy", value: "SCHED_IDLE"},
		// The policy is kept, as nice levels and cores are: a user who puts chrt before the
		// tool wants to know how work fares under it, and a program after -- has to keep what
		// its caller gave it. So the report and the comparison mention it.
		{
			name: "real time", prefix: []string{"chrt", "-r", "1"}, want: "policy", value: "SCHED_RR 1",
			note: "the work was started under SCHED_RR 1",
		},
		{
			name: "real time, first come", prefix: []string{"chrt", "-f", "1"}, want: "policy", value: "SCHED_FIFO 1",
			note: "the work was started under SCHED_FIFO 1",
		},
		{name: "one core", prefix: []string{"taskset", "-c", "0"}, want: "affinity", value: "0"},
		{name: "recording", more: []string{"--record", "r.rec"}, want: "recording", value: "on"},
		{
			name: "quota", before: inHalfACore, want: "cpu_quota", value: "50ms of each 100ms",
			note: "the CPU quota of the cgroup (50ms of each 100ms) kept tasks from running",
		},
		{
			name: "statistics, for a moment", more: longer, during: statisticsForAMoment,
			want: "bpf_stats", value: "on",
		},
		{name: "another slicetrace", before: besideAnother, want: "other_tracers", value: "another slicetrace"},
		{
			name: "workers are moved", more: longer, during: moveWorkers,
			want: "workers_affinity", value: "changed",
		},
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
			old, other := []compare.Input{{Name: "old", Report: plain}}, []compare.Input{{Name: "new", Report: r}}
			compared, err := compare.Reports(old, [][]compare.Input{other}, compare.Options{})
			if err != nil {
				t.Fatal(err)
			}
			differences := compared.Pairs[0].Differences
			isWanted := func(d compare.Difference) bool { return d.Name == c.want && strings.Contains(d.New, c.value) }
			if !slices.ContainsFunc(differences, isWanted) {
				t.Errorf("%s with %q is not among the differences %v", c.want, c.value, differences)
			}
			if said := strings.Join(view.Summarize(r).Warnings, "\n"); !strings.Contains(said, c.note) {
				t.Errorf("the report does not say %q: %s", c.note, said)
			}
		})
	}
}

// statisticsForAMoment makes the kernel keep statistics of eBPF programs for a part of a trial, so
// that neither end of the run shows it.
func statisticsForAMoment(t *testing.T, cmd *exec.Cmd) {
	const file = "/proc/sys/kernel/bpf_stats_enabled"
	awaitWork(t, cmd, anyTrial)
	if err := os.WriteFile(file, []byte("1"), 0); err != nil {
		bpftest.Unavailable(t, fmt.Sprintf("switch statistics on: %v", err))
	}
	// Long enough that the kernel counts runs of the tool's eBPF programs, by which the tool
	// notices it.
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

// besideAnother runs a second tool until the test ends.
func besideAnother(t *testing.T, _ *exec.Cmd) {
	other := tool(t, "run", "-q", "--", "sh", "-c", "touch traced; exec sleep 60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = other.Process.Signal(unix.SIGTERM)
		_ = other.Wait() // it was ended
	})
	await(t, "the other tool's program", func() bool {
		_, err := os.Stat(filepath.Join(other.Dir, "traced"))
		return err == nil
	})
}

// moveWorkers binds the workers of the current trial to core 0, as taskset does.
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
