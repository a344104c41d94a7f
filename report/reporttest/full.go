package reporttest

import (
	"math/rand/v2"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
)

// spec says how a load of Full behaves; pairs are processes, threads.
type spec struct {
	workload, variant string
	// workers and cores are how many there are; cores 0 is all.
	workers, cores int
	// perSecond is how many operations are done on each of those cores.
	perSecond [2]float64
	// sliceNS and waitNS are typical times, waitMaxNS the longest wait.
	sliceNS, waitNS, waitMaxNS float64
	// busy is the part of those cores' time that workers have.
	busy  float64
	cause report.EndedBy
	// counted is the part of the operations that a shared counter kept; 0 for no counter.
	counted float64
	nice    []int
	// operations is fixed work, for which the duration is the result.
	operations int64
}

const millisecond = float64(1e6)

// loads returns what a default run holds on some cores.
func loads(cores int) []spec {
	const blocked, tick = report.EndedByBlocked, report.EndedByTick
	chunks := 980_000.0
	list := []spec{
		{"pipe", "", 2 * cores, 0, [2]float64{66_000, 134_000}, 3040, 450, 66_000, 0.97, blocked, 0, nil, 0},
		{"socket", "", 2 * cores, 0, [2]float64{57_000, 104_000}, 3900, 480, 71_000, 0.97, blocked, 0, nil, 0},
		{"futex", "", 2 * cores, 0, [2]float64{98_000, 271_000}, 1300, 420, 60_000, 0.97, blocked, 0, nil, 0},
		{"messaging", "", 4 * cores, 0, [2]float64{310_000, 452_000}, 21_000, 38_000, 3.1 * millisecond, 0.98, blocked, 0, nil, 0},
		{"spin", "", 3 * cores, 0, [2]float64{chunks, chunks}, 4 * millisecond, 7.9 * millisecond, 16.2 * millisecond, 0.99, tick, 0, nil, 0},
		{"spin", "one core", 3 * cores, 1, [2]float64{chunks, chunks}, 4 * millisecond, float64(3*cores-1) * 4 * millisecond, 28 * millisecond, 0.99, tick, 0, nil, 0},
		{"spin", "alone", 1, 1, [2]float64{chunks, chunks}, 250 * millisecond, 4000, 90_000, 0.99, report.EndedByWakeup, 0, nil, 0},
		{"spin", "nice", 4, 1, [2]float64{chunks, chunks}, 4 * millisecond, 12 * millisecond, 31 * millisecond, 0.99, tick, 0, []int{0, 5, 0, 5}, 0},
		{"yield", "", 2 * cores, 0, [2]float64{240_000, 890_000}, 610, 700, 50_000, 0.95, report.EndedByYield, 0, nil, 0},
		{"sleep", "one", 1, 1, [2]float64{3500, 3600}, 24_000, 1900, 80_000, 0.08, blocked, 0, nil, 0},
		{"sleep", "many", 8, 1, [2]float64{23_000, 25_500}, 24_000, 26_000, 310_000, 0.62, blocked, 0, nil, 0},
		{"interactive", "", 4, 1, [2]float64{chunks, chunks}, 3.9 * millisecond, 8 * millisecond, 8.1 * millisecond, 0.99, tick, 0, nil, 0},
		{"counter", "unsynchronised", 2 * cores, 0, [2]float64{171e6, 169e6}, 4 * millisecond, 4 * millisecond, 9 * millisecond, 0.99, tick, 0.57, nil, 0},
		{"counter", "atomic", 2 * cores, 0, [2]float64{31e6, 31.2e6}, 4 * millisecond, 4 * millisecond, 9 * millisecond, 0.99, tick, 1, nil, 0},
		{"counter", "lock", 2 * cores, 0, [2]float64{5.1e6, 5.6e6}, 210_000, 190_000, 9 * millisecond, 0.99, blocked, 1, nil, 0},
	}
	for n := 1; ; n *= 2 {
		if n > 2*cores {
			n = 64
		}
		used := min(n, cores)
		wait := max(0, float64(n-used)) / float64(used) * 4 * millisecond
		list = append(list, spec{
			workload: "scale", variant: strconv.Itoa(n), workers: n, cores: used, perSecond: [2]float64{chunks, chunks},
			sliceNS: 4 * millisecond, waitNS: wait + 3000, waitMaxNS: 2*wait + 70_000, busy: 0.98, cause: tick, operations: 200_000,
		})
		if n == 64 {
			return list
		}
	}
}

// Full returns a report of a default run: every workload and variant in both
// modes, for some rounds on some cores.
func Full(rounds, cores int) *report.Report {
	b := builder{random: rand.New(rand.NewPCG(5, 6)), cores: cores}
	r := b.report()
	r.Setup = report.Setup{Modes: []report.Mode{report.Processes, report.Threads}, Rounds: rounds, CPUs: b.cpus()}
	for _, s := range loads(cores) {
		if n := len(r.Setup.Workloads); n == 0 || r.Setup.Workloads[n-1] != s.workload {
			r.Setup.Workloads = append(r.Setup.Workloads, s.workload)
		}
	}
	for round := 1; round <= rounds; round++ {
		for _, s := range loads(cores) {
			for _, mode := range r.Setup.Modes {
				r.Trials = append(r.Trials, b.trial(s, mode, round))
			}
		}
	}
	r.Quality.ProbeFloorNS = new(int64)
	*r.Quality.ProbeFloorNS = 48
	r.ComputeQuality()
	r.ComputeFindings()
	return r
}

// trial returns one trial of a load.
func (b *builder) trial(s spec, mode report.Mode, round int) report.Trial {
	class, change, rate := report.ClassProcess, 3200.0, s.perSecond[0]
	if mode == report.Threads {
		class, change, rate = report.ClassThread, 255, s.perSecond[1]
	}
	rate *= 1 + b.random.NormFloat64()/100
	used := s.cores
	if used == 0 {
		used = b.cores
	}
	t := report.Trial{Workload: s.workload, Variant: s.variant, Mode: mode, Round: round, DurationNS: second/5 + int64(b.random.IntN(1e5))}
	if s.operations > 0 {
		t.DurationNS = int64(1e9 * float64(s.operations) / rate / float64(used))
	}
	// A core's time goes into slices and switches.
	turn := s.sliceNS + 390 + change
	s.busy *= s.sliceNS / turn
	switches := max(1, s.busy*float64(t.DurationNS)/s.sliceNS)
	times := max(1, uint64(switches)/40)
	samples := max(1, uint64(switches)/times)
	for cpu := range b.cores {
		c := b.core(cpu, t.DurationNS)
		c.Classes = b.background()
		if cpu < used {
			c.Classes = append([]report.ClassStats{b.class(class, samples, times, 390, change)}, c.Classes...)
			c.Slices = []report.SliceStats{{EndedBy: s.cause, Length: b.histogram(samples, times, s.sliceNS, 3)}}
			c.Wait = b.histogram(samples, times, s.waitNS, 5)
		} else {
			c.IdleNS, c.WorkersNS = c.IdleNS+c.WorkersNS, 0
		}
		t.Cores = append(t.Cores, c)
	}
	b.workers(&t, s, rate, used, samples*times)
	return t
}

// workers adds the trial's workers, who share the cores by weight.
func (b *builder) workers(t *report.Trial, s spec, rate float64, used int, switches uint64) {
	weights, sum := make([]float64, s.workers), 0.0
	for i := range weights {
		weights[i] = 1
		if s.nice != nil && s.nice[i] > 0 {
			weights[i] = 0.327
		}
		if s.workload == "interactive" && i == 0 {
			weights[i] = 0.07
		}
		sum += weights[i]
	}
	for i, weight := range weights {
		w := b.worker(t.Mode, i, s.cause, switches*uint64(used)/uint64(s.workers))
		share := weight / sum * (1 + b.random.NormFloat64()/200)
		w.OnCPUNS = int64(share * s.busy * float64(used) * float64(t.DurationNS))
		w.WaitNS = max(0, t.DurationNS-w.OnCPUNS)
		w.WaitMaxNS = int64(b.about(s.waitMaxNS, 10))
		if s.cause == report.EndedByBlocked {
			w.WaitNS = int64(s.waitNS * float64(w.Slices))
		}
		w.Operations = int64(share * rate * float64(used) * float64(t.DurationNS) / 1e9)
		if s.nice != nil {
			w.Nice = s.nice[i]
		}
		if s.workload == "interactive" && i == 0 {
			w.Slices = uint64(t.DurationNS) / 2_200_000
			w.Voluntary, w.Involuntary, w.Operations = w.Slices, 0, int64(w.Slices)
			w.EndedBy = map[report.EndedBy]uint64{report.EndedByBlocked: w.Slices}
			w.Kernel.Voluntary, w.Kernel.Involuntary = w.Slices, 0
			w.WaitNS = int64(b.about(140_000, 5)) * int64(w.Slices)
			w.WaitMaxNS = int64(b.about(3.9*millisecond, 5))
		}
		t.Operations += w.Operations
		t.Workers = append(t.Workers, w)
	}
	if s.counted > 0 {
		kept := t.Operations
		if s.counted < 1 {
			kept = int64(float64(kept) * s.counted * (1 + b.random.NormFloat64()/100))
		}
		t.Figures = []report.Figure{{Name: "counted", Value: kept}}
	}
}
