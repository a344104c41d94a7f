package metric

import (
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/stats"
)

// SwitchCost returns the metric by which the switches of a load are compared, and the hook floor that
// is part of it, in nanoseconds: their cost or, where the start of the pick phase has no hook, the
// switch phase.
func SwitchCost(r *report.Report, l Load) (m Metric, floorNS float64) {
	for _, mode := range l.Modes {
		if len(Sample(TrialsOf(r, l, mode), CostP50()).Values) == 0 {
			return SwitchP50(), r.Quality.SwitchFloor().Value
		}
	}
	return CostP50(), r.Quality.PickFloor().Value + r.Quality.SwitchFloor().Value
}

// Less subtracts an amount from each value. The result is empty if any value is not above it.
func (s Rounds) Less(amount float64) Rounds {
	out := Rounds{Unit: s.Unit, Round: s.Round}
	for _, v := range s.Values {
		if v <= amount {
			return Rounds{}
		}
		out.Values = append(out.Values, v-amount)
	}
	return out
}

// Excess is by how much one figure is above another of the same rounds.
type Excess struct {
	// Center is the Hodges-Lehmann estimate. Low and High are the ends of its 95 % interval, which are
	// infinite if there are too few rounds.
	Center, Low, High float64
	// N is the number of rounds that have both figures.
	N int
}

// ExcessOf returns by how much a is above b. ok is false if no round has both.
func ExcessOf(a, b Rounds) (e Excess, ok bool) {
	var values []float64
	for i, round := range a.Round {
		if j := slices.Index(b.Round, round); j >= 0 {
			values = append(values, a.Values[i]-b.Values[j])
		}
	}
	if e.N = len(values); e.N == 0 {
		return e, false
	}
	e.Center, e.Low, e.High, _ = stats.SignedRank(values)
	return e, true
}

// Bounded reports whether there is an interval.
func (e Excess) Bounded() bool { return e.N >= stats.LeastPairs }

// Measurable reports whether the rounds show a difference: the interval does not include 0.
func (e Excess) Measurable() bool { return e.Bounded() && (e.Low > 0 || e.High < 0) }

// CoreShare is the percentage of one core's time that something takes that lasts so long and happens
// so often.
func CoreShare(ns, perSecond float64) float64 { return 100 * ns * perSecond / 1e9 }

// FurtherMemory returns, for each round, how much more memory each additional worker of scale takes:
// the slope of the least-squares line through its variants. What the workers share, such as the pages
// of the program, is in the line's height and not in its slope.
func FurtherMemory(r *report.Report, mode report.Mode, bytes func(*report.Memory) int64) Rounds {
	type sums struct{ n, x, y, xx, xy float64 }
	byRound := map[int]*sums{}
	out := Rounds{Unit: report.Bytes}
	var order []int
	for i := range r.Trials {
		t := &r.Trials[i]
		if t.Workload != "scale" || t.Mode != mode || t.Memory == nil || len(t.Workers) == 0 {
			continue
		}
		s := byRound[t.Round]
		if s == nil {
			s = &sums{}
			byRound[t.Round] = s
			order = append(order, t.Round)
		}
		x, y := float64(len(t.Workers)), float64(bytes(t.Memory))
		s.n, s.x, s.y, s.xx, s.xy = s.n+1, s.x+x, s.y+y, s.xx+x*x, s.xy+x*y
	}
	for _, round := range order {
		s := byRound[round]
		if spread := s.n*s.xx - s.x*s.x; spread > 0 {
			out.Values = append(out.Values, (s.n*s.xy-s.x*s.y)/spread)
			out.Round = append(out.Round, round)
		}
	}
	return out
}

// PSS is the memory by which modes are compared.
func PSS(m *report.Memory) int64 { return m.PSSBytes }
