package findings_test

import (
	"math"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

// narrow and wide are the variations of a figure over six rounds, in percent.
func narrow() []float64 { return []float64{-0.4, -0.2, -0.1, 0.1, 0.2, 0.4} }

func wide() []float64 { return []float64{-9, -6, -3, 3, 6, 9} }

// made returns a report in which the figure varies around x from round to round.
func made(x float64, spread []float64, of round) *report.Report {
	r := &report.Report{Schema: report.SchemaVersion, Setup: report.Setup{Rounds: len(spread), CPUs: []sched.CPU{0, 1}}}
	r.Capture.Tick = "hrtimer_expire_entry"
	for i, percent := range spread {
		for _, t := range of(x * (1 + percent/100)) {
			t.Round = i + 1
			r.Trials = append(r.Trials, t)
		}
	}
	findings.Compute(r)
	return r
}

// trial returns a trial of one second as threads.
func trial(workload, variant string, change func(*report.Trial)) report.Trial {
	t := report.Trial{Workload: workload, Variant: variant, Mode: report.Threads, DurationNS: 1e9}
	change(&t)
	return t
}

// rate returns a trial with some operations a second.
func rate(workload, variant string, operations float64) report.Trial {
	return trial(workload, variant, func(t *report.Trial) { t.Operations = int64(operations) })
}

func inProcesses(t report.Trial) report.Trial {
	t.Mode = report.Processes
	return t
}

// workersOf gives a trial workers with the given on-CPU and wait times in seconds. All of them made
// progress.
func workersOf(t *report.Trial, onCPU, wait []float64) {
	for i := range onCPU {
		t.Workers = append(t.Workers, report.Worker{
			Index: i, Operations: 1, OnCPUNS: int64(onCPU[i] * 1e9), WaitNS: int64(wait[i] * 1e9), Slices: 10,
		})
	}
}

// coreWith gives a trial one core with slices and waits of the given lengths in nanoseconds.
func coreWith(t *report.Trial, ticks, others, sliceNS, waitNS int) {
	length := func(n int) histogram.Histogram { return reporttest.HistogramOf(uint64(n), uint64(sliceNS)) }
	c := report.Core{WallNS: 1e9, WorkersNS: 1e9, Wait: reporttest.HistogramOf(uint64(ticks+others), uint64(waitNS))}
	c.Slices = []report.SliceStats{
		{EndedBy: report.EndedByTick, Length: length(ticks)}, {EndedBy: report.EndedByWakeup, Length: length(others)},
	}
	busy := uint64(1000)
	c.Ticks, c.BusyTicks = &busy, &busy
	t.Cores = []report.Core{c}
}

func modeRatio(workload, variant string) round {
	return func(x float64) []report.Trial {
		return []report.Trial{rate(workload, variant, 1e6*x), inProcesses(rate(workload, variant, 1e6))}
	}
}

// switchRatio makes process switches cost x times as much as thread switches.
func switchRatio(workload string) round {
	cost := func(class report.Class, ns float64) report.Trial {
		return trial(workload, "", func(t *report.Trial) {
			h := reporttest.HistogramOf(20, uint64(ns))
			t.Cores = []report.Core{
				{Classes: []report.ClassStats{{Class: class, Switches: 20, Pick: h, Switch: h, Cost: h}}},
			}
		})
	}
	return func(x float64) []report.Trial {
		return []report.Trial{cost(report.ClassThread, 1e6), inProcesses(cost(report.ClassProcess, 1e6*x))}
	}
}

// creationRatio makes the creation of a process take x times as long as that of a thread.
func creationRatio(x float64) []report.Trial {
	create := func(operations float64) report.Trial {
		return trial("spawn", "", func(t *report.Trial) {
			workersOf(t, []float64{1}, []float64{0})
			t.Operations, t.Created = int64(operations), &report.Created{Tasks: 1, Reconciled: 1}
		})
	}
	return []report.Trial{create(1e6), inProcesses(create(1e6 / x))}
}

// crashed is a crash of worker 0 among 20 others, some of which survive.
func crashed(processes, threads int) round {
	crash := func(alive int) report.Trial {
		return trial("crash", "", func(t *report.Trial) {
			workersOf(t, make([]float64, 21), make([]float64, 21))
			for i := range t.Workers[:21-alive] {
				t.Workers[i].Exited = true
			}
		})
	}
	return func(float64) []report.Trial { return []report.Trial{crash(threads), inProcesses(crash(processes))} }
}

// manyRatios makes many workers of messaging x times as fast as threads than as processes, and
// further workers of scale take y times as much memory as processes.
func manyRatios(x, y float64) []report.Trial {
	const mib = 1 << 20
	var out []report.Trial
	for _, m := range []struct {
		mode            report.Mode
		faster, further float64
	}{{report.Threads, x, 1}, {report.Processes, 1, y}} {
		work := rate("messaging", "", 1e6*m.faster)
		workersOf(&work, make([]float64, 20), make([]float64, 20))
		few, more := rate("scale", "1", 1e6), rate("scale", "4", 1e6)
		workersOf(&few, make([]float64, 1), make([]float64, 1))
		workersOf(&more, make([]float64, 4), make([]float64, 4))
		few.Memory = &report.Memory{Processes: 1, PSSBytes: 10 * mib}
		more.Memory = &report.Memory{Processes: 4, PSSBytes: 10*mib + int64(3*mib*m.further)}
		for _, t := range []report.Trial{work, few, more} {
			t.Mode = m.mode
			out = append(out, t)
		}
	}
	return out
}

// counters loses some updates in a million, and is slower with a lock by the factor price.
func counters(lostBare, lostAtomic, lostLock, price float64) []report.Trial {
	count := func(variant string, lost, faster float64) report.Trial {
		return trial("counter", variant, func(t *report.Trial) {
			t.Operations = int64(1e9 * faster)
			t.Figures = []report.Figure{{Name: "counted", Value: t.Operations - int64(math.Round(lost*1e3*faster))}}
		})
	}
	return []report.Trial{
		count("unsynchronised", lostBare, price), count("atomic", lostAtomic, price/2), count("lock", lostLock, 1),
	}
}

// oneCore is spin on one core, with two workers.
func oneCore(onCPU, wait float64) []report.Trial {
	return []report.Trial{trial("spin", "one core", func(t *report.Trial) {
		workersOf(t, []float64{onCPU / 2, onCPU / 2}, []float64{wait / 2, wait / 2})
	})}
}

// bothPlaces is spin on one core and on all cores. On all cores it has x times the on-CPU time, and
// y times the on-CPU and waiting time.
func bothPlaces(x, y float64) []report.Trial {
	return append(oneCore(1, 3), trial("spin", "", func(t *report.Trial) {
		workersOf(t, []float64{x}, []float64{4*y - x})
	}))
}

// shares is spin on one core, in which one of two workers gets part of what the other gets, and
// spin with nice levels, in which it gets a multiple of its share by weight.
func shares(part, multiple float64) []report.Trial {
	of := func(variant string, nice int, share float64) report.Trial {
		return trial("spin", variant, func(t *report.Trial) {
			workersOf(t, []float64{1, share}, []float64{0, 0})
			t.Workers[1].Nice = nice
		})
	}
	return []report.Trial{of("one core", 0, part), of("nice", 5, multiple/math.Pow(1.25, 5))}
}

// beside is a sleeping task beside a CPU-bound one that has part of the core and completes no
// operations.
func beside(busy float64) round {
	return func(x float64) []report.Trial {
		return []report.Trial{trial("interactive", "", func(t *report.Trial) {
			workersOf(t, []float64{0.1, busy}, []float64{0.1, 0.1})
			t.Workers[0].WaitMaxNS, t.Workers[1].Operations = int64(x), 0
		})}
	}
}

// sliced is spin on one core with twenty slices of one length and a single one of another.
func sliced(sliceNS, longestNS int) []report.Trial {
	return []report.Trial{trial("spin", "one core", func(t *report.Trial) {
		workersOf(t, []float64{0.5, 0.5}, []float64{0.5, 0.5})
		coreWith(t, 20, 0, sliceNS, 1)
		t.Cores[0].Slices = append(t.Cores[0].Slices, report.SliceStats{
			EndedBy: report.EndedByOther, Length: reporttest.HistogramOf(1, uint64(longestNS)),
		})
	})}
}

// ticked is spin on one core and alone, in which some of 1000 slices are ended by a tick.
func ticked(together, alone int) []report.Trial {
	return []report.Trial{
		trial("spin", "one core", func(t *report.Trial) { coreWith(t, together, 1000-together, 5, 5) }),
		trial("spin", "alone", func(t *report.Trial) { coreWith(t, alone, 0, 5, 5) }),
	}
}

// rotating is spin on one core, in which each worker has a turn every so many nanoseconds.
func rotating(ns float64) []report.Trial {
	return []report.Trial{trial("spin", "one core", func(t *report.Trial) {
		workersOf(t, []float64{0.5, 0.5}, []float64{0.5, 0.5})
		t.DurationNS = int64(ns * 10)
	})}
}
