package screen

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// tmux is a terminal in which a shell runs.
type tmux struct {
	t      *testing.T
	socket string
}

func openTmux(t *testing.T, width, height int) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		bpftest.Unavailable(t, "tmux is not installed")
	}
	x := &tmux{t, fmt.Sprintf("slicetrace-test-%d-%s", os.Getpid(), t.Name())}
	x.do("-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height),
		"-c", t.TempDir(), "env", "PS1=ready> ", "ENV=", "sh", "-i")
	t.Cleanup(func() { x.do("kill-server") })
	x.shows("ready>")
	return x
}

func (x *tmux) do(args ...string) string {
	x.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-L", x.socket}, args...)...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// shows waits until a text is on the screen, and returns the screen.
func (x *tmux) shows(text string) (screen string) {
	x.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		if screen = x.do("capture-pane", "-p"); strings.Contains(screen, text) {
			return screen
		}
		if time.Now().After(end) {
			x.t.Fatalf("%q is not shown, but\n%s", text, screen)
		}
	}
}

// self is the file of the test's binary.
func self(t *testing.T) string {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// signal sends a signal to the program that the shell runs.
func (x *tmux) signal(name string) {
	x.t.Helper()
	shell := strings.TrimSpace(x.do("display-message", "-p", "#{pane_pid}"))
	children, err := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	if err != nil {
		x.t.Fatal(err)
	}
	pid := strings.TrimSpace(string(children))
	if out, err := exec.Command("kill", "-s", name, pid).CombinedOutput(); err != nil {
		x.t.Fatalf("kill -s %s %s: %v: %s", name, pid, err, out)
	}
}

func (x *tmux) keys(keys ...string) { x.do(append([]string{"send-keys"}, keys...)...) }

// The screen on a real terminal: keys, sizes, suspension and the end.
func TestInTmux(t *testing.T) {
	x := openTmux(t, 100, 30)
	self := self(t)
	x.keys(demo+"=10000 "+self+"; echo status $?", "Enter")
	x.shows("of 10 005")
	x.keys("/")
	x.keys("-l", "sshd")
	x.shows("Search: sshd")
	x.keys("Enter")
	x.shows("> sshd")
	x.keys("Enter")
	x.shows("the last")
	x.keys("Escape")
	x.shows("> sshd")
	x.keys("F5")
	x.shows("each row is a process")
	x.keys("F1")
	x.shows("Keys (Esc: back)")
	x.keys("q") // leaves from every page
	x.shows("status 0")

	x.keys("clear; "+demo+"=500 "+self+"; echo status $?", "Enter")
	x.shows("of 505")
	x.do("resize-window", "-x", "40", "-y", "10")
	for _, line := range strings.Split(strings.TrimRight(x.shows("16c 1s"), "\n"), "\n") {
		if n := textWidth(line); n > 40 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	x.do("resize-window", "-x", "300", "-y", "100")
	x.shows("throttled")
	x.keys("C-z")
	x.shows("Stopped")
	x.keys("fg", "Enter")
	x.shows("throttled")
	x.keys("f")
	x.shows("frozen · 16 cores")
	x.signal("TSTP") // as another program sends it
	x.shows("Stopped")
	x.keys("fg", "C-j") // the shell has the terminal as the screen left it
	await(t, "the whole screen", func() bool {
		screen := x.do("capture-pane", "-p")
		return strings.Contains(screen, "throttled") && !strings.Contains(screen, "Stopped")
	})
	x.keys("w")
	x.shows("wrote to screen.txt")
	x.keys("C-c")
	x.shows("ready> fg")
	x.keys("clear; echo status $?", "Enter")
	x.shows("status 0")
	x.keys("clear; echo matches: $(grep -c switches/s screen.txt)", "Enter")
	x.shows("matches: 3")
	x.keys("clear; TERM=dumb "+demo+"=10 "+self+"; echo status $?", "Enter")
	x.shows("understands no escape sequences")
	x.shows("status 1")
}

// tmuxKey is how tmux names a key that bubbletea names otherwise.
func tmuxKey(name string) string {
	special := map[string]string{
		"up": "Up", "down": "Down", "pgup": "PageUp", "pgdown": "PageDown", "home": "Home", "end": "End",
		"enter": "Enter", "esc": "Escape", "space": "Space", "ctrl+b": "C-b", "ctrl+f": "C-f", "ctrl+l": "C-l",
	}
	if key := special[name]; key != "" {
		return key
	}
	if strings.HasPrefix(name, "f") && len(name) > 1 {
		return strings.ToUpper(name)
	}
	return name
}

// Each key does in a real terminal what it does in the other tests: after each, the terminal shows the
// frame of a screen that has seen the same keys.
func TestEveryKeyInTmux(t *testing.T) {
	x := openTmux(t, 100, 30)
	t.Chdir(t.TempDir())
	x.keys(demo+"=500 "+demoOnce+"=1 "+self(t), "Enter")
	s := opened(&report.Report{Trials: demoReport(500).Trials[:1]}, 100, 30, demoOptions())
	same := func(key string) {
		t.Helper()
		want := strings.TrimRight(s.plainText(), "\n")
		for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
			got := strings.TrimRight(x.do("capture-pane", "-p"), "\n")
			if got == want {
				return
			}
			if time.Now().After(end) {
				d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
				t.Fatalf("after %s (-want +got):\n%s", key, d)
			}
		}
	}
	same("the start")
	keys := []string{"/", "7", "enter"} // so that n and N have a text to search for
	for _, b := range s.table {
		for _, key := range b.keys {
			switch key {
			case "q", "f10", "ctrl+c", "ctrl+z": // TestInTmux and below
			case "/", "f3", "\\", "f4", "d", "?", "h", "f1", "s", "f6", "enter":
				keys = append(keys, key, "esc")
			case "esc":
				keys = append(keys, "enter", key)
			case "g", "f5":
				keys = append(keys, key, key, key, key)
			default:
				keys = append(keys, key)
			}
		}
	}
	for _, key := range keys {
		if asked := press(s, key); asked != nil {
			if done, is := asked().(doneMsg); is {
				s.Update(done)
			}
		}
		x.keys(tmuxKey(key))
		same(key)
	}
	x.keys("F10")
	x.shows("ready>")
}
