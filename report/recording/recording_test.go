package recording_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// pingPong is a block of two workers that wake each other: a wakeup for each switch.
func pingPong(cpu sched.CPU, switches int, start int64) recording.Block {
	random := rand.New(rand.NewPCG(uint64(cpu), 7))
	b := recording.Block{CPU: cpu}
	now, tids := start, [2]sched.TID{40123, 40124}
	for i := range switches {
		prev, next := tids[i%2], tids[(i+1)%2]
		now += 1500 + random.Int64N(200)
		b.Events = append(b.Events, recording.Event{TimeNS: now, Kind: recording.Wakeup, Next: next, CPU: cpu})
		slice := 1800 + random.Int64N(300)
		now += 400
		b.Events = append(b.Events, recording.Event{
			TimeNS: now, Prev: prev, Next: next, SliceNS: slice,
			PickNS: 380 + random.Int64N(60), SwitchNS: 250 + random.Int64N(40), State: 'S',
		})
	}
	return b
}

// awkward is a block of unusual values.
func awkward() recording.Block {
	return recording.Block{CPU: 8191, Lost: 1 << 40, Events: []recording.Event{
		{
			TimeNS: 5, Prev: 7, Next: 0, SliceNS: -1, PickNS: -1, SwitchNS: -1,
			Class: recording.NoClass, EndedBy: 5, State: 'Z',
		},
		{TimeNS: 5, Kind: recording.Wakeup, Next: 4194304, CPU: 3},
		{
			TimeNS: 1 << 62, Prev: 0, Next: -1, SliceNS: 1 << 61, PickNS: 0, SwitchNS: 1 << 62,
			Class: 4, EndedBy: 0, State: 'R',
		},
		{TimeNS: 1 << 62, Prev: 12, Next: 2147483647, SliceNS: 1, PickNS: 1 << 40, SwitchNS: 0},
	}}
}

func header() recording.Header {
	return recording.Header{
		Tool: "slicetrace v1", Created: time.Unix(1e9, 0).UTC(), MonotonicNS: 17, CPUs: []sched.CPU{0, 1},
		Kernel: "6.18", Pick: "sched_entry_tp",
	}
}

func tasks() []recording.Task {
	return []recording.Task{
		{TID: 1, TGID: 1, Comm: "init"},
		{TimeNS: -3, TID: 2147483647, TGID: 0, Comm: "\x1b[31m\xff\x00,="},
		{},
	}
}

// births are a task that was created and one that changed its name meanwhile.
func births() []recording.Task {
	return []recording.Task{
		{TimeNS: 5, TID: 12, TGID: 12, Parent: 2147483647, Comm: "sh"},
		{TimeNS: 6, TID: 1, TGID: 1, Comm: "systemd"},
	}
}

// written is a file with all kinds of frames.
func written(t testing.TB, blocks ...recording.Block) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, header())
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(w.Tasks(tasks()), w.Tasks(births()))
	for _, b := range blocks {
		err = errors.Join(err, w.Block(b))
	}
	err = errors.Join(err, w.Mark(recording.Mark{Workload: "pipe", Mode: "threads", Round: 1, Workers: []sched.TID{5}}))
	if err = errors.Join(err, w.Close(recording.End{Switches: 23, Counted: 23})); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// read returns all frames, copied.
func read(in io.Reader) (frames []recording.Frame, err error) {
	r, err := recording.NewReader(in)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		f, err := r.Next()
		if err != nil {
			return frames, err
		}
		if b, ok := f.(*recording.Block); ok {
			f = recording.Block{CPU: b.CPU, Lost: b.Lost, Events: append([]recording.Event(nil), b.Events...)}
		}
		frames = append(frames, f)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	blocks := []recording.Block{pingPong(0, 10007, 1e12), awkward(), {CPU: 1}}
	got, err := read(bytes.NewReader(written(t, blocks...)))
	if err != io.EOF {
		t.Error(err)
	}
	want := []recording.Frame{
		tasks(), births(), blocks[0], blocks[1], blocks[2],
		recording.Mark{Workload: "pipe", Mode: "threads", Round: 1, Workers: []sched.TID{5}},
		recording.End{Switches: 23, Counted: 23},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
	r, err := recording.NewReader(bytes.NewReader(written(t)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(header(), r.Header()); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

// A file that was cut anywhere gives its complete frames and then ErrCut.
func TestCutFileGivesItsCompleteFrames(t *testing.T) {
	file := written(t, pingPong(0, 7, 1e9), awkward())
	last := 0
	for n := range file {
		frames, err := read(bytes.NewReader(file[:n]))
		if len(frames) < last {
			t.Fatalf("%d bytes have %d frames, and fewer bytes have %d", n, len(frames), last)
		}
		last = len(frames)
		if !errors.Is(err, recording.ErrCut) && !(n == 0 && errors.Is(err, recording.ErrNotRecording)) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if last != 5 { // tasks twice, two blocks, mark
		t.Errorf("all bytes except the last have %d frames, want 5", last)
	}
}

// More names than one frame takes are read again, in parts.
func TestManyNames(t *testing.T) {
	var tasks []recording.Task
	for i := range sched.TID(100_003) {
		tasks = append(tasks, recording.Task{TimeNS: int64(i), TID: i, TGID: 1, Comm: "a"})
	}
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, header())
	if err = errors.Join(err, w.Tasks(tasks), w.Close(recording.End{})); err != nil {
		t.Fatal(err)
	}
	frames, err := read(&file)
	if err != io.EOF {
		t.Fatal(err)
	}
	var got []recording.Task
	for _, f := range frames {
		some, _ := f.([]recording.Task)
		if len(some) > 1<<15 {
			t.Errorf("%d names at a time", len(some))
		}
		got = append(got, some...)
	}
	if diff := cmp.Diff(tasks, got); diff != "" {
		t.Errorf("names (-want +got):\n%.1000s", diff)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	file := written(t, pingPong(0, 211, 1e9))
	damaged := 0
	for i := range file {
		bad := bytes.Clone(file)
		bad[i] ^= 0x10
		if _, err := read(bytes.NewReader(bad)); err != io.EOF {
			damaged++
		}
	}
	// Some changes of a letter in a JSON text leave it valid.
	if damaged < len(file)*9/10 {
		t.Errorf("%d of %d damaged files are refused", damaged, len(file))
	}
	_, err := recording.NewReader(bytes.NewReader([]byte("slicerec\x02 and so on")))
	if err == nil || errors.Is(err, recording.ErrNotRecording) {
		t.Errorf("a later format: %v", err)
	}
	_, err = recording.NewReader(bytes.NewReader([]byte(`{"schema":1}`)))
	if !errors.Is(err, recording.ErrNotRecording) {
		t.Errorf("a report: %v", err)
	}
}

func TestSwitchTakesFewBytes(t *testing.T) {
	const switches = 100_003
	n := len(written(t, pingPong(0, switches, 1e12)))
	t.Logf("%.2f bytes for a switch and its wakeup", float64(n)/switches)
	if n > 12*switches {
		t.Errorf("%d bytes for %d switches", n, switches)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(written(f, pingPong(0, 3, 1e9), awkward()))
	f.Add(written(f))
	f.Add([]byte("slicerec\x01H\x02{}E\x02{}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		frames, err := read(bytes.NewReader(file))
		if err == nil {
			t.Error("no error, not even io.EOF")
		}
		var again bytes.Buffer
		w, err := recording.NewWriter(&again, recording.Header{})
		if err != nil {
			t.Fatal(err)
		}
		blocks := []recording.Frame{}
		for _, frame := range frames {
			if b, ok := frame.(recording.Block); ok {
				if err := w.Block(b); err != nil {
					t.Fatal(err)
				}
				blocks = append(blocks, b)
			}
		}
		if err := w.Close(recording.End{}); err != nil {
			t.Fatal(err)
		}
		back, err := read(&again)
		if err != io.EOF {
			t.Fatal(err)
		}
		// A crafted file can have negative slices. They are written as unknown ones.
		alike := cmp.Comparer(func(a, b recording.Event) bool {
			return a.TimeNS == b.TimeNS && a.Kind == b.Kind && a.Next == b.Next && a.Prev == b.Prev &&
				a.State == b.State && a.CPU == b.CPU
		})
		if diff := cmp.Diff(blocks, back[:len(back)-1], alike, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("blocks written again (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	const switches = 10_007
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, header())
	for range 100 {
		err = errors.Join(err, w.Block(pingPong(0, switches, 1e12)))
	}
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := recording.NewReader(bytes.NewReader(file.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		r.Close()
	}
	b.ReportMetric(float64(100*switches)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mswitches/s")
}
