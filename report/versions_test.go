package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// A workload whose figures mean something else than before is named; a report that does
// not tell versions has the first of each.
func TestCompareNamesWorkloadsOfAnotherVersion(t *testing.T) {
	version := func(versions map[string]int) report.Named {
		r := reporttest.Full(1, 1)
		r.Setup.Workloads, r.Setup.WorkloadVersions = []string{"pipe", "scale", "counter"}, versions
		return report.Named{Name: "r", Report: r}
	}
	for _, c := range []struct {
		old, new map[string]int
		want     []report.Unlike
	}{
		{nil, nil, nil},
		{nil, map[string]int{"pipe": 1, "scale": 1, "counter": 1}, nil},
		{nil, map[string]int{"scale": 2}, []report.Unlike{{Name: "workload_scale", Old: "version 1", New: "version 2"}}},
		{map[string]int{"counter": 3}, map[string]int{"scale": 2, "counter": 3}, []report.Unlike{{Name: "workload_scale", Old: "version 1", New: "version 2"}}},
		{map[string]int{"spin": 2}, nil, nil}, // which did not run
	} {
		compared, err := report.Compare([]report.Named{version(c.old)}, [][]report.Named{{version(c.new)}}, report.CompareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got []report.Unlike
		got = append(got, compared.Pairs[0].Differences...)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v against %v (-want +got):\n%s", c.old, c.new, diff)
		}
	}
}
