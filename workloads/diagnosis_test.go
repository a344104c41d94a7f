//go:build linux

package workloads

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// If workers do not come, the error tells what keeps them, with a remedy for that cause.
func TestDiagnosisNamesTheCause(t *testing.T) {
	policy := func(policy uint32, priority uint32) func(*testing.T, *runningTrial) error {
		return func(_ *testing.T, rt *runningTrial) error {
			attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}
			return unix.SchedSetAttr(int(rt.shared.slots[0].tid), attr, 0)
		}
	}
	for name, c := range map[string]struct {
		hinder func(*testing.T, *runningTrial) error
		want   string
	}{
		"nothing": {func(*testing.T, *runningTrial) error { return nil }, "ask for fewer workers"},
		"stopped": {
			func(t *testing.T, rt *runningTrial) error {
				err := unix.Kill(int(rt.shared.slots[1].pid), unix.SIGSTOP)
				awaitStop(t, rt.workers()[1])
				return err
			},
			"a signal or a debugger has stopped one: continue it",
		},
		"FIFO":         {policy(unix.SCHED_FIFO, 1), "they run under SCHED_FIFO, the policy that slicetrace was"},
		"RR":           {policy(unix.SCHED_RR, 1), "they run under SCHED_RR, the policy that slicetrace was"},
		"idle":         {policy(unix.SCHED_IDLE, 0), "they run under SCHED_IDLE, the policy that slicetrace was"},
		"usual policy": {policy(unix.SCHED_BATCH, 0), "ask for fewer workers"},
	} {
		t.Run(name, func(t *testing.T) {
			// The workers sleep at the start gate, so none of them reaches the end gate.
			rt := atStartGate(t, testTrial("pipe", Processes, 2, 23, 0))
			if err := c.hinder(t, rt); errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
				bpftest.Unavailable(t, "needs root to set a real-time policy")
			} else if errors.Is(err, unix.EPERM) {
				bpftest.Lacks(t, !noRealTime(), "this control group may not have real-time tasks: %v", err)
			} else if err != nil {
				t.Fatal(err)
			}
			for dir := range rt.throttled { // a quota of this process is not what is tested
				rt.throttled[dir] = math.MaxInt64
			}
			err := rt.gather(t.Context(), &rt.shared.head.done, toStop, 50*time.Millisecond)
			want := "2 of 2 workers did not stop within 50ms: " + c.want
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got error %v, want %q", err, want)
			}
		})
	}
}

// noRealTime reports whether a control group of this process allows no real-time tasks, as
// the kernel's CONFIG_RT_GROUP_SCHED does by default.
func noRealTime() bool {
	return slices.ContainsFunc(cgroupsOf(os.Getpid())["cpu"], func(g cgroup) bool {
		return g.read("cpu.rt_runtime_us") == "0"
	})
}

// atStartGate starts a trial whose workers wait at the start gate until the test ends.
func atStartGate(t *testing.T, trial Trial) *runningTrial {
	t.Helper()
	rt, err := setUp(trial, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.tearDown(); err != nil {
			t.Error(err)
		}
	})
	if err := rt.gather(t.Context(), &rt.shared.head.ready, toStart, gatherLimit); err != nil {
		t.Fatal(err)
	}
	if _, err := rt.countersAtRest(t.Context(), rt.workers()); err != nil {
		t.Fatal(err)
	}
	return rt
}

// The files of control groups of both versions are as the kernel writes them.
func TestCgroupsThatHoldTasksBack(t *testing.T) {
	const quota = "control group /a may use 50ms of CPU time in every 1s and was throttled: " +
		"raise its quota, or run outside it"
	const tooManyTasks = " (control group /a may have 8 tasks, and has 8: " +
		"ask for fewer workers or raise its pids.max)"
	v1 := func(quota, period, stat string) map[string]string {
		return map[string]string{"cpu.cfs_quota_us": quota, "cpu.cfs_period_us": period, "cpu.stat": stat}
	}
	v2 := func(most, stat string) map[string]string { return map[string]string{"cpu.max": most, "cpu.stat": stat} }
	pids := func(most, current, events string) map[string]string {
		return map[string]string{"pids.max": most, "pids.current": current, "pids.events": events}
	}
	for name, c := range map[string]struct {
		controller string
		files      map[string]string
		before     int64 // how often it was throttled before
		frozen     string
		quota      string
		tasks      string
	}{
		"v1 quota": {
			controller: "cpu", quota: quota,
			files: v1("50000\n", "1000000\n", "nr_periods 9\nnr_throttled 3\nthrottled_time 7\n"),
		},
		"v1 long ago":    {controller: "cpu", before: 3, files: v1("50000\n", "1000000\n", "nr_throttled 3\n")},
		"v1 not reached": {controller: "cpu", files: v1("50000\n", "1000000\n", "nr_periods 9\nnr_throttled 0\n")},
		"v1 no quota":    {controller: "cpu", files: v1("-1\n", "100000\n", "nr_throttled 3\n")},
		"v2 quota": {
			quota: quota, files: v2("50000 1000000\n", "usage_usec 5\nnr_periods 9\nnr_throttled 3\n"),
		},
		"v2 no quota": {files: v2("max 100000\n", "nr_throttled 3\n")},
		"v1 frozen": {
			controller: "freezer", frozen: "/a", files: map[string]string{"freezer.state": "FROZEN\n"},
		},
		"v1 thawed": {controller: "freezer", files: map[string]string{"freezer.state": "THAWED\n"}},
		"v2 frozen": {
			frozen: "/a",
			files:  map[string]string{"cgroup.freeze": "1\n", "cgroup.events": "populated 1\nfrozen 1\n"},
		},
		"v2 thawed": {
			files: map[string]string{"cgroup.freeze": "0\n", "cgroup.events": "populated 1\nfrozen 0\n"},
		},
		"tasks":           {controller: "pids", tasks: tooManyTasks, files: pids("8\n", "8\n", "max 2\n")},
		"tasks, long ago": {controller: "pids", files: pids("8\n", "3\n", "max 2\n")},
		"fewer tasks":     {controller: "pids", files: pids("8\n", "8\n", "max 0\n")},
		"no files":        {},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			all := cgroups{c.controller: {
				{name: "/a/b", dir: filepath.Join(dir, "not there")}, {name: "/a", dir: dir},
			}}
			got := [3]string{all.frozen(), all.quota(map[string]int64{dir: c.before}), all.tasks()}
			if want := [3]string{c.frozen, c.quota, c.tasks}; got != want {
				t.Errorf("frozen, quota and tasks are %q, want %q", got, want)
			}
		})
	}
}

// The control groups of this process are found where they are mounted.
func TestCgroupsOfThisProcess(t *testing.T) {
	mounts, found := cgroupMounts(), cgroupsOf(os.Getpid())
	for controller := range mounts {
		for _, g := range found[controller] {
			if _, err := os.Stat(filepath.Join(g.dir, "cgroup.procs")); err != nil {
				t.Errorf("group %q of controller %q: %v", g.name, controller, err)
			}
		}
	}
	if len(mounts) > 0 && len(found) == 0 {
		t.Errorf("found no group of this process in %v", mounts)
	}
}

func TestParseStat(t *testing.T) {
	stat, err := readProc("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	state, policy := parseStat(stat)
	if strings.IndexByte("RSDt", state) < 0 || policy < 0 || policy > unix.SCHED_DEADLINE {
		t.Errorf("%q is parsed as state %q, policy %d", stat, state, policy)
	}
	if state, policy := parseStat("1 (a) R"); state != 0 || policy != 0 {
		t.Errorf("a line that is too short is parsed as state %q, policy %d", state, policy)
	}
}

// A program that was written into a directory can be executed; a file that is no program
// cannot.
func TestProgramInADirectory(t *testing.T) {
	w := &worker{slot: &slot{}, forkFlags: uintptr(unix.SIGCHLD)}
	fd, err := writeProgram(t.TempDir(), "slicetrace-test", exitProgram())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if errno := w.fork(fd); errno != 0 {
		t.Errorf("execute: %v", errno)
	}
	if _, err := writeProgram("/proc", "slicetrace-test", exitProgram()); err == nil {
		t.Error("a program was written into /proc")
	}
	// A file that is no program.
	name := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(name, []byte("text"), 0o400); err != nil {
		t.Fatal(err)
	}
	text, err := unix.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(text)
	if errno := w.fork(text); errno != unix.EACCES {
		t.Errorf("execute a text: %v, want %v", errno, unix.EACCES)
	}
}
