package table_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Two tables never contradict each other.
func TestTablesDoNotContradictEachOther(t *testing.T) {
	for what, r := range map[string]*report.Report{
		"bundled": reporttest.Bundled(3, 2), "full": reporttest.Full(2, 2), "command": reporttest.Command(),
		"system": watched(), "without pick": reporttest.WithoutPick(reporttest.Bundled(2, 3)),
	} {
		for i, c := range reporttest.Contradictions(r, false) {
			if i == 20 {
				break
			}
			t.Errorf("%s: %s", what, c)
		}
	}
}
