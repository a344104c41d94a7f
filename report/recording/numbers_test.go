package recording_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
)

// Files hold indexes into these two lists. So they may only become longer, and not by so much that
// an index becomes NoClass or NoCause.
func TestNumbersInFilesStay(t *testing.T) {
	classes := []report.Class{"thread", "process", "kernel", "idle_in", "idle_out"}
	if diff := cmp.Diff(classes, report.Classes()[:len(classes)]); diff != "" {
		t.Errorf("classes (-files +now):\n%s", diff)
	}
	causes := []report.EndedBy{"blocked", "exited", "tick", "wakeup", "yield", "other", "throttled"}
	if diff := cmp.Diff(causes, report.Causes()[:len(causes)]); diff != "" {
		t.Errorf("causes (-files +now):\n%s", diff)
	}
	if n, m := len(report.Classes()), len(report.Causes()); n > recording.NoClass || m > recording.NoCause {
		t.Errorf("%d classes and %d causes leave no number for none", n, m)
	}
}
