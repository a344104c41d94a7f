package collector

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// whyWatch watches where the threads of this process are off their cores.
type whyWatch struct {
	t *testing.T
	l *Live
}

func watchWhy(t *testing.T, o WhyOptions) *whyWatch {
	t.Helper()
	before := runtime.GOMAXPROCS(16) // so that each of the threads below gets a P at once
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	o.OnlyToldApart = true
	l := openLive(t, LiveOptions{Why: &o})
	if err := l.TellApart(sched.PID(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	return &whyWatch{t: t, l: l}
}

// everyWalk is more than any test needs.
const everyWalk = 1_000_000

// seen is what a reading says of the threads of one name.
type seen struct {
	report.StackWait
	onCPU, waited, wall time.Duration
	waits               []report.StackWait
}

// next returns what threads have done since it was called before, by their names.
func (w *whyWatch) next() map[string]*seen {
	w.t.Helper()
	r := nextReading(w.t, w.l)
	if r.Why.Lost > 0 {
		w.t.Errorf("%d stacks were lost", r.Why.Lost)
	}
	threads := make(map[string]*seen)
	of := func(comm string) *seen {
		if threads[comm] == nil {
			threads[comm] = &seen{wall: time.Duration(r.DurationNS)}
		}
		return threads[comm]
	}
	for i := range r.System.Tasks {
		if task := &r.System.Tasks[i]; task.PID == sched.PID(os.Getpid()) {
			s := of(task.Comm)
			s.onCPU += time.Duration(task.OnCPUNS)
			s.waited += time.Duration(task.WaitNS)
		}
	}
	for i := range r.Why.Waits {
		s := of(r.Why.Waits[i].Comm)
		s.Add(&r.Why.Waits[i])
		s.waits = append(s.waits, r.Why.Waits[i])
	}
	return threads
}

// on returns the time off the core at stacks with this function.
func (w *whyWatch) on(s *seen, function string) (sum int64) {
	for i := range s.waits {
		if w.has(s.waits[i].Stack, function) {
			sum += s.waits[i].OffNS()
		}
	}
	return sum
}

func (w *whyWatch) has(stack int, function string) bool {
	stacks, frames := w.l.Stacks()
	for _, i := range stacks[stack] {
		if name := frames[i].Function; name == function || strings.HasSuffix(name, "."+function) {
			return true
		}
	}
	return false
}

// thread runs f again and again on a thread of its own, until the test ends.
func thread(t *testing.T, comm string, cpu sched.CPU, f func()) {
	t.Helper()
	var over sync.WaitGroup
	stop := make(chan struct{})
	over.Add(1)
	bpftest.OnOwnThread(cpu, func(error) {
		defer over.Done()
		if err := setName(comm); err != nil {
			t.Error(err)
		}
		for {
			select {
			case <-stop:
				return
			default:
				f()
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		over.Wait()
	})
}

// Raw system calls would look like work to Go's scheduler, which would then interrupt them with signals.
//
//go:noinline
func napHere(d time.Duration) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	_, _, _ = unix.Syscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
}

//go:noinline
func napThere(d time.Duration) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
	_, _, _ = unix.Syscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// A thread that sleeps at two places, and takes the time of each sleep: each place gets its time, and an interrupt
// woke the thread.
func TestLiveStacksOfSleeps(t *testing.T) {
	w := watchWhy(t, WhyOptions{Block: 500 * time.Microsecond, Walks: everyWalk})
	begin, end := make(chan bool), make(chan [2]time.Duration)
	thread(t, "st-naps", 0, func() {
		if !<-begin {
			return
		}
		var took [2]time.Duration
		for range bpftest.WorkFor(time.Second) / (12 * time.Millisecond) {
			at := [3]time.Time{time.Now()}
			napHere(3 * time.Millisecond)
			at[1] = time.Now()
			napThere(9 * time.Millisecond)
			at[2] = time.Now()
			took[0] += at[1].Sub(at[0])
			took[1] += at[2].Sub(at[1])
		}
		end <- took
	})
	t.Cleanup(func() { close(begin) })
	w.next()
	begin <- true
	took := <-end
	s := w.next()["st-naps"]
	if s == nil {
		t.Fatal("the thread's stacks were not seen")
	}
	var naps report.StackWait
	s.waits = slices.DeleteFunc(s.waits, func(wait report.StackWait) bool {
		return !w.has(wait.Stack, "napHere") && !w.has(wait.Stack, "napThere")
	})
	for i := range s.waits {
		naps.Add(&s.waits[i])
	}
	for i, place := range []string{"napHere", "napThere"} {
		if got := w.on(s, place); got > int64(took[i]) || float64(got) < 0.95*float64(took[i]) {
			t.Errorf("%s has %v, the thread slept there for %v", place, time.Duration(got), took[i])
		}
	}
	var byInterrupt int64
	for i := range s.waits {
		// With real-time preemption, and sometimes without, a thread of the kernel does what the interrupt asked for.
		waker := s.waits[i].Waker
		if waker != nil && (waker.Interrupt && waker.PID == 0 ||
			strings.HasPrefix(waker.Comm, "ktimers/") || strings.HasPrefix(waker.Comm, "ksoftirqd/")) {
			byInterrupt += s.waits[i].BlockedNS
		}
	}
	if float64(byInterrupt) < 0.9*float64(naps.BlockedNS) {
		t.Errorf("interrupts ended %d of %d ns of sleep", byInterrupt, naps.BlockedNS)
	}
}

//go:noinline
func readHere(fd int) {
	var b [1]byte
	_, _, _ = unix.Syscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), 1)
}

//go:noinline
func writeHere(fd int) {
	b := [1]byte{}
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), 1)
}

// Who wakes a thread is told with its own stack.
func TestLiveStacksOfWakers(t *testing.T) {
	w := watchWhy(t, WhyOptions{Block: 500 * time.Microsecond, Walks: everyWalk})
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[0]) })
	thread(t, "st-reads", 0, func() { readHere(fds[0]) })
	t.Cleanup(func() { _ = unix.Close(fds[1]) }) // ends the last read
	thread(t, "st-writes", 0, func() { napHere(2 * time.Millisecond); writeHere(fds[1]) })
	time.Sleep(bpftest.WorkFor(500 * time.Millisecond))
	w.next() // the clocks are compared from the first reading on
	time.Sleep(bpftest.WorkFor(500 * time.Millisecond))
	s := w.next()["st-reads"]
	if s == nil || w.on(s, "readHere") == 0 {
		t.Fatal("the reader's stacks were not seen")
	}
	var right int64
	for i := range s.waits {
		waker := s.waits[i].Waker
		if waker != nil && waker.Comm == "st-writes" && !waker.Interrupt && w.has(waker.Stack, "writeHere") {
			right += s.waits[i].BlockedNS
		}
	}
	if float64(right) < 0.95*float64(s.BlockedNS) {
		t.Errorf("the writer ended %d of %d ns of sleep: %+v", right, s.BlockedNS, s.waits)
	}
}

// A parent that waits for its child to execute a program cannot be woken by signals: state D. Threads that
// share a core would have gone on: state R, and all of their absence is a wait for the core.
func TestLiveStacksByState(t *testing.T) {
	w := watchWhy(t, WhyOptions{Block: 20 * time.Microsecond, Walks: everyWalk})
	for range 2 {
		thread(t, "st-spins", 0, func() {
			for start := time.Now(); time.Since(start) < time.Millisecond; {
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	w.next()
	for range 20 {
		if err := exec.Command("/bin/true").Run(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(bpftest.WorkFor(500 * time.Millisecond))
	threads := w.next()
	forks := 0
	for _, s := range threads {
		for i := range s.waits {
			if s.waits[i].State == report.Uninterruptible && w.has(s.waits[i].Stack, "kernel_clone") {
				forks += int(s.waits[i].Samples)
			}
		}
	}
	if forks < 15 {
		t.Errorf("%d of 20 waits for a child's execution are in state D", forks)
	}
	s := threads["st-spins"]
	if s == nil {
		t.Fatal("the stacks of threads that share a core were not seen")
	}
	// Go's runtime stops its threads now and then.
	if s.BlockedNS > s.WaitNS/5 {
		t.Errorf("threads that compute have slept for %d ns, and waited for %d", s.BlockedNS, s.WaitNS)
	}
	// What happens while the rest is read is in the stacks already.
	if waited := float64(s.waited.Nanoseconds()); math.Abs(float64(s.WaitNS)-waited) > 0.1*waited {
		t.Errorf("the stacks' waits are %d ns, the threads waited for %v", s.WaitNS, s.waited)
	}
	for i := range s.waits {
		if s.waits[i].State == report.Runnable && s.waits[i].Waker != nil {
			t.Errorf("nobody woke a thread that was preempted, but %+v", s.waits[i].Waker)
		}
	}
}

// With far fewer walks than absences, the sums are still right, of short absences as of long ones.
func TestLiveStacksStandForAll(t *testing.T) {
	const walks = 1500
	w := watchWhy(t, WhyOptions{Walks: walks})
	naps := map[string]time.Duration{
		"st-short": 100 * time.Microsecond, "st-middle": time.Millisecond, "st-long": 25 * time.Millisecond,
	}
	for comm, nap := range naps {
		thread(t, comm, 0, func() { napHere(nap) })
	}
	time.Sleep(bpftest.WorkFor(time.Second)) // for the threshold to find its level
	w.next()
	before := w.budget()
	time.Sleep(bpftest.WorkFor(3 * time.Second))
	threads := w.next()
	after := w.budget()
	for comm, tolerance := range map[string]float64{"st-short": 0.2, "st-middle": 0.2, "st-long": 0.05} {
		s := threads[comm]
		if s == nil {
			t.Errorf("%s was never sampled", comm)
			continue
		}
		off := float64((s.wall - s.onCPU).Nanoseconds())
		if ratio := float64(s.OffNS()) / off; math.Abs(ratio-1) > tolerance {
			t.Errorf("%s: the stacks stand for %.2f of its time off the core, by %d samples", comm, ratio, s.Samples)
		}
		t.Logf("%s: %.3f by %d samples", comm, float64(s.OffNS())/off, s.Samples)
	}
	taken, skipped := after.Taken-before.Taken, after.Skipped-before.Skipped
	if taken > 2*walks*3 || skipped < taken {
		t.Errorf("one core took %d stacks and skipped %d in 3 s, want about %d a second", taken, skipped, walks)
	}
}

func (w *whyWatch) budget() (b struct{ Taken, Skipped uint64 }) {
	w.t.Helper()
	core, err := w.l.objs.Stacks.Budget(0)
	if err != nil {
		w.t.Fatal(err)
	}
	b.Taken, b.Skipped = core.Taken, core.Skipped
	return b
}

// Absences below the threshold are not looked at.
func TestLiveStacksFromALength(t *testing.T) {
	const block = 5 * time.Millisecond
	w := watchWhy(t, WhyOptions{Block: block, Walks: everyWalk})
	thread(t, "st-nap-1", 0, func() { napHere(time.Millisecond) })
	thread(t, "st-nap-8", 0, func() { napHere(8 * time.Millisecond) })
	time.Sleep(bpftest.WorkFor(500 * time.Millisecond))
	threads := w.next()
	if s := threads["st-nap-8"]; s == nil || s.Samples < 20 {
		t.Errorf("long sleeps: %+v", s)
	}
	for comm, s := range threads {
		for i := range s.waits {
			if mean := float64(s.waits[i].OffNS()) / max(1, s.waits[i].Times); mean < float64(block.Nanoseconds())-1 {
				t.Errorf("%s was looked at after %.0f ns", comm, mean)
			}
		}
	}
}

// A shell's code keeps no frame pointers, and neither does its C library: the whole way to its start is found
// nevertheless. In vfork, where the shell waits for its child's execution, a register holds the return address.
func TestLiveStacksWithoutFramePointers(t *testing.T) {
	w := watchWhy(t, WhyOptions{Walks: everyWalk})
	cmd := exec.Command("/bin/sh", "-c", "while :; do sleep 0.02; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it ends in no other way
		_ = cmd.Wait()
	})
	if err := w.l.TellApart(sched.PID(cmd.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	w.next()
	time.Sleep(time.Second)
	s := w.next()["sh"]
	if s == nil {
		t.Fatal("the shell's stacks were not seen")
	}
	var all int64
	for i := range s.waits {
		all += s.waits[i].OffNS()
	}
	inVfork := w.on(s, "__vfork")
	whole := w.on(s, "__libc_start_main")
	s.waits = slices.DeleteFunc(s.waits, func(wait report.StackWait) bool { return !w.has(wait.Stack, "__vfork") })
	wholeInVfork := w.on(s, "__libc_start_main")
	t.Logf("from the program's start: %d of %d ns, %d of %d ns in vfork", whole, all, wholeInVfork, inVfork)
	if float64(whole) < 0.95*float64(all) || float64(wholeInVfork) < 0.95*float64(inVfork) || inVfork == 0 {
		t.Error("less than 95 % of the time is at stacks from the program's start")
	}

}
