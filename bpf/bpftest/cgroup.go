package bpftest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Group is a control group for a test's processes.
type Group struct {
	dir string
	// V2 says that it is a group of cgroup version 2, whose files have other names.
	V2 bool
}

// NewGroup makes a control group with the given controller, and removes it at the test's end.
// The test is skipped if the kernel lacks the controller, or, except under
// SLICETRACE_REQUIRE_BPF=1, if no group can be made, as in a container.
func NewGroup(t testing.TB, controller string) *Group {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		root, kind, options := f[1], f[2], ","+f[3]+","
		switch {
		case kind == "cgroup" && strings.Contains(options, ","+controller+","):
		case kind == "cgroup2" && enable(t, root, controller):
		default:
			continue
		}
		g := &Group{dir: filepath.Join(root, fmt.Sprintf("slicetrace-test-%d", os.Getpid())), V2: kind == "cgroup2"}
		if err := os.Mkdir(g.dir, 0o755); err != nil {
			Unavailable(t, fmt.Sprintf("no control group can be made: %v", err))
		}
		t.Cleanup(func() { g.Remove(t) })
		return g
	}
	Lacks(t, false, "no control groups with the controller %s", controller)
	return nil
}

// enable gives the children of a version 2 root the controller, until the test ends.
func enable(t testing.TB, root, controller string) bool {
	has := func(file string) bool {
		text, _ := os.ReadFile(filepath.Join(root, file)) // a missing file lists no controller
		return strings.Contains(" "+strings.TrimSpace(string(text))+" ", " "+controller+" ")
	}
	const switched = "cgroup.subtree_control"
	if !has("cgroup.controllers") {
		return false
	}
	if has(switched) {
		return true
	}
	if err := os.WriteFile(filepath.Join(root, switched), []byte("+"+controller), 0o644); err != nil {
		return false
	}
	t.Cleanup(func() {
		if err := os.WriteFile(filepath.Join(root, switched), []byte("-"+controller), 0o644); err != nil {
			t.Error(err)
		}
	})
	return true
}

// Set writes a file of the group. If the kernel refuses, the test ends as by Unavailable.
func (g *Group) Set(t testing.TB, file, value string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, file), []byte(value), 0o644); err != nil {
		Unavailable(t, fmt.Sprintf("the control group cannot be set up: %v", err))
	}
}

// LimitMemory bounds the memory of the group's processes, and of the kernel for them, in bytes.
func (g *Group) LimitMemory(t testing.TB, bytes int64) {
	t.Helper()
	file := "memory.limit_in_bytes"
	if g.V2 {
		file = "memory.max"
	}
	g.Set(t, file, fmt.Sprint(bytes))
}

// LimitTime lets the group's processes have quota of one core's time in each period.
func (g *Group) LimitTime(t testing.TB, quota, period time.Duration) {
	t.Helper()
	if g.V2 {
		g.Set(t, "cpu.max", fmt.Sprint(quota.Microseconds(), period.Microseconds()))
		return
	}
	g.Set(t, "cpu.cfs_period_us", fmt.Sprint(period.Microseconds()))
	g.Set(t, "cpu.cfs_quota_us", fmt.Sprint(quota.Microseconds()))
}

// Throttled returns how often the quota was used up, as the kernel counts it.
func (g *Group) Throttled(t testing.TB) (times uint64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, "cpu.stat"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "nr_throttled "); ok {
			if times, err = strconv.ParseUint(strings.TrimSpace(n), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	return times
}

// Hold makes a command that is not started yet start as a process of this group.
func (g *Group) Hold(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	program := cmd.Path
	if program == "/proc/self/exe" { // which would be the shell
		var err error
		if program, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	join := fmt.Sprintf(`echo $$ >%q && exec "$0" "$@"`, filepath.Join(g.dir, "cgroup.procs"))
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", join, program}, cmd.Args[1:]...)
}

// StartLoop starts a shell in the group that wants a core all the time, until the test ends, and returns its pid.
func (g *Group) StartLoop(t testing.TB) (pid int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "while :; do :; done")
	g.Hold(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it ends in no other way
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// Remove removes the group, which may have been removed already. It waits for processes that are about to
// end.
func (g *Group) Remove(t testing.TB) {
	var err error
	for range 100 {
		if err = os.Remove(g.dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("remove control group: %v", err)
}
