//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// runCommand runs a command to its end and returns how it ended and its output.
func runCommand(t *testing.T, c Command) (syscall.WaitStatus, string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c.Stdout = out
	r, err := StartCommand(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Release(); err != nil {
		t.Error(err)
	}
	status, usage, err := r.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if usage.Maxrss == 0 {
		t.Error("the command's usage is empty")
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return status, string(text)
}

func shell(script string, args ...string) Command {
	return Command{Argv: append([]string{"sh", "-c", script, "sh"}, args...)}
}

func TestCommandPassesStreamsAndArguments(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if _, err := write.WriteString("from stdin\n"); err != nil {
		t.Fatal(err)
	}
	write.Close()
	diagnostics, err := os.Create(filepath.Join(t.TempDir(), "err"))
	if err != nil {
		t.Fatal(err)
	}
	defer diagnostics.Close()
	c := shell(`cat; printf '<%s>' "$@"; echo diagnosis >&2`, "a b", "", "$c")
	c.Stdin, c.Stderr = read, diagnostics
	_, out := runCommand(t, c)
	if want := "from stdin\n<a b><><$c>"; out != want {
		t.Errorf("standard output is %q, want %q", out, want)
	}
	if text, err := os.ReadFile(diagnostics.Name()); err != nil || string(text) != "diagnosis\n" {
		t.Errorf("standard error is %q, %v", text, err)
	}
}

func TestCommandStatus(t *testing.T) {
	for script, want := range map[string]syscall.WaitStatus{
		"exit 0":        0,
		"exit 42":       42 << 8,
		"kill -TERM $$": syscall.WaitStatus(unix.SIGTERM),
	} {
		if got, _ := runCommand(t, shell(script)); got&^0x80 != want {
			t.Errorf("%s: status %#x, want %#x", script, got, want)
		}
	}
}

// No thread of this process runs while a command does, not even Go's monitor thread, which
// would wake dozens of times if it did not know that a system call blocks.
func TestToolSleepsWhileTheCommandRuns(t *testing.T) {
	var switches []uint64
	for range 9 {
		r, err := StartCommand(Command{Argv: []string{"sleep", "0.2"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Release(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Wait(); err != nil {
			t.Fatal(err)
		}
		switches = append(switches, r.ToolSwitches())
	}
	slices.Sort(switches)
	if typical := switches[len(switches)/2]; typical == 0 || typical > 10 {
		t.Errorf("while commands ran this process was switched out %v times, want 1 to 10", switches)
	}
}

func TestCommandKeepsPIDAndGroup(t *testing.T) {
	r, err := StartCommand(Command{Argv: []string{"sleep", "1000"}})
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.PID()))
		if err != nil {
			t.Error(err)
		}
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", r.PID()))
		if err != nil {
			t.Error(err)
		}
		return filepath.Base(exe) + " " + strings.ReplaceAll(string(text), "\x00", " ")
	}
	if _, err := r.Before(); err != nil {
		t.Error(err)
	}
	before := name()
	if off, err := offCPU(fmt.Sprintf("/proc/%d/task/%d/", r.PID(), r.PID())); err != nil || !off {
		t.Errorf("the launcher is off the CPU: %v, %v", off, err)
	}
	if err := r.Release(); err != nil {
		t.Error(err)
	}
	after := name()
	if strings.HasPrefix(before, "sleep ") || !strings.HasSuffix(after, "sleep 1000 ") || after == before {
		t.Errorf("the process was %q before its release and %q after", before, after)
	}
	if group, err := unix.Getpgid(int(r.PID())); err != nil || group != unix.Getpgrp() {
		t.Errorf("the command is in group %d, %v, want ours, %d", group, err, unix.Getpgrp())
	}
	if err := r.Signal(unix.SIGINT); err != nil {
		t.Error(err)
	}
	status, _, err := r.Wait()
	if err != nil || !status.Signaled() || status.Signal() != unix.SIGINT {
		t.Errorf("the command ended with %#x, %v, want by SIGINT", status, err)
	}
	if err := r.Signal(unix.SIGINT); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal after the end gave %v, want %v", err, os.ErrProcessDone)
	}
}

func TestCommandThatCannotBeExecuted(t *testing.T) {
	dir := t.TempDir()
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"plain":   {"#!/bin/sh\n", 0o644},
		"garbage": {"\x7fELF no program\n", 0o755},
		"orphan":  {"#!/no/such/interpreter\n", 0o755},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":/no/such/directory:"+os.Getenv("PATH"))
	for name, want := range map[string]struct {
		status int
		is     error
	}{
		"no-such-program":     {127, os.ErrNotExist},
		"":                    {127, os.ErrNotExist},
		"/no/such/program":    {127, os.ErrNotExist},
		dir + "/plain/below":  {127, syscall.ENOTDIR},
		"orphan":              {127, os.ErrNotExist},
		dir + "/plain":        {126, os.ErrPermission},
		"plain":               {126, os.ErrPermission},
		dir:                   {126, os.ErrPermission},
		dir + "/garbage":      {126, syscall.ENOEXEC},
		"garbage":             {126, syscall.ENOEXEC},
		"name\x1b[31m of red": {127, os.ErrNotExist},
	} {
		r, err := StartCommand(Command{Argv: []string{name}})
		if err != nil {
			t.Fatal(err)
		}
		var refusal *ExecError
		if err := r.Release(); !errors.As(err, &refusal) {
			t.Errorf("%q: got error %v, want an ExecError", name, err)
		} else if refusal.ExitStatus() != want.status || !errors.Is(err, want.is) || refusal.Name != name ||
			strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: got status %d for %q, want %d and %v", name, refusal.ExitStatus(), err, want.status, want.is)
		}
		if _, _, err := r.Wait(); err != nil {
			t.Error(err)
		}
	}
	if _, err := StartCommand(Command{}); err == nil {
		t.Error("an empty command was started")
	}
}

func TestCommandIsFoundAsAShellFinds(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"first/tool", "second/tool", "tool"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho "+name+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "first/tool"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for path, want := range map[string]string{
		"first:second":          "second/tool\n",
		dir + "/second:" + dir:  "second/tool\n",
		"second:first":          "second/tool\n",
		":second":               "tool\n",
		"/no/such/place:first:": "tool\n",
	} {
		t.Setenv("PATH", path)
		if _, out := runCommand(t, Command{Argv: []string{"tool"}}); out != want {
			t.Errorf("with PATH=%s ran %q, want %q", path, out, want)
		}
	}
}

func TestCommandEnvironmentIsOurs(t *testing.T) {
	t.Setenv("SLICETRACE_TEST_PASSED", "a=b c")
	t.Setenv("GODEBUG", "asyncpreemptoff=0")
	_, out := runCommand(t, Command{Argv: []string{"cat", "/proc/self/environ"}})
	want := os.Environ()
	got := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	if !slices.Equal(got, want) {
		t.Errorf("the command's environment is %q, want %q", got, want)
	}
}

// Signals, limits and descriptors of the command must be those that it would
// have without the tool.
func TestCommandInheritsNothingFromTheLauncher(t *testing.T) {
	passed, err := unix.Dup(2)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(passed)
	for _, script := range []string{
		"cat /proc/$$/status | grep -E '^(Sig(Blk|Ign|Cgt)|NoNewPrivs|Threads|Umask|Groups|Cpus_allowed):'",
		"cat /proc/$$/limits; nice; cat /proc/$$/oom_score_adj",
		`for fd in /proc/$$/fd/*; do printf '%s ' "${fd##*/}"; done
		for fd in /proc/self/fd/*; do printf '%s ' "${fd##*/}"; done`,
	} {
		want, err := exec.Command("sh", "-c", script).Output()
		if err != nil || len(want) == 0 {
			t.Fatalf("run without the tool: %q, %v", want, err)
		}
		if _, got := runCommand(t, shell(script)); got != string(want) {
			t.Errorf("with the tool: %s\nwithout: %s", got, want)
		}
	}
}

func TestAbandonedCommandNeverRuns(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	r, err := StartCommand(Command{Argv: []string{"touch", mark}})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() {
		if err := r.Signal(unix.SIGKILL); err != nil {
			t.Error(err)
		}
	})
	status, _, err := r.Wait()
	if err != nil || !status.Signaled() {
		t.Errorf("the launcher ended with %#x, %v, want by SIGKILL", status, err)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the command ran without its release: %v", err)
	}
	if err := r.Release(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a release after the end gave %v, want %v", err, os.ErrProcessDone)
	}
}

func TestCommandRunsAsTheUser(t *testing.T) {
	if os.Geteuid() != 0 {
		bpftest.Unavailable(t, "needs root to become another user")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	r, err := StartCommand(Command{
		Argv: []string{"id", "-u"}, Stdout: write, User: &Credential{UID: 65534, GID: 65534},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Release(); err != nil {
		t.Error(err)
	}
	if _, _, err := r.Wait(); err != nil {
		t.Error(err)
	}
	write.Close()
	if out, err := io.ReadAll(read); err != nil || string(out) != "65534\n" {
		t.Errorf("the command's user is %q, %v", out, err)
	}
}

func TestCommandsLeakNoDescriptors(t *testing.T) {
	runCommand(t, shell("exit"))
	before := openFDs(t)
	for range 5 {
		runCommand(t, shell("exit"))
	}
	if after := openFDs(t); after != before {
		t.Errorf("%d descriptors before 5 commands, %d after", before, after)
	}
}

// An empty PATH, or an empty part of it, is the current directory, as for execvp.
func TestAnEmptyPathIsTheCurrentDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("program", nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"PATH=", "PATH=/nowhere:", "PATH=:/nowhere"} {
		if got := candidates("program", []string{path}); !slices.Equal(got, []string{"./program"}) {
			t.Errorf("%s: %v", path, got)
		}
	}
}
