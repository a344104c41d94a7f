package render_test

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// message is a message as "protoc --decode" shows it: its fields in order, each of which is a text
// or another message.
type message []field

type field struct {
	name string
	text string
	sub  message
}

// protoc decodes a trace with Google's own decoder and Perfetto's field definitions. It shows
// unknown fields by their numbers, which makes the test fail.
func protoc(t *testing.T, trace []byte) message {
	t.Helper()
	path, err := exec.LookPath("protoc")
	if err != nil {
		if os.Getenv("SLICETRACE_REQUIRE_PROTOC") == "1" {
			t.Fatalf("must run under SLICETRACE_REQUIRE_PROTOC=1, but protoc is missing: %v", err)
		}
		t.Skipf("protoc is missing (Debian: protobuf-compiler): %v", err)
	}
	command := exec.Command(path, "--decode=perfetto.protos.Trace", "--proto_path=testdata", "perfetto.proto")
	command.Stdin = bytes.NewReader(trace)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	text, err := command.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("protoc: %v %s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return parseMessage(t, &lines)
}

// parseMessage removes the lines of one message from lines.
func parseMessage(t *testing.T, lines *[]string) message {
	t.Helper()
	var m message
	for len(*lines) > 0 {
		line := strings.TrimSpace((*lines)[0])
		*lines = (*lines)[1:]
		if line == "}" {
			return m
		}
		if line[0] >= '0' && line[0] <= '9' {
			t.Errorf("a field that Perfetto does not have: %s", line)
		}
		if name, ok := strings.CutSuffix(line, " {"); ok {
			m = append(m, field{name: name, sub: parseMessage(t, lines)})
			continue
		}
		name, text, _ := strings.Cut(line, ": ")
		if strings.HasPrefix(text, `"`) {
			var err error
			if text, err = strconv.Unquote(strings.ReplaceAll(text, `\'`, `'`)); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		m = append(m, field{name: name, text: text})
	}
	return m
}

// fields returns all fields at a path of names that are joined by dots.
func (m message) fields(path string) []field {
	name, rest, deeper := strings.Cut(path, ".")
	var found []field
	for _, f := range m {
		switch {
		case f.name != name:
		case deeper:
			found = append(found, f.sub.fields(rest)...)
		default:
			found = append(found, f)
		}
	}
	return found
}

func (m message) all(path string) []message {
	var found []message
	for _, f := range m.fields(path) {
		found = append(found, f.sub)
	}
	return found
}

// text returns the first value at a path, "" if there is none.
func (m message) text(path string) string {
	for _, f := range m.fields(path) {
		return f.text
	}
	return ""
}

func (m message) ints(t *testing.T, path string) []int64 {
	t.Helper()
	var values []int64
	for _, f := range m.fields(path) {
		v, err := strconv.ParseInt(f.text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

// int returns the only value at a path, or otherwise if there is none.
func (m message) int(t *testing.T, path string, otherwise int64) int64 {
	t.Helper()
	if values := m.ints(t, path); len(values) == 1 {
		return values[0]
	}
	return otherwise
}

// ftraceEvent is a sched_switch or sched_waking event, from either encoding.
type ftraceEvent struct {
	ns      int64
	kind    string
	running int64 // who ran until then, -1 if not known
	state   int64
	tid     int64 // next, or who was woken
	comm    string
	cpu     int64
}

// ftraceEvents reads a trace's events by core, as Perfetto does. A compact event does not name the
// previous task, so that is the one to which the core last switched.
func ftraceEvents(t *testing.T, trace message) map[string][]ftraceEvent {
	t.Helper()
	cores := map[string][]ftraceEvent{}
	for _, b := range trace.all("packet.ftrace_events") {
		cpu := b.text("cpu")
		events := append(fullEvents(t, b), compactEvents(t, b)...)
		slices.SortStableFunc(events, func(a, b ftraceEvent) int { return cmp.Compare(a.ns, b.ns) })
		running := int64(-1)
		for _, e := range slices.Backward(cores[cpu]) {
			if e.kind == "switch" {
				running = e.tid
				break
			}
		}
		for i := range events {
			e := &events[i]
			if e.running == inferred {
				e.running = running
			}
			if e.kind == "switch" {
				running = e.tid
			}
		}
		cores[cpu] = append(cores[cpu], events...)
	}
	return cores
}

const inferred = -2

func fullEvents(t *testing.T, bundle message) []ftraceEvent {
	var events []ftraceEvent
	for _, e := range bundle.all("event") {
		ns, running := e.int(t, "timestamp", 0), e.int(t, "pid", -1)
		for _, s := range e.all("sched_switch") {
			if prev := s.int(t, "prev_pid", -1); prev != running {
				t.Errorf("prev_pid %d, pid %d", prev, running)
			}
			events = append(events, ftraceEvent{
				ns: ns, kind: "switch", running: running, state: s.int(t, "prev_state", -1),
				tid: s.int(t, "next_pid", -1), comm: s.text("next_comm"),
			})
		}
		for _, w := range e.all("sched_waking") {
			events = append(events, ftraceEvent{
				ns: ns, kind: "waking", running: running, tid: w.int(t, "pid", -1), comm: w.text("comm"),
				cpu: w.int(t, "target_cpu", -1),
			})
		}
	}
	return events
}

func compactEvents(t *testing.T, bundle message) []ftraceEvent {
	var events []ftraceEvent
	for _, c := range bundle.all("compact_sched") {
		names := c.fields("intern_table")
		var ns int64
		states, next := c.ints(t, "switch_prev_state"), c.ints(t, "switch_next_pid")
		comms := c.ints(t, "switch_next_comm_index")
		for i, delta := range c.ints(t, "switch_timestamp") {
			ns += delta
			events = append(events, ftraceEvent{
				ns: ns, kind: "switch", running: inferred, state: states[i], tid: next[i], comm: names[comms[i]].text,
			})
		}
		ns = 0
		tids, cpus := c.ints(t, "waking_pid"), c.ints(t, "waking_target_cpu")
		comms = c.ints(t, "waking_comm_index")
		for i, delta := range c.ints(t, "waking_timestamp") {
			ns += delta
			events = append(events, ftraceEvent{
				ns: ns, kind: "waking", running: inferred, tid: tids[i], comm: names[comms[i]].text, cpu: cpus[i],
			})
		}
		if a, b := len(c.fields("switch_next_prio")), len(c.fields("waking_prio")); a != len(states) || b != len(tids) {
			t.Errorf("%d and %d priorities for %d switches and %d wakeups", a, b, len(states), len(tids))
		}
	}
	return events
}
