package render_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/report/view"
)

func compared(t testing.TB, old compare.Input, others ...compare.Input) *compare.Comparison {
	t.Helper()
	var sides [][]compare.Input
	for _, n := range others {
		sides = append(sides, []compare.Input{n})
	}
	c, err := compare.Reports([]compare.Input{old}, sides, compare.Options{Cores: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// turns compares runs that were made in turns.
func turns(t testing.TB, old, other *report.Report, runs int) *compare.Comparison {
	t.Helper()
	a, b := reporttest.Turns(old, other, runs, 0.02, 1)
	c, err := compare.Reports(reporttest.Inputs("old-", a), [][]compare.Input{reporttest.Inputs("new-", b)},
		compare.Options{Cores: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// comparisons are those of the goldens, by the name of the case.
func comparisons(t *testing.T) map[string]*compare.Comparison {
	named := func(name string, r *report.Report) compare.Input {
		return compare.Input{Name: name + ".json", Report: r}
	}
	old, _ := reporttest.FullPair(6, 2)
	kernel := reporttest.WithoutPick(reporttest.Change(reporttest.Copy(old), "pipe", 0.9))
	kernel.Host.Kernel, kernel.Host.HZ, kernel.Host.Preemption = "6.12.9", 1000, "lazy"
	slower := reporttest.Command()
	slower.Trials[0].DurationNS += slower.Trials[0].DurationNS / 5
	hostile := reporttest.Hostile(reporttest.Bundled(4, 1))
	hostile.Trials[0].Workload = strings.Join(reporttest.HostileNames(), "")
	bundled := reporttest.Bundled(6, 2)
	return map[string]*compare.Comparison{
		"compare-alike":        compared(t, named("old", bundled), named("new", bundled)),
		"compare-other-kernel": turns(t, old, kernel, 5),
		"compare-one-run-each": compared(t, named("old", old),
			named("new", reporttest.Change(reporttest.Copy(old), "futex", 0.9))),
		"compare-commands": turns(t, reporttest.Command(), slower, 4),
		"compare-few-rounds": compared(t, named("old", reporttest.Bundled(3, 2)),
			named("new", reporttest.Bundled(2, 2))),
		"compare-dirty": compared(t, named("old", bundled),
			named("new", reporttest.Dirty(reporttest.Bundled(6, 2)))),
		"compare-three": compared(t, named("old", bundled),
			named("new", reporttest.Change(reporttest.Bundled(6, 2), "spin", 3)), named("newer", bundled)),
		"compare-hostile-names": compared(t, compare.Input{Name: "-|`<b>@x#1\x1b[2J", Report: hostile},
			named("new", hostile)),
		"compare-few-workloads": compared(t, named("old", reporttest.Full(6, 1)),
			named("new", oneMode(reporttest.Bundled(6, 1)))),
		"compare-watches":          compared(t, named("before", watched()), named("after", busierSystem())),
		"compare-watches-in-turns": turns(t, watched(), busierSystem(), 5),
		"compare-stacks":           compared(t, named("before", reporttest.Stacks()), named("after", otherStacks())),
		"compare-stacks-in-turns":  turns(t, reporttest.Stacks(), otherStacks(), 5),
		"compare-stacks-hostile-names": compared(t, named("old", reporttest.HostileStacks()),
			named("new", reporttest.AtStacks(reporttest.HostileStacks(), "", atDisk))),
		"compare-other-machines": compared(t, named("old", bundled), named("new", reporttest.Bundled(6, 4))),
	}
}

// otherStacks is of a system with a slower disk, which was not preempted.
func otherStacks() *report.Report {
	r := reporttest.AtStacks(reporttest.Stacks(), "ext4", atDisk)
	return reporttest.AtStacks(r, "irqentry_exit", func(w *report.StackWait) { w.WaitNS = 0 })
}

func atDisk(w *report.StackWait) { w.BlockedNS *= 2 }

// busierSystem is watched in which tasks waited longer and cores switched more often.
func busierSystem() *report.Report {
	r := reporttest.Copy(watched())
	for i := range r.Trials {
		for j := range r.Trials[i].Cores {
			c := &r.Trials[i].Cores[j]
			c.Wait.SumNS *= 2
			for k := range c.Classes {
				c.Classes[k].Switches += c.Classes[k].Switches / 4
			}
		}
	}
	return r
}

// oneMode leaves out the threads of spin.
func oneMode(r *report.Report) *report.Report {
	r.Trials = slices.DeleteFunc(r.Trials, func(t report.Trial) bool {
		return t.Workload == "spin" && t.Mode == report.Threads
	})
	return r
}

func comparisonText(t *testing.T, c *compare.Comparison, verbose bool) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := render.SummaryText(&out, view.SummarizeComparison(c, verbose), render.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func comparisonMarkdown(t *testing.T, c *compare.Comparison, full bool) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := render.Markdown(&out, view.SummarizeComparison(c, full)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestComparisonGoldens(t *testing.T) {
	for name, c := range comparisons(t) {
		t.Run(name, func(t *testing.T) {
			text := comparisonText(t, c, false)
			golden(t, name+".txt", text)
			golden(t, name+".md", comparisonMarkdown(t, c, false))
			for i, line := range strings.Split(string(append(text, comparisonText(t, c, true)...)), "\n") {
				if w := twwidth.Width(line); w > render.DefaultWidth {
					t.Errorf("line %d is %d columns wide: %s", i+1, w, line)
				}
			}
		})
	}
	old, other := reporttest.Bundled(6, 1), reporttest.Change(reporttest.Bundled(6, 1), "spin", 3)
	c := turns(t, old, other, 5)
	golden(t, "compare-verbose.txt", comparisonText(t, c, true))
	for i := range c.Pairs {
		c.Pairs[i].Switches = c.Pairs[i].Switches[:3] // the rest is alike
	}
	var out bytes.Buffer
	golden(t, "compare.csv", csvOfTables(t, table.Comparison(c)))
	if err := render.ComparisonJSON(&out, c); err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer // for those who read the golden
	if err := json.Indent(&indented, out.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.json", indented.Bytes())
}

// Every figure is in the full text, so no rows are lost or shown twice.
func TestVerboseTextHasEveryFigure(t *testing.T) {
	row := regexp.MustCompile(`^  [a-z0-9_]+ +([^(;→]|~ [(])+ [0-9]+([+][0-9]+)?$`)
	for name, c := range comparisons(t) {
		rows, groups := 0, map[string]bool{}
		for _, p := range c.Pairs {
			rows += len(p.Changes) + len(p.Switches) + len(p.Groups) + len(p.Stacks)
		}
		for _, s := range view.SummarizeComparison(c, true).Sections {
			for _, g := range s.Groups {
				groups[s.Title+g.Name] = true
			}
		}
		got := 0
		for line := range strings.Lines(string(comparisonText(t, c, true))) {
			if row.MatchString(strings.TrimSuffix(line, "\n")) {
				got++
			}
		}
		if got != rows {
			t.Errorf("%s: %d rows for %d figures", name, got, rows)
		}
	}
}

func TestMarkdownEscapes(t *testing.T) {
	s := &view.Summary{Header: []string{"x"}, Sections: []view.Section{{
		Title:   "a|b",
		Columns: []view.Column{{Name: "n", Text: true}},
		Groups:  []view.Group{{Name: "g`", Rows: []view.Row{{{Text: "<b>|\n"}}, {{Text: "~"}}}}},
		Items: []view.Item{{
			Mark: "✓", Name: "@x", Text: "[a](javascript:b) ![c](d) #1 $e$ https://f www.g &amp; *h* _i_ ~j~ \\k",
		}},
		Notes: []string{
			"- no list", "+ no list", "1. no list", "12) no list", "# no heading", "> no quotation", "=== no rule",
			"    no code", "a-b 1.5", "0.002",
		},
	}}}
	var out bytes.Buffer
	if err := render.Markdown(&out, s); err != nil {
		t.Fatal(err)
	}
	want := "x\n\n### a\\|b\n\n" +
		"- ✓ **&#64;&#8203;x** \\[a\\](javascript:b) !\\[c\\](d) &#35;&#8203;1 &#36;e&#36; https&#58;&#8203;//f " +
		"www&#46;&#8203;g &#38;amp; \\*h\\* \\_i\\_ \\~j\\~ \\\\k\n" +
		"\n| | n |\n| --- | --- |\n| g\\` | &#60;b&#62;\\|\\\\x0a |\n|  | \\~ |\n" +
		"\n\\- no list\n\n\\+ no list\n\n1&#46; no list\n\n12&#41; no list\n\n&#35;&#8203; no heading\n" +
		"\n&#62; no quotation\n\n\\=== no rule\n\nno code\n\na-b 1.5\n\n0.002\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("Markdown (-want +got):\n%s", diff)
	}
}

// checkMarkdown checks that each row has as many cells as its table, and that there is no HTML.
func checkMarkdown(t *testing.T, text string) {
	t.Helper()
	columns := 0
	for line := range strings.SplitSeq(text, "\n") {
		plain := strings.NewReplacer(`\\`, "", `\|`, "", "\\`", "").Replace(line)
		if strings.ContainsAny(plain, "<>`@$") {
			t.Errorf("markup in %q", line)
		}
		n := strings.Count(plain, "|")
		if columns > 0 && n > 0 && n != columns {
			t.Errorf("%d bars in a table of %d: %q", n, columns, line)
		}
		columns = n
	}
}

func TestMarkdownIsSafe(t *testing.T) {
	for _, c := range comparisons(t) {
		checkMarkdown(t, string(comparisonMarkdown(t, c, true)))
	}
}

func TestComparisonWriteErrorsAreReturned(t *testing.T) {
	r := reporttest.Bundled(1, 1)
	c := compared(t, compare.Input{Report: r}, compare.Input{Report: r})
	csv := render.NewCSV(full{})
	for name, err := range map[string]error{
		"text":     render.SummaryText(full{}, view.SummarizeComparison(c, false), render.TextOptions{}),
		"Markdown": render.Markdown(full{}, view.SummarizeComparison(c, false)),
		"JSON":     render.ComparisonJSON(full{}, c),
		"CSV":      errors.Join(csv.Table(table.Comparison(c)), csv.Close()),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// FuzzCompare checks that any two reports that Decode accepts can be compared and shown in every
// form, without a panic and without anything that could control a terminal or a page.
func FuzzCompare(f *testing.F) {
	seeds := reporttest.Tiny()
	for i := range seeds {
		f.Add([]byte(seeds[i]), []byte(seeds[0]))
		f.Add([]byte(seeds[i]), []byte(seeds[i]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		old, err := report.Decode(bytes.NewReader(a))
		if err != nil {
			return
		}
		other, err := report.Decode(bytes.NewReader(b))
		if err != nil {
			return
		}
		sides := [][]compare.Input{{{Name: string(a[:min(9, len(a))]), Report: old}}, {{Name: "new", Report: other}}}
		c, err := compare.Reports(sides[0], sides[1:], compare.Options{Cores: true})
		if err != nil {
			return
		}
		for _, full := range []bool{false, true} {
			checkPrintable(t, comparisonText(t, c, full))
			text := comparisonMarkdown(t, c, full)
			checkPrintable(t, text)
			checkMarkdown(t, string(text))
		}
		var out bytes.Buffer
		if err := render.ComparisonJSON(&out, c); err != nil || !json.Valid(out.Bytes()) {
			t.Fatalf("JSON: %v", err)
		}
		csvOfTables(t, table.Comparison(c))
		condition, err := compare.ParseCondition("wait_max>1%")
		if err != nil {
			t.Fatal(err)
		}
		// This must not panic, whether or not the condition is met.
		_ = c.Check([]compare.Condition{condition}, compare.CheckOptions{})
	})
}
