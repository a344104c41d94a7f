package report_test

import (
	"math"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// narrow and wide are spreads of a figure over six rounds, in percent.
func narrow() []float64 { return []float64{-0.4, -0.2, -0.1, 0.1, 0.2, 0.4} }

func wide() []float64 { return []float64{-9, -6, -3, 3, 6, 9} }

// made returns a report in whose rounds the figure is x, with a spread.
func made(x float64, spread []float64, of round) *report.Report {
	r := &report.Report{Schema: report.SchemaVersion, Setup: report.Setup{Rounds: len(spread), CPUs: []int{0, 1}}}
	r.Capture.Tick = "hrtimer_expire_entry"
	for i, percent := range spread {
		for _, t := range of(x * (1 + percent/100)) {
			t.Round = i + 1
			r.Trials = append(r.Trials, t)
		}
	}
	r.ComputeFindings()
	return r
}

// trial lasts a second in threads.
func trial(workload, variant string, change func(*report.Trial)) report.Trial {
	t := report.Trial{Workload: workload, Variant: variant, Mode: report.Threads, DurationNS: 1e9}
	change(&t)
	return t
}

// rate is a trial of some operations a second.
func rate(workload, variant string, operations float64) report.Trial {
	return trial(workload, variant, func(t *report.Trial) { t.Operations = int64(operations) })
}

func inProcesses(t report.Trial) report.Trial {
	t.Mode = report.Processes
	return t
}

// workersOf gives a trial workers with the given on-CPU and wait times in seconds, all of whom advanced.
func workersOf(t *report.Trial, onCPU, wait []float64) {
	for i := range onCPU {
		t.Workers = append(t.Workers, report.Worker{
			Index: i, Operations: 1, OnCPUNS: int64(onCPU[i] * 1e9), WaitNS: int64(wait[i] * 1e9), Slices: 10,
		})
	}
}

// coreWith gives a trial one core with slices and waits, each as many nanoseconds long.
func coreWith(t *report.Trial, ticks, others, sliceNS, waitNS int) {
	length := func(n int) report.Histogram { return reporttest.HistogramOf(uint64(n), uint64(sliceNS)) }
	c := report.Core{WallNS: 1e9, WorkersNS: 1e9, Wait: reporttest.HistogramOf(uint64(ticks+others), uint64(waitNS))}
	c.Slices = []report.SliceStats{
		{EndedBy: report.EndedByTick, Length: length(ticks)}, {EndedBy: report.EndedByWakeup, Length: length(others)},
	}
	busy := uint64(1000)
	c.Ticks, c.BusyTicks = &busy, &busy
	t.Cores = []report.Core{c}
}

// shareFor is the second of two shares 1 and a whose Jain index is the given one.
func shareFor(jain float64) float64 {
	k := 2*jain - 1
	return (1 - math.Sqrt(1-k*k)) / k
}

func modeRatio(workload, variant string) round {
	return func(x float64) []report.Trial {
		return []report.Trial{rate(workload, variant, 1e6*x), inProcesses(rate(workload, variant, 1e6))}
	}
}

// switchRatio has process switches x times as dear as thread switches.
func switchRatio(workload string) round {
	cost := func(class report.Class, ns float64) report.Trial {
		return trial(workload, "", func(t *report.Trial) {
			h := observe([]uint64{uint64(ns)})
			t.Cores = []report.Core{{Classes: []report.ClassStats{{Class: class, Switches: 1, Pick: h, Switch: h, Cost: h}}}}
		})
	}
	return func(x float64) []report.Trial {
		return []report.Trial{cost(report.ClassThread, 1e6), inProcesses(cost(report.ClassProcess, 1e6*x))}
	}
}

// creationRatio has a task of processes take x times as long as one of threads.
func creationRatio(x float64) []report.Trial {
	create := func(operations float64) report.Trial {
		return trial("spawn", "", func(t *report.Trial) {
			workersOf(t, []float64{1}, []float64{0})
			t.Operations, t.Created = int64(operations), &report.Created{Tasks: 1, Reconciled: 1}
		})
	}
	return []report.Trial{create(1e6), inProcesses(create(1e6 / x))}
}

// crashed is a crash of worker 0 beside 20 others, some of whom live on.
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

// memoryRatio has processes hold x times as much of one kind of memory as
// threads, and of the others twice as much.
func memoryRatio(workload, variant string, kind int) round {
	const mib = 1 << 20
	return func(x float64) []report.Trial {
		held := []int64{2 * mib, 2 * mib, 2 * mib}
		held[kind] = int64(mib * x)
		threads := trial(workload, variant, func(t *report.Trial) {
			workersOf(t, []float64{1}, []float64{0})
			t.Memory = &report.Memory{Processes: 1, PSSBytes: mib, PrivateBytes: mib, PageTableBytes: mib}
		})
		processes := inProcesses(threads)
		processes.Memory = &report.Memory{Processes: 1, PSSBytes: held[pss], PrivateBytes: held[private], PageTableBytes: held[tables]}
		return []report.Trial{threads, processes}
	}
}

func counters(lostBare, lostAtomic, lostLock float64) []report.Trial {
	count := func(variant string, lost float64) report.Trial {
		return trial("counter", variant, func(t *report.Trial) {
			t.Operations = 1e9
			t.Figures = []report.Figure{{Name: "counted", Value: 1e9 - int64(math.Round(lost*1e3))}}
		})
	}
	return []report.Trial{count("unsynchronised", lostBare), count("atomic", lostAtomic), count("lock", lostLock)}
}

// oneCore is spin on one core, with two workers.
func oneCore(onCPU, wait float64) []report.Trial {
	return []report.Trial{trial("spin", "one core", func(t *report.Trial) {
		workersOf(t, []float64{onCPU / 2, onCPU / 2}, []float64{wait / 2, wait / 2})
	})}
}

// bothPlaces is spin on all cores, x times the on-CPU and y times the whole of that on one.
func bothPlaces(x, y float64) []report.Trial {
	return append(oneCore(1, 3), trial("spin", "", func(t *report.Trial) {
		workersOf(t, []float64{x}, []float64{4*y - x})
	}))
}

func shares(variant string, nice int, weight float64) round {
	return func(jain float64) []report.Trial {
		return []report.Trial{trial("spin", variant, func(t *report.Trial) {
			workersOf(t, []float64{1, weight * shareFor(min(jain, 1))}, []float64{0, 0})
			t.Workers[1].Nice = nice
		})}
	}
}

func beside(hogOperations int64) round {
	return func(x float64) []report.Trial {
		return []report.Trial{trial("interactive", "", func(t *report.Trial) {
			workersOf(t, []float64{0.1, 0.9}, []float64{0.1, 0.1})
			t.Workers[0].WaitMaxNS, t.Workers[1].Operations = int64(x), hogOperations
		})}
	}
}

func cores(variant string, of func(t *report.Trial, x int)) round {
	return func(x float64) []report.Trial {
		return []report.Trial{trial("spin", variant, func(t *report.Trial) { of(t, int(math.Round(x))) })}
	}
}
