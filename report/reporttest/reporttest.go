// Package reporttest builds reports for tests, with figures like those of the development machine:
// 2 cores, HZ 250, a virtual machine with PTI. A call always returns the same report.
package reporttest

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Bundled returns a report of the workloads pipe and spin in both modes.
func Bundled(rounds, cores int) *report.Report {
	b := builder{random: rand.New(rand.NewPCG(1, 2)), cores: cores}
	r := b.report()
	r.Setup = report.Setup{
		Workloads:  []string{"pipe", "spin"},
		Modes:      []report.Mode{report.Processes, report.Threads},
		Rounds:     rounds,
		DurationNS: int64(time.Second),
		CPUs:       b.cpus(),
	}
	for round := 1; round <= rounds; round++ {
		for _, mode := range r.Setup.Modes {
			r.Trials = append(r.Trials, b.pipe(mode, round), b.spin(mode, round))
		}
	}
	r.Quality.ProbeFloorNS = new(int64)
	*r.Quality.ProbeFloorNS = 48
	charge(r)
	r.ComputeQuality()
	findings.Compute(r)
	return r
}

// Command returns a report of one build on two cores.
func Command() *report.Report {
	b := builder{random: rand.New(rand.NewPCG(3, 4)), cores: 2}
	r := b.report()
	r.Setup = report.Setup{
		Command: []string{"make", "-j2"}, Modes: []report.Mode{report.Command}, Rounds: 1, CPUs: b.cpus(),
	}
	r.Trials = []report.Trial{b.command()}
	begin(r)
	r.Trials[0].ToolSwitches = new(uint64)
	*r.Trials[0].ToolSwitches = 7
	r.Quality.ProbeFloorNS = new(int64)
	*r.Quality.ProbeFloorNS = 48
	r.ComputeQuality()
	return r
}

// OlderKernel turns a report into one of a kernel before 6.15, where other hooks bound the phases.
func OlderKernel(r *report.Report) *report.Report {
	r.Capture.Pick = "fentry:rcu_note_context_switch"
	r.Capture.Switch = "kprobe:finish_task_switch.isra.0"
	pick, end := int64(61), int64(213)
	r.Quality.PickFloorNS, r.Quality.ProbeFloorNS = &pick, &end
	findings.Compute(r)
	return r
}

// WithoutPick turns a report into one of a kernel that has no hook for the start of the pick phase.
func WithoutPick(r *report.Report) *report.Report {
	r.Capture.Pick = ""
	r.Capture.Switch = "kprobe:finish_task_switch.isra.0"
	r.Capture.Notes = []string{"pick and cost are absent: the kernel has no tracepoint sched_entry_tp" +
		" (Linux 6.15 and later have it), and it does not tell RCU of switches, as kernels for one core"}
	for i := range r.Trials {
		for j := range r.Trials[i].Cores {
			classes := r.Trials[i].Cores[j].Classes
			for k := range classes {
				classes[k].Pick, classes[k].Cost = histogram.Histogram{}, histogram.Histogram{}
			}
		}
	}
	findings.Compute(r)
	return r
}

// Dirty turns a report into one that is not clean.
func Dirty(r *report.Report) *report.Report {
	t := &r.Trials[0]
	t.Lost = report.Lost{UnmatchedPick: 12, UnmatchedSwitch: 7, MapFull: 3, DroppedTasks: 2}
	t.Workers[0].Kernel.Voluntary++
	t.Cores[0].IdleNS += t.Cores[0].WallNS / 400
	r.Quality.RecursionMisses = 5
	r.Warnings = []string{"interrupted after 3 of 6 rounds"}
	r.ComputeQuality()
	findings.Compute(r)
	return r
}

// Hostile gives the tasks, the command line and the host names that try to control terminals,
// spreadsheets and pages.
func Hostile(r *report.Report) *report.Report {
	bad := HostileNames()
	for i := range r.Trials {
		for j := range r.Trials[i].Workers {
			r.Trials[i].Workers[j].Comm = bad[j%len(bad)]
		}
	}
	r.Setup.Command = bad
	r.Host.CPUModel = "\x1b[2JEPYC"
	r.Warnings = []string{"\x1b]0;owned\x07"}
	return r
}

// HostileNames returns texts that must never reach a reader unchanged.
func HostileNames() []string {
	return []string{
		"=cmd|' /C calc'!A0", "<script>", "\x1b[31mred\x1b[0m", "bad\xff\xfeutf", "a\u202egpj.exe", "z\u200bw",
		"+1", "-1", "@x", "\tt", "\rr", "a\nb", "c\u0085d", "\u3164",
	}
}

type builder struct {
	random *rand.Rand
	cores  int
}

func (b *builder) cpus() []sched.CPU {
	out := make([]sched.CPU, b.cores)
	for i := range out {
		out[i] = sched.CPU(i)
	}
	return out
}

func (b *builder) report() *report.Report {
	slice := int64(700_000)
	return &report.Report{
		Schema:  report.SchemaVersion,
		Tool:    report.Tool{Name: "slicetrace", Version: "v0.1.0"},
		Created: time.Date(2026, 11, 22, 20, 11, 0, 0, time.UTC),
		Host: report.Host{
			Kernel: "6.18.44-cloud", Arch: "x86_64", CPUModel: "AMD EPYC", CPUs: b.cores, SMT: "not supported", HZ: 250,
			Preemption: "none", Scheduler: "EEVDF", BaseSliceNS: &slice, PTI: "on",
			Mitigations: []string{"meltdown: Mitigation: PTI", "spectre_v2: Mitigation: Retpolines; STIBP: disabled"},
			Clocksource: "kvm-clock", Hypervisor: "KVM", Governor: "", MemoryBytes: 8 << 30,
			Distribution: "Debian GNU/Linux 13", PCID: "off", INVPCID: "off", NestedPaging: "npt",
		},
		Settings: report.Settings{
			"policy": "SCHED_OTHER", "nice": "0", "affinity": strings.TrimSuffix("0-"+strconv.Itoa(b.cores-1), "-0"),
			"cpu_quota": "none", "other_tracers": "none", "bpf_stats": "off",
			"rt_runtime_us": "950000 of 1000000", "timer_slack_ns": "50000", "recording": "off",
		},
		Capture: report.Capture{Pick: "sched_entry_tp", Switch: "sched_exit_tp", Tick: "hrtimer_expire_entry"},
	}
}

// about returns a value some percent around the centre. Some values are far above it, as interrupts
// cause.
func (b *builder) about(centre, percent float64) uint64 {
	v := centre * (1 + b.random.NormFloat64()*percent/100)
	if b.random.IntN(100) == 0 {
		v *= 1 + 3*b.random.Float64()
	}
	return uint64(max(v, 1))
}

// histogram counts n random values, each as often as times says.
func (b *builder) histogram(n, times uint64, centre, percent float64) histogram.Histogram {
	values := make([]uint64, n)
	for i := range values {
		values[i] = b.about(centre, percent)
	}
	return HistogramOf(times, values...)
}

// HistogramOf returns a histogram of some values in nanoseconds, each counted as often as times says.
func HistogramOf(times uint64, values ...uint64) histogram.Histogram {
	var counts [1024]uint64 // more than there are buckets
	var sum, longest uint64
	if times == 0 {
		values = nil
	}
	for _, v := range values {
		counts[histogram.BucketOf(v)] += times
		sum += v * times
		longest = max(longest, v)
	}
	return histogram.New(counts[:], sum, longest)
}

// class returns n × times switches with phases around the given medians.
func (b *builder) class(class report.Class, n, times uint64, pick, change float64) report.ClassStats {
	return report.ClassStats{
		Class: class, Switches: n * times,
		Pick:   b.histogram(n, times, pick, 6),
		Switch: b.histogram(n, times, change, 8),
		Cost:   b.histogram(n, times, pick+change, 7),
	}
}
