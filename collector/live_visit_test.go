package collector

import (
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
)

// A machine with more tasks than there is room for: the tasks without a place are counted, once each, and
// their slices; the rest is exact.
func TestLiveWithTooFewPlaces(t *testing.T) {
	const room, rounds = 32, 10
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
		if r.System.Watched > room || r.Ended != r.Reconciled {
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
