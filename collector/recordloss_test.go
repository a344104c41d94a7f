package collector

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// recordInto returns an event writer that gets its events from the test.
func recordInto(t *testing.T, out io.Writer) *eventWriter {
	t.Helper()
	w, err := recording.NewWriter(out, recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	r := newEventWriter(w)
	t.Cleanup(r.out.abandon)
	return r
}

// However events are lost, the blocks of a recording report as many as its end does.
func TestEveryLostEventIsNoted(t *testing.T) {
	some := func(count uint32, lost uint64) *bpf.Events {
		e := &bpf.Events{Count: count, Lost: lost}
		for i := range e.Event {
			e.Event[i].Time = uint64(1 + i)
		}
		return e
	}
	for name, test := range map[string]struct {
		sent  []*bpf.Events
		atEnd uint64 // by the snapshot that ends the recording
		want  uint64
	}{
		"none":                         {[]*bpf.Events{some(3, 0)}, 0, 0},
		"before the first event":       {[]*bpf.Events{some(3, 64)}, 0, 64},
		"twice, with events between":   {[]*bpf.Events{some(3, 64), some(2, 128)}, 0, 192},
		"twice, with nothing between":  {[]*bpf.Events{some(3, 0), some(0, 64), some(0, 1), some(3, 0)}, 0, 65},
		"and nothing comes after them": {[]*bpf.Events{some(3, 0), some(0, 64)}, 0, 64},
		"by the last attempt to send":  {[]*bpf.Events{some(3, 0)}, 64, 64},
		"all":                          {nil, 64, 64},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			r := recordInto(t, &file)
			var sent uint64
			for _, e := range test.sent {
				r.events(e)
				sent += uint64(e.Count)
			}
			if test.atEnd > 0 {
				r.lost(r.core(0), test.atEnd)
			}
			r.finish()
			if err := r.out.finish(); err != nil {
				t.Fatal(err)
			}
			got := readRecording(t, file.Bytes())
			if got.lost != test.want || got.end.Lost != test.want ||
				got.end.Switches != sent || len(got.switches[0]) != int(sent) {
				t.Errorf("blocks tell of %d lost events, the end of %+v; want %d, and %d switches",
					got.lost, got.end, test.want, sent)
			}
		})
	}
}

// stuck is a disk that stalls between hold and release. Its buffer has one writer.
type stuck struct {
	bytes.Buffer
	mu   sync.Mutex
	held chan struct{}
}

func (s *stuck) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = make(chan struct{})
}

func (s *stuck) release() { close(s.held) }

func (s *stuck) Write(p []byte) (int, error) {
	s.mu.Lock()
	held := s.held
	s.mu.Unlock()
	if held != nil {
		<-held
	}
	return s.Buffer.Write(p)
}

// What waits for a stalled disk is bounded, and what comes beyond is counted.
func TestWhatWaitsForTheDiskIsBounded(t *testing.T) {
	disk := &stuck{}
	r := recordInto(t, disk)
	disk.hold()
	e := &bpf.Events{Count: 64}
	now := uint64(0)
	for range 2 * mostWaiting / 64 {
		for i := range e.Event {
			now++
			e.Event[i].Time = now
			e.Event[i].Flags = bpf.EventWakeup * uint8(i%2)
		}
		r.events(e)
		r.tasks([]recording.Task{{TID: sched.TID(now), Comm: "a"}})
	}
	r.out.mu.Lock()
	waiting := r.out.waiting
	r.out.mu.Unlock()
	if waiting > mostWaiting || waiting < mostWaiting-blockEvents-namesAtMost {
		t.Errorf("%d events wait for the disk, want nearly %d", waiting, mostWaiting)
	}
	disk.release()
	// finish writes the events and names that are left.
	r.finish()
	if err := r.out.finish(); err != nil {
		t.Fatal(err)
	}
	got := readRecording(t, disk.Bytes())
	kept := uint64(len(got.switches[0]))
	for _, n := range got.wakeups {
		kept += uint64(n)
	}
	if got.end.Lost == 0 || got.lost != got.end.Lost || kept+got.lost != now ||
		got.end.Switches+got.end.Wakeups != kept {
		t.Errorf("of %d events %d are kept and %d noted as lost: the end is %+v", now, kept, got.lost, got.end)
	}
	if n := uint64(len(got.names)); got.end.LostTasks == 0 || n+got.end.LostTasks != 2*mostWaiting/64 {
		t.Errorf("of %d names %d are kept, and the end is %+v", 2*mostWaiting/64, n, got.end)
	}
}

// A stalled disk delays neither snapshots nor the watching of tasks.
func TestSnapshotsDoNotWaitForTheDisk(t *testing.T) {
	disk := &stuck{}
	c := record(t, disk)
	disk.hold()
	done := make(chan error, 1)
	work(t, 100*time.Millisecond, "yield")
	go func() {
		before, err := c.Snapshot()
		if err == nil {
			err = c.Watch(Task{PID: 2, TID: 2}) // kthreadd; a kernel may hide init from tracing
		}
		if err == nil {
			var after *Snapshot
			if after, err = c.Snapshot(); err == nil {
				_, err = after.Since(before)
			}
		}
		done <- errors.Join(err, c.Mark(recording.Mark{Workload: "yield"}))
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("they wait for the disk")
	}
	disk.release()
	end, err := c.FinishRecording()
	if err != nil {
		t.Fatal(err)
	}
	if got := readRecording(t, disk.Bytes()); got.end != end || end.Switches < 1000 || got.lost != end.Lost {
		t.Errorf("the recording ends with %+v, and %d events are lost; it should with %+v", got.end, got.lost, end)
	}
}

// A reader that stalls loses events, and every one of them is counted.
func TestLostEventsAreCounted(t *testing.T) {
	var file bytes.Buffer
	c := record(t, &file)
	c.ring.mu.Lock()
	// The ring has room for what comes in 50 to 500 ms, if nothing else uses the cores.
	for start := time.Now(); !losesEvents(t, c) && time.Since(start) < time.Minute; {
		work(t, 300*time.Millisecond, "yield")
	}
	c.ring.mu.Unlock()
	end, err := c.FinishRecording()
	if err != nil {
		t.Fatal(err)
	}
	got := readRecording(t, file.Bytes())
	if end.Lost == 0 || got.lost != end.Lost {
		t.Errorf("%d events were lost, %d are noted in blocks", end.Lost, got.lost)
	}
	var kept uint64
	for _, events := range got.switches {
		kept += uint64(len(events))
	}
	// What is lost is switches and wakeups.
	if kept != end.Switches || end.Switches >= end.Counted || end.Switches+end.Lost < end.Counted {
		t.Errorf("%d switches of %d kept, %d events lost", end.Switches, end.Counted, end.Lost)
	}
}

// losesEvents reports whether events of a core have found no room in the ring.
func losesEvents(t *testing.T, c *Collector) bool {
	t.Helper()
	return slices.ContainsFunc(c.cores, func(core *core) bool {
		var buffer bpf.EventBuf
		if err := c.objs.EventBufs.Lookup(uint32(core.cpu), &buffer); err != nil {
			t.Error(err)
		}
		return buffer.Out.Lost > 0
	})
}

// full is a disk with room for some bytes.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// A full disk ends the recording, but not the counting.
func TestFullDiskEndsTheRecordingOnly(t *testing.T) {
	c := record(t, &full{2_000})
	work(t, 100*time.Millisecond, "yield")
	if _, err := c.FinishRecording(); !errors.Is(err, errFull) {
		t.Errorf("got error %v, want that of the write", err)
	}
	before, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	work(t, 50*time.Millisecond, "yield")
	after, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	in, err := after.Since(before)
	if err != nil || !slices.ContainsFunc(in.Cores, func(c report.Core) bool { return len(c.Classes) > 0 }) {
		t.Errorf("nothing was counted afterwards: %v", err)
	}
}
