package render_test

import (
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/sched"
)

// benchmarkSwitches is how many switches the recording of a benchmark has.
const benchmarkSwitches = 10_000_000

// BenchmarkRecordingTable exports ten million switches with as many wakeups, of two pairs of
// workers that wake each other in turns.
func BenchmarkRecordingTable(b *testing.B) {
	name := filepath.Join(b.TempDir(), "r.rec")
	writePingPong(b, name)
	for format, open := range map[string]func(io.Writer) render.TableWriter{
		"csv":     func(w io.Writer) render.TableWriter { return render.NewCSV(w) },
		"parquet": func(w io.Writer) render.TableWriter { return render.NewParquet(w) },
	} {
		b.Run(format, func(b *testing.B) {
			forgetPeak(b)
			before := cpuSeconds(b)
			var written int64
			for b.Loop() {
				written = exportSwitches(b, name, open)
			}
			b.ReportMetric(benchmarkSwitches*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mswitches/s")
			// The CPU time of both goroutines; on a busy machine it tells more than the wall clock.
			b.ReportMetric((cpuSeconds(b)-before)/benchmarkSwitches/float64(b.N)*1e9, "cpu-ns/switch")
			b.ReportMetric(float64(written)/benchmarkSwitches, "B/switch")
			b.ReportMetric(peakMiB(b), "peak-MiB")
		})
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func exportSwitches(b *testing.B, name string, open func(io.Writer) render.TableWriter) int64 {
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := recording.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	var n counter
	out := open(&n)
	if err := errors.Join(render.RecordingTable(out, r, "switches"), out.Close()); err != nil {
		b.Fatal(err)
	}
	return int64(n)
}

// writePingPong writes blocks of 4096 events of two cores in turn.
func writePingPong(b *testing.B, name string) {
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buffered := bufio.NewWriter(f)
	w, err := recording.NewWriter(buffered, recording.Header{CPUs: []sched.CPU{0, 1}})
	if err != nil {
		b.Fatal(err)
	}
	err = w.Tasks([]recording.Task{
		{TID: 40123, Comm: "ping"}, {TID: 40124, Comm: "pong"}, {TID: 40125, Comm: "ping"}, {TID: 40126, Comm: "pong"},
	})
	random := rand.New(rand.NewPCG(1, 7))
	var now [2]int64
	for done := 0; done < benchmarkSwitches; done += 2048 {
		core := sched.CPU(done / 2048 % 2)
		block := recording.Block{CPU: core}
		for i := range min(2048, benchmarkSwitches-done) {
			block.Events = append(block.Events, handOver(random, &now[core], core, sched.TID(i%2))...)
		}
		err = errors.Join(err, w.Block(block))
	}
	if err := errors.Join(err, w.Close(recording.End{}), buffered.Flush()); err != nil {
		b.Fatal(err)
	}
}

// handOver returns a wakeup and the switch to the woken task.
func handOver(random *rand.Rand, now *int64, core sched.CPU, turn sched.TID) []recording.Event {
	first := 40123 + 2*sched.TID(core)
	prev, next := first+turn, first+1-turn
	*now += 1900 + random.Int64N(200)
	return []recording.Event{
		{TimeNS: *now - 400, Kind: recording.Wakeup, Next: next, CPU: core},
		{
			TimeNS: *now, Prev: prev, Next: next, SliceNS: 1800 + random.Int64N(300), PickNS: 380 + random.Int64N(60),
			SwitchNS: 250 + random.Int64N(40), State: 'S',
		},
	}
}

// cpuSeconds returns the CPU time that this process has used, 0 if it cannot be read. The kernel
// counts it in ticks of 10 ms.
func cpuSeconds(b *testing.B) float64 {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		b.Log(err)
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	sum := 0
	for _, ticks := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(ticks)
		if err != nil {
			b.Log(err)
		}
		sum += n
	}
	return float64(sum) / 100
}

// forgetPeak resets the kernel's record of the peak of resident memory.
func forgetPeak(b *testing.B) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Logf("the peak is that of the whole process: %v", err)
	}
}

// peakMiB returns the peak of resident memory, 0 if it cannot be read.
func peakMiB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Log(err)
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.TrimSpace(strings.SplitN(rest, "kB", 2)[0]), 64)
	if err != nil {
		b.Log(err)
	}
	return kib / 1024
}
