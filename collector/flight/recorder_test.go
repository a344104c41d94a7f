package flight

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// memory is a file in memory.
type memory struct {
	bytes.Buffer
	committed bool
	full      int // Write fails beyond so many bytes, if not 0
}

var errFull = errors.New("no space left")

func (m *memory) Write(p []byte) (int, error) {
	if m.full > 0 && m.Len()+len(p) > m.full {
		return 0, errFull
	}
	return m.Buffer.Write(p)
}

func (m *memory) Commit() error { m.committed = true; return nil }
func (m *memory) Abort()        {}

// machine makes up what cores do, and tells it to a recorder as the collector does.
type machine struct {
	t        *testing.T
	random   *rand.Rand
	recorder *Recorder
	now      int64
	blocks   map[sched.CPU]*recording.Block
	on       map[sched.CPU]sched.TID
	born     int
	// all is everything that happened, and names are the names of all tasks at each time.
	all     map[sched.CPU][]recording.Event
	names   recording.Names
	counted uint64
	files   []*memory
}

const (
	machineBegan = int64(1e12)
	firstTID     = sched.TID(100)
	tids         = 12
)

func newMachine(t *testing.T, seed uint64, o Options) *machine {
	m := &machine{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), now: machineBegan, on: map[sched.CPU]sched.TID{},
		blocks: map[sched.CPU]*recording.Block{}, all: map[sched.CPU][]recording.Event{},
	}
	if o.Create == nil {
		o.Create = func(n int) (File, error) {
			if n != len(m.files)+1 {
				t.Errorf("file %d follows %d", n, len(m.files))
			}
			m.files = append(m.files, &memory{})
			return m.files[n-1], nil
		}
	}
	m.recorder = New(o)
	if err := m.recorder.Begin(recording.Header{ID: "made up", MonotonicNS: m.now}); err != nil {
		t.Fatal(err)
	}
	for cpu := range sched.CPU(3) {
		m.blocks[cpu] = &recording.Block{CPU: cpu}
	}
	var tasks []recording.Task
	for i := range sched.TID(tids) {
		tasks = append(tasks, recording.Task{TID: firstTID + i, TGID: 100, Comm: fmt.Sprint("first-", i)})
	}
	m.tell(tasks)
	for i := range sched.TID(tids) {
		m.recorder.Watch(firstTID+i, 100, true, m.now)
	}
	return m
}

func (m *machine) tell(tasks []recording.Task) {
	m.names.Learn(tasks)
	m.check(m.recorder.Tasks(tasks))
}

func (m *machine) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// step makes one event on one core.
func (m *machine) step() {
	m.now += 1 + m.random.Int64N(40_000)
	cpu := sched.CPU(m.random.IntN(3))
	tid := firstTID + sched.TID(m.random.IntN(tids))
	b := m.blocks[cpu]
	e := recording.Event{TimeNS: m.now, Next: tid, Kind: recording.Wakeup, CPU: cpu}
	if m.random.IntN(3) > 0 {
		e = recording.Event{
			TimeNS: m.now, Prev: m.on[cpu], Next: tid, SliceNS: m.random.Int64N(1000), PickNS: -1, SwitchNS: 7,
			State: "RS"[m.random.IntN(2)],
		}
		if e.Prev > firstTID && m.random.IntN(4) == 0 {
			e.State = 'X'
		}
		m.on[cpu] = tid
		m.counted++
	}
	b.Events = append(b.Events, e)
	m.all[cpu] = append(m.all[cpu], e)
	if e.State == 'X' { // the first task creates another with its tid
		m.now++
		m.born++
		name := fmt.Sprint("child-", m.born)
		m.tell([]recording.Task{{TimeNS: m.now, TID: e.Prev, TGID: 100, Parent: firstTID, Comm: name}})
	}
	switch m.random.IntN(20) {
	case 0:
		m.born++
		m.tell([]recording.Task{{TimeNS: m.now, TID: tid, TGID: 100, Comm: fmt.Sprint("name-", m.born)}})
	case 1:
		m.send(cpu)
	}
}

func (m *machine) send(cpu sched.CPU) {
	if b := m.blocks[cpu]; len(b.Events) > 0 {
		m.check(m.recorder.Block(*b))
		b.Events = nil
	}
}

func (m *machine) cut() {
	for cpu := range m.blocks {
		m.send(cpu)
	}
	m.recorder.Cut(Cut{SafeNS: m.now, AllNS: m.now, Counted: m.counted})
}

// run makes events for a time, with a cut every 2 ms.
func (m *machine) run(d time.Duration) {
	for end, next := m.now+d.Nanoseconds(), m.now+2e6; m.now < end; {
		if m.step(); m.now > next {
			m.cut()
			next = m.now + 2e6
		}
	}
}

func (m *machine) finish() Result {
	for cpu := range m.blocks {
		m.send(cpu)
	}
	m.check(m.recorder.Close(recording.End{Counted: m.counted}))
	return m.recorder.Result()
}

// saved reads a window to its end.
func saved(t *testing.T, file []byte) (
	header recording.Header, events map[sched.CPU][]recording.Event, names *recording.Names, end recording.End,
) {
	t.Helper()
	r, err := recording.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	events, names = map[sched.CPU][]recording.Event{}, &recording.Names{}
	for {
		f, err := r.Next()
		if err == io.EOF {
			return r.Header(), events, names, end
		}
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *recording.Block:
			events[f.CPU] = append(events[f.CPU], f.Events...)
		case []recording.Task:
			names.Learn(f)
		case recording.End:
			end = f
		}
	}
}

// checkWindow checks that a file has exactly what happened in its window, with the names of that time.
func (m *machine) checkWindow(file []byte, keep, after time.Duration) {
	m.t.Helper()
	header, events, names, end := saved(m.t, file)
	w := header.Window
	if w == nil || header.ID != "made up" {
		m.t.Fatalf("the header is %+v", header)
	}
	from := max(machineBegan, w.Trigger.AtNS-keep.Nanoseconds())
	if w.FromNS > from && !w.Short || w.FromNS < from-3e6 {
		m.t.Errorf("it begins %d ns after it should", w.FromNS-from)
	}
	if until := min(w.Trigger.AtNS+after.Nanoseconds(), m.now); w.UntilNS < until-1 {
		m.t.Errorf("it ends %d ns too early", until-w.UntilNS)
	}
	var switches uint64
	for cpu, all := range m.all {
		var want []recording.Event
		for _, e := range all {
			if e.TimeNS > w.FromNS && e.TimeNS <= w.UntilNS {
				want = append(want, e)
			}
		}
		if !slices.Equal(events[cpu], want) {
			m.t.Errorf("core %d has %d events, want %d", cpu, len(events[cpu]), len(want))
		}
		for _, e := range want {
			if e.Kind == recording.Switch {
				switches++
			}
			if got, name := names.At(e.Next, e.TimeNS), m.names.At(e.Next, e.TimeNS); got != name {
				m.t.Fatalf("task %d is called %q at %d, want %q", e.Next, got, e.TimeNS, name)
			}
		}
	}
	if end.Switches != switches || end.Counted != switches {
		m.t.Errorf("it ends with %+v, and has %d switches", end, switches)
	}
}

// waits is the condition that a wait is longer.
func waits(than time.Duration) []Condition { return []Condition{{Kind: Wait, Limit: than}} }

// Whatever happens, a saved window has all events of all cores from Keep before the case to a little
// after it, with the names that the tasks had.
func TestWindowHasWhatHappened(t *testing.T) {
	for seed := range uint64(20) {
		o := Options{
			Keep: time.Duration(1+seed) * 10 * time.Millisecond, Times: 3,
			When: append(waits(1200*time.Microsecond), Condition{Kind: Blocked, Limit: 8 * time.Millisecond}),
		}
		m := newMachine(t, seed, o)
		m.run(700 * time.Millisecond)
		result := m.finish()
		if result.Err != nil || len(result.Saved) != len(m.files) || len(m.files) == 0 {
			t.Fatalf("seed %d: %d files, result %+v", seed, len(m.files), result)
		}
		for i, f := range m.files {
			m.checkWindow(f.Bytes(), o.Keep, o.After())
			if s := result.Saved[i]; !f.committed || s.Bytes != int64(f.Len()) || s.Short || s.Number != i+1 {
				t.Errorf("seed %d: file %d of %d bytes is told as %+v", seed, i+1, f.Len(), s)
			}
		}
	}
}

// The window never takes more memory than it may, also when there are no cuts, and what is saved is a
// recording that says that it is short.
func TestWindowIsBounded(t *testing.T) {
	for name, cut := range map[string]bool{"with cuts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, 7, Options{Keep: 10 * time.Second, Times: 1, MostBytes: 30_000})
			for i := range 60_000 {
				if m.step(); cut && i%100 == 0 {
					m.cut()
				}
				r := m.recorder
				sum := r.current.bytes
				for _, e := range r.window.epochs {
					sum += e.bytes
				}
				if sum != r.window.bytes || sum > 30_000 {
					t.Fatalf("%d bytes are kept, and %d counted", sum, r.window.bytes)
				}
			}
			if len(m.recorder.window.before) > tids {
				t.Errorf("%d tasks are remembered", len(m.recorder.window.before))
			}
			m.recorder.Save(m.now)
			result := m.finish()
			if len(result.Saved) != 1 || !result.Saved[0].Short || result.Saved[0].Bytes > 60_000 {
				t.Fatalf("saved: %+v", result)
			}
			if cut {
				m.checkWindow(m.files[0].Bytes(), 10*time.Second, 0)
			}
		})
	}
}

// Also where there is no room for all that comes after a case, the case is in its window.
func TestCaseStaysInAShortWindow(t *testing.T) {
	for seed := range uint64(10) {
		m := newMachine(t, seed, Options{
			Keep: 10 * time.Second, Times: 1, When: waits(1500 * time.Microsecond), MostBytes: 30_000,
		})
		m.run(300 * time.Millisecond)
		result := m.finish()
		if len(result.Saved) != 1 {
			t.Fatalf("seed %d: %+v", seed, result)
		}
		w := result.Saved[0]
		if w.FromNS > w.Trigger.AtNS-w.Trigger.LengthNS || w.UntilNS < w.Trigger.AtNS {
			t.Errorf("seed %d: the window is %+v", seed, w.Window)
		}
		m.checkWindow(m.files[0].Bytes(), 10*time.Second, 0)
	}
}

func TestSignalSavesWhatThereIs(t *testing.T) {
	m := newMachine(t, 3, Options{Keep: 20 * time.Millisecond, Times: 2})
	m.run(50 * time.Millisecond)
	m.recorder.Save(m.now)
	m.cut()
	m.run(50 * time.Millisecond)
	result := m.finish()
	if len(result.Saved) != 1 || result.Saved[0].Trigger.Condition != BySignal {
		t.Fatalf("saved: %+v", result)
	}
	m.checkWindow(m.files[0].Bytes(), 20*time.Millisecond, 0)
}

func TestNothingIsSavedWithoutACase(t *testing.T) {
	m := newMachine(t, 3, Options{Keep: 20 * time.Millisecond, Times: 1, When: waits(time.Hour)})
	m.run(50 * time.Millisecond)
	if result := m.finish(); len(result.Saved) > 0 || result.Err != nil || len(m.files) > 0 {
		t.Errorf("saved: %+v", result)
	}
}

// A case in the last moments of a run is saved with what there is.
func TestRunThatEndsJustAfterACase(t *testing.T) {
	m := newMachine(t, 3, Options{Keep: 20 * time.Millisecond, Times: 5})
	m.run(50 * time.Millisecond)
	m.recorder.found(recording.Trigger{Condition: "made up", AtNS: m.now})
	m.recorder.found(recording.Trigger{Condition: "made up", AtNS: m.now + 1})
	result := m.finish()
	if len(result.Saved) != 1 || result.Saved[0].More != 1 {
		t.Fatalf("saved: %+v", result)
	}
	m.checkWindow(m.files[0].Bytes(), 20*time.Millisecond, 0)
}

// After a file that cannot be written, nothing more is saved, and the error is returned.
func TestFullDiskEndsTheSaving(t *testing.T) {
	creates := 0
	for name, create := range map[string]func(int) (File, error){
		"no file":   func(int) (File, error) { creates++; return nil, errFull },
		"full disk": func(int) (File, error) { creates++; return &memory{full: 300}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			creates = 0
			m := newMachine(t, 3, Options{
				Keep: 20 * time.Millisecond, Times: 9, When: waits(time.Millisecond), Create: create,
			})
			m.run(600 * time.Millisecond)
			if result := m.finish(); len(result.Saved) > 0 || !errors.Is(result.Err, errFull) || creates != 1 {
				t.Errorf("%d files, result %+v", creates, result)
			}
		})
	}
}
