package flight

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

func TestConditions(t *testing.T) {
	for text, want := range map[string]Condition{
		"wait>20ms":                {Kind: Wait, Limit: 20 * time.Millisecond},
		" slice > 1.5ms ":          {Kind: Slice, Limit: 1500 * time.Microsecond},
		"blocked>1s of my program": {Kind: Blocked, Limit: time.Second, Comm: "my program"},
		"wait>1ms of a of b":       {Kind: Wait, Limit: time.Millisecond, Comm: "a of b"},
		"wait>1ms of nginx*":       {Kind: Wait, Limit: time.Millisecond, Comm: "nginx*"},
		"wait>1ms of pid 4711":     {Kind: Wait, Limit: time.Millisecond, PID: 4711},
		"wait>1ms in web.service":  {Kind: Wait, Limit: time.Millisecond, Group: "web.service"},
		"wait>1ms of a in b in c":  {Kind: Wait, Limit: time.Millisecond, Comm: "a in b", Group: "c"},
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which is %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{
		"", "wait", "wait<20ms", "wait>", "wait>20", "wait>-1ms", "wait>0s", "run>1ms", "wait>1ms of ", ">1ms",
		"wait>1ms of a-name-that-is-too-long",
		"wait>1ms of pid 0", "wait>1ms of pid x", "wait>1ms of [", "wait>1ms in ",
	} {
		if c, err := Parse(text); err == nil || !strings.Contains(err.Error(), "write it like wait>20ms") {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("wait>20ms of x")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(c.String()); err != nil || again != c {
			t.Errorf("%q is %+v, and %q is %+v, %v", text, c, c, again, err)
		}
	})
}

const ms = int64(time.Millisecond)

func wakeup(at int64, tid sched.TID) recording.Event {
	return recording.Event{TimeNS: at * ms, Kind: recording.Wakeup, Next: tid}
}

func switchOf(at int64, prev sched.TID, state byte, next sched.TID) recording.Event {
	return recording.Event{TimeNS: at * ms, Prev: prev, Next: next, State: state, SliceNS: -1}
}

// cases returns what a watch of task 7 finds in what two cores did, in a few words.
func cases(w *watch, cores ...[]recording.Event) string {
	var found []string
	w.report = func(t recording.Trigger) {
		found = append(found, t.Condition+" "+t.Comm+" "+time.Duration(t.LengthNS).String())
	}
	for cpu, events := range cores {
		w.take(&recording.Block{CPU: sched.CPU(cpu), Events: events})
	}
	w.settle(math.MaxInt64)
	return strings.Join(found, ", ")
}

func TestWhatIsFound(t *testing.T) {
	throttled := switchOf(20, 7, 'R', 0)
	throttled.EndedBy = throttledCause()
	long := switchOf(200, 7, 'S', 0)
	long.SliceNS = 12 * ms
	type core = []recording.Event
	wakesAt31 := core{wakeup(10, 7), switchOf(31, 0, 'R', 7)}
	for name, test := range map[string]struct {
		when  string
		cores []core
		want  string
	}{
		"woken and made to wait": {"wait>20ms", []core{wakesAt31}, "wait>20ms seven 21ms"},
		"just in time":           {"wait>20ms", []core{{wakeup(10, 7), switchOf(30, 0, 'R', 7)}}, ""},
		"preempted": {
			"wait>20ms", []core{{switchOf(1, 0, 'R', 7), switchOf(2, 7, 'R', 8), switchOf(50, 8, 'S', 7)}},
			"wait>20ms seven 48ms",
		},
		// The core on which it runs is read before the one on which it was woken.
		"woken elsewhere": {"wait>20ms", []core{{switchOf(40, 0, 'R', 7)}, {wakeup(10, 7)}}, "wait>20ms seven 30ms"},
		"woken while running": {
			"wait>20ms", []core{{switchOf(1, 0, 'R', 7), switchOf(60, 7, 'R', 7)}, {wakeup(2, 7)}}, "",
		},
		"woken twice": {
			"wait>20ms", []core{{wakeup(10, 7), wakeup(20, 7), switchOf(31, 0, 'R', 7)}}, "wait>20ms seven 21ms",
		},
		"throttled":       {"wait>20ms", []core{{switchOf(10, 0, 'R', 7), throttled, switchOf(90, 0, 'R', 7)}}, ""},
		"another task":    {"wait>20ms", []core{{wakeup(10, 9), switchOf(70, 0, 'R', 9)}}, ""},
		"of that name":    {"wait>20ms of seven", []core{wakesAt31}, "wait>20ms of seven seven 21ms"},
		"of another name": {"wait>20ms of eight", []core{wakesAt31}, ""},
		"asleep": {
			"blocked>20ms", []core{{switchOf(1, 0, 'R', 7), switchOf(2, 7, 'S', 0), wakeup(30, 7)}},
			"blocked>20ms seven 28ms",
		},
		"slice":         {"slice>10ms", []core{{switchOf(1, 0, 'R', 7), long}}, "slice>10ms seven 12ms"},
		"unknown slice": {"slice>10ms", []core{{switchOf(1, 0, 'R', 7), switchOf(200, 7, 'S', 0)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse(test.when)
			if err != nil {
				t.Fatal(err)
			}
			w := newWatch([]Condition{c}, Choice{}, nil)
			w.watch(&task{tid: 7, comm: "seven"})
			if got := cases(w, test.cores...); got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

// Children of watched tasks are watched from their creation to their end, under the names of the time.
func TestChildrenAreWatched(t *testing.T) {
	w := newWatch(waits(time.Duration(ms)), Choice{}, nil)
	w.watch(&task{tid: 7, follow: true})
	w.learn([]recording.Task{
		{TimeNS: 10 * ms, TID: 8, Parent: 7, Comm: "fork"}, {TimeNS: 15 * ms, TID: 8, Comm: "exec"},
		{TimeNS: 10 * ms, TID: 9, Parent: 1, Comm: "stranger"},
	})
	got := cases(w, []recording.Event{
		wakeup(11, 8), switchOf(13, 0, 'R', 8), switchOf(16, 8, 'R', 0), wakeup(17, 9), switchOf(25, 0, 'R', 9),
		switchOf(30, 9, 'S', 8), switchOf(31, 8, 'X', 0),
	})
	if want := "wait>1ms fork 2ms, wait>1ms exec 14ms"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if w.tasks[8] != nil || w.tasks[9] != nil || len(w.tasks) != 1 {
		t.Errorf("watched at the end: %v", w.tasks)
	}
}

// Where events are missing, no time that goes over the gap is a case.
func TestLostEventsMakeNoCase(t *testing.T) {
	w := newWatch(waits(time.Duration(ms)), Choice{}, nil)
	w.watch(&task{tid: 7})
	w.take(&recording.Block{CPU: 0, Events: []recording.Event{wakeup(10, 7)}})
	w.take(&recording.Block{CPU: 0, Lost: 1, Events: []recording.Event{switchOf(90, 0, 'R', 7)}})
	if got := cases(w); got != "" {
		t.Errorf("found %q", got)
	}
}

// What waits for a core that tells nothing is bounded.
func TestStepsAreBounded(t *testing.T) {
	w := newWatch(waits(time.Hour), Choice{}, func(recording.Trigger) {})
	w.watch(&task{tid: 7})
	b := &recording.Block{Events: make([]recording.Event, 4096)}
	for i := range b.Events {
		b.Events[i] = wakeup(int64(i), 7)
	}
	for range 2 * mostSteps / len(b.Events) {
		w.take(b)
		if w.waiting > mostSteps {
			t.Fatalf("%d steps wait", w.waiting)
		}
	}
}
