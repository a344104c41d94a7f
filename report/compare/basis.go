package compare

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/perf/benchmath"

	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/stats"
)

// Basis says what a change between two sides is held against: how much runs differ
// without a change. Within a run rounds vary far less than runs do among each other, for
// the hour, other work and the layout of memory are a whole run's.
type Basis struct {
	// Kind is one of the kinds.
	Kind BasisKind `json:"kind"`
	// OldRuns, NewRuns and LikeRuns are how many reports there are.
	OldRuns  int `json:"old_runs"`
	NewRuns  int `json:"new_runs"`
	LikeRuns int `json:"like_runs"`
	// Like names the like runs.
	Like []string `json:"like,omitempty"`
	// Arrangements is in how many ways the runs are dealt out to both sides.
	Arrangements int `json:"arrangements,omitempty"`
	// Needed is how many runs a side find a change of 10 % in each primary figure nine
	// times in ten, as far as these runs tell; 0 where that is not known.
	Needed int `json:"needed_runs,omitempty"`
	// Noisiest is the figure that needs so many.
	Noisiest string `json:"noisiest,omitempty"`
	// apart says that the runs were not made in turns, and burst that the like runs lie
	// nearer together in time than the sides do.
	apart, burst bool
}

// BasisKind says how a change is told from what varies between runs.
type BasisKind string

// The kinds.
const (
	// BasisTurns: the runs of both sides were made in turns, and are dealt out to both
	// sides anew in every way (exact permutation test within blocks of time).
	BasisTurns BasisKind = "turns"
	// BasisLike: like runs tell how much runs differ. A side counts as one sample,
	// whatever its runs, for they have their hour in common (Student's t).
	BasisLike BasisKind = "like runs"
	// BasisNone: nothing tells a change from what varies between runs.
	BasisNone BasisKind = "none"
)

const (
	// AskedRuns is how many runs a side the tool asks for before it knows how much they vary.
	AskedRuns = 6
	// LeastLike is how many like runs tell how much runs vary.
	LeastLike = 4
	// mostAsked is more than anybody makes.
	mostAsked = 1e6
	// manyRuns is from how many runs a side on it is not the runs that are too few.
	manyRuns = 20
	// LeastChange is the smallest change, in percent, that is called one: a smaller one
	// can be exact, and is of no use.
	LeastChange = 1
	// sought is the change that the tool asks for enough runs to find, and power how often.
	sought, power = 0.10, 0.9
)

// decider decides figures on one basis.
type decider struct {
	basis Basis
	*stats.Arrangements
	// index are the runs, old ones first, in the order of time.
	index []int
}

func newDecider(old, other, like side) decider {
	isNew, index, ordered := inTime(old, other)
	d := decider{basis: Basis{Kind: BasisNone, OldRuns: len(old.runs), NewRuns: len(other.runs), LikeRuns: len(like.runs)}, index: index}
	for _, n := range like.runs {
		d.basis.Like = append(d.basis.Like, n.Name)
	}
	several := len(old.runs) > 1 && len(other.runs) > 1
	if several && ordered && alternate(isNew) {
		if a := stats.Arrange(isNew); a.Len() >= stats.LeastArrangements {
			d.basis.Kind, d.basis.Arrangements, d.Arrangements = BasisTurns, a.Len(), a
			return d
		}
	}
	d.basis.apart = several && !(ordered && alternate(isNew))
	between := other.runs[0].Report.Created.Sub(old.runs[0].Report.Created).Abs()
	switch {
	case len(like.runs) < LeastLike:
	case like.span() < between:
		d.basis.burst = true
	default:
		d.basis.Kind = BasisLike
	}
	return d
}

// inRuns are one figure's values: a run's is the median of its rounds, or the greatest
// of what is shown by its greatest.
type inRuns struct{ old, new, like []float64 }

// logs returns the values' logarithms, or themselves where one has none.
func (r inRuns) logs() (out inRuns, ratio bool) {
	for _, x := range slices.Concat(r.old, r.new, r.like) {
		if x <= 0 {
			return r, false
		}
	}
	log := func(values []float64) []float64 {
		out := make([]float64, len(values))
		for i, x := range values {
			out[i] = math.Log(x)
		}
		return out
	}
	return inRuns{log(r.old), log(r.new), log(r.like)}, true
}

// tested is a figure on its way to an outcome.
type tested struct {
	change *Change
	// differences are those under all arrangements.
	differences []float64
	deviation   float64 // of the difference, from what varies between runs
	freedom     int
	// ratio says that differences are of logarithms.
	ratio bool
}

// test fills in what can be said of one figure alone.
func (d decider) test(c *Change) tested {
	values, ratio := c.runs.logs()
	t := tested{change: c, ratio: ratio}
	c.P, c.Q, c.Outcome = 1, 1, Untested
	center, low, high := stats.Mean(values.new)-stats.Mean(values.old), math.Inf(-1), math.Inf(1)
	switch d.basis.Kind {
	case BasisTurns:
		all, inOrder := slices.Concat(values.old, values.new), make([]float64, len(d.index))
		for i, from := range d.index {
			inOrder[i] = all[from]
		}
		t.differences = d.Differences(inOrder)
		t.deviation, t.freedom = d.Residual(inOrder)
		center, low, high, c.P = d.Shift(t.differences)
		c.Outcome = Alike
		if !c.Primary { // of a thousand others only the measured one is needed further on
			t.differences = slices.Clone(t.differences[:1])
		}
	case BasisLike:
		if len(values.like) < LeastLike {
			break
		}
		t.freedom = len(values.like) - 1
		t.deviation = math.Sqrt2 * stats.Deviation(values.like)
		if t.deviation == 0 {
			break // as coarse figures can be by chance, which would make a step of one a certainty
		}
		c.Outcome = Alike
		c.P = min(1, 2*stats.StudentCDF(-math.Abs(center)/t.deviation, t.freedom))
		half := t.deviation * stats.StudentQuantile(1-(1-stats.Confidence)/2, t.freedom)
		low, high = center-half, center+half
	}
	if ratio {
		c.Percent = finite(100 * (math.Exp(center) - 1))
		if !math.IsInf(low, 0) && !math.IsInf(high, 0) {
			c.PercentLow, c.PercentHigh = finite(100*(math.Exp(low)-1)), finite(100*(math.Exp(high)-1))
		}
	}
	return t
}

// detectable returns the difference that would be found nine times in ten, where all of
// a family must stay below critical of their own deviations instead of own.
func (t tested) detectable(strictness float64) float64 {
	return t.deviation * (strictness*stats.StudentQuantile(1-(1-stats.Confidence)/2, t.freedom) + stats.StudentQuantile(power, t.freedom))
}

// student returns the p-value of Student's test. Unlike an exact one of few runs it can
// become small enough to stand out among a thousand figures.
func (t tested) student() float64 {
	difference := 0.0
	switch {
	case t.differences == nil:
		return t.change.P
	case t.differences[0] == 0, t.freedom == 0:
		return 1
	default:
		difference = math.Abs(t.differences[0])
	}
	if t.deviation == 0 {
		return 0
	}
	return min(1, 2*stats.StudentCDF(-difference/t.deviation, t.freedom))
}

// judge decides the figures of a pair: the primary ones so that among like sides any of
// them is called changed at most once in twenty times, the others at a false discovery
// rate of 5 %.
func (d *decider) judge(changes []Change) {
	all := make([]tested, len(changes))
	var wait sync.WaitGroup
	each := max(1, (len(changes)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for begin := 0; begin < len(changes); begin += each {
		wait.Go(func() {
			for i := begin; i < min(begin+each, len(changes)); i++ {
				all[i] = d.test(&changes[i])
			}
		})
	}
	wait.Wait()
	var primary, rest []tested
	for _, t := range all {
		switch {
		case t.change.Outcome == Untested:
		case t.change.Primary:
			primary = append(primary, t)
		default:
			rest = append(rest, t)
		}
	}
	strictness := d.adjustFamily(primary)
	d.ask(primary, strictness)
	var p []float64
	for _, t := range rest {
		p = append(p, t.student())
	}
	for i, q := range stats.FalseDiscoveryRates(p) {
		rest[i].change.Q = q
	}
	for _, t := range slices.Concat(primary, rest) {
		c := t.change
		c.decide()
		if c.Primary && t.ratio && t.freedom > 0 {
			c.Detectable = finite(100 * (math.Exp(t.detectable(strictness)) - 1))
		}
	}
}

// adjustFamily gives each primary figure its p-value among all of them, and returns how
// much stricter than one figure alone that is.
func (d *decider) adjustFamily(primary []tested) float64 {
	if len(primary) == 0 {
		return 1
	}
	if d.basis.Kind == BasisTurns {
		var all [][]float64
		for _, t := range primary {
			all = append(all, t.differences)
		}
		p, critical := stats.Family(all)
		for i, t := range primary {
			t.change.Q = max(p[i], t.change.P)
		}
		var alone []float64
		for _, differences := range all {
			if _, c := stats.Family([][]float64{differences}); c > 0 {
				alone = append(alone, c)
			}
		}
		if len(alone) == 0 {
			return 1
		}
		slices.Sort(alone)
		return max(1, critical/alone[len(alone)/2])
	}
	// Holm (1979): whatever the figures have to do with each other.
	order := slices.Clone(primary)
	slices.SortStableFunc(order, func(a, b tested) int { return cmp.Compare(a.change.P, b.change.P) })
	greatest := 0.0
	for i, t := range order {
		greatest = max(greatest, min(1, t.change.P*float64(len(order)-i)))
		t.change.Q = greatest
	}
	freedom := primary[0].freedom
	return stats.StudentQuantile(1-(1-stats.Confidence)/2/float64(len(primary)), freedom) / stats.StudentQuantile(1-(1-stats.Confidence)/2, freedom)
}

// ask finds how many runs a side would do. What must be found shrinks with the root of
// their number, and with few of them faster, so that the answer errs to too many.
func (d *decider) ask(primary []tested, strictness float64) {
	d.basis.Needed, d.basis.Noisiest = 0, ""
	if d.basis.Kind != BasisTurns {
		return
	}
	n, m := float64(d.basis.OldRuns), float64(d.basis.NewRuns)
	for _, t := range primary {
		if t.freedom == 0 || !t.ratio {
			continue
		}
		more := t.detectable(strictness) / math.Log1p(sought)
		// As exact as n and m runs are as many on each side.
		runs := max(AskedRuns, int(min(mostAsked, math.Ceil(2*n*m/(n+m)*more*more))))
		if runs > d.basis.Needed {
			d.basis.Needed, d.basis.Noisiest = runs, t.change.title()
		}
	}
}

// decide makes an outcome of p and q.
func (c *Change) decide() {
	level := benchmath.DefaultThresholds.CompareAlpha
	switch {
	case c.P > level:
		c.Outcome = Alike
	case c.Percent != nil && math.Abs(*c.Percent) < LeastChange:
		c.Outcome = Small
	case c.Q <= level:
		c.Outcome = Changed
	default:
		c.Outcome = Doubtful
	}
}

// howToTurn is the advice that tells most: who begins takes turns too.
const howToTurn = "make runs of both sides in turns, such as: for i in 1 3 5; do OLD run -o old$i.json; NEW run -o new$i.json; " +
	"NEW run -o new$((i+1)).json; OLD run -o old$((i+1)).json; done; then: compare old*.json --with new*.json"

// Sentences say on what the outcomes rest, and what would tell more.
func (b Basis) Sentences() []string {
	runs := words.Plural(b.OldRuns, "old run") + " and " + words.Plural(b.NewRuns, "new run")
	switch b.Kind {
	case BasisTurns:
		ways := fmt.Sprintf("all %d ways to deal them out to two sides", b.Arrangements)
		if b.Arrangements == stats.MostArrangements {
			ways = fmt.Sprintf("%d ways to deal them out to two sides, drawn from many more", b.Arrangements)
		}
		out := []string{fmt.Sprintf("%s, made in turns: a change must stand out from %s.", runs, ways)}
		if b.Needed > 0 {
			out = append(out, fmt.Sprintf("As much as these runs vary, a change of 10 %% in any primary figure is found nine times in ten with %d runs a side; "+
				"it is %s that takes so many%s.", b.Needed, b.Noisiest, words.Choose(b.Needed > manyRuns, ", and a quieter machine would take fewer", "")))
		}
		return out
	case BasisLike:
		return []string{fmt.Sprintf("%s, held against how much %d like runs differ (%s). Each side counts as one sample, since its runs share their hour.",
			runs, b.LikeRuns, words.List(b.Like, 3))}
	}
	out := ""
	switch {
	case b.apart:
		out = runs + ", but not made in turns: what drifted between them cannot be told from a change."
	case b.OldRuns > 1 && b.NewRuns > 1:
		out = runs + " are too few to tell a change from what varies between like runs."
	default:
		out = runs + ": a change cannot be told from what varies between like runs."
	}
	if b.burst {
		out += fmt.Sprintf(" The %d like runs lie nearer together in time than these do, and so do not tell how much runs of such times differ.", b.LikeRuns)
	}
	return []string{out + fmt.Sprintf(" The figures are shown, and none is called changed. Give %d or more like runs of different times (--like FILES), or %s.", LeastLike, howToTurn)}
}
