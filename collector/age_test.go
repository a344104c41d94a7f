package collector_test

import (
	"context"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/workloads"
)

// ageVariable is how long BenchmarkAge watches, such as 1h.
const ageVariable = "SLICETRACE_AGE"

// BenchmarkAge shows whether a switch costs more the longer a collector watches.
// Once a minute, or more often for a short length, a new collector watches beside the old one.
// How long the programs of each take at the same ping-pong's switches is compared, so the
// machine's other work affects both alike.
func BenchmarkAge(b *testing.B) {
	bpftest.Require(b)
	length := 10 * time.Second
	if text := os.Getenv(ageVariable); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			b.Fatalf("%s: %v", ageVariable, err)
		}
	}
	stats := enableStats(b)
	defer stats.Close()
	old, oldPrograms := openCounted(b)
	defer old.Close()
	modes := []workloads.Mode{workloads.Threads, workloads.Processes}
	halves := make(map[workloads.Mode][2][]float64)
	for began := time.Now(); time.Since(began) < length; time.Sleep(min(time.Minute, length/20)) {
		for _, mode := range modes {
			fresh, freshPrograms := openCounted(b)
			age := time.Since(began)
			beforeOld, beforeFresh := oldPrograms(), freshPrograms()
			p := plan(b, "pipe")
			p.Modes, p.Workers, p.CPUs, p.Operations = []workloads.Mode{mode}, 2, []workloads.CPU{0}, overheadRoundTrips
			if err := p.Run(context.Background(), together{{c: old}, {c: fresh}}, nil); err != nil {
				b.Fatal(err)
			}
			const switches = 2 * overheadRoundTrips
			tookOld := float64(oldPrograms()-beforeOld) / switches
			tookFresh := float64(freshPrograms()-beforeFresh) / switches
			if err := fresh.Close(); err != nil {
				b.Fatal(err)
			}
			b.Logf("%s: after %v %.0f ns/switch, a new one's %.0f, ratio %.3f",
				mode, age.Round(time.Second), tookOld, tookFresh, tookOld/tookFresh)
			half := halves[mode]
			half[min(1, 2*age/length)] = append(half[min(1, 2*age/length)], tookOld/tookFresh)
			halves[mode] = half
		}
	}
	for mode, half := range halves {
		b.Logf("%s: old to new %s in the first half of %v, %s in the second",
			mode, summary(half[0], "%.3f"), length, summary(half[1], "%.3f"))
		b.ReportMetric(center(half[1])/center(half[0]), string(mode)+"-late/early")
	}
	b.ReportMetric(0, "ns/op")
}

// openCounted opens a collector. It also returns a function that returns how long the
// collector's programs have run since.
func openCounted(b *testing.B) (*collector.Collector, func() time.Duration) {
	others := bpftest.Programs(b)
	c, err := collector.Open(collector.Options{})
	if err != nil {
		b.Fatal(err)
	}
	own := bpftest.Programs(b)
	maps.DeleteFunc(own, func(id ebpf.ProgramID, _ string) bool { _, other := others[id]; return other })
	return c, func() (sum time.Duration) {
		for id := range own {
			p, err := ebpf.NewProgramFromID(id)
			if err != nil {
				continue // another process's, and gone
			}
			if s, err := p.Stats(); err == nil {
				sum += s.Runtime
			}
			p.Close()
		}
		return sum
	}
}
