package collector_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf/link"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/workloads"
)

const (
	overheadRounds     = 15
	overheadRoundTrips = 20011
)

// tracer is something that may slow switches down.
type tracer struct {
	name string
	// attach returns an observer for the trial, or nil, and how to detach.
	attach func(testing.TB) (workloads.Observer, func())
}

// BenchmarkOverhead prints the nanoseconds that each tracer adds to a switch
// of a pinned ping-pong, and slicetrace's ratio to empty programs on the same
// hooks. The tracers take turns within each of its rounds, so that the machine's
// drift hits all alike, and medians are compared. perf is left out where it is
// not installed.
func BenchmarkOverhead(b *testing.B) {
	bpftest.Require(b)
	tracers := []tracer{
		{"none", func(testing.TB) (workloads.Observer, func()) { return nil, func() {} }},
		{"empty", attachEmpty},
		{"slicetrace", attachSlicetrace},
	}
	if _, err := exec.LookPath("perf"); err == nil {
		tracers = append(tracers, tracer{"perf", attachPerf})
	}
	for _, mode := range []workloads.Mode{workloads.Threads, workloads.Processes} {
		b.Run(string(mode), func(b *testing.B) {
			for range b.N {
				measureOverhead(b, mode, tracers)
			}
		})
	}
}

func measureOverhead(b *testing.B, mode workloads.Mode, tracers []tracer) {
	taken := make([][]float64, len(tracers))
	for range overheadRounds {
		for i, tr := range tracers {
			observer, detach := tr.attach(b)
			taken[i] = append(taken[i], pingPong(b, mode, observer))
			detach()
		}
	}
	var medians []float64
	for i := range taken {
		slices.Sort(taken[i])
		medians = append(medians, taken[i][len(taken[i])/2])
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
	b.ReportMetric(medians[0], "bare-ns/switch")
	for i, tr := range tracers[1:] {
		b.ReportMetric(medians[i+1]-medians[0], tr.name+"-ns/switch")
	}
	b.ReportMetric((medians[2]-medians[0])/(medians[1]-medians[0]), "slicetrace/empty")
}

// pingPong returns the nanoseconds of one switch and the work around it.
func pingPong(b *testing.B, mode workloads.Mode, o workloads.Observer) float64 {
	p := plan(b, "pipe")
	p.Modes, p.Workers, p.CPUs, p.Operations = []workloads.Mode{mode}, 2, []int{0}, overheadRoundTrips
	t := &timer{inner: o}
	if err := p.Run(context.Background(), t); err != nil {
		b.Fatal(err)
	}
	return float64(t.took) / (2 * overheadRoundTrips)
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

func attachEmpty(b testing.TB) (workloads.Observer, func()) {
	empty, err := bpf.LoadEmpty()
	if err != nil {
		b.Fatal(err)
	}
	var links []link.Link
	for _, h := range empty.Hooks {
		l, err := link.AttachTracing(link.TracingOptions{Program: h.Program})
		if err != nil {
			b.Fatal(err)
		}
		links = append(links, l)
	}
	return nil, func() {
		for _, l := range links {
			l.Close()
		}
		empty.Close()
	}
}

func attachSlicetrace(b testing.TB) (workloads.Observer, func()) {
	c, err := collector.Open(collector.Options{Tasks: 20})
	if err != nil {
		b.Fatal(err)
	}
	return &watcher{c: c}, func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}
}

func attachPerf(b testing.TB) (workloads.Observer, func()) {
	out := filepath.Join(b.TempDir(), "perf.data")
	perf := exec.Command("perf", "sched", "record", "-q", "-o", out)
	if err := perf.Start(); err != nil {
		b.Fatal(err)
	}
	// It says nowhere that it is ready; its file has a header then.
	for range 200 {
		if info, err := os.Stat(out); err == nil && info.Size() > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	return nil, func() {
		err := errors.Join(perf.Process.Signal(syscall.SIGINT), ignoreExit(perf.Wait()))
		if err = errors.Join(err, os.Remove(out)); err != nil {
			b.Error(err)
		}
	}
}

// ignoreExit drops the status of a program that was interrupted.
func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
