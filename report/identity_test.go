package report_test

import (
	"regexp"
	"testing"

	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestIDs(t *testing.T) {
	r := reporttest.Bundled(1, 2)
	if id := r.ID(); !regexp.MustCompile(`^20261122T201100Z-[0-9a-f]{8}$`).MatchString(id) {
		t.Errorf("report's ID is %s", id)
	}
	if id := r.Host.ID(); !regexp.MustCompile(`^m[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("host's ID is %s", id)
	}
	again := reporttest.Bundled(1, 2)
	again.Findings = nil
	again.Host.BaseSliceNS = nil
	again.Host.Kernel, again.Host.MemoryBytes = "7.2.1", again.Host.MemoryBytes-300<<20
	if again.Host.ID() != r.Host.ID() {
		t.Error("another kernel, and memory that it reserves, make another host")
	}
	again.Host.CPUs++
	if again.Host.ID() == r.Host.ID() {
		t.Error("one CPU more is the same host")
	}
	again = reporttest.Bundled(1, 2)
	again.Findings = nil
	if again.ID() != r.ID() {
		t.Error("a report without its findings is another report")
	}
	again.Trials[0].DurationNS++
	if again.ID() == r.ID() {
		t.Error("two measurements at the same time are one report")
	}
}
