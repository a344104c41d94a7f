package view_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// The most important properties of the machine.
func TestHeaderSaysWhatTheCoresAre(t *testing.T) {
	for _, c := range []struct {
		smt, hypervisor string
		want            string
	}{
		{"not supported", "KVM", "2 cores · virtual machine"},
		{"off", "none", "2 cores · bare metal"},
		{"on", "none", "2 logical cores (SMT) · bare metal"},
		{"", "", "2 cores"},
	} {
		r := report.Report{Host: report.Host{CPUs: 2, SMT: c.smt, Hypervisor: c.hypervisor}}
		if got := strings.Join(view.Summarize(&r).Header, " · "); got != "slicetrace · "+c.want {
			t.Errorf("SMT %q on %q: the header is %s, want %s", c.smt, c.hypervisor, got, c.want)
		}
	}
}

// Where hooks of other kinds bound the pick phase, its floor is shown right below the other one, to
// which it refers.
func TestTrustShowsTheFloorOfEachPhase(t *testing.T) {
	for _, c := range []struct {
		report *report.Report
		want   string
	}{
		{reporttest.Bundled(1, 1), "hook floor 48 ns, tracing time "},
		{
			reporttest.OlderKernel(reporttest.Bundled(1, 1)),
			"hook floor 213 ns, hook floor of pick 61 ns, tracing time ",
		},
	} {
		var shown []string
		for _, row := range section(t, view.Summarize(c.report), "Trust").Groups[0].Rows {
			shown = append(shown, row[0].Text+" "+row[1].Value.String())
		}
		if got := strings.Join(shown, ", "); !strings.Contains(got, c.want) {
			t.Errorf("Trust shows %s, want %s", got, c.want)
		}
	}
}
