package stats

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The example of Benjamini and Hochberg's paper: of 15 tests, the first four are
// discoveries at 5 %.
func TestFalseDiscoveryRates(t *testing.T) {
	p := []float64{
		0.0095, 0.0001, 0.0004, 0.0019, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
		0.6528, 0.7590, 1,
	}
	q := FalseDiscoveryRates(p)
	want := []float64{0.0095 * 15 / 4, 0.0015, 0.003, 0.0095, 0.0603}
	if diff := cmp.Diff(want, q[:5], cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("q (-want +got):\n%s", diff)
	}
	if q[14] != 1 || len(FalseDiscoveryRates(nil)) != 0 {
		t.Errorf("the last is %g", q[14])
	}
}
