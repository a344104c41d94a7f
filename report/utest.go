package report

import (
	"slices"

	"golang.org/x/perf/benchmath"
)

// mannWhitney tests whether two samples, neither empty, differ. It is
// benchmath's test; of tied samples, which take that a fifth of a millisecond
// each, it computes the same p-value ten times as fast.
func mannWhitney(a, b rounds) (p float64, warnings []error) {
	// The test is undefined when all values are alike, and they then do not differ.
	if slices.Min(a.values) == slices.Max(b.values) && slices.Max(a.values) == slices.Min(b.values) {
		return 1, nil
	}
	u := rankSum(a.values, b.values)
	// Beyond these sizes benchmath does not compute the exact distribution; for
	// very small ones it has warnings.
	if n1, n2 := len(a.values), len(b.values); !u.tied() || min(n1, n2) < 4 || max(n1, n2) > 25 {
		c := benchmath.AssumeNothing.Compare(a.sample(), b.sample())
		return c.P, c.Warnings
	}
	return u.p(), nil
}

// uStatistic is what the Mann-Whitney test knows of two samples.
type uStatistic struct {
	n1, n2 int
	// twoU is twice the number of pairs in which the first sample's value is
	// the greater; a pair of equals counts one.
	twoU int
	// ties are how many values, of either sample, are equal: ascending by value.
	ties []int
}

func rankSum(a, b []float64) uStatistic {
	u := uStatistic{n1: len(a), n2: len(b)}
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	first := slices.Sorted(slices.Values(a))
	twoRanks := 0
	for i, j := 0, 0; i < len(all); {
		t, own := 1, 0
		for i+t < len(all) && all[i+t] == all[i] {
			t++
		}
		for j < len(first) && first[j] == all[i] {
			own++
			j++
		}
		twoRanks += own * (2*i + t + 1) // each has the mean of the ranks i+1 to i+t
		u.ties = append(u.ties, t)
		i += t
	}
	u.twoU = twoRanks - u.n1*(u.n1+1)
	return u
}

func (u uStatistic) tied() bool { return len(u.ties) < u.n1+u.n2 }

// p returns the two-sided p-value: twice the part of all ways to choose the
// first sample's values among all that have a U as far from the middle, on the
// same side (Cheung and Klotz 1997, by counting up instead of by recursion).
func (u uStatistic) p() float64 {
	limit := min(u.twoU, 2*u.n1*u.n2-u.twoU)
	if limit == u.n1*u.n2 {
		return 1 // in the middle
	}
	// ways[j][w] counts the ways to choose j values among those seen, with w
	// as twice their U. Each further group of equals can only add to it.
	ways := make([][]float64, u.n1+1)
	for j := range ways {
		ways[j] = make([]float64, limit+1)
	}
	ways[0][0] = 1
	seen := 0
	for _, t := range u.ties {
		for j := min(u.n1, seen+t); j > 0; j-- { // each from smaller ones, in place
			for k := 1; k <= min(t, j); k++ {
				from := j - k
				if from > seen {
					continue
				}
				more, times := k*(2*(seen-from)+t-k), binomial(t, k)
				for w := more; w <= limit; w++ {
					ways[j][w] += times * ways[from][w-more]
				}
			}
		}
		seen += t
	}
	var tail, all float64
	for _, n := range ways[u.n1] {
		tail += n
	}
	all = binomial(u.n1+u.n2, u.n1)
	return min(1, 2*tail/all)
}

// binomial returns the number of ways to choose k of n.
func binomial(n, k int) float64 {
	c := 1.0
	for i := 1; i <= k; i++ {
		c = c * float64(n-k+i) / float64(i)
	}
	return c
}
