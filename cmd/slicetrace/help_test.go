package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// commands are all of the tool's own.
func commands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, commands(sub)...)
	}
	return all
}

// theTool builds the command line as main does.
func theTool() *cobra.Command { return newRoot(streams{os.Stdin, os.Stdout, os.Stderr}) }

// flagLines are command lines in which the values of a flag can be tried, by "command --flag";
// VALUE is the value. Every flag whose help names values must have one.
var flagLines = map[string]string{
	"run --mode":       "run yield --rounds 1 --duration 20ms -q -o - --mode VALUE",
	"run --phases":     "run --phases VALUE -q -o - -- true",
	"run --format":     "run --format VALUE -o - -- true",
	"run --duration":   "run yield --rounds 1 -q -o - --duration VALUE",
	"run --cores":      "run --cores VALUE yield --rounds 1 --duration 20ms -q -o -",
	"run --output":     "run -q --output VALUE -- true",
	"report --format":  "report --format VALUE r.json",
	"report --html":    "report r.json --html VALUE",
	"explain --html":   "explain C9 --no-picture --html VALUE",
	"compare --format": "compare --format VALUE old.json new.json",
	"compare --output": "compare old.json new.json --output VALUE",
	"compare --fail-if": "compare old1.json old2.json old3.json old4.json " +
		"--with new1.json new2.json new3.json new4.json --fail-if VALUE",
	"compare --fail-by": "compare old.json new.json --fail-if wait_max>900s --fail-by VALUE",
	"check --format":    "check --format VALUE",
	"export --format":   "export FILE --format VALUE -o out",
	"top --format":      "top --count 1 --interval 50ms --format VALUE",
	"top --by":          "top --count 1 --interval 50ms --by VALUE",
	"top --phases":      "top --count 1 --interval 50ms --phases VALUE",
	"top --comm":        "top --count 1 --interval 50ms --wait --comm VALUE",
	"run --comm":        "run --duration 50ms --every 50ms -q -o - --wait --comm VALUE",
}

// notHere are values that help texts name and that may be wrong on this machine, each with the
// reason.
var notHere = map[string]string{
	"0-3,8":  "a small machine has fewer cores",
	"screen": "it needs a terminal",
}

// offered returns the values that the help of a flag names: a list after a colon or "as", which
// ends at the end of the line, at a bracket or at a semicolon, and examples after "such as".
func offered(usage string) []string {
	list := regexp.MustCompile(`(?:: | as |, or )([a-z,]+(?:, [a-z,]+)*(?: or [a-z,]+)?|-)` +
		`(?: for standard output.*| \(.*|;.*|$)`)
	var values []string
	for _, m := range list.FindAllStringSubmatch(usage, -1) {
		for part := range strings.SplitSeq(m[1], " or ") {
			values = append(values, strings.Split(part, ", ")...)
		}
	}
	for _, m := range regexp.MustCompile(`such as '?([^' )]+)'?(?: or ([0-9,-]+))?`).FindAllStringSubmatch(usage, -1) {
		values = append(values, slices.DeleteFunc(m[1:], func(v string) bool { return v == "" })...)
	}
	return values
}

// inTurn runs a subtest, and if its command line traces, while no other package's test does.
func inTurn(t *testing.T, line string, test func(*testing.T)) {
	t.Run(line, func(t *testing.T) {
		if regexp.MustCompile(`slicetrace (run|top|check)\b`).MatchString(line) {
			bpftest.Require(t)
		}
		test(t)
	})
}

// Whatever value a flag's help names is accepted.
func TestValuesInHelp(t *testing.T) {
	bpftest.RequireRights(t)
	dir := helpFixtures(t)
	tried := map[string]bool{}
	for _, cmd := range commands(theTool()) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			values := offered(f.Usage)
			name := strings.TrimPrefix(cmd.CommandPath(), "slicetrace ") + " --" + f.Name
			line, known := flagLines[name]
			if tried[name] = true; known != (len(values) > 0) {
				t.Errorf("%s: %q offers %q; a line to try them: %v", name, f.Usage, values, known)
			}
			for _, value := range values {
				if notHere[value] != "" {
					continue
				}
				file := "r.json --table cores"
				switch value {
				case exportPerfetto:
					file = "t.rec"
				case exportPprof, exportFolded:
					file = "why.json"
				}
				words := strings.Fields(strings.ReplaceAll(line, "FILE", file))
				words[slices.Index(words, "VALUE")] = value
				line := strings.Join(words, " ")
				inTurn(t, "slicetrace "+line, func(t *testing.T) {
					got := callIn(t, dir, words...)
					if got.status != exitDone && !(got.status == exitChanged && f.Name == "fail-if") {
						t.Errorf("%s: status %d: %s", line, got.status, got.err)
					}
				})
			}
		})
	}
	for name := range flagLines {
		if !tried[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

// callIn runs the tool in a directory.
func callIn(t *testing.T, dir string, args ...string) invocation {
	t.Helper()
	cmd := tool(t, args...)
	cmd.Dir = dir
	return finish(t, cmd)
}

// helpFixtures makes a folder with the files that examples name, and with programs in the place
// of those that may not be installed.
func helpFixtures(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	old, other := reporttest.FullPair(6, 2)
	newer := reporttest.Copy(other)
	newer.Created = newer.Created.Add(-time.Hour)
	errs := []error{os.Mkdir(filepath.Join(dir, "baseline"), 0o755)}
	files := map[string]*report.Report{
		"r.json": old, "REPORT": old, "OLD": old, "NEW": other, "old.json": old, "new.json": other, "newer.json": newer,
		"why.json": reporttest.Blocked(), "prices.json": old, "build.json": reporttest.Command(),
		"slicetrace-20261122T201100Z.json": old, "slicetrace-20261123T201100Z.json": other,
	}
	a, b := reporttest.Turns(reporttest.Bundled(2, 2), reporttest.Bundled(2, 2), 5, 0.02, 1)
	for i := range a {
		number := strconv.Itoa(i+1) + ".json"
		files["old"+number], files["new"+number], files["main"+number], files["branch"+number] = a[i], b[i], a[i], b[i]
		files["baseline/"+number] = a[i]
	}
	for name, r := range files {
		errs = append(errs, reporttest.WriteFile(filepath.Join(dir, name), r))
	}
	for _, name := range []string{"t.rec", "RECORDING"} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), reporttest.Recording(), 0o644))
	}
	errs = append(errs, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	for name, text := range map[string]string{
		"sudo": `exec "$@"`, "slicetrace": `exec "$TOOL" "$@"`, "make": "exit 0", "jq": "exec cat > /dev/null",
		"man": "exec cat > /dev/null", "flamegraph.pl": "exec cat > /dev/null",
		"perf": "echo 'Total: 12345 ops/sec'", "gunicorn": "exit 0",
	} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, "bin", name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return dir
}

const notOfOneRun = "the recording must be of the report's run; TestOutputs has such a pair"

// notRun are examples that a test cannot run, each with the reason.
var notRun = map[string]string{
	"slicetrace report REPORT --html page.html --recording RECORDING": notOfOneRun,
	"slicetrace report REPORT --html page.html --recording pipe.rec":  notOfOneRun,
	"sudo slicetrace top --why":                                       "it needs a terminal, which TestTopShowsWhy has",
}

// watches is in command lines of a run that starts nothing.
var watches = regexp.MustCompile(`slicetrace run .*--(all|pid|cgroup|comm|uid)\b`)

// continued is where a command line goes on in the next line.
var continued = regexp.MustCompile(`\\\n +`)

// shortened adds flags that make a run of bundled workloads short: a later flag replaces an
// earlier one.
func shortened(line string) string {
	run, _, _ := strings.Cut(line, " > ")
	run, _, _ = strings.Cut(run, " | ")
	switch {
	case strings.Contains(run, "slicetrace top"):
		return run + " --count 1 --interval 100ms --wait --comm '*'" + strings.TrimPrefix(line, run)
	case watches.MatchString(run):
		short := " --duration 200ms --every 100ms"
		if !strings.Contains(run, "--all") {
			short += " --wait"
		}
		return run + short + strings.TrimPrefix(line, run)
	}
	if !strings.Contains(run, "slicetrace run") || strings.Contains(run, " -- ") || strings.Contains(run, "--claims") {
		return line
	}
	short := " --rounds 1"
	if !strings.Contains(run, "--operations") && !strings.Contains(run, "--command") {
		short += " --duration 20ms"
	}
	return run + short + strings.TrimPrefix(line, run)
}

// Every example in the help texts and every command in the documents for users works. A later
// one can read what an earlier one made.
func TestExamples(t *testing.T) {
	bpftest.RequireRights(t)
	var lines []string
	for _, cmd := range commands(theTool()) {
		if cmd.Name() != "completion" && (cmd.Parent() == nil || cmd.Parent().Name() != "completion") {
			lines = append(lines, strings.Split(continued.ReplaceAllString(cmd.Example, ""), "\n")...)
		}
	}
	var documents strings.Builder
	for _, name := range []string{"README.md", "report/README.md", "cmd/slicetrace/README.md"} {
		document, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		documents.Write(document)
	}
	text := continued.ReplaceAllString(documents.String(), "")
	command := regexp.MustCompile(`(?m)^    (?:\$ )?((?:sudo )?slicetrace .*)$`)
	for _, m := range command.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "slicetrace ·") { // a report's first line
			lines = append(lines, m[1])
		}
	}
	dir, seen := helpFixtures(t), map[string]bool{}
	for _, line := range lines {
		line, _, _ := strings.Cut(strings.TrimSpace(line), "   ") // an explanation may follow
		if line == "" || seen[line] || notRun[line] != "" {
			continue
		}
		seen[line] = true
		inTurn(t, line, func(t *testing.T) {
			cmd := tool(t)
			cmd.Dir = dir
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", shortened(line)}
			cmd.Env = append(cmd.Env, "TOOL="+self(t), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
			got := finish(t, cmd)
			changed := got.status == exitChanged && strings.Contains(line, "--fail-if") ||
				got.status == exitUndecided && strings.Contains(line, "--fail-if-undecided")
			if got.status != exitDone && !changed {
				t.Errorf("%s: status %d: %.500s", line, got.status, got.err)
			}
		})
	}
	if len(seen) < 30 {
		t.Errorf("only %d examples were found", len(seen))
	}
}
