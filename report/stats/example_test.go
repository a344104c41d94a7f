package stats_test

import (
	"fmt"
	"math"

	"github.com/slicetrace/slicetrace/report/stats"
)

// The rounds of a run give one ratio each. SignedRank estimates their middle, with its interval,
// and tests whether it differs from 1, whose logarithm is 0.
func ExampleSignedRank() {
	var logs []float64
	for _, ratio := range []float64{1.12, 1.08, 1.15, 0.99, 1.11, 1.09, 1.13, 1.10} {
		logs = append(logs, math.Log(ratio))
	}
	center, low, high, p := stats.SignedRank(logs)
	fmt.Printf("%.2f (%.2f–%.2f), p = %.3f\n", math.Exp(center), math.Exp(low), math.Exp(high), p)
	// Output: 1.10 (1.04–1.13), p = 0.016
}

// Of many tests some are below 5 % by chance. The false discovery rate takes that into account.
func ExampleFalseDiscoveryRates() {
	for _, q := range stats.FalseDiscoveryRates([]float64{0.001, 0.02, 0.04, 0.6}) {
		fmt.Printf("%.3f ", q)
	}
	// Output: 0.004 0.040 0.053 0.600
}

// Runs of an old and a new program, made in turns, are compared with all ways to assign them to
// two sides.
func ExampleArrangements() {
	isNew := []bool{false, true, true, false, false, true, true, false, false, true, true, false}
	logs := make([]float64, len(isNew))
	for i := range logs {
		logs[i] = 0.01 * float64(i%5) // what varies between like runs
		if isNew[i] {
			logs[i] -= 0.10
		}
	}
	a := stats.Arrange(isNew)
	center, low, high, p := a.Shift(a.Differences(logs))
	fmt.Printf("%d ways: %.2f (%.2f to %.2f), p = %.3f\n", a.Len(), center, low, high, p)
	// Output: 216 ways: -0.11 (-0.13 to -0.08), p = 0.009
}
