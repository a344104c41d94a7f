package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// restless starts a program of a name of its own, as user nobody, that sleeps and wakes up all the time.
func restless(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	cmd := restlessCommand(t, name)
	startRestless(t, cmd)
	return cmd
}

func restlessCommand(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	sleep, err := exec.LookPath("perl")
	if err != nil {
		bpftest.Unavailable(t, "needs perl, for a program that sleeps often")
	}
	program := filepath.Join(worldDir(t), name)
	copyFile(t, sleep, program, 0o755)
	work := fmt.Sprintf("select(undef, undef, undef, 0.005) while getppid() == %d", os.Getpid())
	cmd := exec.Command(program, "-e", work)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

func startRestless(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// checkOnly checks that intervals have tasks of these processes alone, and of each at least one.
func checkOnly(t *testing.T, what string, intervals []report.Trial, pids ...int) {
	t.Helper()
	seen := map[sched.PID]bool{}
	for _, interval := range intervals {
		for _, task := range interval.System.Tasks {
			seen[task.PID] = true
		}
	}
	for _, pid := range pids {
		if !seen[sched.PID(pid)] {
			t.Errorf("%s: nothing of process %d", what, pid)
		}
		delete(seen, sched.PID(pid))
	}
	if len(seen) > 0 {
		t.Errorf("%s: processes %v as well", what, seen)
	}
}

// Each flag leaves what fits one of its values, and several flags what fits all of them.
func TestTopFilters(t *testing.T) {
	bpftest.Require(t)
	first, second := restless(t, "st-restless-a"), restless(t, "st-restless-b")
	a, b := first.Process.Pid, second.Process.Pid
	one, other := strconv.Itoa(a), strconv.Itoa(b)
	for _, c := range []struct {
		args string
		pids []int
	}{
		{"--pid " + one, []int{a}},
		{"--pid " + one + "," + other, []int{a, b}},
		{"--pid " + one + " --pid " + other, []int{a, b}},
		{"--comm st-restless-a", []int{a}},
		{"--comm st-restless-*", []int{a, b}},
		{"--comm st-restless-[b-z],nothing-such --wait", []int{b}},
		{"--comm st-restless-* --uid 65534", []int{a, b}},
		{"--comm st-restless-* --uid nobody,root", []int{a, b}},
		{"--comm st-restless-* --uid root", nil},
		{"--comm st-restless-* --pid " + one, []int{a}},
		{"--comm st-restless-b --pid " + one, nil},
		{"--cgroup / --comm st-restless-*", []int{a, b}}, // every group is in the topmost one
	} {
		checkOnly(t, c.args, topJSON(t, 2, strings.Fields(c.args)...), c.pids...)
	}
	everything := topJSON(t, 2, "--comm", "*")
	names := map[string]bool{}
	for _, task := range everything[1].System.Tasks {
		names[task.Comm] = true
	}
	if !names["st-restless-a"] || !names["st-restless-b"] || len(names) < 3 {
		t.Errorf("a pattern that fits everything leaves %v", names)
	}
}

// idleUser is the number of a user that no task of a machine has.
const idleUser = 3_999_999_999

// What is not there is an error that names the remedy, --wait, with which top waits for it.
func TestTopOfNothing(t *testing.T) {
	bpftest.Require(t)
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		fmt.Sprint("--pid ", gone.Process.Pid), "--comm st-nothing-such*", "--cgroup nothing-such.service",
		fmt.Sprint("--uid ", idleUser), "--uid root," + fmt.Sprint(idleUser),
	} {
		got := call(t, strings.Fields("top --count 1 "+args)...)
		got.checkOneSentence(t, "with --wait, slicetrace waits for")
		if got.status != exitFailed || got.out != "" {
			t.Errorf("%s: status %d, %q", args, got.status, got.out)
		}
		if strings.Contains(args, "root") {
			continue // whose tasks are there
		}
		checkOnly(t, args, topJSON(t, 1, strings.Fields("--wait "+args)...))
	}
}

// follow runs top, and calls f after the first interval. It returns all intervals.
func follow(t *testing.T, f func(), args ...string) []report.Trial {
	t.Helper()
	intervals, said := followed(t, f, append([]string{"--count", "4"}, args...)...)
	if said != "" {
		t.Fatalf("%v: %s", args, said)
	}
	return intervals
}

// followed is follow without a number of intervals. It returns what top said besides.
func followed(t *testing.T, f func(), args ...string) (intervals []report.Trial, said string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "lines")
	cmd := tool(t, append([]string{"top", "--format", "jsonl", "--interval", "300ms"}, args...)...)
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var messages strings.Builder
	cmd.Stdout, cmd.Stderr = file, &messages
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	await(t, "the first interval", func() bool { return strings.Contains(read(t, out), "\n") })
	f()
	if status := ended(t, cmd); status != exitDone {
		t.Fatalf("%v: status %d: %s", args, status, messages.String())
	}
	return intervalsOf(t, read(t, out)), messages.String()
}

func end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
}

// With --wait, a task that comes later is shown from then on.
func TestTopWaits(t *testing.T) {
	bpftest.Require(t)
	cmd := restlessCommand(t, "st-restless-w")
	intervals := follow(t, func() { startRestless(t, cmd) }, "--wait", "--comm", "st-restless-w")
	checkOnly(t, "the first interval", intervals[:1])
	checkOnly(t, "the last interval", intervals[3:], cmd.Process.Pid)

	cmd = restlessCommand(t, "st-restless-u")
	if err := os.Chmod(filepath.Dir(cmd.Path), 0o755); err != nil { // for another user than nobody
		t.Fatal(err)
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: idleUser, Gid: idleUser}
	intervals = follow(t, func() { startRestless(t, cmd) }, "--wait", "--uid", fmt.Sprint(idleUser))
	checkOnly(t, "the first interval", intervals[:1])
	checkOnly(t, "the last interval", intervals[3:], cmd.Process.Pid)
}

// A control group can vanish while it is watched, and come while it is waited for.
func TestTopOfControlGroups(t *testing.T) {
	bpftest.Require(t)
	name := fmt.Sprintf("slicetrace-test-%d", os.Getpid()) // as NewGroup names it
	t.Run("vanishes", func(t *testing.T) {
		group := bpftest.NewGroup(t, "cpu")
		cmd := restlessCommand(t, "st-restless-g")
		cmd.SysProcAttr = nil
		group.Hold(t, cmd)
		startRestless(t, cmd)
		await(t, "the program", func() bool {
			return strings.TrimSpace(read(t, fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))) == "st-restless-g"
		})
		intervals := follow(t, func() {
			end(t, cmd)
			group.Remove(t)
		}, "--cgroup", name)
		checkOnly(t, "the first interval", intervals[:1], cmd.Process.Pid)
		checkOnly(t, "the last interval", intervals[3:])
		found := false
		for _, g := range intervals[0].System.Groups {
			found = found || strings.Contains(g.Name, name)
		}
		if !found {
			t.Errorf("no group is named: %+v", intervals[0].System.Groups)
		}
	})
	t.Run("comes", func(t *testing.T) {
		cmd := restlessCommand(t, "st-restless-h")
		cmd.SysProcAttr = nil
		intervals := follow(t, func() {
			group := bpftest.NewGroup(t, "cpu")
			group.Hold(t, cmd)
			startRestless(t, cmd)
		}, "--wait", "--cgroup", name)
		checkOnly(t, "the first interval", intervals[:1])
		checkOnly(t, "the last interval", intervals[3:], cmd.Process.Pid)
		end(t, cmd)
	})
}

// A process that works alone and never sleeps is shown in each interval.
func TestTopOfAProcessThatNeverSwitches(t *testing.T) {
	bpftest.Require(t)
	cmd := restlessCommand(t, "st-spinner")
	cmd.Args = []string{"st-spinner", "-e", "1 while 1"}
	startRestless(t, cmd)
	for _, interval := range topJSON(t, 3, "--pid", strconv.Itoa(cmd.Process.Pid)) {
		var ran time.Duration
		for _, task := range interval.System.Tasks {
			ran += time.Duration(task.OnCPUNS)
		}
		if ran < time.Duration(interval.DurationNS)/10 {
			t.Errorf("it ran for %v of %v", ran, time.Duration(interval.DurationNS))
		}
	}
}
