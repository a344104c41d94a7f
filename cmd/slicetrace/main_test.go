package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// toolVariable makes this test binary the tool.
const toolVariable = "SLICETRACE_TEST_TOOL"

func TestMain(m *testing.M) {
	if status, hosted := workloads.HostMain(dropUnlessRoot); hosted {
		os.Exit(status)
	}
	// Ahead of the tool, whose program it is.
	if os.Getenv(masqueradeVariable) != "" && len(os.Args) == 1 {
		os.Exit(masquerade())
	}
	if program := faultyPrograms()[os.Getenv(faultyVariable)]; program != nil && len(os.Args) == 1 {
		os.Exit(program())
	}
	if os.Getenv(toolVariable) != "" {
		if os.Getenv(noExecutionVariable) != "" {
			if err := refuseExecution(); err != nil {
				panic(err)
			}
		}
		os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
	}
	os.Exit(bpftest.Run(m))
}

// invocation is one run of the tool as a user sees it.
type invocation struct {
	status   int
	out, err string
	dir      string
}

// tool returns a command that runs the tool in an empty directory of its own.
func tool(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := toolCommand(args...)
	cmd.Dir = t.TempDir()
	return cmd
}

func toolCommand(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), toolVariable+"=1", "SUDO_UID=", "SUDO_GID=")
	return cmd
}

// finish runs the command to its end. While it runs, each of during is called
// in turn.
func finish(t *testing.T, cmd *exec.Cmd, during ...func()) invocation {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range during {
		f()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return invocation{cmd.ProcessState.ExitCode(), out.String(), errs.String(), cmd.Dir}
}

func call(t *testing.T, args ...string) invocation {
	t.Helper()
	return finish(t, tool(t, args...))
}

// checkOneSentence holds an error to its form: one line, from us, no stack.
func (i invocation) checkOneSentence(t *testing.T, want string) {
	t.Helper()
	if !strings.HasPrefix(i.err, "slicetrace: ") || strings.Count(i.err, "\n") != 1 {
		t.Errorf("standard error is not one sentence: %q", i.err)
	}
	if !strings.Contains(i.err, want) {
		t.Errorf("standard error %q does not say %q", i.err, want)
	}
}

// files are the names in the directory in which the tool ran.
func (i invocation) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(i.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// saved reads the only report that the tool left.
func (i invocation) saved(t *testing.T) *report.Report {
	t.Helper()
	names := i.files(t)
	if len(names) != 1 {
		t.Fatalf("the tool left %v, want one report; it said %s", names, i.err)
	}
	r, err := report.ReadFile(filepath.Join(i.dir, names[0]))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// workersAlive returns the processes that are worker hosts of the tool.
func workersAlive(t *testing.T, tool *exec.Cmd) []int {
	t.Helper()
	return slices.Sorted(maps.Keys(workerHosts(t, tool)))
}

// workerHosts returns the worker hosts of the tool, and the trial that each is for.
func workerHosts(t *testing.T, tool *exec.Cmd) map[int]workloads.Trial {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[int]workloads.Trial)
	for _, name := range environments {
		text, err := os.ReadFile(name)
		_, text, is := bytes.Cut(text, []byte("SLICETRACE_WORKER_HOST="))
		text, _, _ = bytes.Cut(text, []byte{0})
		var orders struct {
			Trial  workloads.Trial
			Parent int
		}
		if err != nil || !is || json.Unmarshal(text, &orders) != nil || orders.Parent != tool.Process.Pid {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(name, "/")[2])
		if err != nil {
			t.Fatal(err)
		}
		found[pid] = orders.Trial
	}
	return found
}

// checkNoWorkers waits for killed workers to vanish.
func checkNoWorkers(t *testing.T, tool *exec.Cmd) {
	t.Helper()
	for range 100 {
		if len(workersAlive(t, tool)) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("workers are alive: %v", workersAlive(t, tool))
}

// awaitWorkers returns the worker hosts once a trial is under way.
func awaitWorkers(t *testing.T, tool *exec.Cmd) []int {
	t.Helper()
	for range 500 {
		if hosts := workersAlive(t, tool); len(hosts) > 0 {
			return hosts
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no worker appeared")
	return nil
}

// nobody is a user without privileges.
const nobody = 65534

// asNobody runs a command without root, with the given capabilities only, in a
// directory that it may write to.
func asNobody(t *testing.T, cmd *exec.Cmd, capabilities ...uintptr) *exec.Cmd {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody},
		AmbientCaps: capabilities,
	}
	cmd.Dir = worldDir(t)
	return cmd
}

// worldDir is a new directory that everybody may enter and nobody owns.
func worldDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "slicetrace-test-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}
