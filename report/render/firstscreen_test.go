package render_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// oneScreen is the greatest number of lines of a first screen of 80 columns.
const oneScreen = 24

// longest returns a report of every workload in which every text that the first screen shows is as
// long as it can be.
func longest() *report.Report {
	r := reporttest.Dirty(reporttest.Full(12, 2))
	long := strings.Repeat("a long text ", 100)
	r.Host.CPUModel, r.Host.Kernel, r.Host.Preemption, r.Host.PTI = long, long, long, long
	r.Warnings = []string{long, long, long}
	for i := range r.Findings {
		r.Findings[i].Verdict = []report.Verdict{report.Contradicted, report.Inconclusive, report.NotMeasured}[i%3]
	}
	return r
}

func TestFirstScreenFitsOneScreen(t *testing.T) {
	reports := shownReports()
	reports["longest"] = longest()
	reports["hostile-bundled"] = reporttest.Hostile(reporttest.Bundled(1, 1))
	reports["dirty-every-workload"] = reporttest.Dirty(reporttest.Full(12, 2))
	reports["every-workload-few-rounds"] = reporttest.Full(2, 2)
	reports["every-workload-many-cores"] = reporttest.Full(6, 64)
	for name, r := range reports {
		if len(metric.BundledModes(r)) == 0 {
			continue
		}
		for _, width := range []int{80, 100} {
			got := text(t, r, render.TextOptions{Width: width})
			if n := bytes.Count(got, []byte("\n")); n > oneScreen {
				t.Errorf("%s: %d lines at %d columns:\n%s", name, n, width, got)
			}
			for line := range strings.Lines(string(got)) {
				if w := twwidth.Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("%s: %d columns of %d: %s", name, w, width, line)
				}
			}
		}
	}
}

func TestMarkdownOfTheFirstScreen(t *testing.T) {
	var out bytes.Buffer
	if err := render.Markdown(&out, view.FirstScreen(reporttest.Full(12, 2))); err != nil {
		t.Fatal(err)
	}
	golden(t, "every-workload.md", out.Bytes())
}
