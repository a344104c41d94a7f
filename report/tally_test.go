package report

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTallyEqualsMerge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var sum tally
		var want Histogram
		for range random.IntN(5) {
			var h Histogram
			for range random.IntN(20) {
				h.Observe(random.Uint64() >> random.IntN(64))
			}
			sum.add(h)
			want.Merge(h)
		}
		if diff := cmp.Diff(want, sum.histogram()); diff != "" {
			t.Fatalf("(-merged +tallied):\n%s", diff)
		}
	}
}
