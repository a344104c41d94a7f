package live

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// Headline is the machine in a line.
type Headline struct {
	Cores, Tasks int
	// Interval is how long the interval took.
	Interval report.Quantity
	Switches report.Quantity
	// Switching is the share of core time that switches took. It is estimated from Timed switches of the
	// last intervals, and TimedAtAll is false if slicetrace has never timed any on purpose.
	// SwitchingReach is how far the 95 % interval reaches to either side, absent where that is not known.
	Switching, SwitchingReach report.Quantity
	Timed                     uint64
	TimedAtAll                bool
	// OwnCost is the share of core time that slicetrace took itself: its eBPF programs and its
	// processes. If OwnCostPartly is true, one of the two is not known and not in it.
	OwnCost       report.Quantity
	OwnCostPartly bool
	Losses        Losses
}

// Losses counts what is missing from the figures of all intervals so far.
type Losses struct {
	// Untimed are switches that should have been timed but were not, Unwatched switches on cores
	// that were not watched, Tasks those for which there was no place, and Slices what is known of
	// theirs: they are in their cores' times only.
	Untimed, Unwatched, Tasks, Slices uint64
}

func (l Losses) plus(o report.Lost) Losses {
	return Losses{
		l.Untimed + o.Unmatched(), l.Unwatched + o.Unwatched, l.Tasks + o.MapFull + o.DroppedTasks,
		l.Slices + o.UnplacedSlices,
	}
}

// Total is how many things are missing.
func (l Losses) Total() uint64 { return l.Untimed + l.Unwatched + l.Tasks + l.Slices }

// Any reports whether anything is missing.
func (l Losses) Any() bool { return l != Losses{} }

// Headline returns the line of what is shown.
func (m *Model) Headline() Headline {
	if m.shown == nil {
		return Headline{}
	}
	t, all := m.shown.trial, &m.shown.all
	h := Headline{
		Cores: len(t.Cores), Losses: m.shown.losses,
		Interval: report.Of(float64(t.DurationNS), report.Nanoseconds),
		Switches: metric.Rate(all.Switches(), t.DurationNS), Switching: all.SwitchingShare(),
		SwitchingReach: all.SwitchingReach(trialsOf(m.shown.timed)),
		Timed:          all.Cost().Count, TimedAtAll: m.shown.timedAtAll,
	}
	var ownNS int64
	known := 0
	if s := t.System; s != nil {
		h.Tasks = int(s.Watched)
		if s.ProgramSampleNS > 0 {
			ownNS, known = ownNS+s.ProgramNS, known+1
		}
	}
	if t.ToolNS != nil {
		ownNS, known = ownNS+*t.ToolNS, known+1
	}
	if known > 0 {
		h.OwnCost, h.OwnCostPartly = metric.TimeShare(ownNS, all.WallNS), known == 1
	}
	return h
}
