package view_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
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
