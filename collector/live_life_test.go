package collector

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/sched"
)

// A task that has a core when watching begins, and keeps it, has its time on it in the first reading.
func TestLiveShowsATaskThatOnlySpins(t *testing.T) {
	bpftest.Require(t)
	var stop atomic.Bool
	tids := make(chan int)
	bpftest.OnOwnThread(sched.CPU(0), func(error) {
		tids <- unix.Gettid()
		for !stop.Load() {
		}
	})
	defer stop.Store(true)
	tid := <-tids
	clock := int32(^tid<<3 | 4 | 2) // CLOCK_THREAD_CPUTIME_ID of that thread
	spun := func() int64 {
		var ts unix.Timespec
		if err := unix.ClockGettime(clock, &ts); err != nil {
			t.Fatal(err)
		}
		return ts.Nano()
	}
	l := openLive(t, LiveOptions{})
	from := spun()
	nextReading(t, l)
	after := spun()
	time.Sleep(300 * time.Millisecond)
	until := spun()
	r := nextReading(t, l)
	end := spun()
	checkReading(t, r)
	row := rowOf(r, tid)
	if row == nil {
		t.Fatal("a thread that spins has no row")
	}
	stolen := int64(0)
	for _, c := range r.Cores {
		stolen += c.StealNS + c.InterruptNS
	}
	// The kernel tells only roughly what was stolen.
	slack := int64(time.Millisecond) + (end-from)/200
	if row.OnCPUNS < until-after-slack || row.OnCPUNS > end-from+stolen+slack {
		t.Errorf("%d ns on a core, of %d to %d that the kernel counts", row.OnCPUNS, until-after, end-from)
	}
	t.Logf("on a core for %.1f %% of %v, %d switches", 100*float64(row.OnCPUNS)/float64(r.DurationNS),
		time.Duration(r.DurationNS), row.Switches())
}

// Programs that are too short for any reading are in the sums, each of them, under the name and the user
// that they had at the end.
func TestLiveCountsShortPrograms(t *testing.T) {
	l := openLive(t, LiveOptions{})
	name := fmt.Sprintf("brief%d", os.Getpid())
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, name)
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	const nobody, times = 65534, 50
	nextReading(t, l)
	for range times {
		cmd := exec.Command("/bin/sh", program)
		cmd.Path = program
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := cmd.Run(); err != nil {
			bpftest.Unavailable(t, fmt.Sprintf("no program of another user can be started: %v", err))
		}
	}
	time.Sleep(20 * time.Millisecond) // the last makes its last switch after it is waited for
	r := nextReading(t, l)
	checkReading(t, r)
	if r.Ended != r.Reconciled {
		t.Errorf("of %d tasks that ended, the switches of %d equal the kernel's", r.Ended, r.Reconciled)
	}
	found := uint64(0)
	for i := range r.System.Ended {
		e := &r.System.Ended[i]
		if e.Comm != name {
			continue
		}
		found += e.Tasks
		if e.UID != nobody || e.EndedBy.Exited != e.Tasks || e.OnCPUNS <= 0 || e.Slices.Count != e.Switches() {
			t.Errorf("sums of %d programs: %+v", times, e)
		}
	}
	if found != times {
		t.Errorf("%d programs of %d are in the sums", found, times)
	}
}

// Watching begins and ends at any moment under load, and leaves nothing.
func TestLiveComesAndGoes(t *testing.T) {
	bpftest.Require(t)
	times, total := 5, 4*time.Second
	if os.Getenv("SLICETRACE_SOAK") != "" {
		times, total = 200, 40*time.Second
	}
	before := bpftest.Programs(t)
	descriptors := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	one, err := OpenLive(LiveOptions{}) // what is opened once for the process is open from now on
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	open := descriptors()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			mixedLoad(t, min(total, time.Second))
		}
	}()
	ended := uint64(0)
	for range times {
		l, err := OpenLive(LiveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
		r := nextReading(t, l)
		checkReading(t, r)
		if r.Ended != r.Reconciled || r.Lost.MapFull+r.Lost.DroppedTasks+r.Lost.Unwatched != 0 {
			t.Errorf("of %d tasks that ended, %d reconciled; lost %+v", r.Ended, r.Reconciled, r.Lost)
		}
		ended += r.Ended
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	cancel()
	<-done
	if ended == 0 {
		t.Error("no task ended meanwhile")
	}
	bpftest.CheckGone(t, before)
	if now := descriptors(); now > open {
		t.Errorf("%d descriptors are open, %d were", now, open)
	}
}
