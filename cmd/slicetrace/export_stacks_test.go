package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/slicetrace/slicetrace/report/reporttest"
)

// A report with stacks is exported as a profile and as folded stacks.
func TestExportOfStacks(t *testing.T) {
	saved := saveReport(t, "why.json", reporttest.Blocked())
	piped := call(t, "export", saved, "--format", "pprof")
	filed := call(t, "export", saved, "--format", "pprof", "-o", "blocked.pb.gz")
	if piped.status != exitDone || filed.status != exitDone || filed.out != "" || piped.err+filed.err != "" {
		t.Fatalf("status %d and %d: %s%s", piped.status, filed.status, piped.err, filed.err)
	}
	data, err := os.ReadFile(filepath.Join(filed.dir, "blocked.pb.gz"))
	if err != nil || !bytes.Equal(data, []byte(piped.out)) || !slices.Equal(filed.files(t), []string{"blocked.pb.gz"}) {
		t.Errorf("%v: %d bytes in the file, %d in the pipe", err, len(data), len(piped.out))
	}
	p, err := profile.ParseData(data)
	if err != nil || len(p.Sample) != len(reporttest.Blocked().Trials[0].Why.Waits) {
		t.Errorf("%v: %v", err, p)
	}
	lines := call(t, "export", saved, "--format", "folded")
	if lines.status != exitDone || lines.err != "" || !strings.Contains(lines.out, "\nmake;jobs;blocked;main;") {
		t.Errorf("status %d, %s: %s", lines.status, lines.err, lines.out)
	}
}
