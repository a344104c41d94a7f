package collector

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

func openLive(t *testing.T, o LiveOptions) *Live {
	t.Helper()
	bpftest.Require(t)
	l, err := OpenLive(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func nextReading(t *testing.T, l *Live) *Reading {
	t.Helper()
	r, err := l.Next()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// checkReading requires what holds of each reading.
func checkReading(t *testing.T, r *Reading) {
	t.Helper()
	for _, c := range r.Cores {
		if sum := c.IdleNS + c.WorkersNS + c.OthersNS + c.SelfNS; sum != c.WallNS {
			t.Errorf("core %d: idle time and tasks are %d ns of %d", c.CPU, sum, c.WallNS)
		}
	}
	for _, q := range r.System.Queues {
		if q.Max > 1<<20 || q.TaskNS < 0 || q.ObservedNS < 0 {
			t.Errorf("impossible run queue %+v", q)
		}
	}
	for a := range r.System.Activities() {
		if a.OnCPUNS < 0 || a.WaitNS < 0 || a.ThrottledNS < 0 {
			t.Errorf("negative times: %+v", a)
		}
	}
}

// rowOf returns a task's row, nil if it has none.
func rowOf(r *Reading, tid int) *report.Task {
	for i := range r.System.Tasks {
		if r.System.Tasks[i].TID == sched.TID(tid) {
			return &r.System.Tasks[i]
		}
	}
	return nil
}

// sleeper is a thread that takes a core whenever it is told to.
type sleeper struct {
	tid  int
	wake chan func()
	done chan struct{}
}

func newSleeper(t *testing.T) *sleeper {
	t.Helper()
	s := &sleeper{wake: make(chan func()), done: make(chan struct{})}
	tids := make(chan int)
	bpftest.OnOwnThread(sched.CPU(0), func(error) {
		tids <- unix.Gettid()
		for f := range s.wake {
			f()
			s.done <- struct{}{}
		}
	})
	s.tid = <-tids
	t.Cleanup(func() { close(s.wake) })
	return s
}

// do has the thread call f.
func (s *sleeper) do(f func()) {
	s.wake <- f
	<-s.done
}

func setName(name string) error {
	b := append([]byte(name), 0)
	return unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
}

// With more kinds of tasks than the sums have room for, the others are added up together. Places are used
// again and again.
func TestLiveAddsUpMoreKindsThanItKeeps(t *testing.T) {
	const room, tasks, kinds = 2048, 4500, 4095
	l := openLive(t, LiveOptions{Tasks: room})
	nextReading(t, l)
	var ended, reconciled, named, others, rows uint64
	read := func() {
		r := nextReading(t, l)
		checkReading(t, r)
		if r.Lost.MapFull+r.Lost.DroppedTasks != 0 {
			t.Errorf("lost %+v", r.Lost)
		}
		ended, reconciled = ended+r.Ended, reconciled+r.Reconciled
		for i := range r.System.Tasks { // a thread that had been there before was called so at last
			if task := &r.System.Tasks[i]; task.Exited && strings.HasPrefix(task.Comm, "kind") {
				rows++
			}
		}
		for i := range r.System.Ended {
			switch e := &r.System.Ended[i]; {
			case e.Comm == "":
				others += e.Tasks
			case strings.HasPrefix(e.Comm, "kind"):
				named += e.Tasks
				if e.Tasks != 1 {
					t.Errorf("%s: %d tasks", e.Comm, e.Tasks)
				}
			}
		}
	}
	run := func(first, end int) {
		done := make(chan error, 1)
		for i := first; i < end; i++ {
			bpftest.OnOwnThread(sched.CPU(0), func(error) { done <- setName(fmt.Sprintf("kind%d", i)) })
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Millisecond)
		read()
	}
	run(0, tasks)
	if ended != reconciled || ended < tasks {
		t.Errorf("%d tasks ended, the switches of %d equal the kernel's", ended, reconciled)
	}
	if named > kinds || named < kinds/2 || named+others+rows < tasks {
		t.Errorf("%d tasks of their own kind, %d others, %d of them known", named, others, rows)
	}
	t.Logf("%d tasks of their own kind, %d others", named, others)
	// Kinds that are seen no more have left room for others.
	const later = 100
	named, rows = 0, 0
	run(tasks, tasks+later)
	if named+rows != later {
		t.Errorf("of %d later tasks %d are of their own kind", later, named+rows)
	}
	var places bpf.Places
	if err := l.objs.Places.Get(&places); err != nil {
		t.Fatal(err)
	}
	if places.Used > room || places.Counted != 0 || places.Lost != 0 {
		t.Errorf("places: %+v", places)
	}
}

// A task at the address of one whose end the kernel did not show gets a record of its own.
func TestLiveTaskAtAnOldAddress(t *testing.T) {
	s := newSleeper(t)
	l := openLive(t, LiveOptions{})
	s.do(func() {})
	nextReading(t, l)
	changed := false
	for slot := range l.tasks.records {
		if w := &l.tasks.records[slot]; w.Key > keyEnded && int(w.Tid) == s.tid {
			w.Tid, w.Born, changed = 1<<30, 1, true // as if it were of a task long ago
		}
	}
	if !changed {
		t.Fatal("the thread has no record")
	}
	s.do(func() {})
	r := nextReading(t, l)
	row := rowOf(r, s.tid)
	if r.Lost.DroppedTasks != 1 || row == nil || rowOf(r, 1<<30) != nil {
		t.Errorf("lost %+v, the thread's row is %+v", r.Lost, row)
	}
}

// Names follow their tasks, and those of processes theirs.
func TestLiveNames(t *testing.T) {
	l := openLive(t, LiveOptions{})
	s := newSleeper(t)
	s.do(func() {
		if err := setName("first"); err != nil {
			t.Error(err)
		}
	})
	r := nextReading(t, l)
	if row := rowOf(r, s.tid); row == nil || row.Comm != "first" || int(row.PID) != os.Getpid() {
		t.Errorf("after one name: %+v", row)
	}
	s.do(func() {
		if err := setName("second"); err != nil {
			t.Error(err)
		}
	})
	r = nextReading(t, l)
	if row := rowOf(r, s.tid); row == nil || row.Comm != "second" {
		t.Errorf("after two names: %+v", row)
	}
	// A process that executes a program has its name at once, without a look at all tasks.
	cmd := exec.Command("/bin/sh", "-c", "exec sleep 10")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	for range 100 {
		if row := rowOf(nextReading(t, l), cmd.Process.Pid); row != nil && row.Comm == "sleep" {
			if row.Process != "sleep" {
				t.Errorf("the process of %q is called %q", row.Comm, row.Process)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the program was never seen")
}

// A thread that moves to another group, or becomes another user, is shown there after Refresh.
func TestLiveRefresh(t *testing.T) {
	group := bpftest.NewGroup(t, "cpu")
	l := openLive(t, LiveOptions{})
	cmd := exec.Command("/bin/sh", "-c", "while :; do sleep 0.01; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	path := func() (string, *report.Task) {
		time.Sleep(50 * time.Millisecond)
		if err := l.Refresh(); err != nil {
			t.Fatal(err)
		}
		r := nextReading(t, l)
		row := rowOf(r, cmd.Process.Pid)
		if row == nil {
			t.Fatal("the shell has no row")
		}
		l.DescribeGroups(&r.System, nil)
		for _, g := range r.System.Groups {
			if g.ID == row.Group {
				return g.Path, row
			}
		}
		t.Fatalf("its group %d is not described", row.Group)
		return "", nil
	}
	before, _ := path()
	group.Set(t, "cgroup.procs", fmt.Sprint(cmd.Process.Pid))
	after, _ := path()
	if before == after || !strings.Contains(after, "slicetrace-test-") {
		t.Errorf("its group was %q, and is %q", before, after)
	}
	s := newSleeper(t)
	const nobody = 65534
	s.do(func() { // of this thread only
		if _, _, err := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), nobody, ^uintptr(0)); err != 0 {
			t.Error(err)
		}
	})
	if err := l.Refresh(); err != nil {
		t.Fatal(err)
	}
	if row := rowOf(nextReading(t, l), s.tid); row == nil || row.UID != nobody {
		t.Errorf("after it has become user %d: %+v", nobody, row)
	}
}
