package collector_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/perf/benchmath"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/workloads"
)

const (
	overheadRounds     = 15
	overheadTrials     = 9
	overheadRoundTrips = 2503 // in each trial
	overheadSwitches   = 2 * overheadRoundTrips * overheadTrials
)

// BenchmarkOverhead prints the nanoseconds that each tracer adds to a switch of a
// pinned ping-pong, and the ratios of what slicetrace adds to what empty programs on
// its hooks add, programs that only stamp, and the peers: first in the ways of watching a
// workload, then in the light way, which watches a system. Each tracer's turn stands between two
// turns without any, and a figure is of one round, so the machine's drift hits all
// alike; medians over rounds are given with their 95 % interval. Tracers
// that are not installed are left out. With -v it also prints how long each program runs.
//
// The ping-pong on all cores at once shows what cores do to each other.
func BenchmarkOverhead(b *testing.B) {
	bpftest.Require(b)
	for _, mode := range []workloads.Mode{workloads.Threads, workloads.Processes} {
		b.Run(string(mode), func(b *testing.B) {
			for range b.N {
				compareTracers(b, mode, append(fullTracers(), installedTracers()...), "slicetrace", "empty")
			}
		})
		b.Run("light "+string(mode), func(b *testing.B) {
			for range b.N {
				compareTracers(b, mode, append(lightTracers(), installedTracers()...), "slicetrace top", "empty switch")
			}
		})
		b.Run("all cores "+string(mode), func(b *testing.B) {
			for range b.N {
				compareCores(b, mode)
			}
		})
	}
}

// compareTracers reports as metrics what ours adds, and what of it the empty programs do.
func compareTracers(b *testing.B, mode workloads.Mode, tracers []tracer, ours, empty string) {
	added := make(map[string][]float64)
	var bare []float64
	alone := func() float64 {
		bare = append(bare, pingPong(b, mode, []workloads.CPU{0}, tracer{}))
		return bare[len(bare)-1]
	}
	for range overheadRounds {
		before := alone()
		for _, tr := range tracers {
			traced := pingPong(b, mode, []workloads.CPU{0}, tr)
			after := alone()
			added[tr.name] = append(added[tr.name], traced-(before+after)/2)
			before = after
		}
	}
	text, w := table()
	fmt.Fprintf(w, "\tns/switch\t\na switch and its work\t%s\t\n", summary(bare, "%.0f"))
	for _, tr := range tracers {
		fmt.Fprintf(w, "%s adds\t%s\t\n", tr.name, summary(added[tr.name], "%.0f"))
	}
	w.Flush()
	b.Log("\n" + text.String() + "\n" + timesAs(tracers, added))
	if testing.Verbose() {
		b.Log("\n" + runTimes(b, mode))
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
	b.ReportMetric(center(added[ours]), "slicetrace-ns/switch")
	b.ReportMetric(center(ratios(added[ours], added[empty])), "slicetrace/empty")
}

// timesAs compares what slicetrace adds in each of its ways with what every other tracer adds in
// the same round.
func timesAs(tracers []tracer, added map[string][]float64) string {
	text, w := table()
	others := slices.DeleteFunc(slices.Clone(tracers), tracer.isOurs)
	for _, other := range others {
		fmt.Fprintf(w, "\t÷ %s", other.name)
	}
	fmt.Fprintln(w, "\t")
	for _, tr := range tracers {
		if !tr.isOurs() {
			continue
		}
		fmt.Fprint(w, tr.name)
		for _, other := range others {
			fmt.Fprintf(w, "\t%s", summary(ratios(added[tr.name], added[other.name]), "%.2f"))
		}
		fmt.Fprintln(w, "\t")
	}
	w.Flush()
	return text.String()
}

// compareCores compares how long slicetrace's programs take at a switch on all cores at once
// with how long they take on one. The kernel times each program: the ping-pong itself differs
// more from core to core than programs do.
func compareCores(b *testing.B, mode workloads.Mode) {
	bpftest.NeedTwoCores(b, "to compare all at once with one")
	all := bpftest.AllowedCores[workloads.CPU](b)
	stats := enableStats(b)
	defer stats.Close()
	for _, tr := range timedTracers() {
		var one, many []float64
		for range overheadRounds {
			one = append(one, programTime(b, mode, all[:1], tr))
			many = append(many, programTime(b, mode, all, tr))
		}
		b.Logf("%s: programs run for %s ns/switch on one core, %s on each of %d at once, ratio %s", tr.name,
			summary(one, "%.0f"), summary(many, "%.0f"), len(all), summary(ratios(many, one), "%.3f"))
		b.ReportMetric(center(ratios(many, one)), strings.ReplaceAll(tr.name, " ", "-")+"-all/one")
	}
	b.ReportMetric(0, "ns/op")
}

// timedTracers are those whose programs the kernel times.
func timedTracers() []tracer {
	return []tracer{
		{"empty", attachEmpty}, {"empty switch", attachEmptySwitch}, {"stamps", attachStamps},
		{"slicetrace", attachWatching}, {"slicetrace top", attachLive},
	}
}

// programTime is what a tracer's programs take of a switch.
func programTime(b *testing.B, mode workloads.Mode, cores []workloads.CPU, tr tracer) float64 {
	var sum time.Duration
	pingPong(b, mode, cores, seen(b, tr, func(p program) { sum += p.Runtime }))
	return float64(sum) / float64(overheadSwitches*len(cores))
}

// seen shows each of a tracer's programs to see before they are detached.
func seen(b *testing.B, tr tracer, see func(program)) tracer {
	return tracer{tr.name, func(t testing.TB) (workloads.Observer, func()) {
		observer, detach := tr.attach(t)
		return observer, func() {
			for _, p := range programs(b) {
				see(p)
			}
			detach()
		}
	}}
}

func enableStats(b *testing.B) io.Closer {
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	return stats
}

// ratios are of figures of the same round.
func ratios(a, b []float64) []float64 {
	if len(a) != len(b) {
		return nil
	}
	var r []float64
	for i := range a {
		r = append(r, a[i]/b[i])
	}
	return r
}

func center(values []float64) float64 {
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95).Center
}

// summary is a median and its interval.
func summary(values []float64, verb string) string {
	if len(values) == 0 {
		return "-"
	}
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	s := benchmath.AssumeNothing.Summary(sample, 0.95)
	return fmt.Sprintf(verb+" ("+verb+"–"+verb+")", s.Center, s.Lo, s.Hi)
}

func table() (*strings.Builder, *tabwriter.Writer) {
	var text strings.Builder
	return &text, tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
}

// pingPong returns the nanoseconds of one switch and the work around it, on each
// of the cores at once: the median of short trials, of which other work spoils a few.
func pingPong(b *testing.B, mode workloads.Mode, cores []workloads.CPU, tr tracer) float64 {
	t := &timer{}
	if tr.attach != nil {
		observer, detach := tr.attach(b)
		defer detach()
		t.inner = observer
	}
	p := plan(b, "pipe")
	p.Modes, p.Workers, p.CPUs, p.Operations = []workloads.Mode{mode}, 2*len(cores), cores, overheadRoundTrips
	var took []float64
	for range overheadTrials {
		if err := p.Run(context.Background(), t, nil); err != nil {
			b.Fatal(err)
		}
		took = append(took, float64(t.took)/(2*overheadRoundTrips))
	}
	return center(took)
}

// timer notes how long the workers took, and lets another observer watch.
type timer struct {
	inner workloads.Observer
	took  time.Duration
}

func (t *timer) Ready(trial workloads.Trial, workers []workloads.Worker) error {
	if t.inner == nil {
		return nil
	}
	return t.inner.Ready(trial, workers)
}

func (t *timer) Stopped(r workloads.Result) error {
	t.took = r.End - r.Start
	if t.inner == nil {
		return nil
	}
	return t.inner.Stopped(r)
}

// runTimes says how long each program of slicetrace runs, and how often in a
// switch, as the kernel measures it: two more clock readings a run are in it.
func runTimes(b *testing.B, mode workloads.Mode) string {
	stats := enableStats(b)
	defer stats.Close()
	text, w := table()
	fmt.Fprintln(w, "program\truns/switch\tns/run\t")
	for _, tr := range timedTracers() {
		pingPong(b, mode, []workloads.CPU{0}, seen(b, tr, func(p program) {
			if p.RunCount > overheadSwitches/2 {
				fmt.Fprintf(w, "%s\t%.2f\t%.0f\t\n",
					p.name, float64(p.RunCount)/overheadSwitches, float64(p.Runtime)/float64(p.RunCount))
			}
		}))
	}
	w.Flush()
	return text.String()
}

type program struct {
	name string
	*ebpf.ProgramStats
}

func programs(b *testing.B) []program {
	var found []program
	for id, name := range bpftest.Programs(b) {
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // it has gone
		}
		stats, err := p.Stats()
		p.Close()
		if err != nil {
			b.Fatal(err)
		}
		found = append(found, program{name, stats})
	}
	return found
}
