package reporttest

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
)

// spec describes how a load of Full behaves. Pairs are for processes and threads.
type spec struct {
	workload, variant string
	// workers and cores are their numbers; 0 cores means all.
	workers, cores int
	// perSecond is how many operations are done on each of those cores.
	perSecond [2]float64
	// sliceNS and waitNS are typical times, waitMaxNS is the longest wait.
	sliceNS, waitNS, waitMaxNS float64
	// busy is the part of those cores' time that workers use.
	busy  float64
	cause report.EndedBy
	// counted is the part of the operations that a shared counter counted; 0 means no counter.
	counted float64
	nice    []int
	// operations is a fixed number of operations, which determines the duration.
	operations int64
	// colderNS is how much longer memory accesses take after a switch.
	colderNS [2]float64
	// lifeNS are the times from fork to first run, from there to exit, and from there to the last
	// switch, of the task that each operation creates; 0 means none.
	lifeNS [2][3]float64
	// dies is true if worker 0 crashes.
	dies bool
	// oneMode is true if the load runs only as processes.
	oneMode bool
}

const millisecond = float64(1e6)

// chunks is how many chunks of computation a core does per second.
const chunks = 980_000.0

// loads returns the loads of a default run on some cores.
func loads(cores int) []spec {
	list := slices.Concat(
		handOffLoads(cores), spinLoads(cores), waitingLoads(cores), counterLoads(cores), workingSetLoads())
	for n := 1; ; n *= 2 {
		if n > 2*cores {
			n = 256
		}
		used, chunks, operations := min(n, cores), [2]float64{chunks, chunks}, int64(200_000)
		if n == 256 { // with 20 slices each
			chunks[0] *= 0.92
			operations *= 100
		}
		wait := max(0, float64(n-used)) / float64(used) * 4 * millisecond
		list = append(list, spec{
			workload: "scale", variant: strconv.Itoa(n), workers: n, cores: used, perSecond: chunks,
			sliceNS: 4 * millisecond, waitNS: wait + 3000, waitMaxNS: 2*wait + 70_000,
			busy: 0.98, cause: report.EndedByTick, operations: operations,
		})
		if n == 256 {
			return append(list, spec{
				workload: "crash", workers: 4, perSecond: chunks, sliceNS: 4 * millisecond, waitNS: 4 * millisecond,
				waitMaxNS: 8 * millisecond, busy: 0.98, cause: report.EndedByTick, dies: true,
			})
		}
	}
}

// handOffLoads are workers that pass messages.
func handOffLoads(cores int) []spec {
	return []spec{
		{
			workload: "pipe", workers: 2 * cores, perSecond: [2]float64{66_000, 134_000},
			sliceNS: 3040, waitNS: 450, waitMaxNS: 66_000, busy: 0.97, cause: report.EndedByBlocked,
		},
		{
			workload: "socket", workers: 2 * cores, perSecond: [2]float64{57_000, 104_000},
			sliceNS: 3900, waitNS: 480, waitMaxNS: 71_000, busy: 0.97, cause: report.EndedByBlocked,
		},
		{
			workload: "futex", workers: 2 * cores, perSecond: [2]float64{98_000, 271_000},
			sliceNS: 1300, waitNS: 420, waitMaxNS: 60_000, busy: 0.97, cause: report.EndedByBlocked,
		},
		{
			workload: "messaging", workers: 10 * cores, perSecond: [2]float64{310_000, 452_000},
			sliceNS: 21_000, waitNS: 38_000, waitMaxNS: 3.1 * millisecond, busy: 0.98, cause: report.EndedByBlocked,
		},
	}
}

// spinLoads are workers that compute.
func spinLoads(cores int) []spec {
	return []spec{
		{
			workload: "spin", workers: 3 * cores, perSecond: [2]float64{chunks, chunks},
			sliceNS: 4 * millisecond, waitNS: 7.9 * millisecond, waitMaxNS: 16.2 * millisecond,
			busy: 0.99, cause: report.EndedByTick,
		},
		{
			workload: "spin", variant: "one core", workers: 3 * cores, cores: 1, perSecond: [2]float64{chunks, chunks},
			sliceNS: 4 * millisecond, waitNS: float64(3*cores-1) * 4 * millisecond, waitMaxNS: 28 * millisecond,
			busy: 0.99, cause: report.EndedByTick,
		},
		{
			workload: "spin", variant: "alone", workers: 1, cores: 1, perSecond: [2]float64{chunks, chunks},
			sliceNS: 250 * millisecond, waitNS: 4000, waitMaxNS: 90_000, busy: 0.99, cause: report.EndedByWakeup,
		},
		{
			workload: "spin", variant: "nice", workers: 4, cores: 1, perSecond: [2]float64{chunks, chunks},
			sliceNS: 4 * millisecond, waitNS: 12 * millisecond, waitMaxNS: 31 * millisecond,
			busy: 0.99, cause: report.EndedByTick, nice: []int{0, 5, 0, 5},
		},
	}
}

// waitingLoads are workers that yield, create tasks, sleep and wake.
func waitingLoads(cores int) []spec {
	return []spec{
		{
			workload: "yield", workers: 2 * cores, perSecond: [2]float64{240_000, 890_000},
			sliceNS: 610, waitNS: 700, waitMaxNS: 50_000, busy: 0.95, cause: report.EndedByYield,
		},
		{
			workload: "spawn", workers: cores, perSecond: [2]float64{4200, 47_000},
			sliceNS: 110_000, waitNS: 9000, waitMaxNS: 90_000,
			busy: 0.93, cause: report.EndedByBlocked, lifeNS: [2][3]float64{{7900, 11_000, 78_000}, {3100, 2400, 6300}},
		},
		{
			workload: "spawn", variant: "exec", workers: cores, perSecond: [2]float64{3300, 0},
			sliceNS: 130_000, waitNS: 11_000, waitMaxNS: 95_000,
			busy: 0.93, cause: report.EndedByBlocked, lifeNS: [2][3]float64{{8500, 121_000, 16_000}}, oneMode: true,
		},
		{
			workload: "sleep", variant: "one", workers: 1, cores: 1, perSecond: [2]float64{3500, 3600},
			sliceNS: 24_000, waitNS: 1900, waitMaxNS: 80_000, busy: 0.08, cause: report.EndedByBlocked,
		},
		{
			workload: "sleep", variant: "many", workers: 8, cores: 1, perSecond: [2]float64{23_000, 25_500},
			sliceNS: 24_000, waitNS: 26_000, waitMaxNS: 310_000, busy: 0.62, cause: report.EndedByBlocked,
		},
		{
			workload: "interactive", workers: 4, cores: 1, perSecond: [2]float64{chunks, chunks},
			sliceNS: 3.9 * millisecond, waitNS: 8 * millisecond, waitMaxNS: 8.1 * millisecond,
			busy: 0.99, cause: report.EndedByTick,
		},
	}
}

// counterLoads are workers that share a counter.
func counterLoads(cores int) []spec {
	return []spec{
		{
			workload: "counter", variant: "unsynchronised", workers: 2 * cores, perSecond: [2]float64{171e6, 169e6},
			sliceNS: 4 * millisecond, waitNS: 4 * millisecond, waitMaxNS: 9 * millisecond,
			busy: 0.99, cause: report.EndedByTick, counted: 0.57,
		},
		{
			workload: "counter", variant: "atomic", workers: 2 * cores, perSecond: [2]float64{31e6, 31.2e6},
			sliceNS: 4 * millisecond, waitNS: 4 * millisecond, waitMaxNS: 9 * millisecond,
			busy: 0.99, cause: report.EndedByTick, counted: 1,
		},
		{
			workload: "counter", variant: "lock", workers: 2 * cores, perSecond: [2]float64{5.1e6, 5.6e6},
			sliceNS: 210_000, waitNS: 190_000, waitMaxNS: 9 * millisecond,
			busy: 0.99, cause: report.EndedByBlocked, counted: 1,
		},
	}
}

// workingSetLoads are workers that go through their memory in turns on one core.
func workingSetLoads() []spec {
	var list []spec
	for _, variant := range []struct {
		name     string
		workers  int
		turnNS   float64
		colderNS [2]float64
	}{
		{"16 KiB", 2, 400, [2]float64{39, 22}},
		{"256 KiB", 2, 5600, [2]float64{620, 480}},
		{"4 MiB", 2, 142_000, [2]float64{8200, 7700}},
		{"64 MiB", 2, 17 * millisecond, [2]float64{2.4e5, 2.2e5}},
		{"16 KiB × 1", 1, 400, [2]float64{6, 6}},
		{"16 KiB × 4", 4, 400, [2]float64{43, 39}},
		{"16 KiB × 16", 16, 400, [2]float64{148, 48}},
	} {
		list = append(list, spec{
			workload: "workingset", variant: variant.name, workers: variant.workers, cores: 1,
			perSecond: [2]float64{1e9 / (variant.turnNS + 8400), 1e9 / (variant.turnNS + 4100)},
			sliceNS:   variant.turnNS + 3000, waitNS: 500, waitMaxNS: 60_000,
			busy: 0.97, cause: report.EndedByBlocked, colderNS: variant.colderNS,
		})
	}
	return list
}

// Full returns a report of a default run: every workload and variant in both modes.
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
				if !s.oneMode || mode == report.Processes {
					r.Trials = append(r.Trials, b.trial(s, mode, round))
				}
			}
		}
	}
	r.Quality.ProbeFloorNS = new(int64)
	*r.Quality.ProbeFloorNS = 48
	charge(r)
	r.ComputeQuality()
	findings.Compute(r)
	return r
}

// trial returns one trial of a load.
func (b *builder) trial(s spec, mode report.Mode, round int) report.Trial {
	class, change, rate, colder := report.ClassProcess, 3200.0, s.perSecond[0], s.colderNS[0]
	if mode == report.Threads {
		class, change, rate, colder = report.ClassThread, 255, s.perSecond[1], s.colderNS[1]
	}
	rate *= 1 + b.random.NormFloat64()/100
	used := s.cores
	if used == 0 {
		used = b.cores
	}
	t := report.Trial{
		Workload: s.workload, Variant: s.variant, Mode: mode, Round: round,
		DurationNS: second/5 + int64(b.random.IntN(1e5)),
	}
	if s.operations > 0 {
		t.DurationNS = int64(1e9 * float64(s.operations) / rate / float64(used))
	}
	// A core's time is divided into slices and switches.
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
	if colder > 0 {
		second := t.Operations * 400
		first := second + int64(b.about(colder*float64(t.Operations), 5))
		t.Figures = append(t.Figures,
			report.Figure{Name: "first_pass_ns", Value: first}, report.Figure{Name: "second_pass_ns", Value: second})
	}
	t.Memory = b.memory(mode, s.workers)
	life := s.lifeNS[0]
	if mode == report.Threads {
		life = s.lifeNS[1]
	}
	if life[0] > 0 {
		t.Created = b.created(uint64(t.Operations), life)
	}
	if s.dies {
		b.crash(&t)
	}
	return t
}

// created returns the given number of tasks that lived and ended.
func (b *builder) created(tasks uint64, life [3]float64) *report.Created {
	const samples = 50
	times := max(1, tasks/samples)
	c := &report.Created{
		Tasks: samples * times, Reconciled: samples * times,
		Start: b.histogram(samples, times, life[0], 6),
		Run:   b.histogram(samples, times, life[1], 6),
		End:   b.histogram(samples, times, life[2], 6),
	}
	c.OnCPUNS, c.WaitNS = int64(c.Run.SumNS+c.End.SumNS), int64(c.Start.SumNS)
	return c
}

// crash ends worker 0, and in threads mode all workers.
func (b *builder) crash(t *report.Trial) {
	t.Memory = nil
	for i := range t.Workers {
		w := &t.Workers[i]
		if i > 0 && t.Mode == report.Processes {
			continue
		}
		w.Exited = true
		w.EndedBy.Exited = 1
		w.Slices++
		w.Voluntary++
		w.Kernel.Voluntary++
		w.Kernel.RuntimeNS = -1
	}
}

// memory returns the memory of some workers: a Go program of some MiB, once or for each worker.
func (b *builder) memory(mode report.Mode, workers int) *report.Memory {
	processes := 1
	if mode == report.Processes {
		processes = workers
	}
	const shared, private, table, perWorker = 3600 << 10, 1740 << 10, 128 << 10, 96 << 10
	own := int64(processes)*int64(b.about(private, 1)) + int64(workers)*perWorker
	return &report.Memory{
		Processes: processes, PSSBytes: own + shared, PrivateBytes: own,
		PageTableBytes: int64(processes)*table + int64(workers)*8192,
	}
}

// workers adds the trial's workers, which share the cores by weight.
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
			w.EndedBy = report.CauseCounts{Blocked: w.Slices}
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
		seen := int64(0)
		if t.Mode == report.Threads {
			seen = 1e6
		}
		t.Figures = []report.Figure{{Name: "counted", Value: kept}, {Name: "others_words_seen_ppm", Value: seen}}
	}
}
