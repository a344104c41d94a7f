package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

func TestCommandHasTheStreamsToItself(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "--", "sh", "-c", "cat; echo oops >&2; exit 7")
	cmd.Stdin = strings.NewReader("through\n")
	got := finish(t, cmd)
	if got.status != 7 || got.out != "through\n" {
		t.Errorf("status %d, standard output %q", got.status, got.out)
	}
	if !strings.HasPrefix(got.err, "oops\nslicetrace · ") || !strings.Contains(got.err, "\nSaved slicetrace-") {
		t.Errorf("standard error is %q", got.err)
	}
	r := got.saved(t)
	if len(r.Trials) != 1 || r.Trials[0].Mode != report.Command || r.Trials[0].Workload != "sh" {
		t.Errorf("trials %+v", r.Trials)
	}
}

func TestCommandQuietly(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "-q", "--", "echo", "--rounds", "-o")
	if got.out != "--rounds -o\n" || got.err != "" || got.status != 0 {
		t.Errorf("status %d, %q, %q", got.status, got.out, got.err)
	}
}

func TestCommandStatuses(t *testing.T) {
	bpftest.Require(t)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		argv   []string
		status int
		says   string
	}{
		{[]string{"true"}, 0, ""},
		{[]string{"false"}, 1, ""},
		{[]string{"sh", "-c", "kill -TERM $$"}, 128 + 15, ""},
		{[]string{"sh", "-c", "kill -KILL $$"}, 128 + 9, ""},
		{[]string{"no-such-program"}, 127, "no-such-program"},
		{[]string{"/no/such/program"}, 127, "/no/such/program"},
		{[]string{script}, 126, script},
		{[]string{"/"}, 126, `"/"`},
	} {
		got := call(t, append([]string{"run", "-q", "--"}, c.argv...)...)
		if got.status != c.status {
			t.Errorf("%v: status %d, want %d; %s", c.argv, got.status, c.status, got.err)
		}
		if c.says != "" {
			got.checkOneSentence(t, c.says)
			if len(got.files(t)) > 0 {
				t.Errorf("%v: left %v", c.argv, got.files(t))
			}
		}
	}
}

func TestCommandGetsSignals(t *testing.T) {
	bpftest.Require(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGINT} {
		if signal.Ignored(sig) {
			continue // as under nohup, where a shell cannot trap it
		}
		cmd := tool(t, "run", "-q", "--", "sh", "-c",
			"trap 'echo got it; exit 5' TERM HUP USR1 INT; echo ready; while :; do sleep 0.05; done")
		// It gets a session of its own, since a terminal's foreground group would get the
		// signals too.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		out, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		text := func() string {
			b, _ := os.ReadFile(out.Name())
			return string(b)
		}
		await(t, "the program's start", func() bool { return text() != "" })
		if err := cmd.Process.Signal(sig); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // the status is looked at
		if status := cmd.ProcessState.ExitCode(); status != 5 || text() != "ready\ngot it\n" {
			t.Errorf("%v: status %d, output %q", sig, status, text())
		}
	}
}

// A tree of forks, threads and programs is followed and reconciled.
func TestCommandTreeIsReconciled(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "--", "sh", "-c", "for i in 1 2 3; do (sleep 0.02; /bin/true) & done; wait")
	r := got.saved(t)
	sleeps := 0
	for _, w := range r.Trials[0].Workers {
		if w.Comm == "sleep" {
			sleeps++
		}
	}
	if sleeps != 3 {
		t.Errorf("%d tasks called sleep, want 3", sleeps)
	}
	if q := r.Quality; q.ComparedWorkers < 7 || q.ReconciledWorkers != q.ComparedWorkers {
		t.Errorf("%d of %d compared tasks reconciled", q.ReconciledWorkers, q.ComparedWorkers)
	}
	if !strings.Contains(got.err, "sleep") {
		t.Error("the report names no task called sleep")
	}
}
