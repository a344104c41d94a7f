package collector

import (
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// What the kernel half reports about its places is passed on: tasks that do not end in time, and
// places that the kernel did not take back.
func TestPlacesAreToldOf(t *testing.T) {
	bpftest.Require(t)
	c, err := Open(Options{Tasks: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const most = 40 * time.Millisecond
	for name, row := range map[string]struct {
		places bpf.Places
		left   int
		waits  time.Duration // at least
		note   string
	}{
		"nobody":              {bpf.Places{}, 0, 0, ""},
		"some do not end":     {bpf.Places{Leaving: 3}, 3, most, ""},
		"counted ones remain": {bpf.Places{Counted: 2}, 0, settleLimit, ""},
		"places are lost": {
			bpf.Places{Lost: 2}, 0, 0, "of 8 places for watched tasks the kernel did not take back 2",
		},
	} {
		if err := c.objs.Places.Set(&row.places); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		left, err := c.AwaitExits(most)
		if took := time.Since(start); err != nil || left != row.left || took < row.waits {
			t.Errorf("%s: %d left after %v, %v; want %d after %v", name, left, took, err, row.left, row.waits)
		}
		capture, err := c.Capture()
		notes := strings.Join(capture.Notes, "; ")
		noted := strings.Contains(notes, "did not take back")
		if err != nil || noted != (row.note != "") || !strings.Contains(notes, row.note) {
			t.Errorf("%s: notes %q, %v, want %q", name, notes, err, row.note)
		}
	}
}
