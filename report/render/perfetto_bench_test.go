package render_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/sched"
)

// pingPong returns a block of two workers that wake each other in turns.
func pingPong(cpu sched.CPU, switches int, start int64) recording.Block {
	b := recording.Block{CPU: cpu}
	now, tids := start, [2]sched.TID{40123, 40124}
	for i := range switches {
		prev, next := tids[i%2], tids[(i+1)%2]
		now += 1500 + int64(i*7919%199)
		b.Events = append(b.Events, wakeup(now, next, cpu))
		now += 400
		b.Events = append(b.Events, recording.Event{
			TimeNS: now, Prev: prev, Next: next, SliceNS: 1800 + int64(i*104729%307), PickNS: 380 + int64(i%61),
			SwitchNS: 250 + int64(i%41), State: 'S',
		})
	}
	return b
}

// BenchmarkPerfetto converts 10 million switches and as many wakeups from a file.
func BenchmarkPerfetto(b *testing.B) {
	const blocks, switches = 4883, 2048
	path := filepath.Join(b.TempDir(), "recording")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	frames := []any{
		[]recording.Task{{TID: 40123, TGID: 40123, Comm: "worker"}, {TID: 40124, TGID: 40123, Comm: "worker"}},
	}
	for i := range 2 {
		frames = append(frames, pingPong(sched.CPU(i), switches, int64(1+i)*1e12))
	}
	for len(frames) < 1+blocks {
		frames = append(frames, frames[1+len(frames)%2])
	}
	recorded(b, file, frames...)
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	var written counter
	for b.Loop() {
		file, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r, err := recording.NewReader(file)
		if err != nil {
			b.Fatal(err)
		}
		written = 0
		if err := render.Perfetto(&written, r); err != nil {
			b.Fatal(err)
		}
		r.Close()
		if err := file.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(blocks*switches*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mswitches/s")
	b.ReportMetric(float64(written)/(blocks*switches), "bytes/switch")
}
