package collector_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// follow traces a command and all its children.
func follow(t *testing.T, c *collector.Collector, argv ...string) collector.Interval {
	t.Helper()
	if _, err := exec.LookPath(argv[0]); err != nil {
		t.Fatal(err)
	}
	running, err := workloads.StartCommand(workloads.Command{Argv: argv})
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := running.Before()
	if err != nil {
		t.Fatal(err)
	}
	task := commandTask(running)
	task.Voluntary, task.Involuntary = kernel.Voluntary, kernel.Involuntary
	if err := c.Watch(task); err != nil {
		t.Fatal(err)
	}
	before, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Release(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := running.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AwaitExits(50 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	after, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	in, err := after.Since(before)
	if err != nil {
		t.Fatal(err)
	}
	in.Lost = withoutSkipped(in.Lost)
	return in
}

// Forks, forks of forks, exec and tasks that end before anybody looks: each has
// its row, and the kernel's counters of its whole life agree.
func TestEveryTaskOfATreeIsFollowed(t *testing.T) {
	c := open(t, collector.Options{})
	in := follow(t, c, "sh", "-c",
		"for i in 1 2 3 4 5 6 7; do (sleep 0.01; (true; /bin/echo $i >/dev/null)) & done; wait")
	names := make(map[string]int)
	for _, task := range in.Tasks {
		names[task.Comm]++
		if !task.Exited {
			t.Errorf("task %d (%s) is said to live", task.TID, task.Comm)
			continue
		}
		equal, known := task.Reconciled()
		if !known || !equal {
			t.Errorf("task %d (%s): %d voluntary, %d involuntary; the kernel has %+v",
				task.TID, task.Comm, task.Voluntary, task.Involuntary, task.Kernel)
		}
	}
	// sh itself, a subshell each that becomes or forks its commands.
	if names["sleep"] != 7 || names["echo"] != 7 {
		t.Errorf("followed %v, want 7 each of sleep and echo", names)
	}
	if in.Lost.Total() != 0 {
		t.Errorf("lost %+v", in.Lost)
	}
	checkAddsUp(t, "tree", in.Cores)
}

const threadVariable = "SLICETRACE_TEST_THREAD"

// executeFromThread makes this process, if asked to, one whose second thread
// executes a program: the thread takes over the first one's tid.
func executeFromThread() {
	if os.Getenv(threadVariable) == "" {
		return
	}
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			time.Sleep(time.Minute) // keeps the first thread from the next one
		}
		turns := "200000"
		if bpftest.Emulated() {
			turns = "20000"
		}
		script := "sleep 0.05; sleep 0.05; i=0; while [ $i -lt " + turns + " ]; do i=$((i+1)); done"
		err := syscall.Exec("/bin/sh", []string{"sh", "-c", script}, nil)
		fmt.Println(err)
		os.Exit(1)
	}()
	runtime.LockOSThread()
	time.Sleep(time.Minute)
}

func TestThreadThatExecutesAProgramIsFollowed(t *testing.T) {
	c := open(t, collector.Options{})
	t.Setenv(threadVariable, "1")
	times := 5
	if bpftest.Emulated() {
		times = 1
	}
	for range times {
		in := follow(t, c, "/proc/self/exe")
		var sleeps int
		var shell int64
		for _, task := range in.Tasks {
			if equal, known := task.Reconciled(); !known || !equal {
				t.Errorf("task %d (%s): %d voluntary, %d involuntary; the kernel has %+v",
					task.TID, task.Comm, task.Voluntary, task.Involuntary, task.Kernel)
			}
			switch task.Comm {
			case "sleep":
				sleeps++
			case "sh":
				shell += task.OnCPUNS
			}
		}
		if sleeps != 2 {
			t.Errorf("%d children called sleep were followed, want 2", sleeps)
		}
		if shell < int64(20*time.Millisecond) {
			t.Errorf("the shell had the CPU for %d ns, and counted far", shell)
		}
		if in.Lost.Total() != 0 {
			t.Errorf("lost %+v", in.Lost)
		}
	}
}

// Tasks whose sleep is cut short by signals, beside one that wants the core: a
// block that a signal undoes counts as voluntary.
func TestSwitchesUnderSignalsEqualTheKernels(t *testing.T) {
	c := open(t, collector.Options{})
	in := follow(t, c, "sh", "-c", `
		trap : USR1
		(while :; do :; done) & hog=$!
		(while kill -USR1 $$ 2>/dev/null; do :; done) & storm=$!
		i=0; while [ $i -lt 300 ]; do sleep 0.0001; i=$((i+1)); done
		kill $hog $storm; wait`)
	for _, task := range in.Tasks {
		if equal, known := task.Reconciled(); known && !equal {
			t.Errorf("task %d (%s): %d voluntary, %d involuntary; the kernel has %+v",
				task.TID, task.Comm, task.Voluntary, task.Involuntary, task.Kernel)
		}
	}
}

// Tasks that fork on one core and are preempted as they do: each child is
// followed, also where the kernel skips a program that it has preempted.
func TestForksThatMeetAreFollowed(t *testing.T) {
	c := open(t, collector.Options{})
	in := follow(t, c, "sh", "-c", `
		for j in 1 2 3 4; do
			(i=0; while [ $i -lt 251 ]; do (:); i=$((i+1)); done) &
		done; wait`)
	tasks := 0
	for _, row := range in.Tasks {
		tasks += max(1, row.Merged)
	}
	if bpftest.Emulated() {
		// On one slow core the records of their ends can be read too late: that is counted.
		tasks += int(in.Lost.DroppedTasks)
		in.Lost.DroppedTasks = 0
	}
	if tasks != 1+4*(1+251) || in.Lost.Total() != 0 {
		t.Errorf("followed %d tasks, want %d; lost %+v", tasks, 1+4*(1+251), in.Lost)
	}
}

// More tasks than places: what is not watched is counted.
func TestFullMapIsCounted(t *testing.T) {
	c := open(t, collector.Options{Tasks: 4})
	in := follow(t, c, "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait")
	if in.Lost.MapFull < 4 {
		t.Errorf("%d tasks found no place, want at least 4 of 8", in.Lost.MapFull)
	}
	if len(in.Tasks) < 3 {
		t.Errorf("%d tasks were watched, want the places there are", len(in.Tasks))
	}
}

// Ten thousand tasks that come and go need no more places than live at once.
func TestPlacesAreUsedAgain(t *testing.T) {
	c := open(t, collector.Options{Tasks: 16})
	in := follow(t, c, "sh", "-c", "i=0; while [ $i -lt 5003 ]; do (:); i=$((i+1)); done")
	var tasks int
	for _, row := range in.Tasks {
		tasks += max(1, row.Merged)
		// The shell, which ends last, had switches of its own before it was watched.
		if equal, known := row.Reconciled(); !equal || !known {
			t.Errorf("row of %d merged tasks: %d voluntary, %d involuntary; the kernel has %+v",
				row.Merged, row.Voluntary, row.Involuntary, row.Kernel)
		}
	}
	if in.Lost.Total() != 0 {
		t.Errorf("lost %+v", in.Lost)
	}
	if tasks != 5004 {
		t.Errorf("followed %d tasks, want 5003 and the shell", tasks)
	}
	if len(in.Tasks) > 4098 {
		t.Errorf("%d rows", len(in.Tasks))
	}
}

// Snapshots while places change hands: what a core saw of its task is never given to another,
// so no task's time decreases.
func TestSnapshotsWhilePlacesChangeHands(t *testing.T) {
	c := open(t, collector.Options{Tasks: 4})
	const script = "i=0; while [ $i -lt 1009 ]; do (:); i=$((i+1)); done"
	running, err := workloads.StartCommand(workloads.Command{Argv: []string{"sh", "-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Watch(commandTask(running)); err != nil {
		t.Fatal(err)
	}
	before, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Release(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, _, err := running.Wait()
		ended <- err
	}()
	snapshots, tasks := 0, make(map[sched.TID]bool)
	for more := true; more; snapshots++ {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			more = false
		default:
		}
		now, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		in, err := now.Since(before)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range in.Tasks {
			tasks[task.TID] = true
			if task.OnCPUNS < 0 || task.OnCPUNS > int64(time.Second) || task.WaitNS < 0 {
				t.Errorf("in snapshot %d task %d ran for %d ns and waited for %d",
					snapshots, task.TID, task.OnCPUNS, task.WaitNS)
			}
		}
		before = now
	}
	if len(tasks) < 1000 || snapshots < 20 {
		t.Errorf("only %d tasks in %d snapshots", len(tasks), snapshots)
	}
}

// More tasks are watched in one call than one pass over all tasks looks for. A task that does
// not exist, is watched already, or finds no place is named.
func TestWatchingManyAtOnce(t *testing.T) {
	const many = 151
	c := open(t, collector.Options{Tasks: many})
	tids, end := make(chan sched.TID), make(chan struct{})
	defer close(end)
	var tasks []collector.Task
	for range many + 1 {
		go func() {
			runtime.LockOSThread()
			tids <- sched.TID(unix.Gettid())
			<-end
		}()
		tasks = append(tasks, collector.Task{PID: sched.PID(unix.Getpid()), TID: <-tids})
	}
	if err := c.Watch(tasks[:many]...); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		task collector.Task
		want string
	}{
		"again": {tasks[many-1], fmt.Sprintf("watch task %d: it is watched already", tasks[many-1].TID)},
		"no place": {tasks[many], fmt.Sprintf(
			"watch task %d: all %d places for watched tasks are taken: use fewer workers", tasks[many].TID, many)},
		"nobody": {collector.Task{TID: 1 << 30}, "watch task 1073741824: no such process"},
	} {
		if err := c.Watch(row.task); err == nil || err.Error() != row.want {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	in, err := next.Since(s)
	if err != nil || len(in.Tasks) != many {
		t.Errorf("%d tasks are watched, %v, want %d", len(in.Tasks), err, many)
	}
}
