//go:build linux

package workloads

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// gatherLimit bounds the time that workers take to come to a gate.
	gatherLimit = 30 * time.Second
	// stopLimit bounds the time for which a signal may stop a worker: long enough for
	// someone who stopped it by mistake, or to look at it, to continue it.
	stopLimit = 10 * time.Second
	// toStart and toStop are what workers do at the gates.
	toStart, toStop = "start", "stop"
	// longest stands for no limit.
	longest = time.Duration(1<<63 - 1)
)

// Run runs one trial. Hosts run as user, or as this process's own user if nil.
// It returns ctx.Err() when ctx ended, and else an error that names the trial: it
// wraps o's, or names the worker if a host died or a worker failed. In all cases
// every host is gone when it returns.
func Run(ctx context.Context, t Trial, user *Credential, o Observer) error {
	err := ctx.Err()
	if err == nil {
		err = run(ctx, t, user, o)
	}
	if err != nil && err != ctx.Err() {
		return &trialError{t, err}
	}
	return err
}

func run(ctx context.Context, t Trial, user *Credential, o Observer) (err error) {
	if err := checkLimits(t, user); err != nil {
		return err
	}
	// See launch.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := raise(t, user)
	if err != nil {
		return err
	}
	defer func() {
		if struck := s.strike(); struck != nil {
			err = errors.Join(err, struck)
		}
	}()
	// The bell rings for a cancelled context until strike has unmapped the board.
	quiet := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ctx.Done():
			s.board.ring()
		case <-quiet:
		}
	}()
	defer func() { close(quiet); <-watched }()
	return s.play(ctx, o)
}

// stage is what a running trial holds.
type stage struct {
	trial    Trial
	workload Workload
	variant  Variant
	board    *board
	fleet    *fleet
	// throttled says how often quotas had been used up before.
	throttled map[string]int64
}

// raise makes the board and starts the hosts.
func raise(t Trial, user *Credential) (*stage, error) {
	w, v, err := t.resolve()
	if err != nil {
		return nil, err
	}
	b, boardFD, err := createBoard(t.Workers)
	if err != nil {
		return nil, err
	}
	defer unix.Close(boardFD)
	fds := make([][]int, t.Workers)
	if w.open != nil {
		fds, err = w.open(t.Workers)
		defer closeAll(fds)
	}
	var f *fleet
	if err == nil {
		f, err = launch(t, user, boardFD, fds, b.ring)
	}
	if err != nil {
		return nil, errors.Join(err, b.unmap())
	}
	return &stage{trial: t, workload: w, variant: v, board: b, fleet: f, throttled: groupsOf(os.Getpid()).throttled()}, nil
}

func closeAll(fds [][]int) {
	for _, own := range fds {
		for _, fd := range own {
			unix.Close(fd)
		}
	}
}

// strike ends the hosts and gives the board back.
func (s *stage) strike() error {
	return errors.Join(s.fleet.dismiss(), s.board.unmap())
}

// play takes the workers from gate to gate.
func (s *stage) play(ctx context.Context, o Observer) error {
	if err := s.gather(ctx, &s.board.head.ready, toStart, gatherLimit); err != nil {
		return err
	}
	workers := s.workers()
	before, err := s.settle(ctx, workers)
	if err != nil {
		return err
	}
	for i := range workers {
		workers[i].Before = before[i]
	}
	if s.workload.fatal {
		s.fleet.expectCrash()
	}
	if err := o.Ready(s.trial, workers); err != nil {
		return err
	}
	limit := longest
	if s.trial.Operations == 0 && !s.workload.fixedWork {
		limit = s.trial.Duration + gatherLimit
	}
	s.fleet.startPauses()
	s.board.open(s.trial.Duration)
	own := ownSwitches()
	if err := s.gather(ctx, &s.board.head.done, toStop, limit); err != nil {
		return err
	}
	own = ownSwitches() - own
	_, lost := s.fleet.crashedAt()
	after, err := s.settle(ctx, workers[lost:])
	if err != nil {
		return err
	}
	r := s.result(workers, after)
	r.ToolSwitches = own
	if lost == 0 {
		r.Memory = readMemory(workers)
	}
	if r.operations() == 0 {
		return &idleError{s.trial, s.hindrance(nil, "give a longer duration")}
	}
	return o.Stopped(r)
}

// gather waits until count has reached the number of workers that live.
func (s *stage) gather(ctx context.Context, count *uint32, verb string, limit time.Duration) error {
	for began, granted, excused := time.Now(), limit, false; ; {
		heard := atomic.LoadUint32(&s.board.head.bell)
		if err := s.trouble(ctx); err != nil {
			return err
		}
		n := atomic.LoadUint32(count)
		if int(n) == s.trial.Workers || s.onlyTheDeadLack() {
			return nil
		}
		left := granted - time.Since(began)
		if left <= 0 {
			return fmt.Errorf("%d of %d workers did not %s within %v: %s",
				s.trial.Workers-int(n), s.trial.Workers, verb, limit, s.hindrance(s.lacking(verb), "ask for fewer workers"))
		}
		nap := min(left, s.fleet.patience())
		slept := time.Now()
		s.board.await(heard, nap)
		// If the tool was frozen with the workers, or stopped, it has not waited for them. It
		// waits once more, and not for long, since a machine that starves the tool looks the same.
		if !excused && time.Since(slept)-nap > time.Second {
			granted, excused = max(limit, time.Since(began)+stopLimit), true
		}
	}
}

// lacking returns the workers that a gate waits for.
func (s *stage) lacking(verb string) (lacking []int) {
	for i := range s.board.slots {
		slot := &s.board.slots[i]
		if verb == toStart && atomic.LoadInt32(&slot.tid) == 0 || verb == toStop && atomic.LoadInt64(&slot.end) == 0 {
			lacking = append(lacking, i)
		}
	}
	return lacking
}

// onlyTheDeadLack reports whether workers died as the workload wants it, and all
// others stand at the end gate.
func (s *stage) onlyTheDeadLack() bool {
	_, lost := s.fleet.crashedAt()
	if lost == 0 {
		return false
	}
	for i := range s.board.slots[lost:] {
		if atomic.LoadInt64(&s.board.slots[lost+i].end) == 0 {
			return false
		}
	}
	return true
}

// trouble returns the reason for which the trial cannot go on, if there is one.
func (s *stage) trouble(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.fleet.trouble(); err != nil {
		return err
	}
	if atomic.LoadUint32(&s.board.head.failed) == 0 {
		return nil
	}
	for i := range s.board.slots {
		if errno := atomic.LoadUint32(&s.board.slots[i].errno); errno != 0 {
			if err := s.deadPeer(syscall.Errno(errno)); err != nil {
				return err
			}
			return s.workerError(i, syscall.Errno(errno))
		}
	}
	return nil
}

// deadPeer returns what became of the host whose worker another one missed, nil
// if errno does not say that one is missing. The host's end may be known a
// moment later than its worker's.
func (s *stage) deadPeer(errno syscall.Errno) error {
	if errno != syscall.EPIPE && errno != syscall.ECONNRESET {
		return nil
	}
	for began := time.Now(); time.Since(began) < time.Second; time.Sleep(5 * time.Millisecond) {
		if err := s.fleet.trouble(); err != nil {
			return err
		}
	}
	return nil
}

// workers returns the identities that the workers put on the board.
func (s *stage) workers() []Worker {
	workers := make([]Worker, s.trial.Workers)
	for i := range workers {
		slot, cpu := &s.board.slots[i], -1
		if cpus := s.workload.placement(s.variant, i, s.trial.CPUs); len(cpus) == 1 {
			cpu = cpus[0]
		}
		workers[i] = Worker{
			Index: i, PID: int(slot.pid), TID: int(slot.tid), CPU: cpu,
			Comm: comm(s.workload.Name, i), Nice: int(slot.nice),
		}
	}
	return workers
}

// settle waits until every worker is off the CPU and returns their counters. A
// worker that cannot be found has most likely died: then it says of what.
func (s *stage) settle(ctx context.Context, workers []Worker) ([]Counters, error) {
	counters, err := settle(ctx, workers)
	if err == nil {
		return counters, nil
	}
	for began := time.Now(); time.Since(began) < time.Second; {
		heard := atomic.LoadUint32(&s.board.head.bell)
		if trouble := s.trouble(ctx); trouble != nil {
			return nil, trouble
		}
		s.board.await(heard, 100*time.Millisecond)
	}
	return nil, err
}

// result collects what the workers did; after are the counters of the last of
// them, which are alive.
func (s *stage) result(workers []Worker, after []Counters) Result {
	crashed, lost := s.fleet.crashedAt()
	r := Result{Trial: s.trial, Start: longest, Paused: s.fleet.pausedWorkers()}
	for _, name := range s.workload.figures {
		r.Figures = append(r.Figures, Figure{Name: name})
	}
	for i, w := range workers {
		slot := &s.board.slots[i]
		done := WorkerResult{
			Worker: w, Operations: slot.operations,
			Start: time.Duration(slot.start), End: time.Duration(slot.end),
		}
		if i < lost {
			done.Died, done.End = true, crashed
			if done.Start == 0 { // it died before it had a turn
				done.Start = crashed
			}
		} else {
			done.After = after[i-lost]
		}
		r.Start, r.End = min(r.Start, done.Start), max(r.End, done.End)
		r.Workers = append(r.Workers, done)
		for f := range r.Figures {
			r.Figures[f].Value += slot.figures[f]
		}
	}
	r.Figures = slices.DeleteFunc(r.Figures, func(f Figure) bool { return f.Value < 0 })
	return r
}

// idleError says that a trial ended before anything was done, so that there is
// nothing to measure.
type idleError struct {
	trial  Trial
	remedy string
}

func (e *idleError) Error() string {
	return fmt.Sprintf("%v were too short to complete one operation: %s", e.trial.Duration, e.remedy)
}

// operations is the sum over workers.
func (r *Result) operations() int64 {
	var sum int64
	for i := range r.Workers {
		sum += r.Workers[i].Operations
	}
	return sum
}
