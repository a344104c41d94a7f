package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/recording"
)

// startTop starts top with its output in a file, and waits for the first interval.
func startTop(t *testing.T, args ...string) (cmd *exec.Cmd, out string, said *bytes.Buffer) {
	t.Helper()
	cmd = tool(t, append([]string{"top", "--interval", "200ms"}, args...)...)
	out, said = filepath.Join(t.TempDir(), "out"), new(bytes.Buffer)
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	cmd.Stdout, cmd.Stderr = file, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	await(t, "the first interval", func() bool { return strings.Contains(read(t, out), "\n") })
	return cmd, out, said
}

// A killed top leaves nothing attached.
func TestKilledTopLeavesNothingInTheKernel(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
	cmd, _, _ := startTop(t)
	now := bpftest.Programs(t)
	maps.DeleteFunc(now, func(id ebpf.ProgramID, _ string) bool { _, there := before[id]; return there })
	if len(now) == 0 {
		t.Error("top has no programs in the kernel: the test sees nothing")
	}
	end(t, cmd)
	bpftest.CheckGone(t, before)
}

// A signal ends top as its user asked for: with a last, shorter interval, and without a message.
func TestInterruptedTop(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		cmd, out, said := startTop(t, "--format", "jsonl")
		interrupt(cmd, sig, 1)
		if status := ended(t, cmd); status != exitDone || said.Len() > 0 {
			t.Errorf("%v: status %d, %s", sig, status, said)
		}
		if intervals := intervalsOf(t, read(t, out)); len(intervals) < 2 {
			t.Errorf("%v: %d intervals: the last is missing", sig, len(intervals))
		}
	}
	bpftest.CheckGone(t, before)
}

// A full disk is an error, whatever the format.
func TestTopToAFullDisk(t *testing.T) {
	bpftest.Require(t)
	for _, format := range []string{topText, topCSV, topJSONL} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		cmd := tool(t, "top", "--interval", "100ms", "--format", format)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		got := invocation{status: ended(t, cmd), err: said.String()}
		got.checkOneSentence(t, "no space left on device")
		if got.status != exitFailed {
			t.Errorf("%s: status %d", format, got.status)
		}
	}
}

// Without root, top works with the two capabilities that run needs, and says so without them.
func TestTopWithoutRoot(t *testing.T) {
	bpftest.Require(t)
	got := finish(t, asNobody(t, tool(t, "top", "--count", "1")))
	got.checkOneSentence(t, "CAP_BPF and CAP_PERFMON")
	if got.status != exitFailed || got.out != "" {
		t.Errorf("status %d, %q", got.status, got.out)
	}
	for name, become := range map[string]func(*testing.T, *exec.Cmd) *exec.Cmd{
		"ambient": withAmbient, "file": withFileCapabilities,
	} {
		got := finish(t, become(t, tool(t, "top", "--count", "2", "--interval", "200ms", "--format", "jsonl")))
		if got.status != exitDone || got.err != "" {
			t.Errorf("%s: status %d: %s", name, got.status, got.err)
		}
		if n := len(intervalsOf(t, got.out)); n != 2 {
			t.Errorf("%s: %d intervals", name, n)
		}
	}
}

// Once attached, top has given up what it does not need any more.
func TestTopGivesUpPrivileges(t *testing.T) {
	bpftest.Require(t)
	for _, underSudo := range []bool{false, true} {
		cmd := tool(t, "top", "--interval", "200ms")
		if underSudo {
			sudo(t, cmd)
		}
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = write
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		write.Close()
		if _, err := read.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		checkThreads(t, cmd.Process.Pid, maskOf(liveCapabilities(underSudo)...))
		read.Close()
		if status := ended(t, cmd); status != 128+int(syscall.SIGPIPE) {
			t.Errorf("status %d", status)
		}
	}
}

func settingsOf(t *testing.T, x *terminal) unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(x.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *settings
}

// q, Ctrl-C and SIGTERM end the screen, and the terminal is then as before.
func TestTopLeavesTheTerminalAsItWas(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
	for name, leave := range map[string]func(*exec.Cmd, *terminal){
		"q":       func(_ *exec.Cmd, x *terminal) { x.press(t, 'q') },
		"Ctrl-C":  func(_ *exec.Cmd, x *terminal) { x.press(t, 3) },
		"SIGTERM": func(cmd *exec.Cmd, _ *terminal) { interrupt(cmd, syscall.SIGTERM, 1) },
		"SIGHUP":  func(cmd *exec.Cmd, _ *terminal) { interrupt(cmd, syscall.SIGHUP, 1) },
		"--count": func(*exec.Cmd, *terminal) {},
	} {
		args := []string{"top", "--interval", "200ms"}
		if name == "--count" {
			args = append(args, "--count", "2")
		}
		cmd := tool(t, args...)
		cmd.Env = append(cmd.Env, "TERM=xterm")
		x := openTerminal(t)
		x.read()
		was := settingsOf(t, x)
		x.start(t, cmd)
		await(t, "an interval", func() bool { return strings.Contains(x.shown(), "switches/s") })
		leave(cmd, x)
		if status := ended(t, cmd); status != exitDone {
			t.Errorf("%s: status %d: %q", name, status, x.shown())
		}
		if diff := cmp.Diff(was, settingsOf(t, x)); diff != "" {
			t.Errorf("%s: the terminal's settings (-before +after):\n%s", name, diff)
		}
		await(t, "the end of the screen", func() bool { return strings.Contains(x.shown(), "\x1b[?1049l") })
		if shown := x.shown(); strings.LastIndex(shown, "\x1b[?25h") < strings.LastIndex(shown, "\x1b[?25l") {
			t.Errorf("%s: the cursor is hidden at the end", name)
		}
	}
	bpftest.CheckGone(t, before)
}

// With --why, the details of a task show where it sleeps, and what wakes it.
func TestTopShowsWhy(t *testing.T) {
	bpftest.Require(t)
	sleeper := exec.Command("perl", "-e", "select(undef, undef, undef, 0.005) while 1")
	if err := sleeper.Start(); err != nil {
		bpftest.Unavailable(t, "needs perl, for a program that sleeps often")
	}
	defer func() { _, _ = sleeper.Process.Kill(), sleeper.Wait() }()
	cmd := tool(t, "top", "--interval", "300ms", "--why", "--pid", strconv.Itoa(sleeper.Process.Pid))
	cmd.Env = append(cmd.Env, "TERM=xterm")
	x := openTerminal(t)
	x.read()
	x.start(t, cmd)
	await(t, "an interval", func() bool { return strings.Contains(x.shown(), "perl") })
	x.press(t, '\r')
	for _, want := range []string{"asleep, by stacks", "select", "woken by an interrupt"} {
		await(t, want, func() bool { return strings.Contains(x.shown(), want) })
	}
	x.press(t, 'q')
	if status := ended(t, cmd); status != exitDone {
		t.Errorf("status %d: %q", status, x.shown())
	}
}

// A terminal that is closed ends the screen, and leaves nothing of it: neither a process nor a program in the kernel.
func TestTopOnATerminalThatIsClosed(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
	cmd := tool(t, "top", "--interval", "200ms")
	cmd.Env = append(cmd.Env, "TERM=xterm")
	x := openTerminal(t)
	x.read()
	x.start(t, cmd)
	await(t, "an interval", func() bool { return strings.Contains(x.shown(), "switches/s") })
	x.slave.Close() // the other end is with top alone
	x.master.Close()
	if status := ended(t, cmd); status >= 128 {
		t.Errorf("status %d", status)
	}
	bpftest.CheckGone(t, before)
}

// The keys that save make files of the user who called sudo, which are named at the end.
func TestTopSavesWhatIsAskedFor(t *testing.T) {
	bpftest.Require(t)
	for name, become := range map[string]func(*testing.T, *exec.Cmd) *exec.Cmd{
		"sudo": sudo, "capabilities": withAmbient, "root": asItIs,
	} {
		cmd := become(t, tool(t, "top", "--interval", "200ms"))
		credential := cmd.SysProcAttr
		cmd.Env = append(cmd.Env, "TERM=xterm")
		x := openTerminal(t)
		x.read()
		cmd.Stdin, cmd.Stdout, cmd.Stderr = x.slave, x.slave, x.slave
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if credential != nil {
			cmd.SysProcAttr.Credential, cmd.SysProcAttr.AmbientCaps = credential.Credential, credential.AmbientCaps
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		await(t, "an interval", func() bool { return strings.Contains(x.shown(), "switches/s") })
		in := invocation{dir: cmd.Dir}
		x.press(t, 'w')
		await(t, "two files", func() bool { return len(in.files(t)) == 2 })
		x.press(t, 'r')
		await(t, "a recording", func() bool { return strings.Contains(x.shown(), "recording for") })
		await(t, "its programs", func() bool {
			return slices.Contains(slices.Collect(maps.Values(bpftest.Programs(t))), "st_switch")
		})
		time.Sleep(500 * time.Millisecond) // while the screen goes on, with switches of its own
		x.press(t, 'q')                    // which ends the recording too
		if status := ended(t, cmd); status != exitDone {
			t.Errorf("%s: status %d: %q", name, status, x.shown())
		}
		for _, file := range in.files(t) {
			await(t, "the name of "+file+" at the end", func() bool {
				return strings.Contains(x.shown(), "Saved "+file+"\r\n")
			})
		}
		checkTopFiles(t, in, name != "root")
	}
}

func checkTopFiles(t *testing.T, in invocation, ofNobody bool) {
	t.Helper()
	names := in.files(t)
	var extensions []string
	for _, name := range names {
		extensions = append(extensions, filepath.Ext(name))
		info, err := os.Stat(filepath.Join(in.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; (owner == nobody) != ofNobody {
			t.Errorf("%s belongs to %d", name, owner)
		}
		text := read(t, filepath.Join(in.dir, name))
		switch filepath.Ext(name) {
		case ".txt":
			frame := regexp.MustCompile(`^\d+ cores · [^\n\x1b]*/s[^\n\x1b]*\n +cores[^\x1b]*\n$`)
			if !frame.MatchString(text) {
				t.Errorf("the frame is %q", text)
			}
		case ".jsonl":
			if n := len(intervalsOf(t, text)); n != 1 {
				t.Errorf("%d intervals are saved", n)
			}
		case ".rec":
			checkWhole(t, text)
		}
	}
	slices.Sort(extensions)
	if diff := cmp.Diff([]string{".jsonl", ".rec", ".txt"}, extensions); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// checkWhole checks that a recording is complete and has all switches that were counted.
func checkWhole(t *testing.T, data string) {
	t.Helper()
	r, err := recording.NewReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := r.Next()
		if err != nil {
			t.Fatalf("the recording ends with %v", err)
		}
		if end, ok := frame.(recording.End); ok {
			if end.Switches == 0 || end.Switches != end.Counted || end.Lost > 0 {
				t.Errorf("%+v", end)
			}
			return
		}
	}
}
