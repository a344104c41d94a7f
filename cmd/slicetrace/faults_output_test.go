package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// intoAClosedPipe runs a command whose standard output nobody reads, and returns
// what it said on standard error.
func intoAClosedPipe(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	read.Close()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = write, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // how it ended is looked at
	return said.String()
}

// Whatever is piped into a reader that has gone ends like any program there: by
// SIGPIPE, and without a word.
func TestEveryCommandIntoAClosedPipe(t *testing.T) {
	bpftest.Require(t)
	old, other := saveReport(t, "old.json", reporttest.Bundled(13, 7)), saveReport(t, "new.json", reporttest.Bundled(13, 8))
	rec := saveRecording(t, 10_007)
	for _, args := range [][]string{
		{"compare", old, other},
		{"compare", old, other, "--verbose"},
		{"compare", old, other, "--format", "json"},
		{"compare", old, other, "--format", "csv"},
		{"compare", old, other, "--format", "markdown"},
		{"compare", old, other, "--fail-if", "operations<-1%"},
		{"export", old, "--table", "cores"},
		{"export", rec, "--table", "switches"},
		{"export", rec, "--table", "switches", "--format", "parquet"},
		{"report", old},
		{"report", old, "--format", "json"},
		{"report", old, "--format", "csv"},
		{"list"},
		{"check"},
		{"check", "--format", "json"},
		{"run", "--claims"},
		{"--help"},
		{"completion", "bash"},
	} {
		cmd := tool(t, args...)
		said := intoAClosedPipe(t, cmd)
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !status.Signaled() || status.Signal() != syscall.SIGPIPE || said != "" {
			t.Errorf("%v: %v, it said %q", args, cmd.ProcessState, said)
		}
		if left := (invocation{dir: cmd.Dir}).files(t); len(left) > 0 {
			t.Errorf("%v: left %v", args, left)
		}
	}
}

// A run has saved its report by then, in whatever form it is shown.
func TestRunInEachFormatIntoAClosedPipe(t *testing.T) {
	bpftest.Require(t)
	for _, f := range formats() {
		cmd := tool(t, "run", "yield", "--rounds", "1", "--duration", "20ms", "--format", f)
		said := intoAClosedPipe(t, cmd)
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !status.Signaled() || status.Signal() != syscall.SIGPIPE || said != "" {
			t.Errorf("%s: %v, it said %q", f, cmd.ProcessState, said)
		}
		r := (invocation{dir: cmd.Dir}).saved(t)
		checkHonest(t, r)
		if len(r.Trials) != 2 {
			t.Errorf("%s: %d trials are saved", f, len(r.Trials))
		}
	}
}

// Of a program in such a place the tool reports how it ended, and its figures.
func TestProgramIntoAClosedPipe(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "--", "sh", "-c", "sleep 0.01; exec yes")
	said := intoAClosedPipe(t, cmd)
	if status := cmd.ProcessState.ExitCode(); status != 128+int(syscall.SIGPIPE) || !strings.Contains(said, "\nSaved slicetrace-") {
		t.Errorf("status %d: %s", status, said)
	}
	checkHonest(t, (invocation{dir: cmd.Dir}).saved(t))
}

// A report that does not fit on the disk is shown all the same.
func TestReportToAFullDisk(t *testing.T) {
	bpftest.Require(t)
	disk := t.TempDir()
	if err := unix.Mount("none", disk, "tmpfs", 0, "size=4k"); err != nil {
		bpftest.Unavailable(t, "cannot mount a small disk: "+err.Error())
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	const sentence = "no space left on device; choose another place with -o\n"
	name := filepath.Join(disk, "r.json")
	bundled := []string{"run", "pipe", "-o", name, "--rounds", "1", "--duration", "50ms"}
	program := []string{"run", "-o", name, "--", "sh", "-c", "sleep 0.01; (:); exit $0"}
	for _, c := range []struct {
		args   []string
		status int
		shown  func(invocation) string
		holds  string
	}{
		{bundled, exitFailed, func(i invocation) string { return i.out }, "\nTrust\n"},
		{append(bundled, "--format", "json"), exitFailed, func(i invocation) string { return i.out }, `"reconciled_workers"`},
		{append(bundled, "-q"), exitFailed, func(i invocation) string { return i.out }, ""},
		{append(program, "0"), exitFailed, func(i invocation) string { return i.err }, "\nTrust\n"},
		{append(program, "7"), 7, func(i invocation) string { return i.err }, "\nTrust\n"},
	} {
		got := call(t, c.args...)
		if got.status != c.status || !strings.Contains(c.shown(got), c.holds) {
			t.Errorf("%v: status %d, shown is %q", c.args[5:], got.status, c.shown(got))
		}
		lines := strings.SplitAfter(strings.TrimSuffix(got.err, "\n"), "\n")
		if last := lines[len(lines)-1] + "\n"; !strings.HasPrefix(last, "slicetrace: write "+name+": ") || !strings.HasSuffix(last, sentence) {
			t.Errorf("%v: it ends with %q", c.args[5:], last)
		}
		if strings.Contains(got.err, "Saved") {
			t.Errorf("%v: it says that it saved: %s", c.args[5:], got.err)
		}
		if c.args[1] == "pipe" {
			got.checkOneSentence(t, sentence)
		}
		if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
			t.Errorf("%v: left on the disk are %v, %v", c.args[5:], left, err)
		}
	}
}
