package collector

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/collector/hostinfo"
)

// BenchmarkSettings is what lies between two trials, twice, beside the snapshots.
func BenchmarkSettings(b *testing.B) {
	watch := hostinfo.WatchSettings(hostinfo.Fingerprint())
	c, err := Open(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	watch.Begin(c, false)
	workers := []int{os.Getpid(), os.Getppid()}
	before := cpuTime(b)
	for b.Loop() {
		watch.Start(workers)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is this process's, which others' work does not lengthen much.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
