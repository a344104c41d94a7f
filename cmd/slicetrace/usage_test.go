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
