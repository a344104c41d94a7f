package flight

import (
	"fmt"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// late are events by which a task waits for 2 ms from a time on.
func late(at int64, tid sched.TID) []recording.Event {
	return []recording.Event{wakeup(at, tid), switchOf(at+2, 0, 'R', tid), switchOf(at+3, tid, 'S', 0)}
}

// Everyone is watched from the beginning, and what is told of names, processes and groups decides.
func TestChoice(t *testing.T) {
	groups := map[sched.TID]string{7: "web", 8: "db"}
	belongs := func(tid sched.TID, group string) (bool, bool) {
		of, known := groups[tid]
		return group == "" || of == group, known
	}
	for when, want := range map[string]string{
		"wait>1ms":                   "[7 8 9 11]",
		"wait>1ms of nginx*":         "[7 8]",
		"wait>1ms of master":         "[7 8 9]", // the threads of the process with this name
		"wait>1ms of pid 70":         "[11]",
		"wait>1ms in web":            "[7 9]", // 9 is not known, and a child of 7
		"wait>1ms of nginx-2 in web": "[]",
		"wait>1ms of nginx-2 in db":  "[8]",
	} {
		c, err := Parse(when)
		if err != nil {
			t.Fatal(err)
		}
		var found []sched.TID
		choice := Choice{Everyone: true}
		if c.Group != "" {
			choice.Belongs = belongs
		}
		w := newWatch([]Condition{c}, choice, func(t recording.Trigger) { found = append(found, t.TID) })
		w.learn([]recording.Task{
			{TID: 6, TGID: 6, Comm: "master"}, {TID: 7, TGID: 6, Comm: "nginx-1"}, {TID: 8, TGID: 6, Comm: "nginx-2"},
			{TID: 9, TGID: 6, Comm: "helper", Parent: 7, TimeNS: 5 * ms}, {TID: 11, TGID: 70, Comm: "other"},
		})
		var events []recording.Event
		for i, tid := range []sched.TID{7, 8, 9, 11} {
			events = append(events, late(10+10*int64(i), tid)...)
		}
		w.take(&recording.Block{Events: events})
		w.settle(1e18)
		if got := fmt.Sprint(found); got != want {
			t.Errorf("%s: found %s, want %s", when, got, want)
		}
	}
}

// A task that no name has come of is watched all the same, but never the idle one.
func TestEveryoneIsWatched(t *testing.T) {
	w := newWatch(waits(time.Millisecond), Choice{Everyone: true}, nil)
	if got := cases(w, append(late(10, 7), late(20, 0)...)); got != "wait>1ms  2ms" {
		t.Errorf("found %q", got)
	}
	if w.take(&recording.Block{Events: []recording.Event{switchOf(50, 7, 'X', 0)}}); w.tasks[7] == nil {
		t.Error("it is forgotten before its end")
	}
	if cases(w); len(w.tasks) > 0 {
		t.Errorf("%d tasks are still remembered", len(w.tasks))
	}
}

// Answers hold for a second, and the last of them when it is not known any more.
func TestAnswersHold(t *testing.T) {
	asked, is, known := 0, true, true
	choice := Choice{Everyone: true, Belongs: func(sched.TID, string) (bool, bool) { asked++; return is, known }}
	found := 0
	w := newWatch(waits(time.Millisecond), choice, func(recording.Trigger) { found++ })
	step := func(at int64, wantAsked, wantFound int) {
		t.Helper()
		w.take(&recording.Block{Events: late(at, 7)})
		if w.settle(1e18); asked != wantAsked || found != wantFound {
			t.Errorf("at %d: asked %d times, found %d", at, asked, found)
		}
	}
	step(0, 1, 1)
	is = false
	step(900, 1, 2)
	step(1900, 2, 2)
	is, known = true, false
	step(3900, 3, 2)
	known = true
	step(5900, 4, 3)
	known = false
	step(7900, 5, 4)
}
