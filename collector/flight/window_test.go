package flight

import (
	"testing"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// What has fallen out takes memory as long as a file is being made of it.
func TestWhatIsBeingSavedCounts(t *testing.T) {
	w := window{before: names{}, most: 100}
	for i := range int64(3) {
		w.epochs = append(w.epochs, &epoch{fromNS: i, endNS: i + 1, bytes: 40, saving: i == 0})
		w.bytes += 40
	}
	first := w.epochs[0]
	w.makeRoom(func(*epoch) {})
	if len(w.epochs) != 1 || w.bytes != 80 || w.shortNS != 2 {
		t.Errorf("%d epochs, %d bytes, short to %d", len(w.epochs), w.bytes, w.shortNS)
	}
	if w.saved([]*epoch{first, w.epochs[0]}); w.bytes != 40 {
		t.Errorf("%d bytes after saving", w.bytes)
	}
}

// Of tasks that come and go, only those that live are remembered, whatever names they had.
func TestEndedTasksAreForgotten(t *testing.T) {
	n := names{}
	for i := range sched.TID(1000) {
		at := 10 * int64(i)
		n.pass(&epoch{
			names: []recording.Task{
				{TimeNS: at, TID: 5 + i%2, Comm: "fork"}, {TimeNS: at + 1, TID: 5 + i%2, Comm: "exec"},
			},
			ends: []taskEnd{{5 + i%2, at - 5}},
		})
	}
	if len(n) != 2 || n[5].Comm != "exec" || n[5].TimeNS != 9981 {
		t.Errorf("remembered: %v", n)
	}
	n.pass(&epoch{ends: []taskEnd{{5, 20_000}, {6, 1}}})
	if list := n.tasks(); len(list) != 1 || list[0].TID != 6 || list[0].TimeNS != 0 {
		t.Errorf("remembered: %v", list)
	}
}
