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

// Basis is what a change between two sides is compared with: how much runs differ without a change.
// The rounds of one run vary far less than runs do, since the time of day, other work on the
// machine and the layout of memory are the same for a whole run.
type Basis struct {
	// Kind is one of the kinds.
	Kind BasisKind `json:"kind"`
	// OldRuns, NewRuns and LikeRuns are how many reports there are.
	OldRuns  int `json:"old_runs"`
	NewRuns  int `json:"new_runs"`
	LikeRuns int `json:"like_runs"`
	// Like names the similar runs.
	Like []string `json:"like,omitempty"`
	// Arrangements is the number of ways in which the runs were divided into two sides.
	Arrangements int `json:"arrangements,omitempty"`
	// Needed is how many runs a side find a change of 10 % in each primary figure nine times in
	// ten, estimated from the variation of these runs. It is 0 if that is not known.
	Needed int `json:"needed_runs,omitempty"`
	// Noisiest is the figure that needs the most runs.
	Noisiest string `json:"noisiest,omitempty"`
	// apart is true if the runs were not made in turns, and burst if the similar runs are closer
	// together in time than the two sides.
	apart, burst bool
	// watch is true if the runs are watches of a system.
	watch bool
}

// BasisKind is how a change is told from the variation between runs.
type BasisKind string

// The kinds.
const (
	// BasisTurns means that the runs of both sides were made in turns. The difference between the
	// sides is compared with those of all other ways to divide the runs into two sides (exact
	// permutation test within blocks of time).
	BasisTurns BasisKind = "turns"
	// BasisLike means that similar runs show how much runs differ. A side counts as one sample,
	// however many runs it has, since they were made at one time (Student's t).
	BasisLike BasisKind = "like runs"
	// BasisNone means that nothing shows how much runs differ.
	BasisNone BasisKind = "none"
)

const (
	// AskedRuns is how many runs a side the program asks for before it knows how much they vary.
	AskedRuns = 6
	// LeastLike is how many similar runs are needed to estimate how much runs vary.
	LeastLike = 4
	// mostAsked is an upper bound; nobody makes that many runs.
	mostAsked = 1e6
	// manyRuns is the number of runs a side above which the advice is a quieter machine.
	manyRuns = 20
	// LeastChange is the smallest change, in percent, that is reported as one. A smaller one can be
	// measured, but is of no use.
	LeastChange = 1
	// sought is the change that enough runs should find, and power how often.
	sought, power = 0.10, 0.9
)

// decider decides which figures changed, on one basis.
type decider struct {
	basis Basis
	*stats.Arrangements
	// index are the runs in the order of time; those of the old side have the lower numbers.
	index []int
}

func newDecider(old, other, like side) decider {
	isNew, index, ordered := inTime(old, other)
	d := decider{index: index, basis: Basis{
		Kind: BasisNone, OldRuns: len(old.runs), NewRuns: len(other.runs), LikeRuns: len(like.runs),
	}}
	d.basis.watch = old.runs[0].Report.Setup.Watch != nil
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

// inRuns holds the values of one figure, one for each run: the median of the run's rounds, or the
// greatest value if the figure is a longest one.
type inRuns struct{ old, new, like []float64 }

// logs returns the logarithms of the values, or the values themselves if one of them has none.
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

// tested is a figure whose outcome is being determined.
type tested struct {
	change *Change
	// differences are the differences between the sides under all arrangements.
	differences []float64
	deviation   float64 // standard deviation of the difference, due to the variation between runs
	freedom     int
	// ratio is true if the differences are differences of logarithms.
	ratio bool
}

// test determines what can be said about one figure alone.
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
		if !c.Primary { // for the many other figures only the measured difference is needed later
			t.differences = slices.Clone(t.differences[:1])
		}
	case BasisLike:
		if len(values.like) < LeastLike || c.Stack != "" && !ratio {
			break
		}
		t.freedom = len(values.like) - 1
		t.deviation = math.Sqrt2 * stats.Deviation(values.like)
		if t.deviation == 0 {
			break // coarse figures can be equal by chance; then any step would look significant
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

// detectable returns the difference that would be found nine times in ten. strictness is the factor
// by which the critical value of the whole family exceeds that of a single figure.
func (t tested) detectable(strictness float64) float64 {
	quantile := stats.StudentQuantile(1-(1-stats.Confidence)/2, t.freedom)
	return t.deviation * (strictness*quantile + stats.StudentQuantile(power, t.freedom))
}

// student returns the p-value of Student's test. Unlike the exact p-value of few runs, it can become
// small enough to be significant among a thousand figures. It says nothing of a stack that some runs
// have and others lack.
func (t tested) student() float64 {
	difference := 0.0
	switch {
	case t.differences == nil, t.change.Stack != "" && !t.ratio:
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

// judge decides the figures of a pair. The primary ones are decided so that, if the sides do not
// differ, any of them is reported as changed at most once in twenty times; the others at a false
// discovery rate of 5 %.
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

// adjustFamily adjusts the p-value of each primary figure for their number, and returns how much
// stricter that is than testing one figure alone.
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
	// Holm (1979), which holds whatever the correlations between the figures are.
	order := slices.Clone(primary)
	slices.SortStableFunc(order, func(a, b tested) int { return cmp.Compare(a.change.P, b.change.P) })
	greatest := 0.0
	for i, t := range order {
		greatest = max(greatest, min(1, t.change.P*float64(len(order)-i)))
		t.change.Q = greatest
	}
	freedom := primary[0].freedom
	alone := 1 - (1-stats.Confidence)/2
	together := 1 - (1-stats.Confidence)/2/float64(len(primary))
	return stats.StudentQuantile(together, freedom) / stats.StudentQuantile(alone, freedom)
}

// ask computes how many runs a side would be enough. The detectable difference shrinks with the
// root of their number, and faster if there are few, so the result is rather too high.
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
		// n and m runs are as precise as this number of runs on each side.
		runs := max(AskedRuns, int(min(mostAsked, math.Ceil(2*n*m/(n+m)*more*more))))
		if runs > d.basis.Needed {
			d.basis.Needed, d.basis.Noisiest = runs, t.change.title()
		}
	}
}

// decide derives the outcome from p and q.
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

// howToTurn is the advice that gives the most precise comparison: the two sides also take turns in
// being first.
const howToTurn = "make runs of both sides in turns, for example: for i in 1 3 5; do OLD run -o old$i.json; " +
	"NEW run -o new$i.json; NEW run -o new$((i+1)).json; OLD run -o old$((i+1)).json; done; " +
	"then: compare old*.json --with new*.json"

// howToWatch is the same advice for a watched system.
const howToWatch = "watch the system several times in both states, in turns, and compare old*.json --with new*.json"

// Sentences explain on what the outcomes are based, and how to get more precise ones.
func (b Basis) Sentences() []string {
	runs := words.Plural(b.OldRuns, "old run") + " and " + words.Plural(b.NewRuns, "new run")
	switch b.Kind {
	case BasisTurns:
		ways := fmt.Sprintf("all %d ways to divide them into two sides", b.Arrangements)
		if b.Arrangements == stats.MostArrangements {
			ways = fmt.Sprintf("%d random ways to divide them into two sides", b.Arrangements)
		}
		out := []string{fmt.Sprintf("%s, made in turns: a change must stand out among %s.", runs, ways)}
		if b.Needed > 0 {
			quieter := words.Choose(b.Needed > manyRuns, "; on a quieter machine, fewer would do", "")
			out = append(out, fmt.Sprintf("With the variation of these runs, %d runs a side find a change of 10 %% "+
				"in any primary figure nine times in ten; the most are needed for %s%s.",
				b.Needed, b.Noisiest, quieter))
		}
		return out
	case BasisLike:
		return []string{fmt.Sprintf("%s, compared with how much %d similar runs differ (%s). "+
			"Each side counts as one sample, since its runs were made at one time.",
			runs, b.LikeRuns, words.List(b.Like, 3))}
	}
	out := ""
	switch {
	case b.apart:
		out = runs + ", but not made in turns: a change cannot be told from what changed on the machine meanwhile."
	case b.OldRuns > 1 && b.NewRuns > 1:
		out = runs + " are too few to tell a change from the variation between runs."
	default:
		out = runs + ": a change cannot be told from the variation between runs."
	}
	if b.burst {
		out += fmt.Sprintf(" The %d similar runs are closer together in time than the two sides, "+
			"so they do not show how much runs that far apart differ.", b.LikeRuns)
	}
	if b.watch {
		out += " A watch is one run, however many intervals it has, since neighbouring intervals are alike."
	}
	return []string{out + fmt.Sprintf(" The figures are shown, but none is reported as changed. "+
		"Give %d or more runs like the old one, made at different times (--like FILES), or %s.", LeastLike,
		words.Choose(b.watch, howToWatch, howToTurn))}
}
