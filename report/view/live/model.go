package live

import (
	"sync"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Kept is how many intervals the history of a task reaches back.
const Kept = 60

// CoreGroup is a set of cores that share something, such as a last-level cache or a NUMA node.
type CoreGroup struct {
	Name string
	CPUs []sched.CPU
}

// Model is what is known of a running system. Intervals can be added while others are shown: only Add
// may be called by another goroutine.
type Model struct {
	groups []CoreGroup
	stacks func() ([]report.Stack, []report.Frame) // nil: it does not tell why tasks were off their cores

	mu     sync.Mutex // guards newest
	newest *moment

	// shown is what the other methods tell of, nil before the first interval.
	shown  *moment
	frozen bool
	cached cachedTables
}

// moment is what was known at the end of an interval. It does not change.
type moment struct {
	*interval
	// past are the last intervals, this one included, the oldest first.
	past []*past
	// timed holds the cores of the last intervals in which switches were timed, and costs what they
	// add up to.
	timed  [][]report.Core
	costs  *costs
	losses Losses
	// timedAtAll is true once switches were to be timed for a part of an interval.
	timedAtAll bool
}

// New returns an empty model. On a machine with many cores, its groups of cores have rows of their own.
func New(groups []CoreGroup) *Model { return &Model{groups: groups} }

// Add adds the next interval, of mode report.SystemMode, which must not change any more. It does not
// wait for whoever shows the model.
func (m *Model) Add(t *report.Trial) {
	m.mu.Lock()
	before := m.newest
	m.mu.Unlock()
	if before == nil {
		before = &moment{costs: &costs{}}
	}
	next := before.then(t)
	if m.stacks != nil {
		next.stacks = &report.Report{}
		next.stacks.Stacks, next.stacks.Frames = m.stacks()
	}
	m.mu.Lock()
	m.newest = next
	m.mu.Unlock()
}

// then returns the moment after one more interval.
func (b *moment) then(t *report.Trial) *moment {
	m := &moment{losses: b.losses.plus(t.Lost), timed: b.timed, costs: b.costs}
	if hasTimed(t) {
		m.timed = append(last(b.timed, timedIntervals-1), t.Cores)
		m.costs = costsOf(m.timed)
	}
	m.timedAtAll = b.timedAtAll || hasTimed(t) || t.System != nil && t.System.PhaseNS > 0
	m.interval = newInterval(t, m.costs)
	m.past = append(last(b.past, Kept-1), newPast(t))
	return m
}

// last returns a copy of the last elements.
func last[T any](all []T, limit int) []T {
	if n := len(all) - limit; n > 0 {
		all = all[n:]
	}
	return append(make([]T, 0, len(all)+1), all...)
}

// Update turns to the newest interval, unless the model is frozen, and reports whether it is another
// one than before.
func (m *Model) Update() bool {
	if m.frozen {
		return false
	}
	m.mu.Lock()
	newest := m.newest
	m.mu.Unlock()
	changed := m.shown != newest
	m.shown = newest
	return changed
}

// Freeze keeps what is shown, while intervals are still added, until it is called with false.
func (m *Model) Freeze(frozen bool) { m.frozen = frozen }

// Frozen reports whether what is shown is kept.
func (m *Model) Frozen() bool { return m.frozen }

// Trial returns the interval that is shown, nil before the first one.
func (m *Model) Trial() *report.Trial {
	if m.shown == nil {
		return nil
	}
	return m.shown.trial
}
