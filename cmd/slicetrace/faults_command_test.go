package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// faultyVariable makes this test binary a program that is hard to trace, one of
// faultyPrograms.
const faultyVariable = "SLICETRACE_TEST_FAULTY"

// faultyPrograms return an exit status.
func faultyPrograms() map[string]func() int {
	return map[string]func() int{
		"10007 threads, 16 at once": func() int { return manyThreads(manyTasks, 16) },
		"997 threads at once":       func() int { return manyThreads(crowd, crowd) },
		"forks without end":         forkWithoutEnd,
		"provoked waits":            provokeWaits,
	}
}

const (
	manyTasks = 10_007
	crowd     = 997
	// fewRuntime is more than the threads that Go's runtime adds.
	fewRuntime = 32
)

// faulty returns a command that traces one of faultyPrograms.
func faulty(t *testing.T, name string, flags ...string) *exec.Cmd {
	t.Helper()
	cmd := tool(t, append(append([]string{"run", "-o", "r.json"}, flags...), "--", "/proc/self/exe")...)
	cmd.Env = append(cmd.Env, faultyVariable+"="+name)
	return cmd
}

// manyThreads runs a number of threads that end, some of them at once.
func manyThreads(total, atOnce int) int {
	for begun := 0; begun < total; begun += atOnce {
		n := min(atOnce, total-begun)
		arrived, leave := make(chan bool, n), make(chan bool)
		for range n {
			go func() {
				runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
				arrived <- true
				<-leave
			}()
		}
		for range n {
			<-arrived
		}
		close(leave)
	}
	return 0
}

// forkWithoutEnd never returns. Each of its children forks twice and ends, so that there are soon
// as many as a limit allows. The file "forks" holds the number of all children.
func forkWithoutEnd() int {
	file, err := os.OpenFile("forks", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil || file.Truncate(8) != nil {
		return 1
	}
	page, err := unix.Mmap(int(file.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return 1
	}
	born := (*uint64)(unsafe.Pointer(&page[0]))
	// Nobody has to wait for the children.
	ignore := [4]uint64{1}
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION,
		uintptr(unix.SIGCHLD), uintptr(unsafe.Pointer(&ignore)), 0, 8, 0, 0)
	if errno != 0 {
		return 1
	}
	runtime.LockOSThread()
	multiply(born)
	return 1
}

// multiply is all that a child runs: it has none of Go's other threads.
//
//go:norace
func multiply(born *uint64) {
	flags := uintptr(unix.SIGCHLD)
	for forks, first := 0, true; first || forks < 2; forks++ {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
		switch {
		case errno == 0 && pid == 0:
			forks, first = -1, false
			// All are children of the first, which ignores their ends. As orphans they could
			// stay in the group until their new parent waits for them.
			flags |= unix.CLONE_PARENT
		case errno == 0:
			atomic.AddUint64(born, 1)
		default: // the limit
			unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		}
	}
	unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
}

// tasksOf returns how many of a program's tasks its report lists, and how many it counts as lost.
func tasksOf(r *report.Report) (listed, left uint64) {
	return uint64(r.Quality.Workers), r.Quality.Lost.MapFull + r.Quality.Lost.DroppedTasks
}

// A program that leaves a daemon behind has ended when its first process has. The daemon is
// counted up to then, the report says so, and the tool does not wait for it.
func TestProgramThatLeavesADaemon(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "-o", "r.json", "--", "sh", "-c",
		`setsid sh -c 'sh -c "echo \$\$ >pid; exec sleep 60" >/dev/null 2>&1 </dev/null &'
		while ! test -s pid; do sleep 0.01; done; exit 3`)
	got := finish(t, cmd)
	text, err := os.ReadFile(filepath.Join(got.dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	daemon, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(daemon, unix.SIGKILL); err != nil {
		t.Errorf("the daemon did not outlive the run: %v", err)
	}
	if got.status != 3 {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	checkHonest(t, r)
	if q := r.Quality; q.ComparedWorkers != q.Workers-1 || q.Lost.Total() != 0 {
		t.Errorf("%d of %d tasks are compared: %+v", q.ComparedWorkers, q.Workers, q)
	}
	const says = "1 of the program's tasks were still alive when it ended"
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], says) || !strings.Contains(got.err, says) {
		t.Errorf("the report warns %q, and shows %s", r.Warnings, got.err)
	}
	for _, w := range r.Trials[0].Workers {
		if (int(w.PID) == daemon) == w.Exited || (int(w.PID) == daemon) != (w.Kernel == nil) {
			t.Errorf("task %d (%s), of which the daemon is %d, exited: %v, kernel's counts: %v",
				w.PID, w.Comm, daemon, w.Exited, w.Kernel)
		}
	}
}

// Of thousands of threads that come and go, every one is counted, and the number of its switches
// equals the kernel's.
func TestProgramOfManyThreads(t *testing.T) {
	bpftest.Require(t)
	got := finish(t, faulty(t, "10007 threads, 16 at once"))
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkHonest(t, r)
	// On a busy machine rows can be lost, but the report must count them.
	listed, left := tasksOf(r)
	compared := r.Quality.ComparedWorkers
	if clean, _ := r.Clean(); clean != (left == 0) {
		t.Errorf("%d tasks are lost, and the report is clean: %v", left, clean)
	}
	if all := listed + left; all < manyTasks || all > manyTasks+fewRuntime || compared != r.Quality.Workers {
		t.Errorf("%d tasks are listed, %d compared and %d lost, of %d", listed, compared, left, manyTasks)
	}
}

// Tasks that do not fit into the table are counted, and the report says so first of all.
func TestProgramOfTooManyThreads(t *testing.T) {
	bpftest.Require(t)
	got := finish(t, faulty(t, "997 threads at once", "--max-tasks", "100"))
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkHonest(t, r)
	listed, left := tasksOf(r)
	if all := listed + left; listed < 100 || left < crowd-100 || all < crowd || all > crowd+fewRuntime {
		t.Errorf("%d tasks are listed and %d lost, of %d", listed, left, crowd)
	}
	full := fmt.Sprintf("map was full: %d", r.Quality.Lost.MapFull)
	if first, _, _ := strings.Cut(got.err, "\n\n"); !strings.Contains(first, full) {
		t.Errorf("the report begins with %q", first)
	}
}

// A program that forks without end is counted until it is killed, however many of its tasks
// there is room for.
func TestProgramThatForksWithoutEnd(t *testing.T) {
	bpftest.Require(t)
	const most = 67
	for name, flags := range map[string][]string{
		"all watched": {"--max-tasks", "400"},
		"map full":    {"--max-tasks", "20"},
	} {
		t.Run(name, func(t *testing.T) {
			group := newPIDGroup(t, most)
			// The shell goes into the group, and the program with it; the tool stays out.
			cmd := tool(t, append(append([]string{"run", "-o", "r.json"}, flags...), "--",
				"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec nice -n 19 "$1"`, group, self(t))...)
			cmd.Env = append(cmd.Env, faultyVariable+"=forks without end")
			got := finish(t, cmd, func() {
				await(t, "the limit", func() bool {
					text, err := os.ReadFile(group + "/pids.current")
					n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
					return err == nil && n > most*3/4
				})
				await(t, "tasks that come and go", func() bool {
					text, err := os.ReadFile(filepath.Join(cmd.Dir, "forks"))
					return err == nil && len(text) == 8 && binary.NativeEndian.Uint64(text) > 3*most
				})
				endGroup(t, group)
			})
			if got.status != 128+int(syscall.SIGKILL) {
				t.Errorf("status %d: %s", got.status, got.err)
			}
			r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
			if err != nil {
				t.Fatal(err)
			}
			checkHonest(t, r)
			text, err := os.ReadFile(filepath.Join(got.dir, "forks"))
			if err != nil || len(text) != 8 {
				t.Fatalf("%d bytes, %v", len(text), err)
			}
			// A task may have been killed between a fork and counting it.
			born := binary.NativeEndian.Uint64(text)
			listed, left := tasksOf(r)
			clean, reasons := r.Clean()
			if name == "map full" {
				// What an unwatched task creates cannot be counted, and the report says so.
				full := fmt.Sprintf("nor the tasks that they created, because the task map was full: %d",
					r.Quality.Lost.MapFull)
				said := strings.Contains(strings.Join(reasons, "; "), full)
				if clean || r.Quality.Lost.MapFull == 0 || listed < 20 || !said {
					t.Errorf("of more than %d tasks %d are listed and %d lost, and the report says %q",
						born, listed, left, reasons)
				}
			} else if all := listed + left; all < born || clean != (left == 0) {
				t.Errorf("%d tasks are listed and %d lost, of %d; the report says %q", listed, left, born, reasons)
			}
			if all := listed + left; all > born+most+fewRuntime || born < 2*most {
				t.Errorf("%d tasks are listed and %d lost, of %d", listed, left, born)
			}
			t.Logf("%d tasks are listed, %d compared and %d lost, of %d or some more; %q",
				listed, r.Quality.ComparedWorkers, left, born, r.Warnings)
		})
	}
}

// newPIDGroup makes a control group that bounds the number of its tasks. It is gone,
// and its tasks with it, when the test ends.
func newPIDGroup(t *testing.T, most int) string {
	t.Helper()
	var errs []string
	// The places of version 1, version 2, and version 2 together with version 1.
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		group := fmt.Sprintf("%s/slicetrace-test-%d", root, os.Getpid())
		if err := os.Mkdir(group, 0o755); err != nil {
			errs = append(errs, err.Error())
			continue
		}
		// In version 2 the file is there only if the parent passes the controller on.
		if err := os.WriteFile(group+"/pids.max", strconv.AppendInt(nil, int64(most), 10), 0); err != nil {
			errs = append(errs, err.Error())
			_ = os.Remove(group)
			continue
		}
		t.Cleanup(func() {
			endGroup(t, group)
			if err := os.Remove(group); err != nil {
				t.Errorf("remove control group: %v", err)
			}
		})
		return group
	}
	bpftest.Unavailable(t, "no control group can bound the number of tasks: "+strings.Join(errs, "; "))
	return ""
}

func pidsIn(t *testing.T, group string) []string {
	t.Helper()
	text, err := os.ReadFile(group + "/cgroup.procs")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// endGroup kills all tasks of a control group. It leaves no room for new ones, so that none escape.
func endGroup(t *testing.T, group string) {
	t.Helper()
	if err := os.WriteFile(group+"/pids.max", []byte("0"), 0); err != nil {
		t.Fatal(err)
	}
	await(t, "an empty group", func() bool {
		pids := pidsIn(t, group)
		for _, text := range pids {
			if pid, err := strconv.Atoi(text); err == nil && pid > 0 {
				_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
			}
		}
		return len(pids) == 0
	})
}
