package view_test

import (
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// A setting that changed has a sentence that says when it had which value, by the rarer one, and what follows.
func TestWarningsOfSettingsThatChanged(t *testing.T) {
	const traced = "; a switch costs more while others trace it"
	for what, c := range map[string]struct {
		began   string
		changed []int // the intervals in which there is another value
		end     string
		want    string
	}{
		"for a while": {"none", []int{2, 3}, "perf events",
			"none when the run began, but perf events in 2 of 9 intervals (interval 2, interval 3)"},
		"at first": {"perf events", []int{2, 3, 4, 5, 6, 7, 8, 9}, "none",
			"perf events when the run began and in 1 of 9 intervals (interval 1), none in the other 8"},
		"at once": {"perf events", []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, "none",
			"perf events before the first interval, then none in all 9 intervals"},
	} {
		r := reporttest.System(reporttest.SystemSize{Cores: 1, Tasks: 2, Groups: 1, Intervals: 9})
		r.Settings = report.Settings{"other_tracers": c.began}
		for i := range r.Trials {
			r.Trials[i].Round = i + 1
			if slices.Contains(c.changed, i+1) {
				r.Trials[i].Settings = []report.SettingChange{{Name: "other_tracers", Start: c.end, End: c.end}}
			}
		}
		want := "other tracers changed: " + c.want + traced
		if got := view.Summarize(r).Warnings; !slices.Contains(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}
