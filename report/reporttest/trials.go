package reporttest

import (
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

const second = int64(1e9)

// pipe returns a trial in which a pair of workers on each core passes a token back and forth, with
// 2 voluntary switches a round trip.
func (b *builder) pipe(mode report.Mode, round int) report.Trial {
	class, change, samples := report.ClassThread, 250.0, uint64(300)
	if mode == report.Processes {
		class, change, samples = report.ClassProcess, 3200, 150
	}
	const times = 900 // how often each sample is counted
	t := report.Trial{Workload: "pipe", Mode: mode, Round: round, DurationNS: second + int64(b.random.IntN(1e6))}
	for cpu := range b.cores {
		n := samples - uint64(b.random.IntN(5))
		// A core of a large machine has its own pace.
		pace := 1 + 0.2*float64((cpu*7)%b.cores)/float64(b.cores)
		c := b.core(cpu, t.DurationNS)
		c.Classes = append([]report.ClassStats{b.class(class, n, times, 375*pace, change*pace)}, b.background()...)
		c.Slices = []report.SliceStats{
			{EndedBy: report.EndedByBlocked, Length: b.histogram(n, times, 2900*pace, 5)},
			{EndedBy: report.EndedByTick, Length: b.histogram(3, 1, 2500, 20)},
		}
		c.Wait = b.histogram(n, times, 450, 15)
		t.Cores = append(t.Cores, c)
		t.Operations += int64(n*times) / 2
		for i := range 2 {
			w := b.worker(mode, 2*cpu+i, report.EndedByBlocked, n*times/2)
			w.Operations = int64(n*times) / 2
			w.OnCPUNS, w.WaitNS = c.WorkersNS/2, int64(n*times/2)*460
			w.WaitMaxNS = int64(b.about(60_000, 10))
			w.EndedBy.Tick = 1
			w.Slices, w.Involuntary, w.Kernel.Involuntary = w.Slices+1, 1, 1
			t.Workers = append(t.Workers, w)
		}
	}
	return t
}

// spin returns a trial in which more workers than cores compete.
func (b *builder) spin(mode report.Mode, round int) report.Trial {
	class, change := report.ClassThread, 260.0
	if mode == report.Processes {
		class, change = report.ClassProcess, 3300
	}
	t := report.Trial{Workload: "spin", Mode: mode, Round: round, DurationNS: second + int64(b.random.IntN(1e6))}
	for cpu := range b.cores {
		c := b.core(cpu, t.DurationNS)
		c.Classes = append([]report.ClassStats{b.class(class, 230, 1, 410, change)}, b.background()...)
		c.Slices = []report.SliceStats{
			{EndedBy: report.EndedByTick, Length: b.histogram(225, 1, 4e6, 1)},
			{EndedBy: report.EndedByWakeup, Length: b.histogram(5, 1, 1.5e6, 40)},
		}
		c.Wait = b.histogram(230, 1, 4.1e6, 10)
		t.Cores = append(t.Cores, c)
	}
	n := b.cores + b.cores/2 + 1
	for i := range n {
		w := b.worker(mode, i, report.EndedByTick, 150)
		w.Operations = 417_000 + int64(b.random.IntN(6000))
		t.Operations += w.Operations
		w.OnCPUNS = int64(b.cores) * t.DurationNS / int64(n) * int64(990+b.random.IntN(10)) / 1000
		w.WaitNS, w.WaitMaxNS = t.DurationNS-w.OnCPUNS, int64(b.about(9e6, 10))
		t.Workers = append(t.Workers, w)
	}
	return t
}

// command returns a build: a shell, make and many short compilers.
func (b *builder) command() report.Trial {
	t := report.Trial{Workload: "make", Mode: report.Command, Round: 1, DurationNS: 12*second + 345_678_901}
	for cpu := range b.cores {
		c := b.core(cpu, t.DurationNS)
		c.Classes = append([]report.ClassStats{
			b.class(report.ClassThread, 40, 3, 380, 270), b.class(report.ClassProcess, 400, 5, 400, 3300),
		}, b.background()...)
		c.Slices = []report.SliceStats{
			{EndedBy: report.EndedByBlocked, Length: b.histogram(300, 4, 800_000, 30)},
			{EndedBy: report.EndedByExited, Length: b.histogram(60, 1, 1.2e6, 30)},
			{EndedBy: report.EndedByTick, Length: b.histogram(200, 3, 4e6, 1)},
			{EndedBy: report.EndedByWakeup, Length: b.histogram(30, 1, 300_000, 40)},
		}
		c.Wait = b.histogram(500, 4, 30_000, 40)
		t.Cores = append(t.Cores, c)
	}
	for i := range 14 {
		w := b.worker(report.Command, i, report.EndedByBlocked, b.about(120, 50))
		w.Kernel, w.Exited = nil, true
		w.OnCPUNS, w.WaitNS = int64(b.about(1.4e9, 40)), int64(b.about(2e7, 40))
		w.WaitMaxNS = int64(b.about(4e6, 20))
		w.Comm = []string{"make", "sh", "cc1", "as", "collect2", "ld"}[i%6]
		t.Workers = append(t.Workers, w)
	}
	rest := b.worker(report.Command, 14, report.EndedByBlocked, 900)
	rest.PID, rest.TID, rest.Comm, rest.Kernel = 0, 0, "", nil
	rest.Merged, rest.OnCPUNS, rest.WaitNS, rest.WaitMaxNS = 131, 2*second, 3e7, 4e6
	t.Workers = append(t.Workers, rest)
	return t
}

// core returns a core whose times add up, for a trial of the given length.
func (b *builder) core(cpu int, durationNS int64) report.Core {
	c := report.Core{CPU: sched.CPU(cpu), WallNS: durationNS + 400_000}
	c.SelfNS = c.WallNS * int64(20+b.random.IntN(4)) / 1000
	c.OthersNS = c.WallNS * int64(3+b.random.IntN(3)) / 1000
	c.IdleNS = c.WallNS * int64(4+b.random.IntN(4)) / 1000
	c.WorkersNS = c.WallNS - c.SelfNS - c.OthersNS - c.IdleNS - int64(b.random.IntN(300))
	c.StealNS = 10_000_000 * int64(b.random.IntN(2))
	ticks, busy := uint64(durationNS/4_000_000), uint64(durationNS/4_040_000)
	c.Ticks, c.BusyTicks = &ticks, &busy
	return c
}

// background returns the switches that come with any load.
func (b *builder) background() []report.ClassStats {
	return []report.ClassStats{
		b.class(report.ClassKernel, 60, 1, 420, 900),
		b.class(report.ClassIdleIn, 40, 1, 600, 700),
		b.class(report.ClassIdleOut, 40, 1, 500, 1500),
	}
}

// worker returns a worker whose slices all ended for one reason, and whose counts equal the
// kernel's.
func (b *builder) worker(mode report.Mode, index int, cause report.EndedBy, slices uint64) report.Worker {
	w := report.Worker{
		Index: index, PID: 4100, TID: sched.TID(4101 + index), Comm: "slicetrace-" + strconv.Itoa(index),
		Slices: slices,
	}
	*w.EndedBy.At(cause) = slices
	if mode == report.Processes {
		w.PID = sched.PID(w.TID)
	}
	if cause == report.EndedByBlocked {
		w.Voluntary = slices
	} else {
		w.Involuntary = slices
	}
	w.Kernel = &report.KernelCounters{Voluntary: w.Voluntary, Involuntary: w.Involuntary, RuntimeNS: -1}
	return w
}

// charge gives workers that survive the kernel's account of their time, which includes a little of
// slicetrace's own.
func charge(r *report.Report) {
	begin(r)
	for i := range r.Trials {
		for j := range r.Trials[i].Workers {
			if w := &r.Trials[i].Workers[j]; !w.Exited {
				w.Kernel.RuntimeNS = w.OnCPUNS + w.OnCPUNS/250
			}
		}
	}
}

// begin has each trial start a fifth of a second after the previous one ended.
func begin(r *report.Report) {
	now := second / 2
	for i := range r.Trials {
		started := now
		r.Trials[i].StartedNS = &started
		now += r.Trials[i].DurationNS + second/5
	}
}
