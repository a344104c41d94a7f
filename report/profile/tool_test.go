package profile_test

import (
	"bytes"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report/reporttest"
)

// The pprof tool shows the sums that the report has, for each sample type, and all functions.
func TestPprofToolReadsTheProfile(t *testing.T) {
	r := reporttest.Blocked()
	name := filepath.Join(t.TempDir(), "blocked.pb.gz")
	if err := os.WriteFile(name, encoded(t, r), 0o644); err != nil {
		t.Fatal(err)
	}
	pprof := pprofTool(t)
	total := regexp.MustCompile(`, 100% of (\d+)(ns)? total`)
	want := sums(r)
	for i, sample := range []string{"off_cpu", "blocked", "runnable", "throttled", "returns"} {
		out := pprof("-top", "-sample_index="+sample, "-unit=ns", "-nodefraction=0", name)
		m := total.FindStringSubmatch(out)
		if m == nil || m[1] != strconv.FormatInt(want[i], 10) {
			t.Errorf("%s: not %d in all:\n%s", sample, want[i], out)
		}
	}
	out := pprof("-top", "-unit=ns", "-nodefraction=0", name)
	for _, shown := range []string{
		"File: make\n", " for at least 1.00 ms\n", "Type: off_cpu\n",
		" 903000000ns 76.17%  Queue<Job, 16>::pop(Job&)\n",
		"  [libjobs.so]\n", "  [unknown]\n", "  main.step (inline)\n", " 1500999ns  0.13%  [no stack]\n",
	} {
		if !strings.Contains(out, shown) {
			t.Errorf("%q is not in\n%s", shown, out)
		}
	}
	for filter, sum := range map[string]string{
		"thread=jobs": "281000000", "pid=" + strconv.Itoa(int(r.Trials[0].Workers[0].PID)): "1184000000",
		"iowait=1": "231000000", "waker=interrupt": "231000000",
	} {
		out := pprof("-top", "-unit=ns", "-nodefraction=0", "-tagfocus="+filter, name)
		if !strings.Contains(out, "accounting for "+sum+"ns, ") {
			t.Errorf("%s: not %s ns:\n%s", filter, sum, out)
		}
	}
}

// pprofTool returns a function that runs the pprof tool of Go, which the go command builds when it is first run.
func pprofTool(t *testing.T) func(args ...string) string {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil { // sudo may set a path of its own
		tool = filepath.Join(build.Default.GOROOT, "bin", "go")
	}
	environment := append(os.Environ(), "PPROF_TMPDIR="+t.TempDir())
	if caller := os.Getenv("SUDO_UID"); caller != "" && caller != "0" { // what root builds is not for that user's cache
		environment = append(environment, "GOCACHE="+t.TempDir())
	}
	return func(args ...string) string {
		cmd := exec.Command(tool, append([]string{"tool", "pprof"}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr, cmd.Env = &stderr, environment
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v: %s", args, err, &stderr)
		}
		return string(out)
	}
}
