package reporttest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// recordingStartNS is CLOCK_MONOTONIC at the start of Recording's file.
const recordingStartNS = int64(5e12)

// RecordingID is the ID of Recording's file.
const RecordingID = "KT2LZ5Q7"

// Recording returns a recording of three trials on two cores: workers that take turns, workers that
// share the cores by ticks, and the same as threads. The names of other tasks are hostile.
func Recording() []byte {
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{
		ID: RecordingID, Tool: "slicetrace v0.1.0", Created: time.Date(2026, 11, 22, 20, 11, 0, 0, time.UTC),
		MonotonicNS: recordingStartNS, CPUs: []sched.CPU{0, 1}, Kernel: "6.18.44-cloud",
		Pick: "sched_entry_tp", Switch: "sched_exit_tp",
	})
	if err != nil {
		panic(err) // writing to a buffer cannot fail
	}
	tasks := []recording.Task{
		{TID: 900, TGID: 900, Comm: "</script>\xff\x1b"}, {TID: 15, TGID: 15, Comm: "ksoftirqd/0"},
	}
	for tid := sched.TID(4101); tid <= 4106; tid++ {
		tasks = append(tasks, recording.Task{TID: tid, TGID: 4100, Comm: "slicetrace"})
	}
	err = w.Tasks(tasks)
	random := rand.New(rand.NewPCG(8, 9))
	at := recordingStartNS + 20e6
	for _, trial := range []struct {
		workload, mode string
		sliceNS        int64
		endedBy        uint8
	}{{"pipe", "processes", 3000, 0}, {"spin", "processes", 4e6, 2}, {"spin", "threads", 4e6, 2}} {
		mark := recording.Mark{
			Workload: trial.workload, Mode: trial.mode, Round: 1, StartNS: at, EndNS: at + 200e6,
			Workers: []sched.TID{4101, 4102, 4103, 4104, 4105, 4106},
		}
		for cpu := range 2 {
			b := recording.Block{CPU: sched.CPU(cpu)}
			now := at
			own := mark.Workers[3*cpu : 3*cpu+3]
			if trial.workload == "pipe" {
				own = own[:2]
			}
			for i := 0; now < mark.EndNS; i++ {
				slice := trial.sliceNS + random.Int64N(trial.sliceNS/20)
				prev, next, cause := own[i%len(own)], own[(i+1)%len(own)], trial.endedBy
				switch {
				case random.IntN(40) == 0: // another task runs in between
					next = 900 - 885*sched.TID(random.IntN(2))
				case len(b.Events) > 0 && b.Events[len(b.Events)-1].Next != prev:
					prev, slice, cause = b.Events[len(b.Events)-1].Next, 900+random.Int64N(9000), 0
				}
				now += slice + 640
				b.Events = append(b.Events, recording.Event{
					TimeNS: now, Prev: prev, Next: next, SliceNS: slice, EndedBy: cause, State: 'S',
					PickNS: 370 + random.Int64N(40), SwitchNS: 250 + random.Int64N(20),
				})
			}
			err = errors.Join(err, w.Block(b))
		}
		err = errors.Join(err, w.Mark(mark))
		at = mark.EndNS + 10e6
	}
	if err = errors.Join(err, w.Close(recording.End{})); err != nil {
		panic(err)
	}
	return file.Bytes()
}
