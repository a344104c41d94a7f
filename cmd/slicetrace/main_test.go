package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// Before the tool, which passes the variables on to its program.
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
	status := bpftest.Run(m)
	removeProbe()
	os.Exit(status)
}

// waitLimit is the longest time that a test waits for a state that must come. It is long, since
// a machine can be very slow.
const waitLimit = time.Minute

// await waits until a condition is true, and fails the test if that takes too long.
func await(t *testing.T, what string, isTrue func() bool) {
	t.Helper()
	for began := time.Now(); !isTrue(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > waitLimit {
			t.Fatalf("waited %v in vain for %s", waitLimit, what)
		}
	}
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

// finish runs the command to its end. While it runs, the functions of during are called one
// after the other.
func finish(t *testing.T, cmd *exec.Cmd, during ...func()) invocation {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // where during has failed
	for _, f := range during {
		f()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return invocation{shellStatus(cmd), out.String(), errs.String(), cmd.Dir}
}

// shellStatus returns the exit status that a shell would show for a command.
func shellStatus(cmd *exec.Cmd) int {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func call(t *testing.T, args ...string) invocation {
	t.Helper()
	return finish(t, tool(t, args...))
}

// checkOneSentence checks that standard error is one line of the tool's that contains a text.
func (i invocation) checkOneSentence(t *testing.T, want string) {
	t.Helper()
	if !strings.HasPrefix(i.err, "slicetrace: ") || strings.Count(i.err, "\n") != 1 {
		t.Errorf("standard error is not one sentence: %q", i.err)
	}
	if !strings.Contains(i.err, want) {
		t.Errorf("standard error %q does not say %q", i.err, want)
	}
}

// files returns the names in the directory in which the tool ran.
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
	await(t, "an end of all workers", func() bool { return len(workersAlive(t, tool)) == 0 })
}

// awaitWorkers returns the worker hosts that there are once there is one.
func awaitWorkers(t *testing.T, tool *exec.Cmd) (hosts []int) {
	t.Helper()
	await(t, "workers", func() bool {
		hosts = workersAlive(t, tool)
		return len(hosts) > 0
	})
	return hosts
}

// awaitWork returns the worker hosts of a trial once its workers are past their gate.
func awaitWork(t *testing.T, tool *exec.Cmd, wanted func(workloads.Trial) bool) (hosts []int) {
	t.Helper()
	await(t, "work", func() bool {
		hosts = hosts[:0]
		for pid, trial := range workerHosts(t, tool) {
			if wanted(trial) {
				hosts = append(hosts, pid)
			}
		}
		return slices.ContainsFunc(hosts, works)
	})
	return hosts
}

// anyTrial accepts every trial.
func anyTrial(workloads.Trial) bool { return true }

// works reports whether one of a host's threads has been switched out more often, or has
// computed for longer, than a worker is on its way to the start gate.
func works(host int) bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", host))
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil { // a thread can have ended
			continue
		}
		status := parseStatus(string(text))
		voluntary, _ := strconv.Atoi(status["voluntary_ctxt_switches"])
		involuntary, _ := strconv.Atoi(status["nonvoluntary_ctxt_switches"])
		text, _ = os.ReadFile(strings.TrimSuffix(name, "status") + "schedstat")
		var ran time.Duration
		_, _ = fmt.Sscan(string(text), &ran)
		if voluntary > 500 || involuntary > 2000 || ran > 500*time.Millisecond {
			return true
		}
	}
	return false
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
