package collector

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// A machine with more tasks than there is room for: the tasks without a place are counted, once each, and
// their slices; the rest is exact.
func TestLiveWithTooFewPlaces(t *testing.T) {
	const room, rounds = 32, 10
	asleep := newSleeper(t)
	time.Sleep(50 * time.Millisecond) // until it sleeps
	l := openLive(t, LiveOptions{Tasks: room})
	nextReading(t, l)
	var sleepers []*sleeper
	for range 2 * room {
		sleepers = append(sleepers, newSleeper(t))
	}
	run := func() *Reading {
		for range rounds {
			for _, s := range sleepers {
				s.do(func() {})
			}
		}
		r := nextReading(t, l)
		checkReading(t, r)
		if r.System.Watched > uint64(room+len(l.tasks.newcomers)) || r.Ended != r.Reconciled {
			t.Errorf("%d tasks watched, %d of %d that ended reconciled", r.System.Watched, r.Reconciled, r.Ended)
		}
		return r
	}
	before := len(l.unplaced)
	r := run()
	unplaced := unplacedAmong(t, l, sleepers)
	if unplaced < room {
		t.Fatalf("%d of %d threads have no place", unplaced, len(sleepers))
	}
	if n := r.Lost.MapFull; n < uint64(unplaced) || n > uint64(len(l.unplaced)) || int(n) < len(l.unplaced)-before {
		t.Errorf("%d tasks without a place were counted, there are %d, %d of them our threads",
			n, len(l.unplaced), unplaced)
	}
	if n := r.Lost.UnplacedSlices; n < uint64(rounds*unplaced) {
		t.Errorf("%d slices of %d threads without a place in %d rounds", n, unplaced, rounds)
	}
	others := int64(0)
	for _, c := range r.Cores {
		others += c.OthersNS
	}
	if others == 0 {
		t.Error("the tasks without a place took no time")
	}
	known := l.unplaced
	for id := range known {
		if int(id.tid) == asleep.tid {
			t.Error("a thread that has slept all the time is said to have no place")
		}
	}
	again := run()
	fresh := uint64(0)
	for id := range l.unplaced {
		if !known[id] {
			fresh++
		}
	}
	if again.Lost.MapFull != fresh || again.Lost.UnplacedSlices < uint64(rounds*unplaced) {
		t.Errorf("later %+v, with %d tasks that had not been counted", again.Lost, fresh)
	}
}

// unplacedAmong returns how many of these threads were seen to have no place: those that have no record.
func unplacedAmong(t *testing.T, l *Live, sleepers []*sleeper) (n int) {
	t.Helper()
	recorded, unplaced := make(map[int]bool), make(map[int]bool)
	for slot := range l.tasks.records {
		if w := &l.tasks.records[slot]; w.Key > keyEnded {
			recorded[int(w.Tid)] = true
		}
	}
	for id := range l.unplaced {
		unplaced[int(id.tid)] = true
	}
	for _, s := range sleepers {
		if recorded[s.tid] == unplaced[s.tid] {
			t.Errorf("thread %d: it has a record: %v, it is said to have no place: %v",
				s.tid, recorded[s.tid], unplaced[s.tid])
		}
		if unplaced[s.tid] {
			n++
		}
	}
	return n
}

// Where there is room, no task is without a place, whatever has run.
func TestLiveWithEnoughPlaces(t *testing.T) {
	l := openLive(t, LiveOptions{})
	s := newSleeper(t)
	s.do(func() {})
	visited, err := l.objs.Visit(bpf.VisitUnplaced)
	if err != nil || len(visited) != 0 {
		t.Errorf("%d tasks have no place, %v", len(visited), err)
	}
}

// A thread that changes between two cores arrives as often at each, and all migrations of cores are those of
// tasks.
func TestLiveArrivalsAtCores(t *testing.T) {
	cpus := bpftest.AllowedCores[sched.CPU](t)
	if len(cpus) < 2 {
		bpftest.Unavailable(t, "there is one core only")
	}
	const times = 500
	l := openLive(t, LiveOptions{})
	s := newSleeper(t)
	s.do(func() {})
	nextReading(t, l)
	s.do(func() {
		for i := range 2 * times {
			var on unix.CPUSet
			on.Set(int(cpus[i%2]))
			if err := unix.SchedSetaffinity(0, &on); err != nil {
				t.Error(err)
			}
		}
	})
	r := nextReading(t, l)
	checkReading(t, r)
	var ofTasks, ofCores report.MigrationCounts
	for a := range r.System.Activities() {
		ofTasks.Add(a.Migrations)
	}
	at := make(map[sched.CPU]uint64)
	for _, a := range r.System.Arrivals {
		ofCores.Add(a.Migrations)
		at[a.CPU] = a.Migrations.Total()
	}
	row := rowOf(r, s.tid)
	if row == nil || row.Migrations.Total() < 2*times-1 {
		t.Fatalf("the thread has moved %d times: %+v", 2*times, row)
	}
	if at[cpus[0]] < times-1 || at[cpus[1]] < times {
		t.Errorf("arrivals at cores are %v, %d changes were made", at, 2*times)
	}
	// A core is read before the tasks, which can move meanwhile.
	near := func(a, b uint64) bool { return max(a, b)-min(a, b) <= 5+b/50 }
	if !near(ofCores.Sibling, ofTasks.Sibling) || !near(ofCores.Cache, ofTasks.Cache) ||
		!near(ofCores.Node, ofTasks.Node) || !near(ofCores.Remote, ofTasks.Remote) ||
		!near(ofCores.Woken, ofTasks.Woken) {
		t.Errorf("migrations of cores are %+v, those of tasks %+v", ofCores, ofTasks)
	}
	t.Logf("cores %+v, tasks %+v", ofCores, ofTasks)
}
