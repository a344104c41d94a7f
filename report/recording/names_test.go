package recording

import (
	"errors"
	"fmt"
	"testing"

	"github.com/slicetrace/slicetrace/report/sched"
)

func TestNamesAreThoseOfTheTime(t *testing.T) {
	var n Names
	if got := n.At(7, 100); got != "" {
		t.Errorf("without any names, 7 is %q", got)
	}
	n.Learn([]Task{
		{TID: 7, Comm: "sh"}, {TimeNS: 100, TID: 7, Comm: "make"}, {TimeNS: 50, TID: 7, Comm: "env"},
		{TimeNS: 100, TID: 8, TGID: 7, Comm: "late"},
	})
	for _, c := range []struct {
		tid  sched.TID
		time int64
		want string
	}{
		{7, 0, "sh"}, {7, 49, "sh"}, {7, 50, "env"}, {7, 99, "env"}, {7, 100, "make"}, {7, 1 << 62, "make"},
		{8, 99, ""}, {8, 100, "late"}, {9, 5, ""},
	} {
		if got := n.At(c.tid, c.time); got != c.want {
			t.Errorf("%d at %d is %q, want %q", c.tid, c.time, got, c.want)
		}
	}
	if tgid, comm := n.TaskAt(8, 100); tgid != 7 || comm != "late" {
		t.Errorf("8 is %q of process %d", comm, tgid)
	}
	if err := n.Err(); err != nil {
		t.Errorf("%v, but no name was forgotten", err)
	}
}

// In whatever order names come, each is found at its time. For a name that there was no
// room for, "" is returned and counted, never another name.
func TestNamesInEveryOrder(t *testing.T) {
	const tasks, each = 4, 50 // names of each task
	type rename struct {
		tid  sched.TID
		time int64
	}
	orders := map[string]func() []rename{
		"task after task": func() (all []rename) {
			for tid := range sched.TID(tasks) {
				for i := range int64(each) {
					all = append(all, rename{tid, i})
				}
			}
			return all
		},
		"in turns": func() (all []rename) {
			for i := range int64(each) {
				for tid := range sched.TID(tasks) {
					all = append(all, rename{tid, i})
				}
			}
			return all
		},
		"each pair the wrong way round": func() (all []rename) {
			for i := range int64(each) {
				for tid := range sched.TID(tasks) {
					all = append(all, rename{tid, i ^ 1})
				}
			}
			return all
		},
	}
	for name, order := range orders {
		for _, room := range []int{0, tasks * each, 100, 3} {
			t.Run(fmt.Sprintf("%s, room for %d", name, room), func(t *testing.T) {
				n := Names{most: room}
				for _, r := range order() {
					n.Learn([]Task{{TimeNS: r.time, TID: r.tid, Comm: fmt.Sprintf("%d-%d", r.tid, r.time)}})
				}
				found, missed := 0, 0
				for tid := range sched.TID(tasks) {
					for i := range int64(each) {
						switch got := n.At(tid, i); got {
						case fmt.Sprintf("%d-%d", tid, i):
							found++
						case "":
							missed++
						default:
							t.Errorf("%d at %d is %q", tid, i, got)
						}
					}
					if got, want := n.At(tid, each), fmt.Sprintf("%d-%d", tid, each-1); got != want {
						t.Errorf("%d is now %q, want %q", tid, got, want)
					}
				}
				want := tasks * each
				if room > 0 {
					want = min(want, room+tasks)
				}
				err := n.Err()
				if found != want || n.missed != uint64(missed) || errors.Is(err, ErrForgotten) != (missed > 0) {
					t.Errorf("%d names are found, want %d, and %d of %d missed ones are counted: %v",
						found, want, n.missed, missed, err)
				}
			})
		}
	}
}

// A file that no kernel can have caused takes neither memory nor time without bound.
func TestNamesOfACraftedFile(t *testing.T) {
	var n Names
	for i := range 100_003 {
		n.Learn([]Task{
			{TimeNS: int64(-i), TID: 7, Comm: fmt.Sprint(i)},
			{TID: sched.TID(-i), Comm: "none"},
			{TID: mostTID + 1 + sched.TID(i), Comm: "none"},
		})
	}
	if kept := len(n.tasks[7].names); kept > mostLate+2 || len(n.tasks) > 2 {
		t.Errorf("%d names of one task are kept, and %d tasks", kept, len(n.tasks))
	}
}
