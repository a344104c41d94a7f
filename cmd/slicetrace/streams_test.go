package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// What is drawn on a terminal depends on its type, its width and whether the tool is in its
// foreground.
func TestOnTerminals(t *testing.T) {
	bpftest.Require(t)
	old := savedAs(t, "r.json", reporttest.Bundled(1, 7))
	const bar, bold = "░", "\x1b[1m"
	run := `"$TOOL" run yield --rounds 1 --duration 900ms -o r.json`
	for name, c := range map[string]struct {
		line, kind string
		columns    uint16
		plain      bool // NO_COLOR is set
		has, lacks string
	}{
		"bold":       {line: `"$TOOL" report "$OLD"`, kind: "xterm", columns: 100, has: bold},
		"dumb":       {line: `"$TOOL" report "$OLD"`, kind: "dumb", columns: 100, lacks: "\x1b"},
		"of no type": {line: `"$TOOL" report "$OLD"`, columns: 100, lacks: "\x1b"},
		"NO_COLOR": {
			line: `"$TOOL" report "$OLD"`, kind: "xterm", columns: 100, plain: true, lacks: "\x1b",
		},
		"comparison, dumb":       {line: `"$TOOL" compare "$OLD" "$OLD"`, kind: "dumb", columns: 100, lacks: "\x1b"},
		"bar":                    {line: run, kind: "xterm", columns: 100, has: bar},
		"bar, width not known":   {line: run, kind: "xterm", has: bar},
		"bar, dumb":              {line: run, kind: "dumb", columns: 100, lacks: bar},
		"bar, of no type":        {line: run, columns: 100, lacks: bar},
		"bar, narrow":            {line: run, kind: "xterm", columns: 20, lacks: bar},
		"bar, in the background": {line: "set -m; " + run + " & wait", kind: "xterm", columns: 100, lacks: bar},
		// Text is UTF-8 in every locale. Reports of cron jobs and containers, whose locale is C
		// by default, are read on terminals that all understand UTF-8, and units such as µs
		// would have to change.
		"a locale of ASCII": {line: `LC_ALL=C "$TOOL" report "$OLD"`, kind: "xterm", columns: 100, has: "µs"},
		"a locale of ISO-8859-1": {
			line: `LC_ALL=en_US.ISO-8859-1 "$TOOL" report "$OLD"`, kind: "xterm", columns: 100, has: "µs",
		},
		"bar, not asked for": {line: run + " -q", kind: "xterm", columns: 100, lacks: bar},
	} {
		t.Run(name, func(t *testing.T) {
			x := openTerminal(t)
			size := &unix.Winsize{Row: 24, Col: c.columns}
			if err := unix.IoctlSetWinsize(int(x.slave.Fd()), unix.TIOCSWINSZ, size); err != nil {
				t.Fatal(err)
			}
			cmd := tool(t)
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", c.line + "; echo ended"}
			cmd.Env = append(cmd.Env, "TOOL="+self(t), "OLD="+old, "TERM="+c.kind, "NO_COLOR=")
			if c.plain {
				cmd.Env = append(cmd.Env, "NO_COLOR=1")
			}
			x.start(t, cmd)
			x.read()
			if status := ended(t, cmd); status != exitDone {
				t.Errorf("status %d", status)
			}
			await(t, "end", func() bool { return strings.Contains(x.shown(), "ended") })
			shown := x.shown()
			if !strings.Contains(shown, c.has) || c.lacks != "" && strings.Contains(shown, c.lacks) {
				t.Errorf("shown is %q", shown)
			}
		})
	}
}

// A stream that carries output for programs carries nothing else.
func TestFormatsAreAlone(t *testing.T) {
	bpftest.Require(t)
	old := savedAs(t, "r.json", reporttest.Bundled(1, 7))
	isJSON := func(s string) bool { return json.Valid([]byte(s)) }
	isCSV := func(s string) bool {
		rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
		return err == nil && len(rows) > 1
	}
	isSaved := func(s string) bool { return s == "Saved x.json\n" }
	nothing := func(s string) bool { return s == "" }
	for _, c := range []struct {
		args     string
		status   int
		out, err func(string) bool
	}{
		{"run --format json -o x.json -- true", 0, nothing, isJSON},
		{"run --format csv -o x.json -- true", 0, nothing, isCSV},
		{"run --format json -o x.json -- sh -c exit", 0, nothing, isJSON},
		{"run --format json -o x.json pipe --rounds 1 --duration 50ms", 0, isJSON, isSaved},
		{"run --format csv -o x.json pipe --rounds 1 --duration 50ms", 0, isCSV, isSaved},
		{"run -q -o x.json pipe --rounds 1 --duration 50ms", 0, nothing, nothing},
		{"run -q -o - pipe --rounds 1 --duration 50ms", 0, isJSON, nothing},
		{"run -q -o - -- true", 0, isJSON, nothing},
		{"report --format json " + old, 0, isJSON, nothing},
		{"report --format csv " + old, 0, isCSV, nothing},
		{"compare --format json " + old + " " + old, 0, isJSON, nothing},
		{"compare --format csv " + old + " " + old, 0, isCSV, nothing},
		{"export --table host " + old, 0, isCSV, nothing},
		{"check --format json", 0, isJSON, nothing},
		// Contradictions.
		{"run -q --format json -- true", 2, nothing, nil},
		{"run -q --verbose -- true", 2, nothing, nil},
		{"run --claims --format json", 2, nothing, nil},
		{"check --format csv", 2, nothing, nil},
	} {
		got := call(t, strings.Fields(c.args)...)
		if got.status != c.status || !c.out(got.out) || c.err != nil && !c.err(got.err) {
			t.Errorf("%s: status %d, standard output %.200q, standard error %.400q",
				c.args, got.status, got.out, got.err)
		}
	}
	// If both streams are one, it carries the output for programs only.
	for _, args := range []string{"run --format json -o x.json", "run -o -"} {
		cmd := tool(t)
		cmd.Path = "/bin/sh"
		cmd.Args = []string{"sh", "-c", `"$0" ` + args + ` pipe --rounds 1 --duration 50ms 2>&1 | cat`, self(t)}
		if got := finish(t, cmd); !isJSON(got.out) || got.err != "" {
			t.Errorf("%s: %.200q … in %s", args, got.out, filepath.Base(got.dir))
		}
	}
}
