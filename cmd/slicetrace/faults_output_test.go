package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// firstScreen is in the first screen of a report of bundled workloads.
const firstScreen = "\nProcesses and threads on this machine\n"

// intoAClosedPipe runs a command whose standard output nobody reads, and returns
// its standard error.
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

// A command that writes to a pipe whose reader has gone ends like any program there: by SIGPIPE
// and without a message.
func TestEveryCommandIntoAClosedPipe(t *testing.T) {
	bpftest.Require(t)
	old := saveReport(t, "old.json", reporttest.Bundled(13, 7))
	other := saveReport(t, "new.json", reporttest.Bundled(13, 8))
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
		{"top", "--interval", "100ms"},
		{"top", "--interval", "100ms", "--format", "csv"},
		{"top", "--interval", "100ms", "--format", "jsonl"},
		{"--help"},
		{"completion", "bash"},
		{"man"},
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

// A run has saved its report by then, whatever the format in which it is shown.
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

// If a traced program writes to such a pipe, the tool passes its end on and saves its report.
func TestProgramIntoAClosedPipe(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "--", "sh", "-c", "sleep 0.01; exec yes")
	said := intoAClosedPipe(t, cmd)
	status := shellStatus(cmd)
	if status != 128+int(syscall.SIGPIPE) || !strings.Contains(said, "\nSaved slicetrace-") {
		t.Errorf("status %d: %s", status, said)
	}
	checkHonest(t, (invocation{dir: cmd.Dir}).saved(t))
}

// A report that does not fit on the disk is saved elsewhere, and shown all the same. If it fits
// nowhere, it is shown even with --quiet.
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
	const sentence = "no space left on device; choose another place"
	name := filepath.Join(disk, "r.json")
	bundled := []string{"run", "pipe", "-o", name, "--rounds", "1", "--duration", "50ms"}
	program := []string{"run", "-o", name, "--", "sh", "-c", "sleep 0.01; (:); exit $0"}
	out, messages := func(i invocation) string { return i.out }, func(i invocation) string { return i.err }
	for _, c := range []struct {
		args   []string
		full   bool // no room for temporary files either
		status int
		shown  func(invocation) string
		holds  string
	}{
		{bundled, false, exitFailed, out, firstScreen},
		{append(bundled, "--format", "json"), false, exitFailed, out, `"reconciled_workers"`},
		{append(bundled, "-q"), false, exitFailed, out, ""},
		{append(bundled, "-q"), true, exitFailed, out, firstScreen},
		{append(program, "0"), false, exitFailed, messages, "\nTrust\n"},
		{append(program, "7"), true, 7, messages, "\nTrust\n"},
	} {
		cmd := tool(t, c.args...)
		spare := disk
		if !c.full {
			spare = t.TempDir()
		}
		cmd.Env = append(cmd.Env, "TMPDIR="+spare)
		got := finish(t, cmd)
		if got.status != c.status || !strings.Contains(c.shown(got), c.holds) || c.holds == "" && c.shown(got) != "" {
			t.Errorf("%v: status %d, shown is %q", c.args[5:], got.status, c.shown(got))
		}
		lines := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
		last := lines[len(lines)-1]
		before, elsewhere, saved := strings.Cut(last, "; the report is ")
		right := strings.HasPrefix(last, "slicetrace: write "+name+": ") && strings.HasSuffix(before, sentence)
		if !right || saved == c.full {
			t.Errorf("%v: it ends with %q", c.args[5:], last)
		}
		if saved {
			elsewhere = strings.TrimSuffix(elsewhere, " instead")
			r, err := report.ReadFile(elsewhere)
			if err != nil || len(r.Trials) == 0 || !strings.HasPrefix(elsewhere, spare) {
				t.Errorf("%v: %s: %v", c.args[5:], elsewhere, err)
			}
			if info, err := os.Stat(filepath.Dir(elsewhere)); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%v: %v, %v", c.args[5:], info, err)
			}
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

// A report that is larger than a file may be is shown, and the error names the limit: another
// place would not help.
func TestReportBeyondTheSizeOfFiles(t *testing.T) {
	bpftest.Require(t)
	const bundled, program = "run pipe --rounds 1 --duration 50ms -q -o r.json", "run -q -o r.json -- true"
	const ofReport = "slicetrace: write r.json: encode report: file too large"
	for _, c := range []struct {
		blocks int // of 512 bytes
		args   string
		shown  bool
		says   string
	}{
		{8, bundled, true, ofReport}, {8, program, true, ofReport}, {1, program, true, ofReport},
		{1, bundled, false, "size memory for workers: file too large"},
	} {
		cmd := tool(t)
		cmd.Path = "/bin/sh"
		cmd.Args = []string{"sh", "-c", fmt.Sprintf(`ulimit -f %d && exec "$0" %s`, c.blocks, c.args), self(t)}
		got := finish(t, cmd)
		remedy := strings.HasSuffix(got.err, "raise the limit on the size of files (ulimit -f)\n")
		shown := strings.Contains(got.out, firstScreen) || strings.Contains(got.err, "\nTrust\n")
		if got.status != exitFailed || !strings.Contains(got.err, c.says) || !remedy || shown != c.shown {
			t.Errorf("%d blocks, %s: status %d, %q, %q", c.blocks, c.args, got.status, got.out, got.err)
		}
		if left := got.files(t); len(left) > 0 {
			t.Errorf("%s left %v", c.args, left)
		}
	}
}
