package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// savedPair writes two reports in which pipe does 10 % less in the second.
func savedPair(t testing.TB, rounds int) (old, other string) {
	t.Helper()
	a, b := reporttest.FullPair(rounds, 2)
	reporttest.Change(b, "pipe", 0.9)
	return savedAs(t, "old.json", a), savedAs(t, "new.json", b)
}

// savedTurns writes a number of runs a side, made in turns; pipe does 10 % less on the second side.
// It returns the arguments that compare them.
func savedTurns(t testing.TB, runs int) []string {
	t.Helper()
	dir := t.TempDir()
	other := reporttest.Change(reporttest.Bundled(2, 2), "pipe", 0.9)
	a, b := reporttest.Turns(reporttest.Bundled(2, 2), other, runs, 0.01, 1)
	var args []string
	for i, side := range [][]compare.Input{reporttest.Inputs("old-", a), reporttest.Inputs("new-", b)} {
		if i == 1 {
			args = append(args, "--with")
		}
		for _, n := range side {
			path := filepath.Join(dir, n.Name)
			if err := reporttest.WriteFile(path, n.Report); err != nil {
				t.Fatal(err)
			}
			args = append(args, path)
		}
	}
	return args
}

func savedAs(t testing.TB, name string, r *report.Report) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := reporttest.WriteFile(path, r); err != nil {
		t.Fatal(err)
	}
	return path
}

// must returns the value of a call that cannot fail.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestCompareShowsWhatChanged(t *testing.T) {
	turns := savedTurns(t, 5)
	got := call(t, append([]string{"compare"}, turns...)...)
	if got.status != exitDone || got.err != "" || !strings.Contains(got.out, "pipe · threads\n  operations ") ||
		strings.Contains(got.out, "spin · threads\n") || !strings.Contains(got.out, "Changed operations: pipe") {
		t.Errorf("status %d, %s%s", got.status, got.out, got.err)
	}
	old, other := savedPair(t, 6)
	got = call(t, "compare", old, other)
	if got.status != exitDone || strings.Contains(got.out, "Changed ") ||
		!strings.Contains(got.out, "a change cannot be told from the variation") {
		t.Errorf("one run a side: status %d, %s%s", got.status, got.out, got.err)
	}
	if strings.Contains(got.out, "both sides are the same report") {
		t.Errorf("two reports are called one: %s", got.out)
	}
	for _, same := range []string{old, savedAs(t, "copy.json", must(report.ReadFile(old)))} {
		if got := call(t, "compare", old, same); !strings.Contains(got.out, "both sides are the same report") {
			t.Errorf("compared with itself: %s", got.out)
		}
	}
	full := call(t, "compare", "--verbose", old, other)
	if full.status != exitDone || !strings.Contains(full.out, "spin alone · threads\n") ||
		!strings.Contains(full.out, "pipe · threads · core 1 · thread → thread\n") {
		t.Errorf("verbose: status %d, %.300s", full.status, full.out)
	}
	three := call(t, "compare", old, other, old)
	if three.status != exitDone || strings.Count(three.out, "\nChanges: ") != 2 {
		t.Errorf("three reports: status %d, %s", three.status, three.out)
	}
}

// The old side is what is named before --with; the lists after --with and --like can come in
// any order. Like reports are also found in the folder of a single old report.
func TestCompareTakesListsOfReports(t *testing.T) {
	dir := t.TempDir()
	base := reporttest.Bundled(2, 1)
	like, _ := reporttest.Turns(base, base, 5, 0.005, 3)
	var names []string
	for _, n := range reporttest.Inputs("run-", like) {
		path := filepath.Join(dir, n.Name)
		if err := reporttest.WriteFile(path, n.Report); err != nil {
			t.Fatal(err)
		}
		names = append(names, path)
	}
	// Neither of these two is a report of a like run.
	if err := os.WriteFile(filepath.Join(dir, "other.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	kernel := reporttest.Bundled(2, 1)
	kernel.Host.Kernel = "6.1"
	if err := reporttest.WriteFile(filepath.Join(dir, "kernel.json"), kernel); err != nil {
		t.Fatal(err)
	}
	other := savedAs(t, "new.json", reporttest.Change(reporttest.Copy(base), "pipe", 0.9))
	lone := savedAs(t, "old.json", base)
	for _, c := range []struct {
		args             []string
		old, newer, like int
	}{
		{[]string{lone, other}, 1, 1, 0},
		{[]string{names[0], other}, 1, 1, 4},
		{[]string{lone, other, "--like", names[0], names[1], names[2], names[3]}, 1, 1, 4},
		{[]string{lone, "--like", names[0], names[1], "--with", other, "--like", names[2]}, 1, 1, 3},
		{[]string{lone, "--with=" + other, "-v"}, 1, 1, 0},
		{[]string{names[0], names[1], "--with", names[2], other, names[3]}, 2, 3, 0},
		{[]string{names[0], names[1], "--with", names[2], "--with", other}, 2, 2, 0},
	} {
		got := call(t, append([]string{"compare", "--format", "json"}, c.args...)...)
		var out compare.Comparison
		if err := json.Unmarshal([]byte(got.out), &out); err != nil || got.status != exitDone {
			t.Fatalf("%v: status %d, %s, error %v", c.args, got.status, got.err, err)
		}
		if b := out.Pairs[0].Basis; b.OldRuns != c.old || b.NewRuns != c.newer || b.LikeRuns != c.like {
			t.Errorf("%v: %+v", c.args, b)
		}
	}
}

func TestCompareFormats(t *testing.T) {
	old, other := savedPair(t, 6)
	for format, check := range map[string]func(string) bool{
		"json": func(s string) bool {
			var c compare.Comparison
			return json.Unmarshal([]byte(s), &c) == nil && c.Version == compare.Version &&
				len(c.Pairs) == 1 && len(c.Pairs[0].Switches) > 0
		},
		"csv": func(s string) bool {
			rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
			return err == nil && len(rows) > 100 && rows[0][0] == "old"
		},
		"markdown": func(s string) bool { return strings.Contains(s, "| pipe · threads | operations |") },
		"table":    func(s string) bool { return strings.Contains(s, "  operations ") },
	} {
		got := call(t, "compare", "--format", format, old, other)
		if got.status != exitDone || got.err != "" || !check(got.out) {
			t.Errorf("%s: status %d, %.300s%s", format, got.status, got.out, got.err)
		}
		file := call(t, "compare", "--format", format, "-o", "out", old, other)
		text, err := os.ReadFile(filepath.Join(file.dir, "out"))
		if err != nil || file.status != exitDone || file.out != "" || string(text) != got.out {
			t.Errorf("%s: status %d, file of %d bytes, output of %d; error %v",
				format, file.status, len(text), len(got.out), err)
		}
	}
}

// A condition that is met ends compare with status 3 and a sentence. The comparison is shown in
// any case.
func TestCompareFailIf(t *testing.T) {
	turns := savedTurns(t, 6)
	old, other := savedPair(t, 6)
	lone := []string{old, other}
	undecided := []string{"--fail-if-undecided"}
	for _, c := range []struct {
		reports    []string
		conditions []string
		more       []string
		status     int
		says       []string
	}{
		{turns, []string{"operations<-5%"}, nil, exitChanged, []string{"operations<-5% is met by", "pipe threads (-"}},
		{turns, []string{"operations<-15%", "cost_p50>5%"}, nil, exitDone, nil},
		{
			turns, []string{"cost_p50>5%", "pipe/threads:operations<-5%", "pipe:operations<-4%"}, nil,
			exitChanged, []string{"pipe/threads:operations<-5%", "pipe:operations<-4%"},
		},
		{turns, []string{"spin:operations<-5%"}, undecided, exitDone, nil},
		{turns, []string{"pip:operations<-5%"}, nil, exitFailed, []string{"no such figure"}},
		{
			turns, []string{"pipe:operations<-10%"}, []string{"--fail-by", "interval", "--fail-if-undecided"},
			exitUndecided, []string{"2 are not decided"},
		},
		{turns, []string{"pipe:operations<-5%"}, []string{"--fail-by", "interval"}, exitChanged, []string{"is met by"}},
		{lone, []string{"operations<-5%"}, nil, exitFailed, []string{"--like"}},
		{lone, []string{"operations<-5%"}, undecided, exitUndecided, []string{"not decided"}},
		{lone, []string{"pipe:operations<1"}, undecided, exitDone, nil},
		{lone, []string{"pipe:operations>1"}, undecided, exitChanged, []string{"pipe threads ("}},
	} {
		args := append([]string{"compare"}, c.reports...)
		for _, text := range c.conditions {
			args = append(args, "--fail-if", text)
		}
		got := call(t, append(args, c.more...)...)
		if got.status != c.status || !strings.Contains(got.out, "Changes\n") {
			t.Errorf("%v %v: status %d, want %d; %s", c.conditions, c.more, got.status, c.status, got.err)
		}
		if c.status != exitFailed && !strings.Contains(got.out, "Conditions\n") {
			t.Errorf("%v: the output does not say what became of them", c.conditions)
		}
		if c.says == nil && got.err != "" {
			t.Errorf("%v: standard error %q", c.conditions, got.err)
		}
		for _, says := range c.says {
			got.checkOneSentence(t, says)
		}
	}
}

func TestWrongComparisons(t *testing.T) {
	old, other := savedPair(t, 1)
	text, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	truncated, newer := write("truncated", string(text[:len(text)/2])), write("newer", `{"schema":99}`)
	garbage, command := write("garbage", "\x7fELF"), savedAs(t, "command.json", reporttest.Command())
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, exitUsage, "nothing to compare with"},
		{[]string{old}, exitUsage, "nothing to compare with"},
		{[]string{"--with", old, other}, exitUsage, "no old report"},
		{[]string{old, "--with"}, exitUsage, "needs an argument"},
		{[]string{old, other, "--fail-by", "luck"}, exitUsage, "give estimate or interval"},
		{[]string{old, old, "--with", other}, exitFailed, "are the same report"},
		{[]string{old, other, "--format", "xml"}, exitUsage, "the formats are table, json, csv, markdown"},
		{[]string{old, other, "--fail-if", "cost_p50"}, exitUsage, "the metrics are duration, operations, output"},
		{[]string{old, other, "--fail-if", "cots_p50>5%"}, exitUsage, `did you mean "cost_p50"?`},
		{[]string{old, "no-such-file"}, exitFailed, "no-such-file"},
		{[]string{old, truncated}, exitFailed, "name a complete file"},
		{[]string{newer, old}, exitFailed, "other schema version"},
		{[]string{old, garbage}, exitFailed, "garbage: decode report"},
		{[]string{old, command}, exitFailed, "nothing in common"},
		{[]string{old, other, "-o", "/no/such/directory/x"}, exitFailed, "-o"},
		{[]string{old, old, "--fail-if", "operations<-5%"}, exitFailed, "a change cannot be told from the variation"},
		{[]string{old, other, "--fail-if", "cost_p50>5"}, exitUsage, "without a unit"},
	} {
		got := call(t, append([]string{"compare"}, c.args...)...)
		if got.status != c.status {
			t.Errorf("%v: status %d, want %d", c.args, got.status, c.status)
		}
		got.checkOneSentence(t, c.says)
	}
}

// BenchmarkCompareProcess measures the time that a user waits: it compares two reports of default
// runs on two cores, from the start of the process to its end.
func BenchmarkCompareProcess(b *testing.B) {
	old, other := savedPair(b, 12)
	for b.Loop() {
		cmd := toolCommand("compare", old, other)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}
