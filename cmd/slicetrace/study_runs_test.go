package main

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

var study = flag.Bool("study", false,
	"study on this machine how often like runs are called different, and unlike ones found")

// runsOfStudy is the number of runs that are made, one after another; sidesOfStudy is the number
// of runs a side that are compared.
const (
	runsOfStudy  = 240
	sidesOfStudy = compare.AskedRuns
	// labellings is the number of ways in which the runs of one stretch are assigned to two
	// sides.
	labellings = 5
)

// TestStudyRuns makes short runs of the same work one after another. It compares some of them
// with others that were made in turns with them and differ in nothing, and with others whose
// operations are reduced by a tenth. It runs with -study only and takes some five minutes:
//
//	go test -exec sudo -run Study -v -timeout 30m ./cmd/slicetrace -study
func TestStudyRuns(t *testing.T) {
	if !*study {
		t.Skip("takes minutes: give -study to run it")
	}
	bpftest.Require(t)
	dir := t.TempDir()
	var runs []compare.Input
	for i := range runsOfStudy {
		name := filepath.Join(dir, strconv.Itoa(i)+".json")
		got := call(t, "run", "-q", "pipe", "futex", "--rounds", "6", "--duration", "20ms", "-o", name)
		r, err := report.ReadFile(name)
		if err != nil {
			t.Fatalf("run %d: status %d, %s, error %v", i, got.status, got.err, err)
		}
		runs = append(runs, compare.Input{Name: name, Report: r})
	}
	random := rand.New(rand.NewPCG(1, 13))
	pairs, alarms := 0, 0
	for begin := 0; begin+2*sidesOfStudy <= len(runs); begin += 2 * sidesOfStudy {
		for range labellings {
			if pairs++; changedPrimary(comparedRuns(t, inTurns(random, runs[begin:begin+2*sidesOfStudy], 1)), "") {
				alarms++
			}
		}
	}
	t.Logf("of %d comparisons of %d like runs a side %d called a primary figure changed", pairs, sidesOfStudy, alarms)
	if reporttest.AtLeast(alarms, pairs, level) < 0.001 {
		t.Errorf("%d of %d like pairs have a primary figure called changed", alarms, pairs)
	}
	power(t, random, runs)
}

// power plants a change and looks for it with as many runs as a first comparison asks for.
func power(t *testing.T, random *rand.Rand, runs []compare.Input) {
	t.Helper()
	tried, found, beyond, most := 0, 0, 0, 0
	for begin := 0; begin+2*sidesOfStudy <= len(runs); begin += 2 * sidesOfStudy {
		first := comparedRuns(t, inTurns(random, runs[begin:begin+2*sidesOfStudy], 0.9))
		needed := max(sidesOfStudy, first.Pairs[0].Basis.Needed)
		most = max(most, needed)
		if begin+2*needed > len(runs) {
			beyond++
			continue
		}
		if tried++; changedPrimary(comparedRuns(t, inTurns(random, runs[begin:begin+2*needed], 0.9)), "pipe") {
			found++
		}
	}
	t.Logf("a change of 10 %% was found in %d of %d comparisons with as many runs a side as the tool asked for, "+
		"up to %d; %d asked for more than were left",
		found, tried, most, beyond)
	if tried > 0 && 10*found < 8*tried { // with nine in ten, there are seldom fewer
		t.Errorf("a change of 10 %% was found in %d of %d", found, tried)
	}
}

// inTurns assigns runs to two sides: of every two successive runs one to each. On the second
// side the operations of pipe are multiplied by a factor.
func inTurns(random *rand.Rand, runs []compare.Input, factor float64) [2][]compare.Input {
	var sides [2][]compare.Input
	for i := 0; i+1 < len(runs); i += 2 {
		first := random.IntN(2)
		changed := runs[i+1-first]
		changed.Report = reporttest.Change(reporttest.Copy(changed.Report), "pipe", factor)
		sides[0], sides[1] = append(sides[0], runs[i+first]), append(sides[1], changed)
	}
	return sides
}

func comparedRuns(t *testing.T, sides [2][]compare.Input) *compare.Comparison {
	t.Helper()
	c, err := compare.Reports(sides[0], [][]compare.Input{sides[1]}, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// changedPrimary reports whether a primary figure of a workload, or of any, is called changed.
func changedPrimary(c *compare.Comparison, workload string) bool {
	for i := range c.Pairs[0].Changes {
		x := &c.Pairs[0].Changes[i]
		isOf := workload == "" || x.Workload == workload && x.Metric == "operations"
		if x.Primary && x.Outcome == compare.Changed && isOf {
			return true
		}
	}
	return false
}
