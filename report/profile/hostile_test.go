package profile_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// named gives all that has a name in a report these names in turn, and returns how many functions its stacks
// have.
func named(r *report.Report, names []string) (depths map[int]bool) {
	next := 0
	name := func() string {
		next++
		return names[next%len(names)]
	}
	for i := range r.Frames {
		f := &r.Frames[i]
		f.Function, f.Module, f.File = name(), name(), name()
	}
	depths = map[int]bool{}
	why := r.Trials[0].Why
	for i := range why.Waits {
		w := &why.Waits[i]
		w.Process, w.Comm = name(), name()
		if w.Waker != nil && !w.Waker.Interrupt {
			w.Waker.Comm = name()
		}
		depths[max(1, len(r.Stacks[w.Stack]))] = true
	}
	r.Trials[0].Workload, r.Tool.Version = name(), name()
	r.Trials[0].System = &report.System{Groups: []report.Group{{ID: 4711, Path: name()}}}
	return depths
}

func checkPrintable(t *testing.T, text string) {
	t.Helper()
	for _, c := range text {
		if c != '\n' && !unicode.IsPrint(c) || c == utf8.RuneError {
			t.Fatalf("%q is in %.200q", c, text)
		}
	}
}

// checkHostile checks both formats of a report whose names are hostile.
func checkHostile(t *testing.T, names []string) {
	t.Helper()
	r := reporttest.Blocked()
	depths := named(r, names)
	checkFolded(t, r, folded(t, r), depths)
	p := parsed(t, r)
	got := int64(0)
	texts := slices.Clone(p.Comments)
	for _, s := range p.Sample {
		got += s.Value[0]
		for _, values := range s.Label {
			texts = append(texts, values...)
		}
	}
	for _, f := range p.Function {
		texts = append(texts, f.Name, f.Filename)
		if f.Name == "" {
			t.Error("a function without a name")
		}
	}
	for _, m := range p.Mapping {
		texts = append(texts, m.File)
	}
	for _, text := range texts {
		checkPrintable(t, strings.ReplaceAll(text, "\n", "\x00"))
	}
	if want := sums(r)[0]; got != want {
		t.Errorf("the samples add up to %d, the report to %d", got, want)
	}
}

func TestHostileNames(t *testing.T) {
	checkHostile(t, reporttest.HostileNames())
	checkHostile(t, []string{strings.Repeat("x;\n", 100_000), "", " ", "12", "a 12", "_[k]", "é 1."})
	checkHostile(t, []string{""})
}

func FuzzNames(f *testing.F) {
	f.Add("main", "a;b 12", "\x1b[31m")
	f.Add("", " ", "\xff\n")
	f.Add("\u202e", "1 2 3", "x ")
	f.Fuzz(func(t *testing.T, a, b, c string) { checkHostile(t, []string{a, b, c}) })
}
