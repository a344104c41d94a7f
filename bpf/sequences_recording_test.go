package bpf

import (
	"bytes"
	"encoding/binary"
	"slices"
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

// A block of events is sent when its 64th is written, and the number of events that found no
// room is sent with the next block that does.
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
		const bothValid = EventPickValid | EventSwitchValid
		if i > 0 && (e.PickNs != 10 || e.SwitchNs != 20 || e.Class != classProcess || e.Flags != bothValid) {
			t.Fatalf("event %d has the phases %+v", i, e)
		}
	}
	want(t, "the first event's slice, whose beginning was not seen", first.Event[0].SliceStart, 0)
	want(t, "the first event's class: no switch before it", uint64(first.Event[0].Class), classNone)

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

// The state that is recorded is the one that the tracepoint passes: the task may have another
// by now.
func TestRecordedStateIsTheTracepoints(t *testing.T) {
	for _, state := range []struct{ told, now uint32 }{{asleep, 0}, {0, asleep}, {asleep, asleep}, {0, 0}} {
		r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording,
			func(spec *ebpf.CollectionSpec) { set(spec, slicetraceVarTellsPrevState, true) })
		r.turn(0, 500, d, a)
		r.task(a, fake{state: state.now})
		r.switchTold(0, 2000, a, b, state.told)
		r.snapshot(0, 2100, b)
		blocks := recorded(t, r)
		if len(blocks) != 1 || blocks[0].Count != 2 {
			t.Fatalf("the blocks are %+v", blocks)
		}
		want(t, "state", uint64(blocks[0].Event[1].State), uint64(state.told))
	}
}

// A snapshot sends the events that there are, and the phases of the last switch with them.
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
	want(t, "the task that was woken", uint64(e.Event[1].Next), 30)
}

// Events that find no room are reported even if no event comes after them: by the next
// snapshot or, if it finds no room either, in its copy.
func TestRecordingLossAtTheEnd(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	for i := range uint64(64) { // the second block does not fit
		r.turn(0, 1000*(2*i+1), a, b)
		r.turn(0, 1000*(2*i+2), b, a)
	}
	r.turn(0, 200_000, a, b)
	s := r.snapshot(0, 200_500, b)
	want(t, "events that no record has told", s.Lost, 65)
	want(t, "blocks that fit", uint64(len(recorded(t, r))), 1)
	s = r.snapshot(0, 201_000, b)
	want(t, "events that no record has told, with room", s.Lost, 0)
	blocks := recorded(t, r)
	if len(blocks) != 1 || blocks[0].Count != 0 || blocks[0].Lost != 65 {
		t.Fatalf("with room %d blocks came: %+v", len(blocks), blocks)
	}
	r.snapshot(0, 202_000, b)
	if blocks := recorded(t, r); len(blocks) == 1 && blocks[0].Lost != 0 {
		t.Errorf("the loss is told twice: %d", blocks[0].Lost)
	}
}

// Wakeups from interrupts that come while a snapshot sends its own core's events wait, and are
// recorded in order. Those that find no room to wait are counted.
func TestWakeupWhileEventsAreSent(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	sending := func(is uint8) {
		var raw EventBuf
		r.must(r.maps[slicetraceMapStEventBufs].Lookup(uint32(0), &raw))
		raw.Out.Sending = is
		r.must(r.maps[slicetraceMapStEventBufs].Put(uint32(0), &raw))
	}
	const room = uint64(len(EventBuf{}.Late))
	r.turn(0, 1000, a, b)
	sent := uint64(1000)
	for round := range uint64(3) { // so that it goes round
		sending(1)
		for range room + 2*(round%2) {
			sent += 100
			r.wake(0, sent, c, b)
		}
		sending(0)
		sent += 100
		r.wake(0, sent, d, b)
	}
	s := r.snapshot(0, sent+100, b)
	blocks := recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	want(t, "events", uint64(blocks[0].Count), 1+3*(room+1))
	want(t, "events that found no room", blocks[0].Lost, 2)
	want(t, "events that no record has told", s.Lost, 0)
	want(t, "up to when all was sent", s.Sent, sent+100)
	tids := map[bool]uint32{false: blocks[0].Event[1].Next, true: blocks[0].Event[1+room].Next}
	for i, e := range blocks[0].Event[1:blocks[0].Count] {
		last := uint64(i)%(room+1) == room // of a round
		if e.Flags != EventWakeup || e.Time <= blocks[0].Event[i].Time ||
			e.Next != tids[last] || tids[true] == tids[false] {
			t.Errorf("event %d is %+v, after %+v", i+1, e, blocks[0].Event[i])
		}
	}
}

// The name of a new task is sent with its parent, that of a renamed task without.
func TestNamesTellWhoCreatedATask(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	r.turn(0, 1000, b, a)
	r.wakeNew(0, 2000, a, d)
	r.rename(0, 3000, d, a, 'x')
	var got [][2]uint32
	for _, sample := range r.records() {
		var n TaskName
		if binary.Read(bytes.NewReader(sample), binary.NativeEndian, &n); n.Record == RecordTaskName {
			got = append(got, [2]uint32{n.Tid, n.Parent})
		}
	}
	if want := [][2]uint32{{r.fakes[d].tid, r.fakes[a].tid}, {r.fakes[d].tid, 0}}; !slices.Equal(got, want) {
		t.Errorf("tasks and their parents %v, want %v", got, want)
	}
}

// A name is sent if an event can tell it from the next one, not each time a task is renamed.
func TestNamesAreSentAsEventsNeedThem(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	wantNames := func(what, want string) {
		t.Helper()
		got := ""
		for _, sample := range r.records() {
			var n TaskName
			if binary.Read(bytes.NewReader(sample), binary.NativeEndian, &n); n.Record != RecordTaskName {
				continue
			}
			got += string(byte(n.Comm[0]))
		}
		if got != want {
			t.Errorf("%s: names %q are sent, want %q", what, got, want)
		}
	}
	turn := func(at uint64, prev, next int) { r.turn(0, at, prev, next) }
	turn(1000, b, a)
	for i := range uint64(1009) {
		r.rename(0, 1100+i, a, a, 'a'+byte(i%26))
	}
	wantNames("the running task renames itself without end", "abcdefghijklmnop")
	r.wake(0, 3000, b, a)
	wantNames("a wakeup does not tell its names apart", "")
	turn(4000, a, b)
	wantNames("it leaves the core", string(byte('a'+1008%26)))
	r.rename(0, 4100, a, b, 'x')
	r.rename(0, 4200, a, b, 'y')
	wantNames("another renames it, which may run elsewhere", "xy")
	turn(5000, b, a)
	turn(6000, a, b)
	wantNames("once", "")
	many := func(last byte) {
		for range 16 {
			r.rename(0, 6100, b, b, '.')
		}
		wantNames("names at once", "................")
		r.rename(0, 6150, b, b, last)
	}
	many('w')
	r.snapshot(0, 6200, b)
	wantNames("a snapshot", "w")
	var raw EventBuf
	r.must(r.maps[slicetraceMapStEventBufs].Lookup(uint32(0), &raw))
	raw.Out.NameBusy = 1
	r.must(r.maps[slicetraceMapStEventBufs].Put(uint32(0), &raw))
	r.rename(0, 6300, b, b, 'v')
	wantNames("one that was preempted has the place", "v")
}
