package report

import "testing"

// The median of each worker is the sum's part; reports of an earlier version have sums
// of all turns.
func TestWalksOfBothVersions(t *testing.T) {
	walked := []Figure{{Name: "walk_switched_p50_ns", Value: 600}, {Name: "walk_alone_p50_ns", Value: 100}}
	for name, c := range map[string]struct {
		trial        Trial
		after, alone float64
		ok           bool
	}{
		"medians":       {Trial{Workers: make([]Worker, 2), Figures: walked}, 300, 100, true},
		"sums":          {Trial{Operations: 10, Figures: []Figure{{Name: "first_pass_ns", Value: 50}, {Name: "second_pass_ns", Value: 20}}}, 5, 2, true},
		"nothing":       {Trial{Operations: 10, Workers: make([]Worker, 2)}, 0, 0, false},
		"one of two":    {Trial{Operations: 10, Workers: make([]Worker, 2), Figures: []Figure{{Name: "walk_alone_p50_ns", Value: 9}}}, 0, 0, false},
		"no workers":    {Trial{Figures: walked}, 0, 0, false},
		"no operations": {Trial{Figures: []Figure{{Name: "first_pass_ns", Value: 50}, {Name: "second_pass_ns", Value: 20}}}, 0, 0, false},
	} {
		if after, alone, ok := c.trial.walks(); after != c.after || alone != c.alone || ok != c.ok {
			t.Errorf("%s: %v, %v, %v, want %v, %v, %v", name, after, alone, ok, c.after, c.alone, c.ok)
		}
	}
}
