package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// inTimeNamespace makes the tool run in a time namespace whose monotonic clock is some
// seconds ahead.
func inTimeNamespace(t *testing.T, cmd *exec.Cmd, seconds int) *exec.Cmd {
	t.Helper()
	unshare := []string{"unshare", "-fT", "--monotonic", strconv.Itoa(seconds)}
	if out, err := exec.Command(unshare[0], append(unshare[1:], "true")...).CombinedOutput(); err != nil {
		bpftest.Unavailable(t, fmt.Sprintf("no time namespace can be made: %v: %s", err, out))
	}
	path, err := exec.LookPath(unshare[0])
	self, notFound := os.Executable() // /proc/self is unshare's own
	if err = errors.Join(err, notFound); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Args = path, slices.Concat(unshare, []string{self}, cmd.Args[1:])
	return cmd
}

// The kernel's time stamps are not affected by a time namespace: trials lie where their events
// are, and a program's first task is its first row, as outside of one.
func TestRunInATimeNamespace(t *testing.T) {
	bpftest.Require(t)
	const ahead = 100_000
	dir := t.TempDir()
	inside := func(args ...string) invocation {
		cmd := inTimeNamespace(t, tool(t, args...), ahead)
		cmd.Dir = dir
		return finish(t, cmd)
	}
	for name, args := range map[string][]string{
		"bundled": {"pipe", "--rounds", "1", "--duration", "50ms"},
		"command": {"--", "sh", "-c", "for i in 1 2 3; do /bin/true; done"},
	} {
		t.Run(name, func(t *testing.T) {
			saved := []string{"run", "-q", "-o", name + ".json", "--record", name + ".rec"}
			got := inside(slices.Concat(saved, args)...)
			if got.status != exitDone {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			first, last, _ := eventsOf(t, filepath.Join(dir, name+".rec"))
			marks, _, _ := readRecording(t, filepath.Join(dir, name+".rec"))
			if len(marks) == 0 {
				t.Error("the recording has no trial")
			}
			for _, m := range marks {
				// A trial can end some time after the last switch, but not at the other clock's time.
				if m.StartNS < first || m.EndNS > last+time.Second.Nanoseconds() || m.EndNS <= m.StartNS {
					t.Errorf("a trial lies from %d to %d, the events from %d to %d", m.StartNS, m.EndNS, first, last)
				}
			}
			r, err := report.ReadFile(filepath.Join(dir, name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			checkHonest(t, r)
			rows := r.Trials[0].Workers
			if name == "command" && (len(rows) != 4 || rows[0].Comm != "sh" || rows[0].TID != rows[0].PID.Leader()) {
				t.Errorf("the program's rows are %+v, its own first", rows)
			}
		})
	}
	if got := inside("check"); got.status != exitDone || !strings.Contains(got.out, strconv.Itoa(ahead/3600)+"h") {
		t.Errorf("check ends with %d and does not mention the clock: %s", got.status, got.out)
	}
}
