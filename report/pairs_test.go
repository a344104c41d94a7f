package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

func TestRelationOfPairs(t *testing.T) {
	me := &report.PairTask{PID: 10, Group: 5}
	for want, by := range map[report.Relation]*report.PairTask{
		report.BySelf:      {PID: 10, Group: 6},
		report.BySameGroup: {PID: 11, Group: 5},
		report.ByOther:     {PID: 11, Group: 6},
		report.ByKernel:    {PID: 10, Group: 5, Kernel: true},
		"":                 nil,
	} {
		if got := (&report.Pair{Task: me, By: by}).Relation(); got != want {
			t.Errorf("%+v is %q, want %q", by, got, want)
		}
	}
	if got := (&report.Pair{By: me}).Relation(); got != "" {
		t.Errorf("of a task that is not known: %q", got)
	}
}

// What is left out is added up, so that the sums of each kind stay; those with long waits and those that occur
// often are not left out.
func TestOnlySomePairsAreKept(t *testing.T) {
	w := &report.Why{}
	for i := range 2 * report.MostPairs {
		task := &report.PairTask{PID: sched.PID(i + 1)}
		w.Pairs = append(w.Pairs,
			report.Pair{Kind: report.PairTaken, Task: task, Count: uint64(2*report.MostPairs - i), WaitNS: int64(i)})
		if i < report.MostPairs {
			w.Pairs = append(w.Pairs, report.Pair{Kind: report.PairWoken, Task: task, Count: 1, WaitNS: 1})
		}
	}
	sums := func() (sums map[report.PairKind]report.Pair, n map[report.PairKind]int) {
		sums, n = map[report.PairKind]report.Pair{}, map[report.PairKind]int{}
		for _, p := range w.Pairs {
			sum := sums[p.Kind]
			sum.Count += p.Count
			sum.WaitNS += p.WaitNS
			sums[p.Kind] = sum
			n[p.Kind]++
		}
		return sums, n
	}
	before, _ := sums()
	w.KeepMostPairs()
	after, n := sums()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("sums (-before +after):\n%s", diff)
	}
	if n[report.PairTaken] != report.MostPairs+1 || n[report.PairWoken] != report.MostPairs {
		t.Errorf("%v pairs are kept", n)
	}
	kept := map[sched.PID]bool{}
	for i, p := range w.Pairs {
		if i > 0 && p.WaitNS > w.Pairs[i-1].WaitNS {
			t.Errorf("pair %d is out of order", i)
		}
		if p.Kind == report.PairTaken && p.Task != nil {
			kept[p.Task.PID] = true
		}
	}
	if !kept[2*report.MostPairs] || !kept[1] || kept[report.MostPairs] {
		t.Error("neither long waits nor frequent ones should be left out, but those between")
	}
	if err := reporttest.Stacks().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestImpossiblePairsAreRefused(t *testing.T) {
	for says, change := range map[string]func(*report.Why){
		"pairs are more":        func(w *report.Why) { w.Pairs = make([]report.Pair, 1<<20+1) },
		`kind ""`:               func(w *report.Why) { w.Pairs[1].Kind = "" },
		"pair 2: a negative":    func(w *report.Why) { w.Pairs[2].WaitNS = -1 },
		"takes no core":         func(w *report.Why) { w.Pairs[0].By, w.Pairs[0].Interrupt = nil, true },
		"an interrupt is no ta": func(w *report.Why) { w.Pairs[3].Interrupt = true },
	} {
		r := reporttest.Stacks()
		change(r.Trials[1].Why)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error is %v, want %q", err, says)
		}
	}
}
