package main

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/baseline"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
	"github.com/slicetrace/slicetrace/workloads"
)

const (
	// alikePairs is the number of pairs of the same work under two labels, and plantedPairs of
	// pairs in which one half is slowed down.
	alikePairs, plantedPairs = 60, 30
	// level is the rate of false alarms that the report promises.
	level = 0.05
	// planted is the slowdown of the switch phase.
	planted = 0.10
	// On a shared machine, disturbances come and go within 50 ms and spoil the pair of trials
	// during which they begin or end, so more and shorter rounds are better. In one such hour,
	// 40 of 40 runs of twice the default number of rounds found what was planted, and 30 of 40
	// runs of half as many rounds that were twice as long.
	manyRounds = 3 * defaultRounds
	shortTrial = 20 * time.Millisecond
)

// studied are the rows of the report that the studies look at.
func studied() []string { return []string{"operations", "switch phase p50", "cost of a switch p50"} }

// bench runs trials of process switches, one by one, as a run does.
type bench struct {
	t         *testing.T
	collector *collector.Collector
	settings  *hostinfo.SettingsWatch
	plan      workloads.Plan
	rounds    int // of a pair
}

func newBench(t *testing.T) *bench {
	t.Helper()
	bpftest.Require(t)
	if !*study {
		t.Skip("takes minutes: give -study to run it")
	}
	c, err := collector.Open(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	settings := hostinfo.WatchSettings(hostinfo.Fingerprint())
	settings.Begin(c, false)
	pipe, err := workloads.Find("pipe")
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, c, settings, workloads.Plan{
		Workloads: []workloads.Workload{pipe}, Modes: []workloads.Mode{workloads.Processes},
		Rounds: 1, Duration: shortTrial, Workers: 2, CPUs: []workloads.CPU{0},
	}, defaultRounds}
}

// trial runs one trial and labels it.
func (b *bench) trial(mode report.Mode, round int) report.Trial {
	b.t.Helper()
	var r report.Report
	observer := &trialObserver{collector: b.collector, report: &r, settings: b.settings}
	if err := b.plan.Run(b.t.Context(), observer, nil); err != nil {
		b.t.Fatal(err)
	}
	return label(r.Trials[0], mode, round)
}

// label makes a trial of processes look like a trial of a mode, and its process switches like
// that mode's own.
func label(t report.Trial, mode report.Mode, round int) report.Trial {
	t.Mode, t.Round = mode, round
	own := report.ClassProcess
	if mode == report.Threads {
		own = report.ClassThread
	}
	for i := range t.Cores {
		c := &t.Cores[i]
		isThread := func(s report.ClassStats) bool { return s.Class == report.ClassThread }
		c.Classes = slices.DeleteFunc(c.Classes, isThread)
		for j := range c.Classes {
			if c.Classes[j].Class == report.ClassProcess {
				c.Classes[j].Class = own
			}
		}
	}
	return t
}

// pair runs the rounds of two labels, whose order alternates as that of the modes in a run. It
// calls before ahead of each trial.
func (b *bench) pair(before func(report.Mode)) *report.Report {
	b.t.Helper()
	r := &report.Report{Schema: report.SchemaVersion, Setup: report.Setup{Rounds: b.rounds}}
	for round := 1; round <= b.rounds; round++ {
		labels := []report.Mode{report.Processes, report.Threads}
		if round%2 == 0 {
			slices.Reverse(labels)
		}
		for _, l := range labels {
			before(l)
			r.Trials = append(r.Trials, b.trial(l, round))
		}
	}
	return r
}

// isDifferent reports whether the report shows a ratio, and not "~", for a metric of its only
// workload.
func isDifferent(t *testing.T, r *report.Report, metric string) bool {
	t.Helper()
	for _, s := range view.Summarize(r).Sections {
		if s.Title != "Processes or threads" {
			continue
		}
		for _, row := range s.Groups[0].Rows {
			if row[0].Text == metric {
				return row[3].Text != "~"
			}
		}
	}
	t.Fatalf("the report has no row %q", metric)
	return false
}

// The A/A study compares one mode under two labels. It fails if there are so many false alarms
// as would occur only once in a thousand studies if their rate were the level.
func TestTheSameWorkRaisesNoMoreAlarmsThanTheLevel(t *testing.T) {
	b := newBench(t)
	alarms := map[string]int{}
	for range alikePairs {
		r := b.pair(func(report.Mode) {})
		for _, metric := range studied() {
			if isDifferent(t, r, metric) {
				alarms[metric]++
			}
		}
	}
	for _, metric := range studied() {
		n := alarms[metric]
		t.Logf("%s: %d false alarms in %d pairs", metric, n, alikePairs)
		if reporttest.AtLeast(n, alikePairs, level) < 0.001 {
			t.Errorf("%s: %d false alarms in %d pairs are more than a level of %g allows", metric, n, alikePairs, level)
		}
	}
}

// newSlowdown attaches a slowdown, with no turns at first.
func newSlowdown(t *testing.T) *baseline.Slowdown {
	t.Helper()
	slowdown, err := baseline.LoadSlowdown()
	if err != nil {
		t.Fatal(err)
	}
	attached, err := slowdown.Attach()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(attached.Close(), slowdown.Close()); err != nil {
			t.Error(err)
		}
	})
	return slowdown
}

// phase returns the median of one trial's switch phases, in ns.
func (b *bench) phase() float64 {
	b.t.Helper()
	t := b.trial(report.Processes, 1)
	ns, ok := t.Class(report.ClassProcess).Switch.Quantile(0.5)
	if !ok {
		bpftest.Unavailable(b.t, "this kernel has no hook at the switch phase's end")
	}
	return ns
}

// turnsFor returns how many turns of the slowdown make up the planted part. It measures twice,
// since the processor does some of the turns in parallel with other work. Trials with and
// without the slowdown alternate, since the machine's speed varies.
func turnsFor(b *bench, slowdown *baseline.Slowdown) int {
	turns := 400
	for _, pairs := range []int{15, 60} {
		var slower []float64
		for range pairs {
			setTurns(b.t, slowdown, 0)
			bare := b.phase()
			setTurns(b.t, slowdown, turns)
			slower = append(slower, b.phase()/bare-1)
		}
		slices.Sort(slower)
		typical := slower[len(slower)/2]
		if typical <= 0 {
			b.t.Fatalf("%d turns of the slowdown did not lengthen the switch phase", turns)
		}
		turns = max(1, int(math.Round(float64(turns)*planted/typical)))
	}
	b.t.Logf("slowed down by %d turns", turns)
	return turns
}

func setTurns(t *testing.T, slowdown *baseline.Slowdown, turns int) {
	t.Helper()
	if err := slowdown.Set(turns); err != nil {
		t.Fatal(err)
	}
}

// The power study has a fixed size: a switch phase that is a tenth longer under one label is
// found in nine runs of ten. It fails if so few runs find it as would occur only once in a
// thousand studies. Other programs change how much the planted turns make up; a study in which
// they did not make up about a tenth proves nothing about a tenth, and fails too.
func TestAPlantedSlowdownIsFound(t *testing.T) {
	const power = 0.9
	b := newBench(t)
	b.rounds = manyRounds
	slowdown := newSlowdown(t)
	found, longer := plant(b, slowdown, turnsFor(b, slowdown))
	if off := longer / planted; off < 0.7 || off > 1.3 {
		t.Fatalf("the switch phase became longer by %.1f %%, not by %g %%", 100*longer, 100*planted)
	}
	if reporttest.AtLeast(plantedPairs-found, plantedPairs, 1-power) < 0.001 {
		t.Errorf("it was found in %d of %d runs, which a power of %g does not allow", found, plantedPairs, power)
	}
}

// plant runs pairs in which one half is slowed down. It returns in how many that was found, and
// by which part the switch phase became longer.
func plant(b *bench, slowdown *baseline.Slowdown, turns int) (found int, longer float64) {
	t := b.t
	t.Helper()
	var shifts []float64
	for range plantedPairs {
		r := b.pair(func(l report.Mode) {
			now := 0
			if l == report.Processes {
				now = turns
			}
			setTurns(t, slowdown, now)
		})
		slow, bare := median(r, report.Processes), median(r, report.Threads)
		shifts = append(shifts, slow/bare)
		if isDifferent(t, r, "switch phase p50") && slow > bare {
			found++
		}
	}
	slices.Sort(shifts)
	longer = shifts[len(shifts)/2] - 1
	t.Logf("a switch phase longer by %.1f %% was found in %d of %d runs", 100*longer, found, plantedPairs)
	return found, longer
}

// median returns the median, over a label's trials, of the switch phase's median.
func median(r *report.Report, l report.Mode) float64 {
	var values []float64
	for i := range r.Trials {
		t := &r.Trials[i]
		class := report.ClassProcess
		if l == report.Threads {
			class = report.ClassThread
		}
		if ns, ok := t.Class(class).Switch.Quantile(0.5); ok && t.Mode == l {
			values = append(values, ns)
		}
	}
	slices.Sort(values)
	return values[len(values)/2]
}
