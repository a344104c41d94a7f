package collector

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// bystander lets trials run and does nothing.
type bystander struct{}

func (bystander) Ready(workloads.Trial, []workloads.Worker) error { return nil }

func (bystander) Stopped(workloads.Result) error { return nil }

// record opens a collector that records into the buffer.
func record(t *testing.T, out io.Writer) *Collector {
	t.Helper()
	bpftest.Require(t)
	c, err := Open(Options{Record: &Recording{Out: out, Header: recording.Header{Tool: "test"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// work runs one trial of each of some workloads in both modes.
func work(t *testing.T, duration time.Duration, names ...string) {
	t.Helper()
	p := workloads.Plan{
		Modes:    []workloads.Mode{workloads.Processes, workloads.Threads},
		Rounds:   1,
		Duration: bpftest.WorkFor(duration),
	}
	for _, name := range names {
		w, err := workloads.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		p.Workloads = append(p.Workloads, w)
	}
	if err := RunTrials(t, p, bystander{}); err != nil {
		t.Fatal(err)
	}
}

// RunTrials runs a plan. In emulation it runs the plain variants only: the others differ in what workers do
// between switches, not in the kinds of switches.
func RunTrials(t testing.TB, p workloads.Plan, o workloads.Observer) error {
	if !bpftest.Emulated() {
		return p.Run(t.Context(), o, nil)
	}
	for _, trial := range p.Trials() {
		if trial.Variant != "" {
			continue
		}
		if err := workloads.Run(t.Context(), trial, nil, o); err != nil {
			return err
		}
	}
	return nil
}

// recordedFile is the content of a recording.
type recordedFile struct {
	header   recording.Header
	end      recording.End
	switches map[sched.CPU][]recording.Event // by core
	wakeups  map[sched.TID]int               // by tid
	names    map[sched.TID]string
	lost     uint64
}

func readRecording(t *testing.T, file []byte) *recordedFile {
	t.Helper()
	r, err := recording.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := &recordedFile{
		header:   r.Header(),
		switches: map[sched.CPU][]recording.Event{},
		wakeups:  map[sched.TID]int{},
		names:    map[sched.TID]string{},
	}
	for {
		f, err := r.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *recording.Block:
			got.lost += f.Lost
			for _, e := range f.Events {
				if e.Kind == recording.Wakeup {
					got.wakeups[e.Next]++
				} else {
					got.switches[f.CPU] = append(got.switches[f.CPU], e)
				}
			}
		case []recording.Task:
			for _, task := range f {
				got.names[task.TID] = task.Comm
			}
		case recording.End:
			got.end = f
		}
	}
}

// phaseSum is what is known of one phase of a class.
type phaseSum struct{ count, sum uint64 }

func (p *phaseSum) add(ns int64) {
	if ns >= 0 {
		p.count++
		p.sum += uint64(ns)
	}
}

func sumOf(h latencies) (p phaseSum) {
	for _, n := range h.bucket {
		p.count += n
	}
	p.sum = h.sum
	return p
}

// The recording equals the counters, to the last switch and the last nanosecond of each phase,
// on each core and for each class.
func TestRecordingEqualsTheCounters(t *testing.T) {
	var file bytes.Buffer
	c := record(t, &file)
	work(t, 200*time.Millisecond, "pipe", "spin", "yield", "messaging", "spawn")
	end, err := c.FinishRecording()
	if err != nil {
		t.Fatal(err)
	}
	got := readRecording(t, file.Bytes())
	if end != got.end || end.Lost != 0 || end.LostTasks != 0 || end.Switches != end.Counted || got.lost != 0 {
		t.Errorf("the recording ends with %+v, Finish says %+v", got.end, end)
	}
	if len(got.header.CPUs) != len(c.cores) || got.header.Switch == "" || got.header.MonotonicNS == 0 {
		t.Errorf("the header is %+v", got.header)
	}
	var all int
	for i := range c.cores {
		// With the last switch, whose phases the kernel counts only at the next,
		// unless it was under way: then it is recorded, and not counted yet.
		counted := c.cores[i].snapshot(true)
		events := got.switches[c.cores[i].cpu]
		if last := &c.cores[i].now.Cpu; last.SliceStart > 0 && last.ExitStamp == 0 && len(events) > 0 {
			events[len(events)-1].Class = recording.NoClass
		}
		all += len(events)
		if n := c.cores[i].now.Cpu.Switches; uint64(len(events)) != n {
			t.Errorf("core %d: %d switches recorded, %d counted", c.cores[i].cpu, len(events), n)
		}
		for class, name := range report.Classes() {
			var switches uint64
			var pick, switchPhase phaseSum
			for _, e := range events {
				if int(e.Class) == class {
					switches++
					pick.add(e.PickNS)
					switchPhase.add(e.SwitchNS)
				}
			}
			k := counted.classes[class]
			if switches != k.switches || pick != sumOf(k.pick) || switchPhase != sumOf(k.switchPhase) {
				t.Errorf("core %d, %s: recorded %d switches, picks %v, switch phases %v; counted %d, %v, %v",
					c.cores[i].cpu, name, switches, pick, switchPhase, k.switches, sumOf(k.pick), sumOf(k.switchPhase))
			}
		}
	}
	if all < 50_000 && !bpftest.Emulated() || all < 1000 {
		t.Errorf("%d switches are too few to prove much", all)
	}
}

// On each core one event follows the other, and every slice lies between two.
func TestRecordedEventsFollowEachOther(t *testing.T) {
	var file bytes.Buffer
	c := record(t, &file)
	work(t, 100*time.Millisecond, "pipe", "spin", "sleep")
	if _, err := c.FinishRecording(); err != nil {
		t.Fatal(err)
	}
	got := readRecording(t, file.Bytes())
	workers, broken, waits := 0, 0, 0
	for cpu, events := range got.switches {
		for i, e := range events[1:] {
			before := events[i]
			if e.TimeNS < before.TimeNS {
				t.Fatalf("core %d goes back from %d to %d", cpu, before.TimeNS, e.TimeNS)
			}
			if e.SliceNS >= 0 && e.TimeNS-e.SliceNS < before.TimeNS {
				t.Fatalf("core %d: a slice of %d ns began before its switch, %d ns ago",
					cpu, e.SliceNS, e.TimeNS-before.TimeNS)
			}
			if e.Prev != before.Next {
				broken++ // a task that the kernel hides
			}
			if e.Prev == 0 && (e.EndedBy != recording.NoCause || e.State != 'R') {
				t.Errorf("core %d: idle's slice ended by %d in state %c", cpu, e.EndedBy, e.State)
			}
			if bytes.HasPrefix([]byte(got.names[e.Prev]), []byte("st-")) {
				workers++
			}
			blocked := e.Prev != 0 && int(e.EndedBy) < len(report.Causes()) &&
				report.Causes()[e.EndedBy] == report.EndedByBlocked
			if blocked && e.State != 'R' {
				waits++
			}
		}
	}
	if workers == 0 || waits == 0 || broken > 100 {
		t.Errorf("%d slices of named workers, %d that ended blocked, %d switches from nowhere", workers, waits, broken)
	}
	if len(got.wakeups) < 10 {
		t.Errorf("%d tasks were woken", len(got.wakeups))
	}
}

func TestStateLetters(t *testing.T) {
	for state, want := range map[uint16]byte{
		0: 'R', 1: 'S', 2: 'D', 0x102: 'D', 0x402: 'I', 4: 'T', 8: 't', 0x80: 'X', 0x40: 'P', 0x2000: 'R',
		0x2001: 'S', 0x1000: 'D', 0x8000: 'D', 0x200: 'S',
	} {
		if got := stateLetter(state); got != want {
			t.Errorf("state %#x is %c, want %c", state, got, want)
		}
	}
}

// A task that the kernel preempted waits for a core, also if it was about to block.
func TestStateOfAPreemptedTask(t *testing.T) {
	for _, c := range []struct {
		event bpf.Event
		want  byte
	}{
		{bpf.Event{State: 1}, 'S'},
		{bpf.Event{State: 1, Flags: bpf.EventPreempt}, 'R'},
		{bpf.Event{State: 0x1000, Flags: bpf.EventPreempt}, 'R'},
		{bpf.Event{Flags: bpf.EventPreempt}, 'R'},
	} {
		if got := switchOf(&c.event).State; got != c.want {
			t.Errorf("%+v is %c, want %c", c.event, got, c.want)
		}
	}
}

// Events that a core sends after its counters were read are not recorded.
func TestEventsAfterTheEndAreLeftOut(t *testing.T) {
	var file bytes.Buffer
	r := recordInto(t, &file)
	r.core(0).until = 20
	r.events(&bpf.Events{Count: 4, Event: [64]bpf.Event{
		{Time: 10, Next: 5}, {Time: 20, Prev: 5, Flags: bpf.EventPickValid, PickNs: 3},
		{Time: 21, Next: 6}, {Time: 22, Flags: bpf.EventWakeup},
	}})
	r.until = 20
	r.events(&bpf.Events{Cpu: 1, Count: 1, Lost: 5, Event: [64]bpf.Event{{Time: 21}}}) // a core that came later
	r.finish()
	r.events(&bpf.Events{Count: 0, Lost: 7})
	if err := r.out.finish(); err != nil {
		t.Fatal(err)
	}
	got := readRecording(t, file.Bytes())
	if got.end != (recording.End{Switches: 2}) || r.end != got.end ||
		len(got.switches[0]) != 2 || len(got.switches[1]) != 0 {
		t.Errorf("up to the end there were %+v: %+v", got.end, got.switches)
	}
}

// The reader's own core sends its events with interrupts on. Sleepers that wake there meanwhile
// are recorded, each wakeup once.
func TestWakeupsDuringASnapshotAreRecorded(t *testing.T) {
	const sleepers = 6
	var file bytes.Buffer
	c := record(t, &file)
	cores := bpftest.AllowedCores[sched.CPU](t)
	cpu := cores[0]
	var stop atomic.Bool
	var sleeping sync.WaitGroup
	for range sleepers {
		sleeping.Add(1)
		bpftest.OnOwnThread(cpu, func(err error) {
			defer sleeping.Done()
			nap := unix.Timespec{Nsec: 20_000}
			for err == nil && !stop.Load() {
				err = unix.Nanosleep(&nap, nil)
			}
		})
	}
	read := make(chan error)
	bpftest.OnOwnThread(cpu, func(err error) {
		for start := time.Now(); err == nil && time.Since(start) < time.Second; {
			err = c.readBeforeWrap()
		}
		stop.Store(true)
		read <- err
	})
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	sleeping.Wait()
	end, err := c.FinishRecording()
	if err != nil {
		t.Fatal(err)
	}
	least := uint64(1000)
	if bpftest.Emulated() {
		least = 23
	}
	got := readRecording(t, file.Bytes())
	if end != got.end || end.Lost != 0 || got.lost != 0 || end.Switches != end.Counted || end.Wakeups < least {
		t.Errorf("the recording ends with %+v, lost %d, Finish says %+v", got.end, got.lost, end)
	}
}
