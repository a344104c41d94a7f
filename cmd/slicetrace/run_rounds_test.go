package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// compared returns the ratio of the first command's figure to the second's, over rounds.
func comparedCommands(r *report.Report, m metric.Metric, first, second string) metric.Difference {
	of := func(name string) metric.Rounds {
		l := metric.Load{Name: name, Modes: []report.Mode{report.Command}}
		return metric.Sample(metric.TrialsOf(r, l, report.Command), m)
	}
	return metric.Compare(of(first), of(second))
}

// Two commands in turn: the order alternates, every second round has runs without the tracer, and the ratio of the
// times is that of the sleeps.
func TestCommandsInTurn(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "--rounds", "8",
		"--command", "sleep 0.1", "--label", "a", "--command", "sleep 0.2", "--label", "b")
	if got.status != exitDone || !strings.Contains(got.out, "Commands side by side") {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	var order []string
	for i := range r.Trials {
		order = append(order, r.Trials[i].Workload)
	}
	if want := strings.Repeat("a b b a ", 4); strings.Join(order, " ")+" " != want {
		t.Errorf("order %v", order)
	}
	if len(r.Untraced) != 8 {
		t.Fatalf("%d untraced runs", len(r.Untraced))
	}
	for i := range r.Untraced {
		if u := &r.Untraced[i]; u.Round%2 != 0 || u.CPUNS == nil || u.DurationNS < 1e8 {
			t.Errorf("untraced %+v", u)
		}
	}
	// In rounds 2 and 6 the traced runs come first, in 4 and 8 the others.
	first := map[int]bool{2: true, 4: false, 6: true, 8: false}
	for round, traced := range first {
		of := func(t report.Trial) bool { return t.Round == round }
		a, b := r.Trials[slices.IndexFunc(r.Trials, of)], r.Untraced[slices.IndexFunc(r.Untraced, of)]
		if *a.StartedNS < *b.StartedNS != traced {
			t.Errorf("round %d: traced first: %v", round, !traced)
		}
	}
	if d := comparedCommands(r, metric.CommandTime(), "b", "a"); !d.Significant() || d.Low > 2 || d.High < 1.5 {
		t.Errorf("the ratio of the times is %v (%v to %v)", d.Center, d.Low, d.High)
	}
	if !strings.Contains(got.out, "\na is the fastest: its wall time is ") {
		t.Errorf("the report names no winner: %s", got.out)
	}
	checkHonest(t, r)
}

// "Threads or processes" of a program that knows both: its output is read, and its switches are counted.
func TestThreadsOrProcessesOfAProgram(t *testing.T) {
	bpftest.Require(t)
	perf, err := exec.LookPath("perf")
	if err != nil {
		bpftest.Unavailable(t, "needs perf")
	}
	got := call(t, "run", "--rounds", "6", "--untraced", "0", "--metric", `([0-9]+) (ops/sec)`,
		"--command", perf+" bench sched pipe -l 3000", "--label", "processes",
		"--command", perf+" bench sched pipe -l 3000 -T", "--label", "threads")
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	if len(r.Untraced) > 0 || r.Setup.Output.Unit != "ops/sec" {
		t.Errorf("%d untraced, set-up %+v", len(r.Untraced), r.Setup.Output)
	}
	for i := range r.Trials {
		trial := &r.Trials[i]
		switches := uint64(0) // of all classes: where the two run on different cores, most are to and from idle
		for _, class := range report.Classes() {
			switches += trial.Class(class).Switches
		}
		if trial.Output == nil || *trial.Output < 100 || switches < 3000 {
			t.Errorf("%s: output %v, %d switches", trial.Workload, trial.Output, switches)
		}
	}
	if !strings.Contains(got.out, "output (ops/sec)") {
		t.Errorf("the report lacks the output: %s", got.out)
	}
}

// What warms up and prepares runs as often as asked for, and is in no trial.
func TestWarmupAndPrepare(t *testing.T) {
	bpftest.Require(t)
	log := filepath.Join(t.TempDir(), "log")
	got := call(t, "run", "-q", "--rounds", "2", "--warmup", "3", "--prepare", "echo prepare >>"+log,
		"--", "sh", "-c", "echo run >>"+log+"; echo unseen; echo unseen >&2")
	if got.status != exitDone || got.out != "" || got.err != "" {
		t.Fatalf("status %d, %q, %q", got.status, got.out, got.err)
	}
	text, err := os.ReadFile(log)
	if want := strings.Repeat("prepare\nrun\n", 3+2+1); err != nil || string(text) != want {
		t.Errorf("it ran %q, %v", text, err)
	}
	r := got.saved(t)
	if len(r.Trials) != 2 || len(r.Untraced) != 1 || r.Trials[0].Workload != "sh" || r.Setup.Warmup != 3 {
		t.Errorf("%d trials, %d untraced, set-up %+v", len(r.Trials), len(r.Untraced), r.Setup)
	}
}

// A command that fails ends the run with its status: complete rounds are kept.
func TestFailingCommand(t *testing.T) {
	bpftest.Require(t)
	count := filepath.Join(t.TempDir(), "count")
	third := "echo x >>" + count + "; echo trouble >&2; test $(wc -l <" + count + ") -lt 3 || exit 9"
	got := call(t, "run", "-q", "--rounds", "5", "--untraced", "0", "--command", third, "--label", "x")
	got.checkOneSentence(t, `"x" exited with status 9 in round 3, and wrote "trouble"`)
	if got.status != 9 || !strings.Contains(got.err, "2 of 5 rounds finished and are kept") {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	if r := got.saved(t); len(r.Trials) != 2 {
		t.Errorf("%d trials", len(r.Trials))
	}
	for says, args := range map[string][]string{
		`"exit 3" exited with status 3 in round 1`:             {"--command", "exit 3"},
		`"exit 3" exited with status 3 in the warm-up`:         {"--command", "exit 3", "--warmup", "1"},
		`--prepare "exit 3" exited with status 3`:              {"--command", "true", "--prepare", "exit 3"},
		`--metric "x([0-9])" finds nothing in what it wrote`:   {"--command", "true", "--metric", "x([0-9])"},
		`--metric "x(.)" finds "y" in what it wrote`:           {"--command", "echo xy", "--metric", "x(.)"},
		`"kill -9 $$" was killed by SIGKILL in round 1`:        {"--command", "kill -9 $$"},
		`execute "no-such-program": no such file or directory`: {"--command", "no-such-program"},
		`the unit "b", and one before it had "a"`: {
			"--command", "echo 1 a", "--command", "echo 1 b", "--metric", "([0-9]) (.)",
		},
	} {
		got := call(t, append([]string{"run", "--rounds", "2"}, args...)...)
		got.checkOneSentence(t, says)
		if got.status == exitDone || len(got.files(t)) > 0 {
			t.Errorf("%v: status %d, left %v", args, got.status, got.files(t))
		}
	}
	got = call(t, "run", "--rounds", "2", "--command", "exit 3", "--ignore-failure")
	r := got.saved(t)
	if got.status != exitDone || len(r.Trials) != 2 || *r.Trials[0].ExitStatus != 3 || *r.Untraced[0].ExitStatus != 3 ||
		!strings.Contains(got.out, "exit 3 failed in 3 of 3 runs, last with exit status 3.") {
		t.Errorf("status %d: %s", got.status, got.out)
	}
}

// Ctrl-C keeps complete rounds, and nothing that was started goes on.
func TestInterruptedCommands(t *testing.T) {
	bpftest.Require(t)
	count := filepath.Join(t.TempDir(), "count")
	ran := func() int {
		text, _ := os.ReadFile(count)
		return strings.Count(string(text), "\n")
	}
	cmd := tool(t, "run", "--rounds", "500", "--command", "echo >>"+count+"; exec sleep 0.05")
	got := finish(t, cmd, func() {
		await(t, "rounds", func() bool { return ran() > 4 })
		interrupt(cmd, unix.SIGTERM, 1)
	})
	r := got.saved(t)
	n := len(r.Trials)
	if got.status != exitFailed || n == 0 || n > ran() || len(r.Untraced) != n/2 {
		t.Errorf("status %d, %d trials and %d untraced of %d runs: %s", got.status, n, len(r.Untraced), ran(), got.err)
	}
	if !strings.Contains(got.out, "Note: interrupted: ") {
		t.Errorf("the reader is not told: %s", got.out)
	}
}

// The command dies with the tool.
func TestCommandDiesWithTheTool(t *testing.T) {
	bpftest.Require(t)
	file := filepath.Join(t.TempDir(), "pid")
	cmd := tool(t, "run", "-q", "--rounds", "2", "--command", "echo $$ >"+file+"; exec sleep 600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text := ""
	await(t, "the command", func() bool {
		b, _ := os.ReadFile(file)
		text = strings.TrimSpace(string(b))
		return text != "" && comm(text) == "sleep"
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	await(t, "the end of the command", func() bool { return comm(text) != "sleep" })
}

func comm(pid string) string {
	text, _ := os.ReadFile("/proc/" + pid + "/comm")
	return strings.TrimSpace(string(text))
}

// Numbers are read with or without commas between thousands.
func TestFigures(t *testing.T) {
	find := regexp.MustCompile(`([^ ]+) (ms|s)`)
	for text, want := range map[string]float64{
		"took 12.5 ms": 12.5, "1,234,567.5 s": 1234567.5, "-3e2 s": -300, "7 s 8 s": 7, "12,5 s": 0, "x s": 0,
		"NaN s": 0, "Inf s": 0, "1,23 s": 0, "nothing": 0,
	} {
		got, unit, err := figureIn([]byte(text), find)
		if got != want || (err != nil) != (want == 0) || err == nil && unit != "s" && unit != "ms" {
			t.Errorf("%q: %v %q, %v", text, got, unit, err)
		}
	}
}

// Passes are balanced: each kind begins as often as the other, and each command comes first as often as last.
func TestPassesOfRounds(t *testing.T) {
	want := map[int][]pass{
		1: {{traced: true}},
		2: {{traced: true, backwards: true}, {}},
		3: {{traced: true}},
		4: {{backwards: true}, {traced: true, backwards: true}},
	}
	for round, passes := range want {
		if got := passesOf(round, 2); !slices.Equal(got, passes) {
			t.Errorf("round %d: %v, want %v", round, got, passes)
		}
		if got := passesOf(round, 0); len(got) != 1 || !got[0].traced {
			t.Errorf("round %d without untraced ones: %v", round, got)
		}
	}
}
