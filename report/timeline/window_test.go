package timeline_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/timeline"
)

func read(t *testing.T, file []byte, opts timeline.Options) []timeline.Window {
	t.Helper()
	windows, err := timeline.Read(bytes.NewReader(file), opts)
	if err != nil {
		t.Fatal(err)
	}
	return windows
}

func TestReadTakesTheMiddleOfEachKindOfTrial(t *testing.T) {
	windows := read(t, reporttest.Recording(), timeline.Options{})
	if len(windows) != 3 {
		t.Fatalf("%d windows, want one a trial", len(windows))
	}
	for _, w := range windows {
		middle := (w.Mark.StartNS + w.Mark.EndNS) / 2
		if w.StartNS != middle || w.EndNS > w.Mark.EndNS || w.EndNS <= w.StartNS {
			t.Errorf("%s: window %d to %d of a trial %d to %d",
				w.Mark.Workload, w.StartNS, w.EndNS, w.Mark.StartNS, w.Mark.EndNS)
		}
		if w.EndNS-w.StartNS > timeline.DefaultLength.Nanoseconds() {
			t.Errorf("%s: %d ns is too long", w.Mark.Workload, w.EndNS-w.StartNS)
		}
	}
}

// Every core is busy except during switches, so slices fill the window.
func TestSlicesFillTheWindow(t *testing.T) {
	for _, w := range read(t, reporttest.Recording(), timeline.Options{}) {
		last, busy := map[sched.CPU]int64{}, map[sched.CPU]int64{}
		for _, s := range w.Slices {
			if s.StartNS < last[s.CPU] {
				t.Fatalf("%s: slices overlap on core %d at %d", w.Mark.Workload, s.CPU, s.StartNS)
			}
			last[s.CPU] = s.EndNS
			if s.StartNS >= w.EndNS || s.EndNS <= w.StartNS {
				t.Errorf("%s: slice %d to %d is outside", w.Mark.Workload, s.StartNS, s.EndNS)
			}
			busy[s.CPU] += min(s.EndNS, w.EndNS) - max(s.StartNS, w.StartNS)
		}
		for cpu, ns := range busy {
			if share := float64(ns) / float64(w.EndNS-w.StartNS); share < 0.8 || share > 1 {
				t.Errorf("%s: slices take %.3f of core %d", w.Mark.Workload, share, cpu)
			}
		}
		var sum int64
		for _, task := range w.Tasks {
			sum += task.OnCPUNS
		}
		if sum != busy[0]+busy[1] {
			t.Errorf("%s: tasks have %d ns, cores %d", w.Mark.Workload, sum, busy[0]+busy[1])
		}
	}
}

func TestTasksAreNamedAndInOrder(t *testing.T) {
	w := read(t, reporttest.Recording(), timeline.Options{})[1]
	worker := -1
	for _, task := range w.Tasks {
		if task.Worker >= 0 && task.Worker != worker+1 {
			t.Errorf("worker %d follows worker %d", task.Worker, worker)
		}
		if task.Worker >= 0 {
			worker = task.Worker
		}
		if task.Comm == "" {
			t.Errorf("task %d has no name", task.TID)
		}
	}
	if worker != 5 {
		t.Errorf("the last worker is %d, want 5", worker)
	}
}

// A core that came online after the recording had begun is in the list of cores, a task
// has the name that it had in the window, and events that a core lost at its end count.
func TestWindowOfACoreThatCameLater(t *testing.T) {
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, recording.Header{CPUs: []sched.CPU{0, 2}})
	slice := func(cpu sched.CPU, tid sched.TID, end int64) recording.Block {
		return recording.Block{CPU: cpu, Events: []recording.Event{{TimeNS: end, Prev: tid, SliceNS: 50}}}
	}
	err = errors.Join(err,
		w.Tasks([]recording.Task{
			{TID: 7, TGID: 7, Comm: "before"},
			{TimeNS: 150, TID: 7, TGID: 7, Comm: "within"},
			{TimeNS: 900, TID: 7, TGID: 7, Comm: "after"},
		}),
		w.Block(slice(0, 7, 200)), w.Block(slice(2, 8, 210)), w.Block(slice(1, 9, 220)),
		w.Block(recording.Block{CPU: 1, Lost: 64}),
		w.Mark(recording.Mark{Workload: "pipe", Mode: "threads", Round: 1, StartNS: 100, EndNS: 300}),
		w.Close(recording.End{}))
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, file.Bytes(), timeline.Options{Chosen: true, Start: 120, Length: 170})[0]
	if !slices.Equal(got.CPUs, []sched.CPU{0, 1, 2}) || len(got.Slices) != 3 || got.Lost != 64 {
		t.Errorf("cores %v, slices %+v, %d lost", got.CPUs, got.Slices, got.Lost)
	}
	i := slices.IndexFunc(got.Tasks, func(t timeline.Task) bool { return t.TID == 7 })
	if i < 0 || got.Tasks[i].Comm != "within" || got.Tasks[i].TGID != 7 {
		t.Errorf("the tasks are %+v", got.Tasks)
	}
}

func TestWindowEndsEarlyAtItsMostSlices(t *testing.T) {
	for _, w := range read(t, reporttest.Recording(), timeline.Options{Slices: 300}) {
		if len(w.Slices) > 100 {
			t.Errorf("%s: %d slices, want at most a third of 300", w.Mark.Workload, len(w.Slices))
		}
		for _, s := range w.Slices {
			if s.StartNS >= w.EndNS {
				t.Errorf("%s: a slice begins after the window", w.Mark.Workload)
			}
		}
	}
}

// A program that works for a moment and then sleeps has its slices shown.
func TestWindowGoesToWhereTheSlicesAre(t *testing.T) {
	const second = int64(time.Second)
	for name, elsewhere := range map[string]bool{"nothing in the middle": false, "another task in the middle": true} {
		b := recording.Block{}
		at := func(ns int64, tid sched.TID) {
			b.Events = append(b.Events, recording.Event{TimeNS: ns, Prev: tid, SliceNS: 1e6, PickNS: -1, SwitchNS: -1})
		}
		for i := range int64(20) {
			at(second+100e6+2e6*i, 7)
		}
		if elsewhere {
			at(second+second/2+5e6, 8)
		}
		var file bytes.Buffer
		w, err := recording.NewWriter(&file, recording.Header{MonotonicNS: second, CPUs: []sched.CPU{0}})
		if err == nil {
			mark := recording.Mark{
				Workload: "sh", Mode: "command", StartNS: second, EndNS: 2 * second, Workers: []sched.TID{7},
			}
			err = errors.Join(w.Block(b), w.Mark(mark), w.Close(recording.End{}))
		}
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, file.Bytes(), timeline.Options{})
		if len(got) != 1 || len(got[0].Slices) < 19 || got[0].Tasks[0].TID != 7 || got[0].Tasks[0].Worker != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What a flight recorder saved is shown up to just after the case that made it do so.
func TestWindowOfAFlightRecorder(t *testing.T) {
	const at = int64(5e9)
	for name, test := range map[string]struct {
		from, start int64
		mark        recording.Mark
	}{
		"the case is within":     {at - 4e9, at - 30e6, recording.Mark{}},
		"it is at the beginning": {at - 10e6, at - 10e6, recording.Mark{}},
		"it is in a trial": {
			at - 4e9, at - 30e6, recording.Mark{Mode: "system", StartNS: at - 3e9, EndNS: at + 5e8},
		},
	} {
		var file bytes.Buffer
		w, err := recording.NewWriter(&file, recording.Header{
			MonotonicNS: test.from, CPUs: []sched.CPU{0},
			Window: &recording.Window{FromNS: test.from, UntilNS: at + 1e9, Trigger: recording.Trigger{AtNS: at}},
		})
		b := recording.Block{}
		for ns := test.from; ns < at+1e9; ns += 1e6 {
			b.Events = append(b.Events, recording.Event{TimeNS: ns, Prev: 7, SliceNS: 5e5, PickNS: -1, SwitchNS: -1})
		}
		if test.mark.Mode != "" {
			err = errors.Join(err, w.Mark(test.mark))
		}
		if err = errors.Join(err, w.Block(b), w.Close(recording.End{})); err != nil {
			t.Fatal(err)
		}
		got := read(t, file.Bytes(), timeline.Options{})
		if len(got) != 1 || got[0].Mark.Mode != test.mark.Mode ||
			got[0].StartNS != test.start || got[0].EndNS != test.start+40e6 || len(got[0].Slices) < 40 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestChosenWindow(t *testing.T) {
	file := reporttest.Recording()
	w := read(t, file, timeline.Options{Chosen: true, Start: 300 * time.Millisecond, Length: 9 * time.Millisecond})
	if len(w) != 1 || w[0].Mark.Workload != "spin" || w[0].StartNS-w[0].OriginNS != 300e6 ||
		w[0].EndNS-w[0].StartNS != 9e6 {
		t.Errorf("got %+v", w)
	}
	_, err := timeline.Read(bytes.NewReader(file), timeline.Options{Chosen: true, Start: time.Hour})
	if !errors.Is(err, timeline.ErrNoWindow) {
		t.Errorf("after the end: %v", err)
	}
}

// A recording that was cut short has no mark of the trial under way.
func TestCutRecordingGivesWhatItHas(t *testing.T) {
	file := reporttest.Recording()
	w := read(t, file[:len(file)*9/10], timeline.Options{})
	if len(w) == 0 || len(w[0].Slices) == 0 {
		t.Errorf("got %d windows", len(w))
	}
	_, err := timeline.Read(bytes.NewReader([]byte(`{"schema":1}`)), timeline.Options{})
	if !errors.Is(err, recording.ErrNotRecording) {
		t.Errorf("a report: %v", err)
	}
}

// FuzzRead tests that no times in a file lead to a window that cannot be drawn.
func FuzzRead(f *testing.F) {
	f.Add(int64(10), int64(200), int64(120), int64(15), false)
	f.Add(int64(-1<<63), int64(1<<63-1), int64(1<<62), int64(1<<62), false)
	f.Add(int64(0), int64(0), int64(5), int64(-3), true)
	f.Fuzz(func(t *testing.T, start, end, at, length int64, chosen bool) {
		var file bytes.Buffer
		w, err := recording.NewWriter(&file, recording.Header{CPUs: []sched.CPU{0, 0, -1}, MonotonicNS: start})
		if err != nil {
			t.Fatal(err)
		}
		block := recording.Block{Events: []recording.Event{
			{TimeNS: at, Prev: 7, SliceNS: length},
			{TimeNS: at, Prev: 8, SliceNS: -1},
			{Kind: recording.Wakeup, TimeNS: at},
		}}
		mark := recording.Mark{Mode: "threads", StartNS: start, EndNS: end, Workers: []sched.TID{7, 7}}
		err = errors.Join(w.Block(block), w.Mark(mark), w.Close(recording.End{}))
		if err != nil {
			t.Fatal(err)
		}
		windows, err := timeline.Read(bytes.NewReader(file.Bytes()), timeline.Options{Chosen: chosen})
		if err != nil && !errors.Is(err, timeline.ErrNoWindow) {
			t.Fatal(err)
		}
		for _, w := range windows {
			if w.EndNS-w.StartNS <= 0 {
				t.Errorf("a window from %d to %d", w.StartNS, w.EndNS)
			}
			for _, s := range w.Slices {
				if s.EndNS < s.StartNS {
					t.Errorf("a slice from %d to %d", s.StartNS, s.EndNS)
				}
			}
			for _, task := range w.Tasks {
				if task.OnCPUNS < 0 || task.OnCPUNS > w.EndNS-w.StartNS {
					t.Errorf("task %d has %d ns of %d", task.TID, task.OnCPUNS, w.EndNS-w.StartNS)
				}
			}
		}
	})
}
