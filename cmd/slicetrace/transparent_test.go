package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// byShell returns a command of a shell's script in which "$0" "$@" is the tool.
func byShell(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := tool(t)
	cmd.Path = "/bin/sh"
	cmd.Args = append([]string{"sh", "-c", script, self(t)}, args...)
	return cmd
}

// A program that stops itself is a stopped job of the shell, and continues after fg.
func TestProgramThatStopsItself(t *testing.T) {
	bpftest.Require(t)
	for _, sig := range []string{"STOP", "TSTP", "TTIN", "TTOU"} {
		t.Run(sig, func(t *testing.T) {
			x := openTerminal(t)
			cmd := byShell(t, `set -m; "$0" "$@"; echo "stopped: $?"; fg >/dev/null; echo "ended: $?"`,
				"run", "-q", "-o", "r.json", "--", "sh", "-c", "kill -"+sig+" $$; exit 5")
			x.start(t, cmd)
			x.read()
			ended(t, cmd)
			want := fmt.Sprintf("stopped: %d\r\nended: 5", 128+int(unix.SignalNum("SIG"+sig)))
			await(t, want, func() bool { return strings.Contains(x.shown(), want) })
			checkHonest(t, (invocation{dir: cmd.Dir}).saved(t))
		})
	}
}

// If another program, which does not know of the tool, stops and continues the traced program,
// the tool is not left stopped when that has ended.
func TestProgramThatAnotherContinues(t *testing.T) {
	bpftest.Require(t)
	got := finish(t, tool(t, "run", "-q", "-o", "r.json", "--", "sh", "-c",
		"(sleep 0.2; kill -CONT $$) & kill -STOP $$; exit 5"))
	if got.status != 5 {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	checkHonest(t, got.saved(t))
}

// A run goes on to ignore the signals that nohup or a shell's background made it ignore.
func TestRunIgnoresWhatItIsToldTo(t *testing.T) {
	bpftest.Require(t)
	cmd := byShell(t, `trap "" HUP INT QUIT TERM; exec "$0" "$@"`,
		"run", "futex", "--rounds", "1", "--duration", "1s", "-q", "-o", "r.json")
	got := finish(t, cmd, func() {
		awaitWorkers(t, cmd)
		for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM} {
			if err := cmd.Process.Signal(sig); err != nil {
				t.Error(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	if r := got.saved(t); len(r.Trials) != 2 {
		t.Errorf("%d trials: %q", len(r.Trials), r.Warnings)
	}
}

// An executable text without an interpreter is run by the shell, as execvp and env do. A program
// for another machine is not, as in bash.
func TestCommandWithoutInterpreter(t *testing.T) {
	bpftest.Require(t)
	for _, c := range []struct {
		text   string
		status int
		out    string
	}{
		{"echo ok $1; exit 3\n", 3, "ok a\n"},
		{"", 0, ""},
		{"\x7fELF\n", 126, ""},
		{"a\x00b\n", 126, ""},
		{"#!/no/such/file\n", 127, ""},
	} {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(c.text), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := call(t, "run", "-q", "--", file, "a"); got.status != c.status || got.out != c.out {
			t.Errorf("%q: status %d, want %d: %q, %s", c.text, got.status, c.status, got.out, got.err)
		}
	}
}

// Everything that sudo starts inherits its variables. Only if sudo was asked for this program is
// the work to be done as the caller. In a root shell, and in a script that sudo was asked for,
// it runs as root like everything else there.
func TestOnlySudoItselfMakesTheCallerTheUser(t *testing.T) {
	name := filepath.Base(os.Args[0])
	for command, want := range map[string]bool{
		"":                                       true, // something other than sudo set the variables
		"/usr/local/bin/" + name + " run":        true,
		"/usr/bin/env A=1 " + name:               true,
		"/usr/bin/timeout 5 ./" + name + " run":  true,
		"/bin/sh -c cd /tmp; '" + name + "' run": true,
		"/bin/bash":                              false,
		"/usr/bin/su -":                          false,
		"/usr/bin/make bench":                    false,
		"/usr/bin/vim " + name + ".txt":          false,
	} {
		if got := namedTo(command); got != want {
			t.Errorf("%q names %s: %v, want %v", command, name, got, want)
		}
	}
}

func TestRunInARootShellIsRoots(t *testing.T) {
	bpftest.Require(t)
	cmd := sudo(t, tool(t, "run", "-q", "--", "id", "-u"))
	cmd.Env = append(cmd.Env, "SUDO_COMMAND=/bin/bash")
	if got := finish(t, cmd); got.out != "0\n" {
		t.Errorf("the program ran as %q; %s", got.out, got.err)
	}
}

func TestProgramThatSudoDoesNotFind(t *testing.T) {
	bpftest.Require(t)
	got := finish(t, sudo(t, tool(t, "run", "-q", "--", "no-such-program")))
	got.checkOneSentence(t, "sudo has replaced PATH")
	if got.status != 127 {
		t.Errorf("status %d", got.status)
	}
}

// The tool ends as the program ended, whatever fails afterwards.
func TestProgramsEndIsPassedOn(t *testing.T) {
	failure := errors.New("something")
	for _, c := range []struct {
		status syscall.WaitStatus
		err    error
		want   int
	}{
		{0, nil, 0}, {0, failure, exitFailed},
		{7 << 8, nil, 7}, {7 << 8, failure, 7},
		{15, nil, 143}, {15, failure, 143},
	} {
		err := passOn(c.status, c.err)
		var own *statusError
		if got := errors.As(err, &own); !got && c.want != 0 && c.want != exitFailed || got && own.status != c.want {
			t.Errorf("%#x and %v became %v", c.status, c.err, err)
		}
		if c.err != nil && !errors.Is(err, failure) {
			t.Errorf("%#x hides what failed: %v", c.status, err)
		}
		var death *deathError
		if got := errors.As(err, &death); got != c.status.Signaled() {
			t.Errorf("%#x is passed on by a signal: %v", c.status, got)
		}
	}
}
