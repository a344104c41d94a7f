package compare_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// A workload whose figures have changed their meaning is named. A report without versions has the
// first version of each workload.
func TestCompareNamesWorkloadsOfAnotherVersion(t *testing.T) {
	version := func(versions map[string]int) compare.Input {
		r := reporttest.Full(1, 1)
		r.Setup.Workloads, r.Setup.WorkloadVersions = []string{"pipe", "scale", "counter"}, versions
		return compare.Input{Name: "r", Report: r}
	}
	for _, c := range []struct {
		old, new map[string]int
		want     []compare.Difference
	}{
		{nil, nil, nil},
		{nil, map[string]int{"pipe": 1, "scale": 1, "counter": 1}, nil},
		{
			nil, map[string]int{"scale": 2},
			[]compare.Difference{{Name: "workload_scale", Old: "version 1", New: "version 2"}},
		},
		{
			map[string]int{"counter": 3}, map[string]int{"scale": 2, "counter": 3},
			[]compare.Difference{{Name: "workload_scale", Old: "version 1", New: "version 2"}},
		},
		{map[string]int{"spin": 2}, nil, nil}, // which did not run
	} {
		compared, err := compare.Reports([]compare.Input{version(c.old)}, [][]compare.Input{{version(c.new)}},
			compare.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []compare.Difference
		got = append(got, compared.Pairs[0].Differences...)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v against %v (-want +got):\n%s", c.old, c.new, diff)
		}
	}
}
