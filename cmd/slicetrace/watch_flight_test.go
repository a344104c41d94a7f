package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// provoking starts a program that provokes waits until the test ends, and returns a function that ends it and
// returns its lines.
func provoking(t *testing.T) (end func() []string) {
	t.Helper()
	said := filepath.Join(t.TempDir(), "said")
	out, err := os.Create(said)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Stdout = out
	cmd.Env = append(os.Environ(), faultyVariable+"=provoked waits", "GODEBUG=asyncpreemptoff=1",
		waitsVariable+"=100000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the error says that it was killed
	}
	t.Cleanup(stop)
	return func() []string {
		stop()
		return strings.Split(strings.TrimSpace(read(t, said)), "\n")
	}
}

// Of a running system, each wait that is above the limit is in a recording of its own, and the watch ends with
// the last of --times.
func TestWatchFindsEveryWait(t *testing.T) {
	bpftest.Require(t)
	n := max(24, wantedWaits())
	end := provoking(t)
	got := call(t, "run", "--all", "--keep", "300ms", "--when", "wait>20ms of victim", "--times", fmt.Sprint(n),
		"--record", "late.rec", "-o", "r.json")
	lines := end()
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r, err := report.ReadFile(filepath.Join(got.dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Recording == nil || len(r.Recording.Windows) != n || len(r.Trials) == 0 {
		t.Fatalf("%d waits were to be found, and the report says %+v", n, r.Recording)
	}
	before := -1
	for i := range n {
		w := readWindow(t, filepath.Join(got.dir, windowName("late.rec", i+1)))
		line := slices.IndexFunc(lines, func(line string) bool {
			var from, to, end int64
			_, err := fmt.Sscan(line, &from, &to, &end)
			return err == nil && from < w.Trigger.AtNS && w.Trigger.AtNS <= end
		})
		if line < 0 || i > 0 && line != before+1 {
			t.Fatalf("window %d is of wait %d, and the one before of %d: %+v", i+1, line, before, w.Trigger)
		}
		before = line
		checkProvoked(t, w, lines[line])
		if w.Short || w.UntilNS < w.Trigger.AtNS+100e6 || w.end.Switches != w.end.Counted || w.end.Switches == 0 {
			t.Errorf("window %d is %+v, and ends with %+v", i+1, w.Window, w.end)
		}
	}
	checkOpens(t, got.dir, windowName("late.rec", 2))
}

// What makes a case can be narrowed, by the condition and by what is watched.
func TestWatchFindsWhatItIsToldTo(t *testing.T) {
	bpftest.Require(t)
	group := bpftest.NewGroup(t, "cpu")
	name := fmt.Sprintf("slicetrace-test-%d", os.Getpid()) // as NewGroup names it
	inside := restlessCommand(t, "st-restless-a")
	inside.SysProcAttr = nil // as root
	group.Hold(t, inside)
	startRestless(t, inside)
	outside := restless(t, "st-restless-b")
	t.Cleanup(func() { end(t, inside) }) // before the group is removed
	for _, c := range []struct {
		flags []string
		want  string // "": nothing
	}{
		{[]string{"--all", "--when", "blocked>3ms of st-restless-[b-z]"}, "st-restless-b"},
		{[]string{"--all", "--when", fmt.Sprintf("blocked>3ms of pid %d", inside.Process.Pid)}, "st-restless-a"},
		{[]string{"--all", "--when", "blocked>3ms in " + name}, "st-restless-a"},
		{[]string{"--all", "--when", "blocked>3ms of st-restless-b in " + name}, ""},
		{[]string{"--cgroup", name, "--when", "blocked>3ms"}, "st-restless-a"},
		{[]string{"--comm", "st-restless-b", "--when", "blocked>3ms"}, "st-restless-b"},
		{[]string{"--comm", "st-restless-b", "--when", "blocked>3ms of st-restless-a"}, ""},
		{[]string{"--comm", "st-restless-*", "--uid", "nobody", "--when", "blocked>3ms"}, "st-restless-b"},
		{[]string{"--pid", fmt.Sprint(outside.Process.Pid), "--when", "blocked>3ms"}, "st-restless-b"},
	} {
		args := append([]string{"run", "--keep", "1s", "--record", "late.rec", "-o", "r.json"}, c.flags...)
		if c.want == "" {
			args = append(args, "--duration", "500ms", "--every", "100ms")
		}
		got := call(t, args...)
		if got.status != exitDone {
			t.Fatalf("%q: status %d: %s", c.flags, got.status, got.err)
		}
		saved := slices.Contains(got.files(t), "late.rec")
		if saved != (c.want != "") {
			t.Errorf("%q: saved %v: %s", c.flags, saved, got.err)
		} else if saved {
			if w := readWindow(t, filepath.Join(got.dir, "late.rec")); w.Trigger.Comm != c.want {
				t.Errorf("%q: the case is %+v", c.flags, w.Trigger)
			}
		}
	}
}

// A command's tasks are told apart by their groups too.
func TestFlightRecorderOfAGroup(t *testing.T) {
	bpftest.Require(t)
	group := bpftest.NewGroup(t, "cpu")
	name := fmt.Sprintf("slicetrace-test-%d", os.Getpid()) // as NewGroup names it
	for where, saved := range map[string]bool{name: true, "nothing-such.service": false} {
		cmd := tool(t, "run", "--keep", "1s", "--when", "blocked>3ms of sleep in "+where, "--record", "late.rec", "-o",
			"r.json", "--", "sh", "-c", "for i in 1 2 3 4 5; do sleep 0.15; done")
		group.Hold(t, cmd)
		got := finish(t, cmd)
		if got.status != exitDone || slices.Contains(got.files(t), "late.rec") != saved {
			t.Errorf("in %s: status %d, files %v: %s", where, got.status, got.files(t), got.err)
		}
	}
}

// A group that a condition names must be one and, in a watch that does not wait for it, must be there.
func TestWhenNamesAGroup(t *testing.T) {
	bpftest.Require(t)
	for group, want := range map[string]struct {
		status int
		said   string
	}{
		"[":                    {exitUsage, "is not closed"},
		"nothing-such.service": {exitFailed, "no control group fits; with --wait"},
	} {
		got := call(t, "run", "--all", "--keep", "1s", "--when", "wait>1ms in "+group, "--record", "late.rec")
		if got.status != want.status || len(got.files(t)) > 0 {
			t.Errorf("in %s: status %d, files %v", group, got.status, got.files(t))
		}
		got.checkOneSentence(t, want.said)
	}
}

// SIGUSR1 saves what a watch has, and the last of --times ends it.
func TestWatchSavesAtASignal(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "--all", "--keep", "5s", "--when", "SIGUSR1", "--times", "2", "--record", "late.rec", "-o",
		"r.json")
	messages := filepath.Join(t.TempDir(), "messages")
	said, err := os.Create(messages)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	await(t, "the watch", func() bool {
		return strings.Contains(read(t, messages), fmt.Sprintf("kill -USR1 %d\n", cmd.Process.Pid))
	})
	for _, name := range []string{"late.rec", "late-2.rec"} {
		time.Sleep(300 * time.Millisecond)
		if err := cmd.Process.Signal(unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		name = filepath.Join(cmd.Dir, name)
		await(t, name, func() bool { _, err := os.Stat(name); return err == nil })
		w := readWindow(t, name)
		if w.Trigger.Condition != "SIGUSR1" || w.Trigger.AtNS-w.FromNS < 100e6 || w.end.Switches != w.end.Counted {
			t.Errorf("%s: %+v, %+v", name, w.Window, w.end)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, read(t, messages))
	}
}

// A watch that waits for something goes on for as long as it takes, and its report has the end of it.
func TestReportOfALongWatch(t *testing.T) {
	for _, dropOldest := range []bool{true, false} {
		rows, r := reportRows{most: 10, dropOldest: dropOldest}, &report.Report{}
		for i := range 9 {
			system := report.System{Tasks: make([]report.Task, 4)}
			r.Trials = append(r.Trials, report.Trial{Round: i + 1, System: &system})
			if !rows.fit(r) {
				break
			}
		}
		rows.say(r)
		want, said := 2, "the first 7 intervals are not part of the report"
		if !dropOldest {
			want, said = 3, "ended after 3 intervals"
		}
		if len(r.Trials) != want || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], said) {
			t.Errorf("%d intervals, %q", len(r.Trials), r.Warnings)
		}
		if dropOldest && r.Trials[0].Round != 8 {
			t.Errorf("the first interval is number %d", r.Trials[0].Round)
		}
	}
}
