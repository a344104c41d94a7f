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
	// gatherLimit bounds the time that workers take to reach a gate.
	gatherLimit = 30 * time.Second
	// stopLimit bounds the time for which a signal may stop a worker. It is long enough for
	// a user who stopped it by mistake, or to look at it, to continue it.
	stopLimit = 10 * time.Second
	// toStart and toStop are the verbs for reaching the start and the end gate.
	toStart, toStop = "start", "stop"
	// noLimit is a duration without end.
	noLimit = time.Duration(1<<63 - 1)
)

// Run runs one trial. Hosts run as user, or as this process's own user if user is nil.
// If ctx has ended, Run returns ctx.Err(). Any other error names the trial. It wraps
// o's error if it comes from there, and it names the worker if a worker has failed or its
// host has died. Whatever Run returns, every host has ended by then.
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
	// See startHosts.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	rt, err := setUp(t, user)
	if err != nil {
		return err
	}
	defer func() {
		if failed := rt.tearDown(); failed != nil {
			err = errors.Join(err, failed)
		}
	}()
	// This goroutine turns the end of ctx into an event. It must end before tearDown unmaps
	// the shared memory.
	quit := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ctx.Done():
			rt.shared.notify()
		case <-quit:
		}
	}()
	defer func() { close(quit); <-watched }()
	return rt.run(ctx, o)
}

// runningTrial is a trial under way, with what belongs to it.
type runningTrial struct {
	trial    Trial
	workload Workload
	variant  Variant
	shared   *sharedMemory
	hosts    *hostGroup
	// throttled is how often each control group had used up its quota before.
	throttled map[string]int64
}

// setUp creates the shared memory and starts the hosts.
func setUp(t Trial, user *Credential) (*runningTrial, error) {
	w, v, err := t.resolve()
	if err != nil {
		return nil, err
	}
	m, sharedFD, err := createSharedMemory(t.Workers)
	if err != nil {
		return nil, err
	}
	defer unix.Close(sharedFD)
	fds := make([][]int, t.Workers)
	if w.open != nil {
		fds, err = w.open(t.Workers)
		defer closeAll(fds)
	}
	var hosts *hostGroup
	if err == nil {
		hosts, err = startHosts(t, user, sharedFD, fds, m.notify)
	}
	if err != nil {
		return nil, errors.Join(err, m.unmap())
	}
	return &runningTrial{
		trial: t, workload: w, variant: v, shared: m, hosts: hosts,
		throttled: cgroupsOf(os.Getpid()).throttled(),
	}, nil
}

func closeAll(fds [][]int) {
	for _, own := range fds {
		for _, fd := range own {
			unix.Close(fd)
		}
	}
}

// tearDown kills the hosts and unmaps the shared memory.
func (rt *runningTrial) tearDown() error {
	return errors.Join(rt.hosts.killAll(), rt.shared.unmap())
}

// run takes the workers from the start gate to the end gate, and calls o at both.
func (rt *runningTrial) run(ctx context.Context, o Observer) error {
	if err := rt.gather(ctx, &rt.shared.head.ready, toStart, gatherLimit); err != nil {
		return err
	}
	workers := rt.workers()
	before, err := rt.countersAtRest(ctx, workers)
	if err != nil {
		return err
	}
	for i := range workers {
		workers[i].Before = before[i]
	}
	if rt.workload.fatal {
		rt.hosts.expectCrash()
	}
	if err := o.Ready(rt.trial, workers); err != nil {
		return err
	}
	limit := noLimit
	if rt.trial.Operations == 0 && !rt.workload.fixedWork {
		limit = rt.trial.Duration + gatherLimit
	}
	rt.hosts.resetPaused()
	rt.shared.open(rt.trial.Duration)
	own := ownSwitches()
	if err := rt.gather(ctx, &rt.shared.head.done, toStop, limit); err != nil {
		return err
	}
	own = ownSwitches() - own
	_, lost := rt.hosts.crashedAt()
	after, err := rt.countersAtRest(ctx, workers[lost:])
	if err != nil {
		return err
	}
	r := rt.result(workers, after)
	r.ToolSwitches = own
	if lost == 0 {
		r.Memory = readMemory(workers)
	}
	if r.operations() == 0 {
		return &idleError{rt.trial, rt.diagnose(nil, "give a longer duration")}
	}
	return o.Stopped(r)
}

// gather waits until count has reached the number of workers that are alive.
func (rt *runningTrial) gather(ctx context.Context, count *uint32, verb string, limit time.Duration) error {
	for began, granted, extended := time.Now(), limit, false; ; {
		seen := atomic.LoadUint32(&rt.shared.head.events)
		if err := rt.failure(ctx); err != nil {
			return err
		}
		n := atomic.LoadUint32(count)
		if int(n) == rt.trial.Workers || rt.onlyTheDeadAreMissing() {
			return nil
		}
		left := granted - time.Since(began)
		if left <= 0 {
			return fmt.Errorf("%d of %d workers did not %s within %v: %s",
				rt.trial.Workers-int(n), rt.trial.Workers, verb, limit,
				rt.diagnose(rt.missing(verb), "ask for fewer workers"))
		}
		timeout := min(left, rt.hosts.stopTimeLeft())
		slept := time.Now()
		rt.shared.awaitEvent(seen, timeout)
		// A sleep that was much longer than its timeout means that the tool was frozen or
		// stopped too, and the workers have not had that time. So they get some more, but only
		// once and not much, since a machine that starves the tool of CPU time looks the same.
		if !extended && time.Since(slept)-timeout > time.Second {
			granted, extended = max(limit, time.Since(began)+stopLimit), true
		}
	}
}

// missing returns the workers that have not reached a gate.
func (rt *runningTrial) missing(verb string) (missing []int) {
	for i := range rt.shared.slots {
		slot := &rt.shared.slots[i]
		if verb == toStart && atomic.LoadInt32(&slot.tid) == 0 ||
			verb == toStop && atomic.LoadInt64(&slot.end) == 0 {
			missing = append(missing, i)
		}
	}
	return missing
}

// onlyTheDeadAreMissing reports whether workers have died as the workload intends, and
// all other workers are at the end gate.
func (rt *runningTrial) onlyTheDeadAreMissing() bool {
	_, lost := rt.hosts.crashedAt()
	if lost == 0 {
		return false
	}
	for i := range rt.shared.slots[lost:] {
		if atomic.LoadInt64(&rt.shared.slots[lost+i].end) == 0 {
			return false
		}
	}
	return true
}

// failure returns the reason why the trial cannot go on, nil if it can.
func (rt *runningTrial) failure(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := rt.hosts.failure(); err != nil {
		return err
	}
	if atomic.LoadUint32(&rt.shared.head.failed) == 0 {
		return nil
	}
	for i := range rt.shared.slots {
		if errno := atomic.LoadUint32(&rt.shared.slots[i].errno); errno != 0 {
			if err := rt.deadPeer(syscall.Errno(errno)); err != nil {
				return err
			}
			return rt.workerError(i, syscall.Errno(errno))
		}
	}
	return nil
}

// deadPeer returns why a host has ended, if errno is what a worker sees when its peer is
// gone, and nil otherwise. The worker may notice a moment before the tool does, so it waits
// for up to a second.
func (rt *runningTrial) deadPeer(errno syscall.Errno) error {
	if errno != syscall.EPIPE && errno != syscall.ECONNRESET {
		return nil
	}
	for began := time.Now(); time.Since(began) < time.Second; time.Sleep(5 * time.Millisecond) {
		if err := rt.hosts.failure(); err != nil {
			return err
		}
	}
	return nil
}

// workers returns the identities that the workers have written into the shared memory.
func (rt *runningTrial) workers() []Worker {
	workers := make([]Worker, rt.trial.Workers)
	for i := range workers {
		slot, cpu := &rt.shared.slots[i], CPU(-1)
		if cpus := rt.workload.placement(rt.variant, i, rt.trial.CPUs); len(cpus) == 1 {
			cpu = cpus[0]
		}
		workers[i] = Worker{
			Index: i, PID: PID(slot.pid), TID: TID(slot.tid), CPU: cpu,
			Comm: comm(rt.workload.Name, i), Nice: int(slot.nice),
		}
	}
	return workers
}

// countersAtRest waits until every worker is off the CPU and returns their counters. A
// worker that cannot be found has most likely died: then the error is the cause of its death.
func (rt *runningTrial) countersAtRest(ctx context.Context, workers []Worker) ([]Counters, error) {
	counters, err := countersAtRest(ctx, workers)
	if err == nil {
		return counters, nil
	}
	for began := time.Now(); time.Since(began) < time.Second; {
		seen := atomic.LoadUint32(&rt.shared.head.events)
		if failure := rt.failure(ctx); failure != nil {
			return nil, failure
		}
		rt.shared.awaitEvent(seen, 100*time.Millisecond)
	}
	return nil, err
}

// result collects what the workers did. after holds the counters of the workers that are
// alive, which are the last ones.
func (rt *runningTrial) result(workers []Worker, after []Counters) Result {
	crashed, lost := rt.hosts.crashedAt()
	r := Result{Trial: rt.trial, Start: noLimit, Paused: rt.hosts.pausedWorkers()}
	for _, name := range rt.workload.figures {
		r.Figures = append(r.Figures, Figure{Name: name})
	}
	for i, w := range workers {
		slot := &rt.shared.slots[i]
		done := WorkerResult{
			Worker: w, Operations: slot.operations,
			Start: time.Duration(slot.start), End: time.Duration(slot.end),
		}
		if i < lost {
			done.Died, done.End = true, crashed
			if done.Start == 0 { // it died before it ran
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

// idleError means that a trial ended before any worker had completed an operation, so
// that it measured nothing.
type idleError struct {
	trial  Trial
	remedy string
}

func (e *idleError) Error() string {
	return fmt.Sprintf("%v were too short to complete one operation: %s", e.trial.Duration, e.remedy)
}

// operations returns the sum over workers.
func (r *Result) operations() int64 {
	var sum int64
	for i := range r.Workers {
		sum += r.Workers[i].Operations
	}
	return sum
}
