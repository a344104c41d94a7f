package collector_test

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

func openLive(t testing.TB, o collector.LiveOptions) *collector.Live {
	t.Helper()
	bpftest.Require(t)
	l, err := collector.OpenLive(o)
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

// besides has lights watch the trials of a watcher.
type besides struct {
	*watcher
	lights   []*collector.Live
	readings [][]*collector.Reading // of each light, for each trial
}

func (b *besides) Ready(trial workloads.Trial, workers []workloads.Worker) error {
	for _, l := range b.lights {
		if _, err := l.Next(); err != nil {
			return err
		}
	}
	return b.watcher.Ready(trial, workers)
}

func (b *besides) Stopped(result workloads.Result) error {
	if err := b.watcher.Stopped(result); err != nil {
		return err
	}
	for i, l := range b.lights {
		r, err := l.Next()
		if err != nil {
			return err
		}
		b.readings[i] = append(b.readings[i], r)
	}
	return nil
}

// Both ways, and the light one with times of its own too, watch the same switches. They count the same for
// each worker, see the same causes, and the same waits, but for where these begin and end.
func TestLiveBesideTheFullWay(t *testing.T) {
	full := open(t, collector.Options{})
	names := []string{"with the kernel's times", "with times of its own"}
	b := &besides{
		watcher: &watcher{c: full},
		lights: []*collector.Live{
			openLive(t, collector.LiveOptions{}), openLive(t, collector.LiveOptions{OwnTimes: true}),
		},
		readings: make([][]*collector.Reading, 2),
	}
	for _, name := range []string{"pipe", "messaging", "spin", "sleep"} {
		p := plan(t, name)
		p.Duration = bpftest.WorkFor(120 * time.Millisecond)
		b.trials, b.readings = nil, make([][]*collector.Reading, 2)
		if err := p.Run(t.Context(), b, nil); err != nil {
			t.Fatal(err)
		}
		for i, tr := range b.trials {
			for k, way := range names {
				t.Logf("%s, %s:", tr.name(), way)
				checkBeside(t, tr, b.readings[k][i])
			}
		}
	}
}

// checkBeside compares the workers of a trial with their rows in a reading.
func checkBeside(t *testing.T, tr traced, r *collector.Reading) {
	t.Helper()
	rows := make(map[workloads.TID]*report.Task)
	for i := range r.System.Tasks {
		rows[workloads.TID(r.System.Tasks[i].TID)] = &r.System.Tasks[i]
	}
	var slices, otherwise uint64
	var waitFull, waitLight int64
	for tid, full := range tr.tasks {
		light := rows[tid]
		if light == nil {
			if full.Slices > 0 {
				t.Errorf("worker %d has no row", tid)
			}
			continue
		}
		got := [2]uint64{light.Voluntary(), light.Involuntary()}
		if want := [2]uint64{full.Voluntary, full.Involuntary}; got != want {
			t.Errorf("worker %d: voluntary, involuntary are %d, in the full way %d", tid, got, want)
		}
		// Only the light way knows where the worker was before it was to be watched.
		if n := light.Migrations.Total(); n < full.Migrations || n > full.Migrations+1 {
			t.Errorf("worker %d: %d migrations, %d in the full way", tid, n, full.Migrations)
		}
		for _, cause := range report.Causes() {
			a, b := *light.EndedBy.At(cause), *full.EndedBy.At(cause)
			otherwise += max(a, b) - min(a, b)
		}
		slices += full.Slices
		waitFull, waitLight = waitFull+full.WaitNS, waitLight+light.WaitNS
	}
	otherwise /= 2 // each is missing in one cause and surplus in another
	off := time.Duration(waitLight - waitFull)
	t.Logf("%d slices, %d of another cause; waits of %v differ by %v, %v each",
		slices, otherwise, time.Duration(waitFull), off, off/time.Duration(max(1, slices)))
	if otherwise*100 > slices+500 {
		t.Errorf("%d of %d slices ended by another cause", otherwise, slices)
	}
	// The full way's waits begin and end later, by the hooks between, and whatever interrupts them.
	most := 20*time.Microsecond*time.Duration(slices) + time.Duration(waitFull/100) + 10*time.Millisecond
	if !bpftest.Emulated() && max(off, -off) > most {
		t.Errorf("waits differ by %v, more than %v", off, most)
	}
}

// The distributions of tasks, those of cores and the counts of switches are of the same slices and waits.
func TestLiveDistributionsAgree(t *testing.T) {
	l := openLive(t, collector.LiveOptions{})
	if _, err := l.Next(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"messaging", "sleep"} {
		p := plan(t, name)
		if err := p.Run(t.Context(), &timer{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	r, err := l.Next()
	if err != nil {
		t.Fatal(err)
	}
	var ins, waits, sliced uint64
	var ofCores, ofTasks [len(bpf.Dists{}.Slices)]uint64
	for _, c := range r.Cores {
		for _, class := range c.Classes {
			if class.Class != report.ClassIdleIn {
				ins += class.Switches
			}
		}
		waits += c.Wait.Count
		for _, s := range c.Slices {
			for bucket, n := range s.Length.Buckets() {
				ofCores[step(bucket)] += n
			}
		}
	}
	for a := range r.System.Activities() {
		for bucket, n := range a.Slices.Buckets() {
			ofTasks[step(bucket)] += n
		}
		sliced += a.Switches()
	}
	// Histograms can hold a few switches that were made while the core was read.
	// A switch that the kernel hides is of no class, but the next task has a wait.
	slack := ins/1000 + 20 + r.Lost.HiddenSwitches
	differ := func(a, b uint64) bool { return max(a, b)-min(a, b) > slack }
	counted := uint64(0)
	for i := range ofCores {
		counted += ofTasks[i]
		if differ(ofCores[i], ofTasks[i]) {
			t.Errorf("step %d has %d slices of cores, %d of tasks", i, ofCores[i], ofTasks[i])
		}
	}
	if differ(waits+r.Lost.UnplacedSlices, ins) || differ(counted, sliced) || ins < 1000 {
		t.Errorf("%d waits of %d switches to tasks; %d slices in distributions of %d", waits, ins, counted, sliced)
	}
}

// step is the step of half an octave in which a bucket lies.
func step(bucket int) int {
	return min(max(0, bucket/bpf.StepBuckets-bpf.FirstStep), len(bpf.Dists{}.Slices)-1)
}

// A core that switches as fast as it can is read nevertheless: by copies that are made again. With a single
// copy (READ_TRIES and mostReads 1) this fails within 200 readings.
func TestLiveReadsTheBusiestCore(t *testing.T) {
	l := openLive(t, collector.LiveOptions{})
	p := plan(t, "pipe")
	p.Modes, p.CPUs, p.Workers = []workloads.Mode{workloads.Threads}, bpftest.AllowedCores[workloads.CPU](t)[:1], 2
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := p.Run(ctx, &timer{}, nil); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 200 {
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A reader with real-time priority, for which the kernel makes no timer late, is read too.
func TestLiveReaderWithRealTimePriority(t *testing.T) {
	l := openLive(t, collector.LiveOptions{})
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and ends with its thread
		attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
		if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
			done <- errUnavailable
			return
		}
		for range 50 {
			if _, err := l.Next(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	switch err := <-done; {
	case errors.Is(err, errUnavailable):
		bpftest.Unavailable(t, "no thread can have real-time priority")
	case err != nil:
		t.Error(err)
	}
}

var errUnavailable = errors.New("unavailable")

// Reading ten thousand tasks that sleep takes a small part of a core, also while others wait for one, which have
// to be looked for among them.
func TestLiveReadsManyTasksCheaply(t *testing.T) {
	if testing.Short() {
		t.Skip("compares a time, which the race detector spoils: runs without -short")
	}
	l := openLive(t, collector.LiveOptions{})
	_, end := attachSleepers(t, 10_000)
	defer end()
	// Reading is not interrupted by them, and one of them waits for longer than it takes.
	for range 4 * runtime.NumCPU() {
		cmd := exec.Command("nice", "-n", "19", "/bin/sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() time.Duration {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
			t.Fatal(err)
		}
		return time.Duration(ts.Nano())
	}
	var took []time.Duration
	watched, waiting := uint64(0), 0
	for range 5 {
		time.Sleep(20 * time.Millisecond)
		before := used()
		r, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		took = append(took, used()-before)
		watched = r.System.Watched
		for i := range r.System.Tasks {
			if r.System.Tasks[i].WaitingNS > 0 {
				waiting++
			}
		}
	}
	slices.Sort(took)
	t.Logf("%d tasks are watched; reading took %v", watched, took)
	if watched < 10_000 || waiting == 0 {
		t.Errorf("%d tasks are watched, %d waits under way were found", watched, waiting)
	}
	if took[0] > 30*time.Millisecond {
		t.Errorf("reading takes %v, more than 1 %% of a second by far", took[0])
	}
}

// A core that goes and comes back, and one that comes later, have accounts without a gap.
func TestLiveOfACoreThatGoesAndComesBack(t *testing.T) {
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	for _, offlineAtFirst := range []bool{false, true} {
		if offlineAtFirst {
			plug(false)
		}
		l := openLive(t, collector.LiveOptions{})
		for _, in := range []bool{offlineAtFirst, !offlineAtFirst, true} {
			plug(in)
			time.Sleep(30 * time.Millisecond)
			r, err := l.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSortedFunc(r.Cores, func(a, b report.Core) int { return int(a.CPU - b.CPU) }) {
				t.Errorf("cores are not in order: %+v", r.Cores)
			}
			there := false
			for _, c := range r.Cores {
				there = there || c.CPU == cpu
				if sum := c.IdleNS + c.WorkersNS + c.OthersNS; sum != c.WallNS || c.WallNS < r.DurationNS/2 {
					t.Errorf("plugged %v: core %d: idle %d, tasks %d and %d of %d ns, in %d", in, c.CPU,
						c.IdleNS, c.WorkersNS, c.OthersNS, c.WallNS, r.DurationNS)
				}
			}
			if in && !there {
				t.Errorf("core %d is online and has no row", cpu)
			}
		}
		plug(true)
	}
}

// attachSleepers starts threads that sleep until end is called, which waits for their ends.
func attachSleepers(t testing.TB, n int) (tids []sched.TID, end func()) {
	tids, release := sleepers(n)
	return tids, func() {
		release()
		awaitThreads(t, n/100)
	}
}
