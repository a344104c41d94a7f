//go:build linux

package workloads

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Who waits for workers in vain says what keeps them, and a remedy of that cause.
func TestHindranceIsOfTheCause(t *testing.T) {
	policy := func(policy uint32, priority uint32) func(*stage) error {
		return func(s *stage) error {
			attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}
			return unix.SchedSetAttr(int(s.board.slots[0].tid), attr, 0)
		}
	}
	for name, c := range map[string]struct {
		hinder func(*stage) error
		want   string
	}{
		"nothing":   {func(*stage) error { return nil }, "ask for fewer workers"},
		"stopped":   {func(s *stage) error { return unix.Kill(int(s.board.slots[1].pid), unix.SIGSTOP) }, "a signal or a debugger stops one: continue it"},
		"FIFO":      {policy(unix.SCHED_FIFO, 1), "they run under SCHED_FIFO, as slicetrace was started"},
		"RR":        {policy(unix.SCHED_RR, 1), "they run under SCHED_RR, as slicetrace was started"},
		"idle":      {policy(unix.SCHED_IDLE, 0), "they run under SCHED_IDLE, as slicetrace was started"},
		"no policy": {policy(unix.SCHED_BATCH, 0), "ask for fewer workers"},
	} {
		t.Run(name, func(t *testing.T) {
			// At the gate they sleep, and none comes to the end.
			s := raised(t, testTrial("pipe", Processes, 2, 23, 0))
			if err := c.hinder(s); err != nil {
				t.Skip(err)
			}
			for dir := range s.throttled { // a quota of ours is not what is tried
				s.throttled[dir] = math.MaxInt64
			}
			err := s.gather(t.Context(), &s.board.head.done, toStop, 50*time.Millisecond)
			want := "2 of 2 workers did not stop within 50ms: " + c.want
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got error %v, want %q", err, want)
			}
		})
	}
}

// raised starts a trial whose workers stand at the start gate until the test ends.
func raised(t *testing.T, trial Trial) *stage {
	t.Helper()
	s, err := raise(trial, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.strike(); err != nil {
			t.Error(err)
		}
	})
	if err := s.gather(t.Context(), &s.board.head.ready, toStart, gatherLimit); err != nil {
		t.Fatal(err)
	}
	return s
}

// The files of control groups in both versions, as the kernel writes them.
func TestGroupsSayWhatTheyHoldBack(t *testing.T) {
	const quota = "control group /a may compute for 50ms of every 1s and was held back: raise its quota, or run outside it"
	for name, c := range map[string]struct {
		controller string
		files      map[string]string
		before     int64 // how often it was throttled before
		frozen     string
		quota      string
		tasks      string
	}{
		"v1 quota":        {"cpu", map[string]string{"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "1000000\n", "cpu.stat": "nr_periods 9\nnr_throttled 3\nthrottled_time 7\n"}, 0, "", quota, ""},
		"v1 long ago":     {"cpu", map[string]string{"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "1000000\n", "cpu.stat": "nr_throttled 3\n"}, 3, "", "", ""},
		"v1 not reached":  {"cpu", map[string]string{"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "1000000\n", "cpu.stat": "nr_periods 9\nnr_throttled 0\n"}, 0, "", "", ""},
		"v1 none":         {"cpu", map[string]string{"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n", "cpu.stat": "nr_throttled 3\n"}, 0, "", "", ""},
		"v2 quota":        {"", map[string]string{"cpu.max": "50000 1000000\n", "cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 3\n"}, 0, "", quota, ""},
		"v2 none":         {"", map[string]string{"cpu.max": "max 100000\n", "cpu.stat": "nr_throttled 3\n"}, 0, "", "", ""},
		"v1 frozen":       {"freezer", map[string]string{"freezer.state": "FROZEN\n"}, 0, "/a", "", ""},
		"v1 thawed":       {"freezer", map[string]string{"freezer.state": "THAWED\n"}, 0, "", "", ""},
		"v2 frozen":       {"", map[string]string{"cgroup.freeze": "1\n", "cgroup.events": "populated 1\nfrozen 1\n"}, 0, "/a", "", ""},
		"v2 thawed":       {"", map[string]string{"cgroup.freeze": "0\n", "cgroup.events": "populated 1\nfrozen 0\n"}, 0, "", "", ""},
		"tasks":           {"pids", map[string]string{"pids.max": "8\n", "pids.current": "8\n", "pids.events": "max 2\n"}, 0, "", "", " (control group /a may have 8 tasks, and has 8: ask for fewer workers or raise its pids.max)"},
		"tasks, long ago": {"pids", map[string]string{"pids.max": "8\n", "pids.current": "3\n", "pids.events": "max 2\n"}, 0, "", "", ""},
		"fewer tasks":     {"pids", map[string]string{"pids.max": "8\n", "pids.current": "8\n", "pids.events": "max 0\n"}, 0, "", "", ""},
		"nothing to see":  {"", nil, 0, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			all := groups{c.controller: {{name: "/a/b", dir: filepath.Join(dir, "not there")}, {name: "/a", dir: dir}}}
			if got := [3]string{all.frozen(), all.quota(map[string]int64{dir: c.before}), all.tasks()}; got != [3]string{c.frozen, c.quota, c.tasks} {
				t.Errorf("frozen %q, quota %q, tasks %q; want %q, %q, %q", got[0], got[1], got[2], c.frozen, c.quota, c.tasks)
			}
		})
	}
}

// This process is in some group of each hierarchy that is mounted.
func TestGroupsOfThisProcess(t *testing.T) {
	mounts, found := groupMounts(), groupsOf(os.Getpid())
	for controller := range mounts {
		for _, g := range found[controller] {
			if _, err := os.Stat(filepath.Join(g.dir, "cgroup.procs")); err != nil {
				t.Errorf("group %q of controller %q: %v", g.name, controller, err)
			}
		}
	}
	if len(mounts) > 0 && len(found) == 0 {
		t.Errorf("none of %v", mounts)
	}
}

func TestParseStat(t *testing.T) {
	stat, err := readProc("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if state, policy := parseStat(stat); strings.IndexByte("RSDt", state) < 0 || policy < 0 || policy > unix.SCHED_DEADLINE {
		t.Errorf("state %q, policy %d of %q", state, policy, stat)
	}
	if state, policy := parseStat("1 (a) R"); state != 0 || policy != 0 {
		t.Errorf("state %q, policy %d of too short a line", state, policy)
	}
}

// A program to execute is found wherever one may be executed, and what is refused
// names the place.
func TestProgramElsewhere(t *testing.T) {
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
