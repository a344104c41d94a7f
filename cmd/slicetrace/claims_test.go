package main

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/workloads"
)

func TestRunListsClaims(t *testing.T) {
	got := call(t, "run", "--claims")
	if got.status != exitDone || got.err != "" || len(got.files(t)) > 0 {
		t.Fatalf("status %d, %q, files %v", got.status, got.err, got.files(t))
	}
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	claims := findings.Claims()
	if len(lines) != 2*len(claims) {
		t.Fatalf("%d lines for %d claims:\n%s", len(lines), len(claims), got.out)
	}
	for i, c := range claims {
		claim, by := lines[2*i], lines[2*i+1]
		named := strings.HasPrefix(claim, c.ID+" ") && strings.Contains(claim, c.Statement)
		if !named || !strings.Contains(by, c.Workloads[0]) {
			t.Errorf("%s is listed as %q, %q", c.ID, claim, by)
		}
		for _, name := range c.Workloads {
			if _, err := workloads.Find(name); err != nil {
				t.Errorf("%s needs %s: %v", c.ID, name, err)
			}
		}
	}
	for line := range strings.Lines(got.out) {
		if n := len([]rune(line)) - 1; n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
