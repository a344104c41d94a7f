package recording_test

import (
	"fmt"
	"testing"

	"github.com/slicetrace/slicetrace/report/recording"
)

func TestNamesAreThoseOfTheTime(t *testing.T) {
	var n recording.Names
	if got := n.At(7, 100); got != "" {
		t.Errorf("nothing learnt, and 7 is %q", got)
	}
	n.Learn([]recording.Task{{TID: 7, Comm: "sh"}, {TimeNS: 100, TID: 7, Comm: "make"}, {TimeNS: 50, TID: 7, Comm: "env"}, {TimeNS: 100, TID: 8, Comm: "late"}})
	for _, c := range []struct {
		tid  int32
		time int64
		want string
	}{
		{7, 0, "sh"}, {7, 49, "sh"}, {7, 50, "env"}, {7, 99, "env"}, {7, 100, "make"}, {7, 1 << 62, "make"}, {8, 99, ""}, {8, 100, "late"}, {9, 5, ""},
	} {
		if got := n.At(c.tid, c.time); got != c.want {
			t.Errorf("%d at %d is %q, want %q", c.tid, c.time, got, c.want)
		}
	}
	// A tid used over and over takes no more memory.
	for i := range 10_007 {
		n.Learn([]recording.Task{{TimeNS: int64(1000 + i), TID: 7, Comm: fmt.Sprint(i)}})
	}
	if got := n.At(7, 1000+10_005); got != "10005" {
		t.Errorf("the last name but one is %q", got)
	}
	if got := n.At(7, 500); got != "" {
		t.Errorf("a name of long ago is %q", got)
	}
}
