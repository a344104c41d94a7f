package collector

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report/sched"
)

// BenchmarkSettings measures the reading of settings, which is done twice between two trials.
func BenchmarkSettings(b *testing.B) {
	watch := hostinfo.WatchSettings(hostinfo.Fingerprint())
	c, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	watch.Begin(c, false)
	workers := []sched.TID{sched.TID(os.Getpid()), sched.TID(os.Getppid())}
	before := cpuTime(b)
	for b.Loop() {
		watch.Start(workers)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime returns this process's CPU time, which other processes do not increase much.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
