package render_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/sched"
)

const (
	causeBlocked = iota
	causeExited
	causeTick
	causeWakeup
	causeYield
	causeOther
)

func recorded(t testing.TB, out io.Writer, frames ...any) {
	t.Helper()
	w, err := recording.NewWriter(out, recording.Header{
		Tool: "slicetrace v1", Created: time.Unix(1e9, 5).UTC(), MonotonicNS: 1000, CPUs: []sched.CPU{0, 3},
		Kernel: "6.18.1-\x1b",
	})
	for _, f := range frames {
		switch f := f.(type) {
		case recording.Block:
			err = errors.Join(err, w.Block(f))
		case []recording.Task:
			err = errors.Join(err, w.Tasks(f))
		case recording.Mark:
			err = errors.Join(err, w.Mark(f))
		}
	}
	if err = errors.Join(err, w.Close(recording.End{})); err != nil {
		t.Fatal(err)
	}
}

// exported returns the trace of a recording, which may have been cut short.
func exported(t testing.TB, file []byte) ([]byte, error) {
	t.Helper()
	r, err := recording.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	err = render.Perfetto(&out, r)
	return out.Bytes(), err
}

// decoded returns the trace of frames as protoc reads it.
func decoded(t *testing.T, frames ...any) message {
	t.Helper()
	var file bytes.Buffer
	recorded(t, &file, frames...)
	trace, err := exported(t, file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return protoc(t, trace)
}

func slice(ns int64, prev, next sched.TID, state byte, cause uint8) recording.Event {
	return recording.Event{
		TimeNS: ns, Prev: prev, Next: next, State: state, EndedBy: cause, SliceNS: -1, PickNS: -1, SwitchNS: -1,
	}
}

func wakeup(ns int64, tid sched.TID, cpu sched.CPU) recording.Event {
	return recording.Event{TimeNS: ns, Kind: recording.Wakeup, Next: tid, CPU: cpu}
}

func TestPerfettoBegins(t *testing.T) {
	trace := decoded(t)
	clocks := map[string]string{}
	for _, c := range trace.all("packet.clock_snapshot.clocks") {
		clocks[c.text("clock_id")] = c.text("timestamp")
	}
	// Real time, monotonic and boot time.
	want := map[string]string{"1": "1000000000000000005", "3": "1000", "6": "1000"}
	if diff := cmp.Diff(want, clocks); diff != "" {
		t.Errorf("clocks (-want +got):\n%s", diff)
	}
	for path, want := range map[string]string{
		"packet.clock_snapshot.primary_trace_clock":  "BUILTIN_CLOCK_MONOTONIC",
		"packet.sequence_flags":                      "1",
		"packet.trusted_packet_sequence_id":          "1",
		"packet.system_info.utsname.release":         `6.18.1-\x1b`,
		"packet.system_info.tracing_service_version": "slicetrace v1",
		"packet.track_descriptor.name":               "slicetrace trials",
	} {
		if got := trace.text(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// Every switch and wakeup is in the trace, in whichever of the two encodings.
func TestPerfettoHoldsEveryEvent(t *testing.T) {
	first := recording.Block{CPU: 0, Events: []recording.Event{
		wakeup(1000, 7, 3), // before the first switch: only what follows tells the waker
		slice(1001, 5, 0, 'S', causeBlocked),
		wakeup(1002, 5, 0),
		slice(1003, 0, 5, 'R', causeWakeup),
		slice(1004, 5, 6, 'R', causeTick),
		slice(1005, 6, 5, 'R', causeWakeup),
		slice(1006, 5, 6, 'R', causeYield),
		slice(1007, 6, 5, 'R', causeOther),
		slice(1008, 8, 6, 'D', causeBlocked), // not whom the core had switched to
		slice(1009, 6, 5, 'X', causeExited),
		slice(1010, 5, 6, '?', causeOther),
	}}
	lost := recording.Block{CPU: 0, Lost: 9, Events: []recording.Event{
		wakeup(2000, 5, 0),
		slice(2001, 8, 5, 'I', causeBlocked),
	}}
	other := recording.Block{CPU: 3, Events: []recording.Event{wakeup(1500, 7, 3)}}
	tasks := []recording.Task{{TID: 5, TGID: 5, Comm: "five"}, {TID: 6, TGID: 5, Comm: "six"}}
	trace := decoded(t, tasks, first, other, lost)

	want := map[string][]ftraceEvent{
		"0": {
			{ns: 1000, kind: "waking", running: 5, tid: 7, comm: "<...>", cpu: 3},
			{ns: 1001, kind: "switch", running: 5, state: 1, tid: 0, comm: "swapper/0"},
			{ns: 1002, kind: "waking", running: 0, tid: 5, comm: "five", cpu: 0},
			{ns: 1003, kind: "switch", running: 0, state: 0, tid: 5, comm: "five"},
			{ns: 1004, kind: "switch", running: 5, state: 0x100, tid: 6, comm: "six"},
			{ns: 1005, kind: "switch", running: 6, state: 0x100, tid: 5, comm: "five"},
			{ns: 1006, kind: "switch", running: 5, state: 0, tid: 6, comm: "six"},
			{ns: 1007, kind: "switch", running: 6, state: 0, tid: 5, comm: "five"},
			{ns: 1008, kind: "switch", running: 8, state: 2, tid: 6, comm: "six"},
			{ns: 1009, kind: "switch", running: 6, state: 0x10, tid: 5, comm: "five"},
			{ns: 1010, kind: "switch", running: 5, state: 0x200, tid: 6, comm: "six"},
			{ns: 2000, kind: "waking", running: 8, tid: 5, comm: "five", cpu: 0},
			{ns: 2001, kind: "switch", running: 8, state: 0x80, tid: 5, comm: "five"},
		},
		"3": {{ns: 1500, kind: "waking", running: -1, tid: 7, comm: "<...>", cpu: 3}},
	}
	if diff := cmp.Diff(want, ftraceEvents(t, trace), cmp.AllowUnexported(ftraceEvent{})); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	var losses []string
	for _, b := range trace.all("packet.ftrace_events") {
		losses = append(losses, b.text("cpu")+" "+b.text("lost_events"))
	}
	if diff := cmp.Diff([]string{"0 ", "3 ", "0 true"}, losses); diff != "" {
		t.Errorf("cores and losses of bundles (-want +got):\n%s", diff)
	}
}

// There are two blocks, since names are numbered separately in each.
func TestPerfettoHoldsManyEvents(t *testing.T) {
	const switches = 10_007
	trace := decoded(t, pingPong(0, switches, 1e12), pingPong(0, switches, 2e12))
	got := ftraceEvents(t, trace)["0"]
	if len(got) != 4*switches {
		t.Fatalf("%d events, want %d", len(got), 4*switches)
	}
	events := append(pingPong(0, switches, 1e12).Events, pingPong(0, switches, 2e12).Events...)
	for i, e := range events {
		if got[i].ns != e.TimeNS || got[i].tid != int64(e.Next) ||
			e.Kind == recording.Switch && got[i].running != int64(e.Prev) {
			t.Fatalf("event %d: %+v, want %+v", i, got[i], e)
		}
	}
}

func TestPerfettoNamesTasks(t *testing.T) {
	hostile := "\x1b[31m\xff\x00"
	trace := decoded(t,
		[]recording.Task{
			{TID: 5, TGID: 5, Comm: hostile}, {TID: 6, TGID: 5, Comm: "six"},
			{TimeNS: 3000, TID: 6, TGID: 5, Comm: "renamed"},
		},
		// This block is older than the rename that was written before it.
		recording.Block{
			Events: []recording.Event{
				slice(2000, 5, 6, 'S', causeBlocked), slice(2001, 6, 5, 'S', causeBlocked),
				slice(2002, 5, 6, 'S', causeBlocked),
			},
		},
		recording.Block{
			Events: []recording.Event{slice(4000, 6, 5, 'S', causeBlocked), slice(4001, 5, 6, 'S', causeBlocked)},
		},
	)
	var names []string
	for _, p := range trace.all("packet") {
		for _, task := range p.all("process_tree.processes") {
			names = append(names, p.text("timestamp")+" process "+task.text("pid")+" "+task.text("cmdline"))
		}
		for _, task := range p.all("process_tree.threads") {
			names = append(names,
				p.text("timestamp")+" thread "+task.text("tid")+" of "+task.text("tgid")+" "+task.text("name"))
		}
	}
	want := []string{
		`1000 process 5 \x1b[31m\xff\x00`, `1000 thread 5 of 5 \x1b[31m\xff\x00`, "1000 thread 6 of 5 six",
		"3000 thread 6 of 5 renamed",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("process trees (-want +got):\n%s", diff)
	}
	var comms []string
	for _, e := range ftraceEvents(t, trace)["0"] {
		comms = append(comms, e.comm)
	}
	if diff := cmp.Diff([]string{"six", `\x1b[31m\xff\x00`, "six", `\x1b[31m\xff\x00`, "renamed"}, comms); diff != "" {
		t.Errorf("next_comm (-want +got):\n%s", diff)
	}
}

func TestPerfettoShowsTrials(t *testing.T) {
	trace := decoded(t, recording.Mark{
		Workload: "pipe", Variant: "4\x07K", Mode: "threads", Round: 2, StartNS: 5000, EndNS: 6000,
		Workers: []sched.TID{41, 42},
	}, recording.Mark{Mode: "system", Round: 7, StartNS: 6000, EndNS: 7000})
	var got []string
	for _, p := range trace.all("packet") {
		for _, e := range p.all("track_event") {
			line := p.text("timestamp") + " " + p.text("timestamp_clock_id") + " " +
				e.text("type") + " " + e.text("name")
			for _, a := range e.all("debug_annotations") {
				line += " " + a.text("name") + "=" + a.text("uint_value") + a.text("string_value")
			}
			if e.text("track_uuid") != trace.text("packet.track_descriptor.uuid") {
				t.Errorf("%s is on track %s", line, e.text("track_uuid"))
			}
			got = append(got, line)
		}
	}
	want := []string{
		`5000 3 TYPE_SLICE_BEGIN pipe 4\x07K threads round 2 ` +
			`workload=pipe variant=4\x07K mode=threads round=2 workers=41 42`,
		"6000 3 TYPE_SLICE_END ",
		"6000 3 TYPE_SLICE_BEGIN interval 7 workload= mode=system round=7 workers=",
		"7000 3 TYPE_SLICE_END ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trials (-want +got):\n%s", diff)
	}
}

// A recording that was cut anywhere yields the beginning of the whole trace.
func TestPerfettoOfCutRecording(t *testing.T) {
	var file bytes.Buffer
	recorded(t, &file, []recording.Task{{TID: 5, TGID: 5, Comm: "five"}}, pingPong(0, 23, 1e12),
		recording.Mark{Workload: "pipe"})
	whole, err := exported(t, file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for n := 300; n < file.Len(); n++ {
		part, err := exported(t, file.Bytes()[:n])
		if !errors.Is(err, recording.ErrCut) {
			t.Fatalf("%d of %d bytes: %v", n, file.Len(), err)
		}
		if !bytes.HasPrefix(whole, part) || len(part) < last {
			t.Fatalf("%d of %d bytes: %d bytes are not how the whole trace begins", n, file.Len(), len(part))
		}
		last = len(part)
	}
	// Only the end frame is missing.
	if last != len(whole) {
		t.Errorf("all but the last byte give %d bytes, want %d", last, len(whole))
	}
}

func TestPerfettoReportsFullDisk(t *testing.T) {
	var file bytes.Buffer
	recorded(t, &file, pingPong(0, 211, 1e12))
	r, err := recording.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := render.Perfetto(full{}, r); !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}
