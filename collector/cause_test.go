package collector_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// causesOf sums workers' slices by cause.
func causesOf(tasks []report.Worker) (by report.CauseCounts, all uint64) {
	for _, task := range tasks {
		for _, cause := range report.Causes() {
			n := *task.EndedBy.At(cause)
			*by.At(cause) += n
			all += n
		}
	}
	return by, all
}

// endedBy returns an error unless a share of the slices, or so many fewer as are excused, ended
// for one cause.
func endedBy(name string, tasks []report.Worker, cause report.EndedBy, percent, excused uint64) error {
	by, all := causesOf(tasks)
	n := *by.At(cause)
	if all == 0 || (n+min(excused, all-n))*100 < all*percent {
		return fmt.Errorf("%s: %d of %d slices ended by %s, want at least %d %%, or %d fewer: %+v",
			name, n, all, cause, percent, excused, by)
	}
	return nil
}

// excuse returns how many slices can have ended for another cause than theory says, if other
// tasks came to the core so many times: none while it is nearly undisturbed.
func excuse(came, slices uint64) uint64 {
	if came*4 < slices {
		return 0
	}
	return came
}

// unwatched returns how often a task that is not watched came to a core on which all watched
// tasks ran.
func unwatched(core report.Core, tasks []report.Worker) uint64 {
	var came uint64
	for _, class := range core.Classes {
		if class.Class != report.ClassIdleIn {
			came += class.Switches
		}
	}
	_, slices := causesOf(tasks)
	return came - min(came, slices)
}

// hz returns the tick rate.
func hz(t testing.TB) int {
	t.Helper()
	rate := hostinfo.Fingerprint().HZ
	if rate == 0 {
		t.Fatal("this kernel does not tell its HZ")
	}
	return rate
}

func TestPipeSlicesEndBlocked(t *testing.T) {
	c := open(t, collector.Options{})
	p := plan(t, "pipe")
	p.Workers, p.CPUs = 2, []workloads.CPU{0}
	mostly(t, c, p, func(trials []traced) error {
		var errs []error
		for _, tr := range trials {
			// A worker that is woken may preempt its partner before that one blocks. Which switches
			// are blocks the kernel counts too: see TestSwitchesEqualTheKernels.
			by, _ := causesOf(tr.interval.Tasks)
			others := unwatched(tr.core(0), tr.interval.Tasks)
			errs = append(errs, endedBy(tr.name(), tr.interval.Tasks, report.EndedByBlocked, 99, others+by.Wakeup))
		}
		return errors.Join(errs...)
	})
}

func TestSpinSlicesEndByTick(t *testing.T) {
	rate := hz(t)
	c := open(t, collector.Options{})
	p := plan(t, "spin")
	p.Workers, p.CPUs, p.Duration = 3, []workloads.CPU{0}, time.Second
	mostly(t, c, p, func(trials []traced) error {
		var errs []error
		for _, tr := range trials {
			_, slices := causesOf(tr.interval.Tasks)
			excused := excuse(unwatched(tr.core(0), tr.interval.Tasks), slices)
			errs = append(errs, ticksAtHZ(tr, rate),
				endedBy(tr.name(), tr.interval.Tasks, report.EndedByTick, 95, excused))
			// After another task's slice, the next one starts between two ticks.
			if excused == 0 && !endsBetweenTicks(t, c) {
				errs = append(errs, slicesOfTicks(tr, rate))
			}
		}
		return errors.Join(errs...)
	})
}

// endsBetweenTicks reports whether this kernel ends slices when they are due, by a timer of
// its own: on 7.2 the slices of workers that share a core last 1.4 ms.
func endsBetweenTicks(t *testing.T, c *collector.Collector) bool {
	t.Helper()
	capture, err := c.Capture()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(capture.Notes, func(note string) bool { return strings.Contains(note, "HRTICK") })
}

// slicesOfTicks returns an error unless the median slice that a tick ended is a multiple of ticks.
func slicesOfTicks(tr traced, rate int) error {
	tick := float64(time.Second) / float64(rate)
	for _, by := range tr.core(0).Slices {
		if by.EndedBy != report.EndedByTick {
			continue
		}
		// The bucket at the median is 6 % wide.
		p50, _ := by.Length.Quantile(0.5)
		multiple := max(1, math.Round(p50/tick))
		if off := p50/tick - multiple; off < -0.08 || off > 0.08 {
			return fmt.Errorf("%s: the median slice of %.0f ns is %.3f ticks", tr.name(), p50, p50/tick)
		}
	}
	return nil
}

// ticksAtHZ compares a busy core's ticks with HZ. Ticks that are due while the hypervisor runs
// something else are late or lost.
func ticksAtHZ(tr traced, rate int) error {
	core := tr.core(0)
	if core.BusyTicks == nil {
		return fmt.Errorf("%s: ticks are absent", tr.name())
	}
	want := float64(rate) * float64(core.WallNS-core.IdleNS) / 1e9
	if got := float64(*core.BusyTicks); got < want*0.9 || got > want*1.1 {
		return fmt.Errorf("%s: %.0f ticks in %d ns of work at %d Hz", tr.name(), got, core.WallNS-core.IdleNS, rate)
	}
	return nil
}

// pinned runs each body on a thread of its own, all on one core and watched. It returns a row
// for each, and how many slices other tasks excuse.
func pinned(
	t *testing.T, c *collector.Collector, cpu sched.CPU, bodies ...func(),
) (rows []report.Worker, excused uint64) {
	t.Helper()
	// With fewer, Go's scheduler would have the bodies take turns, not the kernel.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(runtime.NumCPU(), len(bodies)+1)))
	var ready, stopped sync.WaitGroup
	gate, end := make(chan struct{}), make(chan struct{})
	tids := make([]sched.TID, len(bodies))
	for i, body := range bodies {
		ready.Add(1)
		stopped.Add(1)
		bpftest.OnOwnThread(cpu, func(err error) {
			if err != nil {
				t.Error(err)
			}
			tids[i] = sched.TID(unix.Gettid())
			ready.Done()
			<-gate
			body()
			stopped.Done()
			<-end
		})
	}
	defer close(end)
	ready.Wait()
	for _, tid := range tids {
		if err := c.Watch(collector.Task{PID: sched.PID(unix.Getpid()), TID: tid}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	close(gate)
	stopped.Wait()
	after, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	in, err := after.Since(before)
	if err != nil {
		t.Fatal(err)
	}
	byTID := make(map[sched.TID]report.Worker)
	for _, task := range in.Tasks {
		byTID[task.TID] = task
	}
	for _, tid := range tids {
		rows = append(rows, byTID[tid])
	}
	on := slices.IndexFunc(in.Cores, func(core report.Core) bool { return core.CPU == cpu })
	_, all := causesOf(in.Tasks)
	return rows, excuse(unwatched(in.Cores[on], in.Tasks), all)
}

func TestYieldedSlicesEndByYield(t *testing.T) {
	c := open(t, collector.Options{})
	yield := func() {
		for range 10007 {
			unix.RawSyscallNoError(unix.SYS_SCHED_YIELD, 0, 0, 0)
		}
	}
	bpftest.Mostly(t, func() error {
		rows, excused := pinned(t, c, 0, yield, yield)
		errs := []error{endedBy("two that yield", rows, report.EndedByYield, 90, excused)}
		for _, row := range rows {
			// EEVDF lets a task that is owed time go on at once.
			if row.EndedBy.Yield < 100 {
				errs = append(errs,
					fmt.Errorf("task %d lost the core by yielding %d times", row.TID, row.EndedBy.Yield))
			}
		}
		return errors.Join(errs...)
	})
}

// Several sleepers are due at one instant. Whichever of them takes the core from the hog was
// woken, also if it was not the last to be woken.
func TestSleepersDueAtOnceEndHogsSlicesByWakeup(t *testing.T) {
	c := open(t, collector.Options{})
	const naps = 101
	bpftest.Mostly(t, func() error {
		var awake atomic.Int32
		due := collector.NowNS() + int64(20*time.Millisecond)
		sleep := func() {
			// Without slack, timers that are due at once fire in one interrupt.
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
			for i := range int64(naps) {
				at := unix.NsecToTimespec(due + i*int64(4*time.Millisecond))
				_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil)
			}
			awake.Add(1)
		}
		hog := func() {
			for awake.Load() < 4 {
			}
		}
		rows, excused := pinned(t, c, 0, hog, sleep, sleep, sleep, sleep)
		by := rows[0].EndedBy
		if other := by.Other - min(by.Other, excused); other*50 > rows[0].Slices || by.Wakeup+excused < naps*3/4 {
			return fmt.Errorf("the hog's slices ended by %+v, of which %d are excused", by, excused)
		}
		return nil
	})
}

func TestSleeperEndsHogsSlicesByWakeup(t *testing.T) {
	c := open(t, collector.Options{})
	const naps = 211
	var done atomic.Bool
	sleep := func() {
		defer done.Store(true)
		nap := unix.NsecToTimespec(int64(time.Millisecond))
		for range naps {
			_ = unix.Nanosleep(&nap, nil)
		}
	}
	hog := func() {
		for !done.Load() {
		}
	}
	bpftest.Mostly(t, func() error {
		done.Store(false)
		rows, excused := pinned(t, c, 0, hog, sleep)
		var seldom error
		if got := rows[0].EndedBy.Wakeup; got+excused < naps*9/10 {
			seldom = fmt.Errorf("the sleeper woke %d times and took the core from the hog %d times: %+v",
				naps, got, rows[0].EndedBy)
		}
		return errors.Join(seldom,
			endedBy("hog beside a sleeper", rows[:1], report.EndedByWakeup, 90, excused),
			endedBy("sleeper", rows[1:], report.EndedByBlocked, 90, excused))
	})
}
