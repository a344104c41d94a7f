package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// MostArrangements is how many arrangements are tried at most. If there are more, so
	// many are drawn at random.
	MostArrangements = 5000
	// LeastArrangements is how many arrangements are necessary for a two-sided p-value of
	// at most 5 %.
	LeastArrangements = 40
	// enoughArrangements is how many arrangements are enough: blocks are not enlarged to
	// have more of them.
	enoughArrangements = 100
)

// Arrangements are the ways in which a sequence of runs, in the order of time, could have
// been divided into old and new ones. The sequence is cut into blocks, and an arrangement
// has as many new runs in each block as were measured there. If the two sides do not
// differ, all arrangements are equally likely, whatever the distribution of the figures
// and whatever has changed from block to block. The first arrangement is the one that was
// measured.
type Arrangements struct {
	// weights hold, for each arrangement, the weight of each run in the difference of the
	// sides' means. Those of new runs are positive and add up to 1, those of old runs are
	// negative and add up to -1.
	weights [][]float64
	// overlap is the sum of the weights of the runs that really are new: 1 for the first
	// arrangement.
	overlap []float64
	blocks  [][]bool
}

// Arrange cuts runs into blocks and finds the arrangements. Blocks have equally many old
// and new runs, at least four in all, and are as small as possible but large enough for
// enoughArrangements.
func Arrange(isNew []bool) *Arrangements {
	var a Arrangements
	for least := 4; ; least += 2 {
		a.blocks = blocksOf(isNew, least)
		if len(a.blocks) == 1 || a.count() >= enoughArrangements {
			break
		}
	}
	a.enumerate()
	return &a
}

// blocksOf ends a block as soon as it has equally many old and new runs, and at least least
// in all. The remaining runs are added to the last block.
func blocksOf(isNew []bool, least int) [][]bool {
	var blocks [][]bool
	start, ahead := 0, 0 // ahead is by how many the new runs outnumber the old ones
	for i, n := range isNew {
		if ahead++; !n {
			ahead -= 2
		}
		if ahead == 0 && i+1-start >= least {
			blocks = append(blocks, isNew[start:i+1])
			start = i + 1
		}
	}
	switch last := len(blocks) - 1; {
	case start == len(isNew):
	case last < 0:
		blocks = append(blocks, isNew)
	default:
		blocks[last] = isNew[start-len(blocks[last]):]
	}
	return blocks
}

// Len returns how many arrangements are tried.
func (a *Arrangements) Len() int { return len(a.weights) }

// count returns how many arrangements are possible.
func (a *Arrangements) count() float64 {
	n := 1.0
	for _, b := range a.blocks {
		all, _ := math.Lgamma(float64(len(b) + 1))
		one, _ := math.Lgamma(float64(news(b) + 1))
		other, _ := math.Lgamma(float64(len(b) - news(b) + 1))
		n *= math.Round(math.Exp(all - one - other))
	}
	return n
}

func news(block []bool) int {
	n := 0
	for _, isNew := range block {
		if isNew {
			n++
		}
	}
	return n
}

// enumerate fills in the weights of all arrangements, or of a random sample of them.
func (a *Arrangements) enumerate() {
	measured := slices.Concat(a.blocks...)
	a.add(measured, measured)
	if a.count() > MostArrangements {
		random := rand.New(rand.NewPCG(1, 2)) // the same arrangements each time
		for range MostArrangements - 1 {
			drawn := slices.Clone(measured)
			start := 0
			for _, b := range a.blocks {
				part := drawn[start : start+len(b)]
				random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
				start += len(b)
			}
			a.add(measured, drawn)
		}
		return
	}
	var choose func(chosen []bool, block int)
	choose = func(chosen []bool, block int) {
		if block == len(a.blocks) {
			if !slices.Equal(chosen, measured) {
				a.add(measured, chosen)
			}
			return
		}
		b := a.blocks[block]
		eachChoice(len(b), news(b), func(c []bool) { choose(append(slices.Clone(chosen), c...), block+1) })
	}
	choose(nil, 0)
}

// eachChoice calls f with every way to choose k of n. f must not keep its argument.
func eachChoice(n, k int, f func([]bool)) {
	chosen := make([]bool, n)
	var from func(i, left int)
	from = func(i, left int) {
		if n-i < left {
			return
		}
		if i == n {
			f(chosen)
			return
		}
		if left > 0 {
			chosen[i] = true
			from(i+1, left-1)
			chosen[i] = false
		}
		from(i+1, left)
	}
	from(0, k)
}

// add appends an arrangement's weights. A block with n new and m old runs has the weight
// n·m ÷ (n + m), which is proportional to the inverse variance of its difference.
func (a *Arrangements) add(measured, chosen []bool) {
	weights := make([]float64, len(chosen))
	total, start := 0.0, 0
	for _, b := range a.blocks {
		total += blockWeight(b)
	}
	overlap := 0.0
	for _, b := range a.blocks {
		n, w := news(b), blockWeight(b)/total
		for i := start; i < start+len(b); i++ {
			if chosen[i] {
				weights[i] = w / float64(n)
			} else {
				weights[i] = -w / float64(len(b)-n)
			}
			if measured[i] {
				overlap += weights[i]
			}
		}
		start += len(b)
	}
	a.weights, a.overlap = append(a.weights, weights), append(a.overlap, overlap)
}

func blockWeight(b []bool) float64 {
	n := float64(news(b))
	return n * (float64(len(b)) - n) / float64(len(b))
}

// Differences returns the weighted difference of the means under each arrangement.
func (a *Arrangements) Differences(values []float64) []float64 {
	out := make([]float64, len(a.weights))
	for g, weights := range a.weights {
		for i, w := range weights {
			// Without the subtraction, rounding would give equal values a difference.
			out[g] += w * (values[i] - values[0])
		}
	}
	return out
}

// Shift estimates by how much new runs differ from old ones, given what Differences
// returned. The interval is the 95 % interval that inverts the exact permutation test
// (Fisher 1935; Pitman 1937; Ernst 2004), and p is that test's p-value: the interval
// excludes 0 exactly if p is at most 5 %.
func (a *Arrangements) Shift(d []float64) (center, low, high, p float64) {
	// If the true shift is s, an arrangement's difference is as extreme as the measured one
	// once s reaches a limit: d[0] - d[g] = (1 - overlap)·s.
	limits := make([]float64, 0, len(d)-1)
	scale := 0.0
	for _, x := range d {
		scale = max(scale, math.Abs(x))
	}
	up, down := 1, 1 // how many are as extreme at a shift of 0, including the measured one
	for g := 1; g < len(d); g++ {
		rest := 1 - a.overlap[g]
		if rest < 1e-9 { // the measured arrangement was drawn again
			up, down = up+1, down+1
			limits = append(limits, math.NaN())
			continue
		}
		limit := (d[0] - d[g]) / rest
		if math.Abs(limit) <= 1e-9*scale { // a rounding error
			limit = 0
		}
		if limit <= 0 {
			up++
		}
		if limit >= 0 {
			down++
		}
		limits = append(limits, limit)
	}
	p = min(1, 2*float64(min(up, down))/float64(len(d)))
	again := 0
	limits = slices.DeleteFunc(limits, func(x float64) bool {
		if math.IsNaN(x) {
			again++
			return true
		}
		return false
	})
	slices.Sort(limits)
	const tail = (1 - Confidence) / 2
	// The interval begins at the k-th limit, with the greatest k that leaves at most its
	// share of arrangements in the tail.
	k := int(math.Floor(tail*float64(len(d))*(1+1e-12))) - again
	if k < 1 || len(limits) < k {
		return d[0], math.Inf(-1), math.Inf(1), p
	}
	return d[0], limits[k-1], limits[len(limits)-k], p
}

// Residual returns the standard error of the difference of the means, with its degrees of
// freedom. It is computed from the variation among runs of the same side in the same block.
func (a *Arrangements) Residual(values []float64) (deviation float64, freedom int) {
	squares, start := 0.0, 0
	for _, b := range a.blocks {
		for _, side := range []bool{false, true} {
			var of []float64
			for i, isNew := range b {
				if isNew == side {
					of = append(of, values[start+i])
				}
			}
			mean := Mean(of)
			for _, x := range of {
				squares += (x - mean) * (x - mean)
			}
			freedom += len(of) - 1
		}
		start += len(b)
	}
	sum := 0.0
	for _, w := range a.weights[0] {
		sum += w * w
	}
	return math.Sqrt(squares / float64(freedom) * sum), freedom
}

// Family tests several figures together (Westfall and Young 1993, single-step maxT). all
// has the differences of each figure. p is, for each figure, the probability that any of
// the figures would differ as much if the two sides did not differ: figures that rise and
// fall together count as few. critical is the difference, in standard deviations of a
// figure, that no figure exceeds in 95 % of such cases.
func Family(all [][]float64) (p []float64, critical float64) {
	if len(all) == 0 {
		return nil, 0
	}
	n := len(all[0])
	greatest, measured := make([]float64, n), make([]float64, len(all))
	for f, d := range all {
		deviation := deviationOf(d)
		if deviation == 0 {
			continue
		}
		for g, x := range d {
			greatest[g] = max(greatest[g], math.Abs(x)/deviation)
		}
		measured[f] = math.Abs(d[0]) / deviation
	}
	slices.Sort(greatest)
	p = make([]float64, len(all))
	for f, z := range measured {
		i, _ := slices.BinarySearch(greatest, z*(1-1e-9))
		p[f] = float64(n-i) / float64(n)
	}
	return p, greatest[min(n-1, int(math.Ceil(Confidence*float64(n))))]
}

// deviationOf returns the standard deviation of a figure's differences over all
// arrangements.
func deviationOf(d []float64) float64 {
	sum := 0.0
	for _, x := range d {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(d)))
}
