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

// endedBy holds the share of slices that ended for one cause.
func endedBy(name string, tasks []report.Worker, cause report.EndedBy, percent uint64) error {
	by, all := causesOf(tasks)
	n := *by.At(cause)
	if all == 0 || n*100 < all*percent {
		return fmt.Errorf("%s: %d of %d slices ended by %s, want at least %d %%: %+v", name, n, all, cause, percent, by)
	}
	return nil
}

// hz is the tick rate, which a figure of the tests depends on.
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
	p.Workers, p.CPUs = 2, []int{0}
	eventually(t, c, p, func(trials []traced) error {
		var errs []error
		for _, tr := range trials {
			errs = append(errs, endedBy(tr.name(), tr.interval.Tasks, report.EndedByBlocked, 99))
		}
		return errors.Join(errs...)
	})
}

func TestSpinSlicesEndByTick(t *testing.T) {
	rate := hz(t)
	c := open(t, collector.Options{})
	p := plan(t, "spin")
	p.Workers, p.CPUs, p.Duration = 3, []int{0}, time.Second
	eventually(t, c, p, func(trials []traced) error {
		var errs []error
		for _, tr := range trials {
			if tr.result.Trial.Variant != "" {
				continue // a lone worker's slices, for one, do not end by ticks
			}
			errs = append(errs, endedBy(tr.name(), tr.interval.Tasks, report.EndedByTick, 95), ticksAtHZ(tr, rate))
			if !endsBetweenTicks(t, c) {
				errs = append(errs, slicesOfTicks(tr, rate))
			}
		}
		return errors.Join(errs...)
	})
}

// endsBetweenTicks says that this kernel ends slices when they are due, by a timer
// of its own: on 7.2 the slices of workers that share a core are of 1.4 ms.
func endsBetweenTicks(t *testing.T, c *collector.Collector) bool {
	t.Helper()
	capture, err := c.Capture()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(capture.Notes, func(note string) bool { return strings.Contains(note, "HRTICK") })
}

// slicesOfTicks holds the median slice that a tick ended to a multiple of ticks.
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

// ticksAtHZ holds a busy core's ticks against HZ. Ticks while the hypervisor
// runs something else are late or lost.
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

// pinned runs bodies on a thread each, all on one core, watched, and returns
// what was seen of them.
func pinned(t *testing.T, c *collector.Collector, cpu int, bodies ...func()) []report.Worker {
	t.Helper()
	// With fewer, Go's scheduler would have the bodies take turns, not the kernel.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(runtime.NumCPU(), len(bodies)+1)))
	var ready, stopped sync.WaitGroup
	gate, end := make(chan struct{}), make(chan struct{})
	tids := make([]int, len(bodies))
	for i, body := range bodies {
		ready.Add(1)
		stopped.Add(1)
		bpftest.OnOwnThread(cpu, func(err error) {
			if err != nil {
				t.Error(err)
			}
			tids[i] = unix.Gettid()
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
		if err := c.Watch(collector.Task{PID: unix.Getpid(), TID: tid}); err != nil {
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
	byTID := make(map[int]report.Worker)
	for _, task := range in.Tasks {
		byTID[task.TID] = task
	}
	rows := make([]report.Worker, len(tids))
	for i, tid := range tids {
		rows[i] = byTID[tid]
	}
	return rows
}

func TestYieldedSlicesEndByYield(t *testing.T) {
	if testing.Short() {
		t.Skip("holds figures to theory, which the race detector's slowness spoils: runs without -short")
	}
	c := open(t, collector.Options{})
	yield := func() {
		for range 10007 {
			unix.RawSyscallNoError(unix.SYS_SCHED_YIELD, 0, 0, 0)
		}
	}
	var rows []report.Worker
	var err error
	for range 10 {
		rows = pinned(t, c, 0, yield, yield)
		if err = endedBy("two that yield", rows, report.EndedByYield, 90); err == nil {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
	for _, row := range rows {
		// EEVDF lets a task that is owed time go on at once.
		if row.EndedBy.Yield < 100 {
			t.Errorf("task %d lost the core by yielding %d times", row.TID, row.EndedBy.Yield)
		}
	}
}

// Several sleepers that are due at one instant: whichever takes the core from the hog
// was woken, and nobody need have been the last.
func TestSleepersDueAtOnceEndHogsSlicesByWakeup(t *testing.T) {
	c := open(t, collector.Options{})
	const naps = 101
	var tries []error
	for range 10 {
		var awake atomic.Int32
		due := collector.Now() + int64(20*time.Millisecond)
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
		rows := pinned(t, c, 0, hog, sleep, sleep, sleep, sleep)
		by := rows[0].EndedBy
		if by.Other*50 <= rows[0].Slices && by.Wakeup >= naps*3/4 {
			return
		}
		tries = append(tries, fmt.Errorf("the hog's slices ended by %+v", by))
	}
	t.Error(errors.Join(tries...))
}

func TestSleeperEndsHogsSlicesByWakeup(t *testing.T) {
	if testing.Short() {
		t.Skip("holds figures to theory, which the race detector's slowness spoils: runs without -short")
	}
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
	var err error
	// Others' tasks have ticks end some of the hog's slices, or hold the core as the sleeper wakes.
	for began := time.Now(); time.Since(began) < time.Minute; {
		done.Store(false)
		rows := pinned(t, c, 0, hog, sleep)
		var seldom error
		if got := rows[0].EndedBy.Wakeup; got < naps*9/10 {
			seldom = fmt.Errorf("the sleeper woke %d times and took the core from the hog %d times: %+v",
				naps, got, rows[0].EndedBy)
		}
		err = errors.Join(seldom,
			endedBy("hog beside a sleeper", rows[:1], report.EndedByWakeup, 90),
			endedBy("sleeper", rows[1:], report.EndedByBlocked, 90))
		if err == nil {
			return
		}
	}
	t.Error(err)
}
