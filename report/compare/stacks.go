package compare

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

const (
	// mostStacks is how many stacks are compared at which tasks were asleep, and at which they were
	// runnable: those with the most time.
	mostStacks = 200
	// mostStackText bounds the text of a stack, in bytes.
	mostStackText = 1 << 16
)

// stackKey tells stacks apart that differ in what the task did, or in their functions and modules. Those are
// hashed, since the texts of all stacks together can be far longer than a report.
type stackKey struct {
	state     report.State
	functions hash
}

type hash [sha256.Size]byte

// stackTimes are for how long the tasks of a watch were off their cores, by stack and state.
type stackTimes struct {
	// block are the least lengths of absences of which stacks were taken, ascending: one, unless a file was
	// altered, or none without stacks.
	block []int64
	// watchedNS is the length of the intervals in which stacks were taken.
	watchedNS int64
	sums      map[stackKey]*stackTime
}

// stackTime is a time asleep or, in the state Runnable, that without a core. These are never added up.
type stackTime struct {
	ns     int64
	report *report.Report
	frames []int // of the report
}

// stackThresholds returns from which length of absences on stacks were taken, ascending.
func stackThresholds(r *report.Report) []int64 {
	var out []int64
	for _, t := range metric.SystemTrials(r) {
		if t.Why != nil {
			out = append(out, t.Why.BlockNS)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func thresholds(block []int64) string {
	var out []string
	for _, ns := range block[:min(len(block), 3)] {
		out = append(out, report.Of(float64(ns), report.Nanoseconds).String())
	}
	return strings.Join(out, ", ")
}

// newStackTimes adds up the times of each stack over all intervals, since most stacks are in few of them.
func newStackTimes(r *report.Report) stackTimes {
	s := stackTimes{block: stackThresholds(r), sums: map[stackKey]*stackTime{}}
	if len(s.block) == 0 {
		return s
	}
	own := newOwnStacks(r)
	for _, t := range metric.SystemTrials(r) {
		if t.Why == nil {
			continue
		}
		s.watchedNS += t.DurationNS
		for i := range t.Why.Waits {
			w := &t.Why.Waits[i]
			ns := w.BlockedNS
			if w.State == report.Runnable {
				ns = w.WaitNS
			}
			if ns <= 0 {
				continue
			}
			stack := own.of(w.Stack)
			key := stackKey{w.State, stack.functions}
			if s.sums[key] == nil {
				s.sums[key] = &stackTime{report: r, frames: stack.frames}
			}
			s.sums[key].ns += ns
		}
	}
	return s
}

// ownStacks are the stacks of a report without the functions that most of them have.
type ownStacks struct {
	report *report.Report
	frames []hash // each frame's function and module
	known  map[int]ownStack
}

type ownStack struct {
	frames    []int
	functions hash
}

func newOwnStacks(r *report.Report) *ownStacks {
	s := &ownStacks{report: r, frames: make([]hash, len(r.Frames)), known: map[int]ownStack{}}
	for i := range r.Frames {
		s.frames[i] = sha256.Sum256([]byte(r.Frames[i].Module + "\xff" + r.Frames[i].Label()))
	}
	return s
}

func (s *ownStacks) of(stack int) ownStack {
	if out, ok := s.known[stack]; ok {
		return out
	}
	out := ownStack{frames: metric.OwnFrames(s.report, s.report.Stacks[stack])}
	var all bytes.Buffer
	for _, f := range out.frames {
		all.Write(s.frames[f][:])
	}
	out.functions = sha256.Sum256(all.Bytes())
	s.known[stack] = out
	return out
}

// has reports whether there are stacks, of absences of at least the given length.
func (s *stackTimes) has(block []int64) bool {
	return s.watchedNS > 0 && len(s.block) > 0 && (block == nil || slices.Equal(s.block, block))
}

// ns is the time at a stack, 0 if no task was there.
func (s *stackTimes) ns(key stackKey) int64 {
	if sum := s.sums[key]; sum != nil {
		return sum.ns
	}
	return 0
}

// addStacks compares the stacks of watches, or says in a sentence why not. A stack that a run does not have
// took no time in it.
func (m *matcher) addStacks(pair *Pair) (warnings []string) {
	if why, ok := m.stacksDiffer(); !ok {
		return why
	}
	block := m.old.figures[0].stacks.block
	all := map[stackKey]*stackTime{}
	total := map[stackKey]float64{}
	for _, f := range slices.Concat(m.old.figures, m.new.figures) {
		for key, sum := range f.stacks.sums {
			all[key] = cmp.Or(all[key], sum)
			total[key] += float64(sum.ns) / float64(f.stacks.watchedNS)
		}
	}
	var asleep, runnable []stackKey
	for _, key := range slices.SortedFunc(maps.Keys(all), func(a, b stackKey) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), strings.Compare(string(a.state), string(b.state)),
			bytes.Compare(a.functions[:], b.functions[:]))
	}) {
		if key.state == report.Runnable {
			runnable = append(runnable, key)
		} else {
			asleep = append(asleep, key)
		}
	}
	for _, list := range [][]stackKey{asleep, runnable} {
		shown := list[:min(len(list), mostStacks)]
		pair.StacksLeftOut += len(list) - len(shown)
		for _, key := range shown {
			m.addStack(&pair.Stacks, key, all[key], block)
		}
	}
	return nil
}

// stacksDiffer returns false if stacks of the two sides cannot be compared, and says why unless no run has
// any.
func (m *matcher) stacksDiffer() (why []string, ok bool) {
	count := func(s side) (with int, block []int64) {
		for _, f := range s.figures {
			if f.stacks.has(nil) {
				with++
			}
			block = append(block, f.stacks.block...)
		}
		slices.Sort(block)
		return with, slices.Compact(block)
	}
	was, oldBlock := count(m.old)
	is, newBlock := count(m.new)
	if was+is == 0 {
		return nil, false
	}
	var lacking []string
	for _, side := range []struct {
		name       string
		with, runs int
	}{{"old", was, len(m.old.runs)}, {"new", is, len(m.new.runs)}} {
		switch {
		case side.with == 0:
			lacking = append(lacking, fmt.Sprintf("the %s side has none (run --why takes them)", side.name))
		case side.with < side.runs:
			lacking = append(lacking, fmt.Sprintf("only %d of %d %s runs have them", side.with, side.runs, side.name))
		}
	}
	switch {
	case len(lacking) > 0:
		return []string{"stacks are not compared: " + strings.Join(lacking, ", and ") + "."}, false
	case len(oldBlock) > 1 || !slices.Equal(oldBlock, newBlock):
		return []string{fmt.Sprintf("stacks are not compared: they are of absences from %s on the old side, "+
			"and from %s on the new (--block).", thresholds(oldBlock), thresholds(newBlock))}, false
	}
	return nil, true
}

// addStack compares the time at one stack.
func (m *matcher) addStack(to *[]Change, key stackKey, sum *stackTime, block []int64) {
	at := Change{Mode: report.SystemMode, Metric: "blocked", State: key.state}
	if key.state == report.Runnable {
		at.Metric = "runnable"
	}
	for _, f := range sum.frames {
		frame := sum.report.Frames[f]
		frame.Address = 0 // another one in each run
		at.Frames = append(at.Frames, frame)
	}
	at.Stack = foldedStack(at.Frames)
	// Each run is one trial, in which all tasks together were there for some time.
	trials := func(f figures) []*report.Trial {
		if !f.stacks.has(block) {
			return nil
		}
		there := report.StackWait{WaitNS: f.stacks.ns(key)}
		return []*report.Trial{{DurationNS: f.stacks.watchedNS, Why: &report.Why{Waits: []report.StackWait{there}}}}
	}
	n := len(*to)
	m.add(to, at, metric.New(at.Metric, report.TimeRate, func(t *report.Trial) (float64, bool) {
		return float64(t.Why.Waits[0].WaitNS) / float64(t.DurationNS) * 1e9, true
	}), trials)
	if len(*to) == n {
		return
	}
	x := &(*to)[n]
	never := func(runs []float64) bool { return slices.Max(runs) <= 0 }
	switch {
	case never(x.runs.old):
		x.OnlyIn = "new"
	case never(x.runs.new):
		x.OnlyIn = "old"
	}
}

// foldedStack writes a stack as folded stacks have it, the outermost function first.
func foldedStack(frames []report.Frame) string {
	if len(frames) == 0 {
		return "[no stack]"
	}
	var b strings.Builder
	for i := len(frames) - 1; i >= 0; i-- {
		if b.Len() > mostStackText {
			b.WriteString(";…")
			break
		}
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(frames[i].FoldedLabel())
	}
	return b.String()
}
