package metric

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
)

// The sum of the workers' medians is divided by their number. Reports of an earlier version have
// sums over all turns.
func TestWalksOfBothVersions(t *testing.T) {
	walked := []report.Figure{{Name: "walk_switched_p50_ns", Value: 600}, {Name: "walk_alone_p50_ns", Value: 100}}
	for name, c := range map[string]struct {
		trial        report.Trial
		after, alone float64
		ok           bool
	}{
		"medians": {report.Trial{Workers: make([]report.Worker, 2), Figures: walked}, 300, 100, true},
		"sums": {
			report.Trial{
				Operations: 10,
				Figures:    []report.Figure{{Name: "first_pass_ns", Value: 50}, {Name: "second_pass_ns", Value: 20}},
			},
			5, 2, true,
		},
		"nothing": {report.Trial{Operations: 10, Workers: make([]report.Worker, 2)}, 0, 0, false},
		"one of two": {
			report.Trial{
				Operations: 10, Workers: make([]report.Worker, 2),
				Figures: []report.Figure{{Name: "walk_alone_p50_ns", Value: 9}},
			},
			0, 0, false,
		},
		"no workers": {report.Trial{Figures: walked}, 0, 0, false},
		"no operations": {
			report.Trial{
				Figures: []report.Figure{{Name: "first_pass_ns", Value: 50}, {Name: "second_pass_ns", Value: 20}},
			},
			0, 0, false,
		},
	} {
		if after, alone, ok := walks(&c.trial); after != c.after || alone != c.alone || ok != c.ok {
			t.Errorf("%s: %v, %v, %v, want %v, %v, %v", name, after, alone, ok, c.after, c.alone, c.ok)
		}
	}
}
