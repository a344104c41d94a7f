package findings_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// machine changes the trials of a default run to those of another machine.
type machine func(*report.Trial)

// of changes the trials of some variants of workloads, which are named like "spin one core".
func of(change func(*report.Trial), names ...string) machine {
	return func(t *report.Trial) {
		name := t.Workload
		if t.Variant != "" {
			name += " " + t.Variant
		}
		if slices.Contains(names, name) {
			change(t)
		}
	}
}

// once changes one round of twelve.
func once(m machine) machine {
	return func(t *report.Trial) {
		if t.Round == 7 {
			m(t)
		}
	}
}

// swapped exchanges the two modes, including the class of their switches.
func swapped(t *report.Trial) {
	other := map[report.Mode]report.Mode{report.Processes: report.Threads, report.Threads: report.Processes}
	class := map[report.Class]report.Class{
		report.ClassProcess: report.ClassThread, report.ClassThread: report.ClassProcess,
	}
	t.Mode = other[t.Mode]
	for i := range t.Cores {
		for j := range t.Cores[i].Classes {
			if c := &t.Cores[i].Classes[j]; class[c.Class] != "" {
				c.Class = class[c.Class]
			}
		}
	}
}

func slicesOf(t *report.Trial, cause report.EndedBy, n, ns uint64) {
	s := report.SliceStats{EndedBy: cause, Length: reporttest.HistogramOf(n, ns)}
	t.Cores[0].Slices = append(t.Cores[0].Slices, s)
}

// monopolised gives the first worker the core for the whole trial.
func monopolised(t *report.Trial) {
	t.DurationNS = 400e6 // the longest turns of six workers, twice, take 360 ms
	for i := range t.Workers {
		w := &t.Workers[i]
		w.Slices, w.OnCPUNS, w.Operations = 0, 0, 0
	}
	t.Workers[0].Slices, t.Workers[0].OnCPUNS, t.Workers[0].Operations = 1, t.DurationNS, t.Operations
}

func times(factor float64) func(*report.Trial) {
	return func(t *report.Trial) { t.Operations = int64(factor * float64(t.Operations)) }
}

// falseMachines are machines on which a claim is false.
func falseMachines() map[string][]machine {
	scales := []string{"scale 1", "scale 2", "scale 4", "scale 256"}
	swap := func(names ...string) machine { return of(swapped, names...) }
	seen := func(ppm int64) func(*report.Trial) {
		return func(t *report.Trial) { t.Figures[1].Value = ppm }
	}
	counters := []string{"counter unsynchronised", "counter atomic", "counter lock"}
	ended := func(t *report.Trial) {
		for i := range t.Workers {
			t.Workers[i].Exited = true
		}
	}
	return map[string][]machine{
		"C1": {once(of(seen(1e6), "counter atomic")), once(of(seen(0), counters...)), of(seen(0), counters...)},
		"C2": {swap("spawn")},
		"C3": {swap("pipe", "socket", "futex", "messaging")},
		"C4": {swap("pipe", "futex", "yield")},
		"C5": {once(of(ended, "crash")), swap("crash")},
		"C6": {swap(append(scales, "messaging")...)},
		"C7": {
			once(of(func(t *report.Trial) { t.Figures[0].Value-- }, "counter lock")),
			of(func(t *report.Trial) { t.Figures[0].Value = t.Operations }, "counter unsynchronised"),
			of(times(10), "counter atomic"),
		},
		"C9": {
			once(of(func(t *report.Trial) { t.Workers[3].Operations = 0 }, "spin one core")),
			once(of(func(t *report.Trial) { t.Workers[3].Slices = 1 }, "spin one core")),
			of(monopolised, "spin one core"),
		},
		"C10": {of(times(0.15), "sleep many")},
		"C11": {of(func(t *report.Trial) { t.DurationNS *= 2 }, "scale 2")},
		"C12": {of(func(t *report.Trial) {
			for i := range t.Workers {
				t.Workers[i].OnCPUNS /= 2
			}
		}, "spin")},
		"C13": {
			once(of(func(t *report.Trial) { slicesOf(t, report.EndedByOther, 1, 60e6) }, "spin one core")),
			of(func(t *report.Trial) { slicesOf(t, report.EndedByOther, 1e4, 200) }, "spin one core"),
		},
		"C14": {
			of(func(t *report.Trial) { t.Workers[2].OnCPUNS /= 2 }, "spin one core"),
			of(func(t *report.Trial) {
				t.Workers[1].OnCPUNS, t.Workers[3].OnCPUNS = t.Workers[0].OnCPUNS/2, t.Workers[2].OnCPUNS/2
			}, "spin nice"),
			of(func(t *report.Trial) { t.Workers[1].OnCPUNS, t.Workers[3].OnCPUNS = 0, 0 }, "spin nice"),
		},
		"C15": {
			once(of(func(t *report.Trial) { t.Workers[0].WaitMaxNS = 3e9 }, "interactive")),
			once(of(func(t *report.Trial) { t.Workers[2].OnCPUNS = 0 }, "interactive")),
		},
		"C16": {
			of(func(t *report.Trial) { slicesOf(t, report.EndedByOther, 1e4, 1e5) }, "spin one core"),
			of(func(t *report.Trial) { slicesOf(t, report.EndedByTick, 20, 4e6) }, "spin alone"),
		},
		"C17": {of(func(t *report.Trial) { t.Workers[5].Slices = 1 }, "spin one core")},
	}
}

// lackingMachines have trials that do not suffice to decide a claim.
func lackingMachines() map[string][]machine {
	// A trial with another name counts as one that did not run.
	without := func(names ...string) machine {
		return of(func(t *report.Trial) { t.Workload, t.Variant = "other", "" }, names...)
	}
	short := func(names ...string) machine {
		return of(func(t *report.Trial) { t.DurationNS /= 20 }, names...)
	}
	fewSlices := func(t *report.Trial) {
		for i := range t.Workers {
			t.Workers[i].Slices = 3
		}
	}
	modeless := func(t *report.Trial) { t.Mode = report.Processes }
	return map[string][]machine{
		"C1": {func(t *report.Trial) { t.Figures = t.Figures[:min(1, len(t.Figures))] }},
		"C2": {func(t *report.Trial) { t.Created = nil }, of(modeless, "spawn")},
		"C3": {without("pipe", "socket", "futex", "messaging")},
		"C4": {without("pipe", "futex", "yield")},
		"C5": {of(func(t *report.Trial) { t.Workers[0].Exited = false }, "crash"), of(modeless, "crash")},
		"C6": {
			of(fewSlices, "messaging", "scale 256"),
			of(func(t *report.Trial) { t.Workers = t.Workers[:8] }, "messaging", "scale 256"),
			func(t *report.Trial) { t.Memory = nil },
		},
		"C7":  {without("counter lock", "counter atomic"), without("counter unsynchronised")},
		"C8":  {without("crash")},
		"C9":  {short("spin one core"), without("spin one core")},
		"C10": {without("sleep one")},
		"C11": {without("scale 1")},
		"C12": {without("spin")},
		"C13": {short("spin one core")},
		"C14": {of(fewSlices, "spin one core"), without("spin nice")},
		"C15": {of(func(t *report.Trial) { t.Workers[0].Slices = 0 }, "interactive")},
		"C16": {
			without("spin alone"),
			of(func(t *report.Trial) { t.Cores[0].Slices, t.Cores[1].Slices = nil, nil }, "spin one core"),
		},
		"C17": {short("spin one core")},
	}
}

func on(m machine) *report.Report {
	r := reporttest.Full(12, 2)
	for i := range r.Trials {
		m(&r.Trials[i])
	}
	findings.Compute(r)
	return r
}

// Each claim is decided by what it says: it is supported on a machine on which it is true,
// contradicted on machines on which it is false, and undecided if the report does not suffice.
func TestEachClaimStandsAndFallsWithItsFacts(t *testing.T) {
	same := on(func(*report.Trial) {})
	falls, lacks := falseMachines(), lackingMachines()
	falls["C8"] = nil // TestTheChoiceDependsOnTheWork
	for _, c := range findings.Claims() {
		if f := finding(t, same, c.ID); f.Verdict != report.Supported {
			t.Errorf("%s is %s where it is true: %s", c.ID, f.Verdict, f.Sentence)
		}
		if _, ok := falls[c.ID]; !ok || len(lacks[c.ID]) == 0 {
			t.Errorf("%s has no machine on which it is false, or which does not tell", c.ID)
		}
		for i, m := range falls[c.ID] {
			if f := finding(t, on(m), c.ID); f.Verdict != report.Contradicted {
				t.Errorf("%s is %s on machine %d, where it is false: %s", c.ID, f.Verdict, i, f.Sentence)
			}
		}
		for i, m := range lacks[c.ID] {
			if f := finding(t, on(m), c.ID); f.Verdict != report.Inconclusive && f.Verdict != report.NotMeasured {
				t.Errorf("%s is %s on machine %d, which does not tell: %s", c.ID, f.Verdict, i, f.Sentence)
			}
		}
	}
	few := reporttest.Full(3, 2)
	for _, f := range few.Findings {
		if f.Verdict != report.Inconclusive {
			t.Errorf("%s is %s in three rounds: %s", f.Claim, f.Verdict, f.Sentence)
		}
	}
}

// alike gives threads the figures of processes in each variant of some workloads, or in all of
// them.
func alike(r *report.Report, workloads ...string) {
	type key struct {
		workload, variant string
		round             int
	}
	processes := map[key]report.Trial{}
	for _, t := range r.Trials {
		if t.Mode == report.Processes {
			processes[key{t.Workload, t.Variant, t.Round}] = t
		}
	}
	for i := range r.Trials {
		t := &r.Trials[i]
		if t.Mode != report.Threads || len(workloads) > 0 && !slices.Contains(workloads, t.Workload) {
			continue
		}
		*t = processes[key{t.Workload, t.Variant, t.Round}]
		t.Mode = report.Threads
	}
	findings.Compute(r)
}

func TestTheChoiceDependsOnTheWork(t *testing.T) {
	r := reporttest.Full(12, 2)
	alike(r)
	if f := finding(t, r, "C8"); f.Verdict != report.Contradicted {
		t.Errorf("C8 is %s where all work is alike: %s", f.Verdict, f.Sentence)
	}
	// A mode that is never worse leaves no choice, and nor do kinds of work without waiting.
	for name, change := range map[string]func(*report.Report){
		"no work is better in processes": func(r *report.Report) { alike(r, "crash") },
		"no work waits": func(r *report.Report) {
			alike(r)
			r.Trials = slices.DeleteFunc(r.Trials, func(t report.Trial) bool { return t.Workload == "sleep" })
			findings.Compute(r)
		},
		"ping-pongs only": func(r *report.Report) {
			r.Trials = slices.DeleteFunc(r.Trials, func(t report.Trial) bool {
				return !slices.Contains([]string{"pipe", "futex", "yield"}, t.Workload)
			})
			findings.Compute(r)
		},
	} {
		r := reporttest.Full(12, 2)
		change(r)
		if f := finding(t, r, "C8"); f.Verdict != report.Inconclusive {
			t.Errorf("%s: C8 is %s: %s", name, f.Verdict, f.Sentence)
		}
	}
	// If processes hand over a lock faster, they are better for that kind of work.
	locks := on(func(t *report.Trial) {
		of(swapped, "counter lock")(t)
		of(func(t *report.Trial) { t.Workload = "other" }, "crash")(t)
	})
	if f := finding(t, locks, "C8"); f.Verdict != report.Supported {
		t.Errorf("C8 is %s where processes win under a lock: %s", f.Verdict, f.Sentence)
	}
}

// The time that slicetrace's own processes took of the cores is not that of other programs.
func TestTheToolIsNoOther(t *testing.T) {
	const others, own = 0.3, 0.25
	for name, c := range map[string]struct {
		tool         float64
		c6, c11, c13 report.Verdict
	}{
		"an old report":   {-1, report.Inconclusive, report.Inconclusive, report.Inconclusive},
		"the tool's own":  {own, report.Contradicted, report.Contradicted, report.Supported},
		"others' as well": {0.1, report.Inconclusive, report.Inconclusive, report.Inconclusive},
	} {
		r := on(func(t *report.Trial) {
			of(swapped, "messaging", "scale 1", "scale 2", "scale 4", "scale 256")(t)
			of(func(t *report.Trial) { t.DurationNS *= 2 }, "scale 2")(t)
			var wall int64
			for i := range t.Cores {
				t.Cores[i].OthersNS = int64(others * float64(t.Cores[i].WallNS))
				wall += t.Cores[i].WallNS
			}
			if c.tool >= 0 {
				spent := int64(c.tool * float64(wall))
				t.ToolNS = &spent
			}
		})
		for claim, want := range map[string]report.Verdict{"C6": c.c6, "C11": c.c11, "C13": c.c13} {
			if f := finding(t, r, claim); f.Verdict != want {
				t.Errorf("%s: %s is %s: %s", name, claim, f.Verdict, f.Sentence)
			}
		}
	}
}

// A ratio that exceeds the threshold only with the hook floor, or only without it, decides nothing.
func TestTheHookFloorDecidesNoSwitch(t *testing.T) {
	zero, low, high, twice := int64(0), int64(1000), int64(400_000), int64(800_000)
	tooHigh := int64(1e9)
	for _, c := range []struct {
		floor, pick *int64
		want        report.Verdict
	}{
		{&zero, nil, report.Contradicted}, {&high, nil, report.Inconclusive}, {&low, nil, report.Contradicted},
		{&tooHigh, nil, report.Inconclusive}, {&zero, &twice, report.Inconclusive},
		{&high, &high, report.Inconclusive}, {&low, &zero, report.Contradicted},
	} {
		r := made(1.03, narrow(), switchRatio("pipe"))
		r.Quality.ProbeFloorNS, r.Quality.PickFloorNS = c.floor, c.pick
		findings.Compute(r)
		if f := finding(t, r, "C4"); f.Verdict != c.want {
			t.Errorf("with floors of %v and %v C4 is %s, want %s: %s",
				r.Quality.SwitchFloor(), r.Quality.PickFloor(), f.Verdict, c.want, f.Sentence)
		}
	}
}

// Time that the hypervisor took does not make a slice longer, and the end of a trial is not the end
// of a slice that counts.
func TestSlicesAreJudgedWithoutWhatEndsThemFromOutside(t *testing.T) {
	stolen := on(once(of(func(t *report.Trial) {
		slicesOf(t, report.EndedByOther, 1, 60e6)
		t.Cores[0].StealNS = 40e6
	}, "spin one core")))
	if f := finding(t, stolen, "C13"); f.Verdict != report.Supported {
		t.Errorf("with a slice that the hypervisor made long C13 is %s: %s", f.Verdict, f.Sentence)
	}
	elsewhere := on(once(of(func(t *report.Trial) {
		slicesOf(t, report.EndedByOther, 1, 60e6)
		t.Cores[1].StealNS = 40e6
	}, "spin one core")))
	if f := finding(t, elsewhere, "C13"); f.Verdict != report.Contradicted {
		t.Errorf("with a long slice, and time stolen from another core, C13 is %s: %s", f.Verdict, f.Sentence)
	}
	few := on(of(func(t *report.Trial) {
		t.Cores[0].Slices, t.Cores[1].Slices = nil, nil
		slicesOf(t, report.EndedByTick, 12, 4e6)
		slicesOf(t, report.EndedByWakeup, 9, 4e6)
		slicesOf(t, report.EndedByBlocked, 6, 4e6)
	}, "spin one core"))
	if f := finding(t, few, "C16"); f.Verdict != report.Supported {
		t.Errorf("with 12 of 21 slices ended by tick, and 6 at the end gate, C16 is %s: %s", f.Verdict, f.Sentence)
	}
}

// A report that was altered may have no workers.
func TestAScaleWithoutWorkersIsEncoded(t *testing.T) {
	r := on(of(func(t *report.Trial) { t.Workers = nil }, "scale 2"))
	if _, err := json.Marshal(r.Findings); err != nil {
		t.Error(err)
	}
}

func TestAMedianNeedsTenValues(t *testing.T) {
	for n, known := range map[uint64]bool{9: false, 10: true} {
		r := made(1, narrow(), func(float64) []report.Trial { return sliced(1e6, 1e6) })
		for i := range r.Trials {
			r.Trials[i].Cores[0].Slices = nil
			slicesOf(&r.Trials[i], report.EndedByTick, n, 1e6)
		}
		findings.Compute(r)
		if f := finding(t, r, "C13"); (f.Verdict == report.Supported) != known {
			t.Errorf("with %d slices a trial C13 is %s", n, f.Verdict)
		}
	}
}
