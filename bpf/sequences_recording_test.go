package bpf

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/cilium/ebpf"
)

// recorded are the blocks of events that were sent.
func recorded(t *testing.T, r *replay) []Events {
	t.Helper()
	var blocks []Events
	for _, sample := range r.records() {
		var e Events
		if err := binary.Read(bytes.NewReader(sample), binary.NativeEndian, &e); err != nil {
			t.Fatal(err)
		}
		want(t, "type", uint64(e.Record), RecordEvents)
		blocks = append(blocks, e)
	}
	return blocks
}

func recording(spec *ebpf.CollectionSpec) { spec.Maps[slicetraceMapStRing].MaxEntries = 4096 }

// A block of events is sent when its 64th is written, and what finds no room is
// said with the next that does.
func TestRecordingBlockFlushAndLoss(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	at := uint64(1000)
	turns := func(n int) {
		for range n {
			r.turn(0, at, a, b)
			r.task(c, fake{})
			r.turn(0, at+500, b, a)
			at += 1000
		}
	}
	turns(31)
	r.turn(0, at, a, b)
	if blocks := recorded(t, r); len(blocks) != 0 {
		t.Fatalf("%d blocks after 63 events", len(blocks))
	}
	r.turn(0, at+500, b, a)
	at += 1000
	blocks := recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks after 64 events, want 1", len(blocks))
	}
	first := &blocks[0]
	want(t, "events", uint64(first.Count), 64)
	want(t, "lost", first.Lost, 0)
	for i := range first.Event {
		e := &first.Event[i]
		if wantPrev := []uint32{10, 20}[i%2]; e.Prev != wantPrev || e.Time != uint64(1000+500*i) {
			t.Fatalf("event %d is %+v", i, e)
		}
		if i > 0 && (e.Pick != 10 || e.Took != 20 || e.Class != classProcess || e.Flags != EventPicked|EventEnded) {
			t.Fatalf("event %d has the phases %+v", i, e)
		}
	}
	want(t, "the first event's slice, whose begin was not seen", first.Event[0].Since, 0)
	want(t, "the first event's class: no switch before it", uint64(first.Event[0].Class), classIdleOut+1)

	turns(32) // fits
	turns(32) // does not
	turns(32) // does not
	blocks = recorded(t, r)
	if len(blocks) != 1 || blocks[0].Lost != 0 {
		t.Fatalf("%d blocks fit, want 1", len(blocks))
	}
	turns(32)
	blocks = recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	want(t, "lost before it", blocks[0].Lost, 128)
	turns(32)
	blocks = recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	want(t, "lost before the next", blocks[0].Lost, 0)
}

// A snapshot sends what there is, and with it the phases of the last switch.
func TestRecordingSentBySnapshot(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	r.turn(0, 1000, a, b)
	r.wake(0, 1100, c, b)
	r.wake(0, 1200, b, b) // itself: no wakeup
	r.snapshot(0, 1500, b)
	blocks := recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	e := &blocks[0]
	want(t, "events", uint64(e.Count), 2)
	want(t, "wakeups", uint64(e.Event[1].Flags), EventWakeup)
	want(t, "who was woken", uint64(e.Event[1].Next), 30)
}
