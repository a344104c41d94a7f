package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// A name that does not exist is compared with those that there are: the nearest one is suggested.
func TestHint(t *testing.T) {
	for word, want := range map[string]string{
		"pip": "pipe", "spni": "spin", "pipes": "pipe", "spi": "spin", "slep": "sleep", "work": "workingset",
		"zzzz": "", "": "", "\x1b[m": "",
	} {
		if want != "" {
			want = fmt.Sprintf(" (did you mean %q?)", want)
		}
		if got := hint(word, workloadNames()); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

// A wrong command line leads to an error of one sentence and the exit status that scripts expect,
// whether or not this process may trace.
func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"rum", 2, `did you mean "run"?`},
		{"--nonsense", 2, "unknown flag: --nonsense"},
		{"run --nonsense", 2, "unknown flag: --nonsense"},
		{"run pip", 2, `did you mean "pipe"?`},
		{"run make -j2", 2, "unknown shorthand flag"},
		{"run make", 2, "slicetrace run -- make"},
		{"chekc", 2, `did you mean "check"?`},
		{"run --rounds 0", 2, "rounds"},
		{"run --rounds -3", 2, "rounds"},
		{"run --rounds x", 2, "rounds"},
		{"run --duration 0s", 2, "duration"},
		{"run --duration -1s", 2, "duration"},
		{"run --duration 1ms", 2, "too short to measure anything"},
		{"run --operations -1", 2, "operations"},
		{"run --workers -1", 2, "workers"},
		{"run --workers 0", 2, "workers"},
		{"run --operations 0", 2, "operations"},
		{"run --cores=", 2, "empty"},
		{"run pipe pipe", 2, "twice"},
		{"run --max-tasks 9", 2, "--max-tasks"},
		{"run pipe --workers 3", 2, "even"},
		{"run --workers 100000000", 2, "workers"},
		{"run --cores 4000", 2, "4000"},
		{"run --cores 9999", 2, "9999"},
		{"run --cores 0,0", 2, "twice"},
		{"run --cores 3-1", 2, "3-1"},
		{"run --cores x", 2, `"x"`},
		{"run --mode fibres", 2, "fibres"},
		{"run --mode threads,threads", 2, "twice"},
		{"run --format xml", 2, "xml"},
		{"run --phases fast", 2, "the phases are pick and switch"},
		{"run --phases pick,none -- true", 2, "or none on its own"},
		{"run --phases pick,pick", 2, "twice"},
		{"run --phases=", 2, "empty"},
		{"run --", 2, "no program after --"},
		{"run pipe -- true", 2, "pipe"},
		{"run --rounds 3 -- true", 2, "--rounds"},
		{"run --max-tasks 0 -- true", 2, "--max-tasks"},
		{"run --claims pipe", 2, "--claims"},
		{"report", 2, "accepts between 1 and 2 arg"},
		{"report a b", 2, "--html FILE"},
		{"report a --html=", 2, "empty"},
		{"report a --recording r", 2, "--html FILE"},
		{"report a --html p --window-start 1s", 2, "--recording FILE"},
		{"report a --html p --recording r --window-start -1s", 2, "negative"},
		{"report a --html p --recording r --window-length 0s", 2, "positive"},
		{"report a --html p --format json", 2, "--format"},
		{"report no-such-file --html p", 1, "no-such-file"},
		{"report no-such-file", 1, "no-such-file"},
		{"export no-such-file", 2, "name a table"},
		{"export no-such-file --table cores", 1, "no-such-file"},
		{"list extra", 2, "extra"},
		{"top extra", 2, "extra"},
		{"top --nonsense", 2, "unknown flag: --nonsense"},
		{"top --format xml", 2, "screen, text, csv and jsonl"},
		{"top --format screen", 2, "text, csv and jsonl need no terminal"},
		{"top --by core", 2, "task, process, program, group"},
		{"top --phases all", 2, "sampled or none"},
		{"top --count 0", 2, "at least 1"},
		{"top --count -1", 2, "at least 1"},
		{"top --rows 0", 2, "at least 1"},
		{"top --max-tasks 0", 2, "1 to 4194304"},
		{"top --max-tasks 4194305", 2, "1 to 4194304"},
		{"top --interval 49ms", 2, "50ms to 10m0s"},
		{"top --interval 10m1s", 2, "50ms to 10m0s"},
		{"top --interval -1s", 2, "50ms to 10m0s"},
		{"top --interval 1", 2, "interval"},
		{"top --wait", 2, "name what to wait for"},
		{"top --pid 0", 2, "the number of a process"},
		{"top --pid -1", 2, "the number of a process"},
		{"top --pid postgres", 2, "--comm takes names"},
		{"top --pid 4711,x", 2, "--pid x"},
		{"top --pid 4294967297", 2, "the number of a process"},
		{"top --pid=", 2, "empty"},
		{"top --comm [a", 2, "no pattern"},
		{"top --comm ok,[a", 2, "--comm [a"},
		{"top --comm=", 2, "empty"},
		{"top --cgroup [", 2, "malformed"},
		{"top --cgroup=", 2, "empty"},
		{"top --uid nobody-of-this-name", 2, "no such user"},
		{"top --uid 4294967296", 2, "no such user"},
		{"top --uid -1", 2, "no such user"},
		{"top --uid=", 2, "empty"},
		{"tpo", 2, `did you mean "top"?`},
	} {
		t.Run(c.args, func(t *testing.T) {
			got := call(t, strings.Fields(c.args)...)
			if got.status != c.status {
				t.Errorf("status %d, want %d", got.status, c.status)
			}
			got.checkOneSentence(t, c.says)
			if got.out != "" || len(got.files(t)) > 0 {
				t.Errorf("standard output %q, files %v", got.out, got.files(t))
			}
		})
	}
}

// An output that cannot be written is reported before anything is measured.
func TestUnwritableOutput(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"/no/such/directory/r.json", "/", dir} {
		for _, args := range [][]string{{"run", "-o", name}, {"run", "-o", name, "--", "echo", "ran"}} {
			got := call(t, args...)
			got.checkOneSentence(t, "-o")
			if got.status != exitFailed || got.out != "" {
				t.Errorf("%v: status %d, output %q", args, got.status, got.out)
			}
		}
	}
}

// Without the kernel's type information, the error is one sentence.
func TestWithoutBTF(t *testing.T) {
	bpftest.Require(t)
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		bpftest.Unavailable(t, "needs unshare, of util-linux")
	}
	cmd := tool(t)
	cmd.Path = unshare
	cmd.Args = []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs none /sys/kernel/btf && exec "$0" run`, self(t)}
	got := finish(t, cmd)
	got.checkOneSentence(t, "CONFIG_DEBUG_INFO_BTF")
	if got.status != exitFailed || len(got.files(t)) > 0 {
		t.Errorf("status %d, left %v", got.status, got.files(t))
	}
}

// If something that run needs is not available, both check and run name it, with the remedy.
func TestWhereThingsAreWithheld(t *testing.T) {
	bpftest.Require(t)
	if _, err := exec.LookPath("unshare"); err != nil {
		bpftest.Unavailable(t, "needs unshare, of util-linux")
	}
	for _, c := range []struct{ place, object, remedy string }{
		{`ulimit -n 16`, "open files", "ulimit -n"},
		{`ulimit -n 20`, "open files", "ulimit -n"},
		{`ulimit -n 72`, "open files", "ulimit -n"},
		{`mount -t tmpfs none /proc`, "/proc", "mount -t proc"},
		{`mount -t tmpfs none /sys`, "/sys", "mount -t sysfs"},
		{`mount -t tmpfs none /sys/kernel/btf`, "BTF", "CONFIG_DEBUG_INFO_BTF"},
	} {
		within := func(args string) invocation {
			cmd := tool(t)
			cmd.Path = "/bin/sh"
			script := `exec unshare -m sh -c '` + c.place + ` && exec "$0" ` + args + `' "$0"`
			cmd.Args = []string{"sh", "-c", script, self(t)}
			return finish(t, cmd)
		}
		for _, args := range []string{"run", "run -- true"} {
			got := within(args)
			got.checkOneSentence(t, c.remedy)
			if got.status == exitDone || !strings.Contains(got.err, c.object) || len(got.files(t)) > 0 {
				t.Errorf("%s: %s: status %d, %q", c.place, args, got.status, got.err)
			}
		}
		got := within("check")
		named := strings.Contains(got.out, c.object) && strings.Contains(got.out, c.remedy)
		if got.status != exitFailed || !named || !strings.Contains(got.out, "remedy: ") {
			t.Errorf("%s: check: status %d, %q", c.place, got.status, got.out)
		}
	}
}

// In a PID namespace tasks have other numbers than in the kernel, so no task could be recognised.
func TestInAContainer(t *testing.T) {
	bpftest.Require(t)
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		bpftest.Unavailable(t, "needs unshare, of util-linux")
	}
	for _, container := range []struct{ flags, says string }{
		{"-pf --mount-proc", "PID namespace"},
		{"-Upf --mount-proc", "user namespace"}, // has no capabilities outside of it
		{"-Ur", "user namespace"},
	} {
		within := func(args ...string) invocation {
			cmd := tool(t)
			cmd.Path = unshare
			cmd.Args = slices.Concat([]string{"unshare"}, strings.Fields(container.flags), []string{self(t)}, args)
			return finish(t, cmd)
		}
		for _, args := range [][]string{{"run"}, {"run", "--", "true"}} {
			got := within(args...)
			got.checkOneSentence(t, container.says)
			if got.status != exitFailed || len(got.files(t)) > 0 {
				t.Errorf("%v: status %d, left %v", args, got.status, got.files(t))
			}
		}
		got := within("check")
		said := strings.Contains(got.out, container.says) && strings.Contains(got.out, "remedy: ")
		if got.status != exitFailed || !said || strings.Count(got.out, "\n") != 2 {
			t.Errorf("check says %q and %q, status %d", got.out, got.err, got.status)
		}
		checkJSON(t, within("check", "--format", "json"), false)
	}
}

// self returns the file of this test binary.
func self(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestHelpHasExamples(t *testing.T) {
	for _, command := range []string{"", "run", "report", "compare", "export", "list", "check", "man", "top"} {
		args := append(strings.Fields(command), "--help")
		got := call(t, args...)
		if got.status != exitDone || !strings.Contains(got.out, "Examples:\n  ") || got.err != "" {
			t.Errorf("%v: status %d, %q", args, got.status, got.out)
		}
	}
	if got := call(t); got.status != exitDone || !strings.Contains(got.out, "Usage:") {
		t.Errorf("no arguments: status %d, %q", got.status, got.out)
	}
}

func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"run |":               "pipe",
		"run --mode |":        "threads",
		"export x --table |":  "slices",
		"export x --table s|": "switches",
		"export --format |":   "parquet",
		"report x --format |": "json",
		"report x --html |":   "html",
		"report x --h|":       "--html",
		"run --format |":      "csv",
		"comp|":               "compare",

		"compare x y --format |":  "markdown",
		"compare x y --fail-if |": "cost_p50>5%",
		"top --format |":          "jsonl",
		"top --by |":              "process",
		"top --phases |":          "sampled",
		"top --co|":               "--comm",
		"|":                       "check",
	} {
		got := call(t, append([]string{"__complete"}, strings.Split(strings.ReplaceAll(line, "|", ""), " ")...)...)
		if !strings.Contains(got.out, want) {
			t.Errorf("%q completes to %q, want %s", line, got.out, want)
		}
	}
}

// Completion offers programs after --, and the tables that the file has.
func TestCompletionFitsTheLine(t *testing.T) {
	bin := t.TempDir()
	for name, mode := range map[string]os.FileMode{"spinach": 0o755, "sprout": 0o644} {
		if err := os.WriteFile(filepath.Join(bin, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	saved, recorded := saveReport(t, "r.json", reporttest.Command()), saveRecording(t, 10)
	for _, c := range []struct {
		line, offers, not string
	}{
		{"run sp", "spin", "spinach"},
		{"run -- sp", "spinach", "spin\n"},
		{"run -q -- sp", "spinach", "sprout"},
		{"run -- make sp", ":0", "spin"}, // files, which the shell offers
		{"export " + saved + " --table ", "trials", "switches"},
		{"export " + recorded + " --table ", "switches", "trials"},
	} {
		cmd := tool(t, append([]string{"__complete"}, strings.Split(c.line, " ")...)...)
		cmd.Env = append(cmd.Env, "PATH="+bin)
		if got := finish(t, cmd); !strings.Contains(got.out, c.offers) || strings.Contains(got.out, c.not) {
			t.Errorf("%q completes to %q, want %q and no %q", c.line, got.out, c.offers, c.not)
		}
	}
}

func TestListNamesEveryWorkload(t *testing.T) {
	got := call(t, "list")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if len(lines) != len(workloadNames()) {
		t.Errorf("%d lines for %d workloads: %q", len(lines), len(workloadNames()), got.out)
	}
	for i, name := range workloadNames() {
		if !strings.HasPrefix(lines[i], name+" ") {
			t.Errorf("line %q is not about %s", lines[i], name)
		}
		if len(lines[i]) > 100 {
			t.Errorf("line %q is too long for a terminal", lines[i])
		}
	}
	for _, variants := range []string{
		" (also one core, alone, nice)", " (one, many)", " (unsynchronised, atomic, lock)",
	} {
		if !strings.Contains(got.out, variants+"\n") {
			t.Errorf("no workload has the variants%s", variants)
		}
	}
}

func TestCheck(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "check")
	if got.status != exitDone {
		t.Errorf("status %d: %s", got.status, got.out)
	}
	for _, line := range []string{
		"privileges", "kernel types", "switches", "pick phase", "switch phase", "ticks", "hook floor",
		"watched times", "watched costs", "control groups", "CPU quotas", "pressure", "task numbers",
	} {
		if !strings.Contains(got.out, line) {
			t.Errorf("no line for %s in %q", line, got.out)
		}
	}
	checkJSON(t, call(t, "check", "--format", "json"), true)
	got = finish(t, asNobody(t, tool(t, "check")))
	if got.status != exitFailed || !strings.Contains(got.out, "CAP_PERFMON") || !strings.Contains(got.out, "remedy: ") {
		t.Errorf("without privileges: status %d, %q", got.status, got.out)
	}
}

// checkJSON checks the JSON of check: each check has what is used or, if something is missing,
// what is lost and how to get it.
func checkJSON(t *testing.T, got invocation, works bool) {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(got.out), &a); err != nil {
		t.Fatalf("%v: %q", err, got.out)
	}
	if a.Works != works || a.Works != (got.status == exitDone) || a.Kernel == "" || a.Arch == "" || len(a.Checks) == 0 {
		t.Errorf("status %d: %+v", got.status, a)
	}
	for _, c := range a.Checks {
		good := c.Uses != "" && len(c.Lost) == 0 && c.Remedy == ""
		poor := len(c.Lost) > 0 && c.Remedy != "" && (c.Status == collector.Fallback) == (c.StandsInFor != "")
		if c.Status == collector.OK && !good || c.Status != collector.OK && !poor {
			t.Errorf("%+v", c)
		}
	}
}

func TestCheckAsJSONWithoutPrivileges(t *testing.T) {
	bpftest.Require(t)
	checkJSON(t, finish(t, asNobody(t, tool(t, "check", "--format", "json"))), false)
	if got := call(t, "check", "--format", "csv"); got.status != exitUsage {
		t.Errorf("status %d for CSV: %s", got.status, got.err)
	}
}
